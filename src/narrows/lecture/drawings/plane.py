"""Points and threshold units in the plane (rows L2, L3 and L5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Poly3DCollection  # type: ignore[import-untyped]
from numpy.typing import NDArray

from narrows.drawing.curves import MEAN, OURS, PCA
from narrows.foundations.boolean import Certificate, Separation, inputs
from narrows.foundations.perceptron import ThresholdUnit

__all__ = ["boolean_functions", "cuts", "rule_path", "scatter", "shade"]

Array = NDArray[Any]
Box = tuple[float, float]


def scatter(ax: Axes, X: Array, labels: Array) -> None:
    """Draw the points of class 1 as full circles and those of class 0 as empty squares."""
    for label, marker, face, colour in ((1, "o", OURS, OURS), (0, "s", "white", PCA)):
        x, y = X[labels == label].T
        ax.scatter(
            x, y, s=64, marker=marker, c=face, edgecolors=colour, linewidths=1.8, zorder=4, label=f"class {label}"
        )


def shade(ax: Axes, unit: ThresholdUnit, low: float, high: float) -> None:
    """Draw the unit's boundary in the square from `low` to `high`, and shade the half-plane where it fires."""
    ends = unit.clip(low, high)
    corners = np.array([(low, low), (low, high), (high, low), (high, high)])
    region = np.vstack([ends, corners[unit(corners) == 1]])
    if len(region) > 2:
        x, y = (region - region.mean(axis=0)).T
        ax.fill(*region[np.argsort(np.arctan2(y, x))].T, color=OURS, alpha=0.13, linewidth=0)
    if len(ends) == 2:
        ax.plot(*ends.T, color="black", linewidth=2)


def _square(ax: Axes, low: float, high: float) -> None:
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="x₁", ylabel="x₂")
    ax.spines[["top", "right"]].set_visible(False)


def rule_path(X: Array, labels: Array, units: Sequence[ThresholdUnit], errors: Mapping[str, Array], box: Box) -> Figure:
    """Draw the boundaries that a rule leads through to the last, and the errors of several rules over their passes.

    Parameters
    ----------
    X, labels
        (n, 2) points and their classes (n,), 0 or 1.
    units
        After every update; those without a boundary are left out.
    errors
        By the rule's name: wrong points after each pass.
    box
        Lower and upper end of both axes.
    """
    figure = Figure(figsize=(7.6, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.05))
    drawn = [unit for unit in units if unit.weights.any()]
    for number, unit in enumerate(drawn[:-1]):
        ends = unit.clip(*box)
        if len(ends) == 2:
            left.plot(*ends.T, color=str(0.85 - 0.4 * number / len(drawn)), linewidth=1, zorder=1)
    shade(left, drawn[-1], *box)
    scatter(left, X, labels)
    _square(left, *box)
    left.set_title(f"Rosenblatt's rule: {len(units)} updates,\nthe last line in black", fontsize=10)
    left.legend(frameon=True, framealpha=0.9, edgecolor="none", fontsize=9, loc="lower right")
    # Markers of three sizes, so that rules with as many errors do not hide each other.
    styles = (("-o", OURS, 4), ("--s", PCA, 8), (":^", MEAN, 13))
    for (name, wrong), (style, colour, size) in zip(errors.items(), styles, strict=True):
        passes = range(1, len(wrong) + 1)
        right.plot(passes, wrong, style, color=colour, markersize=size, markerfacecolor="none", label=name)
    right.set(xlabel="passes over the examples", ylabel=f"wrong, of {len(X)} examples")
    right.set_title("Errors after each pass", fontsize=10)
    right.yaxis.get_major_locator().set_params(integer=True)
    right.xaxis.get_major_locator().set_params(integer=True)
    right.set_ylim(bottom=-0.3)
    right.spines[["top", "right"]].set_visible(False)
    right.legend(frameon=False)
    return figure


def cuts(line: ThresholdUnit, X: Array, plane: ThresholdUnit, box: Box) -> Figure:
    """Draw a line with the distances of points (n, 2) from it, and the plane of a unit with three inputs in a cube."""
    # The constrained layout leaves no room for titles beside axes in space.
    figure = Figure(figsize=(7.6, 4.0))
    figure.subplots_adjust(left=0.1, right=0.97, bottom=0.12, top=0.92, wspace=0.1)
    ax = figure.add_subplot(1, 2, 1)
    shade(ax, line, *box)
    scatter(ax, X, line(X))
    a, b, c = line.boundary()
    normal = line.weights / np.hypot(*line.weights)
    for point, distance in zip(X, line.distance(X), strict=True):
        foot = point - distance * normal
        ax.plot(*zip(point, foot, strict=True), color=MEAN, linestyle=":", linewidth=1.5, zorder=3)
        ax.annotate(f"{distance:+.2f}".replace("-", "−"), point, (9, 5), textcoords="offset points", fontsize=9)
    _square(ax, *box)
    ax.set(xlabel="x", ylabel="y")
    ax.set_title(f"{a:g}x {b:+g}y {c:+g} ≥ 0".replace("-", "− ").replace("+", "+ "), fontsize=10)
    space: Any = figure.add_subplot(1, 2, 2, projection="3d")
    space.add_collection3d(Poly3DCollection([plane.clip(*box)], facecolor=OURS, edgecolor="black", alpha=0.45))
    space.set(xlim=box, ylim=box, zlim=box, xlabel="x₁", ylabel="x₂", zlabel="x₃")
    space.set_box_aspect((1, 1, 1), zoom=0.9)
    space.view_init(elev=22, azim=20)
    space.locator_params(nbins=4)
    space.set_title("three inputs: a plane", fontsize=10)
    return figure


def boolean_functions(functions: Sequence[tuple[str, Array, Separation | Certificate]]) -> Figure:
    """Draw functions of two inputs: the line of a unit that computes each, or the proof that there is none.

    Parameters
    ----------
    functions
        Name, truth table (4,) and what `separate` says of it.
    """
    figure = Figure(figsize=(7.6, 3.9 * ((len(functions) + 1) // 2)), layout="constrained")
    for ax, (name, table, answer) in zip(figure.subplots(-(-len(functions) // 2), 2).flat, functions, strict=True):
        if isinstance(answer, Separation):
            shade(ax, answer.unit(), -0.5, 1.5)
            told = f"{_sum(answer.weights)} ≥ {answer.theta}"
        else:
            told = "no line, since"
            ax.text(0.5, 0.5, _demands(answer), ha="center", va="center", fontsize=9, linespacing=1.5)
        scatter(ax, inputs(2), table)
        _square(ax, -0.5, 1.5)
        ax.set(xticks=(0, 1), yticks=(0, 1))
        ax.set_title(f"{name}: {told}", fontsize=10)
    return figure


def _sum(weights: Sequence[int]) -> str:
    text = "".join(
        f" {'−' if w < 0 else '+'} {'' if abs(w) == 1 else abs(w)}x{'₁₂'[j]}" for j, w in enumerate(weights) if w
    )
    return text.removeprefix(" + ").strip() or "0"


def _demands(proof: Certificate) -> str:
    """The proof without the reasons, which the points beside it show."""
    *demands, total = proof.lines()
    return (
        "\n".join([*(line.split("    ")[0] for line in demands), *total.split(", ")[0].split(": ")])
        .replace("w1", "w₁")
        .replace("w2", "w₂")
    )
