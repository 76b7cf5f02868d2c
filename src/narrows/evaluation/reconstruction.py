"""How well does an example come back? Errors of each example, and the same in the units people know.

Squared error is what most models here are trained on; the peak signal-to-noise ratio says it in decibels of the data's
range, and structural similarity looks at small windows as an eye does. A number alone says little: hold it against
those of the baselines (`narrows.evaluation.comparison`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import RandomState, real, real_numbers
from narrows.chunks import chunks
from narrows.evaluation.intervals import Estimate, bootstrap_means

__all__ = [
    "NUMBERS_AT_ONCE",
    "Fidelity",
    "differences",
    "fidelity",
    "fidelity_of",
    "measures",
    "peak_signal_to_noise",
    "squared_errors",
    "structural_similarity",
]

Array = NDArray[np.float64]

RADIUS = 5
"""Of the usual window of 11 × 11 pixels, whose Gaussian has σ = 1.5 (Wang et al. 2004)."""

NUMBERS_AT_ONCE = 2**16
"""Pixels that are compared at a time, few enough for a processor's cache."""

LUMINANCE, CONTRAST = 0.01**2, 0.03**2
"""What keeps both quotients finite where images are black or even, in squared ranges of the data (Wang et al. 2004)."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How near reconstructions are to their originals, over the examples.

    Attributes
    ----------
    error
        Mean squared error per pixel or feature, in squared units of the data.
    psnr
        Of that mean error, in decibels; infinite if nothing differs. None for a table, whose columns have no unit in
        common.
    ssim
        Mean structural similarity, at most 1, or None where the examples are no images of 3 pixels or more a side.
    """

    error: Estimate
    psnr: Estimate | None
    ssim: Estimate | None


def squared_errors(X: ArrayLike, restored: ArrayLike) -> Array:
    """Return the mean squared error per pixel or feature of each example, (n,), in squared units of ``X``.

    Parameters
    ----------
    X, restored
        Both (n, …), of one shape: rows (n, features) or images (n, H, W) or (n, H, W, C).

    Raises
    ------
    TypeError, ValueError
        If they are not finite real numbers of one shape, with at least one example.
    """
    x, y = pair(X, restored)
    parts = chunks(len(x), x[0].size, NUMBERS_AT_ONCE)
    return np.concatenate([np.square(differences(x[rows], y[rows])).mean(axis=1) for rows in parts])


def differences(x: NDArray[Any], y: NDArray[Any]) -> Array:
    """Return ``x`` − ``y`` as rows (n, numbers), in 64 bits."""
    found: Array = np.subtract(x, y, dtype=np.float64).reshape(len(x), -1)
    return found


def peak_signal_to_noise(errors: ArrayLike, data_range: float) -> Array:
    """Return 10 log₁₀(R² / e), in decibels, of each mean squared error e; infinite where it is 0.

    Parameters
    ----------
    errors
        Of any shape; ≥ 0.
    data_range
        R, the highest less the lowest value that the data can have, in their units; > 0.
    """
    peak = real("data_range", data_range, 0, low_included=False)
    with np.errstate(divide="ignore"):
        decibels: Array = 10 * np.log10(peak**2 / np.asarray(errors, np.float64))
    return decibels


