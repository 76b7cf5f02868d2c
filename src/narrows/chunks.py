"""Large arrays some rows at a time, so that what is made of them on the way fits into memory, or a cache."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["chunks"]


def chunks(n: int, size: int, numbers: int) -> Iterator[slice]:
    """Return slices that cover ``n`` rows in order.

    Parameters
    ----------
    n
        How many rows there are.
    size
        Of a row, in numbers.
    numbers
        In a slice of them, at most, unless one row has more.
    """
    step = max(1, numbers // max(1, size))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))
