"""Scaling: from the user's units to numbers a net learns well from, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import choice, real
from narrows.chunks import chunks

__all__ = ["SCALINGS", "Scaling", "check_scaling"]

SCALINGS = ("auto", "global", "feature")

ALIKE = 2
"""Features are alike when the whole data's range is at most this many times the median feature's."""

UNLIKE, SPREAD, ROWS_LOOKED_AT = 10, 1 / 50, 1000
"""How many times a channel's range that of all may be, if the channel's deviation is at least such a fraction of its
own; and the examples that this is seen from."""

MOST_CHANNELS = 4
"""Most channels of series, as the last of two axes; more are columns, which differ in grey images."""

NUMBERS_AT_ONCE = 2**16
"""That are in 64 bits while they are scaled."""

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """x ↦ (x − offset) / scale, a feature at a time.

    Attributes
    ----------
    kind
        ``"global"``: one range for all features, or for all of a channel where channels have units of their own, so
        that the training data fill [0, 1] (the lecture's way with images);
        ``"feature"``: each to mean 0 and standard deviation 1 (for columns in units of their own).
    offset, scale
        (features,), in the user's units; ``scale`` is 1 where the training data are constant.
    """

    kind: Literal["global", "feature"]
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(cls, X: Array, kind: str | tuple[float, float]) -> Scaling:
        """Measure ``X`` (n, features), as `of_chunks` does."""
        return cls.of_chunks([X], kind)

    @classmethod
    def of_chunks(
        cls,
        chunks: Iterable[Array],
        kind: str | tuple[float, float],
        weights: Array | None = None,
        shape: tuple[int, ...] = (),
    ) -> Scaling:
        """Measure rows (n, features) that come in chunks, one or more.

        ``kind="auto"`` takes ``"global"`` for images, and where the features are alike, as readings of one sensor are:
        where the range of all values is at most twice the median range of the features that vary. Each channel of an
        image (its third axis, or its second if that has length four at most) has a range of its own where the range of
        all is more than ten times that of a channel whose values are spread over it. In photographs none is so narrow,
        and what is at the edge of grey images is nearly always the same.

        Parameters
        ----------
        chunks
            The rows.
        kind
            One of `SCALINGS`, or the range that is to become [0, 1], whatever that of the rows is.
        weights
            Of all rows, (all,), for mean and deviation; None if each counts the same.
        shape
            Of one example.
        """
        if not isinstance(kind, str):
            features = next(iter(chunks)).shape[1]
            return cls("global", np.full(features, float(kind[0])), np.full(features, float(kind[1] - kind[0])))
        images = len(shape) > 1
        lows, highs, moments = [], [], _Moments()
        some: Array = np.zeros((0, 0))
        n = 0
        for X in chunks:
            lows.append(X.min(0).astype(np.float64))
            highs.append(X.max(0).astype(np.float64))
            if kind == "feature" or (kind == "auto" and not images):
                weighed = None if weights is None else weights[n : n + len(X)]
                moments.add(X.astype(np.float64), weighed)
            elif not n:
                some = X[:: max(1, len(X) // ROWS_LOOKED_AT)]
            n += len(X)
        low, high = np.min(lows, 0), np.max(highs, 0)
        width = high.max() - low.min()
        if kind == "auto" and (len(shape) == 3 or (images and shape[-1] <= MOST_CHANNELS)):
            channels = low.reshape(-1, shape[-1]).min(0), high.reshape(-1, shape[-1]).max(0)
            if _have_own_units(*channels, some):
                low, high = (np.tile(end, len(low) // shape[-1]) for end in channels)
                return cls("global", low, np.where(high > low, high - low, 1.0))
            kind = "global"
        elif kind == "auto" and images:
            kind = "global"
        elif kind == "auto":
            ranges = (high - low)[high > low]
            kind = "global" if not len(ranges) or width <= ALIKE * np.median(ranges) else "feature"
        if kind == "global":
            return cls("global", np.full(low.shape, low.min()), np.full(low.shape, width if width > 0 else 1.0))
        deviation = np.sqrt(moments.variance)
        # Rounding can give a constant feature some deviation, and a nearly constant one none.
        scale = np.where((high > low) & (deviation > 0), deviation, 1.0)
        return cls("feature", moments.mean, scale)

    @property
    def unit_interval(self) -> bool:
        """Whether training data fill [0, 1]."""
        return self.kind == "global"

    def groups(self, shape: tuple[int, ...]) -> int:
        """Return in how many groups features are scaled alike, of examples of ``shape``: i is of group i modulo it."""
        if self.kind == "feature":
            return self.offset.size
        return shape[-1] if np.ptp(self.offset) or np.ptp(self.scale) else 1

    @property
    def extremes(self) -> tuple[float, float]:
        """The lowest and the highest scaled value that training data have, or, without bounds, nearly all of them."""
        return (0.0, 1.0) if self.unit_interval else (-2.0, 2.0)

    @property
    def words(self) -> str:
        """What it does to the data."""
        return "scaled to [0, 1]" if self.unit_interval else "each scaled to variance 1"

    def apply(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return ``X``, rows or images (n, …), as scaled rows (n, features) of the nets' 32-bit floats."""
        rows = np.asarray(X)
        rows = rows.reshape(len(rows), self.offset.size)
        scaled = np.empty(rows.shape, np.float32)
        with np.errstate(over="ignore"):  # becomes infinite, which the encoder's caller reports with the row's number
            for some in chunks(len(rows), self.offset.size, NUMBERS_AT_ONCE):
                scaled[some] = (rows[some] - self.offset) / self.scale
        return scaled

    def undo(self, X: Array) -> Array:
        """Return scaled ``X`` (n, features) in the user's units."""
        return X * self.scale + self.offset


class _Moments:
    """Mean and variance of rows that come in chunks (Chan, Golub & LeVeque 1983).

    To the last bit they are scikit-learn's, whose scaler imports progress bars and makes four copies of each chunk.
    """

    def __init__(self) -> None:
        self.count, self.mean, self.variance = np.zeros(1), np.zeros(1), np.zeros(1)

    def add(self, X: NDArray[np.float64], weights: Array | None) -> None:
        """Add rows (n, features), which are overwritten, by ``weights`` (n,) if they do not count the same."""

        def total(x: NDArray[np.float64]) -> NDArray[np.float64]:
            summed: NDArray[np.float64] = x.sum(0) if weights is None else weights @ x
            return summed

        n = np.full(1, float(len(X))) if weights is None else (weights[:, None] * np.ones(X.shape[1])).sum(0)
        before, new, count = self.mean * self.count, total(X), self.count + n
        X -= new / n
        rest = total(X)
        X *= X
        squares = total(X) - rest**2 / n
        if self.count.all():
            ratio = self.count / n
            squares = self.variance * self.count + squares + ratio / count * (before / ratio - new) ** 2
        self.mean, self.variance, self.count = (before + new) / count, squares / count, count


def check_scaling(name: str, value: object) -> None:
    """Refuse what is neither a range (low, high) nor one of `SCALINGS`.

    Raises
    ------
    TypeError, ValueError
        If it is not.
    """
    if isinstance(value, str):
        choice(name, value, SCALINGS)
        return
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{name}={value!r} must be one of {', '.join(SCALINGS)}, or a range (low, high)")
    if not real(name, value[0], -math.inf) < real(name, value[1], -math.inf):
        raise ValueError(f"{name}={value!r} must be a range (low, high) with low < high")


def _have_own_units(low: Array, high: Array, some: Array) -> bool:
    """Say whether channels with these ranges, (channels,), are measured in units of their own, by ``some`` examples."""
    narrow = (high > low) & (UNLIKE * (high - low) < high.max() - low.min())
    if not narrow.any():
        return False
    deviation = some.reshape(-1, len(low))[:, narrow].std(0, dtype=np.float64)
    return bool((deviation > SPREAD * (high - low)[narrow]).any())
