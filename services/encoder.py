"""Turns sentences into vectors: multilingual-e5-small in 4 bits (services/e5.py), on the CPU, without a download.

Anything with `name`, `dimensions` and `encode` can stand in its place. Where the model can't run, `LexicalEncoder` keeps
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
from services.e5 import E5

log = structlog.get_logger(__name__)
Vectors = npt.NDArray[np.float32]
CACHED_IN_MEMORY = 4096
BATCH = 64
HEAD_TOKENS, TAIL_TOKENS = 16, 24
"""Of longer texts the middle is left out: the cost grows with the length, and a story begins or ends with what is wanted."""


class Encoder(Protocol):
    name: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, shape (len(texts), dimensions), each of length 1."""


class E5Encoder:
    name = f"e5-small-4bit-query-{HEAD_TOKENS}-{TAIL_TOKENS}"

    def __init__(self, threads: int = 1) -> None:
        """`threads`: how many texts of a batch are encoded at a time; one text always takes one core."""
        self._model = E5(HEAD_TOKENS, TAIL_TOKENS)
        self.dimensions = self._model.dimensions
        self._threads = ThreadPoolExecutor(threads, "encoder") if threads > 1 else None

    def encode(self, texts: Sequence[str]) -> Vectors:
        each = self._threads.map if self._threads and len(texts) > 1 else map
        rows = list(each(self._model.query, texts))
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dimensions)


class LexicalEncoder:
    name = "lexical"
    dimensions = 384

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self._vectorizer = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), n_features=self.dimensions)

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors: Any = self._vectorizer.transform(texts)
        return np.asarray(vectors.toarray(), dtype=np.float32)


class CachingEncoder:
    """Remembers vectors: the last few thousand in memory, those of `encode_and_keep` in a file as well."""

    def __init__(self, encoder: Encoder, path: Path | None = None) -> None:
        self._encoder = encoder
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._memory: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()
        self._path = path

    def encode(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            found = {text: self._memory[text] for text in texts if text in self._memory}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            found.update(zip(missing, self._encoder.encode(missing), strict=True))
            self._remember({text: found[text] for text in missing})
        return np.asarray([found[text] for text in texts], dtype=np.float32).reshape(len(texts), self.dimensions)

    def encode_and_keep(self, texts: Sequence[str]) -> Vectors:
        """Like `encode`, for texts that come again at the next start: training examples and knowledge."""
        unique = list(dict.fromkeys(texts))
        found = self._shipped(unique)
        if self._path is None:
            found.update(zip(unique, self.encode(unique), strict=True))
        elif len(found) < len(unique):
            found.update(self._kept([text for text in unique if text not in found], self._path))
        return np.asarray([found[text] for text in texts], dtype=np.float32).reshape(len(texts), self.dimensions)

    def _shipped(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """Vectors of the project's own sentences, encoded before (services/shipped_vectors.py)."""
        shipped = shipped_vectors.read(self.name)
        keys = {text: shipped_vectors.key_of(text) for text in texts} if shipped else {}
        return {text: shipped[key] for text, key in keys.items() if key in shipped}

    def _kept(self, texts: Sequence[str], path: Path) -> dict[str, Vectors]:
        """From the file of vectors made on this machine; what is not in it yet is encoded and written there."""
        keys = {text: hashlib.sha256(f"{self.name}\0{text}".encode()).digest() for text in texts}
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=30)
        try:
            connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
            found: dict[str, Vectors] = {}
            for text, key in keys.items():
                row = connection.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
                if row:
                    found[text] = np.frombuffer(row[0], dtype=np.float32)
            missing = [text for text in keys if text not in found]
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                vectors = self._encoder.encode(batch)
                found.update(zip(batch, vectors, strict=True))
                rows = [(keys[text], vector.tobytes()) for text, vector in zip(batch, vectors, strict=True)]
                connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
                connection.commit()
                if len(missing) > 4 * BATCH and start % (8 * BATCH) == 0:
                    log.info("encoding sentences", done=start, of=len(missing))
        finally:
            connection.close()
        return found

    def _remember(self, vectors: dict[str, Vectors]) -> None:
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
