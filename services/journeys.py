"""How a form goes on: which field comes next, what a message means for it, when it may be sent.

A journey is a list of fields and a name. Everything that differs between errands stands in their own files
(aspirations.py, information_requests.py, …); everything they share stands here, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import takewhile
from typing import Any

from services import left_out, several_answers
from services.commands import Command, find_command, sends
from services.corrections import Addition, Correction, Reader, mended
from services.field_names import FIELD_WORDS
from services.fields import Choice, Field, Rejection, agreement
from services.remarks import is_question
from services.spelling import normalise
from services.substance import substance

CONFIRMATION = Field("confirmed", agreement)
KEY = "_submission_key"
SUGGESTED = "_suggested_"
"""Before a field's name: a value that the citizen can take with a mere yes."""
BEFORE = "_before_"
"""Before a field's name: the value that it had, while the citizen is asked for another."""
CHANGING = "_changing"
"""Among the fields: the summary was not right, and the citizen is asked which part of it."""
TOLD_WORDS = 8
"""So many words are no mere choice."""

KEEPS = re.compile(
    r"(?:biar(?:kan|in)?|tetap|(?:tidak|jangan) (?:jadi |usah )?(?:di)?(?:ubah|ganti)|keep it|leave it)"
    r"(?: (?:saja|begitu|itu|yang lama|iya))*"
)
"""The value that was given before stays after all."""


