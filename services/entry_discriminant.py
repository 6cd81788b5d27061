"""Tells entries apart by what sets their sentence vectors apart, whatever else differs: register, length, language.

Linear discriminant analysis: the vectors of all variants spread around the middle of their entries in the same way, so that distances
are counted in units of that spread (R. A. Fisher, The use of multiple measurements in taxonomic problems, 1936). The spread is
shrunk towards an even one, for it is measured by fewer vectors than it has numbers.
"""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt

from services.encoder import Vectors
from services.term_vectors import Places, taken_dense

SHRINKAGE = 0.3
AXES = 128
"""So many directions are kept of more entries than there are dimensions: those in which their middles lie farthest apart."""
Scores = npt.NDArray[np.float64]


class EntryDiscriminant:
    def __init__(self, vectors: Vectors, centres: Vectors, sizes: npt.NDArray[np.int64]) -> None:
        """`vectors` of all variants by entry; `centres`, shape (entries, dimensions), their middles; `sizes`, their numbers."""
        around = vectors - np.repeat(centres, sizes, axis=0)
        spread = around.T @ around / max(len(vectors), 1)
        even = np.trace(spread) / len(spread)
        spread = (1 - SHRINKAGE) * spread + (SHRINKAGE * even + np.finfo(np.float32).eps) * np.eye(len(spread))
        lengths, directions = np.linalg.eigh(spread)
        evened = directions / np.sqrt(lengths)
        if len(centres) > len(spread):
            _, axes = np.linalg.eigh((centres @ evened).T @ (centres @ evened))
            evened = evened @ axes[:, -AXES:]
        self._axes = np.asarray(evened, dtype=np.float32)
        self._use(centres @ self._axes)

    def _use(self, weights: Vectors) -> None:
        self._weights = weights
        self._bias = np.einsum("ed,ed->e", weights, weights) / 2

    def with_centres(self, fresh: Vectors, order: Places) -> EntryDiscriminant:
        """The entries at these places, counted on into `fresh`, in this order; how their variants spread stays."""
        twin = copy.copy(self)
        twin._use(taken_dense(self._weights, fresh @ self._axes, order))
        return twin

    def behind(self, vector: Vectors) -> Scores:
        """How far each entry is behind the likeliest for `vector`, in standard deviations over all entries: 0 or less."""
        scores = self._weights @ (vector @ self._axes) - self._bias
        return np.asarray((scores - scores.max()) / max(float(scores.std()), 1e-9), dtype=np.float64)