def structural_similarity(X: ArrayLike, restored: ArrayLike, data_range: float) -> Array:
    """Return the structural similarity of each image with its reconstruction, (n,): 1 if equal (Wang et al. 2004).

    The mean over pixels and channels, with the paper's window, a Gaussian of 11 × 11 pixels with σ = 1.5. In images of
    fewer than 11 pixels a side it is the largest odd window that fits, with σ shrunk alike: 7 × 7 with 0.9 in digits of
    8 × 8. Outside its border an image is its mirror image, so that border pixels count as all others.

    Parameters
    ----------
    X, restored
        Both (n, H, W) or (n, H, W, C), of one shape; sides of 3 or more.
    data_range
        As in `peak_signal_to_noise`.

    Raises
    ------
    TypeError, ValueError
        If they are not finite real images of one such shape.
    """
    x, y = pair(X, restored)
    if x.ndim not in (3, 4) or min(x.shape[1:3]) < 3:
        raise ValueError(
            f"X has shape {x.shape}; it must be images (n, H, W) or (n, H, W, C), of 3 pixels or more a side"
        )
    peak = real("data_range", data_range, 0, low_included=False)
    radius = min(RADIUS, (min(x.shape[1:3]) - 1) // 2)
    windows = _window(x.shape[1], radius), _window(x.shape[2], radius)
    parts = chunks(len(x), x[0].size, NUMBERS_AT_ONCE)
    both = ([np.divide(some[rows], peak, dtype=np.float64) for some in (x, y)] for rows in parts)
    return np.concatenate([_similarity(first, second, *windows) for first, second in both])


def _similarity(x: Array, y: Array, down: Array, across: Array) -> Array:
    """Return the similarity of images (n, H, W[, C]) in [0, 1], (n,), with windows as `_window` makes them."""
    h, w = len(down), len(across)

    def smoothed(images: Array) -> Array:
        lines = (images if images.ndim == 3 else np.moveaxis(images, 3, 1)).reshape(-1, w)
        columns = (lines @ across.T).reshape(-1, h, w).swapaxes(1, 2).reshape(-1, h)
        smooth: Array = (columns @ down.T).reshape(len(images), -1)  # in any order, of which only the mean is taken
        return smooth

    mean_x, mean_y = smoothed(x), smoothed(y)
    variances = np.maximum(smoothed(x * x) - mean_x**2, 0) + np.maximum(smoothed(y * y) - mean_y**2, 0)
    covariance = smoothed(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + LUMINANCE) / (mean_x**2 + mean_y**2 + LUMINANCE)
    contrast = (2 * covariance + CONTRAST) / (variances + CONTRAST)
    similarity: Array = (luminance * contrast).mean(1)
    return similarity


def _window(side: int, radius: int) -> Array:
    """Return the matrix (side, side) that makes each pixel of a line the mean over a Gaussian window around it."""
    steps = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (steps / (0.3 * radius)) ** 2)
    pixels = np.arange(side)[:, None]
    seen = side - 1 - abs(side - 1 - abs(pixels + steps))  # mirrored at both borders
    window = np.zeros((side, side))
    np.add.at(window, (pixels, seen), weights / weights.sum())
    return window


def fidelity(X: ArrayLike, restored: ArrayLike, data_range: float, *, random_state: RandomState = 0) -> Fidelity:
    """Return error, signal-to-noise ratio and similarity of ``restored`` with their intervals over the examples.

    Parameters
    ----------
    X, restored
        As in `squared_errors`, of 2 examples or more.
    data_range
        As in `peak_signal_to_noise`.
    random_state
        As in `narrows.evaluation.intervals.bootstrap`.
    """
    measured = measures(squared_errors(X, restored), X, restored, data_range)
    return fidelity_of(bootstrap_means(measured, random_state=random_state), data_range)


def measures(errors: Array, X: ArrayLike, restored: ArrayLike, data_range: float) -> Array:
    """Return (n, 1) ``errors``, or with the similarities of images (n, 2), whose means `fidelity_of` takes."""
    images = np.asarray(X)
    if images.ndim in (3, 4) and min(images.shape[1:3]) >= 3:
        return np.stack([errors, structural_similarity(X, restored, data_range)], 1)
    return errors[:, None]


def fidelity_of(means: Sequence[Estimate], data_range: float) -> Fidelity:
    """Return `fidelity`, where the means of `measures` are known."""
    error, *similarity = means
    decibels = peak_signal_to_noise([error.value, error.high, error.low], data_range)
    return Fidelity(error=error, psnr=Estimate(*map(float, decibels)), ssim=similarity[0] if similarity else None)


def pair(X: ArrayLike, restored: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both as arrays of real numbers, or say what is wrong with them."""
    x, y = real_numbers("X", X), real_numbers("restored", restored)
    for name, values in {"X": x, "restored": y}.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds {(~np.isfinite(values)).sum():,} values that are not finite")
    if x.shape != y.shape or x.ndim < 2 or not x.size:
        raise ValueError(f"X {x.shape} and restored {y.shape} must be of one shape (n, …), with at least one example")
    return x, y
