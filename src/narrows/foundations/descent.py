"""Gradient descent: walk against the gradient.

The gradient ∇f(x) points where f grows fastest and its length says how fast, so a small step against it goes downhill.
The lecture's example is the paraboloid f(x, y) = (x − 1)² + (y − 2)², whose gradient (2(x − 1), 2(y − 2)) is (−2, −4)
at the origin and vanishes at the minimum (1, 2). Descent needs a gradient everywhere, so f must be differentiable, and
it walks the more steadily the smoother f is.

>>> def f(x):
...     return (x[0] - 1) ** 2 + (x[1] - 2) ** 2
>>> for step in descend(f, lambda x: (2 * (x[0] - 1), 2 * (x[1] - 2)), x0=(0, 0), eta=0.25, n_steps=2):
...     print(step.index, step.x, step.value, step.gradient)
0 [0. 0.] 5.0 [-2. -4.]
1 [0.5 1. ] 1.25 [-1. -2.]
2 [0.75 1.5 ] 0.3125 [-0.5 -1. ]
"""

import reprlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from narrows.foundations.arguments import Array, finite_array, finite_number, whole_number
from narrows.foundations.feedforward import Graph

__all__ = ["Contour", "Function", "Iterate", "contour", "descend", "from_graph", "numeric_gradient"]

Function: TypeAlias = Callable[[Array], ArrayLike]
"""f, or ∇f: from an array of some shape to a number, or to an array of the same shape."""


def _evaluate(what: str, function: Function, x: Array, shape: tuple[int, ...]) -> Array:
    """``function(x)`` as an array of the given shape, refusing whatever is not finite."""
    if not np.isfinite(x).all():
        raise FloatingPointError(f"{what} is asked for at x = {reprlib.repr(x.tolist())}")
    try:
        with np.errstate(all="ignore"):
            result = np.array(function(x.copy()), dtype=np.float64)
    except ArithmeticError as error:
        raise FloatingPointError(f"{what} fails at x = {reprlib.repr(x.tolist())}: {error}") from error
    if result.shape != shape:
        raise ValueError(f"{what} must have shape {shape}, got {result.shape} at x = {reprlib.repr(x.tolist())}")
    if not np.isfinite(result).all():
        raise FloatingPointError(f"{what} is {reprlib.repr(result.tolist())} at x = {reprlib.repr(x.tolist())}")
    return result


def numeric_gradient(f: Function, x: ArrayLike) -> Array:
    """∇f(x) by central differences: (f(x + h eᵢ) − f(x − h eᵢ)) / 2h in each coordinate i.

    The error of the formula grows like h², that of rounding like ε/h; h = ε^⅓ max(1, |xᵢ|) ≈ 6·10⁻⁶ max(1, |xᵢ|)
    balances them and leaves about ten digits of a function that varies on the scale of 1.

    Parameters
    ----------
    f : callable
        From an array of x's shape to a number.
    x : array_like of any shape

    Returns
    -------
    ndarray of x's shape

    Raises
    ------
    TypeError, ValueError
        If x is not finite, or f does not return one number.
    FloatingPointError
        If f is not finite next to x, or too steep for a float64.
    """
    x = finite_array("x", x)
    h = np.cbrt(np.finfo(np.float64).eps) * np.maximum(1.0, np.abs(x))
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        with np.errstate(over="ignore"):
            above[i] += h[i]
            below[i] -= h[i]
            # Divided by the step that was really made: x ± h is rounded.
            gradient[i] = (_evaluate("f", f, above, ()) - _evaluate("f", f, below, ())) / (above[i] - below[i])
        if not np.isfinite(gradient[i]):
            raise FloatingPointError(f"f is too steep in coordinate {i} at x = {reprlib.repr(x.tolist())}")
    return gradient


def from_graph(graph: Graph) -> tuple[Function, Function]:
    """F and ∇F of a feed-forward graph, each as a function of one vector: the inputs in the order of ``graph.inputs``.

    Both raise ValueError for a vector of another shape, and whatever the graph raises.
    """
    n = len(graph.inputs)

    def inputs(x: Array) -> dict[str, ArrayLike]:
        if np.shape(x) != (n,):
            raise ValueError(f"x must hold a number for each of {', '.join(graph.inputs)}, got shape {np.shape(x)}")
        return dict(zip(graph.inputs, x, strict=True))

    def f(x: Array) -> Array:
        return graph(inputs(x))

    def gradient(x: Array) -> Array:
        return graph.backward(graph.forward(inputs(x)))[:n]

    return f, gradient


