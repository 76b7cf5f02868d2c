"""A table's columns as pictures. No model comes here, and no window is opened: each function returns a figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from narrows.drawing.curves import MEAN, OURS, PCA

if TYPE_CHECKING:  # it takes a third of a second, and not every verb draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DrawnColumn", "associations", "column_bars", "spread_sheet"]

Array = NDArray[Any]

REAL = "#9aa4af"
"""Of real rows; generated ones have a model's own colour."""

ACROSS, BINS, MOST_BARS, LETTERS, MOST_NUMBERED = 4, 24, 6, 16, 12
"""Panels in a row; bars of a number's, and of levels; letters of a name; and columns whose matrix has numbers in it."""

FARTHEST = 2.0
"""Times the error by one value, up to which bars are drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class DrawnColumn:
    """A column's values, in real and in generated rows.

    Attributes
    ----------
    name, kind
        Its heading, and a kind of column.
    levels
        In words; none for numbers.
    real, generated
        (n,) and (m,): numbers, dates in days since 1970, or levels' places; NaN where missing.
    """

    name: str
    kind: str
    levels: Sequence[str]
    real: Array
    generated: Array


def column_bars(names: Sequence[str], ours: Array, pca: Array, model: str) -> Figure:
    """Draw each column's error, a model's and that of principal components, relative to one value for all.

    Parameters
    ----------
    names
        Of the columns.
    ours, pca
        (columns,), 1 where it is as large, infinity where one value for all makes no error and this does.
    model
        Its name, for the legend.
    """
    from matplotlib.figure import Figure

    n = len(names)
    figure = Figure(figsize=(6.4, 0.9 + 0.42 * n), layout="constrained")
    ax = figure.subplots()
    y = np.arange(n)[::-1]
    most = min(FARTHEST, 1.08 * max(1.0, *ours.tolist(), *pca.tolist()))
    for values, color, shift, label in ((ours, OURS, 0.19, model), (pca, PCA, -0.19, "PCA")):
        ax.barh(y + shift, np.minimum(values, most), 0.36, color=color, label=label)
        for at, value in zip(y + shift, values, strict=True):
            text = f"{value:.2f}" if math.isfinite(value) else "∞"
            ax.text(min(value, most) + 0.01, at, text, va="center", fontsize=7, color=color, clip_on=False)
    ax.axvline(1, color=MEAN, linestyle=":", linewidth=1.5)
    ax.set_yticks(y, [_short(name) for name in names])
    ax.set(xlim=(0, most), ylim=(-0.6, n - 0.4), xlabel="error, relative to that by one value for all: 1, dotted")
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside upper right", ncols=2, fontsize=9)
    return figure


def spread_sheet(columns: Sequence[DrawnColumn]) -> Figure:
    """Draw how each column is spread, generated rows over real ones: densities of numbers, shares of levels."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    lines = math.ceil(len(columns) / ACROSS)
    figure = Figure(figsize=(2.35 * min(ACROSS, len(columns)) + 0.1, 1.95 * lines + 0.35), layout="constrained")
    panels = figure.subplots(lines, min(ACROSS, len(columns)), squeeze=False).ravel()
    for ax, column in zip(panels, columns, strict=False):
        ax.set_title(_short(column.name), fontsize=9)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(labelsize=7)
        ax.set_yticks([])
        (_levels if column.levels else _numbers)(ax, column)
    for ax in panels[len(columns) :]:
        ax.remove()
    keys = [Patch(color=REAL, label="real"), Patch(color=OURS, label="generated")]
    figure.legend(handles=keys, frameon=False, loc="outside upper right", ncols=2, fontsize=9)
    return figure


