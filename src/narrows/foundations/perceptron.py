"""The threshold unit, its geometry and its bias (rows L1, L3 and L4).

The lecture “Úvod do generativních modelů” begins with the simplest artificial neuron: inputs x₁…x_d arrive over edges
with weights w₁…w_d, and the unit gives 1 if wᵀx ≥ θ, else 0 (McCulloch & Pitts 1943, Rosenblatt 1958). Its boundary
wᵀx = θ is, for two inputs, a line ax + by + c = 0 with c = −θ; for three, a plane. The threshold can be had as one more
weight w₀ = −θ on an input that is always 1.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.foundations.arguments import Array, finite_values

__all__ = ["ThresholdUnit", "targets"]


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdUnit:
    """A unit that gives 1 iff wᵀx ≥ θ, else 0 (McCulloch & Pitts 1943, Rosenblatt 1958).

    Parameters
    ----------
    weights : array_like, shape (d,)
        One weight w_i an input.
    theta : float
        The threshold θ, in units of wᵀx.

    Raises
    ------
    ValueError
        If `weights` is not a vector of at least one number, or a number is NaN or infinite.
    """

    weights: Array
    theta: float

    def __post_init__(self) -> None:
        weights, theta = finite_values("weights", self.weights).copy(), finite_values("theta", self.theta)
        if weights.ndim != 1 or not weights.size or theta.ndim:
            raise ValueError(f"weights and theta must have shapes (d,) and (), got {weights.shape} and {theta.shape}")
        weights.setflags(write=False)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "theta", float(theta))

    @classmethod
    def from_bias(cls, w: ArrayLike) -> Self:
        """The unit whose bias is the weight w₀ of a constant input 1, from w = (w₀, w₁, …, w_d); θ = −w₀, exactly.

        Raises
        ------
        ValueError
            If `w` is not a vector of at least two finite numbers.
        """
        w = finite_values("w", w)
        if w.ndim != 1 or w.size < 2:
            raise ValueError(f"w must hold a bias and at least one weight, shape (d + 1,), got {w.shape}")
        return cls(w[1:], -float(w[0]))

    def to_bias(self) -> Array:
        """The weights (−θ, w₁, …, w_d) for inputs (1, x₁, …, x_d), shape (d + 1,); the inverse of `from_bias`."""
        return np.concatenate([[-self.theta], self.weights])

    def excitation(self, x: ArrayLike) -> Array:
        """wᵀx, shape () or (n,), of one vector, shape (d,), or a batch, shape (n, d).

        Raises
        ------
        ValueError
            If `x` has another shape, or holds NaN or infinity.
        """
        x = finite_values("x", x)
        if x.ndim not in (1, 2) or x.shape[-1] != len(self.weights):
            raise ValueError(f"x must have shape (d,) or (n, d) with d = {len(self.weights)}, got {x.shape}")
        # Not x @ w: its order of summation, and so its last bit, may differ between a vector and a batch.
        return np.asarray(np.sum(np.ascontiguousarray(x) * self.weights, axis=-1))

    def __call__(self, x: ArrayLike) -> NDArray[np.int64]:
        """1 where wᵀx ≥ θ and 0 elsewhere; `x`, shapes and errors as in `excitation`."""
        return np.asarray(self.excitation(x) >= self.theta, dtype=np.int64)

    def distance(self, x: ArrayLike) -> Array:
        """Signed distance (wᵀx − θ) / ‖w‖ of `x` from the boundary, ≥ 0 where the unit fires; shape () or (n,).

        The errors are those of `excitation` and `boundary`.
        """
        return np.asarray((self.excitation(x) - self.theta) / math.hypot(*self.boundary()[:-1]))

    def boundary(self) -> Array:
        """Coefficients (w₁, …, w_d, −θ) of the boundary, shape (d + 1,): a, b, c of the line ax + by + c = 0 if d = 2.

        Raises
        ------
        ValueError
            If all weights are 0: such a unit fires always or never.
        """
        if not self.weights.any():
            raise ValueError("weights are all 0: such a unit fires always or never and has no boundary")
        return np.append(self.weights, -self.theta)

    def clip(self, low: ArrayLike, high: ArrayLike) -> Array:
        """The part of the boundary inside a box, for drawing: a segment for two inputs, a polygon for three.

        Parameters
        ----------
        low, high : array_like, shape () or (d,)
            The box's lower and upper corner.

        Returns
        -------
        ndarray, shape (k, d)
            The segment's two ends, or the polygon's vertices in order round it; none (k = 0) where the boundary misses
            the box, one where it only touches a corner.

        Raises
        ------
        ValueError
            If the unit has not two or three inputs or no boundary, or if `low` < `high` fails somewhere.
        """
        w, d = self.boundary()[:-1], len(self.weights)
        if d not in (2, 3):
            raise ValueError(f"weights must be 2 or 3 for the boundary to be drawn, got {d}")
        low, high = (np.broadcast_to(finite_values(name, end), (d,)) for name, end in (("low", low), ("high", high)))
        if not (low < high).all():
            raise ValueError(f"low must be below high in every coordinate, got low = {low} and high = {high}")
        corners = np.array(list(itertools.product(*zip(low, high, strict=True))))
        side = corners @ w - self.theta
        points = list(corners[side == 0])
        for i, j in itertools.product(np.flatnonzero(side < 0), np.flatnonzero(side > 0)):
            edge = corners[j] - corners[i]
            if np.count_nonzero(edge) == 1:
                points.append(corners[i] + side[i] / (side[i] - side[j]) * edge)
        return _round_about(np.clip(np.reshape(points, (-1, d)), low, high))


def targets(labels: ArrayLike, n: int | None = None) -> NDArray[np.int64]:
    """Two classes as 0 and 1, shape (n,), whatever two numbers stand for them: the larger is for the unit to fire at.

    Parameters
    ----------
    labels : array_like, shape (n,)
        0 and 1 as in the lecture, −1 and 1, False and True, or any other two numbers. If all are the same: 0, 1 or −1.
    n : int or None, default None
        How many there must be.

    Raises
    ------
    ValueError
        If there are not `n` labels, if they are not numbers, or not of two classes.
    """
    values = finite_values("labels", labels)
    if values.ndim != 1 or len(values) != (n or len(values)) or not len(values):
        raise ValueError(f"labels must be one class per point, shape ({n or 'n'},), got shape {values.shape}")
    classes = np.unique(values)
    if len(classes) > 2 or (len(classes) == 1 and classes[0] not in (-1, 0, 1)):
        raise ValueError(f"labels must be of two classes, such as 0 and 1, got {len(classes)}: {classes[:5].tolist()}")
    return np.asarray(values == classes[1] if len(classes) == 2 else values > 0, dtype=np.int64)


def _round_about(points: Array) -> Array:
    """Points of a plane in the order of their angle about their centre."""
    if len(points) < 2:
        return points
    centred = points - points.mean(axis=0)
    axes = np.linalg.svd(centred)[2]
    return points[np.argsort(np.arctan2(centred @ axes[1], centred @ axes[0]))]
