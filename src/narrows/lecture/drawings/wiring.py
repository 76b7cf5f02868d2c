"""Units and graphs drawn as circles and arrows (rows L1, L4, L6 and L7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from narrows.drawing.curves import MEAN, OURS, PCA
from narrows.foundations.boolean import inputs
from narrows.foundations.feedforward import Layout
from narrows.foundations.networks import Network
from narrows.foundations.perceptron import ThresholdUnit

__all__ = ["both_forms", "excitation", "graph", "networks"]

Array = NDArray[Any]
Point: TypeAlias = tuple[float, float]

INPUT, UNIT = "#EFEFEF", "#D6E8F5"


def _circle(ax: Axes, point: Point, text: str, colour: str = UNIT, size: float = 30) -> None:
    ax.plot(
        *point, "o", markersize=size, markerfacecolor=colour, markeredgecolor="black", markeredgewidth=1.2, zorder=3
    )
    ax.text(*point, text, ha="center", va="center", fontsize=10, zorder=5)


def _arrow(ax: Axes, start: Point, end: Point, text: str = "", *, shrink: tuple[float, float], at: float = 0.4) -> None:
    style = {"arrowstyle": "-|>", "shrinkA": shrink[0], "shrinkB": shrink[1], "color": MEAN, "linewidth": 1.2}
    ax.annotate("", end, start, arrowprops=style)
    if text:
        x, y = np.array(start) + at * (np.array(end) - np.array(start))
        box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "none"}
        ax.text(x, y, text, ha="center", va="center", fontsize=10, color="black", bbox=box, zorder=4)


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _column(x: float, n: int) -> list[Point]:
    return [(x, (n - 1) / 2 - i) for i in range(n)]


def _unit(ax: Axes, sources: Sequence[str], weights: Array, inside: str, output: str) -> None:
    points = _column(0, len(sources))
    for point, source, weight in zip(points, sources, weights, strict=True):
        _circle(ax, point, source, INPUT, 34)
        _arrow(ax, point, (2, 0), _number(weight), shrink=(18, 24))
    _circle(ax, (2, 0), inside, size=46)
    _arrow(ax, (2, 0), (2.95, 0), shrink=(24, 0))
    ax.text(3.05, 0, output, va="center", fontsize=11)
    ax.set(xlim=(-0.4, 3.3), ylim=(-(len(sources) - 1) / 2 - 0.5, (len(sources) - 1) / 2 + 0.5))
    ax.axis("off")


def excitation(unit: ThresholdUnit, x: Array) -> Figure:
    """Draw a unit with its weights and inputs x (d,), and how the products wᵢxᵢ add up to wᵀx, compared with θ."""
    figure = Figure(figsize=(7.6, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.1, 1))
    _unit(left, [_number(v) for v in x], unit.weights, f"≥ {_number(unit.theta)}?", f"{unit(x)}")
    products = unit.weights * x + 0.0  # without a −0
    ends = np.cumsum(products)
    names = [f"w{'₁₂₃₄₅₆₇₈₉'[i]}x{'₁₂₃₄₅₆₇₈₉'[i]}" for i in range(len(x))] + ["wᵀx"]
    right.bar(names[:-1], products, bottom=ends - products, color=[OURS if p >= 0 else PCA for p in products])
    right.bar(names[-1:], unit.excitation(x), color=MEAN)
    tops = [*np.maximum(ends, ends - products), float(unit.excitation(x))]
    for point, (top, value) in enumerate(zip(tops, [*products, unit.excitation(x)], strict=True)):
        shown = f"{value:+.2f}" if point < len(x) else f"{value:.2f}"
        right.text(point, top + 0.02, shown.replace("-", "−"), ha="center", va="bottom", fontsize=10)
    right.axhline(unit.theta, color="black", linestyle="--", linewidth=1.2)
    right.text(-0.45, unit.theta + 0.02, f"θ = {_number(unit.theta)}", va="bottom", fontsize=10)
    right.set_ylim(min(0, *ends), 1.2 * max(*tops, unit.theta))
    right.set_ylabel("summed so far")
    right.spines[["top", "right"]].set_visible(False)
    return figure


def both_forms(unit: ThresholdUnit) -> Figure:
    """Draw a unit with its threshold, and the same with a bias weight on a constant input 1."""
    figure = Figure(figsize=(7.6, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = [f"x{'₁₂₃₄₅₆₇₈₉'[i]}" for i in range(len(unit.weights))]
    _unit(left, names, unit.weights, f"≥ {_number(unit.theta)}?", "o")
    _unit(right, ["1", *names], unit.to_bias(), "≥ 0?", "o")
    left.set_title("with the threshold θ", fontsize=10)
    right.set_title("with the weight w₀ = −θ on a 1", fontsize=10)
    return figure


def networks(named: Sequence[tuple[str, Network]]) -> Figure:
    """Draw networks of threshold units with two inputs and one hidden layer, and how each hidden unit cuts the plane.

    Parameters
    ----------
    named
        What each computes, and the network.
    """
    figure = Figure(figsize=(7.6, 3.3 * len(named)), layout="constrained")
    for (name, net), (left, right) in zip(named, figure.subplots(len(named), 2, squeeze=False), strict=True):
        _network(left, net)
        left.set_title(f"{name}: weights on the arrows", fontsize=10)
        _plane(right, net)
        right.set_title(f"{name}: shaded where it gives 1", fontsize=10)
    return figure


def _network(ax: Axes, net: Network) -> None:
    columns = [_column(0, 2), *(_column(1.7 * (depth + 1), len(layer)) for depth, layer in enumerate(net.layers))]
    for point, name in zip(columns[0], ("x₁", "x₂"), strict=True):
        _circle(ax, point, name, INPUT, 34)
    for before, points, layer in zip(columns[:-1], columns[1:], net.layers, strict=True):
        for point, unit in zip(points, layer, strict=True):
            for start, weight in zip(before, unit.weights, strict=True):
                _arrow(ax, start, point, f"{weight:+g}".replace("-", "−"), shrink=(18, 22), at=0.36)
            _circle(ax, point, f"≥ {_number(unit.theta)}", size=42)
    end = columns[-1][0]
    _arrow(ax, end, (end[0] + 0.85, end[1]), shrink=(22, 0))
    ax.text(end[0] + 0.95, end[1], "o", va="center", fontsize=11)
    ax.set(xlim=(-0.4, end[0] + 1.2), ylim=(-1, 1))
    ax.axis("off")


def _plane(ax: Axes, net: Network) -> None:
    axis = np.linspace(-0.5, 1.5, 401)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    fires = net(grid).reshape(401, 401)
    ax.contourf(axis, axis, fires, levels=[0.5, 1.5], colors=[OURS], alpha=0.15)
    for unit in net.layers[0]:
        ax.plot(*unit.clip(-0.5, 1.5).T, color="black", linewidth=1.8)
    corners = inputs(2)
    for corner, value in zip(corners, net(corners), strict=True):
        ax.plot(*corner, "o" if value else "s", markersize=9, markeredgewidth=1.8, color=OURS if value else PCA)
        ax.lines[-1].set_markerfacecolor(OURS if value else "white")
        ax.annotate(str(value), corner, (9, 6), textcoords="offset points", fontsize=10)
    ax.set(xlim=(-0.5, 1.5), ylim=(-0.5, 1.5), aspect="equal", xticks=(0, 1), yticks=(0, 1), xlabel="x₁", ylabel="x₂")
    ax.spines[["top", "right"]].set_visible(False)


def graph(layout: Layout, values: Array, derivatives: Array) -> Figure:
    """Draw a feed-forward graph with each node's primitive, its value and ∂F/∂node, both (nodes,)."""
    figure = Figure(figsize=(7.6, 4.2), layout="constrained")
    ax = figure.subplots()
    points = [(1.5 * depth, -1.3 * point) for depth, point in layout.positions]
    for start, end in layout.edges:
        _arrow(ax, points[start], points[end], shrink=(26, 26))
    for point, name, label, value, slope in zip(points, layout.names, layout.labels, values, derivatives, strict=True):
        _circle(ax, point, f"{name}\n{label}" if label else name, UNIT if label else INPUT, 50)
        ax.text(point[0], point[1] + 0.43, _number(value), ha="center", va="bottom", fontsize=10, color=OURS, zorder=6)
        ax.text(point[0], point[1] - 0.43, _number(slope), ha="center", va="top", fontsize=10, color=PCA, zorder=6)
    ax.set_title("above each node its value, below it ∂F/∂node", fontsize=10)
    x, y = np.array(points).T
    ax.set(xlim=(x.min() - 0.5, x.max() + 0.5), ylim=(y.min() - 0.8, y.max() + 0.8))
    ax.axis("off")
    return figure
