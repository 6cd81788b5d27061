"""Accessibility, narrow screens, slow networks, strict pages and pages without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import Watch, watched_context
from tests.browser.running_server import RunningServer
from tests.browser.widget_page import WidgetPage

pytestmark = pytest.mark.browser
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
}


def assert_accessible(page: Page, where: str) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, f"{where}:\n{results.generate_report()}"
    assert results.response["testEngine"]["name"] == "axe-core"


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_violation_with_the_widget_closed_open_and_in_use(browser: Browser, server: RunningServer, look: str) -> None:
    options: dict[str, Any] = LOOKS[look]
    with watched_context(browser, server.url, **options) as (context, watch):
        chat = WidgetPage(context.new_page()).visit()
        assert_accessible(chat.page, f"{look}, closed")
        chat.open()
        assert_accessible(chat.page, f"{look}, open")
        chat.ask("apa itu simpel?")
        chat.choice("Salin pesan").focus()
        chat.ask("saya ingin menyampaikan aspirasi")
        chat.input.fill("a" * 4001)
        assert_accessible(chat.page, f"{look}, in use")
        chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
        chat.panel.get_by_role("button", name="Hapus percakapan").click()
        assert_accessible(chat.page, f"{look}, settings")
        for address in ("/chat", "/static/webmaster.html"):
            chat.page.goto(address)
            assert_accessible(chat.page, f"{look}, {address}")
        watch.assert_clean()


def test_axe_finds_no_violation_on_a_telephone_with_a_failed_message(browser: Browser, server: RunningServer) -> None:
    with watched_context(browser, server.url, viewport={"width": 360, "height": 640}, has_touch=True) as (context, watch):
        chat = WidgetPage(context.new_page()).visit().open()
        chat.page.route("**/api/chat/messages", lambda route: route.fulfill(status=422, json={"detail": "Tidak terbaca."}))
        chat.type_and_send("halo")
        expect(chat.log.get_by_role("button", name="Coba lagi")).to_be_visible()
        assert_accessible(chat.page, "telephone")
        watch.assert_clean()


def test_the_servers_strict_policy_is_in_force_and_nothing_offends_it(chat: WidgetPage, watch: Watch) -> None:
    """`watch` collects every violation; the pages of the server are used in all that they offer."""
    page = chat.page
    response = page.request.get("/")
    policy = response.headers["content-security-policy"]
    for directive in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"):
        assert directive in policy.split("; ")
    assert "unsafe" not in policy
    chat.ask("apa itu simpel?")
    chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
    chat.panel.get_by_label("Ukuran huruf").select_option("3")
    page.evaluate("window.print = () => dispatchEvent(new Event('afterprint'))")
    chat.panel.get_by_role("button", name="Cetak percakapan").click()
    page.goto("/static/webmaster.html")
    page.locator("#atur input[type=color]").fill("#ffcc00")
    expect(page.locator("#kode")).to_contain_text("#ffcc00")
    expect(page.locator("#sri")).to_contain_text("sha384-")
    page.goto("/chat")
    watch.assert_clean()


def test_the_watch_over_the_policy_sees_a_violation(page: Page, watch: Watch) -> None:
    page.goto("/")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), { text: 'pwned()' }))")
    page.wait_for_timeout(200)
    assert watch.violations
    assert not watch.scripts_run
    watch.violations.clear()


WIDE_THINGS = """(root) => { const wide = [];
  const walk = (node) => { for (const one of node.children) {
    const box = one.getBoundingClientRect();
    const hidden = getComputedStyle(one).clipPath !== "none";
    if (box.width && !hidden && (box.right > innerWidth + 1 || box.left < -1)) wide.push(one.outerHTML.slice(0, 120));
    if (!hidden && one.localName !== "textarea") walk(one); } };
  walk(document.querySelector("sapa-setneg").shadowRoot);
  const log = document.querySelector("sapa-setneg").shadowRoot.querySelector(".log");
  if (log && log.scrollWidth > log.clientWidth) wide.push(`log ${log.scrollWidth} > ${log.clientWidth}`);
  const all = document.scrollingElement;
  if (all.scrollWidth > innerWidth) wide.push(`page ${all.scrollWidth} > ${innerWidth}`);
  return wide; }"""


@pytest.mark.parametrize(("width", "height"), [(320, 568), (320, 256), (640, 512)])
def test_nothing_scrolls_sideways_on_narrow_and_zoomed_screens(
    browser: Browser, server: RunningServer, width: int, height: int
) -> None:
    """320 by 256 is 1280 by 1024 at a zoom of 400 %."""
    with watched_context(browser, server.url, viewport={"width": width, "height": height}) as (context, watch):
        chat = WidgetPage(context.new_page()).visit()
        assert chat.page.evaluate(WIDE_THINGS) == []
        chat.open()
        chat.ask("apa itu simpel?")
        chat.ask("https://www.setneg.go.id/" + "jalan-yang-panjang-sekali" * 8)
        chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
        chat.panel.get_by_label("Ukuran huruf").select_option("3")
        assert chat.page.evaluate(WIDE_THINGS) == []
        chat.page.keyboard.press("Escape")
        assert chat.page.evaluate(WIDE_THINGS) == []
        visible_log = chat.log.bounding_box()
        assert visible_log and visible_log["height"] > height * 0.2, "the log keeps room beside head and text box"
        expect(chat.input).to_be_in_viewport()
        for address in ("/chat", "/static/webmaster.html"):
            chat.page.goto(address)
            assert chat.page.evaluate("document.scrollingElement.scrollWidth") <= width
        watch.assert_clean()


def test_every_control_of_the_widget_is_at_least_44_pixels_to_touch(chat: WidgetPage) -> None:
    chat.ask("saya ingin menyampaikan aspirasi")
    chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
    small = chat.panel.evaluate(
        """panel => [...panel.querySelectorAll("button, select, textarea")].filter((one) => one.offsetParent)
             .map((one) => [one.textContent || one.ariaLabel, one.getBoundingClientRect()])
             .filter(([, box]) => box.width < 44 || box.height < 44).map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
    )
    assert small == []


