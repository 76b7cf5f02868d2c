"""How many bits of code buy how little error? Every model in one figure, whatever its latent_dim and its kind.

A code of real numbers would hold any number of bits. Rounded to a grid it holds as many as the entropy of its grid
points, and decoded it is a little worse: each width of the grid is a point between rate and distortion (Shannon 1959),
and a model is better where its curve is lower.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from narrows.evaluation.codes import dead_units

__all__ = ["rate_distortion"]

WIDTHS = 2.0 ** np.arange(2, -4, -0.5)
"""Of the grid's cells, in standard deviations of each unit, from coarse to fine."""

FULL = 2.0
"""Bits a unit may come near to what its number of examples can show, log₂ n, before its entropy is underestimated."""


def rate_distortion(
    z: NDArray[np.floating], error: Callable[[NDArray[np.float32]], float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bits per example, (k,), rising, and the error at each, (k,), of codes rounded to finer and finer grids.

    Bits are the sum over units of the entropy of their grid points among the examples: of a code that packs each unit
    by itself. The width goes from 4 standard deviations down to a tenth, or where examples are too few to tell.

    Parameters
    ----------
    z
        (n, latent_dim).
    error
        Rounded codes (n, latent_dim) ↦ the mean squared error of what they decode to.
    """
    center, spread = z.mean(0), z.std(0)
    unit = np.where(dead_units(z), 1.0, spread)
    rates: list[float] = []
    errors: list[float] = []
    for width in WIDTHS:
        cells = np.rint((z - center) / (unit * width))
        bits = [_entropy(column) for column in cells.T]
        if max(bits) > np.log2(len(z)) - FULL and rates:
            break
        rates.append(sum(bits))
        errors.append(error((center + cells * unit * width).astype(np.float32)))
    return np.array(rates), np.array(errors)


def _entropy(cells: NDArray[np.floating]) -> float:
    """Return the entropy of the distribution of values among ``cells`` (n,), in bits."""
    _, counts = np.unique(cells, return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum())
