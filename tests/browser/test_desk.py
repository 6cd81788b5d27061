"""The desk in Chromium: an officer's day, by keyboard, without JavaScript, and read by axe."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.at_desk import at_desk
from tests.browser.chromium import watched_context
from tests.browser.desk_day import DeskDay, sign_in
from tests.browser.desk_pages import TOO_WIDE, WIDTHS, visit
from tests.browser.test_people_and_pages import assert_accessible

pytestmark = pytest.mark.browser


@pytest.fixture
def officer(browser: Browser, day: DeskDay) -> Iterator[Page]:
    with at_desk(browser, day, "ratna") as page:
        yield page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_violation_on_any_page(
    scheme: str, width: int, browser: Browser, day: DeskDay, desk_addresses: dict[str, str]
) -> None:
    viewport = {"width": width, "height": 800}
    with watched_context(browser, day.server.url, color_scheme=scheme, viewport=viewport) as (context, watch):
        page = context.new_page()
        for name, address in desk_addresses.items():
            visit(page, name, address)
            assert_accessible(page, name)
            assert page.evaluate(TOO_WIDE) == [], (name, width)
            assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)"), name
            if name == "sign-in":
                sign_in(page, "sri")
        watch.assert_clean()


def test_an_officer_takes_a_citizen_over_writes_and_hands_back_by_keyboard(officer: Page, day: DeskDay) -> None:
    handoff_id = day.somebody_waits()
    officer.goto("/desk/queue")
    officer.locator(f"form[action$='/{handoff_id}/take'] button").focus()
    officer.keyboard.press("Enter")
    expect(officer).to_have_url(f"{day.server.url}/desk/queue/{handoff_id}")
    expect(officer.get_by_text("permohonan saya dikembalikan terus")).to_be_visible()
    officer.get_by_label("Pesan Anda").focus()
    officer.keyboard.type("Selamat pagi, boleh tahu alasannya?")
    officer.keyboard.press("Control+Enter")
    expect(officer.locator(".transcript .officer")).to_contain_text("boleh tahu alasannya?")
    officer.get_by_role("button", name="Kembalikan ke asisten").focus()
    officer.keyboard.press("Enter")
    expect(officer).to_have_url(f"{day.server.url}/desk/queue")
    assert day.handoffs.get(handoff_id).state == "ended"


def test_a_citizen_who_begins_to_wait_appears_without_reloading(officer: Page, day: DeskDay) -> None:
    officer.goto("/desk/queue")
    officer.wait_for_timeout(1500)  # the stream of events is open by then
    handoff_id = day.somebody_waits()
    expect(officer.locator(f"form[action$='/{handoff_id}/take']")).to_be_visible(timeout=15_000)
    day.handoffs.leave(day.handoffs.get(handoff_id).conversation_id)
    expect(officer.locator(f"form[action$='/{handoff_id}/take']")).to_have_count(0, timeout=15_000)


def test_when_the_queue_changes_the_focus_stays_and_only_the_newcomer_is_read_out(officer: Page, day: DeskDay) -> None:
    first = day.somebody_waits()
    officer.goto("/desk/queue")
    officer.wait_for_timeout(1500)  # the stream of events is open by then
    button, status = officer.locator(f"#take-{first}"), officer.get_by_role("status")
    button.focus()
    expect(status).to_have_text("")
    second = day.somebody_waits("what is Setneg Mantul?")
    expect(officer.locator(f"#take-{second}")).to_be_visible(timeout=15_000)
    expect(button).to_be_focused()
    expect(status).to_contain_text("0 menit")
    expect(status).not_to_contain_text("Ambil")
    assert officer.locator("[aria-live], [role=log]").count() == 0
    for handoff_id in (first, second):
        day.handoffs.leave(day.handoffs.get(handoff_id).conversation_id)


def test_in_a_conversation_only_the_citizens_new_words_are_read_out_and_what_is_selected_stays(officer: Page, day: DeskDay) -> None:
    handoff_id = day.somebody_waits()
    day.handoffs.take(handoff_id, "ratna")
    conversation = day.handoffs.get(handoff_id).conversation_id
    officer.goto(f"/desk/queue/{handoff_id}")
    officer.wait_for_timeout(1500)
    words = officer.get_by_text("permohonan saya dikembalikan terus")
    words.evaluate("(node) => getSelection().selectAllChildren(node)")
    with officer.expect_response("**/messages"):
        pass  # asked again after fifteen seconds
    officer.wait_for_timeout(200)
    assert "dikembalikan terus" in officer.evaluate("String(getSelection())")
    day.services.conversations.add_inbound(conversation, "uji-1", "halo, masih di sana?")
    expect(officer.get_by_role("status")).to_contain_text("halo, masih di sana?", timeout=15_000)
    expect(officer.get_by_role("status")).not_to_contain_text("dikembalikan terus")
    day.handoffs.hand_back(handoff_id, "ratna")


NOTICES = """window.notices = [];
  window.Notification = class extends Notification { constructor(text, options) { super(text, options); notices.push(text); } };"""


NO_NOTICES = """window.Notification = class {
    static permission = "granted";
    constructor() { throw new TypeError("Illegal constructor"); }
  };"""


@contextmanager
def notified_officer(browser: Browser, day: DeskDay) -> Iterator[Page]:
    """Signed in where the browser may show notices; those that it was given stand in `notices`."""
    with watched_context(browser, day.server.url, permissions=["notifications"]) as (context, watch):
        context.add_init_script(NOTICES)
        page = context.new_page()
        sign_in(page, "budi")
        yield page
        watch.assert_clean()


def assert_told(page: Page, text: str = "Ada warga yang menunggu petugas.", patience: float = 15) -> None:
    """Once, within some seconds. The page's policy forbids Playwright to wait for an expression there."""
    deadline = time.monotonic() + patience
    while not page.evaluate("notices.length") and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert page.evaluate("notices") == [text]


