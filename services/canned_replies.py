"""Ready replies of officers: short names, one text a language, and variables that are filled when one is inserted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import yaml
from sqlalchemy import delete, select

from services.audit import AuditLog
from services.refused import Refused
from store.database import Database, utc_now
from store.models import CannedReply

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,29}")
VARIABLE = re.compile(r"\{([^{}]*)\}")
VARIABLES = ("salam", "petugas", "jam_layanan", "nomor_tiket")
LANGUAGES = ("id", "en")
LONGEST_TEXT = 2000
MOST_REPLIES = 200
WORDS = Path(__file__).with_name("canned_replies.yml")
"""Greetings by the hour, words for what is missing, and examples to begin with."""


class Problem(StrEnum):
    NAME = "canned_name"
    TEXT = "canned_text"
    VARIABLE = "canned_variable"
    NUMBER = "canned_number"


class CannedRefused(Refused[Problem]):
    """A ready reply that can't be kept."""


@dataclass(frozen=True)
class Filled:
    """A reply ready to be inserted."""

    name: str
    text: str


class CannedReplies:
    def __init__(self, database: Database, audit: AuditLog) -> None:
        self._database = database
        self._audit = audit
        words = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
        self._missing: dict[str, dict[str, str]] = words["missing"]
        self._greetings: dict[str, list[str]] = words["greetings"]
        self.examples: dict[str, dict[str, str]] = words["examples"]

    def all(self) -> list[CannedReply]:
        with self._database.session() as session:
            return list(session.scalars(select(CannedReply).order_by(CannedReply.name)))

    def save(self, name: str, texts: dict[str, str], actor: str) -> None:
        """Make a reply or change it; a language without a text has none. Raises `CannedRefused`."""
        name = name.strip().lower()
        kept = {language: texts.get(language, "").strip().replace("\r\n", "\n") for language in LANGUAGES}
        kept = {language: text for language, text in kept.items() if text}
        if not NAME.fullmatch(name):
            raise CannedRefused(Problem.NAME)
        if not kept or max(map(len, kept.values())) > LONGEST_TEXT:
            raise CannedRefused(Problem.TEXT)
        if not {found for text in kept.values() for found in VARIABLE.findall(text)} <= set(VARIABLES):
            raise CannedRefused(Problem.VARIABLE)
        with self._database.durable_session() as session:
            names = set(session.scalars(select(CannedReply.name)))
            if name not in names and len(names) >= MOST_REPLIES:
                raise CannedRefused(Problem.NUMBER)
            session.merge(CannedReply(name=name, texts=kept, changed_at=utc_now(), changed_by=actor))
        self._audit.record(actor, "canned.saved", name)

    def remove(self, name: str, actor: str) -> None:
        """Raises LookupError."""
        with self._database.durable_session() as session:
            if not session.execute(delete(CannedReply).where(CannedReply.name == name)).rowcount:  # type: ignore[attr-defined]  # a DELETE gives a CursorResult
                raise LookupError(name)
        self._audit.record(actor, "canned.removed", name)

    def add_examples(self, actor: str) -> None:
        """The examples that come with the program, where there is no reply yet."""
        if not self.all():
            for name, texts in self.examples.items():
                self.save(name, texts, actor)

    def filled(self, language: str, values: dict[str, str], moment: datetime) -> list[Filled]:
        """The replies in this language with their variables filled; what has no value is named in brackets.

        `moment` in Jakarta's time decides the greeting; `values` gives the other variables.
        """
        given = {name: values.get(name) or f"[{self._missing[language][name]}]" for name in VARIABLES}
        given["salam"] = self._greetings[language][_part_of_day(moment.hour)]
        return [
            Filled(one.name, VARIABLE.sub(lambda match: given[match[1]], one.texts[language]))
            for one in self.all()
            if language in one.texts
        ]


def _part_of_day(hour: int) -> int:
    """Morning, midday, afternoon or evening, as Indonesians greet: until 11, until 15, until 18, and after."""
    return sum(hour >= begins for begins in (11, 15, 18))
