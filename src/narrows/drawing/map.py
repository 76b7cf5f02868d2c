"""A map: points whose neighbourhood alone means something, so that there are no axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from narrows.drawing.curves import KINDS, LETTERS, MARKERS, MOST_KINDS, OURS

if TYPE_CHECKING:  # it takes a third of a second, and not every verb draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_points"]

Array = NDArray[Any]

SIDE, LEAST_SIDE, TITLE = 8.0, 0.4, 0.3
"""Of the figure, in inches; of its shorter side, in parts of that, at least; and the title's height."""


def draw_points(points: Array, labels: Array | None, values: Array | None, *, title: str = "") -> Figure:
    """Draw a map, with classes by colour, marker and name, or ``values`` by colour where there are no classes.

    Parameters
    ----------
    points
        (n, 2).
    labels
        (n,), or None; of more than twenty kinds they are numbers, or not shown.
    values
        (n,), or None.
    title
        Over it.
    """
    from matplotlib.figure import Figure

    spans = np.maximum(np.ptp(points, 0), np.finfo(float).tiny)
    width, height = SIDE * np.clip(spans / spans.max(), LEAST_SIDE, 1)  # no more paper than the map covers
    figure = Figure(figsize=(width, height + TITLE), layout="constrained")
    ax = figure.subplots()
    # Points cover some of the map, whatever their number.
    area = min(40.0, max(0.5, 30_000 / len(points)))
    kinds = np.unique([] if labels is None else labels)
    if 0 < len(kinds) <= MOST_KINDS:
        own = [points[np.asarray(labels) == kind] for kind in kinds]
        _classes(ax, own, [str(kind) for kind in kinds], area)
    else:
        if values is None and labels is not None and labels.dtype.kind in "iuf":
            values = labels
        drawn = ax.scatter(points[:, 0], points[:, 1], s=area, linewidths=0, c=OURS if values is None else values)
        if values is not None:
            figure.colorbar(drawn, ax=ax, label="label" if values is labels else "error", shrink=0.6)
    ax.set_title(title, fontsize=11, loc="left")
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set(color="0.8", linewidth=0.5)
    return figure


def _classes(ax: Axes, points: list[Array], names: list[str], area: float) -> None:
    """Draw points by class, and each class's name where most of it is."""
    from matplotlib.patheffects import withStroke

    for number, (own, name) in enumerate(zip(points, names, strict=True)):
        color, marker = KINDS[number % len(KINDS)], MARKERS[number % len(MARKERS)]
        ax.scatter(own[:, 0], own[:, 1], s=area, linewidths=0, alpha=0.8, color=color, marker=marker)
        short = name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
        ax.annotate(
            short,
            _middle(own),
            ha="center",
            va="center",
            fontsize=14,
            fontweight="bold",
            parse_math=False,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )


def _middle(points: Array) -> tuple[float, float]:
    """Return the point that is nearest to the median: a mean of two clusters would be in neither."""
    middle = np.median(points, 0)
    x, y = points[np.square(points - middle).sum(1).argmin()]
    return float(x), float(y)
