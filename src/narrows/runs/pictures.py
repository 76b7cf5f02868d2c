"""A model's examples as pictures: what it takes in and what it makes, on the scale it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from narrows.drawing.sheets import comparison, example_rows, image_grid
from narrows.estimators.base import BottleneckEstimator

__all__ = ["as_bytes", "draw_comparison", "draw_grid", "draw_odd", "draw_rows", "value_range"]

Array = NDArray[Any]


def draw_rows(
    estimator: BottleneckEstimator,
    rows: Sequence[tuple[str, Any]],
    *,
    title: str = "",
    headings: Sequence[str] = (),
) -> Figure:
    """Draw (label, examples) pairs in the data's units, a table's columns each scaled as the model scales it."""
    shown = [(label, _drawable(estimator, examples)) for label, examples in rows]
    return example_rows(shown, _shown_range(estimator, shown[0][1]), title=title, headings=headings)


def draw_grid(estimator: BottleneckEstimator, examples: Any, *, title: str = "", labels: Sequence[str] = ()) -> Figure:
    """Draw examples in a grid, as `draw_rows` draws them."""
    shown = _drawable(estimator, examples)
    return image_grid(shown, _shown_range(estimator, shown), title=title, labels=labels)


def draw_odd(
    estimator: BottleneckEstimator, examples: Any, restored: Any, *, title: str, labels: Sequence[str]
) -> Figure:
    """Draw examples in a grid, with what is wrong with their reconstructions in orange over them."""
    shown = _drawable(estimator, examples)
    maps = _error_maps(estimator, examples, restored)
    return image_grid(shown, _shown_range(estimator, shown), title=title, labels=labels, heat=maps)


def draw_comparison(
    estimator: BottleneckEstimator, labels: Sequence[str], originals: Any, restored: Any, *, title: str, unit: str
) -> Figure:
    """Draw originals, reconstructions and the squared differences, in scaled units, over which an error is the mean.

    An image's channels share a map, their mean.
    """
    maps = _error_maps(estimator, originals, restored)
    first, second = _drawable(estimator, originals), _drawable(estimator, restored)
    return comparison(labels, first, second, maps, _shown_range(estimator, first), title=title, unit=unit)


def as_bytes(estimator: BottleneckEstimator, image: Array) -> NDArray[np.uint8]:
    """Return an image (H, W[, C]) as bytes, 0 and 255 at the ends of `value_range`; (H, W) unless C is 3 or 4."""
    low, high = value_range(estimator)
    if image.ndim == 3 and image.shape[2] not in (3, 4):  # no colours, so their mean, as in the grids
        image = image.mean(2)
    levels: NDArray[np.uint8] = np.rint(np.clip((image - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return levels


def value_range(estimator: BottleneckEstimator) -> tuple[float, float]:
    """Return the values of images to show as black and white: what the training data reach, at least nearly."""
    scaling = estimator.scaling_
    if scaling.kind == "global":
        return float(scaling.offset[0]), float(scaling.offset[0] + scaling.scale[0])
    return float((scaling.offset - 2 * scaling.scale).min()), float((scaling.offset + 2 * scaling.scale).max())


def _error_maps(estimator: BottleneckEstimator, originals: Any, restored: Any) -> Array:
    """Return squared differences in scaled units, (n, H, W), the mean over channels, or (n, features)."""
    scaled, other = (estimator.scaling_.apply(examples).astype(np.float64) for examples in (originals, restored))
    maps: Array = np.square(scaled - other).reshape(-1, *estimator.input_shape_)
    return maps.mean(3) if maps.ndim == 4 else maps


def _drawable(estimator: BottleneckEstimator, examples: Any) -> Array:
    array = np.asarray(examples)
    return array if array.ndim > 2 else estimator.scaling_.apply(array)


def _shown_range(estimator: BottleneckEstimator, examples: Array) -> tuple[float, float]:
    if examples.ndim > 2:
        return value_range(estimator)
    margin = 0.1 * float(np.ptp(examples)) + 1e-6
    return float(examples.min()) - margin, float(examples.max()) + margin
