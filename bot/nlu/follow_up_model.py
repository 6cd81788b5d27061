"""Tells what a message is after what was said: whether it leans on that, and how. Without Rasa.

Two logistic regressions, of which the second is asked where the first is not sure: one reads the words of a message and their parts,
the other also its sentence vector. Both read each feature twice: as after anything, and as after this kind of thing said. So what is
alike after all of them is learned from all (Daumé 2007, "Frustratingly Easy Domain Adaptation").
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from scipy.special import softmax

from bot.nlu.intent_model import Ngrams
from services.encoder import CachingEncoder, Vectors, directions
from services.follow_up_search import FollowUp
from services.follow_ups import After, Meant
from services.terms import parts_of_words, words_and_pairs

Numbers = npt.NDArray[np.float32]
C = 3.0
"""Inverse strength of the regularisation."""
LONGEST_PART = 4
"""Letters of a part of a word."""
SURE = 0.85
"""Probability by the words alone from which the sentence is not encoded: docs/understanding.md."""


class Regression:
    """Of the features of a message, after each kind of thing said."""

    def __init__(self, rows: csr_matrix, examples: Sequence[FollowUp]) -> None:
        """`rows`: shape (examples, features)."""
        from sklearn.linear_model import LogisticRegression

        kinds = sorted({one.last.after for one in examples})
        afters = np.array([kinds.index(one.last.after) for one in examples])
        special = [rows.multiply((afters == place)[:, None]) for place in range(len(kinds))]
        regression = LogisticRegression(C=C, max_iter=500, tol=1e-3)
        regression.fit(hstack([rows, *special], format="csr"), [one.meant for one in examples])
        self._labels = [Meant(label) for label in regression.classes_]
        shared, *own = np.split(np.ascontiguousarray(regression.coef_.T, dtype=np.float32), len(kinds) + 1)
        self.weights = {after: shared + weights for after, weights in zip(kinds, own, strict=True)}
        seen = {(one.last.after, one.meant) for one in examples}
        possible = {after: np.array([(after, label) in seen for label in self._labels]) for after in kinds}
        self._bias = {after: np.where(possible[after], regression.intercept_, -np.inf) for after in kinds}

    def probabilities(self, after: After, decision: Numbers) -> dict[Meant, float]:
        """Of each thing that was learned to be meant after that, from features times weights; they sum to 1."""
        likely = softmax(decision + self._bias[after])
        return {label: float(p) for label, p in zip(self._labels, likely, strict=True) if p > 0}


class FollowUpModel:
    def fit(self, examples: Sequence[FollowUp], spellings: Sequence[str], encoder: CachingEncoder) -> FollowUpModel:
        """`spellings`: the examples' texts as services/spelling.py writes them."""
        self._parts = Ngrams(partial(parts_of_words, longest=LONGEST_PART))
        self._words = Ngrams(words_and_pairs)
        by_spelling = hstack([self._parts.fit(spellings), self._words.fit(spellings)], format="csr")
        vectors = encoder.encode_parts_and_keep([one.text for one in examples])[:, 0]
        self._mean: Vectors = vectors.mean(axis=0)
        self._by_spelling = Regression(by_spelling, examples)
        self._by_all = Regression(hstack([by_spelling, csr_matrix(directions(vectors, self._mean))], format="csr"), examples)
        return self

    def probabilities(self, after: After, text: str, spelling: str, encoder: CachingEncoder) -> dict[Meant, float]:
        """Of each thing that the message may be after `after`; they sum to 1. Empty where nothing was learned about that."""
        if after not in self._by_spelling.weights:
            return {}
        parts, part_values = self._parts.row(spelling)
        words, word_values = self._words.row(spelling)

        def counted(weights: Numbers) -> Numbers:
            return np.asarray(part_values @ weights[parts] + word_values @ weights[self._parts.size + words])

        quick = self._by_spelling.probabilities(after, counted(self._by_spelling.weights[after]))
        if max(quick.values()) >= SURE:
            return quick
        weights = self._by_all.weights[after]
        vector = directions(encoder.encode([text]), self._mean)[0]
        return self._by_all.probabilities(after, counted(weights) + vector @ weights[-len(vector) :])
