"""The lecture's pages on graphs, activations, descent and approximation, as `narrows.foundations` computes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from narrows.foundations.activations import relu, sigmoid, step, tanh
from narrows.web.library import Library

__all__ = ["Activations", "activations"]

REACH = 6.0
"""How far to either side of 0 activations are drawn."""


@dataclass(frozen=True, slots=True)
class Activations:
    """Four activation functions and their derivatives, each (4, n) over the places ``x`` (n,), and both at one place.

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
    # The step's and ReLU's corners are at 0, which is among the places.
    places = np.append(np.linspace(-REACH, REACH, 481), x)
    functions = {"step": (step, 1.0), "sigmoid": (sigmoid, k), "tanh": (tanh, 1.0), "relu": (relu, 1.0)}
    values = np.array([phi(times * places) for phi, times in functions.values()])
    slopes = np.array([times * phi.derivative(times * places) for phi, times in functions.values()])
    return Activations(
        list(functions), places[:-1], values[:, :-1], slopes[:, :-1], values[:, -1].tolist(), slopes[:, -1].tolist()
    )