@dataclass(frozen=True, slots=True)
class Iterate:
    """One point of a descent: its index from 0, x, f(x), and ∇f(x) of x's shape."""

    index: int
    x: Array
    value: float
    gradient: Array


def descend(
    f: Function, gradient: Function, x0: ArrayLike, *, eta: float, n_steps: int, momentum: float = 0.0
) -> Iterator[Iterate]:
    """Gradient descent with momentum: v ← μv − η∇f(x), x ← x + v (Polyak 1964, the heavy ball).

    Parameters
    ----------
    f, gradient : callable
        f and ∇f, of an array of x0's shape.
    x0 : array_like of any shape
        Where to start, at rest (v = 0).
    eta : float > 0
        The learning rate η.
    n_steps : int ≥ 0
    momentum : float in [0, 1)
        μ; 0 is plain gradient descent.

    Returns
    -------
    iterator of Iterate
        x0 and the ``n_steps`` points after it, each computed when it is asked for.

    Raises
    ------
    TypeError, ValueError
        At once, if x0, eta, n_steps or momentum is not one of the above; later, if f or its gradient has a wrong shape.
    FloatingPointError
        While iterating, if x, f(x) or ∇f(x) is no longer finite; the message says at which iterate and what to try.
    """
    x = finite_array("x0", x0)
    eta, momentum = finite_number("eta", eta), finite_number("momentum", momentum)
    if eta <= 0:
        raise ValueError(f"eta must be above 0, got {eta}")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum must be in [0, 1), got {momentum}")
    indices = range(whole_number("n_steps", n_steps, 0) + 1)

    def iterates(x: Array) -> Iterator[Iterate]:
        v = np.zeros_like(x)
        for index in indices:
            try:
                value = float(_evaluate("f", f, x, ()))
                slope = _evaluate("the gradient", gradient, x, x.shape)
            except FloatingPointError as error:
                if index == 0:  # The start is at fault, not the rate.
                    raise
                raise FloatingPointError(
                    f"the descent diverged at iterate {index}: {error}; try a smaller eta, such as {eta / 10:g}"
                ) from error
            here = Iterate(index, x, value, slope)
            # The next point is fixed before this one is handed out, so that no change to its arrays leads it astray.
            with np.errstate(over="ignore", invalid="ignore"):
                v = momentum * v - eta * slope
                x = x + v
            yield here

    return iterates(x)


@dataclass(frozen=True, slots=True)
class Contour:
    """What a contour plot of f: ℝ² → ℝ with a path on it needs.

    Attributes
    ----------
    xs, ys : ndarray of shape (nx,) and (ny,)
        The grid.
    values : ndarray of shape (ny, nx)
        f(xs[j], ys[i]); NaN where f has no finite value, which contour plots leave blank.
    path : ndarray of shape (points, 2)
    """

    xs: Array
    ys: Array
    values: Array
    path: Array


def contour(
    f: Function,
    path: ArrayLike,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
    resolution: int = 81,
) -> Contour:
    """Tabulate f around a path.

    Parameters
    ----------
    f : callable
        From an array of shape (2,) to a number.
    path : array_like of shape (points, 2)
        Such as ``[step.x for step in descend(...)]``.
    limits : ((x_min, x_max), (y_min, y_max)), optional
        The window; by default the path's own, widened on every side by a quarter of its longer side, and by 1 or more
        around a single point.
    resolution : int ≥ 2
        Grid points along each axis.

    Raises
    ------
    TypeError, ValueError
        If the path is empty, not finite or not in the plane, the limits are not two intervals or the resolution is
        below 2, or f does not return one number.
    """
    path = finite_array("path", path)
    if path.ndim != 2 or path.shape[1] != 2 or len(path) == 0:
        raise ValueError(f"path must have shape (points, 2) with at least one point, got {path.shape}")
    resolution = whole_number("resolution", resolution, 2)
    if limits is None:
        low, high = path.min(axis=0), path.max(axis=0)
        margin = (high - low).max() / 4 or max(1.0, np.abs(high).max() / 4)
        window = np.column_stack([low - margin, high + margin])
    else:
        window = finite_array("limits", limits)
    if window.shape != (2, 2) or not (window[:, 0] < window[:, 1]).all():
        raise ValueError(f"limits must be ((x_min, x_max), (y_min, y_max)) with min < max, got {limits}")
    xs, ys = np.linspace(window[:, 0], window[:, 1], resolution).T
    values = np.full((resolution, resolution), np.nan)
    for i, j in np.ndindex(values.shape):
        try:
            values[i, j] = _evaluate("f", f, np.array([xs[j], ys[i]]), ())
        except FloatingPointError:
            continue
    return Contour(xs, ys, values, path)