def _numbers(ax: Axes, column: DrawnColumn) -> None:
    from matplotlib.ticker import MaxNLocator, NullFormatter

    real, made = (values[~np.isnan(values)] for values in (column.real, column.generated))
    if not len(real) or not len(made):
        ax.text(0.5, 0.5, "no values", transform=ax.transAxes, ha="center", va="center", fontsize=8)
        return
    if column.kind == "positive":
        real, made = np.log10(real), np.log10(np.maximum(made, np.finfo(float).tiny))
    low, high = np.quantile(real, [0.005, 0.995])
    if column.kind in ("count", "whole") and high - low < BINS:
        edges = np.arange(low - 0.5, high + 1)
    else:
        edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    ax.stairs(np.histogram(real, edges)[0] / len(real), edges, color=REAL, alpha=0.75, fill=True)
    ax.stairs(np.histogram(made, edges)[0] / len(made), edges, color=OURS, linewidth=1.4)
    ax.set_xlim(edges[0], edges[-1])
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=column.kind in ("count", "whole")))
    if column.kind == "positive":
        ax.set_xticks(_decades(edges[0], edges[-1]))
        ax.xaxis.set_major_formatter(lambda value, _: f"{10**value:,.0f}" if value > -0.1 else f"{10**value:.3g}")
    elif column.kind == "date":
        ax.xaxis.set_major_formatter(lambda value, _: str(np.datetime64(int(value), "D")))
        ax.tick_params(axis="x", labelsize=6)
        ax.xaxis.set_major_locator(MaxNLocator(2))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _decades(low: float, high: float) -> list[float]:
    """Return up to three logarithms of round numbers between two."""
    for digits in ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10))):
        powers = range(math.floor(low), math.ceil(high) + 1)
        inside = [x for power in powers for digit in digits if low < (x := power + math.log10(digit)) < high]
        if len(inside) > 1:
            return inside[:: math.ceil(len(inside) / 3)]
    return [low, high]


def _levels(ax: Axes, column: DrawnColumn) -> None:
    from matplotlib.ticker import MaxNLocator

    shares = [
        np.bincount(values[~np.isnan(values)].astype(np.int64), minlength=len(column.levels))[: len(column.levels)]
        for values in (column.real, column.generated)
    ]
    real, made = (counts / max(1, counts.sum()) for counts in shares)
    many = len(column.levels) > MOST_BARS
    kept = np.argsort(-real, kind="stable")[: MOST_BARS - 1] if many else np.arange(len(real))
    names = [_short(column.levels[place]) for place in kept]
    if many:
        names.append(f"{len(column.levels) - len(kept)} others")
        real, made = (np.append(each[kept], 1 - each[kept].sum()) for each in (real, made))
    y = np.arange(len(names))[::-1]
    ax.barh(y + 0.2, real, 0.38, color=REAL)
    ax.barh(y - 0.2, made, 0.38, color=OURS)
    ax.set_yticks(y, names, fontsize=7)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def associations(names: Sequence[str], real: Array, generated: Array) -> Figure:
    """Draw how much columns tell of each other, (columns, columns), in real and generated rows, and the difference."""
    from matplotlib.figure import Figure

    n = len(names)
    side = max(2.1, min(3.6, 0.26 * n))
    figure = Figure(figsize=(3 * side + 2.2, side + 1.3), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    shown = [
        ("real", real, "Blues", 0),
        ("generated", generated, "Blues", 0),
        ("difference", generated - real, "PuOr", -1),
    ]
    for ax, (title, matrix, colours, low) in zip(panels, shown, strict=True):
        off = np.ma.masked_where(np.eye(n, dtype=bool), matrix)
        image = ax.imshow(off, cmap=colours, vmin=low, vmax=1)
        ax.set_title(title, fontsize=10)
        ax.set_xticks(range(n), [_short(name) for name in names], rotation=90, fontsize=7)
        ax.set_yticks(range(n), [_short(name) for name in names], fontsize=7)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        figure.colorbar(image, ax=ax, shrink=0.6, aspect=14).ax.tick_params(labelsize=6)
        if n <= MOST_NUMBERED:
            for i, j in np.argwhere(~np.eye(n, dtype=bool)):
                strong = abs(matrix[i, j]) > 0.6
                text = f"{matrix[i, j]:.2f}".replace("0.", ".")
                ax.text(j, i, text, ha="center", va="center", fontsize=5.5, color="white" if strong else "black")
    return figure


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS // 2]}…{name[1 - LETTERS // 2 :]}"
