"""`sapa serve` on a Monday morning in the officers' hours, without Telegram's pace, which crashes in two places on a word."""

from __future__ import annotations

from typing import Any

from bot import cli
from bot.assistant import Assistant
from bot.channels.telegram import sending
from services.assembly import services
from services.knowledge import Knowledge
from tests.clock import Clock

IN_UNDERSTANDING, IN_AN_ACTION = "meledak-memahami", "meledak-menjawab"

PAUSES = ("SECONDS_A_CHAT", "SECONDS_OVER_ALL")


def crashing_on(word: str, method: Any) -> Any:
    def crash_or_go_on(self: Any, text: str, *others: Any, **named: Any) -> Any:
        if word in text:
            raise ValueError(f"can't deal with {text!r}")
        return method(self, text, *others, **named)

    return crash_or_go_on


def main() -> None:
    load = cli.load_assistant

    def load_on_a_monday() -> Assistant:
        services().handoffs._clock = Clock("2026-11-23 10:00")  # before any process is forked
        return load()

    cli.load_assistant = load_on_a_monday
    Assistant.understand = crashing_on(IN_UNDERSTANDING, Assistant.understand)
    Knowledge.find = crashing_on(IN_AN_ACTION, Knowledge.find)
    for pause in PAUSES:
        setattr(sending, pause, 0.0)
    cli.app(["serve"])


if __name__ == "__main__":
    main()
