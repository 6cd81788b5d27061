"""Weighs the terms of texts, and takes in further texts later without weighing the earlier ones again.

`TermVectors` is TF-IDF, `WordScores` BM25. Both count in how many texts a term stands when they are made; texts that come later are
weighed by those counts, and terms that come with them by their own.
"""

from __future__ import annotations

import copy
import itertools
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from services.terms import WORDS, Terms

Places = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]
UNKNOWN = -1
"""The place of a term without one."""


class TermVectors:
    """TF-IDF with 1 + log of a term's count and rows of length 1, as scikit-learn's `TfidfVectorizer(sublinear_tf=True)` has it."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._places: dict[str, int] = {}
        self._texts = 0
        self._idf: Weights = np.zeros(0, np.float32)

    @classmethod
    def fitted(cls, terms: Terms, texts: Sequence[str], beyond: Sequence[str] = ()) -> tuple[TermVectors, csr_matrix, csr_matrix]:
        """Made of `texts`, with the terms of those `beyond` in further columns; and the rows of both, shape (texts, terms)."""
        made = cls(terms)
        made._texts = len(texts)
        counted = made._count(texts, learn=True)
        made._idf = made._idf_of(counted)
        rows = made._weighed(counted)
        counted = made._count(beyond, learn=True)
        made._take_in(counted)
        return made, csr_matrix((rows.data, rows.indices, rows.indptr), (len(texts), len(made._places))), made._weighed(counted)

    def rows(self, texts: Sequence[str]) -> csr_matrix:
        """Shape (texts, terms); terms that are not known are left out."""
        return self._weighed(self._count(texts, learn=False))

    def with_terms_of(self, texts: Sequence[str]) -> TermVectors:
        """One that knows the terms of `texts`, too, in further columns."""
        twin = copy.copy(self)
        twin._places = dict(self._places)
        twin._take_in(twin._count(texts, learn=True))
        return twin

    def _count(self, texts: Sequence[str], *, learn: bool) -> csr_matrix:
        return _count(map(self._terms.units, texts), self._terms, self._places, learn=learn)

    def _take_in(self, counted: csr_matrix) -> None:
        """The terms in the columns that are new are as rare as `counted` has them."""
        self._idf = np.append(self._idf, self._idf_of(counted)[len(self._idf) :])

    def _idf_of(self, counted: csr_matrix) -> Weights:
        texts = np.bincount(counted.indices, minlength=counted.shape[1])
        return np.asarray(np.log((1 + self._texts) / (1 + texts)) + 1, dtype=np.float32)

    def _weighed(self, counted: csr_matrix) -> csr_matrix:
        data = (1 + np.log(counted.data)) * self._idf[counted.indices]
        rows = np.repeat(np.arange(counted.shape[0]), np.diff(counted.indptr))
        lengths = np.sqrt(np.bincount(rows, weights=data * data, minlength=counted.shape[0]))
        return csr_matrix((np.asarray(data / lengths[rows], dtype=np.float32), counted.indices, counted.indptr), counted.shape)


class WordScores:
    """BM25 as Lucene has it, of documents against the words of a question."""

    REPETITION, LENGTH = 1.5, 0.75
    """The usual parameters, k1 and b."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self._places: dict[str, int] = {}
        counted = _count(documents, WORDS, self._places, learn=True)
        self._documents = len(documents)
        self._usual_length = max(counted.sum() / len(documents), 1.0)
        self._idf = self._idf_of(counted)
        self._by_word = transposed(self._weighed(counted))

    def with_documents(self, order: Places, fresh: Sequence[Sequence[str]]) -> WordScores:
        """The documents at these places, counted on into `fresh`, in this order."""
        twin = copy.copy(self)
        twin._places = dict(self._places)
        counted = _count(fresh, WORDS, twin._places, learn=True)
        twin._idf = np.append(self._idf, self._idf_of(counted)[len(self._idf) :])
        twin._by_word = transposed(taken(transposed(self._by_word), twin._weighed(counted), order))
        return twin

    def of(self, words: Iterable[str]) -> tuple[npt.NDArray[np.float64], int]:
        """A score of each document, and how many of the words any of them knows."""
        places = [self._places[word] for word in words if word in self._places]
        scores = np.zeros(self._by_word.shape[1])
        for place in places:
            start, end = self._by_word.indptr[place : place + 2]
            scores[self._by_word.indices[start:end]] += self._by_word.data[start:end]
        return scores, len(places)

    def _idf_of(self, counted: csr_matrix) -> Weights:
        documents = np.bincount(counted.indices, minlength=counted.shape[1])
        return np.asarray(np.log(1 + (self._documents - documents + 0.5) / (documents + 0.5)), dtype=np.float32)

    def _weighed(self, counted: csr_matrix) -> csr_matrix:
        lengths = np.repeat(np.asarray(counted.sum(axis=1)).ravel(), np.diff(counted.indptr))
        dampened = self.REPETITION * (1 - self.LENGTH + self.LENGTH * lengths / self._usual_length)
        data = self._idf[counted.indices] * counted.data / (dampened + counted.data)
        return csr_matrix((np.asarray(data, dtype=np.float32), counted.indices, counted.indptr), counted.shape)


