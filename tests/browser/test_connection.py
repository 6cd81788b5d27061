"""What the network does to a conversation: offline, failures, back-off, an expired session, a page left too early."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import Watch
from tests.browser.widget_page import WidgetPage

pytestmark = pytest.mark.browser
WAITING = "Gagal terkirim, akan dicoba lagi"


def test_messages_written_offline_are_sent_in_order_once_the_network_is_back(chat: WidgetPage) -> None:
    context = chat.page.context
    context.set_offline(True)
    expect(chat.panel.get_by_text("Anda sedang luring")).to_be_visible()
    chat.type_and_send("apa itu simpel?")
    chat.type_and_send("apa itu setneg mantul?")
    expect(chat.log.locator(".msg.user .state").first).to_have_text(WAITING)
    context.set_offline(False)
    chat.wait_until_sent(60)
    expect(chat.panel.get_by_text("Anda sedang luring")).to_be_hidden()
    asked = ["apa itu simpel?", "apa itu setneg mantul?"]
    assert chat.said_by("user") == asked
    assert [one["text"] for one in chat.history() if one["from"] == "user"] == asked
    assert [seen.author for seen in chat.messages()] == [one["from"] for one in chat.history()]


def test_an_answer_that_was_on_its_way_does_not_hide_that_the_network_is_gone(page: Page) -> None:
    looks: list[Route] = []

    def hold_the_second(route: Route) -> None:
        looks.append(route)
        if len(looks) != 2:
            route.continue_()

    page.route("**/api/chat/messages?after=*", hold_the_second)
    with page.expect_request("**/api/chat/events*"):
        chat = WidgetPage(page).visit().open()
    wait_until(page, lambda: len(looks) == 2)  # the second follows the opening of the stream
    page.context.set_offline(True)
    notice = chat.panel.get_by_text("Anda sedang luring")
    expect(notice).to_be_visible()
    looks[1].fulfill(json={"messages": []})
    wait_until(page, lambda: len(looks) > 4)
    expect(notice).to_be_visible()


def test_a_stream_of_events_sends_only_what_is_new(chat: WidgetPage) -> None:
    chat.ask("apa itu simpel?")
    newest = chat.history()[-1]["seq"]
    with chat.page.expect_request("**/api/chat/events*") as asked:
        chat.page.reload()
    assert asked.value.url.endswith(f"/events?after={newest}")


def test_leaving_the_page_with_an_unsent_message_asks_first(chat: WidgetPage, watch: Watch) -> None:
    page = chat.page
    page.route("**/api/chat/messages", lambda route: route.abort())
    chat.type_and_send("apa itu simpel?")
    expect(chat.log.locator(".msg.waiting")).to_be_visible()
    page.close(run_before_unload=True)
    page.wait_for_timeout(500)
    assert watch.scripts_run == ["beforeunload: "]
    watch.scripts_run.clear()
    page.unroute("**/api/chat/messages")
    chat.choice("Coba lagi").click()
    chat.wait_until_sent()
    page.close(run_before_unload=True)
    assert page.is_closed() or not watch.scripts_run


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    for _ in range(300):
        if is_so():
            return
        page.wait_for_timeout(50)
    pytest.fail("not so after 15 seconds")


def attempts(page: Page, answer: dict[str, object]) -> list[float]:
    """Seconds between tries to send one message that is answered so each time, on a clock that the test turns."""
    page.clock.install()
    page.add_init_script(
        """const send = window.fetch;
        window.tries = [];
        window.fetch = (address, options) => {
          if (options?.method === "POST" && address.endsWith("/messages")) tries.push(Date.now());
          return send(address, options); };"""
    )
    page.route("**/api/chat/events*", lambda route: route.abort())
    chat = WidgetPage(page).visit()
    chat.launcher.click()
    page.clock.run_for(1000)
    chat.wait_for_greeting()
    page.route("**/api/chat/messages", lambda route: route.fulfill(**answer) if answer else route.abort())
    chat.type_and_send("apa itu simpel?")
    for _ in range(160):
        page.clock.run_for(500)
        page.wait_for_timeout(15)  # for the refused request, which takes real time
    tries = page.evaluate("tries")
    return [(later - earlier) / 1000 for earlier, later in itertools.pairwise(tries)]


def test_a_lost_message_is_tried_again_at_growing_distances(page: Page) -> None:
    gaps = attempts(page, {})
    assert len(gaps) >= 5
    for number, gap in enumerate(gaps[:5]):
        assert 0.7 * 2**number <= gap <= 1.3 * 2**number + 2, gaps


def test_a_busy_server_says_when_to_come_back(page: Page) -> None:
    busy = {"status": 429, "headers": {"Retry-After": "11"}, "json": {"detail": "Terlalu cepat."}}
    gaps = attempts(page, busy)
    assert len(gaps) >= 3
    assert all(10.5 <= gap <= 14 for gap in gaps), gaps
    expect(WidgetPage(page).log.locator(".msg.waiting .state")).to_have_text(f"{WAITING}. Terlalu cepat.")


def test_a_refused_message_says_why_and_is_sent_by_trying_again(chat: WidgetPage) -> None:
    refusals = [{"detail": "Pesan tidak terbaca."}]

    def refuse_once(route: Route) -> None:
        route.fulfill(status=422, json=refusals.pop()) if refusals else route.continue_()

    chat.page.route("**/api/chat/messages", refuse_once)
    chat.type_and_send("apa itu simpel?")
    expect(chat.log.locator(".msg.failed .state")).to_have_text("Gagal terkirim. Pesan tidak terbaca.")
    chat.choice("Coba lagi").click()
    chat.wait_until_sent()
    assert [one["text"] for one in chat.history() if one["from"] == "user"] == ["apa itu simpel?"]


def test_a_session_that_ends_while_one_writes_gives_the_text_back_and_says_so(chat: WidgetPage) -> None:
    chat.ask("apa itu simpel?")
    gone = chat.page.request.delete("/api/chat/sessions", headers={"Authorization": f"Bearer {chat.token()}"})
    assert gone.status == 204
    chat.type_and_send("apa itu setneg mantul?")
    expect(chat.log.get_by_text("Sesi sebelumnya berakhir")).to_be_visible()
    expect(chat.input).to_have_value("apa itu setneg mantul?")
    expect(chat.log.get_by_text("Apa yang Anda perlukan?").last).to_be_visible()
    chat.input.press("Enter")
    chat.wait_until_sent()
    assert [one["text"] for one in chat.history() if one["from"] == "user"] == ["apa itu setneg mantul?"]


def test_blocked_storage_does_not_stop_a_conversation(page: Page) -> None:
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })")
    chat = WidgetPage(page).visit().open()
    chat.ask("apa itu simpel?")
    assert "Perjalanan Dinas" in chat.last_answer()