@pytest.mark.parametrize("address", ["/desk/queue", "/desk/tickets"])
def test_the_browser_tells_an_officer_on_any_page_that_somebody_waits(address: str, browser: Browser, day: DeskDay) -> None:
    with notified_officer(browser, day) as page:
        with page.expect_response("**/desk/queue/events"):
            page.goto(address)
        page.wait_for_timeout(1500)  # what waits already is no news
        assert page.evaluate("notices") == []
        handoff_id = day.somebody_waits()
        assert_told(page)
        with page.expect_response("**/desk/queue/events"):
            page.goto(address)
        page.wait_for_timeout(1500)
        assert page.evaluate("notices") == [], "the next page doesn't tell of the same citizen again"
        day.handoffs.leave(day.handoffs.get(handoff_id).conversation_id)


def test_a_page_of_a_conversation_tells_of_who_waits_by_the_one_stream_that_it_has(browser: Browser, day: DeskDay) -> None:
    held = day.somebody_waits()
    day.handoffs.take(held, "budi")
    with notified_officer(browser, day) as page:
        streams: list[str] = []
        page.on("request", lambda request: streams.append(request.url) if request.url.endswith("/events") else None)
        page.goto(f"/desk/queue/{held}")
        page.wait_for_timeout(1500)
        waiting = day.somebody_waits()
        assert_told(page)
        assert streams == [f"{day.server.url}/desk/queue/{held}/events"]
        day.handoffs.hand_back(held, "budi")
        day.handoffs.leave(day.handoffs.get(waiting).conversation_id)


def test_an_officer_who_is_to_be_told_hears_of_it_when_the_session_ends(browser: Browser, day: DeskDay) -> None:
    with notified_officer(browser, day) as page:
        with page.expect_response("**/desk/queue/events"):
            page.goto("/desk/overview")
        day.services.desk_sessions.end_all(day.services.staff.get("budi").id)
        assert_told(page, "Anda sudah keluar dari meja. Masuk lagi agar tahu bila ada warga yang menunggu.", patience=40)


def test_keys_and_clicks_keep_the_session_going(browser: Browser, day: DeskDay) -> None:
    page = browser.new_page(base_url=day.server.url)
    page.clock.install()
    sign_in(page, "budi")
    page.keyboard.press("Tab")
    page.clock.fast_forward("06:00")
    with page.expect_response("**/desk/account/here") as answer:
        page.keyboard.press("Tab")
    assert answer.value.status == 204
    page.close()


def test_a_browser_that_knows_notices_and_makes_none_runs_the_page_all_the_same(browser: Browser, day: DeskDay) -> None:
    handoff_id = day.somebody_waits()
    with watched_context(browser, day.server.url) as (context, watch):
        context.add_init_script(NO_NOTICES)
        page = context.new_page()
        sign_in(page, "budi")
        page.evaluate("sessionStorage.setItem('waiting', '[]')")
        page.goto("/desk/queue")
        expect(page.locator(f"#take-{handoff_id}")).to_be_visible()
        page.wait_for_timeout(500)
        watch.assert_clean()
    day.handoffs.leave(day.handoffs.get(handoff_id).conversation_id)


