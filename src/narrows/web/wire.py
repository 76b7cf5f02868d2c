"""What goes over the wire: an answer as one binary frame, a head in JSON and after it the arrays' own bytes.

Bytes 0 to 3 are the length of the head, little-endian; the head is UTF-8. What is an array in the answer is in the head
as ``{"array": dtype, "shape": […]}``, and its bytes follow those of the arrays before it, row by row, little-endian.
"""

from __future__ import annotations

import json
import struct
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["pack", "pack_refusal"]

DTYPES: dict[str, np.dtype[Any]] = {
    "u": np.dtype("u1"),
    "b": np.dtype("u1"),
    "f": np.dtype("<f4"),
    "i": np.dtype("<i4"),
}


def pack(answer: DataclassInstance, number: int = 0) -> bytes:
    """Return ``answer``, a dataclass of arrays and of what JSON can say, as a frame that answers question ``number``.

    Arrays travel as bytes, 32-bit floats or 32-bit integers.
    """
    arrays: list[NDArray[Any]] = []
    head = {field.name: _plain(getattr(answer, field.name), arrays) for field in fields(answer)}
    assert "id" not in head  # the page would take it for the question's number
    return _frame({"id": number, **head}, arrays)


def pack_refusal(message: str, number: int = 0) -> bytes:
    """Return a frame that says why there is no answer."""
    return _frame({"id": number, "refused": message}, [])


def _plain(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """Return ``value`` as JSON has it, and move its arrays to the end of ``arrays``."""
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, dtype=DTYPES[value.dtype.kind])
        arrays.append(array)
        return {"array": array.dtype.name, "shape": list(array.shape)}
    if isinstance(value, list | tuple):
        return [_plain(item, arrays) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name), arrays) for field in fields(value)}
    return value.item() if isinstance(value, np.generic) else value


def _frame(head: dict[str, Any], arrays: list[NDArray[Any]]) -> bytes:
    text = json.dumps(head, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return b"".join([struct.pack("<I", len(text)), text, *(array.tobytes() for array in arrays)])
