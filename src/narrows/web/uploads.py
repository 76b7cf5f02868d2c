"""Pictures that people draw, drop or paste → inputs, prepared as the model's training data were.

Where the data are ink on an empty ground, as handwritten digits are, an image is cropped to its ink, scaled to the
data's usual size of ink and put where the data's centre of mass is; that is how MNIST was made (LeCun et al. 1998).
Of other images the middle is cropped out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from narrows.data.errors import DataError
from narrows.data.pixels import image_bytes
from narrows.fitted.levels import of_bytes, value_range
from narrows.web.entry import Entry

__all__ = ["Ink", "ink_of", "prepare"]

DARK, SOME = 0.15, 0.2
"""Fractions of the range: a ground is empty if hardly any border pixel exceeds the first; ink exceeds the second."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Ink:
    """How ink lies in the data: height and width of its box in pixels, and its centre of mass (row, column)."""

    height: float
    width: float
    centre: tuple[float, float]


def ink_of(entry: Entry) -> Ink | None:
    """Return how ink lies in the entry's data, or None if they are not grey images of ink on an empty dark ground."""
    if len(entry.fitted.input_shape) != 2:
        return None
    low, high = value_range(entry.fitted.scaling)
    levels = (entry.at(entry.some) - low) / (high - low)
    border = np.concatenate([levels[:, 0], levels[:, :, 0], levels[:, :, -1]], 1)
    if np.median(border) > DARK:
        return None
    boxes = [_box(one > SOME) for one in levels if (one > SOME).any()]
    if not boxes:
        return None
    height, width = (float(np.median([box[i + 2] - box[i] for box in boxes])) for i in (0, 1))
    rows, columns = np.indices(levels.shape[1:])
    mass = levels.sum((1, 2))
    centre = [float((levels * at).sum((1, 2))[mass > 0].sum() / mass[mass > 0].sum()) for at in (rows, columns)]
    return Ink(height, width, (centre[0], centre[1]))


def prepare(image: Image.Image, entry: Entry) -> Array:
    """Return ``image`` as an input (1, H, W[, C]) of the entry's model, in its units.

    Raises
    ------
    DataError
        If the model takes rows of numbers or other channels, or there is nothing in the image.
    """
    shape = entry.fitted.input_shape
    if len(shape) < 2 or shape[2:] not in ((), (1,), (3,)):
        raise DataError(f"this model takes no images, but inputs of shape {shape}")
    ink = ink_of(entry)
    if ink is None:
        grey = shape[2:] != (3,)
        levels = image_bytes(image, (shape[1], shape[0]), "crop", "L" if grey else "RGB")
    else:
        levels = _placed(image_bytes(image, mode="L").astype(np.float64), ink, shape)
    return of_bytes(entry.fitted, levels)


def _placed(levels: Array, ink: Ink, shape: tuple[int, ...]) -> Array:
    """Return the ink of ``levels`` (h, w), bright on dark whichever it was, at the data's size and position."""
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    ground = float(np.median(border))
    ink_levels = np.abs(levels - ground)
    strongest = ink_levels.max()
    if strongest < 16:
        raise DataError("the image is empty: draw something, or take one with more contrast")
    ink_levels = np.clip(ink_levels / strongest, 0, 1)
    top, left, bottom, right = _box(ink_levels > SOME)
    cropped = Image.fromarray((ink_levels[top:bottom, left:right] * 255).astype(np.uint8))
    scale = min(ink.height / cropped.height, min(max(ink.width, ink.height), shape[1]) / cropped.width)
    size = max(1, round(cropped.width * scale)), max(1, round(cropped.height * scale))
    small = np.asarray(cropped.resize(size, Image.Resampling.BOX), np.float64)
    small *= 255 / max(1.0, small.max())
    rows, columns = np.indices(small.shape)
    corner = [
        round(centre - (small * at).sum() / small.sum()) for centre, at in zip(ink.centre, (rows, columns), strict=True)
    ]
    row, column = (int(np.clip(corner[i], 0, max(0, shape[i] - small.shape[i]))) for i in (0, 1))
    whole = np.zeros(shape[:2])
    fitting = small[: shape[0], : shape[1]]
    whole[row : row + fitting.shape[0], column : column + fitting.shape[1]] = fitting
    return whole


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return the first row and column of what is true in ``mask`` (h, w), and those after the last."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
