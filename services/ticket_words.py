"""Tickets in plain words: labels of ticket_words.yml put together for a citizen to read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.calendar import JAKARTA
from services.dates import day_and_month, long_date
from services.ticket_events import HistoryEntry
from services.tickets import TicketView

WORDS_FILE = Path(__file__).with_name("ticket_words.yml")


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    loaded: dict[str, Any] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return loaded


def word(language: str, group: str, key: str) -> str:
    """The label of a kind, state, resolution, line or happening. Raises KeyError where there is none."""
    return _words()[language][group][key]


def details(ticket: TicketView, language: str) -> str:
    """Result, last change and due date, a line each; what there is none of is left out."""

    def line(key: str, value: str) -> str:
        return word(language, "line", key).format(value=value)

    lines = [line("resolution", word(language, "resolution", ticket.resolution))] if ticket.resolution else []
    lines.append(line("changed", long_date(ticket.changed_on, language)))
    if ticket.due_on and not ticket.is_closed:
        lines.append(line("extended" if ticket.extended else "due", long_date(ticket.due_on, language)))
    return "\n".join(lines)


def history_lines(history: Sequence[HistoryEntry], language: str) -> str:
    """What happened on which day, oldest first, as a list."""
    days = (day_and_month(entry.at.astimezone(JAKARTA).date(), language) for entry in history)
    return "\n".join(f"- {day}: {word(language, 'history', entry.name)}" for day, entry in zip(days, history, strict=True))
