"""The widget on a page of its own server, of a listed website, and of a website that is not listed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Response, Route, expect

from bot.embedding import embedding_guide
from tests.browser.chromium import Watch, watched_context
from tests.browser.other_website import OtherWebsite
from tests.browser.running_server import RunningServer
from tests.browser.widget_page import WidgetPage

pytestmark = pytest.mark.browser
STRICTEST = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"


def use_all_of_it(chat: WidgetPage) -> None:
    """Everything that changes style, storage or the document."""
    page = chat.page
    chat.ask("apa itu simpel?")
    chat.choice("Salin pesan").click()
    chat.panel.get_by_role("button", name="Pengaturan percakapan").click()
    chat.panel.get_by_label("Ukuran huruf").select_option("3")
    page.evaluate("window.print = () => dispatchEvent(new Event('afterprint'))")
    chat.panel.get_by_role("button", name="Cetak percakapan").click()
    chat.panel.get_by_label("Bahasa tampilan").select_option("en")
    chat.panel.get_by_label("Display language").select_option("id")
    chat.panel.get_by_role("button", name="Hapus percakapan").click()
    chat.panel.get_by_role("button", name="Ya, hapus").click()
    expect(chat.log.get_by_text("Percakapan telah dihapus")).to_be_visible()
    chat.page.keyboard.press("Escape")


def test_it_works_whole_under_the_strictest_policy(page: Page, watch: Watch, server: RunningServer) -> None:
    html = '<!doctype html><html lang="id"><title>Ketat</title><script type="module" src="/static/widget.js"></script>'
    headers = {"Content-Security-Policy": STRICTEST, "Content-Type": "text/html"}
    page.route("**/ketat", lambda route: route.fulfill(body=html, headers=headers))
    page.goto("/ketat")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), { text: 'pwned()' }))")
    expect(page.locator("sapa-setneg")).to_be_attached()
    page.wait_for_timeout(200)
    assert watch.violations, "the policy is in force"
    watch.violations.clear()
    use_all_of_it(WidgetPage(page).open())
    watch.assert_clean()


def guide(server: RunningServer, origin: str) -> tuple[str, str]:
    """Code and policy as `sapa embed` prints them."""
    printed = embedding_guide(server.url, origin)
    code = re.search(r"<script.*</noscript>", printed, re.DOTALL)
    policy = re.search(r"Content-Security-Policy: (.*)", printed)
    assert code and policy
    return code[0], policy[1]


def test_a_listed_website_embeds_it_with_the_printed_code_hash_and_policy(
    browser: Browser, server: RunningServer, website: OtherWebsite
) -> None:
    code, policy = guide(server, website.origin)
    assert 'integrity="sha384-' in code
    website.publish("/", code, policy)
    with watched_context(browser, website.origin, server.url) as (context, watch):
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("request", lambda request: streams.append(request) if "/api/chat/events" in request.url else None)
        streams: list[Request] = []
        chat = WidgetPage(page).visit(website.origin).open()
        use_all_of_it(chat)
        assert streams and (response := streams[0].response()) and response.status == 200
        watch.assert_clean()


def test_a_changed_file_is_refused_by_the_hash(browser: Browser, server: RunningServer, website: OtherWebsite) -> None:
    code, policy = guide(server, website.origin)
    website.publish("/berubah", code, policy)

    def change(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text() + "\n")

    with watched_context(browser, website.origin, server.url) as (context, _):
        page = context.new_page()
        page.route("**/static/widget.js", change)
        page.goto(f"{website.origin}/berubah")
        page.wait_for_load_state("networkidle")
        expect(page.get_by_role("heading", name="Situs lain")).to_be_visible()
        expect(page.locator("sapa-setneg")).to_have_count(0)


def test_a_website_that_is_not_listed_gets_nothing(browser: Browser, server: RunningServer, website: OtherWebsite) -> None:
    code, policy = guide(server, website.origin)
    website.publish("/asing", code, policy)
    answered: list[Response] = []
    with watched_context(browser, website.stranger, server.url) as (context, watch):
        page = context.new_page()
        page.on("response", lambda response: answered.append(response) if "/api/" in response.url else None)
        page.goto(f"{website.stranger}/asing")
        chat = WidgetPage(page)
        chat.launcher.click()
        expect(chat.panel.get_by_text("Sambungan terputus")).to_be_visible()
        chat.type_and_send("apa itu simpel?")
        expect(chat.log.locator(".msg.waiting")).to_be_visible()
        assert chat.said_by("bot") == []
        assert chat.storage() == {}
        refused = page.evaluate(
            """(server) => fetch(`${server}/api/chat/sessions`, { method: "POST", mode: "no-cors" })
                 .then(({ type }) => type, () => "blocked")""",
            server.url,
        )
        assert refused == "blocked"  # by the browser, since the refusal says Cross-Origin-Resource-Policy: same-origin
        page.wait_for_timeout(200)
        assert all(response.status in (400, 403) for response in answered), [(r.url, r.status) for r in answered]
        watch.assert_clean()


def embed(page: Page, **options: str) -> WidgetPage:
    """The widget of the page anew, with these options."""
    page.evaluate(
        """(options) => {
          const widget = document.createElement("sapa-setneg");
          Object.assign(widget.dataset, options);
          document.querySelector("sapa-setneg").replaceWith(widget); }""",
        options,
    )
    return WidgetPage(page)


def test_options_change_name_texts_place_and_language(widget: WidgetPage) -> None:
    privacy = "https://www.setneg.go.id/privasi"
    options = {"name": "Halo PPID", "launcher": "Tanya PPID", "start": "Selamat datang di PPID.", "privacy": privacy}
    chat = embed(widget.page, position="left", locale="id", **options)
    box = chat.page.get_by_role("button", name="Tanya PPID").bounding_box()
    assert box and box["x"] < 100
    chat.launcher.click()
    panel = chat.page.get_by_role("dialog", name="Halo PPID")
    expect(panel.get_by_text("Selamat datang di PPID.")).to_be_visible()
    expect(panel.get_by_role("link", name="Pelindungan data pribadi")).to_have_attribute("href", privacy)
    expect(chat.log.get_by_text("Mohon jangan menuliskan NIK")).to_have_count(2)
    expect(chat.log.get_by_text("Mohon jangan menuliskan NIK").filter(visible=True)).to_have_count(1)
    chat.page.evaluate("document.documentElement.lang = 'en'")
    english = embed(chat.page, locale="")
    expect(english.launcher).to_have_accessible_name("Ask Sapa Setneg")


@pytest.mark.parametrize(("color", "text"), [("#ffdd55", "rgb(17, 17, 17)"), ("#7a1f2b", "rgb(255, 255, 255)")])
def test_the_text_on_a_chosen_colour_can_be_read(widget: WidgetPage, color: str, text: str) -> None:
    launcher = embed(widget.page, color=color).launcher
    expect(launcher).to_have_css("background-color", f"rgb({', '.join(str(int(color[n : n + 2], 16)) for n in (1, 3, 5))})")
    expect(launcher).to_have_css("color", text)


def test_css_properties_of_the_page_set_its_look(widget: WidgetPage) -> None:
    widget.page.evaluate(
        """() => { const sheet = new CSSStyleSheet();
          sheet.replaceSync("sapa-setneg { --sapa-brand: #0b5d3b; --sapa-gap: 50px; --sapa-font: monospace }");
          document.adoptedStyleSheets = [sheet]; }"""
    )
    expect(widget.launcher).to_have_css("background-color", "rgb(11, 93, 59)")
    expect(widget.launcher).to_have_css("right", "50px")
    expect(widget.launcher).to_have_css("font-family", "monospace")


def test_it_opens_with_the_page_on_request_and_leaves_the_focus_alone(widget: WidgetPage) -> None:
    widget.page.get_by_role("link", name="Mulai percakapan").focus()
    chat = embed(widget.page, open="")
    chat.wait_for_greeting()
    assert chat.focused() == "Mulai percakapan"


@pytest.mark.parametrize(("width", "shown"), [(360, False), (1280, True)])
def test_the_launcher_may_be_hidden_on_telephones_while_the_page_can_still_open_it(
    browser: Browser, server: RunningServer, width: int, shown: bool
) -> None:
    with watched_context(browser, server.url, viewport={"width": width, "height": 740}) as (context, watch):
        chat = embed(WidgetPage(context.new_page()).visit().page, hideMobile="")
        expect(chat.launcher).to_have_count(int(shown))
        chat.page.evaluate("document.querySelector('sapa-setneg').open()")
        chat.wait_for_greeting()
        chat.page.keyboard.press("Escape")
        expect(chat.panel).to_be_hidden()
        watch.assert_clean()


def test_a_page_can_open_ask_close_and_listen(widget: WidgetPage) -> None:
    page = widget.page
    heard: list[list[Any]] = page.evaluate(
        """async () => { const heard = [];
          const widget = document.querySelector("sapa-setneg");
          for (const name of ["open", "message", "unread", "error", "close"])
            document.addEventListener(`sapa:${name}`, ({ detail }) => heard.push([name, Object.keys(detail).sort().join()]));
          await widget.send("apa itu simpel?");
          heard.push(["sent", ""]);
          widget.close();
          window.heard = heard;
          return heard; }"""
    )
    names = [name for name, _ in heard]
    assert names[0] == "open" and names[-1] == "close"
    assert ["message", "from,seq"] in heard, "events carry no text"
    assert "sent" in names, "the promise settles when the server has the message"
    assert page.evaluate("document.querySelector('sapa-setneg').unread") == 0
    page.route("**/api/chat/messages*", lambda route: route.fulfill(status=422, json={"detail": "Tidak terbaca."}))
    failed = page.evaluate("document.querySelector('sapa-setneg').send('halo').then(() => 'sent', (error) => error.status)")
    assert failed == 422
    assert ["error", "status"] in page.evaluate("heard")


def test_the_page_for_webmasters_shows_choices_live_and_copies_them(page: Page, watch: Watch) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/static/webmaster.html")
    page.get_by_label("Teks tombol").fill('Tanya "PPID"')
    page.get_by_label("Posisi").select_option("left")
    page.get_by_label("Posisi").blur()
    launcher = page.get_by_role("button", name='Tanya "PPID"')
    box = launcher.bounding_box()
    assert box and box["x"] < 100
    page.get_by_role("button", name="Salin kode").click()
    expect(page.get_by_role("status").filter(has_text="Kode disalin")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert 'data-launcher="Tanya &quot;PPID&quot;"' in copied and 'data-position="left"' in copied
    assert "<noscript>" in copied
    watch.assert_clean()
