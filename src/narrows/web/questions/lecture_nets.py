"""The lecture's pages on graphs, activations, descent and approximation, as `narrows.foundations` computes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from narrows.foundations.activations import Activation, relu, sigmoid, step, tanh
from narrows.foundations.approximation import Approximation, approximate, monomial
from narrows.foundations.descent import Function, Iterate, contour, descend, numeric_gradient
from narrows.foundations.images import convolution_parameters, dense_parameters
from narrows.web.library import Library

__all__ = [
    "Activations",
    "Approximated",
    "Descent",
    "Parameters",
    "Surface",
    "activations",
    "approximation",
    "descent",
    "parameters",
    "surface",
]

REACH = 6.0
"""How far to either side of 0 activations are drawn."""

HILLS: dict[str, tuple[Function, tuple[float, float], float]] = {
    "bowl": (lambda x: (x[0] - 1) ** 2 + (x[1] - 2) ** 2, (-2, -1), 6),
    "trough": (lambda x: x[0] ** 2 / 4 + 2 * x[1] ** 2, (-3, -3), 6),
    "valley": (lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, (-2, -1.5), 4),
    "hollows": (lambda x: (x[0] ** 2 - 1) ** 2 + x[0] / 4 + x[1] ** 2, (-2, -2), 4),
}
"""What is descended, and the square in which it is shown, by a corner and its side. The bowl is the lecture's."""

FAR = 1e6
"""A descent that has climbed so high is lost."""

FLAT = 1e-3
"""A gradient so short counts as none."""

TARGETS: dict[str, Callable[[float], float]] = {
    "wave": lambda x: math.sin(3 * x),
    "corner": abs,
    "bump": lambda x: math.exp(-4 * x * x),
    "jump": lambda x: float(x >= 0),
}
"""What is approximated, on [−2, 2]. The jump isn't continuous, so that no theorem covers it."""

WIDEST = 64
"""Hidden units of the widest net."""

Hill = Literal["bowl", "trough", "valley", "hollows"]
Coordinate = Annotated[float, Field(ge=-10, le=10)]
Size = Annotated[int, Field(ge=1, le=4096)]


@dataclass(frozen=True, slots=True)
class Activations:
    """Four activation functions and their derivatives, each (4, n) over the points ``x`` (n,), and both at one point.

    ``sigmoid`` is σ(kx), which approaches the step as k grows; its derivative is kσ′(kx).
    """

    names: list[str]
    x: NDArray[np.float64]
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]
    at: list[float]
    slope: list[float]


def activations(
    _: Library,
    /,
    x: Annotated[float, Field(ge=-REACH, le=REACH)],
    k: Annotated[float, Field(gt=0, le=100)] = 1,
) -> Activations:
    """Evaluate the lecture's activation functions, the sigmoid k times as steep as it is."""
    # The step's and ReLU's corners are at 0, which is among the points.
    points = np.append(np.linspace(-REACH, REACH, 481), x)
    functions = {"step": (step, 1.0), "sigmoid": (sigmoid, k), "tanh": (tanh, 1.0), "relu": (relu, 1.0)}
    values = np.array([phi(times * points) for phi, times in functions.values()])
    slopes = np.array([times * phi.derivative(times * points) for phi, times in functions.values()])
    return Activations(
        list(functions), points[:-1], values[:, :-1], slopes[:, :-1], values[:, -1].tolist(), slopes[:, -1].tolist()
    )


@dataclass(frozen=True, slots=True)
class Surface:
    """A function of two variables over a square: ``values[i, j]`` at ``(xs[j], ys[i])``."""

    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    values: NDArray[np.float64]


def surface(_: Library, /, f: Hill) -> Surface:
    """Tabulate one of the functions that are descended."""
    return _surface(f)


@cache
def _surface(name: str) -> Surface:
    f, (x, y), side = HILLS[name]
    found = contour(f, [(x, y)], ((x, x + side), (y, y + side)), resolution=121)
    return Surface(found.xs, found.ys, found.values)


@dataclass(frozen=True, slots=True)
class Descent:
    """The iterates of a descent, from the start on: points and gradients (n, 2), values (n,).

    A verdict says how it goes: "converges" to where the gradient is all but 0, "falls", "zigzags" down, "oscillates"
    without getting lower, or "diverges"; "starts" where no step has been made.
    """

    points: NDArray[np.float64]
    values: NDArray[np.float64]
    gradients: NDArray[np.float64]
    verdict: str


