"""Pictures of widget and desk for the documentation: python -m tests.browser.screenshots --out docs/screenshots"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import launch, watched_context
from tests.browser.desk_day import DeskDay, sign_in
from tests.browser.desk_pages import WIDTHS, prepare, visit
from tests.browser.running_server import RunningServer
from tests.browser.widget_page import WidgetPage

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
QUESTION = "apa itu simpel?"
TALLEST = 1400
"""Pixels of a page of the desk that its picture shows."""


def answered(page: Page) -> None:
    chat = WidgetPage(page).visit().open()
    chat.ask(QUESTION)


def form(page: Page) -> None:
    chat = WidgetPage(page).visit().open()
    chat.choice("Sampaikan aspirasi").click()
    chat.wait_until_sent()


def greeting(page: Page) -> None:
    WidgetPage(page).visit().open()


def closed(page: Page) -> None:
    WidgetPage(page).visit()


def settings(page: Page) -> None:
    greeting(page)
    page.get_by_role("button", name="Pengaturan percakapan").click()


def failing(page: Page) -> None:
    chat = WidgetPage(page).visit().open()
    page.route("**/api/chat/messages*", lambda route: route.abort())
    chat.type_and_send("Bagaimana cara mengajukan permohonan informasi publik?")
    expect(chat.log.get_by_role("button", name="Coba lagi")).to_be_visible()


def plain(page: Page) -> None:
    page.goto("/chat")
    page.get_by_label("Pesan Anda").fill(QUESTION)
    page.get_by_role("button", name="Kirim", exact=True).click()
    expect(page.get_by_role("listitem").last).to_contain_text("Sumber")


PICTURES: dict[str, tuple[Any, dict[str, Any]]] = {
    "desktop": (answered, {"viewport": DESKTOP}),
    "desktop-closed": (closed, {"viewport": DESKTOP}),
    "desktop-dark": (answered, {"viewport": DESKTOP, "color_scheme": "dark"}),
    "desktop-forced-colours": (form, {"viewport": DESKTOP, "forced_colors": "active"}),
    "phone-closed": (closed, {"viewport": PHONE, "has_touch": True, "is_mobile": True}),
    "phone-greeting": (greeting, {"viewport": PHONE, "has_touch": True, "is_mobile": True}),
    "phone": (answered, {"viewport": PHONE, "has_touch": True, "is_mobile": True}),
    "phone-settings": (settings, {"viewport": PHONE, "has_touch": True, "is_mobile": True}),
    "phone-offline-dark": (failing, {"viewport": PHONE, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}),
    "no-javascript": (plain, {"viewport": DESKTOP, "java_script_enabled": False}),
}


def take(browser: Browser, home: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, (come_to, options) in PICTURES.items():
        with watched_context(browser, home, **options) as (context, _):
            page = context.new_page()
            come_to(page)
            page.screenshot(path=out / f"{name}.png")


def take_desk(browser: Browser, day: DeskDay, out: Path) -> None:
    """Every page of the desk, wide in light colours and on a telephone in dark ones."""
    day.begin()
    pages = prepare(day)
    waiting, held = day.handoffs.queue(), day.handoffs.active()
    for width, scheme in zip(WIDTHS, ("light", "dark"), strict=True):
        with watched_context(browser, day.server.url, viewport={"width": width, "height": 800}, color_scheme=scheme) as (context, _):
            page = context.new_page()
            for name, address in pages.items():
                if name == "queue":
                    for minutes, one in enumerate([*[one.handoff_id for one in waiting], *[one.id for one in held]], 4):
                        day.waits_since(one, minutes)
                visit(page, name, address)
                height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
                clip = {"x": 0, "y": 0, "width": width, "height": height}
                page.screenshot(path=out / f"desk-{name}-{width}.png", full_page=True, clip=clip)
                if name == "sign-in":
                    sign_in(page, "sri")


def take_hand_off(browser: Browser, day: DeskDay, out: Path) -> None:
    """The widget while an officer has the conversation."""
    with watched_context(browser, day.server.url, viewport=DESKTOP) as (context, _):
        page = context.new_page()
        chat = WidgetPage(page).visit().open()
        chat.ask(QUESTION)
        handoff_id = day.handoffs.ask(day.newest_conversation()).handoff_id
        day.handoffs.take(handoff_id, "sri")
        expect(chat.log.get_by_text("Petugas sudah bergabung")).to_be_visible(timeout=30_000)
        day.handoffs.say(handoff_id, "sri", "Selamat siang, saya petugas layanan informasi. Ada yang dapat saya bantu?")
        expect(chat.log.locator(".msg.officer")).to_be_visible(timeout=30_000)
        page.screenshot(path=out / "officer.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--desk", action="store_true", help="leave the pictures of the widget as they are")
    parser.add_argument("--widget", action="store_true", help="leave the pictures of the desk as they are")
    parser.add_argument("--server", help="address of a running server, for the widget alone; without it one is started")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        server = None if given.server else RunningServer(Path(data))
        try:
            if server:
                server.start()
            browser = launch(playwright)
            if not given.desk:
                take(browser, given.server or server.url, given.out)  # type: ignore[union-attr]  # a server is started where no --server is given
            if server:
                day = DeskDay(server)
                if given.widget:
                    day.begin()  # the officer of the hand-off
                else:
                    take_desk(browser, day, given.out)
                if not given.desk:
                    take_hand_off(browser, day, given.out)
            browser.close()
        finally:
            if server:
                server.stop()


if __name__ == "__main__":
    main()
