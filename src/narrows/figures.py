"""Arrays as pictures. No model comes here, and no window is opened: each function returns a Matplotlib figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogFormatter, NullLocator
from numpy.typing import NDArray

__all__ = ["error_curve", "example_rows", "image_grid", "training_curve"]

Array = NDArray[Any]

# Okabe & Ito's colours, told apart by the colour-blind; line styles and markers tell them apart in grey.
OURS, PCA, MEAN = "#0072B2", "#D55E00", "#555555"


def example_rows(rows: Sequence[tuple[str, Array]], value_range: tuple[float, float]) -> Figure:
    """Draw examples in rows, each with its label: originals over reconstructions, as the lecture shows them.

    Parameters
    ----------
    rows
        (label, examples) pairs, all with equally many examples, as images (k, H, W[, 3]) or as rows (k, features);
        the latter are drawn as profiles over the features, the first row's in grey behind each of the others.
    value_range
        The values shown as black and white, or at the bottom and the top.
    """
    columns, first = len(rows[0][1]), rows[0][1]
    figure = Figure(figsize=(1.2 + 0.75 * columns, 0.85 * len(rows) + 0.1), layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for (label, examples), line in zip(rows, axes, strict=True):
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=10, labelpad=8)
        for example, original, ax in zip(examples, first, line, strict=True):
            _draw(ax, example, value_range, None if examples is first else original)
    return figure


def image_grid(examples: Array, value_range: tuple[float, float]) -> Figure:
    """Draw examples, images (k, H, W[, 3]) or rows (k, features), in a grid about as wide as high, read row by row.

    Parameters
    ----------
    examples
        At least one.
    value_range
        The values shown as black and white, or at the bottom and the top.
    """
    columns = math.ceil(math.sqrt(len(examples)))
    lines = math.ceil(len(examples) / columns)
    figure = Figure(figsize=(0.8 * columns + 0.2, 0.8 * lines + 0.2), layout="constrained")
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for example, ax in zip(examples, axes, strict=False):
        _draw(ax, example, value_range)
    for ax in axes[len(examples) :]:
        ax.set_axis_off()
    return figure


def _draw(ax: Axes, example: Array, value_range: tuple[float, float], behind: Array | None = None) -> None:
    low, high = value_range
    ax.set(xticks=[], yticks=[])
    if example.ndim == 1:
        if behind is not None:
            ax.plot(behind, color="0.75", linewidth=2.5)
        ax.plot(example, color="black" if behind is None else OURS, linewidth=1)
        ax.set_ylim(low, high)
        return
    if example.ndim == 3 and example.shape[2] not in (3, 4):  # no colours, so their mean
        example = example.mean(2)
    shown = np.clip((example - low) / ((high - low) or 1), 0, 1)
    ax.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.spines[:].set(color="0.8", linewidth=0.5)


def error_curve(latent_dims: Sequence[int], ours: Array, pca: Array, mean: float, unit: str, model: str) -> Figure:
    """Draw test errors over latent_dim: the models' with their standard errors, PCA's, and that of the mean.

    Parameters
    ----------
    latent_dims
        (k,), increasing.
    ours
        (k, 2): mean and standard error over the test examples.
    pca
        (k,).
    mean
        The error of predicting the mean.
    unit, model
        What the errors are of, for the axis, and whose they are, for the legend.
    """
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    ax = figure.subplots()
    ax.axhline(mean, color=MEAN, linestyle=":", linewidth=1.5)
    ax.plot(latent_dims, pca, color=PCA, linestyle="--", marker="s", markersize=6, label="PCA")
    ax.errorbar(latent_dims, ours[:, 0], ours[:, 1], color=OURS, marker="o", markersize=7, capsize=3, label=model)
    ax.text(max(latent_dims), mean * 1.02, "predicting the mean", ha="right", color=MEAN)
    for x, (error, _), other in zip(latent_dims, ours, pca, strict=True):
        below = other >= error
        text = ax.annotate(f"{error:.4f}", (x, error), (0, -9 if below else 9), textcoords="offset points")
        text.set(ha="center", va="top" if below else "bottom", color=OURS, fontsize=9)
    _latent_dim_axis(ax, latent_dims)
    ax.set_ylabel(f"test error: {unit}")
    top = max(mean, float(pca.max()), float(ours[:, 0].max()))
    ax.set_ylim(-0.05 * top, 1.12 * top)
    ax.legend(frameon=False, loc="center right")
    return figure


def _latent_dim_axis(ax: Axes, latent_dims: Sequence[int]) -> None:
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(list(latent_dims)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(list(latent_dims), [str(d) for d in latent_dims])
    ax.set_xlabel("latent_dim (numbers in the code)")
    ax.spines[["top", "right"]].set_visible(False)


def training_curve(history: Sequence[dict[str, float]]) -> Figure:
    """Draw the loss over the epochs, on a logarithmic axis, in nats per example; the kept epoch is marked.

    Parameters
    ----------
    history
        An estimator's ``history_``: one row or more.
    """
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    ax = figure.subplots()
    epochs = [row["epoch"] for row in history]
    ax.plot(epochs, [row["loss"] for row in history], color=OURS, label="training")
    if "validation_loss" in history[0]:
        held_out = [row["validation_loss"] for row in history]
        best = int(np.argmin(held_out))
        ax.plot(epochs, held_out, color=PCA, linestyle="--", label="validation")
        ax.plot(
            epochs[best],
            held_out[best],
            color=PCA,
            marker="o",
            linestyle="none",
            label=f"kept: epoch {epochs[best]:.0f}",
        )
    ax.set(xlabel="epoch", ylabel="loss in nats per example", yscale="log")
    ax.yaxis.set_major_formatter(LogFormatter())  # 6, not 6·10⁰
    ax.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.4)))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return figure
