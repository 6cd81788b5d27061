"""One server for the session; a fresh visitor for each test, watched for what must never happen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser.chromium import Watch, launch, watched_context
from tests.browser.running_server import PROJECT, RunningServer
from tests.browser.widget_page import WidgetPage


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    if not list((PROJECT / "models").glob("sapa-*.tar.gz")):
        pytest.fail("no trained model: run the tests by `make test-browser`, which trains it first")
    running = RunningServer(tmp_path_factory.mktemp("data"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


# Package scope: Playwright's loop must have ended before tests with a loop of their own run.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = launch(playwright)
    yield launched
    launched.close()


@pytest.fixture
def visitor(browser: Browser, server: RunningServer) -> Iterator[tuple[BrowserContext, Watch]]:
    with watched_context(browser, server.url) as watched:
        yield watched
        watched[1].assert_clean()


@pytest.fixture
def watch(visitor: tuple[BrowserContext, Watch]) -> Watch:
    return visitor[1]


@pytest.fixture
def page(visitor: tuple[BrowserContext, Watch]) -> Page:
    return visitor[0].new_page()


@pytest.fixture
def widget(page: Page) -> WidgetPage:
    """The demo page with the widget closed."""
    return WidgetPage(page).visit()


@pytest.fixture
def chat(widget: WidgetPage) -> WidgetPage:
    """The widget open, with its greeting."""
    return widget.open()


@pytest.fixture(scope="session")
def widget_file() -> Path:
    return PROJECT / "widget" / "widget.js"
