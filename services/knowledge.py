"""Finds the reviewed answer to a question, or says that there is none, or offers the two or three nearest.

Four scores are added for each entry: the nearest question variants by meaning (sentence vectors) and by spelling (character
n-grams, which forgive typos), the words of the whole entry (BM25), and how much the question sounds like the entry's topic
(a ridge regression over all variants, solved anew in seconds whenever the files change: nothing has to be trained).
Weights and thresholds were chosen on variants left out of the index; evaluation/report.md measures them on other people's
questions.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt
import structlog
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sqlalchemy.exc import SQLAlchemyError

from services.encoder import CachingEncoder, Vectors, directions
from services.knowledge_files import Entry, KnowledgeError, read_all
from services.published_knowledge import PublishedKnowledge
from services.spelling import normalise
from services.spelling_correction import SpellingCorrection

log = structlog.get_logger(__name__)
logging.getLogger("bm25s").setLevel(logging.WARNING)  # importing it sets DEBUG
Scores = npt.NDArray[np.float64]
_State = tuple[tuple[tuple[str, int], ...], int]
"""The files with the times of their last changes, and the number of the last publication."""

BEST_OF = 3
WEIGHTS = {"meaning": 1.0, "spelling": 1.0, "words": 0.35, "topic": 0.8}
ANSWER_FROM, OFFER_FROM, CLEAR_LEAD = 0.7, 0.3, 0.1
ANSWER_UNASKED_FROM = 1.0
"""For a message that does not sound like a question to the ministry at all."""
SAME_TOPIC_BONUS = 0.35
QUICK_FROM, QUICK_LEAD = 1.2, 0.15
FOLLOW_UP_WORDS = 6
"""Only a question this short can be a follow-up that leaves its subject unsaid."""
WORD = r"\S+"


class Verdict(StrEnum):
    ANSWER = "answer"
    OFFER = "offer"
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

    @property
    def is_certain(self) -> bool:
        """Good enough to be said even where nobody clearly asked."""
        return self.verdict is Verdict.ANSWER and self.hits[0].score >= ANSWER_UNASKED_FROM

    @property
    def best(self) -> Entry | None:
        return self.hits[0].entry if self.hits else None


class _TopicRegression:
    """Ridge regression of topics (columns of -1 and 1), kept so that one sparse row is multiplied without a copy."""

    def __init__(self, features: csr_matrix, signs: npt.NDArray[np.float64]) -> None:
        ridge = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-2).fit(features, signs)
        self._weights = np.ascontiguousarray(ridge.coef_.T, dtype=np.float32)
        self._bias = np.asarray(ridge.intercept_)

    def predict(self, row: csr_matrix) -> Scores:
        """One number a topic."""
        return np.asarray((row @ self._weights)[0] + self._bias, dtype=np.float64)


class _Index:
    """One state of the knowledge, immutable once made."""

    def __init__(self, entries: dict[str, Entry], encoder: CachingEncoder) -> None:
        self.entries = list(entries.values())
        self.by_id = entries
        self.topics = np.array([entry.topic for entry in self.entries])
        examples = [(number, text) for number, entry in enumerate(self.entries) for text in entry.examples()]
        self._owner = np.array([number for number, _ in examples])
        self._places = self._padded_places()
        self._encoder = encoder
        vectors = encoder.encode_and_keep([text for _, text in examples])
        self.mean: Vectors = vectors.mean(axis=0)
        self._vectors = directions(vectors, self.mean)
        answers = [normalise(text) for entry in self.entries for text in entry.answers.values()]
        spellings = [normalise(text) for _, text in examples]
        self._correction = SpellingCorrection([*spellings, *answers])
        spellings = [self._correction.correct(spelling) for spelling in spellings]
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32)
        self._pairs = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
        characters = self._characters.fit_transform(spellings)
        self._by_term = characters.T.tocsr()
        pairs = self._pairs.fit_transform(spellings)
        self._topic_names, places = np.unique(self.topics, return_inverse=True)
        self._topic_of_entry = places
        by_spelling = hstack([characters, pairs], format="csr")
        signs = np.where(places[self._owner][:, None] == np.arange(len(self._topic_names)), 1.0, -1.0)
        self._topic_by_spelling = _TopicRegression(by_spelling, signs)
        self._topic_by_meaning = _TopicRegression(hstack([csr_matrix(self._vectors), by_spelling], format="csr"), signs)
        self._words = bm25s.BM25()
        documents = [" ".join(normalise(text) for text in [*entry.examples(), *entry.answers.values()]) for entry in self.entries]
        self._words.index([text.split() for text in documents], show_progress=False)

    def scores(self, question: str, last_topic: str | None = None) -> Scores:
        """One number an entry, the higher the better; comparable over questions.

        Where the spelling alone points at one entry, the sentence is not encoded; its meaning then counts as much as its
        spelling does. Else a short question may be a follow-up that leaves its subject, `last_topic`, unsaid.
        """
        scores, is_sure = self._scores(question)
        if is_sure or last_topic is None or len(question.split()) > FOLLOW_UP_WORDS:
            return scores
        with_subject, _ = self._scores(f"{question} {last_topic.replace('_', ' ')}")
        return np.asarray((2 * scores + with_subject) / 3 + SAME_TOPIC_BONUS * (self.topics == last_topic))

    def _scores(self, question: str) -> tuple[Scores, bool]:
        """The scores, and whether spelling alone was enough."""
        spelling = self._correction.correct(normalise(question))
        characters = self._characters.transform([spelling])
        by_spelling = hstack([characters, self._pairs.transform([spelling])], format="csr")
        alike = self._nearest((characters @ self._by_term).toarray())
        words = WEIGHTS["spelling"] * alike + WEIGHTS["words"] * self._word_overlap(spelling)
        topic = self._topic_by_spelling.predict(by_spelling)[self._topic_of_entry]
        quick = words + WEIGHTS["meaning"] * alike + WEIGHTS["topic"] * topic
        best, second = np.partition(quick, -2)[-2:][::-1]
        if best >= QUICK_FROM and best - second >= QUICK_LEAD:
            return np.asarray(quick), True
        vector = directions(self._encoder.encode([question]), self.mean)
        topic = self._topic_by_meaning.predict(hstack([csr_matrix(vector), by_spelling], format="csr"))[self._topic_of_entry]
        return np.asarray(words + WEIGHTS["meaning"] * self._nearest(vector @ self._vectors.T) + WEIGHTS["topic"] * topic), False

    def _padded_places(self) -> npt.NDArray[np.int64]:
        """Of each entry the places of its variants, shape (entries, most variants); -1 beyond the last."""
        groups = [np.flatnonzero(self._owner == number) for number in range(len(self.entries))]
        places = np.full((len(groups), max(BEST_OF, *(len(group) for group in groups))), -1)
        for row, group in zip(places, groups, strict=True):
            row[: len(group)] = group
        return places

    def _nearest(self, similarity: npt.NDArray[Any]) -> Scores:
        """Of each entry, from the similarities to all variants, shape (1, variants): the nearest counts most."""
        padded = np.append(similarity[0].astype(np.float64), np.nan)[self._places]
        nearest = -np.sort(-padded, axis=1)[:, :BEST_OF]  # NaN, where an entry has fewer variants, is sorted last
        return np.asarray(0.7 * nearest[:, 0] + 0.3 * np.nanmean(nearest, axis=1))

    def _word_overlap(self, spelling: str) -> Scores:
        """BM25 of each entry, scaled so that the best has 1 where every word is known."""
        tokens = [word for word in spelling.split() if word in self._words.vocab_dict]
        if not tokens:
            return np.zeros(len(self.entries))
        scores = np.asarray(self._words.get_scores(tokens), dtype=np.float64)
        return np.asarray(scores / max(scores.max(), 1e-9) * len(tokens) / max(len(spelling.split()), 1))


class Knowledge:
    def __init__(self, folder: Path, encoder: CachingEncoder, published: PublishedKnowledge | None = None) -> None:
        """`published`, what staff published at the desk, stands in place of the files of the same names."""
        self._folder = folder
        self._encoder = encoder
        self._published = published
        self._lock = threading.Lock()
        self._state: _State = ((), 0)
        self.errors: list[KnowledgeError] = []
        self._index = self._load()

    def _load(self) -> _Index:
        self._state = self._current_state()
        entries, self.errors = read_all(self._folder, self._published.texts() if self._published else None)
        for error in self.errors:
            log.error("a knowledge file needs mending", problem=str(error))
        if not entries:
            raise KnowledgeError(f"no usable knowledge file in {self._folder}")
        return _Index(entries, self._encoder)

    def _current_state(self) -> _State:
        files = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in self._folder.glob("*.md")))
        return files, self._published.revision() if self._published else 0

    def reload_if_changed(self) -> bool:
        """Read again when a file was added, changed or removed, or something was published, by whatever process.

        Where nothing is usable, or the database can't be reached, the old state stays.
        """
        with self._lock:
            try:
                if self._current_state() == self._state:
                    return False
                self._index = self._load()
            except (KnowledgeError, SQLAlchemyError) as error:
                log.error(
                    "the knowledge was not reloaded", problem=str(error) if isinstance(error, KnowledgeError) else type(error).__name__
                )
                return False
        return True

    def with_change(self, entry_id: str, entry: Entry | None) -> Callable[[str], Finding]:
        """How questions would be answered with `entry` in the place of `entry_id`, or without it; citizens see nothing of it.

        The whole search is made anew for this, which takes seconds.
        """
        entries = {**self._index.by_id, entry_id: entry} if entry else {k: v for k, v in self._index.by_id.items() if k != entry_id}
        index = _Index({key: one for key, one in entries.items() if one}, self._encoder)
        return lambda question: self._judge(index, index.scores(question))

    @property
    def centre(self) -> Vectors:
        """The mean of the sentence vectors of all question variants."""
        return self._index.mean

    @property
    def entries(self) -> list[Entry]:
        return self._index.entries

    def entry(self, entry_id: str) -> Entry | None:
        return self._index.by_id.get(entry_id)

    def find(self, question: str, last_topic: str | None = None) -> Finding:
        """The entries that answer `question`; a follow-up without a name in it leans towards `last_topic`."""
        index = self._index
        return self._judge(index, index.scores(question, last_topic))

    @staticmethod
    def _judge(index: _Index, scores: Scores) -> Finding:
        order = np.argsort(-scores)[:3]
        hits = [Hit(index.entries[number], float(scores[number])) for number in order]
        if hits[0].score < OFFER_FROM:
            return Finding(Verdict.NOTHING, [])
        lead = hits[0].score - hits[1].score if len(hits) > 1 else 1.0
        if hits[0].score >= ANSWER_FROM and (lead >= CLEAR_LEAD or hits[0].entry.topic == hits[1].entry.topic):
            return Finding(Verdict.ANSWER, hits)
        return Finding(Verdict.OFFER, hits)
