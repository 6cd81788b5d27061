"""How a form goes on: which field comes next, what a message means for it, when it may be sent.

A journey is a list of fields and a name. Everything that differs between errands stands in their own files
(aspirations.py, information_requests.py, …); everything they share stands here, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services import several_answers
from services.commands import Command, find_command
from services.field_names import FIELD_WORDS
from services.fields import Field, Rejection, agreement
from services.spelling import normalise

CONFIRMATION = Field("confirmed", agreement)
KEY = "_submission_key"
SUGGESTED = "_suggested_"
"""Before a field's name: a value that the citizen can take with a mere yes."""
CORRECTION_WORDS = 8
"""A longer message that says "ubah" or "salah" is telling something, not steering the form."""


class Outcome(StrEnum):
    ASK = "ask"
    """`Step.field` is asked next."""
    REJECTED = "rejected"
    """The value was not taken; `Step.response` says why, and the same field is asked again."""
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    """The journey can't go on for this person; `Step.response` says why and what to do instead."""


@dataclass(frozen=True)
class Step:
    outcome: Outcome
    fields: dict[str, Any]
    field: Field | None = None
    response: str | None = None


@dataclass(frozen=True)
class Journey:
    """`stops` maps a field to (unwelcome value, response): who may not use this errand, and what is said to them."""

    name: str
    fields: tuple[Field, ...]
    topics: tuple[str, ...]
    """Topics of questions that may interrupt even a free-text field."""
    confirm: bool = True
    stops: dict[str, tuple[Any, str]] = field(default_factory=dict)
    prefill: Callable[[str], dict[str, Any]] = lambda message: {}
    """Values that any message may hold, known by their form: a number, a code."""
    opening: Callable[[str], dict[str, Any]] = lambda message: {}
    """Values that the first message may hold in its own words."""

    @property
    def all_fields(self) -> tuple[Field, ...]:
        return (*self.fields, CONFIRMATION) if self.confirm else self.fields

    def field_named(self, name: str) -> Field | None:
        return next((f for f in self.all_fields if f.name == name), None)

    @property
    def numbered(self) -> list[Field]:
        """The fields as the summary numbers them, from 1."""
        return [f for f in self.fields if f.in_summary]

    def next_field(self, fields: dict[str, Any]) -> Field | None:
        return next((f for f in self.all_fields if f.name not in fields and f.when(fields)), None)

    def begin(self, message: str, fields: dict[str, Any]) -> Step:
        """The first step: what the opening message holds is taken, then the first missing field is asked."""
        return self.onwards({**self.opening(message), **self.prefill(message), **fields})

    def take(self, asked: Field, message: str, fields: dict[str, Any]) -> Step:
        """What `message` means as an answer to `asked`."""
        command = find_command(message)
        if command is Command.CANCEL:
            return Step(Outcome.CANCELLED, {})
        if command is Command.RESTART:
            return self.onwards({KEY: fields[KEY]} if KEY in fields else {})
        if command is Command.BACK:
            return self._back(asked, fields)
        changed = self._field_to_change(message)
        if changed:
            return self._ask_again(changed, fields)
        if command is Command.SKIP and asked.name != CONFIRMATION.name:
            if not asked.optional:
                return Step(Outcome.REJECTED, fields, asked, "utter_field_is_required")
            return self.onwards({**fields, asked.name: None})
        found = (
            self.prefill(message) if asked.name in self.prefill(message) else several_answers.read(self.fields, asked, message, fields)
        )
        if found:
            return self.onwards({**fields, **found})
        suggested = fields.get(f"{SUGGESTED}{asked.name}")
        value = suggested if suggested and command is Command.YES else asked.check(message)
        if isinstance(value, Rejection):
            return Step(Outcome.REJECTED, fields, asked, value.response)
        if asked is CONFIRMATION and value is False:
            return Step(Outcome.REJECTED, fields, asked, "utter_what_to_change")
        unwelcome = self.stops.get(asked.name)
        if unwelcome and unwelcome[0] == value:
            return Step(Outcome.STOPPED, fields, asked, unwelcome[1])
        return self.onwards({**fields, asked.name: value})

    def onwards(self, fields: dict[str, Any]) -> Step:
        """Ask for the first thing that is missing."""
        following = self.next_field(fields)
        return Step(Outcome.ASK, fields, following) if following else Step(Outcome.CONFIRMED, fields)

    def _back(self, asked: Field, fields: dict[str, Any]) -> Step:
        names = [f.name for f in self.all_fields]
        earlier = [f for f in self.all_fields[: names.index(asked.name)] if f.name in fields and f.when(fields)]
        return self._ask_again(earlier[-1], fields) if earlier else Step(Outcome.ASK, fields, asked)

    def _ask_again(self, asked: Field, fields: dict[str, Any]) -> Step:
        return Step(Outcome.ASK, {k: v for k, v in fields.items() if k not in (asked.name, CONFIRMATION.name)}, asked)

    def _field_to_change(self, message: str) -> Field | None:
        """The field meant by "ubah nomor 2" (as numbered in the summary) or "alamatnya salah"."""
        spelling = normalise(message)
        if len(spelling.split()) > CORRECTION_WORDS:
            return None
        number = re.search(r"\b(?:ubah|ganti|edit|change|perbaiki|ralat|salah)\D{0,20}(\d{1,2})\b", spelling)
        if number and 1 <= int(number[1]) <= len(self.numbered):
            return self.numbered[int(number[1]) - 1]
        if re.search(r"\b(?:ubah|ganti|edit|change|perbaiki|ralat|salah|keliru|wrong)\b", spelling):
            for one in self.numbered:
                if any(re.search(rf"\b{word}(?:nya)?\b", spelling) for word in FIELD_WORDS.get(one.name, ())):
                    return one
        return None
