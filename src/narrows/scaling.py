"""Scaling: from the user's units to numbers a net learns well from, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import StandardScaler

from narrows.chunks import chunks

__all__ = ["SCALINGS", "Scaling"]

SCALINGS = ("auto", "global", "feature")

ALIKE = 2
"""Features are alike when the whole data's range is at most so many times the median feature's."""

AT_ONCE = 2**16
"""Numbers that are in 64 bits while they are scaled."""

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """x ↦ (x − offset) / scale, a feature at a time.

    Attributes
    ----------
    kind
        ``"global"``: one range for all features, so that the training data fill [0, 1] (the lecture's way with images);
        ``"feature"``: each to mean 0 and standard deviation 1 (for columns in units of their own).
    offset, scale
        (features,), in the user's units; ``scale`` is 1 where the training data are constant.
    """

    kind: Literal["global", "feature"]
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(cls, X: Array, kind: str) -> Scaling:
        """Measure ``X`` (n, features), as `of_chunks` does."""
        return cls.of_chunks([X], kind)

    @classmethod
    def of_chunks(cls, chunks: Iterable[Array], kind: str, weights: Array | None = None) -> Scaling:
        """Measure rows (n, features) that come in parts, one or more; mean and deviation by ``weights`` (all,).

        ``kind="auto"`` takes ``"global"`` where the features are alike, as an image's pixels or readings of one sensor
        are: where the range of all values is at most twice the median range of the features that vary.
        """
        lows, highs, moments = [], [], StandardScaler()
        n = 0
        for X in chunks:
            lows.append(X.min(0).astype(np.float64))
            highs.append(X.max(0).astype(np.float64))
            if kind != "global":
                weighed = None if weights is None else weights[n : n + len(X)]
                moments.partial_fit(X.astype(np.float64, copy=False), sample_weight=weighed)
            n += len(X)
        low, high = np.min(lows, 0), np.max(highs, 0)
        width = high.max() - low.min()
        if kind == "auto":
            ranges = (high - low)[high > low]
            kind = "global" if not len(ranges) or width <= ALIKE * np.median(ranges) else "feature"
        if kind == "global":
            return cls("global", np.full(low.shape, low.min()), np.full(low.shape, width if width > 0 else 1.0))
        deviation = np.sqrt(moments.var_)
        # Rounding can give a constant feature some deviation, and a nearly constant one none.
        scale = np.where((high > low) & (deviation > 0), deviation, 1.0)
        return cls("feature", moments.mean_, scale)

    @property
    def unit_interval(self) -> bool:
        """Whether training data fill [0, 1]."""
        return self.kind == "global"

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
            for part in chunks(len(rows), self.offset.size, AT_ONCE):
                scaled[part] = (rows[part] - self.offset) / self.scale
        return scaled

    def undo(self, X: Array) -> Array:
        """Return scaled ``X`` (n, features) in the user's units."""
        return X * self.scale + self.offset
