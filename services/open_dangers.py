"""A danger that was told stays open for a while: which further sentence fits what is written next, and what lets go of it.

The slot `open_danger` holds it. Actions open it; what else is said meanwhile leaves it open, a denial empties the slot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from services.commands import POLITE, Command, find_command
from services.dangers import FEW_WORDS, Danger, danger_of, sentence_for, service_asked_for
from services.fields import Field
from services.follow_ups import After, LastSaid
from services.patterns import any_of
from services.remarks import is_question, is_small_talk
from services.spelling import normalise

NEEDS_FILE = Path(__file__).with_name("danger_needs.yml")
SLOT = "open_danger"
OPEN_FOR = timedelta(minutes=30)
"""After the last word about it."""
UNCLEAR = "unclear"
"""Stands for the kind of a danger whose words don't tell it."""
ABROAD = "abroad"
"""Stands for any kind where Indonesian numbers are of no use."""
TOLD_ABROAD = {"utter_danger_abroad", "utter_danger_family"}
"""The sentences that are said to who is abroad, and to the family of who is."""

_ABOUT_PEOPLE = re.compile(r"\b(?:saya|kami|i|i'm|me|tolong|help|bingung|takut|capek|sedih|sakit|dia|mereka|he|she|they)\b")


class Need(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    sentences: dict[str, str]
    """By kind of danger, `abroad` before it and `any` after it."""
    aside: bool
    """Found only where a further sentence is said anyway: its words say too little."""
    at_once: bool
    """Its sentence also follows the first one."""

    def sentence(self, way: str) -> str | None:
        """For a danger of this kind, or `ABROAD`."""
        return self.sentences.get(way) or (None if way == ABROAD else self.sentences.get("any"))


@dataclass(frozen=True)
class Words:
    needs: tuple[Need, ...]
    further: dict[str, list[str]]
    """The sentences to take turns with, by kind of danger; `abroad` and `no_numbers` where one of those needs was told."""
    denials: re.Pattern[str]
    no_denials: re.Pattern[str]
    """Before a denial: it is none."""
    no_rest: re.Pattern[str]
    """After one."""


@cache
def words() -> Words:
    listed = yaml.safe_load(NEEDS_FILE.read_text(encoding="utf-8"))
    needs = tuple(
        Need(one["need"], any_of(one["patterns"]), one["sentences"], one.get("aside", False), one.get("at_once", False))
        for one in listed["needs"]
    )
    return Words(needs, listed["further"], *(any_of(listed[name]) for name in ("denials", "no_denials", "no_rest")))


@dataclass(frozen=True)
class OpenDanger:
    kind: str
    """A value of `Danger`, or "" where the words didn't tell it."""
    until: datetime
    told: tuple[str, ...] = ()
    """The sentences that were said about it, the newest last."""
    before: dict[str, str] | None = None
    """What was said last before it, as `LastSaid.as_slot` writes that."""
    asked: str | None = None
    """The field that a form had asked for when it was told."""

    @classmethod
    def begins(cls, kind: Danger | None, now: datetime, before: LastSaid | None, asked: str | None = None) -> OpenDanger:
        before_it = before.as_slot() if before and before.after is not After.CRISIS else None
        return cls(kind or "", now + OPEN_FOR, before=before_it, asked=asked)

    @classmethod
    def read(cls, slot: dict[str, Any] | None, last: LastSaid | None, now: datetime) -> OpenDanger | None:
        """What `as_slot` wrote, as long as it is open; without a slot, the danger that was said `last`."""
        if slot and now < (until := datetime.fromisoformat(slot["until"])):
            return cls(slot["kind"], until, tuple(slot["told"]), slot["before"], slot.get("asked"))
        if last and last.after is After.CRISIS and not slot:
            return cls(last.about, now + OPEN_FOR, (_first_sentence(last.about),))
        return None

    def as_slot(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "until": self.until.isoformat(),
            "told": list(self.told),
            "before": self.before,
            "asked": self.asked,
        }

    def is_answered_instead(self, message: str, field: Field) -> bool:
        """Whether the message plainly answers what the form had asked for, and says nothing of the danger.

        Where any sentence could be a value, it does only if no word has told of a danger before, and in few words not about people.
        """
        if danger_of(message) or need_in(message) or is_small_talk(message):
            return field.optional and not self.kind and find_command(message) in (Command.SKIP, Command.NO)
        spelling = normalise(message)
        is_plain = not self.kind and len(spelling.split()) <= FEW_WORDS and not _ABOUT_PEOPLE.search(spelling)
        return field.accepts(message) and (is_plain or not field.takes_sentences)

    @property
    def is_of_writer(self) -> bool:
        """Whether it goes on for who writes while they speak of other things; a threat of theirs does not."""
        return self.kind != Danger.THREAT

    def goes_on(self, message: str, now: datetime) -> OpenDanger:
        """With the sentence that fits the message told."""
        asked, need = service_asked_for(message), need_in(message)
        kind = self.kind if asked else danger_of(message) or self.kind
        if asked and self._way(kind) != ABROAD and not self._spares_numbers:
            return self._telling(sentence_for(asked), now)
        if kind != self.kind and (first := _first_sentence(kind)) not in self.told:
            return self._telling(first, now, kind)
        fitting = need.sentence(self._way(kind)) if need and not (need.aside and self._spares_numbers) else None
        if fitting in self.told[:-1] and is_question(message):  # what is asked for again is said again, if not twice in a row
            return self._telling(str(fitting), now, kind)
        turns = words().further["no_numbers" if self._spares_numbers else self._way(kind)]
        return self._telling(_freshest([*([fitting] if fitting else []), *turns], self.told), now, kind)

    def starts(self, message: str, now: datetime) -> list[OpenDanger]:
        """With its first sentence told; then with the one that the message needs besides, if any."""
        first, need = self._telling(_first_sentence(self.kind), now), need_in(message)
        besides = need.sentence(self._way(self.kind)) if need and need.at_once and self.is_of_writer else None
        return [first, first._telling(besides, now)] if besides else [first]

    def _telling(self, sentence: str, now: datetime, kind: str | None = None) -> OpenDanger:
        told = (*(one for one in self.told if one != sentence), sentence)
        return replace(self, kind=self.kind if kind is None else kind, until=now + OPEN_FOR, told=told)

    def _way(self, kind: str) -> str:
        return kind or UNCLEAR if TOLD_ABROAD.isdisjoint(self.told) else ABROAD

    @property
    def _spares_numbers(self) -> bool:
        """Whether who writes has asked for no more numbers."""
        return "utter_danger_no_numbers" in self.told


def _first_sentence(kind: str) -> str:
    return sentence_for(Danger(kind) if kind else None)


def _freshest(possible: list[str], told: tuple[str, ...]) -> str:
    """The first that was not said yet; where all were, the one said longest ago."""
    return min(possible, key=lambda one: told.index(one) + 1 if one in told else 0)


def need_in(message: str) -> Need | None:
    spelling = normalise(message)
    return next((need for need in words().needs if need.pattern.search(spelling)), None)


def calls_for_help(message: str) -> bool:
    """Whether the message, while a danger is open, can only be about that: "ada tempat aman ga"."""
    need = need_in(message)
    return need is not None and not need.aside


def rest_after_denial(message: str) -> str | None:
    """What the message says besides that there is no danger, or none any more, "" for nothing; None where it says no such thing."""
    clauses = [clause.strip() for clause in re.split(r"[.,;!?\n]+", message) if clause.strip()]
    cut = [_after_denial(clause) for clause in clauses]
    if all(rest is None for rest in cut):
        return None
    said = [clause if rest is None else rest for clause, rest in zip(clauses, cut, strict=True)]
    rest = ", ".join(one for one in said if _says_something(one))
    return None if words().no_rest.search(normalise(rest)) or danger_of(rest) or calls_for_help(rest) else rest


def _after_denial(clause: str) -> str | None:
    """The words of a clause that follow its denial, as they were written; None where there is none."""
    spelling = normalise(clause)
    found = words().denials.search(spelling)
    if found is None or words().no_denials.search(spelling[: found.end()]):
        return None
    typed = clause.split()
    number = next(n for n in range(1, len(typed) + 1) if len(normalise(" ".join(typed[:n]))) >= found.end())
    while number < len(typed) and POLITE.fullmatch(normalise(typed[number])):
        number += 1
    rest = " ".join(typed[number:])
    further = _after_denial(rest) if rest else None
    return rest if further is None else further


def _says_something(clause: str) -> bool:
    """Whether more is said than a no, thanks and politeness."""
    bare = POLITE.sub(" ", normalise(clause)).split()
    return any(word not in ("tidak", "bukan", "nomor") for word in bare) and not is_small_talk(clause)
