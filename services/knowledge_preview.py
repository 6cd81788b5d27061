"""How the assistant would answer questions with a draft in place: the real search, made anew beside the one that serves citizens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.knowledge import Finding, Knowledge, Verdict
from services.knowledge_files import Entry

KEPT = 2
"""Searches with a draft in place that are kept in memory, each as large as the one that serves citizens."""


@dataclass(frozen=True)
class Tried:
    """One question, as a question to the ministry is answered now and as it would be."""

    question: str
    before: Finding
    after: Finding

    @property
    def changed(self) -> bool:
        return _gist(self.before) != _gist(self.after)


class KnowledgePreview:
    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._lock = threading.Lock()
        self._kept: list[tuple[list[Entry], str, Entry | None, Callable[[str], Finding]]] = []

    def ask(self, entry_id: str, entry: Entry | None, questions: Sequence[str]) -> list[Tried]:
        """The questions, with `entry` in the place of `entry_id`, or with nothing there. Takes seconds the first time."""
        with self._lock:  # one at a time: each takes a core for as long as it lasts
            after = self._search(entry_id, entry)
        return [Tried(question, self._knowledge.find(question), after(question)) for question in questions]

    def _search(self, entry_id: str, entry: Entry | None) -> Callable[[str], Finding]:
        around = self._knowledge.entries
        for known, known_id, known_entry, search in self._kept:
            if known is around and known_id == entry_id and known_entry == entry:
                return search
        search = self._knowledge.with_change(entry_id, entry)
        self._kept = [*self._kept, (around, entry_id, entry, search)][-KEPT:]
        return search


def _gist(finding: Finding) -> tuple[Verdict, list[str], str]:
    """What of an answer a citizen would notice."""
    said = finding.hits[:1] if finding.verdict is Verdict.ANSWER else finding.hits
    return finding.verdict, [hit.entry.id for hit in said], said[0].entry.answers["id"] if said else ""
