"""Writing, reading and keeping: input methods, long texts, copying, printing, text size, dates, and what a system is set to."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.chromium import Watch, watched_context
from tests.browser.running_server import RunningServer
from tests.browser.widget_page import WidgetPage

pytestmark = pytest.mark.browser


def test_enter_within_an_input_methods_composition_does_not_send(chat: WidgetPage) -> None:
    chat.input.focus()
    keyboard = chat.page.context.new_cdp_session(chat.page)
    composing = chat.page.evaluate_handle(
        """() => { const seen = [];
          addEventListener("keydown", (event) => seen.push([event.key, event.isComposing]), true);
          return seen; }"""
    )
    keyboard.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    chat.page.keyboard.press("Enter")
    assert ["Enter", True] in composing.json_value(), "Chromium was composing"
    assert chat.said_by("user") == []
    expect(chat.input).to_have_value(re.compile("にほん"))
    keyboard.send("Input.insertText", {"text": "日本"})
    chat.page.keyboard.press("Enter")
    chat.wait_until_sent()
    assert chat.said_by("user") == ["日本"]


def test_a_long_text_is_pasted_whole_and_the_box_stays_small(chat: WidgetPage) -> None:
    text = "Jadwal layanan mohon ditambah.\n" * 100
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    chat.input.focus()
    chat.page.keyboard.press("Control+v")
    expect(chat.input).to_have_value(text)
    box, log = chat.input.bounding_box(), chat.log.bounding_box()
    assert box and log and box["height"] < 200 < log["height"]
    chat.page.keyboard.press("Enter")
    chat.wait_until_sent()
    assert chat.said_by("user") == [text.strip()]


def test_a_copied_message_is_in_the_clipboard_with_its_source(chat: WidgetPage) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.ask("apa itu simpel?")
    chat.choice("Salin pesan").click()
    expect(chat.panel.get_by_text("Pesan disalin.")).to_be_visible()
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    assert "Sistem Informasi Perjalanan Dinas Luar Negeri" in copied and "diperiksa" in copied
    assert "tab baru" not in copied


def test_a_message_is_copied_where_a_page_without_https_has_no_clipboard(chat: WidgetPage) -> None:
    chat.ask("apa itu simpel?")
    chat.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    chat.choice("Salin pesan").click()
    expect(chat.panel.get_by_text("Pesan disalin.")).to_be_visible()
    chat.input.focus()
    chat.page.keyboard.press("Control+v")
    expect(chat.input).to_have_value(re.compile("Sistem Informasi Perjalanan Dinas Luar Negeri"))


def test_the_transcript_prints_whole_and_alone(chat: WidgetPage) -> None:
    page = chat.page
    for question in ("apa itu simpel?", "apa itu setneg mantul?", "apa itu istura?"):
        chat.ask(question)
    page.evaluate("window.print = () => {}")
    chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
    chat.panel.get_by_role("button", name="Cetak percakapan").click()
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Yang dapat Anda lakukan")).to_be_hidden()
    expect(chat.input).to_be_hidden()
    expect(chat.log.get_by_role("button", name="Salin pesan")).to_have_count(0)
    for message in chat.log.locator(".msg .bubble").all():
        expect(message).to_be_visible()
    log = chat.log.evaluate("(log) => [log.scrollHeight, log.clientHeight]")
    assert log[0] <= log[1] + 1, "nothing is cut off"
    page.emulate_media(media="screen")
    pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A5")))
    assert pages >= 2, "what doesn't fit goes on on the next page"
    expect(page.get_by_role("heading", name="Yang dapat Anda lakukan")).to_be_visible()


def test_the_text_size_grows_and_is_remembered(chat: WidgetPage) -> None:
    def size() -> float:
        return float(chat.log.locator(".bubble").first.evaluate("(bubble) => parseFloat(getComputedStyle(bubble).fontSize)"))

    usual = size()
    chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
    chat.panel.get_by_label("Ukuran huruf").select_option("Terbesar")
    assert size() >= usual * 1.5
    chat.page.reload()
    chat.open()
    assert size() >= usual * 1.5
    chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
    expect(chat.panel.get_by_label("Ukuran huruf")).to_have_value("3")


def test_a_browsers_larger_letters_enlarge_the_widget(browser: Browser, server: RunningServer) -> None:
    with watched_context(browser, server.url) as (context, _):
        chat = WidgetPage(context.new_page()).visit().open()
        usual = chat.log.evaluate("(log) => parseFloat(getComputedStyle(log).fontSize)")
        context.new_cdp_session(chat.page).send("Page.setFontSizes", {"fontSizes": {"standard": 32}})
        expect(chat.log).to_have_css("font-size", f"{usual * 2:g}px")
        expect(chat.input).to_be_in_viewport()


def test_bold_lists_and_links_of_a_message_become_elements(page: Page, watch: Watch) -> None:
    links = (
        "[Laman](https://www.setneg.go.id/a) [Surel](mailto:ppid@contoh.go.id) [Telepon](tel:+62213845627) [Lain](ftp://contoh.go.id)"
    )
    text = f"Syarat **utama**:\n- surat permohonan\n- salinan KTP\n\n{links}"
    answer = {"seq": 1, "from": "bot", "text": text, "buttons": [], "sources": [], "at": "2026-11-25T09:00:00Z"}
    page.route("**/api/chat/sessions", lambda route: route.fulfill(status=201, json={"token": "t", "messages": [answer]}))
    page.route("**/api/chat/messages*", lambda route: route.fulfill(json={"messages": []}))
    page.route("**/api/chat/events*", lambda route: route.abort())
    chat = WidgetPage(page).visit()
    chat.launcher.click()
    expect(chat.log.locator("strong")).to_have_text("utama")
    expect(chat.log.get_by_role("listitem")).to_have_text(["surat permohonan", "salinan KTP"])
    shown = {link.inner_text().split("\n")[0]: link.get_attribute("href") for link in chat.log.get_by_role("link").all()}
    assert list(shown.values()) == ["https://www.setneg.go.id/a", "mailto:ppid@contoh.go.id", "tel:+62213845627"]
    expect(chat.log.get_by_role("link", name="Laman (membuka tab baru)")).to_have_attribute("rel", "noopener noreferrer")
    expect(chat.log.get_by_text("Lain")).to_be_visible()


def test_one_sees_that_an_answer_is_being_written_until_it_is_there(chat: WidgetPage) -> None:
    held: list[Route] = []
    chat.page.route("**/api/chat/messages", lambda route: held.append(route))
    chat.type_and_send("apa itu simpel?")
    writing = chat.log.get_by_text("Sapa Setneg sedang menulis…")
    expect(writing).to_be_in_viewport()
    expect(chat.log.locator(".msg.user .state")).to_have_text("Mengirim…")
    held[0].continue_()
    chat.wait_until_sent()
    expect(writing).to_be_hidden()


def test_messages_of_different_days_are_parted_by_dates(page: Page, watch: Watch) -> None:
    now = datetime.now().astimezone()
    days = [now - timedelta(days=2), now - timedelta(days=2), now - timedelta(days=1), now]
    kept: list[dict[str, Any]] = [
        {"seq": n, "from": "bot", "text": f"Pesan {n}", "buttons": [], "sources": [], "at": day.isoformat()}
        for n, day in enumerate(days, 1)
    ]
    page.route("**/api/chat/sessions", lambda route: route.fulfill(status=201, json={"token": "t", "messages": []}))
    page.route("**/api/chat/messages*", lambda route: route.fulfill(json={"messages": kept if "after=0" in route.request.url else []}))
    page.route("**/api/chat/events*", lambda route: route.abort())
    chat = WidgetPage(page).visit()
    chat.launcher.click()
    expect(chat.log.locator(".day")).to_have_count(3)
    order = chat.log.evaluate(
        "(log) => [...log.children].map((one) => one.classList[0]).filter((name) => ['day', 'msg'].includes(name))"
    )
    assert order == ["day", "msg", "msg", "day", "msg", "day", "msg"]
    assert len(set(chat.log.locator(".day").all_inner_texts())) == 3
    expect(chat.log.locator(".day").last).to_contain_text(str(now.year))


@pytest.mark.parametrize(("wish", "animation"), [("reduce", "none"), ("no-preference", "rise")])
def test_nothing_moves_for_those_who_asked_for_less_motion(browser: Browser, server: RunningServer, wish: Any, animation: str) -> None:
    with watched_context(browser, server.url, reduced_motion=wish) as (context, _):
        chat = WidgetPage(context.new_page()).visit().open()
        expect(chat.panel).to_have_css("animation-name", animation)


def test_forced_colours_leave_borders_where_colour_told_things_apart(browser: Browser, server: RunningServer) -> None:
    with watched_context(browser, server.url, forced_colors="active") as (context, _):
        chat = WidgetPage(context.new_page()).visit()
        expect(chat.launcher).not_to_have_css("border-top-width", "0px")
        expect(chat.open().panel).not_to_have_css("border-top-width", "0px")
        chat.ask("apa itu simpel?")
        mine, answer = chat.log.locator(".user .bubble").last, chat.log.locator(".bot .bubble").last
        colours = [one.evaluate("(bubble) => getComputedStyle(bubble).borderTopColor") for one in (mine, answer)]
        assert colours[0] != colours[1]
        chat.page.keyboard.press("Shift+Tab")
        focus = chat.page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement.shadowRoot.activeElement);
                       return [style.outlineStyle, style.outlineWidth]; }"""
        )
        assert focus == ["solid", "3px"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_system_decides_between_light_and_dark(browser: Browser, server: RunningServer, scheme: Any) -> None:
    with watched_context(browser, server.url, color_scheme=scheme) as (context, _):
        chat = WidgetPage(context.new_page()).visit().open()
        paper = chat.panel.evaluate("(panel) => Math.max(...getComputedStyle(panel).backgroundColor.match(/\\d+/g).slice(0, 3))")
        assert (paper > 200) == (scheme == "light")


def test_the_order_for_screen_readers_is_author_text_time_and_choices(chat: WidgetPage) -> None:
    chat.ask("saya ingin menyampaikan aspirasi")
    parts = chat.log.locator(".msg.bot").last.evaluate("(message) => message.innerText.split('\\n').filter(Boolean)")
    assert parts[0].startswith("Sapa Setneg")
    choices = [parts.index(label) for label in ("Ya, setuju", "Tidak")]
    (time,) = [index for index, part in enumerate(parts) if re.fullmatch(r"\d\d\.\d\d", part)]
    (text,) = [index for index, part in enumerate(parts) if "Apakah Anda setuju" in part]
    assert text < time < min(choices)


def test_nothing_is_said_to_the_server_before_the_first_message_and_privacy_comes_first(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else None)
    chat = WidgetPage(page).visit()
    page.wait_for_timeout(300)
    assert asked == [], "a page view opens no conversation"
    page.route("**/api/chat/sessions", lambda route: route.abort())
    chat.launcher.click()
    expect(chat.log.get_by_text("Mohon jangan menuliskan NIK")).to_be_visible()
    page.unroute("**/api/chat/sessions")
    chat.wait_for_greeting()
    expect(chat.log.get_by_text("Mohon jangan menuliskan NIK").filter(visible=True)).to_have_count(1)
    expect(chat.input).to_have_accessible_description(re.compile("Mohon jangan menuliskan NIK"))
