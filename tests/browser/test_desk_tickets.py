"""A PPID's day at the desk in Chromium: from sign-in to answering a request, and every page of tickets and overview against axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from services.assembly import Services, assemble
from services.knowledge import Knowledge
from services.settings import Settings
from services.staff import Role
from services.ticket_list import TicketFilter
from services.tickets import Filing, Kind, Resolution, State
from tests.browser.chromium import watched_context
from tests.browser.running_server import RunningServer
from tests.desk.conftest import PASSWORD
from tests.desk.filed import FIELDS, SUBJECTS, file, say

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stored(server: RunningServer, knowledge: Knowledge) -> Iterator[Services]:
    """The running server's own data, with tickets in every light and state."""
    settings = Settings(_env_file=None, SAPA_DATA_DIR=server.data)  # type: ignore[call-arg]  # named by their environment variables
    services = assemble(settings, knowledge)
    services.staff.add("sari", "Sari Wulandari", Role.PPID, "uji", PASSWORD)
    services.staff.change_password(services.staff.sign_in("sari", PASSWORD, "", "a", ""), PASSWORD, NEW_PASSWORD)
    now = datetime.now(UTC)
    for days in (0, 2, 8, 11, 13, 20):
        file(services, moment=f"{now - timedelta(days=days):%Y-%m-%d} 10:00")
    file(services, Kind.OBJECTION)
    reviewed, closed = file(services, Kind.ASPIRATION), file(services, Kind.ASPIRATION)
    services.ticket_changes.move(reviewed, State.REVIEWED, "sari")
    services.ticket_changes.answer(closed, "Terima kasih atas aspirasi Anda.", Resolution.ANSWERED, "sari")
    services.ticket_changes.rate(closed, 4)
    for days in range(1, 30):
        for conversation in range(1 + days % 5):
            day = f"{now - timedelta(days=days):%Y-%m-%d}"
            topic = ("keterbukaan_informasi", "magang", "simpel")[(days + conversation) % 3]
            said = [(f"{day} {9 + conversation:02}:00", "answered", topic), (f"{day} {9 + conversation:02}:30", "answered", topic)]
            say(services, "web", *said, (f"{day} 15:00", ("abstained", "handed_over")[days % 2], None))
    yield services
    services.database.close()


NEW_PASSWORD = "teh melati sore hari"


@pytest.fixture(params=["light", "dark"])
def desk(request: pytest.FixtureRequest, browser: Browser, server: RunningServer, stored: Services) -> Iterator[Page]:
    with watched_context(browser, server.url, color_scheme=request.param) as (context, watch):
        page = context.new_page()
        sign_in(page)
        yield page
        watch.assert_clean()


def sign_in(page: Page) -> None:
    page.goto("/desk/sign-in")
    page.get_by_label("Nama pengguna").fill("sari")
    page.get_by_label("Kata sandi").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Masuk").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ikhtisar")


def assert_accessible(page: Page) -> None:
    found: Any = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def pages(services: Services) -> dict[str, str]:
    """The pages of this area by the name of their screenshot."""
    request = services.ticket_list.page(TicketFilter(kind=Kind.INFORMATION_REQUEST)).rows[-1].number
    refused = services.tickets.file(_filing()).number
    services.ticket_changes.extend(refused, "Dokumen dikumpulkan dari tiga unit kerja.", "sari")
    services.ticket_changes.answer(refused, "Memuat data orang lain.", Resolution.REFUSED, "sari", grounds=["h"])
    return {
        "overview": "/desk/overview",
        "ppid": "/desk/overview/ppid",
        "tickets": "/desk/tickets",
        "board": "/desk/tickets?view=board",
        "ticket": f"/desk/tickets/{request}",
        "ticket-closed": f"/desk/tickets/{refused}",
        "letter": f"/desk/tickets/{refused}/letters/penolakan",
        "calendar": "/desk/tickets/calendar",
    }


def _filing() -> Filing:
    kind = Kind.INFORMATION_REQUEST
    return Filing(kind, FIELDS[kind], SUBJECTS[kind], "c2", "id")


def test_every_page_is_free_of_violations_and_of_sideways_scrolling(desk: Page, stored: Services) -> None:
    for path in pages(stored).values():
        for width in (1280, 390):
            desk.set_viewport_size({"width": width, "height": 900})
            desk.goto(path)
            assert_accessible(desk)
            assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
        assert desk.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)"), path


def test_the_ppid_answers_a_request_before_its_deadline(desk: Page, stored: Services, tmp_path: Path) -> None:
    number = file(stored, conversation_id="c3")
    report = tmp_path / "laporan.pdf"
    report.write_bytes(b"%PDF-1.7 isi")
    desk.goto(f"/desk/tickets?text={number}")
    desk.get_by_role("link", name=number).click()
    desk.get_by_role("button", name="Ambil tiket ini").click()
    expect(desk.get_by_role("status")).to_contain_text("Penanggung jawab sudah diubah")
    desk.get_by_role("button", name="Mulai menelaah").click()
    desk.get_by_text("Tampilkan data pribadi").first.click()
    desk.get_by_label("Alasan melihat data pribadi").fill("Perlu kontak untuk mengirim salinan")
    desk.get_by_role("button", name="Tampilkan data pribadi").click()
    expect(desk.get_by_text("siti.rahmawati@contoh.id")).to_be_visible()
    desk.goto(f"/desk/tickets/{number}")
    expect(desk.get_by_text("siti.rahmawati@contoh.id")).to_have_count(0)
    desk.get_by_label("Pilih berkas").set_input_files(report)
    desk.get_by_role("button", name="Tambahkan berkas").click()
    expect(desk.get_by_role("link", name="laporan.pdf")).to_be_visible()
    desk.get_by_label("Hasil").select_option("dikabulkan")
    desk.get_by_label("Jawaban untuk warga").fill("Laporan terlampir.")
    desk.get_by_role("button", name="Kirim jawaban").click()
    expect(desk.get_by_role("status")).to_contain_text("tiket ditutup")
    desk.get_by_role("link", name="Pemberitahuan tertulis").click()
    expect(desk.get_by_role("article")).to_contain_text(re.compile("Laporan terlampir"))
    view = stored.tickets.view(number)
    assert view.resolution is Resolution.GRANTED and view.due_on and view.changed_on <= view.due_on


def test_a_file_that_is_too_large_is_named_before_it_is_sent(desk: Page, stored: Services, tmp_path: Path) -> None:
    large = tmp_path / "besar.pdf"
    large.write_bytes(b"%PDF-1.7".ljust(stored.ticket_files.largest + 1))
    desk.goto(f"/desk/tickets/{file(stored, conversation_id='c4')}")
    chosen = desk.get_by_label("Pilih berkas")
    chosen.set_input_files(large)
    assert "terlalu besar" in chosen.evaluate("(field) => field.validationMessage")


def take_screenshots(browser: Browser, server: RunningServer, services: Services, out: Path) -> None:
    for width in (1280, 390):
        size = {"width": width, "height": 900}
        with watched_context(browser, server.url, viewport=size) as (context, _watch):
            page = context.new_page()
            sign_in(page)
            for name, path in pages(services).items():
                page.goto(path)
                page.screenshot(path=out / f"desk-{name}-{width}.png")
