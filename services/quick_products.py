"""Products of many vectors with a few, in whole numbers of 8 bits: a quarter of the memory, and of the time to read it.

A question is compared with tens of thousands of vectors, and what that takes is the time in which they come from memory. Cosines
differ by a hundredth at most from those of the numbers that were given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from services.onnx_file import LARGEST_WEIGHT, MICROSOFT, Graph, session

Vectors = npt.NDArray[np.float32]


class QuickProducts:
    """Immutable. Where onnxruntime can't run, the numbers are the same and it takes longer."""

    def __init__(self, vectors: Vectors) -> None:
        """`vectors`: shape (rows, dimensions)."""
        largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
        self._scales = np.asarray(largest / LARGEST_WEIGHT, dtype=np.float32)
        self._numbers = np.round(vectors / self._scales).astype(np.int8)
        self._product = _product(self._numbers, self._scales)

    def of(self, vectors: Vectors) -> Vectors:
        """Shape (vectors, rows)."""
        if self._product is None:
            return np.asarray(vectors @ self._numbers.T.astype(np.float32) * self._scales.T, dtype=np.float32)
        products: Vectors = self._product.run(["products"], {"vectors": np.asarray(vectors, dtype=np.float32)})[0]
        return products

    def __getstate__(self) -> dict[str, Any]:
        return {"_numbers": self._numbers, "_scales": self._scales}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._product = _product(self._numbers, self._scales)


def _product(numbers: npt.NDArray[np.int8], scales: Vectors) -> Any:
    """Runs the product; None where onnxruntime is not there or can't."""
    graph = Graph()
    parts = ["vectors", graph.constant("numbers", numbers.T), graph.constant("scales", scales.ravel())]
    graph.node("DynamicQuantizeMatMul", parts, ["products"], MICROSOFT)
    rows, dimensions = numbers.shape
    try:
        return session(graph.model({"vectors": ("some", dimensions)}, {"products": ("some", rows)}))
    except (ImportError, RuntimeError):
        return None
