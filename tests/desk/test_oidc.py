"""Signing in through an identity provider that runs over real HTTP: only a true proof of a known account lets in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.assistant import Assistant
from bot.server import create_app
from services.assembly import Services, assemble, use
from services.audit import AuditFilter
from services.knowledge import Knowledge
from services.permissions import Role
from services.settings import Settings
from services.staff import Problem, StaffRefused
from tests.desk.identity_provider import CLIENT, SECRET, Provider, running_provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def services(tmp_path: Path, knowledge: Knowledge, provider: Provider) -> Iterator[Services]:
    given: dict[str, Any] = {"SAPA_OIDC_ISSUER": provider.issuer, "SAPA_OIDC_CLIENT_ID": CLIENT, "SAPA_OIDC_CLIENT_SECRET": SECRET}
    configured = Settings(_env_file=None, SAPA_DATA_DIR=tmp_path, SAPA_OIDC_LOGIN_CLAIM="nip", **given)
    assembled = assemble(configured, knowledge)
    use(assembled)
    assembled.staff.add("sari", "Sari", Role.PPID, "uji")
    assembled.staff.set_email("sari", "Sari@Setneg.go.id", "uji")
    yield assembled
    assembled.database.close()


@pytest.fixture
async def browser(services: Services, assistant: Assistant) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(services, assistant), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=30) as opened:
        yield opened


async def returns(browser: httpx.AsyncClient, provider: Provider, **changed: str) -> httpx.Response:
    """The whole way: to the provider, signing in there, and back."""
    sent = await browser.get("/desk/oidc/start?next=/desk/tickets")
    assert sent.status_code == 303
    code = provider.authorize(sent.headers["location"])
    return await browser.get("/desk/oidc/callback", params={"code": code, "state": provider.asked["state"], **changed})


async def test_a_known_member_is_let_in_with_the_role_of_the_account(
    browser: httpx.AsyncClient, provider: Provider, services: Services
) -> None:
    back = await returns(browser, provider)
    assert (back.status_code, back.headers["location"]) == (303, "/desk/tickets")
    account = await browser.get("/desk/account")
    assert "PPID" in account.text
    assert (await browser.get("/desk/staff")).status_code == 403
    entry = services.audit.search(AuditFilter(action="staff.signed_in"))[0]
    assert (entry.actor, entry.data) == ("sari", {"through": "oidc"})
    assert provider.asked["redirect_uri"].endswith("/desk/oidc/callback")
    assert set(provider.asked["scope"].split()) == {"openid", "email", "profile"}


async def test_without_an_address_the_login_claim_that_was_set_names_the_account(
    browser: httpx.AsyncClient, provider: Provider
) -> None:
    provider.claims = {"sub": "7", "nip": "SARI"}
    assert (await returns(browser, provider)).status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://lain.example"},
        {"aud": "program-lain"},
        {"aud": [CLIENT, "program-lain"], "azp": "program-lain"},
        {"exp": 1_700_000_000},
        {"nonce": "nonce-lain"},
        {"nonce": None},
        {"exp": None},
    ],
    ids=str,
)
async def test_a_token_that_proves_something_else_lets_nobody_in(
    wrong: dict[str, Any], browser: httpx.AsyncClient, provider: Provider
) -> None:
    provider.change = lambda claims: {name: value for name, value in {**claims, **wrong}.items() if value is not None}
    back = await returns(browser, provider)
    assert back.status_code == 401
    assert "tidak berhasil" in back.text
    assert (await browser.get("/desk/account")).status_code == 303


async def test_a_token_that_a_stranger_signed_lets_nobody_in(browser: httpx.AsyncClient, provider: Provider) -> None:
    provider.signs_with = "strangers"
    assert (await returns(browser, provider)).status_code == 401


async def test_a_token_without_a_signature_lets_nobody_in(browser: httpx.AsyncClient, provider: Provider, monkeypatch: Any) -> None:
    token = provider.token

    def unsigned(form: dict[str, str], authorization: str) -> dict[str, str] | None:
        given = token(form, authorization)
        assert given
        return {**given, "id_token": "eyJhbGciOiJub25lIn0." + given["id_token"].split(".")[1] + "."}

    monkeypatch.setattr(provider, "token", unsigned)
    assert (await returns(browser, provider)).status_code == 401


async def test_who_brings_back_another_state_or_none_or_a_wrong_code_is_refused(
    browser: httpx.AsyncClient, provider: Provider
) -> None:
    for changed in ({"state": "lain"}, {"state": ""}, {"code": ""}, {"code": "kode-2"}):
        assert (await returns(browser, provider, **changed)).status_code == 401


async def test_a_link_that_a_stranger_sent_does_nothing_in_a_browser_that_did_not_begin(
    browser: httpx.AsyncClient, provider: Provider
) -> None:
    sent = await browser.get("/desk/oidc/start")
    code = provider.authorize(sent.headers["location"])
    browser.cookies.clear()
    assert (await browser.get("/desk/oidc/callback", params={"code": code, "state": provider.asked["state"]})).status_code == 401


async def test_nobody_gets_an_account_by_signing_in(browser: httpx.AsyncClient, provider: Provider, services: Services) -> None:
    for claims in (
        {"sub": "8", "email": "baru@setneg.go.id", "email_verified": True},
        {"sub": "8", "email": "sari@setneg.go.id", "email_verified": False},
        {"sub": "8", "preferred_username": "sari"},
    ):
        provider.claims = claims
        back = await returns(browser, provider)
        assert back.status_code == 403
        assert "belum terhubung" in back.text
    services.staff.add("admin", "Admin", Role.ADMIN, "uji")
    services.staff.disable("sari", "admin")
    provider.claims = {"sub": "7", "email": "sari@setneg.go.id", "email_verified": True}
    assert (await returns(browser, provider)).status_code == 403
    assert len(services.staff.everyone()) == 2


async def test_a_provider_that_names_itself_otherwise_or_is_away_is_said_so(browser: httpx.AsyncClient, provider: Provider) -> None:
    provider.named_issuer = "https://lain.example"
    away = await browser.get("/desk/oidc/start")
    assert away.status_code == 502
    assert "masuk dengan kata sandi" in away.text


@pytest.mark.parametrize("missing", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_a_provider_that_does_not_say_where_to_go_is_said_so(
    missing: str, browser: httpx.AsyncClient, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = provider.answer
    monkeypatch.setattr(
        provider, "answer", lambda path: {name: value for name, value in (whole(path) or {}).items() if name != missing}
    )
    assert (await browser.get("/desk/oidc/start")).status_code == 502


async def test_an_answer_of_the_provider_that_is_no_object_is_said_so(
    browser: httpx.AsyncClient, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "answer", lambda _path: ["issuer", "authorization_endpoint"])
    assert (await browser.get("/desk/oidc/start")).status_code == 502


async def test_the_page_of_signing_in_offers_it_and_passes_on_where_to(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/desk/sign-in?next=/desk/audit")).text
    assert 'href="/desk/oidc/start?next=%2Fdesk%2Faudit"' in page
    sent = await browser.get("/desk/oidc/start")
    assert parse_qs(urlsplit(sent.headers["location"]).query)["client_id"] == [CLIENT]
    assert "httponly" in sent.headers["set-cookie"].lower()


def test_an_address_belongs_to_one_account(services: Services) -> None:
    services.staff.add("budi", "Budi", Role.OFFICER, "uji")
    for email, problem in (("sari@setneg.go.id", Problem.EMAIL_TAKEN), ("budi", Problem.EMAIL_FORM)):
        with pytest.raises(StaffRefused) as refused:
            services.staff.set_email("budi", email, "uji")
        assert refused.value.problem is problem
    services.staff.set_email("budi", "", "uji")
