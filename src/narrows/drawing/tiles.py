"""One example in its place on a sheet: an image on axes that all share, a row as a profile on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from narrows.drawing.curves import OURS, PCA

if TYPE_CHECKING:  # it takes a third of a second, and not every verb draws
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

__all__ = ["HEAT", "Box", "axes_at", "draw", "draw_heat", "draw_over"]

Array = NDArray[Any]

HEAT = "magma"  # perceptually uniform: twice the error looks twice as bright, also in grey

CANVAS = "images"
"""Label of the axes that a sheet's images are on."""

Box = tuple[float, float, float, float]
"""How far right of a sheet's left edge and below its top, and width and height, in inches."""


def draw(
    figure: Figure, box: Box, example: Array, value_range: tuple[float, float], behind: Array | None = None
) -> None:
    """Draw an image (H, W[, channels]), or a row (features,) as a profile, in grey that of ``behind`` behind it."""
    low, high = value_range
    if example.ndim == 1:
        ax, marker = axes_at(figure, *box), "o" if len(example) == 1 else ""
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(color="0.8", linewidth=0.5)
        if behind is not None:
            ax.plot(behind, color="0.75", linewidth=2.5, marker=marker)
        ax.plot(example, color="black" if behind is None else OURS, linewidth=1, marker=marker)
        ax.set_ylim(low, high)
        return
    if example.ndim == 3 and example.shape[2] not in (3, 4):  # no colours, so their mean
        example = example.mean(2)
    shown = np.clip((example - low) / ((high - low) or 1), 0, 1)
    if shown.ndim == 3:
        shown = np.nan_to_num(shown)
    _show(figure, _within(box, shown), shown, cmap="gray", clim=(0, 1), interpolation="antialiased")


def draw_heat(figure: Figure, box: Box, errors: Array, norm: Normalize) -> None:
    """Draw ``errors``, (H, W) or (features,), as colours."""
    if errors.ndim == 1:
        _show(figure, box, errors[None], cmap=HEAT, norm=norm, interpolation="nearest")
    else:
        _show(figure, _within(box, errors), errors, cmap=HEAT, norm=norm, interpolation="antialiased")


def draw_over(figure: Figure, box: Box, errors: Array) -> None:
    """Lay ``errors``, in [0, 1] but for the largest, over what is drawn."""
    from matplotlib.colors import to_rgb

    rows = errors if errors.ndim == 2 else errors[None]
    colour = np.empty((*rows.shape, 4))
    colour[..., :3], colour[..., 3] = to_rgb(PCA), 0.9 * np.clip(rows, 0, 1)
    _show(figure, _within(box, rows) if errors.ndim == 2 else box, colour, interpolation="nearest")


def _within(box: Box, image: Array) -> Box:
    """Return the largest part of ``box`` around its middle in which the pixels of ``image`` are squares."""
    x, y, width, height = box
    side = min(width / image.shape[1], height / image.shape[0])
    wide, high = side * image.shape[1], side * image.shape[0]
    return x + (width - wide) / 2, y + (height - high) / 2, wide, high


def _show(figure: Figure, box: Box, image: Array, **style: Any) -> None:
    """Draw ``image`` in a frame: all on the same axes, since axes of its own would take it five times as long."""
    from matplotlib.image import AxesImage
    from matplotlib.patches import Rectangle

    x, y, width, height = box
    canvas = next((ax for ax in figure.axes if ax.get_label() == CANVAS), None) or _canvas(figure)
    drawn = AxesImage(canvas, extent=(x, x + width, y + height, y), **style)
    drawn.set_data(image)
    canvas.add_image(drawn)
    canvas.add_artist(Rectangle((x, y), width, height, fill=False, edgecolor="0.8", linewidth=0.5))


def _canvas(figure: Figure) -> Axes:
    """Return axes as large as the figure, above any others, in inches from its upper left corner."""
    wide, high = figure.get_size_inches()
    canvas = figure.add_axes((0, 0, 1, 1), label=CANVAS, zorder=1)
    canvas.set(xlim=(0, wide), ylim=(high, 0))
    canvas.set_axis_off()
    return canvas


def axes_at(figure: Figure, x: float, y: float, width: float, height: float) -> Axes:
    """Return axes whose upper left corner is ``x`` right and ``y`` below the figure's, all in inches."""
    wide, high = figure.get_size_inches()
    return figure.add_axes((x / wide, 1 - (y + height) / high, width / wide, height / high))
