"""The server dies in mid-conversation and comes back: nothing is lost, nothing is doubled."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.running_server import RunningServer
from tests.browser.widget_page import WidgetPage

pytestmark = pytest.mark.browser


def test_a_server_killed_in_mid_conversation_loses_and_doubles_no_message(server: RunningServer, chat: WidgetPage) -> None:
    page = chat.page
    killed: list[str] = []

    def lose_the_answer(route: Route) -> None:
        """The server has done its work, then dies before the answer arrives: the widget can't know."""
        if route.request.method != "POST" or killed:
            route.continue_()
            return
        route.fetch()
        server.kill()
        killed.append(route.request.post_data or "")
        route.abort("connectionreset")

    chat.ask("apa itu simpel?")
    page.route("**/api/chat/messages*", lose_the_answer)
    chat.type_and_send("saya ingin menyampaikan aspirasi")
    expect(chat.log.get_by_text("Gagal terkirim, akan dicoba lagi").first).to_be_visible()
    expect(chat.panel.get_by_text("Sambungan terputus")).to_be_visible()
    chat.type_and_send("batal")
    chat.type_and_send("apa itu setneg mantul?")
    assert len(chat.said_by("user")) == 4
    server.start()
    chat.wait_until_sent(90)
    assert killed
    page.wait_for_timeout(1500)  # a doubled message would come by the event stream

    asked = ["apa itu simpel?", "saya ingin menyampaikan aspirasi", "batal", "apa itu setneg mantul?"]
    assert chat.said_by("user") == asked
    assert [seen.state for seen in chat.messages() if seen.author == "user"] == ["Terkirim"] * 4
    stored = chat.history()
    assert [one["text"] for one in stored if one["from"] == "user"] == asked
    assert [seen.author for seen in chat.messages()] == [one["from"] for one in stored], "in the server's order"
    assert sum("Apakah Anda setuju" in text for text in chat.said_by("bot")) == 1, "asked for consent once"
    expect(chat.panel.get_by_text("Sambungan terputus")).to_be_hidden()

    shown = chat.messages()
    page.reload()
    chat.launcher.click()
    expect(chat.log.locator(".msg")).to_have_count(len(shown))
    assert chat.messages() == shown


def test_a_server_killed_at_the_very_moment_of_sending_answers_once_it_is_back(server: RunningServer, chat: WidgetPage) -> None:
    chat.type_and_send("apa itu simpel?")
    server.kill()
    server.start()
    chat.wait_until_sent(90)
    assert chat.said_by("user") == ["apa itu simpel?"]
    assert sum("Sistem Informasi Perjalanan Dinas" in text for text in chat.said_by("bot")) == 1
    assert [seen.author for seen in chat.messages()] == [one["from"] for one in chat.history()]
