"""Weights as a page gets them: in 32 bits, in 16, or in 8 with a scale for each row.

In 32 bits a page comes to what torch does within 1e-5 of the data's range (tested; seen, 1e-6). Of the whole table of
members in tests/members.py, what a code is decoded to was at most 5e-4 of that range away in 16 bits, and 1e-2 in 8; of
counts, whose rates are exponentials, 2e-3 and 2e-2. In 8 bits, some quantised codes become others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["BITS", "Bits", "Weights", "packed", "unpacked"]

Bits = Literal["float32", "float16", "int8"]
BITS: tuple[Bits, ...] = get_args(Bits)


@dataclass(frozen=True, slots=True)
class Weights:
    """An array of weights.

    Attributes
    ----------
    bits
        What a weight takes.
    shape
        Of the array.
    values
        The weights row by row: 32-bit floats, or the bytes of 16-bit floats or of 8-bit integers.
    scales
        (rows,) what the integers of each row along the first axis are multiples of; None of floats.
    """

    bits: Bits
    shape: tuple[int, ...]
    values: NDArray[Any]
    scales: NDArray[np.float32] | None = None


def packed(tensor: Tensor, bits: Bits) -> Weights:
    """Return an array's values in ``bits``, rounded to the nearest there are; what is 1-dimensional stays in 32.

    Integers reach from −127 to 127, so that 0 stays 0.
    """
    values: NDArray[np.float32] = tensor.detach().numpy().astype(np.float32)
    if bits == "float32" or values.ndim < 2:
        return Weights("float32", values.shape, values.ravel())
    if bits == "float16":
        return Weights(bits, values.shape, values.astype("<f2").ravel().view(np.uint8))
    rows = values.reshape(len(values), -1)
    scales = np.abs(rows).max(1).clip(np.finfo(np.float32).tiny) / 127
    whole = np.rint(rows / scales[:, None]).astype(np.int8)
    return Weights(bits, values.shape, whole.ravel().view(np.uint8), scales.astype(np.float32))


def unpacked(weights: Weights) -> NDArray[np.float32]:
    """Return the values that a page computes with."""
    if weights.bits == "float32":
        return weights.values.reshape(weights.shape)
    if weights.bits == "float16":
        return weights.values.view("<f2").astype(np.float32).reshape(weights.shape)
    assert weights.scales is not None
    whole = weights.values.view(np.int8).reshape(len(weights.scales), -1)
    return (whole * weights.scales[:, None]).astype(np.float32).reshape(weights.shape)
