"""Sentence vectors of the knowledge, shipped in `data/vectors.npz`, so that the assistant starts in seconds anywhere.

A text is looked up by its hash: one that was changed or added since is simply encoded on the spot. `sapa vectors` writes the
file anew. Numbers are kept in 8 bits with one scale a row; the cosine to the full vector stays above 0.999.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from services.settings import PROJECT

FILE = PROJECT / "data" / "vectors.npz"
KEY_BYTES = 10
Vectors = npt.NDArray[np.float32]


def key_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:KEY_BYTES]


@cache
def read(encoder: str) -> dict[bytes, Vectors]:
    """Key to vector; empty where there is no file or another encoder made it."""
    if not FILE.exists():
        return {}
    with np.load(FILE) as stored:
        if str(stored["encoder"]) != encoder:
            return {}
        vectors = stored["vectors"].astype(np.float32) * stored["scales"][:, None]
        keys = stored["keys"].reshape(-1, KEY_BYTES)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)}


def write(encoder: str, texts: Sequence[str], vectors: Vectors) -> None:
    scales = np.abs(vectors).max(axis=1) / 127
    np.savez_compressed(
        FILE,
        encoder=np.array(encoder),
        keys=np.frombuffer(b"".join(key_of(text) for text in texts), dtype=np.uint8),
        vectors=np.round(vectors / scales[:, None]).astype(np.int8),
        scales=scales.astype(np.float32),
    )
