"""A browser in which a member of staff is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from tests.browser.chromium import watched_context
from tests.browser.desk_day import DeskDay, sign_in
from tests.browser.desk_pages import PATIENCE_SECONDS


@contextmanager
def at_desk(browser: Browser, day: DeskDay, login: str) -> Iterator[Page]:
    """Watched for what a page must never do."""
    with watched_context(browser, day.server.url) as (context, watch):
        page = context.new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        sign_in(page, login)
        yield page
        watch.assert_clean()
