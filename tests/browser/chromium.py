"""Debian's Chromium, driven by Playwright, and a watch over what a page must never do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Playwright, Request

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
TELL_OF_VIOLATIONS = """document.addEventListener("securitypolicyviolation",
  (event) => reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`))"""


def launch(playwright: Playwright) -> Browser:
    if not CHROMIUM.exists():
        raise RuntimeError(f"{CHROMIUM} is missing: apt-get install chromium, or name another in CHROMIUM")
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])


@dataclass
class Watch:
    """What happened in a browser context that should not happen on a ministry's page."""

    home: str
    friends: tuple[str, ...] = ()
    """Origins that may be asked beside `home`."""
    scripts_run: list[str] = field(default_factory=list)
    foreign_requests: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.expose_binding("pwned", lambda _source, *said: self.scripts_run.append(f"pwned{said}"))
        context.expose_binding("reportViolation", lambda _source, what: self.violations.append(str(what)))
        context.add_init_script(TELL_OF_VIOLATIONS)
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("dialog", self._dialog)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def assert_clean(self) -> None:
        assert not self.scripts_run, f"script ran: {self.scripts_run}"
        assert not self.foreign_requests, f"foreign requests: {self.foreign_requests}"
        assert not self.violations, f"CSP violations: {self.violations}"
        assert not self.errors, f"errors of the page: {self.errors}"

    def _request(self, request: Request) -> None:
        if not request.url.startswith((*(f"{origin}/" for origin in (self.home, *self.friends)), "data:", "blob:")):
            self.foreign_requests.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.violations.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.scripts_run.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()


@contextmanager
def watched_context(browser: Browser, home: str, *friends: str, **options: Any) -> Iterator[tuple[BrowserContext, Watch]]:
    """A fresh visitor from Jakarta, without animations so that what is seen is what is there."""
    defaults = {"locale": "id-ID", "timezone_id": "Asia/Jakarta", "base_url": home, "reduced_motion": "reduce"}
    context = browser.new_context(**defaults | options)
    context.set_default_timeout(15_000)
    watch = Watch(home, friends)
    watch.over(context)
    try:
        yield context, watch
    finally:
        context.close()
