"""One state of the knowledge made ready for search, and the next state made of it in a fraction of the time.

Five scores are added for each entry: the nearest question variants by meaning (sentence vectors) and by spelling (character
n-grams, which forgive typos), the words of the whole entry (BM25), how much the question sounds like the entry's topic
(services/topic_regression.py), and what tells the entry from the others of its topic (services/entry_discriminant.py). Nothing has
to be trained.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from services import shipped_vectors
from services.answerability import Answerability
from services.encoder import CachingEncoder, Vectors, directions
from services.entry_discriminant import EntryDiscriminant
from services.follow_up_search import FollowUpSearch
from services.knowledge_files import TOPICS, Entry
from services.quick_products import QuickProducts
from services.spelling import normalise, normalising_once
from services.spelling_correction import SpellingCorrection
from services.term_vectors import TermVectors, WordScores, taken, taken_dense, transposed
from services.terms import PAIRS, PARTS
from services.topic_regression import TopicRegression

Scores = npt.NDArray[np.float64]
BEST_OF, NEAREST_SHARE = 3, 0.7
"""An entry is as near as its nearest variant, by this share, and as its three nearest in the middle, by the rest."""
LOOKED_AT = 512
"""So many entries, those with the nearest variants, are looked at for their three nearest; of others the nearest alone counts."""
WEIGHTS = {"meaning": 0.33, "spelling": 0.82, "words": 0.58, "topic": 0.82, "apart": 0.1}
SAME_TOPIC_BONUS = 0.35
OWN_SHARE, TOPIC_BONUS_AFTER, ENTRY_BONUS_AFTER = 0.7, 0.3, 0.1
"""The same of a question that is known to leave its subject unsaid, by the words of the question and with a title before it."""
QUICK_FROM, QUICK_LEAD = 1.0, 0.3
FOLLOW_UP_WORDS = 6
"""Only a question this short can be a follow-up that leaves its subject unsaid."""
ANOTHER_FROM = 1.9
"""The score of another topic's entry from which a question is about that one, whatever was said."""
SAME_FROM = 0.9
"""The cosine to a variant from which a question is that variant in other words."""
COMPLETE_FROM = 1.7
"""A score that questions without a subject ("bisa anonim ga") don't reach: the subject is said."""
COMPARED = 128
"""Where there are very many variants: of so many entries they are compared in meaning."""
ALL_COMPARED = 20_000
"""So many variants are all compared; of more, those of `COMPARED` entries, the likeliest by all else and by their middle."""
AXES = 48
"""So many of the main directions are kept of the middle of an entry's variants: enough to tell which are to be compared."""


@dataclass
class Reading:
    """A question as the index sees it."""

    text: str
    spelling: str
    characters: csr_matrix
    pairs: csr_matrix
    vector: Vectors | None = None
    """Made where the spelling is not enough."""


