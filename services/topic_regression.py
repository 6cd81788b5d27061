"""Tells how much a sentence sounds like each topic: a ridge regression that is solved in a second and mended in less.

It is solved in its dual form, one number a row and topic, by conjugate gradients for all topics at once. When some rows are replaced,
they go on from the present solution.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack

from services.term_vectors import transposed

Matrix = npt.NDArray[np.float32]
Blocks = Sequence[Any]
"""Features of the same rows side by side, each block a dense or a sparse matrix, or for `with_rows` a `Stacked` one."""
Places = npt.NDArray[np.int64]
PENALTY = 1.0
TOLERANCE = 1e-2
"""The residual that is left, as a share of what there was to explain."""
MOST_STEPS = 200
SOLVED_ANEW = 2_000
"""Rows that are solved again when some are replaced."""


class Stacked:
    """A block made of two, one above the other, of which nothing is copied but the rows that are asked for."""

    def __init__(self, upper: Any, lower: Any) -> None:
        self._upper, self._lower = upper, lower
        self.shape = upper.shape[0] + lower.shape[0], lower.shape[1]

    def __getitem__(self, places: Places) -> Any:
        """The rows at `places`, which ascend."""
        count = self._upper.shape[0]
        cut = np.searchsorted(places, count)
        return Stacked(self._upper[places[:cut]], self._lower[places[cut:] - count]).whole()

    def __matmul__(self, vector: Matrix) -> Matrix:
        return np.concatenate([self._upper @ vector, self._lower @ vector])

    def whole(self) -> Any:
        """As one matrix."""
        both = [self._upper, self._lower]
        return np.concatenate(both) if isinstance(self._upper, np.ndarray) else vstack(both, format="csr")


class _Centred:
    """Blocks of features from which the means of their columns are taken away, without making sparse ones dense."""

    def __init__(self, blocks: Blocks, means: list[Matrix]) -> None:
        self._blocks = [_Dense(block) if isinstance(block, np.ndarray) else _Sparse(block) for block in blocks]
        self._means = means
        self._along_means: Any = sum(block @ mean for block, mean in zip(self._blocks, means, strict=True))
        self._square = sum(float(mean @ mean) for mean in means)

    def rows_at(self, weights: Sequence[Matrix]) -> Matrix:
        """Centred features times weights."""
        whole = sum(block @ weight for block, weight in zip(self._blocks, weights, strict=True))
        return np.asarray(whole - sum(mean @ weight for mean, weight in zip(self._means, weights, strict=True)), dtype=np.float32)

    def columns_at(self, numbers: Matrix) -> list[Matrix]:
        """Centred features, transposed, times one number a row and topic."""
        total = numbers.sum(axis=0)
        pairs = zip(self._blocks, self._means, strict=True)
        return [np.asarray(block.columns_at(numbers) - np.outer(mean, total), dtype=np.float32) for block, mean in pairs]

    def kernel_at(self, numbers: Matrix) -> Matrix:
        """`rows_at(columns_at(numbers))`, without what is as long as the columns are many and not sparse."""
        total = numbers.sum(axis=0)
        whole = sum(block.kernel_at(numbers) for block in self._blocks)
        means = np.outer(self._along_means, total) + self._along_means @ numbers - self._square * total
        return np.asarray(whole - means, dtype=np.float32)


class TopicRegression:
    def __init__(self, blocks: Blocks, signs: npt.NDArray[np.float64], start: Matrix | None = None) -> None:
        """`signs`, shape (rows, topics), has 1 where the row is of the topic and else -1.

        `start`: what `numbers` were for much the same rows. It saves time and may be anything.
        """
        self._means = [np.asarray(block.mean(axis=0), dtype=np.float32).ravel() for block in blocks]
        self._usual = signs.mean(axis=0)
        features = _Centred(blocks, self._means)
        wanted = np.asarray(signs - self._usual, dtype=np.float32)
        self.numbers = np.zeros_like(wanted) if start is None else start
        """Of each row for each topic: the weights are the sum of the rows' features times these."""
        left = wanted - features.kernel_at(self.numbers) - PENALTY * self.numbers
        self.numbers = self.numbers + _solve(features, left, _enough(wanted))
        self._weights = features.columns_at(self.numbers)
        self._bias = self._bias_now()

    def predict(self, blocks: Blocks) -> npt.NDArray[np.float64]:
        """One number a topic, for one row."""
        return np.asarray(sum((block @ weight)[0] for block, weight in zip(blocks, self._weights, strict=True)) + self._bias)

    def with_rows(self, order: Places, gone: tuple[Places, Blocks], blocks: Blocks, signs: npt.NDArray[np.float64]) -> TopicRegression:
        """The rows at these places, counted on beyond the present ones into new ones; without `gone`, their places and features.

        `blocks` and `signs` are of all rows in the new order; the blocks may have further columns. Solved anew are the rows most like
        those that came or went, up to `SOLVED_ANEW` of them.
        """
        twin = copy.copy(self)
        twin._means = [_longer(mean, block.shape[1]) for mean, block in zip(self._means, blocks, strict=True)]
        twin._weights = [_longer(weight, block.shape[1]) for weight, block in zip(self._weights, blocks, strict=True)]
        places, lost = gone
        for weight, loss in zip(twin._weights, _Centred(lost, self._means).columns_at(self.numbers[places]), strict=True):
            weight[: len(loss)] -= loss
        fresh = np.flatnonzero(order >= len(self.numbers))
        twin.numbers = np.concatenate([self.numbers, np.zeros((len(fresh), signs.shape[1]), np.float32)])[order]
        if not len(fresh) and not len(places):
            return twin
        rows = _most_like(fresh, lost, blocks)
        features = _Centred([block[rows] for block in blocks], twin._means)
        wanted = np.asarray(signs[rows] - self._usual, dtype=np.float32)
        residual = wanted - features.rows_at(twin._weights) - PENALTY * twin.numbers[rows]
        change = _solve(features, residual, _enough(wanted))
        twin.numbers[rows] += change
        twin._weights = [weight + gain for weight, gain in zip(twin._weights, features.columns_at(change), strict=True)]
        twin._bias = twin._bias_now()
        return twin

    def _bias_now(self) -> npt.NDArray[np.float64]:
        return np.asarray(self._usual - sum(mean @ weight for mean, weight in zip(self._means, self._weights, strict=True)))


