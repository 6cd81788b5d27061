"""Turns sentences into vectors: multilingual-e5-small in 8 bits (services/e5.py), on the CPU, without a download.

Anything with `name`, `parts`, `dimensions` and `encode` can stand in its place. Where the model can't run, `LexicalEncoder` keeps
the assistant working on spelling alone, with a warning in the log.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import structlog

from services import shipped_vectors
from services.e5 import E5, PARTS
from services.spelling import for_encoder

log = structlog.get_logger(__name__)
Vectors = npt.NDArray[np.float32]
CACHED_IN_MEMORY = 1024
BATCH = 64
HEAD_TOKENS, TAIL_TOKENS = 16, 24
"""Of longer texts the middle is left out: the cost grows with the length, and a story begins or ends with what is wanted."""


def directions(vectors: Vectors, mean: Vectors) -> Vectors:
    """Vectors of length 1, along the last axis, that point away from `mean`: sentences of one task have most in common."""
    centred = vectors - mean
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=-1, keepdims=True), 1e-9), dtype=np.float32)


class Encoder(Protocol):
    name: str
    parts: int
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, parts, dimensions), each part of length 1; the first one is the sentence vector proper."""


class E5Encoder:
    """Reads every text as `for_encoder` has it, so that its callers need not."""

    name = f"e5-small-8bit-query-{HEAD_TOKENS}-{TAIL_TOKENS}-calm"
    parts = len(PARTS)

    def __init__(self, threads: int = 1) -> None:
        """`threads`: how many texts of a batch are encoded at a time; one text always takes one core."""
        self._model = E5(HEAD_TOKENS, TAIL_TOKENS)
        self.dimensions = self._model.dimensions
        self._threads = ThreadPoolExecutor(threads, "encoder") if threads > 1 else None

    def encode(self, texts: Sequence[str]) -> Vectors:
        each = self._threads.map if self._threads and len(texts) > 1 else map
        rows = list(each(self._query, texts))
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.parts, self.dimensions)

    def _query(self, text: str) -> Vectors:
        return self._model.query(for_encoder(text))


class LexicalEncoder:
    name = "lexical"
    parts = 1
    dimensions = 384

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self._vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), n_features=self.dimensions)

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors: Any = self._vectorizer.transform(texts)
        return np.asarray(vectors.toarray(), dtype=np.float32)[:, None]


class CachingEncoder:
    """Remembers vectors: the last few thousand in memory, those of texts that come again at the next start in a file as well.

    Of the texts, which citizens typed, it keeps only digests.
    """

    def __init__(self, encoder: Encoder, path: Path | None = None) -> None:
        self._encoder = encoder
        self.name, self.parts, self.dimensions = encoder.name, encoder.parts, encoder.dimensions
        self._memory: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()
        self._path = path

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The sentence vectors, shape (texts, dimensions)."""
        return self.encode_parts(texts)[:, 0]

    def encode_parts(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, parts, dimensions)."""
        keys = {text: self._key(text) for text in texts}
        with self._lock:
            found = {text: self._memory[key] for text, key in keys.items() if key in self._memory}
        missing = [text for text in keys if text not in found]
        if missing:
            found.update(zip(missing, self._encoder.encode(missing), strict=True))
            self._remember({keys[text]: found[text] for text in missing})
        return np.asarray([found[text] for text in texts], dtype=np.float32).reshape(len(texts), self.parts, self.dimensions)

    def encode_and_keep(self, texts: Sequence[str]) -> Vectors:
        """Like `encode`, for texts that come again at the next start: those of the knowledge."""
        found = self._shipped(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            found.update(zip(missing, self.encode_parts_and_keep(missing)[:, 0], strict=True))
        return np.asarray([found[text] for text in texts], dtype=np.float32).reshape(len(texts), self.dimensions)

    def encode_parts_and_keep(self, texts: Sequence[str]) -> Vectors:
        """Like `encode_parts`, for training examples."""
        if self._path is None:
            return self.encode_parts(texts)
        found = self._kept(list(dict.fromkeys(texts)), self._path)
        return np.asarray([found[text] for text in texts], dtype=np.float32)

    def _shipped(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """Vectors of the project's own sentences, encoded before (services/shipped_vectors.py)."""
        shipped = shipped_vectors.read(self.name)
        keys = {text: shipped_vectors.key_of(text) for text in texts}
        known = {text: key for text, key in keys.items() if key in shipped}
        return dict(zip(known, shipped.of(list(known.values())), strict=True))

    def _kept(self, texts: Sequence[str], path: Path) -> dict[str, Vectors]:
        """From the file of vectors made on this machine; what is not in it yet is encoded and written there, in 16 bits."""
        keys = {text: self._key(text) for text in texts}
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=30)
        try:
            connection.execute("CREATE TABLE IF NOT EXISTS parts (key BLOB PRIMARY KEY, vectors BLOB NOT NULL)")
            found: dict[str, Vectors] = {}
            for text, key in keys.items():
                row = connection.execute("SELECT vectors FROM parts WHERE key = ?", (key,)).fetchone()
                if row:
                    kept = np.frombuffer(row[0], dtype=np.float16).astype(np.float32)
                    found[text] = kept.reshape(self.parts, self.dimensions)
            missing = [text for text in keys if text not in found]
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                vectors = self._encoder.encode(batch)
                found.update(zip(batch, vectors, strict=True))
                rows = [(keys[text], one.astype(np.float16).tobytes()) for text, one in zip(batch, vectors, strict=True)]
                connection.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?)", rows)
                connection.commit()
                if len(missing) > 4 * BATCH and start % (8 * BATCH) == 0:
                    log.info("encoding sentences", done=start, of=len(missing))
        finally:
            connection.close()
        return found

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.name}\0{text}".encode()).digest()

    def _remember(self, vectors: dict[bytes, Vectors]) -> None:
        with self._lock:
            self._memory.update(vectors)
            while len(self._memory) > CACHED_IN_MEMORY:
                self._memory.popitem(last=False)


def open_encoder(cache_dir: Path, threads: int = 1) -> CachingEncoder:
    """The best encoder that this machine can run."""
    try:
        encoder: Encoder = E5Encoder(threads)
    except (OSError, ImportError, RuntimeError) as error:
        log.warning("NO SENTENCE ENCODER: understanding falls back to spelling alone and gets worse", reason=str(error))
        encoder = LexicalEncoder()
    return CachingEncoder(encoder, cache_dir / "vectors.db")
