"""Sentence vectors of the knowledge, shipped in `data/vectors.npz`, so that the assistant starts in seconds anywhere.

A text is looked up by its hash: one that was changed or added since is simply encoded on the spot. `sapa vectors` writes the
file anew. A row is a multiple of its vector, whose length is 1, in 8 bits; the cosine to the full vector stays above 0.999.

With them go the solutions of the index's regressions (services/topic_regression.py), from which these begin: of 16 bits, since with
8 they would have a third of their steps still to go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from services.settings import PROJECT

FILE = PROJECT / "data" / "vectors.npz"
KEY_BYTES = 10
SOLUTION = "solution_"
"""Before the names of regressions in the file."""
Vectors = npt.NDArray[np.float32]


def key_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:KEY_BYTES]


@dataclass(frozen=True)
class Shipped:
    """The file's numbers as they are stored, a quarter of the vectors' size."""

    places: dict[bytes, int]
    numbers: npt.NDArray[np.int8]
    solutions: Mapping[str, npt.NDArray[np.float16]] = field(default_factory=dict)
    """By the name of a regression, shape (texts, topics): `TopicRegression.numbers`."""

    def __contains__(self, key: bytes) -> bool:
        return key in self.places

    def of(self, keys: Sequence[bytes]) -> Vectors:
        """Shape (keys, dimensions), each row of length 1. Raises KeyError."""
        vectors = self.numbers[[self.places[key] for key in keys]].astype(np.float32)
        lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / lengths

    def start(self, regression: str, texts: Sequence[str], topics: int) -> Vectors | None:
        """Shape (texts, topics), 0 for a text that is not known; None where there is no solution for so many topics."""
        solution = self.solutions.get(regression)
        if solution is None or solution.shape[1] != topics:
            return None
        places = np.array([self.places.get(key_of(text), -1) for text in texts], dtype=np.int64)
        return np.where(places[:, None] < 0, 0, solution[places]).astype(np.float32)


@cache
def read(encoder: str) -> Shipped:
    """Without any vector where there is no file or another encoder made it."""
    nothing = Shipped({}, np.zeros((0, 1), np.int8))
    if not FILE.exists():
        return nothing
    with np.load(FILE) as stored:
        if str(stored["encoder"]) != encoder:
            return nothing
        keys = stored["keys"].reshape(-1, KEY_BYTES)
        solutions = {name.removeprefix(SOLUTION): stored[name] for name in stored.files if name.startswith(SOLUTION)}
        return Shipped({key.tobytes(): place for place, key in enumerate(keys)}, stored["vectors"], solutions)


def write(encoder: str, texts: Sequence[str], vectors: Vectors, solutions: Mapping[str, Mapping[str, Vectors]]) -> None:
    """`solutions`: by the name of a regression, of some of the texts the numbers for all topics."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    np.savez_compressed(
        FILE,
        encoder=np.array(encoder),
        keys=np.frombuffer(b"".join(key_of(text) for text in texts), dtype=np.uint8),
        vectors=np.round(vectors / largest * 127).astype(np.int8),
        **{SOLUTION + name: _rows(solution, texts) for name, solution in solutions.items()},
    )
    read.cache_clear()


def _rows(solution: Mapping[str, Vectors], texts: Sequence[str]) -> npt.NDArray[np.float16]:
    nothing = np.zeros_like(next(iter(solution.values())))
    return np.array([solution.get(text, nothing) for text in texts], dtype=np.float16)
