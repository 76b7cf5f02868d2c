"""Sets drawn by the project itself, whose every example comes with the factors it was drawn from.

The lecture “Úvod do generativních modelů” presses images through a few numbers. Here it is known how many numbers there
are and what they mean, so a code can be held against them: does some direction of it move the shape, another turn it?

The factors are drawn uniformly and independently, and so that without noise no two values of them look the same: a
square is turned by less than a quarter turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import RandomState, integer, random_seed, real
from narrows.data.dataset import Dataset

__all__ = ["SYNTHETIC", "bars", "moons", "rings", "shapes"]

Array = NDArray[np.float64]

PERIODS = {"square": math.pi / 2, "ellipse": math.pi, "heart": 2 * math.pi}
"""The angle after which each shape looks as before."""

LARGEST = 0.25
"""The largest scale; centres keep this far from the image's border, so that all shapes are whole."""

HEART_CENTRE = (math.pi + 4 / 3) / (math.sqrt(2) * (4 + math.pi))
"""How far a heart's centre of mass is above its square's, in radii of its discs."""

HEART_RADIUS = 1 / (math.sqrt(2) + HEART_CENTRE)
"""The radius of its discs if its lower tip, the farthest point, has distance 1 from its centre of mass."""


def shapes(n: int = 5000, *, size: int = 32, random_state: RandomState = 0) -> Dataset:
    """Draw a white square, ellipse or heart on black, the shapes of dSprites (Matthey et al. 2017), with smooth edges.

    The heart is a square that stands on a corner, with half a disc on each of its upper sides; the ellipse is twice as
    long as wide, and lies if it is not turned.

    Parameters
    ----------
    n
        The number of images.
    size
        Their side in pixels, from 8 to 1024.
    random_state
        A seed in [0, 2³²), one of NumPy's generators, or None for a new set each time.

    Returns
    -------
    Dataset
        Images (n, size, size) of bytes, 0 to 255; the shape's name as label; and the factors

        - ``shape``: ``"square"``, ``"ellipse"`` or ``"heart"``;
        - ``x``, ``y``: the centre of mass in fractions of the side, from the left and from the top, in [¼, ¾);
        - ``scale``: the distance from there to the shape's farthest point, in fractions of the side, in [⅛, ¼);
        - ``rotation``: counter-clockwise, in radians, from 0 to the shape's period: π/2, π or 2π. Only its range
          depends on another factor, the shape.

    Raises
    ------
    TypeError, ValueError
        If an argument is not one of these.
    """
    n, size = integer("n", n, 1), integer("size", size, 8, 1024)
    rng = np.random.default_rng(random_seed(random_state))
    shape = rng.choice(list(PERIODS), n)
    factors = pd.DataFrame(
        {
            "shape": shape,
            "x": rng.uniform(LARGEST, 1 - LARGEST, n),
            "y": rng.uniform(LARGEST, 1 - LARGEST, n),
            "scale": rng.uniform(LARGEST / 2, LARGEST, n),
            "rotation": rng.uniform(0, [PERIODS[name] for name in shape]),
        }
    )
    return Dataset("shapes", _drawn(factors, size), shape, factors=factors)


