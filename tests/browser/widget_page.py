"""The widget as a visitor sees it: by role and name, and by the classes of a message where a role says too little."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from playwright.sync_api import Locator, Page, expect


class Seen(NamedTuple):
    """A message in the log."""

    author: str
    text: str
    state: str


class WidgetPage:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.launcher = page.get_by_role("button", name=re.compile("^(Tanya|Ask) "))
        self.panel = page.get_by_role("dialog", name="Sapa Setneg")
        self.log = page.get_by_role("log", name=re.compile("Percakapan|Conversation"))
        self.input = page.get_by_role("textbox", name=re.compile("Tulis pesan|Write a message"))

    def visit(self, address: str = "/") -> WidgetPage:
        self.page.goto(address)
        expect(self.launcher).to_be_visible()
        return self

    def open(self) -> WidgetPage:
        self.launcher.click()
        self.wait_for_greeting()
        return self

    def wait_for_greeting(self) -> None:
        expect(self.log.get_by_text("Apa yang Anda perlukan?")).to_be_visible()

    def ask(self, text: str) -> None:
        """Send what is typed and wait for the answer."""
        self.type_and_send(text)
        self.wait_until_sent()

    def type_and_send(self, text: str) -> None:
        self.input.fill(text)
        self.input.press("Enter")

    def wait_until_sent(self, seconds: float = 15) -> None:
        """The answer is shown together with this mark."""
        expect(self.log.locator(".msg.user .state").last).to_have_text("Terkirim", timeout=seconds * 1000)

    def messages(self) -> list[Seen]:
        found = self.log.locator(".msg").evaluate_all(
            """all => all.map(one => [one.classList[1], one.querySelector(".bubble").innerText,
                                      one.querySelector(".state").textContent])"""
        )
        return [Seen(*one) for one in found]

    def said_by(self, author: str) -> list[str]:
        return [message.text for message in self.messages() if message.author == author]

    def last_answer(self) -> str:
        return self.said_by("bot")[-1]

    def choice(self, label: str) -> Locator:
        """The newest button with this label."""
        return self.log.get_by_role("button", name=label, exact=True).last

    def storage(self) -> dict[str, Any]:
        kept: dict[str, Any] = self.page.evaluate("({ ...localStorage, ...sessionStorage })")
        return kept

    def token(self) -> str:
        held = next(json.loads(value) for key, value in self.storage().items() if key.startswith("sapa-setneg@"))
        return str(held["token"])

    def history(self) -> list[dict[str, Any]]:
        """What the server has of this conversation."""
        answer = self.page.request.get("/api/chat/messages?after=0", headers={"Authorization": f"Bearer {self.token()}"})
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    def focused(self) -> str:
        """The name of the element that has the keyboard, through shadow roots."""
        name = self.page.evaluate(
            """() => { let at = document.activeElement;
                       while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                       return at === document.body ? "" : at.getAttribute("aria-label") ?? at.innerText.trim(); }"""
        )
        return str(name)

    def tab_to(self, name: str, key: str = "Tab", limit: int = 60) -> None:
        """Reach a control with the keyboard alone."""
        passed = []
        for _ in range(limit):
            self.page.keyboard.press(key)
            passed.append(self.focused())
            if passed[-1].startswith(name):
                return
        raise AssertionError(f"{name!r} was not reached by {key}; passed {passed}")
