"""Writes a neural network in the ONNX format, as far as there are uses for it here, and has it run.

The package `onnx` does this and much more, in 30 MB that nothing else here needs. Field numbers are those of onnx.proto3 (IR version
9); protobuf's wire format is a key (field number and kind) before each value, with lengths and whole numbers as varints.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

MICROSOFT = "com.microsoft"
"""Domain of onnxruntime's own operators."""
LARGEST_WEIGHT = 63
"""Of weights in 8 bits, seven of them: with all, processors without VNNI overflow as they add up products, in silence."""
_TENSOR_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int8): 3, np.dtype(np.int64): 7}


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _attribute(name: str, value: float | int) -> bytes:
    if isinstance(value, float):
        return _bytes(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    # A negative number is a varint of 64 bits.
    return _bytes(1, name) + _number(3, value % 2**64) + _number(20, 2)


def _value(name: str, shape: Sequence[str | int]) -> bytes:
    dimensions = b"".join(_bytes(1, _bytes(2, size) if isinstance(size, str) else _number(1, size)) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, dimensions)))


class Graph:
    """Nodes and constants in the order in which they are added; `model` makes the file."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def constant(self, name: str, values: npt.NDArray[Any]) -> str:
        tensor = b"".join(_number(1, size) for size in values.shape) + _number(2, _TENSOR_TYPES[values.dtype])
        self._parts.append(_bytes(5, tensor + _bytes(8, name) + _bytes(9, np.ascontiguousarray(values).tobytes())))
        return name

    def node(self, operator: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = "", **attributes: float | int) -> None:
        named = b"".join(_bytes(1, name) for name in inputs) + b"".join(_bytes(2, name) for name in outputs)
        values = b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
        self._parts.append(_bytes(1, named + _bytes(4, operator) + values + _bytes(7, domain)))

    def model(self, inputs: dict[str, Sequence[str | int]], outputs: dict[str, Sequence[str | int]]) -> bytes:
        """Inputs and outputs are float32, by name and shape; a word in a shape is a size that varies."""
        graph = b"".join(self._parts) + _bytes(2, "sapa")
        graph += b"".join(_bytes(11, _value(name, shape)) for name, shape in inputs.items())
        graph += b"".join(_bytes(12, _value(name, shape)) for name, shape in outputs.items())
        versions = _bytes(8, _bytes(1, "") + _number(2, 18)) + _bytes(8, _bytes(1, MICROSOFT) + _number(2, 1))
        return _number(1, 9) + _bytes(7, graph) + versions


def session(file: bytes) -> Any:
    """Runs a model on one thread: several calls at a time share the cores better than one call can.

    Raises ImportError or RuntimeError where onnxruntime is not there or can't run it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Its further fusions make one slow operator of addition and normalisation.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    made = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    del made._model_bytes  # as large as the file, kept in case other providers are asked for later
    return made
