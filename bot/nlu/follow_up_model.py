"""Tells what a message is after what was said: whether it leans on that, and how. Without Rasa.

One logistic regression reads the sentence vector and the parts of the words of a message, each of them twice: as after anything,
and as after this kind of thing said. So what is alike after all of them is learned from all (Daumé 2007, "Frustratingly Easy
Domain Adaptation").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from bot.nlu.intent_model import WORD, Ngrams
from services.encoder import CachingEncoder, Vectors, directions
from services.follow_up_search import FollowUp
from services.follow_ups import After, Meant

Numbers = npt.NDArray[np.float64]
C = 3.0
"""Inverse strength of the regularisation."""


class FollowUpModel:
    def fit(self, examples: Sequence[FollowUp], spellings: Sequence[str], encoder: CachingEncoder) -> FollowUpModel:
        """`spellings`: the examples' texts as services/spelling.py writes them."""
        self._afters = sorted({one.last.after for one in examples})
        self._parts = Ngrams(analyzer="char_wb", ngram_range=(2, 4))
        self._words = Ngrams(ngram_range=(1, 2), token_pattern=WORD)
        by_spelling = hstack([self._parts.fit(spellings), self._words.fit(spellings)], format="csr")
        vectors = encoder.encode_parts_and_keep([one.text for one in examples])[:, 0]
        self._mean: Vectors = vectors.mean(axis=0)
        rows = hstack([csr_matrix(directions(vectors, self._mean)), by_spelling], format="csr")
        regression = LogisticRegression(C=C, max_iter=500, tol=1e-3)
        regression.fit(self._twice(rows, [one.last.after for one in examples]), [one.meant for one in examples])
        self.labels = [Meant(label) for label in regression.classes_]
        shared, *special = np.split(np.ascontiguousarray(regression.coef_.T, dtype=np.float32), len(self._afters) + 1)
        self._weights = {after: shared + own for after, own in zip(self._afters, special, strict=True)}
        self._bias = regression.intercept_
        self._possible = {
            after: np.array([any(one.last.after is after and one.meant is label for one in examples) for label in self.labels])
            for after in self._afters
        }
        return self

    def _twice(self, rows: csr_matrix, afters: Sequence[After]) -> csr_matrix:
        places = np.array([self._afters.index(after) for after in afters])
        blocks = [rows, *(rows.multiply((places == place)[:, None]) for place in range(len(self._afters)))]
        return hstack(blocks, format="csr")

    def probabilities(self, after: After, text: str, spelling: str, encoder: CachingEncoder) -> dict[Meant, float]:
        """Of each thing that the message may be after `after`; they sum to 1. Empty where nothing was learned about that."""
        weights = self._weights.get(after)
        if weights is None:
            return {}
        vector = directions(encoder.encode([text]), self._mean)[0]
        parts, part_values = self._parts.row(spelling)
        words, word_values = self._words.row(spelling)
        first = len(vector)
        decision = vector @ weights[:first] + part_values @ weights[first + parts]
        decision = decision + word_values @ weights[first + self._parts.size + words] + self._bias
        likely: Numbers = softmax(np.where(self._possible[after], decision, -np.inf))
        return {label: float(p) for label, p in zip(self.labels, likely, strict=True) if p > 0}
