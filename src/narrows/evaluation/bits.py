"""Bits per dimension: a density of continuous numbers as a length of code for the grey levels that they are.

A model's log-density is in nats per example and in the data's units: of the same images from 0 to 255 it is D log 255
lower than from 0 to 1, where D is the number of pixels. In bits per dimension such things cancel, and numbers of
different papers compare. For that it takes the distance of neighbouring levels, and noise that fills the gaps between
them: only then are the bits a length of code.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import RandomState, integer, random_seed, real, real_numbers

__all__ = ["bits_per_dimension", "dequantised", "level_distance"]

MOST_LEVELS = 2**16
"""That numbers are taken for levels: as many as 16 bits tell apart."""


def bits_per_dimension(log_density: ArrayLike, features: int, *, step: float = 1.0) -> NDArray[np.float64]:
    """Return −(log p(x) + D log δ) / (D log 2): bits for each of the D numbers of an example.

    p(x) δᴰ is the probability of the cell of side δ around x where p is flat in it. A density can be sharper than the
    grid: evaluated on the levels themselves, it can promise any number of bits, also below 0. Evaluated on
    `dequantised` data, the mean is no less than the length of a true code for the levels (Theis, van den Oord & Bethge
    2016). Bounds on log p(x), such as a VAE's, only make it larger.

    Parameters
    ----------
    log_density
        log p(x), or a lower bound on it, in nats per example and in the units of ``step``; of any shape.
    features
        D, the numbers of an example: H · W · C of an image.
    step
        δ, the distance of neighbouring levels, > 0: 1 for images of 0 to 255, 1/255 if these were scaled to [0, 1]. For
        a log-probability, as of a Bernoulli likelihood, it is 1.

    Returns
    -------
    ndarray, of the shape of ``log_density``

    Raises
    ------
    TypeError, ValueError
        If ``features`` or ``step`` is out of range.
    """
    d, width = integer("features", features, 1), real("step", step, 0, low_included=False)
    bits: NDArray[np.float64] = -(np.asarray(log_density, np.float64) / d + math.log(width)) / math.log(2)
    return bits


def dequantised(X: ArrayLike, *, step: float = 1.0, random_state: RandomState = 0) -> NDArray[np.float64]:
    """Return ``X`` with uniform noise in [−δ/2, δ/2) added to each number (Uria, Murray & Larochelle 2013).

    Parameters
    ----------
    X
        Levels, of any shape.
    step
        δ, as in `bits_per_dimension`.
    random_state
        A seed in [0, 2³²), one of NumPy's generators, or None for new noise each time.

    Raises
    ------
    TypeError, ValueError
        If ``step`` or ``random_state`` is out of range.
    """
    width = real("step", step, 0, low_included=False)
    levels = real_numbers("X", X).astype(np.float64)
    return levels + np.random.default_rng(random_seed(random_state)).uniform(-width / 2, width / 2, levels.shape)


def level_distance(X: ArrayLike) -> float | None:
    """Return the distance of neighbouring levels, if all of ``X`` are levels of one even grid, or else None.

    Images are: of 0 to 255, or these divided by 255. Numbers with an unlimited number of digits are not.
    """
    levels = np.unique(real_numbers("X", X).astype(np.float64))
    if not 2 <= len(levels) <= MOST_LEVELS:
        return None
    gaps = np.diff(levels)
    steps = gaps / gaps.min()
    # Divided by 255 in 32 bits, levels are off their places by 1e-5 of a gap; a few numbers anywhere are by far more.
    even = np.abs(steps - np.rint(steps)).max() < 1e-3 and steps.sum() < MOST_LEVELS
    return float((levels[-1] - levels[0]) / np.rint(steps).sum()) if even else None
