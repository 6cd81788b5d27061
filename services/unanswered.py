"""What citizens asked and nobody could answer, gathered by meaning: where a new answer would help most.

Sentence vectors as the search has them, centred by the mean of the knowledge; average linkage of cosine distances. At 0.6 the
labelled questions of evaluation/topics.csv fall into groups of which three in four share a topic; what does not belong is unticked
by hand. It takes seconds to half a minute, so it runs beside the requests, and the last result is shown meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from services.encoder import CachingEncoder, directions
from services.handoff import State
from services.knowledge import Knowledge, Verdict
from services.teaching import STAND_IN_ONLY, one_line, same_words
from services.turn import UNANSWERED, AnswerStatus
from store.database import Database, utc_now
from store.models import Handoff, Message

NEWEST_MESSAGES, MOST_TEXTS = 2000, 600
QUESTIONS = UNANSWERED - {AnswerStatus.FAILED}
"""A turn that failed says nothing of the knowledge."""
FARTHEST = 0.6
"""Mean cosine distance up to which two groups are one."""
FRESH = timedelta(minutes=10)
SHORTEST_WORDS = 3
"""Fewer words are a call for attention and no question."""
MOST_SHOWN = 30


@dataclass(frozen=True)
class Asked:
    text: str
    times: int
    last_at: datetime


@dataclass(frozen=True)
class Group:
    questions: list[Asked]
    """The one nearest to all others first."""
    topic: str
    """Of the entry that the search finds nearest."""

    @property
    def times(self) -> int:
        return sum(one.times for one in self.questions)


@dataclass(frozen=True)
class Gathered:
    groups: list[Group]
    """The most asked first, each of at least two texts."""
    alone: int
    """Texts that are like no other."""
    at: datetime


class UnansweredQuestions:
    def __init__(
        self,
        database: Database,
        knowledge: Knowledge,
        encoder: Callable[[], CachingEncoder],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`encoder` is asked for when it is needed first: loading it takes a while."""
        self._database = database
        self._knowledge = knowledge
        self._encoder = encoder
        self._clock = clock
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "unanswered")
        self._running: Future[Gathered] | None = None
        self._last: Gathered | None = None

    def current(self, *, wait_seconds: float = 0.0) -> Gathered | None:
        """The last result, begun anew in the background where it is old; None while the first one is in the making.

        Raises what the making raised.
        """
        with self._lock:
            if self._running is None and (self._last is None or self._clock() - self._last.at > FRESH):
                self._running = self._worker.submit(self.gather)
            running = self._running
        if running and (wait_seconds or running.done()):
            try:
                with suppress(TimeoutError):
                    self._last = running.result(timeout=wait_seconds)
            finally:
                if running.done():
                    self._running = None
        return self._last

    def forget(self) -> None:
        """Make the next result anew: an answer was published."""
        self._last = None

    def gather(self) -> Gathered:
        asked = [one for one in self._asked() if not self._is_answered(one.text)]
        if len(asked) < 2:
            return Gathered([], len(asked), self._clock())
        from sklearn.cluster import AgglomerativeClustering  # 10 MB, where nobody may look at the desk for days

        vectors = directions(self._encoder().encode([one.text for one in asked]), self._knowledge.centre)
        cluster = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=FARTHEST)
        labels: npt.NDArray[np.int64] = cluster.fit_predict(vectors)
        groups, alone = [], 0
        for label in np.unique(labels):
            places = np.flatnonzero(labels == label)
            if len(places) == 1:
                alone += 1
                continue
            closeness = (vectors[places] @ vectors[places].T).sum(axis=1)
            questions = [asked[place] for place in places[np.argsort(-closeness, kind="stable")]]
            hits = self._knowledge.find(questions[0].text).hits
            groups.append(Group(questions, hits[0].entry.topic if hits else ""))
        return Gathered(sorted(groups, key=lambda group: -group.times)[:MOST_SHOWN], alone, self._clock())

    def _is_answered(self, question: str) -> bool:
        """Whether the knowledge answers it by now, and not only that nothing is known."""
        found = self._knowledge.find(question)
        return found.verdict is Verdict.ANSWER and found.hits[0].entry.facts.known

    def _asked(self) -> list[Asked]:
        closed = select(Handoff.conversation_id).where(Handoff.state != State.ENDED, Handoff.agreed.is_not(True))
        newest = (
            select(Message.text, Message.at)
            .where(Message.status.in_(QUESTIONS), Message.author == "user", Message.conversation_id.not_in(closed))
            .order_by(Message.id.desc())
            .limit(NEWEST_MESSAGES)
        )
        found: dict[str, Asked] = {}
        with self._database.session() as session:
            for text, at in session.execute(newest):
                words = same_words(text)
                if len(words.split()) < SHORTEST_WORDS or STAND_IN_ONLY.fullmatch(text):
                    continue
                known = found.get(words)
                found[words] = Asked(known.text, known.times + 1, known.last_at) if known else Asked(one_line(text), 1, at)
        return list(found.values())[:MOST_TEXTS]
