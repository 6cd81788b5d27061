"""Finds the right channel for a complaint by what it is about. Nothing of a complaint is filed here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.denials import without_denied
from services.patterns import NEVER, any_of
from services.spelling import normalise

KINDS_FILE = Path(__file__).with_name("complaint_kinds.yml")
CORRUPTION, BULLYING = "corruption", "bullying"
MOST_TOLD = 2
"""So many sentences for what was told are said at once."""


@dataclass(frozen=True)
class Told:
    """What is said to who tells more than that there is something to complain about."""

    response: str
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class ComplaintKind:
    name: str
    entry: str
    """Id of the knowledge entry that names the channel."""
    words: tuple[str, ...]
    pattern: re.Pattern[str]
    unless: re.Pattern[str]
    response: str | None
    """Said in place of the entry's text."""
    instead_of: tuple[str, ...]
    """Entries that the search may find for such a complaint, though this kind's is the right one."""
    told: tuple[Told, ...]
    deed: bool
    """Whether its words are of deeds, of which there may have been none."""

    def is_in(self, spelling: str) -> bool:
        padded = f" {spelling} "
        named = any(f" {word} " in padded or f" {word}nya " in padded for word in self.words) or self.pattern.search(spelling)
        return bool(named) and not self.unless.search(spelling)

    def told_in(self, message: str) -> list[str]:
        """The names of the sentences for what a message tells of such a matter."""
        spelling = normalise(message)
        return [one.response for one in self.told if one.pattern.search(spelling)][:MOST_TOLD]


@cache
def kinds() -> tuple[ComplaintKind, ...]:
    return tuple(_kind(one) for one in yaml.safe_load(KINDS_FILE.read_text(encoding="utf-8")))


def _kind(one: dict[str, Any]) -> ComplaintKind:
    told = tuple(Told(more["response"], any_of(more["patterns"])) for more in one.get("told", ()))
    return ComplaintKind(
        one["kind"],
        one["entry"],
        tuple(normalise(word) for word in one.get("words", ())),
        any_of(one.get("patterns", ())),
        re.compile(one["unless"]) if "unless" in one else NEVER,
        one.get("response"),
        tuple(one.get("instead_of", ())),
        told,
        one.get("deed", False),
    )


@cache
def _deniable() -> tuple[frozenset[str], frozenset[str]]:
    """The words of all kinds, and those of deeds."""
    words = {kind: frozenset(kind.words) for kind in kinds()}
    return frozenset().union(*words.values()), frozenset().union(*(words[kind] for kind in kinds() if kind.deed))


def kind_of(message: str) -> ComplaintKind | None:
    """None where the message does not say what the complaint is about. What it denies doesn't count."""
    spelling = without_denied(normalise(message), *_deniable())
    return next((kind for kind in kinds() if kind.is_in(spelling)), None)


def kind_going_on(message: str, entry: str) -> ComplaintKind | None:
    """The kind whose `entry` answers, where the message tells more of such a matter: "sudah terlanjur transfer"."""
    return next((kind for kind in kinds() if kind.entry == entry and kind.told_in(message)), None)


def kind_instead_of(message: str, found: str) -> ComplaintKind | None:
    """The kind that is right where the search has `found` another entry, or whose sentences fit better than that entry's text."""
    kind = kind_of(message)
    return kind if kind and found in kind.instead_of else kind_going_on(message, found)
