"""Three rules by which a threshold unit learns, and what is promised of one of them (row L2).

Hebb (1949), Rosenblatt (1958) and Widrow & Hoff (1960) say how the weights follow examples. The threshold is learned as
one more weight w₀ = −θ on an input that is always 1. The rules generate single steps, which a figure can follow.
Rosenblatt's stops iff a unit can do the task, and after few enough steps (Novikoff 1962).

Source: the lecture “Úvod do generativních modelů”.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from narrows.foundations.arguments import Array, finite_values
from narrows.foundations.perceptron import ThresholdUnit, targets

__all__ = ["Convergence", "RuleStep", "adaline", "convergence", "hebb", "margin", "rosenblatt"]

# What a rule makes of one example, from the unit, x and t: the error, and the factor of η·(1, x) in the change of w̃.
Rule: TypeAlias = Callable[[ThresholdUnit, Array, int], tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class RuleStep:
    """One step of a learning rule.

    Attributes
    ----------
    unit : ThresholdUnit
        The unit after the step: `unit.weights` and `unit.theta`, or both in `unit.to_bias()`.
    index, epoch : int
        Which example was shown, from 0, in which pass over them, from 1.
    error : float
        Target minus output before the step: of the unit (−1, 0 or 1), or in ADALINE of its linear part.
    updated : bool
        Whether the rule changed the weights.
    """

    unit: ThresholdUnit
    index: int
    epoch: int
    error: float
    updated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Convergence:
    """What the convergence theorem promises on given examples, and what happened.

    Attributes
    ----------
    gamma, radius, bound : float
        The margin γ (see `margin`), the largest norm R of an input with its constant 1, and (R/γ)², more than which the
        rule never needs. Where no separating unit is known, γ = 0 and the bound is infinite.
    updates, epochs : int
        How often the rule changed the weights, in how many passes over the examples.
    converged : bool
        Whether the last pass had no error.
    unit : ThresholdUnit
        The unit at the end.
    """

    gamma: float
    radius: float
    bound: float
    updates: int
    epochs: int
    converged: bool
    unit: ThresholdUnit


def rosenblatt(X: ArrayLike, labels: ArrayLike, *, eta: float = 1.0, epochs: int | None = None) -> Iterator[RuleStep]:
    """The perceptron rule (Rosenblatt 1958): only an error changes the weights, Δw = η·(t − o)·x.

    It ends after a whole pass without an error, which comes iff some unit separates the classes; see `convergence`.

    Parameters
    ----------
    X : array_like, shape (n, d)
        The examples, shown in this order, again and again. Weights and threshold start at 0.
    labels : array_like, shape (n,)
        Their classes; see `perceptron.targets`.
    eta : float, default 1.0
        The learning rate η > 0. From weights 0 it scales them and changes nothing else.
    epochs : int or None, default None
        At most so many passes. None: until one changes nothing, so for ever where the classes cannot be separated.

    Yields
    ------
    RuleStep
        After every example.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the shapes do not fit; raised at the call, not at the first step.
    """

    def rule(unit: ThresholdUnit, x: Array, t: int) -> tuple[float, float]:
        error = float(t - unit(x))
        return error, error

    return _steps(*_examples(X, labels), eta, epochs, rule)


def hebb(X: ArrayLike, labels: ArrayLike, *, eta: float = 1.0, epochs: int | None = 1) -> Iterator[RuleStep]:
    """Hebb's rule (1949): what is active together is tied together, Δw = η·y·x, with y = ±1 for the two classes.

    It never looks at its own errors, so that more passes only lengthen w. It is right where the inputs are orthogonal.
    Parameters, steps and errors are those of `rosenblatt`; one pass is the default.
    """
    return _steps(*_examples(X, labels), eta, epochs, lambda unit, x, t: (float(t - unit(x)), 2 * t - 1))


def adaline(
    X: ArrayLike, labels: ArrayLike, *, eta: float | None = None, epochs: int | None = None
) -> Iterator[RuleStep]:
    """The delta rule of ADALINE (Widrow & Hoff 1960): descend the squared error of the linear part, before the step.

    With y = ±1 for the two classes, Δw = η·(y − (wᵀx − θ))·x. It settles near the least-squares weights, the nearer
    the smaller η, also where the classes cannot be separated; where they can, it may still leave an error.

    Parameters
    ----------
    X, labels, epochs
        As in `rosenblatt`, and so are the steps and errors; without `epochs` it may go on for ever.
    eta : float or None, default None
        The learning rate, 0 < η < 2/R², where R is the largest norm of an input with its constant 1: beyond, a step
        overshoots and errors may grow. None: a tenth of that.

    Raises
    ------
    ValueError
        If `eta` is too large.
    """
    x, t = _examples(X, labels)
    largest = 2 / _radius(x) / _radius(x)
    if eta is not None and eta >= largest:
        raise ValueError(f"eta must be below 2/R² = {largest:.6g} for these examples, got {eta!r}")

    def rule(unit: ThresholdUnit, x: Array, t: int) -> tuple[float, float]:
        error = float(2 * t - 1 - (unit.excitation(x) - unit.theta))
        return error, error

    return _steps(x, t, largest / 10 if eta is None else eta, epochs, rule)


def convergence(X: ArrayLike, labels: ArrayLike, *, epochs: int = 1000) -> Convergence:
    """Run the perceptron rule and hold it against its convergence theorem: at most (R/γ)² updates (Novikoff 1962).

    The theorem is about units without a threshold, so it is applied to the inputs with their constant 1: x̃ = (1, x).
    Parameters and errors are those of `rosenblatt`; the rule gives up after `epochs` passes.
    """
    x, t = _examples(X, labels)
    updates = updates_of_pass = 0
    for step in rosenblatt(x, t, epochs=epochs):
        updates_of_pass = step.updated + (updates_of_pass if step.index else 0)
        updates += step.updated
    gamma, radius = margin(x, t), _radius(x)
    if updates and not updates_of_pass:
        # The theorem holds with any separating unit; where rounding blurs the widest, the one found may be wider.
        gamma = max(gamma, margin(x, t, step.unit))
    # A hair more, since the bound is reached in places and rounding must not undercut it.
    bound = (radius / gamma) ** 2 * (1 + 1e-12) if gamma > 0 else math.inf
    return Convergence(gamma, radius, bound, updates, step.epoch, not updates_of_pass, step.unit)


def margin(X: ArrayLike, labels: ArrayLike, unit: ThresholdUnit | None = None) -> float:
    """The margin γ of the convergence theorem: the smallest y·w̃ᵀx̃ / ‖w̃‖, with x̃ = (1, x), w̃ = (−θ, w) and y = ±1.

    The threshold counts as a weight here, so that γ is at most the points' distance from the boundary.

    Parameters
    ----------
    X, labels
        As in `rosenblatt`.
    unit : ThresholdUnit or None, default None
        The unit whose margin is meant. None: the greatest that any unit has, which is the distance of the origin from
        the convex hull of the points y·x̃; 0 if floats see no unit that separates (`boolean.separate` decides exactly).

    Raises
    ------
    ValueError
        If the shapes do not fit, or the unit's weights and threshold are all 0.
    """
    x, t = _examples(X, labels)
    z = (2.0 * t - 1)[:, None] * np.column_stack([np.ones(len(x)), x])
    if unit is not None:
        unit.excitation(x)  # refuses points with another number of inputs
        if not unit.to_bias().any():
            raise ValueError("unit must not have weights and threshold 0: it has no margin")
        return float(np.min(z @ (unit.to_bias() / math.hypot(*unit.to_bias()))))
    # The nearest point zᵀp of the hull, Σp = 1, by non-negative least squares: min ‖zᵀλ‖² + (Σλ − 1)² has λ ∝ p.
    scaled = z / _radius(x)
    lam, _ = nnls(np.vstack([scaled.T, np.ones(len(z))]), np.append(np.zeros(z.shape[1]), 1.0), maxiter=100 * len(z))
    nearest = scaled.T @ lam
    length = math.hypot(*nearest)
    gamma = float(np.min(scaled @ nearest)) / length if length else 0.0
    return gamma * _radius(x) if gamma > 1e-14 * len(nearest) else 0.0


def _steps(x: Array, t: NDArray[np.int64], eta: float, epochs: int | None, rule: Rule) -> Iterator[RuleStep]:
    if not (0 < eta < math.inf):
        raise ValueError(f"eta must be positive and finite, got {eta!r}")
    if epochs is not None and not (isinstance(epochs, Integral) and epochs >= 1):
        raise ValueError(f"epochs must be a whole number from 1, or None for no limit, got {epochs!r}")

    def follow() -> Iterator[RuleStep]:
        unit = ThresholdUnit(np.zeros(x.shape[1]), 0.0)
        for epoch in itertools.count(1) if epochs is None else range(1, epochs + 1):
            at_rest = True
            for i in range(len(x)):
                error, factor = rule(unit, x[i], int(t[i]))
                if factor:
                    unit = ThresholdUnit(unit.weights + eta * factor * x[i], unit.theta - eta * factor)
                    at_rest = False
                yield RuleStep(unit, i, epoch, error, bool(factor))
            if at_rest:
                return

    return follow()


def _examples(X: ArrayLike, labels: ArrayLike) -> tuple[Array, NDArray[np.int64]]:
    x = finite_values("X", X)
    if x.ndim != 2 or not x.size:
        raise ValueError(f"X must have shape (n, d) with n, d ≥ 1, got {x.shape}")
    return x, targets(labels, len(x))


def _radius(x: Array) -> float:
    return max(math.hypot(1.0, *row) for row in x)
