"""What a fitted model keeps of the data it has learnt from, so that others can be judged beside them later."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from narrows.components import Components

__all__ = ["SCORES", "Reference", "fingerprints"]

SCORES = ("reconstruction", "likelihood")
"""What `anomaly_score` can go by."""

LOOKED_AT = 4096
"""Numbers of an example that its fingerprint is of, spread evenly over it."""

FACTORS, MIXER = np.random.PCG64(0).random_raw(LOOKED_AT), np.uint64(0x9E3779B97F4A7C15)
"""Of an example's numbers in the sum, and what spreads the bits of each before that."""

AT_ONCE = 2**15
"""Numbers that are looked at together, few enough for a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Numbers of the data that an estimator was fitted to; none of the examples themselves.

    Attributes
    ----------
    fingerprints
        (n,) of all of them, sorted: what else is judged must not be among them.
    components
        The principal components of these, scaled: as many as the code has numbers.
    learnt_error, learnt_pca_error
        The model's and their mean squared error per feature on examples that both have learnt from, in scaled units.
    held_out
        The anomaly scores of examples that were not learnt from, (m,), by what they go by.
    """

    fingerprints: NDArray[np.int64]
    components: Components
    learnt_error: float
    learnt_pca_error: float
    held_out: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def knows(self, X: Iterable[NDArray[Any]]) -> NDArray[np.bool_]:
        """Say of each of the rows ``X``, which come in parts (k, features), whether it was among them."""
        return np.isin(fingerprints(X), self.fingerprints)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return it as a model file holds it."""
        return {
            "fingerprints": self.fingerprints,
            "mean": self.components.mean,
            "axes": self.components.axes,
            "errors": np.array([self.learnt_error, self.learnt_pca_error]),
        } | {f"held_out.{by}": scores for by, scores in self.held_out.items()}

    @classmethod
    def of_tensors(cls, tensors: dict[str, NDArray[Any]], features: int) -> Self:
        """Return what `tensors` wrote, of a model of so many ``features``.

        Raises
        ------
        KeyError, ValueError
            If they are no such tensors.
        """
        prints, mean, axes, errors = (tensors[name] for name in ("fingerprints", "mean", "axes", "errors"))
        held_out = {by: tensors[f"held_out.{by}"] for by in SCORES if f"held_out.{by}" in tensors}
        fits = mean.shape == (features,) and axes.shape == (len(axes), features) and errors.shape == (2,)
        if not fits or prints.dtype != np.int64 or any(array.ndim != 1 for array in (prints, *held_out.values())):
            raise ValueError(f"what it says of its training data does not fit inputs of {features} features")
        return cls(prints, Components(mean, axes), float(errors[0]), float(errors[1]), held_out)


def fingerprints(X: Iterable[NDArray[Any]]) -> NDArray[np.int64]:
    """Return a number of 64 bits for each row of ``X``, (n,): equal for equal rows, and hardly ever for others.

    Sums of the row's words times random factors, modulo 2⁶⁴ (Carter & Wegman, «Universal classes of hash functions»,
    1979). Rows are compared in 32-bit floats and the data's own units, so that bytes equal the same numbers as floats.

    Parameters
    ----------
    X
        Rows in parts, (k, features) each.
    """
    found = []
    for part in X:
        stride, step = math.ceil(part.shape[1] / LOOKED_AT), max(1, AT_ONCE // part.shape[1])
        for start in range(0, len(part), step):
            looked_at = part[start : start + step, ::stride] + np.float32(0)  # −0 becomes 0
            words = np.ascontiguousarray(looked_at, np.float32).view(np.uint32) * MIXER
            words ^= words >> np.uint64(32)  # or whole numbers, whose last bits are 0, would have only such sums
            found.append((words @ FACTORS[: words.shape[1]]).view(np.int64))
    return np.concatenate([np.zeros(0, np.int64), *found])
