"""A PPID's day at the desk in Chromium: from sign-in to answering a request before its deadline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from services.assembly import Services
from services.tickets import Resolution
from tests.browser.at_desk import at_desk
from tests.browser.desk_day import PASSWORD, DeskDay, sign_in
from tests.desk.filed import file

pytestmark = pytest.mark.browser


@pytest.fixture
def stored(day: DeskDay) -> Services:
    """The running server's own data."""
    return day.services


@pytest.fixture
def desk(browser: Browser, day: DeskDay) -> Iterator[Page]:
    with at_desk(browser, day, "ratna") as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("Ikhtisar")
        yield page


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


def test_an_answer_that_is_being_written_outlasts_the_session(browser: Browser, day: DeskDay, stored: Services) -> None:
    number = file(stored, conversation_id="c3")
    page = browser.new_page(base_url=day.server.url)
    sign_in(page, "ratna")
    page.goto(f"/desk/tickets/{number}")
    page.get_by_role("button", name="Ambil tiket ini").click()
    page.get_by_label("Hasil").select_option("dikabulkan")
    page.get_by_label("Jawaban untuk warga").fill("Laporan terlampir, ditulis lama sekali.")
    stored.desk_sessions.end_all(stored.staff.get("ratna").id)
    page.get_by_role("button", name="Kirim jawaban").click()
    expect(page.get_by_label("Kata sandi")).to_be_visible()
    page.get_by_label("Nama pengguna").fill("ratna")
    page.get_by_label("Kata sandi").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{day.server.url}/desk/tickets/{number}")
    expect(page.get_by_label("Jawaban untuk warga")).to_have_value("Laporan terlampir, ditulis lama sekali.")
    page.get_by_label("Hasil").select_option("dikabulkan")
    page.get_by_role("button", name="Kirim jawaban").click()
    expect(page.get_by_role("status")).to_contain_text("tiket ditutup")
    assert page.evaluate("JSON.parse(sessionStorage.getItem('written')).texts") == {}
    page.close()


def test_a_file_that_is_too_large_is_named_before_it_is_sent(desk: Page, stored: Services, tmp_path: Path) -> None:
    large = tmp_path / "besar.pdf"
    large.write_bytes(b"%PDF-1.7".ljust(stored.ticket_files.largest + 1))
    desk.goto(f"/desk/tickets/{file(stored, conversation_id='c4')}")
    chosen = desk.get_by_label("Pilih berkas")
    chosen.set_input_files(large)
    assert "terlalu besar" in chosen.evaluate("(field) => field.validationMessage")
