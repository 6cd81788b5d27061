"""The printable receipt: what its page shows, for how long, and that its link works in every channel."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError
from sqlalchemy import select

from bot.markup import spans
from services.assembly import Services
from services.receipts import LinkFault, Receipts
from services.registry import JOURNEY_OF
from services.settings import PROJECT, Settings
from services.tickets import Filing, Kind, Receipt
from store.models import Message, TrackerEvent
from tests.citizen import Citizen

NOW = datetime(2026, 11, 23, 3, 5, tzinfo=UTC)
REQUEST: dict[str, Any] = {
    "applicant": "wni",
    "details": "Laporan kinerja <b>2024</b>",
    "purpose": "penelitian",
    "name": "Wiratmaja",
    "address": "Jl. Melati 5, Magelang",
    "contact": "wira@contoh.id",
    "obtain": "salinan",
    "delivery": "email",
}
WORDS = yaml.safe_load((PROJECT / "bot" / "templates" / "receipt.yml").read_text(encoding="utf-8"))


def file(services: Services, kind: Kind = Kind.INFORMATION_REQUEST, fields: dict[str, Any] = REQUEST, locale: str = "id") -> Receipt:
    return services.tickets.file(Filing(kind, fields, "x", "c1", locale), NOW)


async def page_of(client: httpx.AsyncClient, services: Services, number: str) -> httpx.Response:
    return await client.get(services.receipts.link(number).removeprefix(services.settings.address))


async def test_the_receipt_shows_what_was_asked_and_when_it_is_due(client: httpx.AsyncClient, services: Services) -> None:
    receipt = file(services)
    response = await page_of(client, services, receipt.number)
    assert response.status_code == 200
    for shown in (
        "Kementerian Sekretariat Negara",
        receipt.number,
        "Senin, 23 November 2026, 10.05 WIB",
        "Senin, 7 Desember 2026 (10 hari kerja; UU 14/2008 Pasal 22 ayat (7))",
        "Laporan kinerja &lt;b&gt;2024&lt;/b&gt;",
        "mendapat salinan",
        "dapat diperpanjang satu kali",
        "berhak mengajukan keberatan",
    ):
        assert shown in response.text
    for secret in (receipt.access_code, "Wiratmaja", "Melati", "wira@contoh.id"):
        assert secret not in response.text


async def test_no_copy_of_the_receipt_is_kept_on_the_way(client: httpx.AsyncClient, services: Services) -> None:
    response = await page_of(client, services, file(services).number)
    assert response.headers["cache-control"] == "no-store"
    assert "noindex" in response.headers["x-robots-tag"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "style=" not in response.text
    css = await client.get("/static/receipt.css")
    assert "A4" in css.text
    assert css.headers["content-type"].startswith("text/css")


async def test_an_english_ticket_has_an_english_receipt(client: httpx.AsyncClient, services: Services) -> None:
    page = (await page_of(client, services, file(services, locale="en").number)).text
    assert '<html lang="en">' in page
    assert "Monday, 7 December 2026 (10 working days; Law 14/2008 article 22(7))" in page


async def test_a_receipt_of_what_has_no_legal_limit_promises_nothing(client: httpx.AsyncClient, services: Services) -> None:
    page = (await page_of(client, services, file(services, Kind.ASPIRATION, {"text": "Perbanyak beasiswa"}).number)).text
    assert "Perbanyak beasiswa" in page
    assert "tidak dapat dijanjikan" in page
    assert "paling lambat" not in page


async def test_after_an_extension_the_receipt_shows_the_new_date(client: httpx.AsyncClient, services: Services) -> None:
    number = file(services).number
    services.ticket_changes.extend(number, "Dokumen dikumpulkan dari tiga unit", "dewi", NOW)
    page = (await page_of(client, services, number)).text
    assert "Rabu, 16 Desember 2026 (10 hari kerja, diperpanjang 7 hari kerja;" in page


@pytest.mark.parametrize("token", ["x", "IlBJUC0yMDI2MTEyMy0wMDAwIg.aSKx1Q.AAAA", "%2e%2e", "a" * 3000])
async def test_a_forged_link_shows_nothing_and_says_what_to_do(client: httpx.AsyncClient, token: str) -> None:
    response = await client.get(f"/tanda-terima/{token}")
    assert response.status_code == 404
    if token != "%2e%2e":
        assert "cek status tiket" in response.text


async def test_a_link_for_a_web_session_or_an_unknown_ticket_opens_no_receipt(services: Services) -> None:
    from bot.channels.web import Sessions

    number = file(services).number
    session_token, _ = Sessions(services.encryption.signing_keys, 24).issue(number)
    assert services.receipts.open(session_token) is LinkFault.FORGED
    assert services.receipts.open(services.receipts.link("PIP-20261123-0000").rsplit("/", 1)[1]) is LinkFault.FORGED


async def test_an_expired_link_says_so_in_the_readers_language(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = services.receipts.link(file(services).number)
    later = time.time() + services.settings.receipt_hours * 3600 + 60
    monkeypatch.setattr(time, "time", lambda: later)
    response = await client.get(link.removeprefix(services.settings.address), headers={"Accept-Language": "en"})
    assert response.status_code == 410
    assert "has expired" in response.text


async def test_the_link_comes_with_the_number_and_is_in_no_tracker_and_no_log(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    text = "Tolong perbanyak beasiswa untuk anak nelayan di daerah terpencil"
    answer = await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya", text, "pendidikan", *["lewati"] * 4, "ya")
    link = re.search(r"\[Cetak tanda terima\]\((\S+)\)", answer)
    assert link, answer
    assert text in (await client.get(link[1].removeprefix(services.settings.address))).text
    with services.database.session() as session:
        kept = " ".join([*session.scalars(select(TrackerEvent.data)), *session.scalars(select(Message.text))])
    assert "/tanda-terima/" not in kept


@pytest.mark.parametrize("address", ["", "https://sapa.contoh.go.id", "http://127.0.0.1:9000"])
def test_a_receipt_link_of_every_allowed_address_is_a_link(services: Services, address: str) -> None:
    settings = Settings(_env_file=None, SAPA_PUBLIC_URL=address)
    link = Receipts(services.database, services.encryption, 72, settings.address).link("PIP-20261123-7K4Q")
    assert [span.kind for span in spans(f"[Cetak]({link})")] == ["link"]


@pytest.mark.parametrize(
    "address", ["http://sapa.contoh.go.id", "https://a.id/x", "ftp://a.id", "https://a@b.id", "http://localhost:80@b.id", "x"]
)
def test_an_address_that_citizens_could_not_safely_follow_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, SAPA_PUBLIC_URL=address)


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost/admin",
        "http://localhost:8080/tanda-terima/a/../../admin",
        "http://localhost.evil.invalid/tanda-terima/abc",
        "http://localhost:80@evil.invalid/tanda-terima/abc",
        "http://evil.invalid/tanda-terima/abc",
        "http://127.0.0.1:8080/tanda-terima/abc?x=1",
    ],
)
def test_no_other_plain_http_address_becomes_a_link(address: str) -> None:
    assert [span.kind for span in spans(f"[klik]({address})")] == ["text"]


@pytest.mark.parametrize("kind", JOURNEY_OF)
def test_every_field_that_a_receipt_may_show_has_a_label_in_both_languages(kind: Kind) -> None:
    asked = {field.name for field in JOURNEY_OF[kind].numbered if not field.personal}
    for language in ("id", "en"):
        assert asked <= set(WORDS[language]["fields"])


def test_both_languages_have_the_same_words() -> None:
    def shape(words: Any) -> Any:
        return {key: shape(value) for key, value in words.items()} if isinstance(words, dict) else type(words)

    assert shape(WORDS["id"]) == shape(WORDS["en"])
    ticket_words = yaml.safe_load((PROJECT / "services" / "ticket_words.yml").read_text(encoding="utf-8"))
    assert shape(ticket_words["id"]) == shape(ticket_words["en"])
