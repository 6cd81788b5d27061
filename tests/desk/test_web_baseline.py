"""What a web scanner looks for, on every route there is: headers, cookies, methods, error pages, paths, hosts, redirects, origins."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from argon2 import extract_parameters
from fastapi.routing import iter_route_contexts

from bot.assistant import Assistant
from bot.middleware import HSTS
from bot.server import create_app
from services import passwords
from services import sign_in as sign_in_service
from services.assembly import Services
from services.permissions import Role
from services.settings import PROJECT
from tests.citizen import Citizen

PLACES = "|".join(re.escape(f"{folder}/") for folder in (PROJECT, Path.home()))
LEAKS = re.compile(rf"Traceback|File \"|{PLACES}|site-packages|sqlalchemy|psycopg|uvicorn|starlette|line \d+, in ", re.I)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "FOO"]


def paths_of(services: Services, assistant: Assistant) -> list[str]:
    """Every path, its parameters filled with something that isn't there."""
    contexts = iter_route_contexts(create_app(services, assistant).routes)
    paths = {re.sub(r"\{\w+(:\w+)?\}", "tiada", route.path) for route in contexts if route.path}
    assert len(paths) > 40
    return sorted(path for path in paths if not path.endswith("/events"))


async def test_every_route_and_method_answers_with_all_security_headers_and_tells_nothing(
    services: Services, assistant: Assistant, client: httpx.AsyncClient
) -> None:
    for path in paths_of(services, assistant):
        for method in METHODS:
            answer = await client.request(method, path)
            seen = (method, path, answer.status_code)
            assert answer.status_code < 500, seen
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'"), seen
            assert "unsafe-eval" not in policy and "unsafe-inline" not in policy and " *" not in policy, seen
            assert "frame-ancestors 'none'" in policy, seen
            assert answer.headers["x-content-type-options"] == "nosniff", seen
            assert answer.headers["x-frame-options"] == "DENY", seen
            assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin"), seen
            assert "camera=()" in answer.headers["permissions-policy"], seen
            assert "server" not in answer.headers, seen
            assert "x-powered-by" not in answer.headers, seen
            assert not LEAKS.search(answer.text), seen
            if path.startswith(("/api/", "/chat", "/desk")) and "/static" not in path:
                assert "no-store" in answer.headers["cache-control"], seen
            if method in ("PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "FOO"):
                assert answer.status_code in (400, 401, 403, 404, 405), seen


async def test_https_is_said_to_stay_and_http_says_nothing_of_it(services: Services, assistant: Assistant) -> None:
    transport = httpx.ASGITransport(create_app(services, assistant), client=("127.0.0.1", 1))
    for scheme, expected in (("https", HSTS), ("http", None)):
        async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://sapa.test") as client:
            for path in ("/", "/chat", "/desk/sign-in", "/api/chat/messages", "/tiada"):
                assert (await client.get(path)).headers.get("strict-transport-security") == expected, path


async def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(services: Services, assistant: Assistant, sign_in) -> None:
    officer = await sign_in(Role.READER)
    transport = httpx.ASGITransport(create_app(services, assistant), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://sapa.test") as client:
        cookies = [(await client.get("/chat")).headers["set-cookie"]]
        signing = await client.post("/desk/sign-in", data={"login": officer.login, "password": "kopi tubruk pagi hari"})
        cookies.append(signing.headers["set-cookie"])
    for cookie in cookies:
        flags = {part.strip().lower().split("=")[0] for part in cookie.split(";")}
        assert {"httponly", "secure", "samesite", "path"} <= flags, cookie
        assert re.search(r"samesite=(strict|lax)", cookie, re.I), cookie


TRAVERSALS = [
    "../keys.txt",
    "..%2fkeys.txt",
    "..%252fkeys.txt",
    "%2e%2e/keys.txt",
    "....//keys.txt",
    "/etc/passwd",
    "..\\keys.txt",
    "a%00.js",
]


@pytest.mark.parametrize("folder", ["/static/", "/desk/static/", "/desk/calendar/", "/data-saya/", "/tiket/", "/berkas/"])
async def test_no_path_leads_out_of_a_folder(client: httpx.AsyncClient, services: Services, folder: str) -> None:
    (services.settings.data_dir / "keys.txt").read_text()
    for traversal in TRAVERSALS:
        answer = await client.get(folder + traversal)
        assert answer.status_code in (303, 400, 404, 410, 422), (folder, traversal)
        assert "root:" not in answer.text


async def test_a_folder_lists_nothing(client: httpx.AsyncClient) -> None:
    for folder in (
        "/static",
        "/static/",
        "/desk/static",
        "/desk/static/",
        "/.git/config",
        "/.env",
        "/var/",
        "/models/",
        "/docs",
        "/redoc",
    ):
        answer = await client.get(folder)
        assert answer.status_code in (303, 307, 404), folder
        assert "Index of" not in answer.text


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "/desk/../../evil",
    "https:evil.example",
    "\t//evil.example",
]


@pytest.mark.parametrize("target", ELSEWHERE)
async def test_signing_in_leads_to_the_desk_and_nowhere_else(services: Services, assistant: Assistant, sign_in, target: str) -> None:
    officer = await sign_in(Role.READER)
    again = await officer.client.get("/desk/sign-in", params={"next": target})
    data = {"login": officer.login, "password": "kopi tubruk pagi hari", "next": target}
    signed = await officer.client.post("/desk/sign-in", data=data)
    for answer in (again, signed):
        location = answer.headers.get("location", "/desk")
        assert location.startswith("/desk"), location
        assert "evil" not in location


async def test_only_listed_sites_may_read_an_answer(services: Services, assistant: Assistant) -> None:
    services.settings.allowed_origins = "https://www.setneg.go.id"
    transport = httpx.ASGITransport(create_app(services, assistant), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://sapa.test") as client:
        for origin in ("https://evil.example", "null", "https://www.setneg.go.id.evil.example", "http://www.setneg.go.id"):
            answer = await client.post("/api/chat/sessions", headers={"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") not in (origin, "*"), origin
        listed = await client.post("/api/chat/sessions", headers={"Origin": "https://www.setneg.go.id"})
        assert listed.headers["access-control-allow-origin"] == "https://www.setneg.go.id"
        assert "access-control-allow-credentials" not in listed.headers


async def test_a_token_ends_with_its_conversation(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert (await client.delete("/api/chat/sessions", headers=citizen.headers)).status_code == 204
    message = {"client_message_id": "123e4567-e89b-12d3-a456-426614174000", "text": "halo"}
    assert (await client.get("/api/chat/messages", headers=citizen.headers)).status_code == 401
    assert (await client.post("/api/chat/messages", json=message, headers=citizen.headers)).status_code == 401
    assert (await client.delete("/api/chat/sessions", headers=citizen.headers)).status_code == 401


CHANGES = [
    lambda token: token[:-1],
    lambda token: token + "A",
    lambda token: token.swapcase(),
    lambda token: "",
    lambda token: token.split(".")[0],
    lambda token: "é",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_token_that_was_changed_opens_nothing(client: httpx.AsyncClient, change) -> None:
    citizen = await Citizen(client).arrives()
    headers = {"Authorization": f"Bearer {change(citizen.token)}".encode()}
    assert (await client.get("/api/chat/messages", headers=headers)).status_code == 401


SECRET = re.compile(r"(?:^|_)(?:token|secret|code|password|signature|digest|(?:code|token|submission|password)_hash|fingerprint)$")


def comparisons() -> Iterator[tuple[Path, int, str]]:
    for folder in ("bot", "desk", "services", "store"):
        for file in sorted((PROJECT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                    sides = [node.left, *node.comparators]
                    named = [ast.unparse(side) for side in sides]
                    if all(SECRET.search(name.split("(")[0]) for name in named):
                        yield file.relative_to(PROJECT), node.lineno, " == ".join(named)


def test_two_secrets_are_compared_in_constant_time_only() -> None:
    """By their names: no `==` has a token, code, hash or signature on both sides, but where the database compares a column."""
    found = [f"{file}:{line} {text}" for file, line, text in comparisons() if not text[0].isupper()]
    assert found == []


async def test_a_wrong_login_takes_as_much_work_as_a_wrong_password(
    services: Services, sign_in, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = await sign_in(Role.READER)
    compared: list[str] = []

    def matches(password_hash: str, password: str) -> bool:
        compared.append(password_hash)
        return passwords.matches(password_hash, password)

    monkeypatch.setattr(sign_in_service, "matches", matches)
    for login in (officer.login, "tiada-orang"):
        await officer.client.post("/desk/sign-in", data={"login": login, "password": "bukan kata sandinya"})
    known, unknown = (extract_parameters(one) for one in compared)
    assert known == unknown
