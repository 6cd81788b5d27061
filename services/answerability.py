"""Tells a question that no entry answers from one that an entry does, though both speak of the same things.

"Berapa lama magang" is answered; "kampus mana yang paling banyak mengirim peserta magang" is not, and the search finds the same
entries for both. What tells them apart is learned from data/unanswerable.csv: a ridge regression sets such questions against the
variants of all entries, and their nearness to the question is weighed against that of the nearest variant.
"""

from __future__ import annotations

import copy
import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from services.quick_products import QuickProducts
from services.settings import PROJECT
from services.topic_regression import Blocks, Matrix, Places, Stacked, TopicRegression

FILE = PROJECT / "data" / "unanswerable.csv"


def read(path: Path = FILE) -> list[str]:
    """Questions about the ministry that no entry answers. Columns text and author."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


class Answerability:
    def __init__(self, unanswerable: Blocks, variants: Blocks, start: Matrix | None = None) -> None:
        """Of both the sentence vectors, of length 1 and away from one mean, and the rows by parts of words and by words.

        `start`: as that of `TopicRegression`, of the unanswerable questions first.
        """
        self._vectors, *self._rows = unanswerable
        self._cosines = QuickProducts(self._vectors)
        self.regression = TopicRegression([block.whole() for block in self._with(variants)], self._signs(variants), start)

    def _with(self, variants: Blocks) -> list[Stacked]:
        """Blocks of the unanswerable questions first, then of the variants."""
        rows = [
            csr_matrix((own.data, own.indices, own.indptr), (own.shape[0], block.shape[1]))
            for own, block in zip(self._rows, variants[1:], strict=True)
        ]
        return [Stacked(own, block) for own, block in zip([self._vectors, *rows], variants, strict=True)]

    def _signs(self, variants: Blocks) -> npt.NDArray[np.float64]:
        signs: npt.NDArray[np.float64] = np.concatenate([np.ones(len(self._vectors)), -np.ones(variants[0].shape[0])])
        return signs[:, None]

    def with_variants(self, order: Places, gone: tuple[Places, Blocks], variants: Blocks) -> Answerability:
        """The same for other variants; arguments as those of `TopicRegression.with_rows`."""
        first, twin = len(self._vectors), copy.copy(self)
        moved = np.concatenate([np.arange(first), order + first])
        twin.regression = self.regression.with_rows(moved, (gone[0] + first, gone[1]), self._with(variants), self._signs(variants))
        return twin

    def doubt(self, blocks: Blocks, nearest: float) -> float:
        """How much speaks against an answer to a question, the more the greater, between about -3 and 2.

        `blocks`: its vector and its rows. `nearest`: its cosine to the nearest variant.
        """
        likely = self.regression.predict(blocks)[0]
        return float(likely + self._cosines.of(blocks[0]).max() - nearest)