def test_one_citizen_in_the_place_of_another_is_news(browser: Browser, day: DeskDay) -> None:
    first = day.somebody_waits()
    with notified_officer(browser, day) as page:
        page.goto("/desk/queue")
        expect(page.locator(f"[data-waiting='{first}']")).to_be_visible()
        page.evaluate("document.querySelector('[sse-connect]').remove()")  # both changes arrive at once
        day.handoffs.leave(day.handoffs.get(first).conversation_id)
        second = day.somebody_waits()
        page.goto("/desk/queue")
        assert_told(page)
        day.handoffs.leave(day.handoffs.get(second).conversation_id)


def test_the_browser_is_asked_for_leave_only_at_an_officers_wish(browser: Browser, day: DeskDay) -> None:
    with watched_context(browser, day.server.url) as (context, watch):
        context.add_init_script(NOTICES)
        page = context.new_page()
        sign_in(page, "budi")
        page.goto("/desk/queue")
        wish = page.get_by_role("button", name="Beri tahu saya di peramban ini")
        expect(wish).to_be_visible()
        context.grant_permissions(["notifications"])
        wish.press("Enter")
        expect(wish).to_be_hidden()
        page.wait_for_timeout(1500)
        handoff_id = day.somebody_waits()
        assert_told(page)
        day.handoffs.leave(day.handoffs.get(handoff_id).conversation_id)
        watch.assert_clean()


def test_everything_works_without_javascript(browser: Browser, day: DeskDay) -> None:
    handoff_id = day.somebody_waits()
    with watched_context(browser, day.server.url, java_script_enabled=False) as (context, _):
        page = context.new_page()
        sign_in(page, "budi")
        page.goto("/desk/queue")
        page.locator(f"form[action$='/{handoff_id}/take'] button").click()
        page.get_by_label("Pesan Anda").fill("Halo, saya Budi.")
        page.get_by_role("button", name="Kirim", exact=True).click()
        expect(page.locator(".transcript .officer")).to_contain_text("Halo, saya Budi.")
        page.get_by_role("button", name="Kembalikan ke asisten").click()
        page.goto("/desk/conversations?words=simpel")
        expect(page.locator(".list li").first).to_be_visible()


def test_a_canned_reply_comes_by_its_name_or_its_button_where_the_cursor_is(officer: Page, day: DeskDay) -> None:
    day.services.canned_replies.add_examples("sri")
    handoff_id = day.somebody_waits()
    day.handoffs.take(handoff_id, "ratna")
    officer.goto(f"/desk/queue/{handoff_id}")
    writing = officer.get_by_label("Pesan Anda")
    writing.focus()
    officer.keyboard.type("Baik. /tunggu ")
    expect(writing).to_have_value("Baik. Mohon tunggu sebentar. Saya sedang memeriksa data Anda.")
    officer.get_by_text("Balasan siap pakai", exact=True).click()
    officer.locator("button[value='penutup']").click()
    expect(writing).to_have_value(re.compile("data Anda.Terima kasih sudah menghubungi"))
    expect(writing).to_be_focused()
    assert day.services.handoffs.get(handoff_id).typed_at, "the citizen is shown that the officer writes"


def test_keys_move_through_the_list_only_while_it_has_the_focus(officer: Page) -> None:
    officer.goto("/desk/conversations")
    officer.keyboard.press("j")
    assert officer.evaluate("document.activeElement === document.body")
    officer.get_by_role("link", name="Langsung ke daftar").focus()
    officer.keyboard.press("Enter")
    links = officer.locator(".list li > a")
    officer.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    officer.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    officer.keyboard.press("k")
    address = links.nth(0).get_attribute("href")
    officer.keyboard.press("Enter")
    expect(officer).to_have_url(re.compile(f"{address}$"))


def test_text_of_citizens_never_becomes_markup(officer: Page, day: DeskDay) -> None:
    day.talk("<img src=x onerror=pwned(1)><script>pwned(2)</script> **tebal** apa itu simpel?")
    officer.goto("/desk/conversations")
    expect(officer.get_by_text("<img src=x").first).to_be_visible()
    officer.goto(f"/desk/conversations/{day.newest_conversation()}")
    expect(officer.get_by_text("<script>pwned(2)</script>").first).to_be_visible()
