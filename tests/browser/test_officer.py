"""Desk and widget together: what an officer writes and does there is seen here, by events or, where those are blocked, by asking."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from services.permissions import Role
from services.tickets import Kind
from tests.browser.at_desk import at_desk
from tests.browser.chromium import Watch
from tests.browser.desk_day import PASSWORD, DeskDay
from tests.browser.running_server import RunningServer
from tests.browser.test_hostile_text import strangers
from tests.browser.widget_page import WidgetPage
from tests.browser.xss_corpus import CORPUS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def day(server: RunningServer) -> DeskDay:
    day = DeskDay(server)
    day.services.staff.add("wida", "Wida Lestari", Role.PPID, "uji", PASSWORD)
    return day


@pytest.fixture
def officer(browser: Browser, day: DeskDay) -> Iterator[Page]:
    with at_desk(browser, day, "wida") as page:
        yield page


def take_over(officer: Page, day: DeskDay) -> None:
    """The newest conversation asks for an officer, who takes it at the desk."""
    handoff_id = day.handoffs.ask(day.newest_conversation()).handoff_id
    officer.goto("/desk/queue")
    officer.locator(f"form[action$='/{handoff_id}/take'] button").click()
    expect(officer).to_have_url(f"{day.server.url}/desk/queue/{handoff_id}")


def say(officer: Page, text: str) -> None:
    officer.get_by_label("Pesan Anda").fill(text)
    officer.get_by_role("button", name="Kirim", exact=True).click()


def test_an_officer_and_a_citizen_talk_live(chat: WidgetPage, officer: Page, day: DeskDay) -> None:
    chat.ask("apa itu simpel?")
    asked: list[str] = []
    chat.page.on("request", lambda request: asked.append(request.url) if "messages?after" in request.url else None)
    take_over(officer, day)
    expect(chat.log.get_by_text("Petugas sudah bergabung")).to_be_visible(timeout=15_000)
    officer.get_by_label("Pesan Anda").press_sequentially("Selamat pagi")
    expect(chat.log.get_by_text("Petugas sedang menulis…")).to_be_visible(timeout=15_000)
    say(officer, "Selamat pagi, boleh tahu alasan pengembaliannya?")
    expect(chat.log.get_by_text("Petugas sedang menulis…")).to_be_hidden(timeout=15_000)
    expect(chat.log.locator(".msg.officer")).to_contain_text("Petugas")
    expect(chat.log.locator(".msg.officer .bubble")).to_have_text("Selamat pagi, boleh tahu alasan pengembaliannya?")
    assert asked == [], "by the event stream alone"
    chat.type_and_send("Katanya berkas kurang.")
    expect(officer.locator(".transcript").get_by_text("Katanya berkas kurang.")).to_be_visible(timeout=15_000)
    chat.page.keyboard.press("Escape")
    say(officer, "Baik, saya periksa.")
    expect(chat.launcher).to_have_accessible_name(re.compile("1 pesan belum dibaca"), timeout=15_000)
    chat.launcher.click()
    expect(chat.log.get_by_text("Baik, saya periksa.")).to_be_visible()
    count = len(chat.said_by("bot"))
    officer.get_by_role("button", name="Kembalikan ke asisten").click()
    expect(chat.log.locator(".msg.bot")).to_have_count(count + 1, timeout=15_000)
    chat.ask("apa itu simpel?")
    assert "Perjalanan Dinas" in chat.last_answer()
    assert [seen.author for seen in chat.messages()] == [one["from"] for one in chat.history()]


def test_an_officers_answer_comes_by_asking_where_events_are_blocked(page: Page, watch: Watch, officer: Page, day: DeskDay) -> None:
    page.route("**/api/chat/events*", lambda route: route.abort())
    chat = WidgetPage(page).visit().open()
    chat.ask("apa itu simpel?")
    take_over(officer, day)
    say(officer, "Selamat pagi, ada yang dapat saya bantu?")
    expect(chat.log.locator(".msg.officer .bubble")).to_have_text("Selamat pagi, ada yang dapat saya bantu?", timeout=30_000)
    assert len(chat.said_by("officer")) == 1


def test_a_citizens_words_reach_an_officer_whose_events_are_blocked(chat: WidgetPage, officer: Page, day: DeskDay) -> None:
    officer.route("**/desk/queue/**/events", lambda route: route.abort())
    chat.ask("apa itu simpel?")
    take_over(officer, day)
    chat.type_and_send("Masih ada orang di sana?")
    expect(officer.locator(".transcript").get_by_text("Masih ada orang di sana?")).to_be_visible(timeout=30_000)


HELD_DOWN = """(area) => {
  let sent = 0;
  area.form.addEventListener("submit", () => sent++);
  const press = (repeat) => area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true, repeat }));
  [false, true, true].forEach(press);
  return sent;
}"""
"""How often a form is sent while Ctrl+Enter is held down in a text box."""


def test_a_key_that_is_held_down_sends_an_officers_words_once(chat: WidgetPage, officer: Page, day: DeskDay) -> None:
    chat.ask("apa itu simpel?")
    take_over(officer, day)
    writing = officer.get_by_label("Pesan Anda")
    writing.fill("Selamat pagi.")
    assert writing.evaluate(HELD_DOWN) == 1
    expect(chat.log.locator(".msg.officer")).to_have_count(1, timeout=15_000)


def test_an_officer_who_is_writing_is_seen_for_a_few_seconds(page: Page, watch: Watch) -> None:
    streams: list[Route] = []
    page.route("**/api/chat/events*", lambda route: streams.append(route))
    chat = WidgetPage(page).visit().open()
    chat.ask("apa itu simpel?")
    typing = chat.log.get_by_text("Petugas sedang menulis…")
    expect(typing).to_be_hidden()
    event = f"event: typing\ndata: {json.dumps({'from': 'officer'})}\n\n"
    streams[-1].fulfill(content_type="text/event-stream", body=event)
    expect(typing).to_be_visible()
    expect(typing).to_be_in_viewport()
    expect(typing).to_be_hidden(timeout=15_000)


def test_the_news_of_a_ticket_come_into_the_open_conversation(chat: WidgetPage, officer: Page, day: DeskDay) -> None:
    chat.ask("apa itu simpel?")
    fields = {"details": "Laporan kinerja 2025", "purpose": "Penelitian", "name": "Siti", "contact": "siti@contoh.id"}
    number = day.file(Kind.INFORMATION_REQUEST, 0, **fields)
    officer.goto(f"/desk/tickets/{number}")
    officer.get_by_role("button", name="Ambil tiket ini").click()
    officer.get_by_role("button", name="Mulai menelaah").click()
    expect(chat.log.locator(".msg.bot .bubble").last).to_contain_text(number, timeout=30_000)
    officer.get_by_label("Hasil").select_option("dikabulkan")
    officer.get_by_label("Jawaban untuk warga").fill("Laporan dikirim ke alamat Anda.")
    officer.get_by_role("button", name="Kirim jawaban").click()
    expect(chat.log.get_by_text("petugas sudah menjawab")).to_be_visible(timeout=30_000)
    chat.choice("Lihat tiket").click()
    chat.wait_until_sent()
    assert any("Laporan dikirim ke alamat Anda." in text for text in chat.said_by("bot")), chat.messages()


def test_hostile_text_of_an_officer_and_of_a_citizen_stays_text_on_both_sides(
    chat: WidgetPage, watch: Watch, officer: Page, day: DeskDay
) -> None:
    chat.ask("apa itu simpel?")
    take_over(officer, day)
    half = len(CORPUS) // 2
    for part in (CORPUS[:half], CORPUS[half:]):
        text = "\n".join(part)
        say(officer, text)
        chat.type_and_send(text)
    expect(chat.log.locator(".msg.officer")).to_have_count(2, timeout=15_000)
    expect(officer.get_by_text("{{constructor.constructor").first).to_be_visible(timeout=15_000)
    chat.wait_until_sent()
    assert strangers(chat.page) == []
    watch.assert_clean()
