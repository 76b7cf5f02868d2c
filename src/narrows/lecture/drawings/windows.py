"""Images as tables of numbers, and windows that slide over them (rows L14 to L18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from narrows.drawing.curves import MEAN, OURS, PCA
from narrows.foundations.convolution import ConvolutionStep
from narrows.foundations.pooling import PoolingStep
from narrows.foundations.windows import Windows

__all__ = ["convolution", "image_and_vector", "parameters", "pooling", "positions"]

Array = NDArray[Any]


def _table(ax: Axes, numbers: Array, title: str, fontsize: float = 11) -> None:
    """Draw a matrix as a grid of numbers, entry (i, j) centred on x = j, y = i."""
    rows, columns = numbers.shape
    for (i, j), value in np.ndenumerate(numbers):
        ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor="white", edgecolor="0.75", linewidth=0.8))
        ax.text(j, i, f"{value:.3g}".replace("-", "−"), ha="center", va="center", fontsize=fontsize, zorder=4)
    ax.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
    ax.set_title(title, fontsize=10)
    ax.axis("off")


def _window(ax: Axes, row: int, column: int, shape: Sequence[int], colour: str = OURS, line: str = "-") -> None:
    """Outline and tint the entries from (row, column) on."""
    position, height, width = (column - 0.5, row - 0.5), *shape
    ax.add_patch(Rectangle(position, width, height, facecolor=colour, alpha=0.16, linewidth=0, zorder=2))
    ax.add_patch(
        Rectangle(position, width, height, fill=False, edgecolor=colour, linewidth=2.2, linestyle=line, zorder=5)
    )


def image_and_vector(image: Array, vector: Array) -> Figure:
    """Draw an RGB image (H, W, 3) with values up to 255, its channels' numbers, and its vector pixel after pixel."""
    figure = Figure(figsize=(7.6, 4.2), layout="constrained")
    grid = figure.add_gridspec(2, 4, height_ratios=(2.4, 1))
    left = figure.add_subplot(grid[0, 0])
    left.imshow(image)
    left.set_title("the image", fontsize=10)
    left.axis("off")
    for channel, name in enumerate(("red", "green", "blue")):
        _table(figure.add_subplot(grid[0, channel + 1]), image[..., channel], name, fontsize=8)
    row = figure.add_subplot(grid[1, :])
    colours = np.zeros((len(vector), 3))
    colours[np.arange(len(vector)), np.arange(len(vector)) % 3] = vector / 255
    row.bar(np.arange(len(vector)), vector, color=colours, edgecolor="0.5", linewidth=0.5, width=0.9)
    row.set(xlabel="position in the vector: red, green, blue of pixel after pixel", ylabel="value", yticks=(0, 255))
    row.set_xticks(range(0, len(vector) + 1, 6))
    row.margins(x=0.01)
    row.spines[["top", "right"]].set_visible(False)
    return figure


def parameters(rows: Sequence[tuple[str, int, int]]) -> Figure:
    """Draw the numbers of weights of a dense and of a convolutional layer for images of several sizes.

    Parameters
    ----------
    rows
        The image, and the two numbers.
    """
    figure = Figure(figsize=(7.6, 0.8 * len(rows) + 1.2), layout="constrained")
    ax = figure.subplots()
    positions = np.arange(len(rows))
    names, dense, convolutional = zip(*rows, strict=True)
    bars = ((-0.2, dense, PCA, "", "dense"), (0.2, convolutional, OURS, "//", "convolutional"))
    for shift, counts, colour, hatch, name in bars:
        ax.barh(positions + shift, counts, 0.38, color=colour, hatch=hatch, edgecolor="white", label=name)
        for position, count in zip(positions, counts, strict=True):
            ax.text(count * 1.4, position + shift, _power(count), va="center", fontsize=10)
    ax.set_yticks(positions, names)
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel="weights (logarithmic)", xlim=(1, max(dense) * 300))
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    return figure


