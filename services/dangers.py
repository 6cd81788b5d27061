"""What a message of danger is about, so that each gets its own numbers and a threat no condolence (facts 5.6)."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

from services.spelling import normalise

WORDS_FILE = Path(__file__).with_name("danger_words.yml")


class Danger(StrEnum):
    DESPAIR = "despair"
    VIOLENCE = "violence"
    """Done to somebody: at home, by an employer, to a child, sexual."""
    THREAT = "threat"
    """Made by who writes."""
    EMERGENCY = "emergency"
    """Fire, flood, accident, illness, a bag that may be a bomb."""


SENTENCES = {
    Danger.DESPAIR: "utter_crisis",
    Danger.VIOLENCE: "utter_crisis_violence",
    Danger.THREAT: "utter_crisis_threat",
    Danger.EMERGENCY: "utter_crisis_emergency",
}


@cache
def _patterns() -> tuple[tuple[Danger, re.Pattern[str]], ...]:
    listed = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return tuple((Danger(one["kind"]), re.compile("|".join(f"(?:{p})" for p in one["patterns"]))) for one in listed)


def danger_of(message: str) -> Danger | None:
    """The kind of danger by the words of a message in which one was found; None where they don't tell."""
    spelling = normalise(message)
    return next((kind for kind, pattern in _patterns() if pattern.search(spelling)), None)


def sentence_for(message: str) -> str:
    """The name of the sentence in domain.yml to answer with; where the kind is unclear, the one with every number."""
    return SENTENCES[danger_of(message) or Danger.DESPAIR]