class _Dense:
    """A block of features as `_Centred` uses it."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix

    def __matmul__(self, other: Matrix) -> Matrix:
        return self._matrix @ other

    def columns_at(self, numbers: Matrix) -> Matrix:
        """The matrix, transposed, times `numbers`."""
        return self._matrix.T @ numbers

    def kernel_at(self, numbers: Matrix) -> Matrix:
        """The matrix times `columns_at`."""
        return self._matrix @ (self._matrix.T @ numbers)


class _Sparse:
    """The same, with its transpose at hand, for many products; both without the columns in which nothing stands."""

    def __init__(self, matrix: csr_matrix) -> None:
        filled = np.zeros(matrix.shape[1], dtype=bool)
        filled[matrix.indices] = True
        self._filled = np.flatnonzero(filled)
        places = (np.cumsum(filled) - 1).astype(matrix.indices.dtype)[matrix.indices]
        self._matrix = csr_matrix((matrix.data, places, matrix.indptr), (matrix.shape[0], len(self._filled)))
        self._transposed = transposed(self._matrix)
        self._columns = matrix.shape[1]

    def __matmul__(self, other: Matrix) -> Any:
        return self._matrix @ other[self._filled]

    def columns_at(self, numbers: Matrix) -> Matrix:
        whole = np.zeros((self._columns, numbers.shape[1]), dtype=np.float32)
        whole[self._filled] = self._transposed @ numbers
        return whole

    def kernel_at(self, numbers: Matrix) -> Any:
        return self._matrix @ (self._transposed @ numbers)


def _most_like(fresh: Places, gone: Blocks, blocks: Blocks) -> Places:
    """The rows of `blocks` most like the fresh and the gone ones, and the fresh ones themselves."""
    count = blocks[0].shape[0]
    if count <= SOLVED_ANEW:
        return np.arange(count)
    likeness: Any = 0.0
    for block, lost in zip(blocks, gone, strict=True):
        wanted = _longer(np.asarray(lost.sum(axis=0), dtype=np.float32).ravel(), block.shape[1])
        likeness = likeness + block @ (wanted + np.asarray(block[fresh].sum(axis=0), dtype=np.float32).ravel())
    likeness[fresh] = np.inf
    return np.sort(np.argpartition(-likeness, SOLVED_ANEW)[:SOLVED_ANEW])


def _longer(values: Matrix, length: int) -> Matrix:
    longer = np.zeros((length, *values.shape[1:]), dtype=np.float32)
    longer[: len(values)] = values
    return longer


def _enough(wanted: Matrix) -> Matrix:
    """The squared length that may be left of a residual, a number a topic."""
    return np.asarray(TOLERANCE**2 * np.einsum("rt,rt->t", wanted, wanted))


def _solve(features: _Centred, residual: Matrix, enough: Matrix) -> Matrix:
    """Conjugate gradients, a system for each column of `residual`; a column is left alone once it is solved."""
    numbers = np.zeros_like(residual)
    residual, direction = residual.copy(), residual.copy()
    length = np.einsum("rt,rt->t", residual, residual)
    for _ in range(MOST_STEPS):
        open_ = np.flatnonzero(length > enough)
        if not len(open_):
            break
        along = direction[:, open_]
        image = features.kernel_at(along) + PENALTY * along
        step = length[open_] / np.einsum("rt,rt->t", along, image)
        numbers[:, open_] += step * along
        residual[:, open_] -= step * image
        now = np.einsum("rt,rt->t", residual[:, open_], residual[:, open_])
        direction[:, open_] = residual[:, open_] + now / length[open_] * along
        length[open_] = now
    return numbers
