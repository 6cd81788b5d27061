"""Products in 8 bits are those of the numbers given, but for a hundredth; with onnxruntime and without."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from services import quick_products
from services.quick_products import QuickProducts


@pytest.fixture(params=["onnxruntime", "without"])
def products(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[QuickProducts]:
    if request.param == "without":

        def missing(_file: bytes) -> None:
            raise ImportError("onnxruntime")

        monkeypatch.setattr(quick_products, "session", missing)
    return QuickProducts


def directions(rows: int, seed: int) -> np.ndarray:
    numbers = np.random.default_rng(seed).normal(size=(rows, 384)).astype(np.float32)
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)


def test_cosines_are_right_to_a_hundredth_and_of_one_and_of_several_vectors(products: type[QuickProducts]) -> None:
    rows, vectors = directions(2000, 1), directions(5, 2)
    vectors[0] = rows[7]
    made = products(rows)
    found = made.of(vectors)
    assert found.shape == (5, 2000)
    assert np.abs(found - vectors @ rows.T).max() < 0.01
    assert found[0].argmax() == 7
    assert np.abs(made.of(vectors[:1])[0] - vectors[0] @ rows.T).max() < 0.01


def test_it_comes_back_whole_from_a_file(products: type[QuickProducts]) -> None:
    rows = directions(50, 3)
    made = products(rows)
    again = pickle.loads(pickle.dumps(made))
    assert (again.of(rows[:3]) == made.of(rows[:3])).all()


def test_a_row_of_zeros_gives_zero(products: type[QuickProducts]) -> None:
    rows = directions(3, 4)
    rows[1] = 0
    assert products(rows).of(directions(1, 5))[0, 1] == 0
