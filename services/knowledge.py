"""Finds the reviewed answer to a question, or says that there is none, or offers the two or three nearest.

services/knowledge_index.py gives each entry a score. Weights and thresholds were chosen on variants left out of the index;
evaluation/report.md measures them on other people's questions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.encoder import CachingEncoder, Vectors
from services.follow_up_search import FollowUpSearch
from services.knowledge_files import Entry, KnowledgeError, KnowledgeFolder, Stamps
from services.knowledge_index import Index, Scores
from services.passages import Passage, nearest
from services.published_knowledge import PublishedKnowledge

log = structlog.get_logger(__name__)
_State = tuple[Stamps, int]
"""The files' stamps, and the number of the last publication."""

ANSWER_FROM, OFFER_FROM, CLEAR_LEAD = 0.6, 0.3, 0.1
CLEAR_LEAD_WITHIN = 0.04
"""The same between two entries of one topic; under it the first is said and the second offered beside it."""
CLEAR_LEAD_AFTER = 0.05
"""Of a question that leans on an answer: all that is near it is of one topic."""
DOUBT_FROM, DOUBT_AFTER_FROM = 0.02, 0.15
"""`Index.doubt` from which a question has no answer; the second of one that leans on an answer, whose words say less."""
PLAIN_FROM, DOUBT_PLAIN_FROM = 2.3, 0.2
"""A score from which more has to speak against the answer."""
ANSWER_UNASKED_FROM = 1.0
"""For a message that does not sound like a question to the ministry at all."""
MADE_ANEW_FROM = 0.5
"""Share of question variants that came or went since the index was last made from nothing, from which it is so made again."""


class Verdict(StrEnum):
    ANSWER = "answer"
    OFFER = "offer"
    DOUBT = "doubt"
    """Entries are near, but the question is like those that none of them answers."""
    NOTHING = "nothing"


@dataclass(frozen=True)
class Hit:
    entry: Entry
    score: float


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    hits: list[Hit]
    """Best first, at most three."""
    is_close: bool = False
    """An answer whose neighbour of the same topic is hardly behind it."""

    @property
    def is_certain(self) -> bool:
        """Good enough to be said even where nobody clearly asked."""
        return self._is_answer_from(ANSWER_UNASKED_FROM)

    @property
    def is_plain(self) -> bool:
        """Good enough for a wish for a document, which has much in common with answers about the same subject."""
        return self._is_answer_from(PLAIN_FROM)

    def _is_answer_from(self, score: float) -> bool:
        return self.verdict is Verdict.ANSWER and not self.is_close and self.hits[0].score >= score

    @property
    def neighbour(self) -> Entry | None:
        """What is offered beside an answer that is close."""
        return self.hits[1].entry if self.is_close else None

    @property
    def best(self) -> Entry | None:
        return self.hits[0].entry if self.hits else None


