"""What the assistant may say now, entry by entry: where it comes from, who answers for it, when it has to be checked again."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from services.audit import AuditFilter, AuditLog
from services.calendar import JAKARTA
from services.git_patch import file_patch
from services.knowledge import Knowledge
from services.knowledge_files import Entry, KnowledgeError, knowledge_paths, parse_entry
from services.knowledge_form import KnowledgeForm
from services.published_knowledge import PublishedKnowledge
from store.database import utc_now
from store.knowledge_models import KnowledgeVersion

DUE_SOON = timedelta(days=14)
SYSTEM = "sistem"
"""Who did it, in the audit log, where no person did."""


class Due(StrEnum):
    OVERDUE = "overdue"
    SOON = "soon"


@dataclass(frozen=True)
class EntryRow:
    entry: Entry
    due: Due | None
    at_desk: bool
    """Published at the desk; otherwise it is a file as shipped."""
    file_differs: bool
    """The file was changed after the desk published, and says something else."""


@dataclass(frozen=True)
class DiffLine:
    sign: str
    """One of plus, minus and space."""
    text: str


class KnowledgeCatalogue:
    def __init__(
        self,
        knowledge: Knowledge,
        published: PublishedKnowledge,
        audit: AuditLog,
        folder: Path,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._knowledge = knowledge
        self._published = published
        self._audit = audit
        self._folder = folder
        self._clock = clock

    def today(self) -> date:
        return self._clock().astimezone(JAKARTA).date()

    def entries(self) -> list[EntryRow]:
        """What is due for a check first, then by topic."""
        published = {version.entry_id: version for version in self._published.in_force()}
        rows = [self._row(entry, published.get(entry.id)) for entry in self._knowledge.entries]
        order = {Due.OVERDUE: 0, Due.SOON: 1, None: 2}
        return sorted(rows, key=lambda row: (order[row.due], row.entry.topic, row.entry.id != row.entry.topic, row.entry.id))

    def row(self, entry_id: str) -> EntryRow | None:
        """An entry as it is published; the search takes some seconds to follow. None for what is withdrawn or was never there."""
        published = {version.entry_id: version for version in self._published.in_force()}
        try:
            entry: Entry | None = parse_entry(f"{entry_id}.md", self.text_in_force(entry_id))
        except KeyError:
            return None
        except KnowledgeError:  # the search goes on with what it had before
            entry = self._knowledge.entry(entry_id)
        return self._row(entry, published.get(entry_id)) if entry else None

    def _row(self, entry: Entry, version: KnowledgeVersion | None) -> EntryRow:
        return EntryRow(entry, self.due(entry), version is not None, self._file_differs(version))

    def due(self, entry: Entry) -> Due | None:
        until, today = entry.facts.valid_until, self.today()
        if until is None:
            return None
        return Due.OVERDUE if today > until else Due.SOON if today + DUE_SOON >= until else None

    def overdue(self) -> int:
        """How many entries are past the day until which their source may be trusted."""
        return sum(self.due(entry) is Due.OVERDUE for entry in self._knowledge.entries)

    def withdrawn(self) -> list[KnowledgeVersion]:
        return [version for version in self._published.in_force() if version.content is None]

    def text_in_force(self, entry_id: str) -> str:
        """The text that the assistant uses. Raises KeyError where there is none."""
        published = self._published.texts()
        text = published[entry_id] if entry_id in published else self.file_text(entry_id)
        if text is None:
            raise KeyError(entry_id)
        return text

    def file_text(self, entry_id: str) -> str | None:
        """The text of the shipped file."""
        path = knowledge_paths(self._folder).get(entry_id)
        return path.read_text(encoding="utf-8", errors="replace") if path else None

    def patch(self) -> str:
        """Everything published at the desk that the files of `knowledge/` don't say yet, for `git apply`."""
        changes = [(entry_id, self.file_text(entry_id), text) for entry_id, text in sorted(self._published.texts().items())]
        return "".join(file_patch(f"knowledge/{entry_id}.md", before, after) for entry_id, before, after in changes)

    def remind(self) -> list[str]:
        """Write into the audit log, once for each day of expiry, which entries were to be checked; their ids."""
        told = []
        for entry in self._knowledge.entries:
            until = entry.facts.valid_until
            if until is None or self.due(entry) is not Due.OVERDUE:
                continue
            earlier = self._audit.search(AuditFilter(action="knowledge.check_due", subject=entry.id))
            if any(one.data.get("until") == until.isoformat() for one in earlier):
                continue
            self._audit.record(SYSTEM, "knowledge.check_due", entry.id, until=until.isoformat(), owner=entry.facts.owner)
            told.append(entry.id)
        return told

    def _file_differs(self, version: KnowledgeVersion | None) -> bool:
        text = self.file_text(version.entry_id) if version else None
        return version is not None and text is not None and text != version.content and text_hash(text) != version.file_hash


def difference(before: str, after: str) -> list[DiffLine]:
    """Line by line, three lines around each change; "…" stands for what lies between. How a file quotes its words is no change."""
    lines = list(difflib.unified_diff(_as_written_here(before), _as_written_here(after), lineterm=""))[2:]
    return [DiffLine(" ", "…") if line.startswith("@@") else DiffLine(line[:1], line[1:]) for line in lines]


def _as_written_here(text: str) -> list[str]:
    """The lines of an entry as the desk writes them."""
    return KnowledgeForm.read(text).text().splitlines() if text else []


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
