"""One server for the session; a fresh visitor for each test, watched for what must never happen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser.chromium import Watch, launch, watched_context
from tests.browser.desk_day import DeskDay
from tests.browser.desk_pages import prepare
from tests.browser.other_website import OtherWebsite
from tests.browser.running_server import PROJECT, RunningServer
from tests.browser.widget_page import WidgetPage


@pytest.fixture(scope="session")
def website() -> Iterator[OtherWebsite]:
    """A website that the server lists."""
    with OtherWebsite.running() as website:
        yield website


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, website: OtherWebsite) -> Iterator[RunningServer]:
    """Its knowledge is a copy in the folder `knowledge` of its data, which a test may add to."""
    if not list((PROJECT / "models").glob("sapa-*.tar.gz")):
        pytest.fail("no trained model: run the tests by `make test-browser`, which trains it first")
    data = tmp_path_factory.mktemp("data")
    knowledge = shutil.copytree(PROJECT / "knowledge", data / "knowledge")
    running = RunningServer(data, SAPA_ALLOWED_ORIGINS=website.origin, SAPA_KNOWLEDGE_DIR=str(knowledge))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def day(server: RunningServer) -> Iterator[DeskDay]:
    """A desk with work on it; its members of staff are those of `desk_day.STAFF`."""
    day = DeskDay(server)
    day.begin()
    yield day
    day.services.database.close()


@pytest.fixture(scope="session")
def desk_addresses(day: DeskDay) -> dict[str, str]:
    """Every page of the desk by name, each with something to see; lessons and drafts lie ready, too."""
    return prepare(day)


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
