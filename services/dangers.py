"""What a message of danger is about, so that each gets its own numbers and a threat no condolence (facts 5.6)."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from services.patterns import any_of
from services.spelling import normalise

WORDS_FILE = Path(__file__).with_name("danger_words.yml")
CALM_FILE = Path(__file__).with_name("calm_words.yml")
CRISIS = "crisis"
"""The intent of such a message."""


class Danger(StrEnum):
    DESPAIR = "despair"
    VIOLENCE = "violence"
    """Done to somebody: at home, by an employer, to a child, sexual."""
    THREAT = "threat"
    """Made by who writes."""
    EMERGENCY = "emergency"
    """Fire, flood, accident, illness, a bag that may be a bomb."""


ABOUT_ONESELF = {Danger.DESPAIR, Danger.THREAT}
"""What is told of these is never kept as the value that a form had asked for."""
SENTENCES = {
    Danger.DESPAIR: "utter_crisis",
    Danger.VIOLENCE: "utter_crisis_violence",
    Danger.THREAT: "utter_crisis_threat",
    Danger.EMERGENCY: "utter_crisis_emergency",
}
EVERY_NUMBER = "utter_crisis_unclear"
"""The sentence where the words don't tell the kind."""


class Signs(NamedTuple):
    kind: Danger
    pattern: re.Pattern[str]
    sure: bool
    """Whether they mean a danger also where none was found otherwise."""
    certain: bool
    """Whether they mean one whatever the classifier holds likely."""


@cache
def _signs() -> tuple[Signs, ...]:
    listed = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return tuple(
        Signs(
            Danger(one["kind"]),
            any_of(one["patterns"]),
            one.get("sure", True),
            one.get("certain", False),
        )
        for one in listed
    )


@cache
def _calm() -> re.Pattern[str]:
    return any_of(yaml.safe_load(CALM_FILE.read_text(encoding="utf-8")))


def danger_of(message: str, *, found: bool = True) -> Danger | None:
    """The kind of danger by the words of a message; None where they don't tell.

    Words that are harmless in most messages count only where the classifier holds a danger possible (`found`), whatever its intent.
    """
    spelling = normalise(message)
    return next((signs.kind for signs in _signs() if (found or signs.sure) and signs.pattern.search(spelling)), None)


def is_certain(spelling: str) -> bool:
    """Whether the words of a message, in normalised spelling, tell of a danger alone: a question for ways to die."""
    return any(signs.certain and signs.pattern.search(spelling) for signs in _signs())


def only_looks_like_one(message: str) -> bool:
    """Whether the message has words that a classifier takes for those of a danger and that are none, and no others of one."""
    calm, found = _calm().subn(" ", normalise(message))
    return found > 0 and danger_of(calm) is None


def sentence_for(kind: Danger | None) -> str:
    """The name of the sentence in domain.yml to answer with; where the kind is unclear, the one with every number."""
    return SENTENCES[kind] if kind else EVERY_NUMBER
