"""The values of form fields in words: choices by their label, days as weekday and date."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.dates import long_date

WORDS_FILE = Path(__file__).with_name("value_words.yml")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@cache
def _labels() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return loaded


def shown(value: Any, language: str) -> str:
    """A field's value as the citizen reads it; empty for what was left out."""
    if isinstance(value, list):
        return ", ".join(shown(one, language) for one in value)
    text = "" if value is None else str(value)
    if _ISO_DAY.fullmatch(text):
        return long_date(date.fromisoformat(text), language)
    return _labels()[language].get(text, text)