def _drawn(factors: pd.DataFrame, size: int) -> NDArray[np.uint8]:
    """Return the images (n, size, size) of the shapes with these ``factors``, drawn at twice the size and averaged."""
    images = np.empty((len(factors), size, size), np.uint8)
    fine = 2 * size
    middles = np.arange(fine) + 0.5
    at_once = max(1, 2**16 // fine**2)  # images whose arrays of coordinates a processor's cache holds
    for name, coverage in COVERAGES.items():
        numbers = np.flatnonzero(factors["shape"] == name)
        for chosen in np.split(numbers, range(at_once, len(numbers), at_once)):
            rows = factors[["x", "y", "scale", "rotation"]].iloc[chosen].to_numpy(float)
            x, y, scale, rotation = rows.T[..., None, None]
            right, up = middles - x * fine, y * fine - middles[:, None]
            u = np.cos(rotation) * right + np.sin(rotation) * up
            v = np.cos(rotation) * up - np.sin(rotation) * right
            covered = coverage(u, v, scale * fine).reshape(-1, size, 2, size, 2)
            images[chosen] = np.rint(255 * covered.mean(axis=(2, 4)))
    return images


# Each of the following returns what fraction of each pixel is covered, by the pixel's middle (u, v) from the centre, in
# pixels along the shape's own axes, and the distance s from the centre to the shape's farthest point, in pixels.


def _square(u: Array, v: Array, s: Array) -> Array:
    half = s / math.sqrt(2)
    return _inside(np.abs(u) - half) * _inside(np.abs(v) - half)


def _ellipse(u: Array, v: Array, s: Array) -> Array:
    # The distance to first order: f/|∇f| for f = |(u, 2v)| − s. The tiny number matters in the very centre only.
    norm, slope = np.sqrt(u**2 + 4 * v**2) + 1e-9, np.sqrt(u**2 + 16 * v**2) + 1e-9
    return _inside((norm - s) * norm / slope)


def _heart(u: Array, v: Array, s: Array) -> Array:
    r = HEART_RADIUS * s
    u, v = np.abs(u), v + HEART_CENTRE * r
    to_disc = np.sqrt((u - r / math.sqrt(2)) ** 2 + (v - r / math.sqrt(2)) ** 2) - r
    to_square = (u + np.abs(v)) / math.sqrt(2) - r
    return _inside(np.minimum(to_disc, to_square))


def _inside(distance: Array) -> Array:
    """What fraction of a pixel is covered by a shape whose edge is at this signed ``distance`` from its middle."""
    return np.clip(0.5 - distance, 0, 1)


COVERAGES = {"square": _square, "ellipse": _ellipse, "heart": _heart}


def bars(n: int = 5000, *, size: int = 16, random_state: RandomState = 0) -> Dataset:
    """Draw bars and stripes (MacKay 2003): either whole rows or whole columns are white, each with probability ½.

    An image of one colour is both rows and columns. Its label is the one it was drawn with, which is true but cannot be
    seen. One in 2^(size − 1) images is such, at the default size one in 32,768.

    Parameters
    ----------
    n
        The number of images.
    size
        Their side in pixels, from 2 to 1024.
    random_state
        A seed in [0, 2³²), one of NumPy's generators, or None for a new set each time.

    Returns
    -------
    Dataset
        Images (n, size, size) of bytes, 0 or 255; the orientation as label; and the factors

        - ``orientation``: ``"rows"`` or ``"columns"``;
        - ``line_0``, ``line_1``, …: 1 if that row from the top, or column from the left, is white, and 0 if black.

    Raises
    ------
    TypeError, ValueError
        If an argument is not one of these.
    """
    n, size = integer("n", n, 1), integer("size", size, 2, 1024)
    rng = np.random.default_rng(random_seed(random_state))
    orientation = rng.choice(["rows", "columns"], n)
    lines = rng.integers(2, size=(n, size))
    shades = (255 * lines).astype(np.uint8)
    images = np.where((orientation == "rows")[:, None, None], shades[:, :, None], shades[:, None, :])
    factors = pd.DataFrame(lines, columns=[f"line_{i}" for i in range(size)])
    factors.insert(0, "orientation", orientation)
    return Dataset("bars", images, orientation, factors=factors)


def rings(n: int = 2000, *, noise: float = 0.1, random_state: RandomState = 0) -> Dataset:
    """Draw points on three concentric circles of radius 1, 2 and 3, each as often as the others.

    Parameters
    ----------
    n
        The number of points.
    noise
        The standard deviation of the normal noise added to both coordinates, from 0 to 1.
    random_state
        A seed in [0, 2³²), one of NumPy's generators, or None for a new set each time.

    Returns
    -------
    Dataset
        Rows (n, 2); the ring, 0, 1 or 2 from the innermost, as label; and the factors ``ring`` and ``angle``, in
        radians counter-clockwise from the first axis, in [0, 2π), before the noise.

    Raises
    ------
    TypeError, ValueError
        If an argument is not one of these.
    """
    n, noise = integer("n", n, 1), real("noise", noise, 0, 1)
    rng = np.random.default_rng(random_seed(random_state))
    ring, angle = rng.integers(3, size=n), rng.uniform(0, 2 * math.pi, n)
    points = (ring + 1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    factors = pd.DataFrame({"ring": ring, "angle": angle})
    return Dataset("rings", rng.normal(points, noise), ring, factors=factors)


def moons(n: int = 2000, *, noise: float = 0.1, random_state: RandomState = 0) -> Dataset:
    """Draw points on two half circles that reach into each other, where scikit-learn's ``make_moons`` has them.

    With the angle t, moon 0 is (cos t, sin t) and moon 1, upside down, is (1 − cos t, ½ − sin t).

    Parameters
    ----------
    n
        The number of points.
    noise
        The standard deviation of the normal noise added to both coordinates, from 0 to 1.
    random_state
        A seed in [0, 2³²), one of NumPy's generators, or None for a new set each time.

    Returns
    -------
    Dataset
        Rows (n, 2); the moon, 0 or 1, as label; and the factors ``moon`` and ``angle``, t in radians, in [0, π), before
        the noise.

    Raises
    ------
    TypeError, ValueError
        If an argument is not one of these.
    """
    n, noise = integer("n", n, 1), real("noise", noise, 0, 1)
    rng = np.random.default_rng(random_seed(random_state))
    moon, angle = rng.integers(2, size=n), rng.uniform(0, math.pi, n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.where(moon[:, None] == 0, upper, [1, 0.5] - upper)
    factors = pd.DataFrame({"moon": moon, "angle": angle})
    return Dataset("moons", rng.normal(points, noise), moon, factors=factors)


SYNTHETIC: dict[str, Callable[[], Dataset]] = {"shapes": shapes, "bars": bars, "rings": rings, "moons": moons}
"""Each set with its defaults, by name."""
