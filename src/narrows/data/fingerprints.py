"""Rows as single numbers: equal for equal rows, and spread evenly."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from narrows.chunks import chunks

__all__ = ["fingerprints", "shares"]

NUMBERS_LOOKED_AT = 4096
"""Numbers of an example that its fingerprint is of, spread evenly over it."""

FACTORS = np.random.PCG64(0).random_raw(2 * NUMBERS_LOOKED_AT).reshape(2, NUMBERS_LOOKED_AT)
"""Of an example's numbers in the sum: of each as a 32-bit float, and of what that leaves of it."""

MIXER = np.uint64(0x9E3779B97F4A7C15)
"""What spreads the bits of a number before it is summed."""

NUMBERS_AT_ONCE = 2**15
"""Numbers that are looked at together, few enough for a processor's cache."""

MULTIPLIERS, SHIFTS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB), (30, 27, 31)
"""Of the last steps of SplitMix64 (Steele et al. 2014), after which every bit depends on every other."""


def fingerprints(X: Iterable[NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return two numbers of 64 bits for each row of ``X``, each (n,): equal for equal rows, and hardly ever for others.

    The first are of the rows in 32-bit floats, the second of the rows as they are; (0,) where that is the same.

    Sums of the row's words times random factors, modulo 2⁶⁴ (Carter & Wegman, “Universal classes of hash functions”,
    1979). Rows are compared in the data's own units, so that bytes equal the same numbers as floats.

    Parameters
    ----------
    X
        Rows in chunks, (k, features) each.
    """
    n, rounded = 0, bytearray()  # which grows in place, where arrays put together would take twice the memory
    left: list[tuple[int, NDArray[np.int64]]] = []
    for chunk in X:
        stride = math.ceil(chunk.shape[1] / NUMBERS_LOOKED_AT)
        for rows in chunks(len(chunk), chunk.shape[1], NUMBERS_AT_ONCE):
            looked_at = chunk[rows, ::stride]
            single = np.ascontiguousarray(looked_at + np.float32(0), np.float32)  # −0 becomes 0
            rounded += _sums(single.view(np.uint32), FACTORS[0]).data
            rest = np.zeros(0) if np.can_cast(chunk.dtype, np.float32) else looked_at - single.astype(np.float64)
            if rest.any():
                left.append((n, _sums(rest.view(np.uint64), FACTORS[1])))
            n += len(single)
    first = np.frombuffer(rounded, np.int64)
    second = first.copy() if left else first[:0]
    for begin, sums in left:
        second[begin : begin + len(sums)] += sums
    return first, second


def _sums(words: NDArray[np.unsignedinteger[Any]], factors: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the sum of each row of ``words`` (k, numbers) times ``factors``, (k,), which is 0 where all words are."""
    mixed = words * MIXER
    mixed ^= mixed >> np.uint64(32)  # or whole numbers, whose last bits are 0, would have only such sums
    return (mixed @ factors[: words.shape[1]]).view(np.int64)


def shares(rows: NDArray[Any], salt: NDArray[np.int64] | int = 0) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each of the ``rows`` (n, features), (n,): a hash, spread as if by chance.

    Parameters
    ----------
    rows
        In the data's own units.
    salt
        One number, or one for each row, for other numbers.
    """
    words = fingerprints([rows])[0].view(np.uint64)
    words = _mixed(words ^ _mixed(np.atleast_1d(np.asarray(salt, np.int64)).view(np.uint64) + MIXER))
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, 1), strict=True):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(multiplier)
    return words