def descent(
    _: Library,
    /,
    f: Hill,
    start: tuple[Coordinate, Coordinate],
    rate: Annotated[float, Field(gt=0, le=10)],
    steps: Annotated[int, Field(ge=0, le=200)],
) -> Descent:
    """Descend one of the functions by its numeric gradient; cut short where it is lost or has arrived."""
    function = HILLS[f][0]
    path: list[Iterate] = []
    for here in descend(function, partial(numeric_gradient, function), start, eta=rate, n_steps=steps):
        path.append(here)
        if here.value > FAR or np.linalg.norm(here.gradient) < FLAT:
            break
    points, gradients = (np.array([getattr(here, name) for here in path]) for name in ("x", "gradient"))
    values = np.array([here.value for here in path])
    return Descent(points, values, gradients, _verdict(points, values, gradients[-1]))


def _verdict(points: NDArray[np.float64], values: NDArray[np.float64], gradient: NDArray[np.float64]) -> str:
    if np.linalg.norm(gradient) < FLAT:
        return "converges"
    if len(points) == 1:
        return "starts"
    first, last = values[0], values[-1]
    level = np.isclose(last, first, rtol=1e-6)
    if last > FAR or (last == values.max() and not level):
        return "diverges"
    if last > first or level:
        return "oscillates"
    moves = np.diff(points, axis=0)[-10:]
    turned = (moves[1:] * moves[:-1]).sum(axis=1) < 0
    return "zigzags" if 2 * turned.sum() > len(turned) else "falls"


@dataclass(frozen=True, slots=True)
class Approximated:
    """One net's fit to its target over the points ``x`` (n,), and the errors of nets of all ``widths``.

    ``rms`` is (3, widths), for the sigmoid, ReLU and the polynomial; ``sup``, the largest error at a point, and
    ``dimensions``, how many of the hidden units and the constant are independent, are the fit's own.
    """

    x: NDArray[np.float64]
    target: NDArray[np.float64]
    fit: NDArray[np.float64]
    widths: NDArray[np.intp]
    rms: NDArray[np.float64]
    sup: float
    dimensions: int


def approximation(
    _: Library,
    /,
    target: Literal["wave", "corner", "bump", "jump"],
    activation: Literal["sigmoid", "relu", "polynomial"],
    width: Annotated[int, Field(ge=1, le=WIDEST)],
    degree: Annotated[int, Field(ge=1, le=15)] = 3,
) -> Approximated:
    """Fit nets with one hidden layer of 1 to `WIDEST` units to a target, and show the one of ``width`` units."""
    nets = {
        "sigmoid": _measured(target, sigmoid),
        "relu": _measured(target, relu),
        "polynomial": _measured(target, _monomial(degree)),
    }
    shown, sparse = nets[activation], slice(None, None, 4)
    return Approximated(
        x=shown.x[sparse],
        target=shown.target[sparse],
        fit=shown.fits[width - 1, sparse],
        widths=shown.widths,
        rms=np.array([net.rms for net in nets.values()]),
        sup=float(shown.sup[width - 1]),
        dimensions=int(shown.dimensions[width - 1]),
    )


_monomial = cache(monomial)


@lru_cache(16)
def _measured(target: str, activation: Activation) -> Approximation:
    return approximate(TARGETS[target], (-2, 2), activation, widths=range(1, WIDEST + 1))


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many numbers an image has, and how many weights a layer has that takes it in, without biases."""

    inputs: int
    dense: int
    convolutional: int


def parameters(
    _: Library,
    /,
    height: Size,
    width: Size,
    channels: Annotated[int, Field(ge=1, le=4)],
    units: Annotated[int, Field(ge=1, le=10**8)],
    filters: Size,
    kernel: Annotated[int, Field(ge=1, le=15)],
) -> Parameters:
    """Count the weights of a dense layer of ``units`` and of a convolutional one, for images of one size."""
    inputs = height * width * channels
    return Parameters(
        inputs,
        dense_parameters(inputs, units, bias=False),
        convolution_parameters(channels, filters, kernel, bias=False),
    )
