"""Functions, descents and errors as curves (rows L8 to L13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from narrows.drawing.curves import MEAN, OURS, PCA
from narrows.foundations.activations import Activation
from narrows.foundations.approximation import Approximation
from narrows.foundations.descent import Contour
from narrows.lecture.drawings.plane import scatter

__all__ = ["activations", "approximations", "descent", "learning", "residuals"]

Array = NDArray[Any]

FIRES = LinearSegmentedColormap.from_list("fires", ["white", "#86BADB"])
"""From 0 to 1, as light as half-planes are shaded, so that points stand out."""

STYLES = ((OURS, "-", "o"), (PCA, "--", "s"), (MEAN, ":", "^"))


def residuals(line: tuple[Array, Array], x: Array, outputs: Array, targets: Array) -> Figure:
    """Draw a net's output along a line, the targets (p,) at x (p,), and what each example adds to E."""
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    ax = figure.subplots()
    ax.plot(*line, color=OURS, linewidth=2, label="output o(x)")
    ax.vlines(x, outputs, targets, color=MEAN, linestyle=":", linewidth=1.8)
    ax.plot(x, targets, "s", color=PCA, markersize=8, markerfacecolor="white", markeredgewidth=1.8, label="target t")
    for at, o, t in zip(x, outputs, targets, strict=True):
        # Beside the stick where the rising curve is not.
        side, ha = (7, "left") if t < o else (-7, "right")
        text = ax.annotate(
            f"½(o−t)² = {(o - t) ** 2 / 2:.3f}", (at, (o + t) / 2), (side, 0), textcoords="offset points"
        )
        text.set(ha=ha, va="center", fontsize=9)
    ax.set(xlabel="input x", ylabel="output")
    ax.margins(x=0.02)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    return figure


def descent(
    hill: Contour, marks: Sequence[tuple[Array, Array]], minimum: Array, walks: Mapping[str, Sequence[float]]
) -> Figure:
    """Draw the contours of f with a path down, gradients at some points, and how f falls on several walks.

    Parameters
    ----------
    hill
        Of f, with the path.
    marks
        Points (2,) and the gradients (2,) there.
    minimum
        (2,)
    walks
        By what tells them apart: f at every iterate.
    """
    figure = Figure(figsize=(7.6, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    lines = left.contour(hill.xs, hill.ys, hill.values, levels=[0.1, 0.5, 1, 2, 4, 7, 11], colors="0.6", linewidths=0.9)
    left.clabel(lines, [level for level in lines.levels if level >= 1], fontsize=8)
    left.plot(*hill.path.T, "-o", color=OURS, markersize=4, linewidth=1.5, label="descent")
    for point, gradient in marks:
        style = {"arrowstyle": "-|>", "color": PCA, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
        left.annotate("", point + gradient / 4, point, arrowprops=style)
        shown = f"∇f({point[0]:g}, {point[1]:g}) = ({gradient[0]:g}, {gradient[1]:g})".replace("-", "−")
        left.annotate(shown, point, (6, -12), textcoords="offset points", fontsize=9, color=PCA)
    left.plot(*minimum, "*", color="black", markersize=12, label="minimum")
    left.set(xlabel="x", ylabel="y", aspect="equal")
    left.set_title("arrows: gradients, at a quarter of their length", fontsize=10)
    left.legend(fontsize=9, loc="upper left", framealpha=0.9, edgecolor="none")
    for (name, values), (colour, line, marker) in zip(walks.items(), cycle(STYLES), strict=False):
        right.plot(values, line, color=colour, marker=marker, markersize=4, label=name)
    right.set(xlabel="steps", ylabel="f", yscale="log")
    right.legend(frameon=False, fontsize=9)
    right.spines[["top", "right"]].set_visible(False)
    return figure


def activations(shown: Sequence[Activation], x: Array) -> Figure:
    """Draw activation functions over x (n,) next to their derivatives, up to three."""
    figure = Figure(figsize=(7.6, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for phi, (colour, line, _) in zip(shown, STYLES, strict=False):
        left.plot(x, phi(x), line, color=colour, linewidth=2.2, label=phi.name)
        right.plot(x, phi.derivative(x), line, color=colour, linewidth=2.2, label=phi.name)
    left.set(xlabel="x", ylim=(-0.1, 1.6), title="φ(x)")
    right.set(xlabel="x", ylim=(-0.1, 1.6), title="φ′(x)")
    left.legend(frameon=False, loc="upper left")
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def learning(errors: Sequence[float], axis: Array, outputs: Array, X: Array, labels: Array) -> Figure:
    """Draw the error E over the steps, and the trained net's outputs on the grid axis × axis with the examples."""
    figure = Figure(figsize=(7.6, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.05, 1))
    left.plot(errors, color=OURS, linewidth=2)
    left.set(xlabel="steps, each on all examples", ylabel="E = ½ Σ ‖o − t‖²", yscale="log")
    left.spines[["top", "right"]].set_visible(False)
    image = right.imshow(outputs, origin="lower", extent=(axis[0], axis[-1], axis[0], axis[-1]), cmap=FIRES)
    image.set_clim(0, 1)
    right.contour(axis, axis, outputs, levels=[0.5], colors="black", linewidths=1.8)
    scatter(right, X, labels)
    right.set(xlabel="x₁", ylabel="x₂", xticks=(0, 1), yticks=(0, 1))
    right.set_title("what it has learned; the line is o = ½", fontsize=10)
    figure.colorbar(image, ax=right, label="output o", shrink=0.85)
    return figure


def approximations(measured: Sequence[Approximation], width: int) -> Figure:
    """Draw the error of nets with up to three activations over their width, and their fits at one of the widths."""
    figure = Figure(figsize=(7.6, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    right.plot(measured[0].x, measured[0].target, color="0.78", linewidth=6, label="f")
    for one, (colour, line, marker) in zip(measured, STYLES, strict=False):
        left.plot(one.widths, one.rms, line, color=colour, marker=marker, markersize=5, label=one.activation)
        fit = one.fits[list(one.widths).index(width)]
        right.plot(one.x, fit, line, color=colour, linewidth=1.6, label=one.activation)
    left.set_xscale("log", base=2)
    left.set(yscale="log", xlabel="hidden units", ylabel="root mean square error")
    left.set_xticks(measured[0].widths, [str(w) for w in measured[0].widths])
    left.set_title("error against width", fontsize=10)
    right.set(xlabel="x", ylabel="f and its approximations")
    right.set_title(f"with {width} hidden units", fontsize=10)
    right.margins(y=0.25)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=9)
    right.legend(frameon=False, fontsize=9, ncols=2, loc="upper center")
    return figure
