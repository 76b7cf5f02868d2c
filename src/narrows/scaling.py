"""Scaling: from the user's units to numbers a net learns well from, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCALINGS", "Scaling"]

SCALINGS = ("auto", "global", "feature")

ALIKE = 2
"""Features are alike when the whole data's range is at most so many times the median feature's."""

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
        """Measure ``X`` (n, features).

        ``kind="auto"`` takes ``"global"`` where the features are alike, as an image's pixels or readings of one sensor
        are: where the range of all values is at most twice the median range of the features that vary.
        """
        low, high = X.min(0).astype(np.float64), X.max(0).astype(np.float64)
        width = high.max() - low.min()
        if kind == "auto":
            ranges = (high - low)[high > low]
            kind = "global" if not len(ranges) or width <= ALIKE * np.median(ranges) else "feature"
        if kind == "global":
            return cls("global", np.full(low.shape, low.min()), np.full(low.shape, width if width > 0 else 1.0))
        deviation = X.std(0, dtype=np.float64)
        # Rounding can give a constant feature some deviation, and a nearly constant one none.
        scale = np.where((high > low) & (deviation > 0), deviation, 1.0)
        return cls("feature", X.mean(0, dtype=np.float64), scale)

    def apply(self, X: Array) -> NDArray[np.float32]:
        """Return ``X`` (n, features) scaled, as the nets' 32-bit floats."""
        with np.errstate(over="ignore"):  # becomes infinite, which the encoder's caller reports with the row's number
            return ((X - self.offset) / self.scale).astype(np.float32)

    def undo(self, X: Array) -> Array:
        """Return scaled ``X`` (n, features) in the user's units."""
        return X * self.scale + self.offset
