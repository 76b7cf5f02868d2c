"""A model's examples as pictures: what it takes in and what it makes, on the scale it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from narrows.drawing.sheets import comparison, example_rows, image_grid
from narrows.fitted.fitted import Fitted
from narrows.fitted.levels import error_maps, value_range

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["draw_comparison", "draw_grid", "draw_odd", "draw_rows"]

Array = NDArray[Any]


def draw_rows(
    fitted: Fitted,
    rows: Sequence[tuple[str, Any]],
    *,
    title: str = "",
    headings: Sequence[str] = (),
) -> Figure:
    """Draw (label, examples) pairs in the data's units, a table's columns each scaled as the model scales it."""
    shown = [(label, _drawable(fitted, examples)) for label, examples in rows]
    return example_rows(shown, _shown_range(fitted, shown[0][1]), title=title, headings=headings)


def draw_grid(fitted: Fitted, examples: Any, *, title: str = "", labels: Sequence[str] = ()) -> Figure:
    """Draw examples in a grid, as `draw_rows` draws them."""
    shown = _drawable(fitted, examples)
    return image_grid(shown, _shown_range(fitted, shown), title=title, labels=labels)


def draw_odd(fitted: Fitted, examples: Any, restored: Any, *, title: str, labels: Sequence[str]) -> Figure:
    """Draw examples in a grid, with what is wrong with their reconstructions in orange over them."""
    shown = _drawable(fitted, examples)
    maps = error_maps(fitted, examples, restored)
    return image_grid(shown, _shown_range(fitted, shown), title=title, labels=labels, heat=maps)


def draw_comparison(fitted: Fitted, labels: Sequence[str], originals: Any, restored: Any, *, title: str) -> Figure:
    """Draw originals, reconstructions and the squared differences, in scaled units, over which an error is the mean.

    An image's channels share a map, their mean.
    """
    maps = error_maps(fitted, originals, restored)
    first, second = _drawable(fitted, originals), _drawable(fitted, restored)
    return comparison(labels, first, second, maps, _shown_range(fitted, first), title=title, unit=fitted.unit)


def _drawable(fitted: Fitted, examples: Any) -> Array:
    array = np.asarray(examples)
    return array if array.ndim > 2 else fitted.scaling.apply(array)


def _shown_range(fitted: Fitted, examples: Array) -> tuple[float, float]:
    if examples.ndim > 2:
        return value_range(fitted.scaling)
    margin = 0.1 * float(np.ptp(examples)) + 1e-6
    return float(examples.min()) - margin, float(examples.max()) + margin
