"""Sentence vectors of the knowledge, shipped in `data/vectors.npz`, so that the assistant starts in seconds anywhere.

A text is looked up by its hash: one that was changed or added since is simply encoded on the spot. `sapa vectors` writes the
file anew. A row is a multiple of its vector, whose length is 1, in 8 bits; the cosine to the full vector stays above 0.999.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from services.settings import PROJECT

FILE = PROJECT / "data" / "vectors.npz"
KEY_BYTES = 10
Vectors = npt.NDArray[np.float32]


def key_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:KEY_BYTES]


@dataclass(frozen=True)
class Shipped:
    """The file's numbers as they are stored, a quarter of the vectors' size."""

    places: dict[bytes, int]
    numbers: npt.NDArray[np.int8]

    def __contains__(self, key: bytes) -> bool:
        return key in self.places

    def of(self, keys: Sequence[bytes]) -> Vectors:
        """Shape (keys, dimensions), each row of length 1. Raises KeyError."""
        vectors = self.numbers[[self.places[key] for key in keys]].astype(np.float32)
        lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / lengths


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
        return Shipped({key.tobytes(): place for place, key in enumerate(keys)}, stored["vectors"])


def write(encoder: str, texts: Sequence[str], vectors: Vectors) -> None:
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    np.savez_compressed(
        FILE,
        encoder=np.array(encoder),
        keys=np.frombuffer(b"".join(key_of(text) for text in texts), dtype=np.uint8),
        vectors=np.round(vectors / largest * 127).astype(np.int8),
    )