def transposed(rows: csr_matrix) -> csr_matrix:
    return rows.T.tocsr()


def taken(rows: csr_matrix, fresh: csr_matrix, order: Places) -> csr_matrix:
    """The rows at these places, counted on into `fresh`, which may have further columns."""
    data, indices, lengths = [], [], [np.zeros(1, np.int32)]
    for matrix, first, end in _runs(rows, fresh, order):
        stretch = slice(matrix.indptr[first], matrix.indptr[end])
        data.append(matrix.data[stretch])
        indices.append(matrix.indices[stretch])
        lengths.append(np.diff(matrix.indptr[first : end + 1]))
    ends = np.cumsum(np.concatenate(lengths), dtype=np.int32)
    return csr_matrix((np.concatenate(data), np.concatenate(indices), ends), (len(order), fresh.shape[1]))


def taken_dense(rows: Weights, fresh: Weights, order: Places) -> Weights:
    """The same of dense rows, shape (rows, columns), whose columns are as many."""
    return np.concatenate([matrix[first:end] for matrix, first, end in _runs(rows, fresh, order)])


def _runs(rows: Any, fresh: Any, order: Places) -> Iterator[tuple[Any, int, int]]:
    """The places as stretches of one or the other matrix: where little has changed, they are few, and copied at once."""
    count = rows.shape[0]
    breaks = np.flatnonzero((np.diff(order) != 1) | (order[1:] == count)) + 1
    for start, stop in itertools.pairwise([0, *breaks.tolist(), len(order)]):
        first, end = int(order[start]), int(order[stop - 1]) + 1
        yield (rows, first, end) if first < count else (fresh, first - count, end - count)


def _count(texts: Iterable[Sequence[str]], terms: Terms, places: dict[str, int], *, learn: bool) -> csr_matrix:
    """How often each term stands in each text, which is given by its units. With `learn`, terms that are new get the next places."""
    columns, data, ends = array("i"), array("f"), [0]
    of_unit: dict[str, Sequence[int]] = {}
    for units in texts:
        for unit in units:
            if unit not in of_unit:
                found = terms.of(unit)
                of_unit[unit] = [places.setdefault(term, len(places)) if learn else places.get(term, UNKNOWN) for term in found]
        counts = Counter(itertools.chain.from_iterable(map(of_unit.__getitem__, units)))
        counts.pop(UNKNOWN, None)
        columns.extend(counts)
        data.extend(counts.values())
        ends.append(len(columns))
    values = np.frombuffer(data, dtype=np.float32) if data else np.zeros(0, np.float32)
    indices = np.frombuffer(columns, dtype=np.int32) if columns else np.zeros(0, np.int32)
    return csr_matrix((values, indices, np.array(ends, dtype=np.int32)), (len(ends) - 1, len(places)))
