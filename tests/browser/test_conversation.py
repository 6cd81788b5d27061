"""A visitor's conversation in the widget."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import Watch
from tests.browser.widget_page import WidgetPage

pytestmark = pytest.mark.browser
TICKET = re.compile(r"ASP-\d{8}-[0-9A-HJKMNP-TV-Z]{4}")


def test_opened_by_keyboard_it_answers_with_source_and_check_date(widget: WidgetPage) -> None:
    widget.tab_to("Tanya Sapa Setneg")
    widget.page.keyboard.press("Enter")
    widget.wait_for_greeting()
    assert widget.focused() == "Tulis pesan"
    widget.page.keyboard.type("apa itu simpel?")
    widget.page.keyboard.press("Enter")
    widget.wait_until_sent()
    answer = widget.last_answer()
    assert "Sistem Informasi Perjalanan Dinas Luar Negeri" in answer
    assert "Sumber" in answer
    assert re.search(r"diperiksa \d{1,2} [A-Z][a-z]+ 20\d\d", answer), answer


def test_an_aspiration_gets_its_number_with_the_keyboard_alone(widget: WidgetPage) -> None:
    keyboard = widget.page.keyboard

    def press(label: str) -> None:
        widget.tab_to(label, "Shift+Tab")
        keyboard.press("Enter")
        widget.wait_until_sent()

    def write(text: str) -> None:
        if widget.focused() != "Tulis pesan":
            widget.tab_to("Tulis pesan")
        keyboard.type(text)
        keyboard.press("Enter")
        widget.wait_until_sent()

    widget.tab_to("Tanya Sapa Setneg")
    keyboard.press("Enter")
    widget.wait_for_greeting()
    press("Sampaikan aspirasi")
    widget.tab_to("Ya, setuju")
    keyboard.press("Enter")
    widget.wait_until_sent()
    write("Saya mengusulkan jadwal layanan tatap muka dibuka juga pada hari Sabtu agar pekerja dapat hadir.")
    for _ in range(8):
        if TICKET.search(widget.last_answer()):
            break
        offered = widget.log.locator(".choices:not([hidden]) button").all_inner_texts()
        wanted = next((label for label in offered if label in ("Lewati", "Layanan Setneg", "Ya, kirim", "Kirim", "Ya")), None)
        if wanted:
            widget.tab_to(wanted)
            keyboard.press("Enter")
            widget.wait_until_sent()
        else:
            write("lewati")
    assert TICKET.search(widget.last_answer()), widget.messages()
    assert re.search(r"[Kk]ode akses", widget.last_answer())


def test_a_pressed_button_answers_once_and_goes_with_the_other_choices(chat: WidgetPage) -> None:
    button = chat.choice("Sampaikan aspirasi")
    button.focus()
    button.evaluate("(button) => { button.click(); button.click(); }")
    expect(button).to_have_count(0)
    expect(chat.log.get_by_role("button", name="Cek status SIMPEL", exact=True)).to_have_count(0)
    chat.wait_until_sent()
    assert chat.said_by("user") == ["Sampaikan aspirasi"]
    chat.tab_to("Ya, setuju", limit=4)
    assert [m["text"] for m in chat.history() if m["from"] == "user"] == ["Sampaikan aspirasi"]


def test_a_reload_keeps_the_conversation_and_storage_holds_a_token_but_no_text(chat: WidgetPage) -> None:
    chat.ask("apa itu simpel?")
    chat.ask("terima kasih banyak")
    before = chat.messages()
    stored = chat.storage()
    assert chat.token()
    kept = json.dumps(stored).lower()
    assert not any(word in kept for word in ("simpel", "terima", "perjalanan", "selamat datang", "kemensetneg"))
    assert chat.page.evaluate("document.cookie") == ""
    databases = chat.page.evaluate("indexedDB.databases().then((all) => all.length)")
    assert databases == 0
    chat.page.reload()
    chat.launcher.click()
    expect(chat.log.locator(".msg")).to_have_count(len(before))
    assert chat.messages() == before
    assert chat.storage() == stored


def test_the_log_is_a_polite_live_region_that_gets_each_new_message_once(chat: WidgetPage) -> None:
    expect(chat.log).to_have_attribute("aria-live", "polite")
    chat.log.evaluate(
        """log => { window.heard = [];
          new MutationObserver((changes) => {
            if (log.getAttribute("aria-live") !== "polite") return;
            for (const change of changes) for (const node of change.addedNodes)
              if (node.classList?.contains("msg")) heard.push(node.querySelector(".bubble").innerText);
          }).observe(log, { childList: true }); }"""
    )
    before = len(chat.messages())
    chat.ask("apa itu simpel?")
    chat.page.wait_for_timeout(2500)  # the event stream brings the same messages once more
    assert chat.page.evaluate("heard") == [message.text for message in chat.messages()[before:]]


def test_history_after_a_reload_is_not_read_out_as_news(chat: WidgetPage) -> None:
    chat.ask("apa itu simpel?")
    count = len(chat.messages())
    chat.page.add_init_script(
        """const attach = Element.prototype.attachShadow;
        window.heard = 0;
        Element.prototype.attachShadow = function (options) {
          const root = attach.call(this, options);
          new MutationObserver((changes) => {
            for (const { addedNodes } of changes) for (const node of addedNodes)
              if (node.classList?.contains("msg") && node.closest(".log").getAttribute("aria-live") === "polite") heard++;
          }).observe(root, { childList: true, subtree: true });
          return root; }"""
    )
    chat.page.reload()
    chat.launcher.click()
    expect(chat.log.locator(".msg")).to_have_count(count)
    expect(chat.log).to_have_attribute("aria-live", "polite")
    assert chat.page.evaluate("heard") == 0


def test_escape_closes_and_the_launcher_has_the_focus_again(chat: WidgetPage) -> None:
    chat.page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_focused()


def test_escape_in_the_settings_closes_them_first(chat: WidgetPage) -> None:
    settings = chat.panel.get_by_role("button", name="Pengaturan percakapan")
    settings.click()
    expect(chat.panel.get_by_role("group", name="Pengaturan percakapan")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(settings).to_be_focused()
    expect(settings).to_have_attribute("aria-expanded", "false")
    expect(chat.panel).to_be_visible()


def test_tab_stays_within_the_open_dialog_in_both_directions(chat: WidgetPage) -> None:
    seen = set()
    for key in ["Tab"] * 20 + ["Shift+Tab"] * 20:
        chat.page.keyboard.press(key)
        seen.add(chat.focused())
        assert chat.page.evaluate("document.activeElement.localName") == "sapa-setneg"
    assert {"Tulis pesan", "Kirim pesan", "Tutup percakapan", "Sampaikan aspirasi"} <= seen


def test_a_draft_stays_when_the_panel_is_closed(chat: WidgetPage) -> None:
    chat.input.fill("Belum selesai")
    chat.page.keyboard.press("Escape")
    chat.page.keyboard.press("Enter")
    expect(chat.input).to_have_value("Belum selesai")
    expect(chat.input).to_be_focused()


def test_shift_enter_makes_a_line_and_enter_sends_both(chat: WidgetPage) -> None:
    chat.input.press_sequentially("Halo")
    chat.input.press("Shift+Enter")
    chat.input.press_sequentially("selamat pagi")
    chat.input.press("Enter")
    chat.wait_until_sent()
    assert chat.said_by("user") == ["Halo\nselamat pagi"]
    expect(chat.input).to_have_value("")


def test_a_text_beyond_4000_characters_is_counted_and_not_sent(chat: WidgetPage) -> None:
    chat.input.fill("a" * 3600)
    expect(chat.panel.get_by_text("3.600 dari 4.000 huruf").first).to_be_visible()
    chat.input.fill("a" * 4005)
    expect(chat.panel.get_by_text("Kurangi 5 huruf").first).to_be_visible()
    chat.input.press("Enter")
    assert chat.said_by("user") == []
    expect(chat.panel.get_by_role("button", name="Kirim pesan")).to_have_attribute("aria-disabled", "true")


def test_two_tabs_of_one_visitor_stay_in_step(chat: WidgetPage) -> None:
    other = WidgetPage(chat.page.context.new_page()).visit()
    other.launcher.click()
    expect(other.log.locator(".msg")).to_have_count(len(chat.messages()))
    chat.ask("apa itu simpel?")
    expect(other.log.locator(".msg")).to_have_count(len(chat.messages()))
    other.ask("terima kasih banyak")
    expect(chat.log.locator(".msg")).to_have_count(len(other.messages()))
    assert [m.text for m in chat.messages()] == [m.text for m in other.messages()]


def test_an_expired_session_begins_anew_with_a_word_of_explanation(chat: WidgetPage) -> None:
    chat.ask("apa itu simpel?")
    chat.page.evaluate(
        """for (const key of Object.keys(localStorage)) if (key.startsWith("sapa-setneg@"))
             localStorage[key] = JSON.stringify({ token: "not.a.token" })"""
    )
    chat.page.reload()
    chat.launcher.click()
    expect(chat.log.get_by_text("Sesi sebelumnya berakhir")).to_be_visible()
    chat.ask("apa itu simpel?")
    assert "Perjalanan Dinas" in chat.last_answer()


def test_a_deleted_conversation_is_gone_here_and_on_the_server(chat: WidgetPage) -> None:
    chat.ask("apa itu simpel?")
    token = chat.token()
    chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
    chat.panel.get_by_role("button", name="Hapus percakapan").click()
    chat.panel.get_by_role("button", name="Ya, hapus").click()
    expect(chat.log.get_by_text("Percakapan telah dihapus")).to_be_visible()
    assert chat.messages() == []
    gone = chat.page.request.get("/api/chat/messages", headers={"Authorization": f"Bearer {token}"})
    assert gone.status == 401
    chat.ask("apa itu simpel?")
    assert len(chat.said_by("user")) == 1
    expect(chat.log.locator(".msg.bot").last).to_be_in_viewport()


def test_an_officers_message_comes_live_and_counts_as_unread_while_closed(page: Page, watch: Watch) -> None:
    open_streams: list[Route] = []
    page.route("**/api/chat/events*", lambda route: open_streams.append(route))
    chat = WidgetPage(page).visit().open()
    chat.ask("saya mau bicara dengan petugas")
    chat.page.keyboard.press("Escape")
    at = datetime.now().astimezone().isoformat()
    message = {"seq": 900, "from": "officer", "text": "Selamat siang, saya **Rina**.", "buttons": [], "sources": [], "at": at}
    body = f"event: message\ndata: {json.dumps(message)}\n\n"
    open_streams[-1].fulfill(content_type="text/event-stream", body=body)
    expect(chat.launcher).to_have_accessible_name(re.compile("1 pesan belum dibaca"), timeout=15_000)
    chat.launcher.click()
    assert chat.said_by("officer") == ["Selamat siang, saya Rina."]
    chat.page.keyboard.press("Escape")
    expect(chat.launcher).not_to_have_accessible_name(re.compile("belum dibaca"))


def test_the_interface_speaks_english_on_request_and_remembers_it(chat: WidgetPage) -> None:
    chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
    chat.panel.get_by_label("Bahasa tampilan").select_option("en")
    expect(chat.input).to_have_accessible_name("Write a message")
    chat.page.reload()
    expect(chat.launcher).to_have_accessible_name(re.compile("^Ask Sapa Setneg"))
