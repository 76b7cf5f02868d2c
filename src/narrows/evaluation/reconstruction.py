"""How well does an example come back? Errors of each example, and the same in the units people know.

Squared error is what most models here are trained on; the peak signal-to-noise ratio says it in decibels of the data's
range, and structural similarity looks at small windows as an eye does. A number alone says little: hold it against
those of the baselines (`narrows.evaluation.comparison`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import RandomState, random_seed, real, real_numbers
from narrows.chunks import chunks
from narrows.evaluation.intervals import Estimate, bootstrap

__all__ = [
    "Fidelity",
    "fidelity",
    "peak_signal_to_noise",
    "squared_errors",
    "structural_similarity",
]

Array = NDArray[np.float64]

RADIUS = 5
"""Of the usual window of 11 × 11 pixels, whose Gaussian has σ = 1.5 (Wang et al. 2004)."""

NUMBERS_AT_ONCE = 2**16
"""Pixels whose similarity is computed at a time; of many more, torch's convolution becomes slow and large."""


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
    errors: Array = np.square(x - y).reshape(len(x), -1).mean(axis=1)
    return errors


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

    torchmetrics', mean over pixels and channels, with the paper's window, a Gaussian of 11 × 11 pixels with σ = 1.5. In
    images of fewer than 11 pixels a side it is the largest odd window that fits, with σ shrunk alike: 7 × 7 with 0.9 in
    digits of 8 × 8. Outside its border an image is its mirror image, so that border pixels count as all others.
    Computed in 32 bits, right to some 1e-5.

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
    from torchmetrics.functional.image import structural_similarity_index_measure  # takes as long as torch to import

    peak = real("data_range", data_range, 0, low_included=False)
    radius = min(RADIUS, (min(x.shape[1:3]) - 1) // 2)
    found = np.empty(len(x))
    for rows in chunks(len(x), x[0].size, NUMBERS_AT_ONCE):
        # torchmetrics makes its window of σ: 2 ⌊3.5 σ + ½⌋ + 1 = 2 · radius + 1.
        found[rows] = structural_similarity_index_measure(
            _tensor(y[rows] / peak), _tensor(x[rows] / peak), sigma=0.3 * radius, reduction="none", data_range=1.0
        )
    return found


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
    seed = random_seed(random_state)
    error = bootstrap(np.mean, squared_errors(X, restored), random_state=seed)
    decibels = peak_signal_to_noise([error.value, error.high, error.low], data_range)
    images = np.asarray(X)
    has_windows = images.ndim in (3, 4) and min(images.shape[1:3]) >= 3
    return Fidelity(
        error=error,
        psnr=Estimate(*map(float, decibels)),
        ssim=bootstrap(np.mean, structural_similarity(X, restored, data_range), random_state=seed)
        if has_windows
        else None,
    )


def pair(X: ArrayLike, restored: ArrayLike) -> tuple[Array, Array]:
    """Return both as 64-bit numbers, or say what is wrong with them."""
    x, y = real_numbers("X", X), real_numbers("restored", restored)
    for name, values in {"X": x, "restored": y}.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds {(~np.isfinite(values)).sum():,} values that are not finite")
    if x.shape != y.shape or x.ndim < 2 or not x.size:
        raise ValueError(f"X {x.shape} and restored {y.shape} must be of one shape (n, …), with at least one example")
    return x.astype(np.float64), y.astype(np.float64)


def _tensor(images: Array) -> torch.Tensor:
    """Return images (n, H, W[, C]) as torch has them, (n, C, H, W) in 32 bits."""
    stacked = images[:, None] if images.ndim == 3 else np.moveaxis(images, 3, 1)
    return torch.from_numpy(np.ascontiguousarray(stacked, np.float32))