SECOND_THOUGHT = re.compile(
    r"(?:(?:eh|aduh|oh|maaf|no|wait) )*(?:tidak jadi|jangan|tunggu|bukan|wait|no|nomor)(?: (?:deh|dulu|dong|ah|ya|iya))*"
)
"""It takes back what was said, and need not be all of it."""
AS_BEFORE = re.compile(
    r"(?:yang |seperti |balik |kembali |ke )*(?:tadi|lama|awal|semula|sebelumnya|pertama|before|the old one)(?: saja| dong| deh)*"
)
"""Behind a second thought at the summary: what was meant to be taken back is not known, so the summary is shown again."""


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
    opened_by: str | None = None
    """The intent that opens its form; None where only a button under a ticket does."""
    subject: str | None = None
    """What a short question in it is about, where the first topic says too little: "keberatan", not all of keterbukaan_informasi."""
    confirm: bool = True
    stops: dict[str, tuple[Any, str]] = field(default_factory=dict)
    cancelled: str = "utter_cancelled"
    """What is said to who has cancelled it."""
    resumed: str = "utter_form_resumed"
    """What is said to who comes back to it."""
    basis: str | None = None
    """The sentence on purpose and law that is said once, before the first question."""
    prefill: Callable[[str], dict[str, Any]] = lambda message: {}
    """Values that any message may hold, known by their form: a number, a code."""
    opening: Callable[[str], dict[str, Any]] = lambda message: {}
    """Values that the first message may hold in its own words."""
    told_before: Callable[[str], dict[str, Any]] | None = None
    """Values that a message may hold to which the assistant answered with the offer of the form."""
    given_anew: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = lambda given, found: found
    """Values to keep of what was `given` and what a later message is `found` to hold instead."""
    story: str | None = None
    """The field that tells what it is about: people write it at the first question already, whichever that is."""
    tried_again: Callable[[str], dict[str, Any]] = lambda message: {}
    """Values that a message holds alone, typed after they were wrong and what goes with them was kept."""

    def __post_init__(self) -> None:
        """Raises ValueError for a name that "name_field" could not be read back from."""
        if "_" in self.name:
            raise ValueError(f"{self.name}: the name of a journey has no underscore")

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.numbered)

    @property
    def _may_be_nameless(self) -> bool:
        name = self.field_named("name")
        return bool(name and name.optional)

    @property
    def all_fields(self) -> tuple[Field, ...]:
        return (*self.fields, CONFIRMATION) if self.confirm else self.fields

    def field_named(self, name: str) -> Field | None:
        return next((f for f in self.all_fields if f.name == name), None)

    def has_answers(self, fields: dict[str, Any]) -> bool:
        """Whether `fields` hold more than what the form itself keeps there."""
        return any(self.field_named(name) for name in fields)

    @property
    def numbered(self) -> list[Field]:
        """The fields as the summary numbers them, from 1."""
        return [f for f in self.fields if f.in_summary]

    def next_field(self, fields: dict[str, Any]) -> Field | None:
        return next((f for f in self.all_fields if f.name not in fields and f.when(fields)), None)

    def changed(self, asked: Field, before: dict[str, Any], after: dict[str, Any]) -> bool:
        """Whether an answer to another question than the open one has another value now."""
        names = [f.name for f in self.numbered if f is not asked and f.name in before and f.name in after]
        return any(before[name] != after[name] for name in names)

    def begin(self, message: str, fields: dict[str, Any], before: str = "") -> Step:
        """The first step: what the opening message holds is taken, then the first missing field is asked.

        `before` is the message to which the form was offered.
        """
        told = self.told_before(before) if self.told_before else {}
        return self.onwards({**told, **self.opening(message), **self.prefill(message), **fields})

    def resume(self, message: str, kept: dict[str, Any]) -> Step:
        """The first step for who comes back: what was kept stays, what is missing may stand in the message."""
        return self.onwards({**self.opening(message), **self.tried_again(message), **kept, **self.prefill(message)})

    def second_thought(self, asked: Field, message: str, fields: dict[str, Any]) -> str:
        """What stands behind a no that is about one answer: "hapus namaku" of "eh ga jadi, hapus namaku". Else empty."""
        first, rest = (*re.split(r"[,;.!]\s+", message.strip(), maxsplit=1), "")[:2]
        if not rest or not SECOND_THOUGHT.fullmatch(normalise(first)):
            return ""
        if left_out.withdrawn(self.fields, asked, rest, fields) or self.corrections(asked, rest, fields):
            return rest
        if asked is not CONFIRMATION:
            return rest if isinstance(asked.check, Choice) and asked.accepts(rest) else ""
        if AS_BEFORE.fullmatch(normalise(rest)):
            return "ulang"
        chosen = [one for one in self.numbered if isinstance(one.check, Choice) and one.name in fields and one.accepts(rest)]
        return f"{FIELD_WORDS[chosen[0].name][0]} {rest}" if len(chosen) == 1 else ""

    def take(self, asked: Field, message: str, fields: dict[str, Any]) -> Step:
        """What `message` means as an answer to `asked`."""
        command = find_command(message)
        steered = self._steer(asked, message, command, fields)
        if steered:
            return steered
        withdrawn = dict.fromkeys(left_out.withdrawn(self.fields, asked, message, fields))
        if withdrawn and (asked.name in withdrawn or asked.takes_sentences or not asked.accepts(message)):
            return self.onwards({**fields, **withdrawn})
        fields = {**fields, **withdrawn}
        corrections = self.corrections(asked, message, fields)
        if corrections:
            return self._corrected(corrections, fields)
        if command is None:
            message, fields = self._beside_the_answer(asked, message, fields)
            rest = left_out.without_name(message, asked) if self._may_be_nameless else None
            if rest is not None:
                fields, message, command = {**fields, "name": None}, rest, None if rest else Command.SKIP
        return self._answered(asked, message, command, fields)

    def _steer(self, asked: Field, message: str, command: Command | None, fields: dict[str, Any]) -> Step | None:
        """Where a command leads that answers no question."""
        if command is Command.CANCEL:
            return self.cancel()
        if command is Command.RESTART:
            return self.onwards({KEY: fields[KEY]} if KEY in fields else {})
        if command is Command.REPEAT:
            return Step(Outcome.ASK, fields, asked)
        if asked.optional and (command is Command.SKIP_ALL or (command is Command.YES and sends(message))):
            return self.onwards({**{one.name: None for one in self.fields if one.optional and one.when(fields)}, **fields})
        if fields.get(CHANGING) and asked is CONFIRMATION:
            return self._change(message, command, fields)
        if command is Command.CHANGE and asked is CONFIRMATION:
            return self._ask_what_to_change(fields)
        before = f"{BEFORE}{asked.name}"
        if before in fields and (command is Command.BACK or KEEPS.fullmatch(normalise(message))):
            return self.onwards({**fields, asked.name: fields[before]})
        return self._back(asked, fields) if command is Command.BACK else None

    def _beside_the_answer(self, asked: Field, message: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The answer alone, and the fields with what else the message says: a correction behind it, or more of the story."""
        corrections: list[Correction] = []
        if asked is not CONFIRMATION:
            message, corrections = self._reader.beside(asked, message, fields)
        story = self.field_named(self.story or "")
        if story and not corrections and self._tells_on(asked, message, fields):
            corrections = [Correction(story, Addition(message.strip()))]
        return message, self._corrected(corrections, fields).fields

    def _answered(self, asked: Field, message: str, command: Command | None, fields: dict[str, Any]) -> Step:
        """The step after an answer to `asked`, or the same question with the reason why it is none."""
        if command is Command.NO and (asked.optional or asked.takes_sentences):
            command = Command.SKIP
        if command is Command.YES and asked.takes_sentences:
            return Step(Outcome.REJECTED, fields, asked, "utter_write_it_down")
        if command is Command.SKIP_ALL and not asked.has_few_answers:
            command = Command.SKIP
        if command is Command.SKIP and not asked.is_yes_or_no:
            if not asked.optional and not self.confirm:  # "gausah" to a question for a number ends it
                return self.cancel()
            if not asked.optional:
                return Step(Outcome.REJECTED, fields, asked, "utter_field_is_required")
            return self.onwards({**fields, asked.name: None})
        if command is None and (left_out.does_not_know(message) or left_out.declines(message, asked)):
            if asked.optional:
                others = left_out.also_declined(self.fields, asked, message)
                return self.onwards({**fields, asked.name: None, **dict.fromkeys(others)})
            if asked.takes_sentences:
                return Step(Outcome.REJECTED, fields, asked, "utter_field_is_required")
        by_form = self.prefill(message)
        found = by_form if asked.name in by_form else several_answers.read(self.fields, asked, message, fields)
        if found:
            return self.onwards({**fields, **found})
        if not asked.free_text or asked.name != self.story:
            message = mended(asked, message)
        suggested = fields.get(f"{SUGGESTED}{asked.name}")
        value = suggested if suggested and command is Command.YES else asked.check(message)
        if isinstance(value, Rejection):  # perhaps another value is given anew: a number where its code is asked for
            found = self.given_anew(fields, by_form)
            response = "utter_nothing_changed" if asked is CONFIRMATION else value.response
            return self.onwards({**fields, **found}) if found else Step(Outcome.REJECTED, fields, asked, response)
        if asked is CONFIRMATION and value is False:
            return self._ask_what_to_change(fields)
        return self.onwards({**by_form, **fields, asked.name: value})

    def _tells_on(self, asked: Field, message: str, fields: dict[str, Any]) -> bool:
        """Whether a message at a choice adds to the story that was told, and only chooses besides."""
        if not isinstance(asked.check, Choice) or not fields.get(self.story or ""):
            return False
        return (
            len(message.split()) > TOLD_WORDS
            and not is_question(message)
            and not re.search(r"\b(?:masuk|termasuk|mungkin)\b", message)
        )

    def take_told(self, asked: Field, message: str, fields: dict[str, Any], told: dict[str, Any]) -> Step:
        """As `take`, for a message that holds the story, and perhaps an answer to `asked` besides."""
        value = asked.check(message)
        return self.onwards({**fields, **told, **({} if isinstance(value, Rejection) else {asked.name: value})})

    def told_early(self, asked: Field, message: str, fields: dict[str, Any]) -> dict[str, Any]:
        """The story, where it is told as an answer to a question with few answers."""
        story = self.field_named(self.story or "")
        if story is None or story.name in fields or not asked.has_few_answers or len(message.split()) < TOLD_WORDS:
            return {}
        text = substance(message, story.check)
        return {story.name: text} if text else {}

    def cancel(self) -> Step:
        """The way out: nothing is kept."""
        return Step(Outcome.CANCELLED, {}, response=self.cancelled)

    def onwards(self, fields: dict[str, Any]) -> Step:
        """Ask for the first thing that is missing, unless one that was given ends the journey."""
        for name, (unwelcome, response) in self.stops.items():
            if name in fields and fields[name] == unwelcome:
                return Step(Outcome.STOPPED, fields, self.field_named(name), response)
        fields = {
            name: value
            for name, value in fields.items()
            if name.removeprefix(BEFORE) == name or name.removeprefix(BEFORE) not in fields
        }
        following = self.next_field(fields)
        return Step(Outcome.ASK, fields, following) if following else Step(Outcome.CONFIRMED, fields)

    def _back(self, asked: Field, fields: dict[str, Any]) -> Step:
        before = takewhile(lambda field: field is not asked, self.all_fields)
        earlier = [field for field in before if field.name in fields and field.when(fields)]
        return self._ask_again(earlier[-1], fields) if earlier else Step(Outcome.ASK, fields, asked)

    @staticmethod
    def _ask_what_to_change(fields: dict[str, Any]) -> Step:
        return Step(Outcome.ASK, {**fields, CHANGING: True}, CONFIRMATION)

    def _change(self, message: str, command: Command | None, fields: dict[str, Any]) -> Step:
        """What is meant as the part of the summary that isn't right."""
        unchanged = {name: value for name, value in fields.items() if name != CHANGING}
        if command in (Command.YES, Command.NO, Command.BACK):
            return self.onwards(unchanged)
        meant = self._reader.read(CONFIRMATION, message, fields, at_summary=True) or self._reader.parts_named(message)
        if not meant:
            return Step(Outcome.REJECTED, fields, CONFIRMATION, "utter_no_such_part")
        return self._corrected(meant, unchanged)

    def corrections(self, asked: Field, message: str, fields: dict[str, Any]) -> list[Correction]:
        """What the message says of earlier answers; empty where it is an answer itself, or a command."""
        if find_command(message) not in (None, Command.CHANGE):
            return []
        return self._reader.read(asked, message, fields, at_summary=asked is CONFIRMATION)

    def may_empty(self, message: str) -> bool:
        """Whether the message wants one of the fields emptied, and so no data of the conversation deleted."""
        return self._reader.may_empty(message)

    def _corrected(self, corrections: list[Correction], fields: dict[str, Any]) -> Step:
        """Take the new values that the message holds, and ask for the others."""
        found = dict(fields)
        for one, value in corrections:
            if isinstance(value, Addition):
                value = _with_more(one, fields.get(one.name), value)
            if not isinstance(value, Rejection):
                found[one.name] = value
            elif one.name in found:
                found[f"{BEFORE}{one.name}"] = found.pop(one.name)
        return self.onwards(found)

    def _ask_again(self, asked: Field, fields: dict[str, Any]) -> Step:
        return Step(Outcome.ASK, {k: v for k, v in fields.items() if k not in (asked.name, CONFIRMATION.name)}, asked)


def _with_more(one: Field, given: Any, more: Addition) -> Any:
    """A value with what was said besides; the `Rejection` where that can't be."""
    if not isinstance(given, list):
        return one.check(f"{given}\n{more}" if given else more)
    chosen = one.check(more)
    return chosen if isinstance(chosen, Rejection) else [*given, *(value for value in chosen if value not in given)]