def test_the_launcher_is_there_within_a_second_on_a_slow_third_generation_network(page: Page) -> None:
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
    network.send("Network.emulateNetworkConditions", slow)
    page.add_init_script(
        """addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => {
             window.shown = document.querySelector("sapa-setneg") && performance.now(); }))"""
    )
    chat = WidgetPage(page).visit()
    shown = page.evaluate("shown")
    assert shown is not None and shown < 1000, f"{shown} ms"
    chat.open()
    chat.ask("apa itu simpel?")


def test_the_page_without_javascript_answers_a_question(browser: Browser, server: RunningServer) -> None:
    with watched_context(browser, server.url, java_script_enabled=False) as (context, watch):
        page = context.new_page()
        page.goto("/")
        page.get_by_role("link", name="Buka percakapan versi halaman biasa").click()
        page.get_by_label("Pesan Anda").fill("apa itu simpel?")
        page.get_by_role("button", name="Kirim").click()
        messages = page.get_by_role("listitem")
        expect(messages.filter(has_text="apa itu simpel?")).to_have_count(1)
        answer = messages.last
        expect(answer).to_contain_text("Sistem Informasi Perjalanan Dinas Luar Negeri")
        expect(answer).to_contain_text("Sumber")
        page.reload()
        expect(messages.filter(has_text="apa itu simpel?")).to_have_count(1)
        watch.assert_clean()


def test_buttons_work_on_the_page_without_javascript(browser: Browser, server: RunningServer) -> None:
    with watched_context(browser, server.url, java_script_enabled=False) as (context, watch):
        page = context.new_page()
        page.goto("/chat")
        page.get_by_role("button", name="Sampaikan aspirasi").click()
        expect(page.get_by_role("listitem").last).to_contain_text("Apakah Anda setuju")
        watch.assert_clean()
