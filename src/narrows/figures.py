"""Curves. No model comes here, and no window is opened: each function returns a Matplotlib figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogFormatter, NullLocator
from numpy.typing import NDArray

__all__ = ["error_curve", "training_curve"]

Array = NDArray[Any]

# Okabe & Ito's colours, told apart by the colour-blind; line styles and markers tell them apart in grey.
OURS, PCA, MEAN = "#0072B2", "#D55E00", "#555555"


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
