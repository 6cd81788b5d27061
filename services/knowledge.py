"""Finds the reviewed answer to a question, or says that there is none, or offers the two or three nearest.

A question is compared with every question variant and title (sentence vectors: meaning over languages and paraphrases),
with the words of the entries (BM25) and with the names in them (rapidfuzz: typos). The three scores are added; thresholds
were calibrated on the variants themselves, each left out once (`sapa evaluate`, docs/knowledge.md).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt
import structlog
from rapidfuzz import fuzz, process

from services.encoder import CachingEncoder, Vectors
from services.knowledge_files import Entry, KnowledgeError, read_all
from services.spelling import normalise

log = structlog.get_logger(__name__)
Scores = npt.NDArray[np.float64]

BEST_OF = 3
WEIGHTS = {"meaning": 1.0, "words": 0.35, "names": 0.25}
ANSWER_FROM, OFFER_FROM, CLEAR_LEAD = 0.62, 0.45, 0.04
SAME_TOPIC_BONUS = 0.06


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
    def best(self) -> Entry | None:
        return self.hits[0].entry if self.hits else None


class _Index:
    """One state of the knowledge, immutable once made."""

    def __init__(self, entries: dict[str, Entry], encoder: CachingEncoder) -> None:
        self.entries = list(entries.values())
        self.by_id = entries
        self.topics = np.array([entry.topic for entry in self.entries])
        examples = [(number, text) for number, entry in enumerate(self.entries) for text in entry.examples()]
        self.owner = np.array([number for number, _ in examples])
        vectors = encoder.encode_and_keep([text for _, text in examples])
        self.mean = vectors.mean(axis=0)
        self.vectors = self._centred(vectors)
        self.starts = np.searchsorted(self.owner, np.arange(len(self.entries)))
        self.spellings = [normalise(text) for _, text in examples]
        self.words = bm25s.BM25()
        documents = [" ".join(normalise(text) for text in [*entry.examples(), *entry.answers.values()]) for entry in self.entries]
        self.words.index([text.split() for text in documents], show_progress=False)

    def _centred(self, vectors: Vectors) -> Vectors:
        centred = vectors - self.mean
        return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def meaning(self, vector: Vectors, leave_out: int | None = None) -> Scores:
        """Of each entry: the mean similarity of its nearest variants, the nearest counting most."""
        similarity = (self.vectors @ self._centred(vector[None, :])[0]).astype(np.float64)
        if leave_out is not None:
            similarity[leave_out] = -1.0
        scores = np.empty(len(self.entries))
        for number, group in enumerate(np.split(similarity, self.starts[1:])):
            best = np.sort(group)[::-1][:BEST_OF]
            scores[number] = 0.7 * best[0] + 0.3 * best.mean()
        return scores

    def word_overlap(self, spelling: str) -> Scores:
        """BM25 of each entry, scaled so that the best has 1."""
        tokens = [word for word in spelling.split() if word in self.words.vocab_dict]
        if not tokens:
            return np.zeros(len(self.entries))
        scores = np.asarray(self.words.get_scores(tokens), dtype=np.float64)
        return np.asarray(scores / max(scores.max(), 1e-9) * len(tokens) / max(len(spelling.split()), 1))

    def names(self, spelling: str, leave_out: int | None = None) -> Scores:
        """Of each entry: how well the spelling of its nearest variant agrees, typos forgiven."""
        ratios = process.cdist([spelling], self.spellings, scorer=fuzz.token_set_ratio)[0].astype(np.float64) / 100
        if leave_out is not None:
            ratios[leave_out] = 0.0
        return np.asarray(np.maximum.reduceat(ratios, self.starts))


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
            log.error("a knowledge file is left out", problem=str(error))
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
        scores = self._score(index, question)
        if last_topic is not None:
            scores = scores + SAME_TOPIC_BONUS * (index.topics == last_topic)
        return self._judge(index, scores)

    def _score(self, index: _Index, question: str, leave_out: int | None = None) -> Scores:
        spelling = normalise(question)
        return np.asarray(
            WEIGHTS["meaning"] * index.meaning(self._encoder.encode([question])[0], leave_out)
            + WEIGHTS["words"] * index.word_overlap(spelling)
            + WEIGHTS["names"] * index.names(spelling, leave_out)
        )

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

    def scores_of_variants(self) -> Sequence[tuple[str, Scores]]:
        """For calibration: each question variant's entry id, and all scores with that variant left out."""
        index = self._index
        texts = [text for entry in index.entries for text in entry.examples()]
        return [
            (index.entries[index.owner[number]].id, self._score(index, text, leave_out=number))
            for number, text in enumerate(texts)
        ]
