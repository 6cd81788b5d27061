"""Returns a greeting in kind: "Assalamualaikum" with "Waalaikumsalam", a time of day with the one that it is in Jakarta."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.calendar import JAKARTA
from services.spelling import normalise

GREETINGS_FILE = Path(__file__).with_name("greetings.yml")


@cache
def _greetings() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(GREETINGS_FILE.read_text(encoding="utf-8"))
    return content


def in_kind(message: str, now: datetime, language: str) -> str | None:
    """The words to answer with, without a full stop; None for a greeting that has no answer of its own."""
    spelling = normalise(message)
    for greeting in _greetings()["in_kind"]:
        if _stands_in(greeting["heard"], spelling):
            return str(greeting["said"])
    if not _stands_in(_greetings()["daytime_heard"], spelling):
        return None
    hour = now.astimezone(JAKARTA).hour
    parts: dict[int, str] = _greetings()["daytime"][language]
    return parts[max(start for start in parts if start <= hour)]


def _stands_in(heard: list[str], spelling: str) -> bool:
    return any(re.search(rf"\b{re.escape(normalise(words))}\b", spelling) for words in heard)