class Knowledge:
    def __init__(
        self,
        folder: Path,
        encoder: CachingEncoder,
        published: PublishedKnowledge | None = None,
        follow_ups: FollowUpSearch | None = None,
        unanswerable: list[str] | None = None,
    ) -> None:
        """`published`, what staff published at the desk, stands in place of the files of the same names.

        `unanswerable`: questions that no entry answers, by which others like them are known.
        """
        self._follow_ups, self._unanswerable = follow_ups, unanswerable
        self._folder = folder
        self._files = KnowledgeFolder(folder)
        self._encoder = encoder
        self._published = published
        self._lock = threading.Lock()
        self._state = self._current_state()
        self.errors: list[KnowledgeError] = []
        self._index = self._load(self._state[0])

    def _load(self, stamps: Stamps, before: Index | None = None) -> Index:
        said = {str(error) for error in self.errors}
        entries, self.errors = self._files.read(self._published.texts() if self._published else None, stamps)
        for problem in map(str, self.errors):
            if problem not in said:  # a load that fails is tried again every second
                log.error("a knowledge file needs mending", problem=problem)
        if not entries:
            raise KnowledgeError(f"no usable knowledge file in {self._folder}")
        index = before.with_entries(entries) if before else None
        if index and index.changed < MADE_ANEW_FROM * index.variants:
            return index
        return Index(entries, self._encoder, self._unanswerable)

    def _current_state(self) -> _State:
        return self._files.stamps(), self._published.revision() if self._published else 0

    def reload_if_changed(self) -> bool:
        """As `reload`; where nothing is usable, or the database can't be reached, the log says so and the old state stays."""
        try:
            return self.reload()
        except (KnowledgeError, SQLAlchemyError) as error:
            log.error(
                "the knowledge was not reloaded", problem=str(error) if isinstance(error, KnowledgeError) else type(error).__name__
            )
            return False

    def reload(self) -> bool:
        """Read again when a file was added, changed or removed, or something was published, by whatever process; whether it was so.

        Raises `KnowledgeError` where nothing is usable and an `SQLAlchemyError` where the database can't be reached; the next call
        tries again.
        """
        with self._lock:
            state = self._current_state()
            if state == self._state:
                return False
            self._index = self._load(state[0], self._index)
            self._state = state  # not before: a load that failed is to be tried again
        return True

    def with_change(self, entry_id: str, entry: Entry | None) -> Callable[[str], Finding]:
        """How questions would be answered with `entry` in the place of `entry_id`, or without it; citizens see nothing of it."""
        entries = {**self._index.by_id, entry_id: entry} if entry else {k: v for k, v in self._index.by_id.items() if k != entry_id}
        index = self._index.with_entries(entries)
        return lambda question: self._judged(index, question, None, None)

    @property
    def centre(self) -> Vectors:
        """The mean of the sentence vectors of all question variants."""
        return self._index.mean

    @property
    def entries(self) -> list[Entry]:
        return self._index.entries

    def entry(self, entry_id: str) -> Entry | None:
        return self._index.by_id.get(entry_id)

    def find(self, question: str, last_topic: str | None = None, subject: str | None = None, *, without: str | None = None) -> Finding:
        """The entries that answer `question`; a follow-up without a name in it leans towards `last_topic`, or `subject` within it.

        `without`: id of an entry that is known not to be meant.
        """
        index = self._index
        return self._judged(index, question, last_topic, subject, without)

    def find_after(self, question: str, said: str) -> Finding:
        """The entries that answer a `question` which leans on the entry `said`; without such an entry, the question by itself."""
        index = self._index
        if said not in index.by_id:
            return self.find(question)
        reading = index.read(question)
        hits = self._best(index, index.scores_after(reading, said, self._follow_ups))
        of_another = hits[0].entry.topic != index.by_id[said].topic and len({hit.entry.topic for hit in hits[:2]}) == 1
        if index.doubt(reading, [said, *(hit.entry.id for hit in hits)]) >= DOUBT_AFTER_FROM:
            return Finding(Verdict.DOUBT, hits)
        is_clear = of_another or len(hits) == 1 or hits[0].score - hits[1].score >= CLEAR_LEAD_AFTER
        return Finding(Verdict.ANSWER if is_clear else Verdict.OFFER, hits)

    def near(self, said: str) -> list[Entry]:
        """What could have been meant by who rejects the entry `said`."""
        index = self._index
        if said not in index.by_id:
            return []
        title = index.by_id[said].facts.title.id
        return [hit.entry for hit in self._best(index, index.scores(index.read(title)), said)]

    def passages(self, question: str, answer: str, said: frozenset[int]) -> list[Passage]:
        """The one or two sentences of `answer` nearest to `question`, if any comes near, without those at the places `said`."""
        return nearest(question, answer, self._encoder, self.centre, said)

    def _judged(self, index: Index, question: str, last_topic: str | None, subject: str | None, without: str | None = None) -> Finding:
        reading = index.read(question)
        finding = self._judge(index, index.scores(reading, last_topic, subject), without)
        if finding.verdict is Verdict.NOTHING:
            return finding
        doubt = index.doubt(reading, [hit.entry.id for hit in finding.hits])
        bound = DOUBT_PLAIN_FROM if finding.hits[0].score >= PLAIN_FROM else DOUBT_FROM
        return finding if doubt < bound else Finding(Verdict.DOUBT, finding.hits)

    @staticmethod
    def _best(index: Index, scores: Scores, without: str | None = None) -> list[Hit]:
        hits = [Hit(index.entries[number], float(scores[number])) for number in np.argsort(-scores)[:4]]
        return [hit for hit in hits if hit.entry.id != without][:3]

    @staticmethod
    def _judge(index: Index, scores: Scores, without: str | None) -> Finding:
        hits = Knowledge._best(index, scores, without)
        if not hits or hits[0].score < OFFER_FROM:
            return Finding(Verdict.NOTHING, [])
        lead = hits[0].score - hits[1].score if len(hits) > 1 else 1.0
        is_within = len(hits) > 1 and hits[0].entry.topic == hits[1].entry.topic
        if hits[0].score < ANSWER_FROM or not (is_within or lead >= CLEAR_LEAD):
            return Finding(Verdict.OFFER, hits)
        return Finding(Verdict.ANSWER, hits, is_close=is_within and lead < CLEAR_LEAD_WITHIN)
