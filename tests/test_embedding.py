"""What other websites get: their pages by the list of the server, their webmasters by `sapa embed`; and the widget's weight."""

from __future__ import annotations

import base64
import hashlib
import random
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import func, select
from typer.testing import CliRunner

from bot.assistant import Assistant
from bot.cli import app
from bot.embedding import integrity, listed_origins
from bot.server import create_app
from services.assembly import Services
from services.settings import PROJECT, Settings
from store.models import Conversation

LISTED = "https://www.setneg.go.id"
STRANGER = "https://evil.example"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    listed = f"{LISTED}/, https://ppid.setneg.go.id:8443"
    return Settings(_env_file=None, SAPA_DATA_DIR=tmp_path, SAPA_ALLOWED_ORIGINS=listed)


@pytest.mark.parametrize("origin", [LISTED, "https://ppid.setneg.go.id:8443", "http://sapa.test"])
async def test_a_page_of_a_listed_website_or_of_the_server_opens_a_conversation(client: httpx.AsyncClient, origin: str) -> None:
    answer = await client.post("/api/chat/sessions", headers={"Origin": origin})
    assert answer.status_code == 201
    assert answer.headers.get("access-control-allow-origin") == (None if origin == "http://sapa.test" else origin)


@pytest.mark.parametrize(
    "origin", [STRANGER, "null", "http://www.setneg.go.id", "https://www.setneg.go.id.evil.example", f"{LISTED}:444"]
)
async def test_a_page_of_another_website_gets_nothing_and_changes_nothing(
    client: httpx.AsyncClient, services: Services, origin: str
) -> None:
    token = (await client.post("/api/chat/sessions")).json()["token"]
    credentials = {"Authorization": f"Bearer {token}", "Origin": origin}
    refused = await client.post("/api/chat/sessions", headers={"Origin": origin})
    assert refused.status_code == 403
    assert "mendaftarkan" in refused.json()["detail"]
    assert "access-control-allow-origin" not in refused.headers
    for method, path in (("GET", "messages"), ("GET", "events"), ("POST", "messages"), ("DELETE", "sessions")):
        assert (await client.request(method, f"/api/chat/{path}", headers=credentials)).status_code == 403
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = await client.options("/api/chat/messages", headers=asked)
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    assert (await client.get("/api/chat/messages", headers={"Authorization": f"Bearer {token}"})).status_code == 200
    with services.database.session() as session:
        assert session.scalar(select(func.count()).select_from(Conversation)) == 1


async def test_the_browsers_own_word_outweighs_the_host_a_proxy_has_changed(client: httpx.AsyncClient) -> None:
    own = {"Origin": "https://sapa.setneg.go.id", "Sec-Fetch-Site": "same-origin"}
    assert (await client.post("/api/chat/sessions", headers=own)).status_code == 201
    foreign = {"Origin": "http://sapa.test", "Sec-Fetch-Site": "cross-site"}
    assert (await client.post("/api/chat/sessions", headers=foreign)).status_code == 403


async def test_with_an_empty_list_only_the_servers_own_pages_are_served(services: Services, assistant: Assistant) -> None:
    services.settings.allowed_origins = ""
    transport = httpx.ASGITransport(create_app(services, assistant))
    async with httpx.AsyncClient(transport=transport, base_url="http://sapa.test") as client:
        assert (await client.post("/api/chat/sessions", headers={"Origin": LISTED})).status_code == 403


@pytest.mark.parametrize("wrong", ["*", "https://*.setneg.go.id", "www.setneg.go.id", "https://www.setneg.go.id/halaman"])
def test_a_list_that_can_match_no_website_or_any_ends_the_start(wrong: str) -> None:
    with pytest.raises(ValidationError, match="SAPA_ALLOWED_ORIGINS"):
        Settings(_env_file=None, SAPA_ALLOWED_ORIGINS=wrong)


def test_origins_are_compared_as_browsers_write_them() -> None:
    assert listed_origins(" https://WWW.Setneg.go.id/ ,https://b.go.id,") == [LISTED, "https://b.go.id"]


def test_a_webmaster_gets_code_hash_and_policy_by_a_command() -> None:
    printed = CliRunner().invoke(app, ["embed", "--server", "https://sapa.setneg.go.id/"], env={"SAPA_ALLOWED_ORIGINS": LISTED}).stdout
    assert 'src="https://sapa.setneg.go.id/static/widget.js"' in printed
    assert "connect-src 'self' https://sapa.setneg.go.id\n" in printed
    digest = subprocess.run(
        ["openssl", "dgst", "-sha384", "-binary", PROJECT / "widget" / "widget.js"], capture_output=True, check=True
    )
    encoded = subprocess.run(["openssl", "base64", "-A"], input=digest.stdout, capture_output=True, check=True).stdout
    assert f'integrity="sha384-{encoded.decode()}" crossorigin="anonymous"' in printed


async def test_the_hash_is_that_of_the_file_as_any_website_gets_it(client: httpx.AsyncClient) -> None:
    served = await client.get("/static/widget.js", headers={"Origin": STRANGER})
    assert served.headers["access-control-allow-origin"] == "*", "a module of another host needs it, and integrity too"
    assert hashlib.sha384(served.content).digest() == base64.b64decode(integrity().removeprefix("sha384-"))


def check_size(module: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, PROJECT / "widget" / "check_size.py", module], capture_output=True, text=True)


def test_the_size_gate_lets_a_light_module_pass_and_counts_what_it_imports(tmp_path: Path) -> None:
    widget = tmp_path / "widget.js"
    widget.write_text('import { words } from "./words.js";\n')
    (tmp_path / "words.js").write_text("export const words = 1;\n")
    assert check_size(widget).returncode == 0
    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=30_000))
    (tmp_path / "words.js").write_text(f'export const words = "{noise}";\n')
    too_heavy = check_size(widget)
    assert too_heavy.returncode == 1
    assert "too heavy" in too_heavy.stderr
