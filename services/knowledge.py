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

from services.encoder import CachingEncoder, Vectors
from services.knowledge_files import Entry, KnowledgeError, read_all
from services.spelling import normalise

log = structlog.get_logger(__name__)
logging.getLogger("bm25s").setLevel(logging.WARNING)  # importing it sets DEBUG
Scores = npt.NDArray[np.float64]

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


class _Index:
    """One state of the knowledge, immutable once made."""

    def __init__(self, entries: dict[str, Entry], encoder: CachingEncoder) -> None:
        self.entries = list(entries.values())
        self.by_id = entries
        self.topics = np.array([entry.topic for entry in self.entries])
        examples = [(number, text) for number, entry in enumerate(self.entries) for text in entry.examples()]
        self._owner = np.array([number for number, _ in examples])
        self._starts = np.searchsorted(self._owner, np.arange(len(self.entries)))
        self._encoder = encoder
        vectors = encoder.encode_and_keep([text for _, text in examples])
        self._mean = vectors.mean(axis=0)
        self._vectors = self._centred(vectors)
        spellings = [normalise(text) for _, text in examples]
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32)
        self._pairs = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
        self._spellings = self._characters.fit_transform(spellings)
        pairs = self._pairs.fit_transform(spellings)
        self._topic_names, places = np.unique(self.topics, return_inverse=True)
        self._topic_of_entry = places
        by_spelling = hstack([self._spellings, pairs], format="csr")
        signs = np.where(places[self._owner][:, None] == np.arange(len(self._topic_names)), 1.0, -1.0)
        self._topic_by_spelling = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-2).fit(by_spelling, signs)
        features = hstack([csr_matrix(self._vectors), by_spelling], format="csr")
        self._topic_by_meaning = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-2).fit(features, signs)
        self._words = bm25s.BM25()
        documents = [" ".join(normalise(text) for text in [*entry.examples(), *entry.answers.values()]) for entry in self.entries]
        self._words.index([text.split() for text in documents], show_progress=False)

    def scores(self, question: str) -> Scores:
        """One number an entry, the higher the better; comparable over questions.

        Where the spelling alone points at one entry, the sentence is not encoded; its meaning then counts as much as its
        spelling does.
        """
        spelling = normalise(question)
        characters = self._characters.transform([spelling])
        by_spelling = hstack([characters, self._pairs.transform([spelling])], format="csr")
        alike = self._nearest((characters @ self._spellings.T).toarray())
        words = WEIGHTS["spelling"] * alike + WEIGHTS["words"] * self._word_overlap(spelling)
        topic = self._topic_by_spelling.predict(by_spelling)[0][self._topic_of_entry]
        quick = words + WEIGHTS["meaning"] * alike + WEIGHTS["topic"] * topic
        best, second = np.partition(quick, -2)[-2:][::-1]
        if best >= QUICK_FROM and best - second >= QUICK_LEAD:
            return np.asarray(quick)
        vector = self._centred(self._encoder.encode([question]))
        features = hstack([csr_matrix(vector), by_spelling], format="csr")
        topic = self._topic_by_meaning.predict(features)[0][self._topic_of_entry]
        return np.asarray(words + WEIGHTS["meaning"] * self._nearest(vector @ self._vectors.T) + WEIGHTS["topic"] * topic)

    def _centred(self, vectors: Vectors) -> Vectors:
        centred = vectors - self._mean
        return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def _nearest(self, similarity: npt.NDArray[Any]) -> Scores:
        """Of each entry, from the similarities to all variants, shape (1, variants): the nearest counts most."""
        scores = np.empty(len(self.entries))
        for number, group in enumerate(np.split(similarity[0].astype(np.float64), self._starts[1:])):
            best = np.sort(group)[::-1][:BEST_OF]
            scores[number] = 0.7 * best[0] + 0.3 * best.mean()
        return scores

    def _word_overlap(self, spelling: str) -> Scores:
        """BM25 of each entry, scaled so that the best has 1 where every word is known."""
        tokens = [word for word in spelling.split() if word in self._words.vocab_dict]
        if not tokens:
            return np.zeros(len(self.entries))
        scores = np.asarray(self._words.get_scores(tokens), dtype=np.float64)
        return np.asarray(scores / max(scores.max(), 1e-9) * len(tokens) / max(len(spelling.split()), 1))


class Knowledge:
    def __init__(self, folder: Path, encoder: CachingEncoder) -> None:
        self._folder = folder
        self._encoder = encoder
        self._lock = threading.Lock()
        self._state: tuple[tuple[str, int], ...] = ()
        self.errors: list[KnowledgeError] = []
        self._index = self._load()

    def _load(self) -> _Index:
        self._state = self._folder_state()
        entries, self.errors = read_all(self._folder)
        for error in self.errors:
            log.error("a knowledge file needs mending", problem=str(error))
        if not entries:
            raise KnowledgeError(f"no usable knowledge file in {self._folder}")
        return _Index(entries, self._encoder)

    def _folder_state(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted((path.name, path.stat().st_mtime_ns) for path in self._folder.glob("*.md")))

    def reload_if_changed(self) -> bool:
        """Read the files again when one was added, changed or removed. Where nothing is usable the old state stays."""
        with self._lock:
            if self._folder_state() == self._state:
                return False
            try:
                self._index = self._load()
            except KnowledgeError as error:
                log.error("the knowledge was not reloaded", problem=str(error))
                return False
        return True

    @property
    def entries(self) -> list[Entry]:
        return self._index.entries

    def entry(self, entry_id: str) -> Entry | None:
        return self._index.by_id.get(entry_id)

    def find(self, question: str, last_topic: str | None = None) -> Finding:
        """The entries that answer `question`; a follow-up without a name in it leans towards `last_topic`."""
        index = self._index
        scores = index.scores(question)
        if last_topic is not None and len(question.split()) <= FOLLOW_UP_WORDS:
            with_subject = index.scores(f"{question} {last_topic.replace('_', ' ')}")
            scores = (2 * scores + with_subject) / 3 + SAME_TOPIC_BONUS * (index.topics == last_topic)
        return self._judge(index, scores)

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