def _power(count: int) -> str:
    if count < 10**6:
        return f"{count:,}"
    mantissa, exponent = f"{count:.2e}".split("e")
    return f"{float(mantissa):g}·10{str(int(exponent)).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def convolution(image: Array, step: ConvolutionStep, feature_map: Array) -> Figure:
    """Draw one step of a filter over an image of one channel: patch, filter, products, sum, and the feature map."""
    figure = Figure(figsize=(7.6, 5.0), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=(1.55, 1))
    left, right = halves[0].subplots(1, 2)
    _table(left, image, "image, the patch under the filter outlined")
    _window(left, step.top, step.left, step.filter.shape)
    _table(right, feature_map, "feature map, this step's number outlined")
    _window(right, step.row, step.column, (1, 1), PCA)
    factors = ((step.patch, "patch", "×"), (step.filter, "filter", "="), (step.products, "products", "Σ"))
    *axes, last = halves[1].subplots(1, 4, width_ratios=(1, 1, 1, 0.6))
    for ax, (numbers, name, sign) in zip(axes, factors, strict=True):
        _table(ax, numbers, name)
        ax.text(1.14, 0.5, sign, transform=ax.transAxes, ha="center", va="center", fontsize=18)
    _table(last, np.array([[step.value]]), "sum")
    _window(last, 0, 0, (1, 1), PCA)
    return figure


def pooling(x: Array, steps: Sequence[PoolingStep], largest: Array, mean: Array) -> Figure:
    """Draw the windows on an image of one channel, and the results of max and of average pooling."""
    figure = Figure(figsize=(7.6, 3.5), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(2.2, 1, 1))
    _table(left, x, "feature map and its windows")
    _table(middle, largest, "max pooling", 13)
    _table(right, mean, "average pooling", 13)
    styles = [(OURS, "-"), (PCA, "--"), (MEAN, "-."), ("#009E73", ":")]
    for number, step in enumerate(steps):
        colour, line = styles[number % len(styles)]
        _window(left, step.top, step.left, step.window.shape, colour, line)
        for ax in (middle, right):
            _window(ax, step.row, step.column, (1, 1), colour, line)
        i, j = np.unravel_index(step.window.argmax(), step.window.shape)
        left.text(step.left + j, step.top + i, "○", ha="center", va="center", fontsize=24, color=colour, zorder=6)
    return figure


def positions(named: Sequence[tuple[str, Windows]]) -> Figure:
    """Draw the image, its padding, and the kernel's first and last position with all centres, for several settings.

    Parameters
    ----------
    named
        The settings in words, and where they put the kernel.
    """
    columns, margin = 3, max(max(*windows.before, *windows.after) for _, windows in named)
    figure = Figure(figsize=(7.6, 2.75 * -(-len(named) // columns)), layout="constrained")
    for ax, (name, windows) in zip(figure.subplots(-(-len(named) // columns), columns).flat, named, strict=True):
        _layout(ax, windows, margin)
        ax.set_title(f"{name}\n{windows.shape[0]} × {windows.shape[1]}", fontsize=10)
    return figure


def _layout(ax: Axes, windows: Windows, margin: int) -> None:
    (height, width), (above, left), (below, right) = windows.size, windows.before, windows.after
    for i in range(-above, height + below):
        for j in range(-left, width + right):
            inside = 0 <= i < height and 0 <= j < width
            face, line = ("#E8E8E8", "-") if inside else ("white", ":")
            ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=face, edgecolor="0.6", linestyle=line))
    last = windows.corner(windows.shape[0] - 1, windows.shape[1] - 1)
    _window(ax, *windows.corner(0, 0), windows.kernel)
    _window(ax, *last, windows.kernel, PCA, "--")
    middle = (windows.kernel[0] - 1) / 2, (windows.kernel[1] - 1) / 2
    corners = np.array([windows.corner(i, j) for i, j in np.ndindex(windows.shape)]) + middle
    ax.plot(corners[:, 1], corners[:, 0], ".", color="black", markersize=6, zorder=6)
    ax.set(xlim=(-margin - 0.6, width + margin - 0.4), ylim=(height + margin - 0.4, -margin - 0.6), aspect="equal")
    ax.axis("off")
