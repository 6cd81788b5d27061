"""The neutral message: what every channel takes in and renders, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

MAX_CHARACTERS = 4000


@dataclass(frozen=True)
class Inbound:
    """What a citizen sent. `external_id` is the channel's own id: the same id again is the same message."""

    conversation_id: str
    external_id: str
    text: str = ""
    button: str | None = None
    """Id of a button that the server issued."""
    payload: str | None = None
    """Of an entry of the channel's own menu, whose label is `text`: counts as the press of such a button. Never a citizen's."""


@dataclass(frozen=True)
class Button:
    id: str
    label: str


@dataclass(frozen=True)
class Outbound:
    """A message as the citizen sees it. `text` may hold `**bold**`, `- lists` and `[links](https://…)`, nothing else."""

    seq: int
    author: str
    text: str
    at: datetime
    buttons: list[Button] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    external_id: str | None = None
    """Of a citizen's own message: the id that the channel gave it."""


class Unreadable(StrEnum):
    """Why a text can't be a turn. The value names the sentence in domain.yml."""

    EMPTY = "utter_empty"
    TOO_LONG = "utter_too_long"
    ONLY_SYMBOLS = "utter_only_symbols"
    COMMAND = "utter_no_commands"
    """It looks like one of Rasa's own commands, which only buttons of the server may carry."""


class Delivery(StrEnum):
    """What became of a message that a channel was asked to bring."""

    SENT = "sent"
    REFUSED = "refused"
    """By the channel, for good: the bot is blocked, the account deleted."""
    FAILED = "failed"
    """The channel could not be reached, or wants a long pause."""


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udfff]")
_COMMAND = re.compile(r"^/+\w+|/\w+\s*\{|(?<!\S)/+[A-Za-z]+_\w*")
"""At the beginning, with values, or named like an intent; "dan /atau" and "Rp 5.000 /orang" are words."""
_TAGS = re.compile(r"[\U000e0000-\U000e007f]")


def visible(text: str) -> str:
    """The text in one Unicode form without control and invisible characters."""
    return unicodedata.normalize("NFC", _TAGS.sub("", _CONTROL.sub("", text.replace("\r\n", "\n")))).strip()


def without_commands(text: str) -> str:
    """The visible text with a space where something looks like a command."""
    return _COMMAND.sub(" ", visible(text)).strip("/ ")


def clean(text: str) -> str | Unreadable:
    """The visible text, or why it can't be a turn."""
    if len(text) > MAX_CHARACTERS:
        return Unreadable.TOO_LONG
    cleaned = visible(text)
    if not cleaned:
        return Unreadable.EMPTY
    if not any(character.isalnum() for character in cleaned):
        return cleaned if cleaned in {"-", "?"} else Unreadable.ONLY_SYMBOLS
    if _COMMAND.search(cleaned):
        return Unreadable.COMMAND
    return cleaned.lstrip("/ ") or Unreadable.ONLY_SYMBOLS
