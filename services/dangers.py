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
FEW_WORDS = 5
NEEDED_BY_FEW, NEEDED_IN_FORM = 0.97, 0.9
"""Probabilities that a danger needs which no word tells: in so few words, and in more where a form has asked for something."""


class Danger(StrEnum):
    DESPAIR = "despair"
    VIOLENCE = "violence"
    """Done to somebody: at home, by an employer, to a child, sexual."""
    THREAT = "threat"
    """Made by who writes."""
    CRIME = "crime"
    """Robbed, stolen from, threatened by strangers."""
    RESCUE = "rescue"
    """Missing or in distress at sea, on a mountain, in a flood."""
    EMERGENCY = "emergency"
    """Fire, flood, accident, illness, a bag that may be a bomb."""


ABOUT_ONESELF = {Danger.DESPAIR, Danger.THREAT}
"""What is told of these is never kept as the value that a form had asked for."""
SENTENCES = {
    Danger.DESPAIR: "utter_crisis",
    Danger.VIOLENCE: "utter_crisis_violence",
    Danger.THREAT: "utter_crisis_threat",
    Danger.CRIME: "utter_crisis_crime",
    Danger.RESCUE: "utter_crisis_rescue",
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
    asked: bool
    """Whether they ask for the number of a service for it, and tell of none."""


@cache
def _signs() -> tuple[Signs, ...]:
    listed = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return tuple(
        Signs(
            Danger(one["kind"]),
            any_of(one["patterns"]),
            one.get("sure", True),
            one.get("certain", False),
            one.get("asked", False),
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


def service_asked_for(message: str) -> Danger | None:
    """The kind of danger against which a message asks for a number, where it tells of none: "nomor polisi berapa"."""
    spelling = normalise(message)
    found = next((signs for signs in _signs() if signs.pattern.search(spelling)), None)
    return found.kind if found and found.asked else None


def is_certain(spelling: str) -> bool:
    """Whether the words of a message, in normalised spelling, tell of a danger alone: a question for ways to die."""
    return any(signs.certain and signs.pattern.search(spelling) for signs in _signs())


def only_looks_like_one(message: str) -> bool:
    """Whether the message has words that a classifier takes for those of a danger and that are none, and no others of one."""
    calm, found = _calm().subn(" ", normalise(message))
    return found > 0 and danger_of(calm) is None


def is_hardly_one(message: str, probability: float, *, in_form: bool) -> bool:
    """Whether what a classifier takes for a danger is most likely none: no word tells of one, and it says little or answers a form.

    Names, places and choices say too little for a classifier ("saya sendiri", "di depan halte").
    """
    is_short = len(normalise(message).split()) <= FEW_WORDS
    needed = NEEDED_BY_FEW if is_short else NEEDED_IN_FORM if in_form else 0.0
    return probability < needed and danger_of(message) is None


def sentence_for(kind: Danger | None) -> str:
    """The name of the sentence in domain.yml to answer with; where the kind is unclear, the one with every number."""
    return SENTENCES[kind] if kind else EVERY_NUMBER