class Index:
    """Immutable once made."""

    def __init__(self, entries: dict[str, Entry], encoder: CachingEncoder, unanswerable: list[str] | None = None) -> None:
        """`unanswerable`: questions that no entry answers, for `doubt`; without any there is none."""
        self._encoder, self._unanswerable = encoder, unanswerable or []
        self.changed = 0
        self._lay_out(entries)
        with normalising_once():
            self._make()

    def _make(self) -> None:
        encoder, unanswerable = self._encoder, self._unanswerable
        examples = _examples(self.entries)
        vectors = encoder.encode_and_keep(examples)
        self.mean: Vectors = vectors.mean(axis=0)
        self._vectors = directions(vectors, self.mean)
        self._centres = _centres(self._vectors, self._starts)
        self._cosines = self._quick_cosines()
        self._apart = EntryDiscriminant(self._vectors, self._centres, np.diff(self._starts))
        self._axes = _main_axes(self._centres)
        self._short_centres = self._centres @ self._axes
        spellings, documents = [normalise(text) for text in examples], _documents(self.entries)
        self._correction = SpellingCorrection([*spellings, *_answers(self.entries)])
        spellings = [self._correction.correct(spelling) for spelling in spellings]
        beyond = [self._correction.correct(normalise(text)) for text in unanswerable]
        self._characters, self._character_rows, *rows_beyond = TermVectors.fitted(PARTS, spellings, beyond)
        self._pairs, self._pair_rows, pairs_beyond = TermVectors.fitted(PAIRS, spellings, beyond)
        self._by_characters = transposed(self._character_rows)
        signs, by_spelling = self._signs(), [self._character_rows, self._pair_rows]
        begun, topics = shipped_vectors.read(encoder.name), len(TOPICS)
        self._topic_by_spelling = TopicRegression(by_spelling, signs, begun.start("spelling", examples, topics))
        variants = [self._vectors, *by_spelling]
        self._topic_by_meaning = TopicRegression(variants, signs, begun.start("meaning", examples, topics))
        self._words = WordScores(documents)
        self._answerability = None
        if unanswerable:
            vectors = directions(encoder.encode_and_keep(unanswerable), self.mean)
            start = begun.start("answerability", [*unanswerable, *examples], 1)
            self._answerability = Answerability((vectors, *rows_beyond, pairs_beyond), variants, start)

    def solutions(self) -> dict[str, dict[str, Vectors]]:
        """Of each regression the numbers of each text, for services/shipped_vectors.py."""
        examples = _examples(self.entries)
        solved = {"spelling": (examples, self._topic_by_spelling), "meaning": (examples, self._topic_by_meaning)}
        if self._answerability:
            solved["answerability"] = ([*self._unanswerable, *examples], self._answerability.regression)
        return {name: dict(zip(texts, found.numbers, strict=True)) for name, (texts, found) in solved.items()}

    def with_entries(self, entries: dict[str, Entry]) -> Index:
        """The index of `entries`, made of this one: what they have in common with it is kept as it is.

        What is counted over all texts (how rare a term is, the mean of the vectors) stays what it was when an index was last made from
        nothing; `changed` counts the question variants that came or went since. Equal entries are recognised at no cost where they are
        the same objects.
        """
        gone = [entry for entry in self.entries if entry is not entries.get(entry.id) and entry != entries.get(entry.id)]
        left_out = {entry.id for entry in gone}
        fresh = [entry for entry in entries.values() if entry.id in left_out or entry.id not in self.by_id]
        twin = copy.copy(self)
        twin._lay_out(entries)
        order, documents, texts = self._order_of(twin.entries, {entry.id for entry in fresh})
        gone_rows = np.flatnonzero(np.bincount(order, minlength=self.variants)[: self.variants] == 0)
        twin.changed = self.changed + len(gone_rows) + len(texts)
        vectors = self._encoder.encode_and_keep(texts) if texts else np.zeros((0, self._vectors.shape[1]), np.float32)
        twin._vectors = taken_dense(self._vectors, directions(vectors, self.mean), order)
        twin._cosines = twin._quick_cosines()
        rows_of_fresh = [row for entry in fresh for row in twin._rows_of[entry.id]]
        centres = _centres(twin._vectors[rows_of_fresh], _starts(fresh))
        twin._centres = taken_dense(self._centres, centres, documents)
        twin._short_centres = taken_dense(self._short_centres, centres @ self._axes, documents)
        twin._apart = self._apart.with_centres(centres, documents)
        said, before = ([*map(normalise, _examples(some)), *_answers(some)] for some in (fresh, gone))
        twin._correction = self._correction.with_texts(said, before)
        spellings = [twin._correction.correct(normalise(text)) for text in texts]
        twin._characters, twin._pairs = self._characters.with_terms_of(spellings), self._pairs.with_terms_of(spellings)
        characters, pairs = twin._characters.rows(spellings), twin._pairs.rows(spellings)
        lost = [self._character_rows[gone_rows], self._pair_rows[gone_rows]]
        twin._character_rows, twin._pair_rows = taken(self._character_rows, characters, order), taken(self._pair_rows, pairs, order)
        twin._by_characters, by_spelling = transposed(twin._character_rows), [twin._character_rows, twin._pair_rows]
        signs = twin._signs()
        twin._topic_by_spelling = self._topic_by_spelling.with_rows(order, (gone_rows, lost), by_spelling, signs)
        lost, by_meaning = [self._vectors[gone_rows], *lost], [twin._vectors, *by_spelling]
        twin._topic_by_meaning = self._topic_by_meaning.with_rows(order, (gone_rows, lost), by_meaning, signs)
        if self._answerability:
            twin._answerability = self._answerability.with_variants(order, (gone_rows, lost), by_meaning)
        twin._words = self._words.with_documents(documents, _documents(fresh))
        return twin

    def _lay_out(self, entries: dict[str, Entry]) -> None:
        self.by_id, self.entries = entries, list(entries.values())
        self.topics = np.array([entry.topic for entry in self.entries])
        self._topic_of_entry = np.array([TOPICS.index(entry.topic) for entry in self.entries])
        self._starts = _starts(self.entries)
        ends = self._starts.tolist()
        self._rows_of = {entry.id: range(start, end) for entry, (start, end) in zip(self.entries, pairwise(ends), strict=True)}

    def _order_of(self, entries: Sequence[Entry], fresh: set[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[str]]:
        """Where variants and entries of the next state are found: in this one, and counted on beyond it where they are new.

        The new variants are given, too. Those of a `fresh` entry that this state's entry of the same id and topic has are not new.
        """
        rows: list[Iterable[int]] = []
        places, texts = [], list[str]()
        place_of = {entry.id: place for place, entry in enumerate(self.entries)}
        next_place = len(self.entries)
        for entry in entries:
            if entry.id not in fresh:
                rows.append(self._rows_of[entry.id])
                places.append(place_of[entry.id])
                continue
            before = self.by_id.get(entry.id)
            known = dict(zip(before.examples, self._rows_of[entry.id], strict=True)) if before and before.topic == entry.topic else {}
            own = list[int]()
            for text in entry.examples:
                row = known.pop(text, None)
                if row is None:
                    row = self.variants + len(texts)
                    texts.append(text)
                own.append(row)
            rows.append(own)
            places.append(next_place)
            next_place += 1
        return np.fromiter(chain.from_iterable(rows), dtype=np.int64), np.array(places, dtype=np.int64), texts

    def _signs(self) -> npt.NDArray[np.float64]:
        """Shape (variants, topics): 1 where the variant is of an entry of the topic, else -1."""
        signs = np.where(self._topic_of_entry[:, None] == np.arange(len(TOPICS)), 1.0, -1.0)
        return np.repeat(signs, np.diff(self._starts), axis=0)

    @property
    def variants(self) -> int:
        return int(self._starts[-1])

    def read(self, question: str) -> Reading:
        spelling = self._correction.correct(normalise(question))
        return Reading(question, spelling, self._characters.rows([spelling]), self._pairs.rows([spelling]))

    def scores(self, question: Reading, last_topic: str | None = None, subject: str | None = None) -> Scores:
        """One number an entry, the higher the better; comparable over questions.

        A short question may be a follow-up that leaves unsaid ("gratis ga") its `subject`, by default the words of `last_topic`.
        """
        scores = self._scores(question)
        if last_topic is None or len(question.text.split()) > FOLLOW_UP_WORDS or scores.max() >= COMPLETE_FROM:
            return scores
        with_subject = self._scores(self.read(f"{question.text} {subject or last_topic.replace('_', ' ')}"))
        return np.asarray((2 * scores + with_subject) / 3 + SAME_TOPIC_BONUS * (self.topics == last_topic))

    def doubt(self, question: Reading, near: Sequence[str]) -> float:
        """How much speaks against an answer to `question` by the entries that are `near` to it: services/answerability.py."""
        if self._answerability is None:
            return -np.inf
        vectors = self._vector(question)
        nearest = max(float((self._vectors[self._rows_of[entry]] @ vectors[0]).max()) for entry in near)
        if nearest >= SAME_FROM:
            return -np.inf
        return self._answerability.doubt([vectors, question.characters, question.pairs], nearest)

    def _vector(self, question: Reading) -> Vectors:
        """Shape (1, dimensions), away from the mean; encoded at the first call."""
        if question.vector is None:
            question.vector = directions(self._encoder.encode([question.text]), self.mean)
        return question.vector

    def scores_after(self, question: Reading, said: str, examples: FollowUpSearch | None) -> Scores:
        """As `scores`, of a question that leans on the entry `said` and leaves out its title, unless it names another topic."""
        entry, own = self.by_id[said], self._scores(question)
        same_topic = self.topics == entry.topic
        if own.max() >= ANOTHER_FROM and not same_topic[own.argmax()]:
            return own
        with_title = self._scores(self.read(f"{question.text} {entry.facts.title.id}"))
        told = OWN_SHARE * own + (1 - OWN_SHARE) * with_title + TOPIC_BONUS_AFTER * same_topic
        told[self.entries.index(entry)] += ENTRY_BONUS_AFTER
        if examples is None:
            return np.asarray(told)
        ids = [one.id for one in self.entries]
        near = [one for one, same in zip(ids, same_topic, strict=True) if same]
        return np.asarray(told + examples.scores(question.text, near, {one: place for place, one in enumerate(ids)}))

    def _scores(self, question: Reading) -> Scores:
        """Where the spelling alone points at one entry, the sentence is not encoded; its meaning counts as much as its spelling."""
        characters, by_spelling = question.characters, [question.characters, question.pairs]
        alike = _nearest(self._by_characters[characters.indices].T @ characters.data, self._starts)
        words = WEIGHTS["spelling"] * alike + WEIGHTS["words"] * self._word_overlap(question.spelling)
        topic = self._topic_by_spelling.predict(by_spelling)[self._topic_of_entry]
        quick = words + WEIGHTS["spelling"] * alike + WEIGHTS["topic"] * topic
        best, second = _two_best(quick)
        if best >= QUICK_FROM and best - second >= QUICK_LEAD:
            return np.asarray(quick)
        vector = self._vector(question)
        topic = self._topic_by_meaning.predict([vector, *by_spelling])[self._topic_of_entry]
        words = words + WEIGHTS["topic"] * topic
        words = words + WEIGHTS["apart"] * self._apart.behind(vector[0])
        return np.asarray(words + WEIGHTS["meaning"] * self._meanings(vector[0], words))

    def _quick_cosines(self) -> QuickProducts | None:
        """Of a question to all variants; None where these are too many."""
        return QuickProducts(self._vectors) if len(self._vectors) <= ALL_COMPARED else None

    def _meanings(self, vector: Vectors, scores: Scores) -> Scores:
        """Of each entry, how near its variants are in meaning; of unlikely ones of very many, how near the middle of them is."""
        if self._cosines:
            return _nearest(self._cosines.of(vector[None])[0], self._starts)
        near = np.asarray(self._short_centres @ (vector @ self._axes), dtype=np.float64)
        likely = np.sort(np.argpartition(-(scores + near), COMPARED)[:COMPARED])
        rows, starts = _members(likely, self._starts)
        near[likely] = _nearest(self._vectors[rows] @ vector, starts)
        return near

    def _word_overlap(self, spelling: str) -> Scores:
        """BM25 of each entry, scaled so that the best has 1 where every word is known."""
        words = spelling.split()
        scores, known = self._words.of(words)
        return np.asarray(scores / max(scores.max(), 1e-9) * known / max(len(words), 1))


def _examples(entries: Iterable[Entry]) -> list[str]:
    return [text for entry in entries for text in entry.examples]


def _answers(entries: Iterable[Entry]) -> list[str]:
    return [normalise(text) for entry in entries for text in entry.answers.values()]


def _starts(entries: Sequence[Entry]) -> npt.NDArray[np.int64]:
    """Where the variants of each entry begin, and where all end."""
    return np.concatenate([[0], np.cumsum([len(entry.examples) for entry in entries], dtype=np.int64)])


def _centres(vectors: Vectors, starts: npt.NDArray[np.int64]) -> Vectors:
    """The mean of the variants of each entry."""
    if not len(vectors):
        return vectors
    return np.asarray(np.add.reduceat(vectors, starts[:-1], axis=0) / np.diff(starts)[:, None], dtype=np.float32)


def _main_axes(vectors: Vectors) -> Vectors:
    """Shape (dimensions, `AXES`): the directions in which the vectors reach farthest."""
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    return np.asarray(axes[:, -AXES:], dtype=np.float32)


def _documents(entries: Iterable[Entry]) -> list[list[str]]:
    return [[word for text in [*entry.examples, *entry.answers.values()] for word in normalise(text).split()] for entry in entries]


def _two_best(scores: Scores) -> tuple[float, float]:
    if len(scores) == 1:
        return float(scores[0]), float("-inf")
    second, best = np.partition(scores, -2)[-2:]
    return float(best), float(second)


def _members(entries: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of the entries at these places the rows of their variants; and where those of each begin among them, and where all end."""
    sizes = np.diff(starts)[entries]
    begins = np.concatenate([[0], np.cumsum(sizes)])
    return np.arange(begins[-1]) + np.repeat(starts[entries] - begins[:-1], sizes), begins


def _nearest(similarity: npt.NDArray[Any], starts: npt.NDArray[np.int64]) -> Scores:
    """Of each entry, from the similarities of its variants, which begin at `starts`: the nearest counts most.

    Every entry has at least `BEST_OF` variants: two titles, and the questions that services/knowledge_files.py asks for.
    """
    best = np.maximum.reduceat(similarity, starts[:-1])
    score = best * (NEAREST_SHARE + (1 - NEAREST_SHARE) / BEST_OF)
    likely = np.argpartition(-best, LOOKED_AT)[:LOOKED_AT] if len(best) > LOOKED_AT else np.arange(len(best))
    rows, begins = _members(likely, starts)
    owner = np.repeat(np.arange(len(likely)), np.diff(begins))
    left = similarity[rows]
    nearest = total = best[likely]
    for _ in range(BEST_OF - 1):
        hits = np.flatnonzero(left == nearest[owner])
        left[hits[np.flatnonzero(np.diff(owner[hits], prepend=-1))]] = -np.inf
        nearest = np.maximum.reduceat(left, begins[:-1])
        total = total + nearest
    score[likely] = NEAREST_SHARE * best[likely] + (1 - NEAREST_SHARE) * total / BEST_OF
    return np.asarray(score, dtype=np.float64)
