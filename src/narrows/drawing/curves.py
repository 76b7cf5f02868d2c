"""Curves. No model comes here, and no window is opened: each function returns a Matplotlib figure."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # it takes a third of a second, and not every verb draws
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

__all__ = ["calibration", "code_maps", "error_curve", "rate_curves", "training_curve"]

Array = NDArray[Any]

# Okabe & Ito's colours, told apart by the colour-blind; line styles and markers tell them apart in grey.
OURS, PCA, MEAN = "#0072B2", "#D55E00", "#555555"
KINDS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#000000"]
MARKERS = "osD^vPX*<>"

MOST_KINDS, LETTERS = 20, 28
"""Classes that are told apart by colours and markers, and letters of a name in a legend."""

LETTERS_UP = 50
"""Letters of an axis' name that fit along it."""


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
    figure = _figure(6.4)
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
    ax.set_ylabel(fill(f"test error: {unit}", LETTERS_UP))
    top = max(mean, float(pca.max()), float(ours[:, 0].max()))
    ax.set_ylim(-0.05 * top, 1.12 * top)
    ax.legend(frameon=False, loc="center right")
    return figure


def _figure(width: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, 4.2), layout="constrained")


def _latent_dim_axis(ax: Axes, latent_dims: Sequence[int]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(list(latent_dims)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(list(latent_dims), [str(d) for d in latent_dims])
    ax.set_xlabel("latent_dim (numbers in the code)")
    ax.spines[["top", "right"]].set_visible(False)


def training_curve(history: Sequence[dict[str, float]]) -> Figure:
    """Draw the loss over the epochs, in nats per example, on a logarithmic axis if it can be; mark the kept epoch.

    Parameters
    ----------
    history
        An estimator's ``history_``: one row or more.
    """
    figure = _figure(6.4)
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
    ax.set(xlabel="epoch", ylabel="loss in nats per example")
    ax.locator_params(axis="x", integer=True)
    if min(min(row["loss"], row.get("validation_loss", row["loss"])) for row in history) > 0:
        from matplotlib.ticker import LogFormatter

        class Plain(LogFormatter):
            """It writes 6 and 0.6, neither 6·10⁰ nor 6e-01, where there is room for them."""

            def __call__(self, x: float, pos: int | None = None) -> str:
                return f"{x:g}" if super().__call__(x, pos) else ""

        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(Plain())
        ax.yaxis.set_minor_formatter(Plain(minor_thresholds=(2, 0.4)))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return figure


def code_maps(
    maps: Sequence[tuple[str, Array]], labels: Array | None, errors: Array, *, names: tuple[str, str] = ("", "")
) -> Figure:
    """Draw codes as points on maps, coloured and marked by class, or by error where there are no classes.

    Parameters
    ----------
    maps
        A title and points (n, 2) each.
    labels
        (n,) of at most twenty kinds; None, or of more, and errors colour the points.
    errors
        (n,).
    names
        Of the first map's axes.
    """
    figure = _figure(1.2 + 4.0 * len(maps))
    panels = figure.subplots(1, len(maps), squeeze=False)[0]
    kinds = np.unique([] if labels is None else labels)
    by_class = 0 < len(kinds) <= MOST_KINDS
    for i, (ax, (title, points)) in enumerate(zip(panels, maps, strict=True)):
        if by_class:
            drawn = [_dots(ax, points[labels == kind], number) for number, kind in enumerate(kinds)]
        else:
            drawn = [ax.scatter(*points.T, s=14, linewidths=0, c=errors, cmap="viridis")]
            if i == len(maps) - 1:
                figure.colorbar(drawn[0], ax=ax, label="error")
        ax.set_title(title, fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
    panels[0].set(xlabel=names[0], ylabel=names[1])
    if by_class:
        _legend(figure, drawn, [str(kind) for kind in kinds])
    return figure


def _dots(ax: Axes, points: Array, number: int) -> PathCollection:
    color, marker = KINDS[number % len(KINDS)], MARKERS[number % len(MARKERS)]
    return ax.scatter(points[:, 0], points[:, 1], s=14, linewidths=0, alpha=0.8, color=color, marker=marker)


def _legend(figure: Figure, drawn: Sequence[PathCollection], names: Sequence[str]) -> None:
    """Name classes as they are: Matplotlib would take a $ for a formula's, and leave out what begins with _."""
    legend = figure.legend(
        drawn, [" "] * len(names), loc="outside right upper", frameon=False, title="class", fontsize=8
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        short = name if len(name) <= LETTERS else f"{name[: LETTERS // 2]}…{name[1 - LETTERS // 2 :]}"
        text.set(text=short, parse_math=False)


def calibration(nominal: Array, observed: Array, band: float) -> Figure:
    """Draw how often examples are called odd against how often ordinary ones are meant to be, with chance's band.

    Parameters
    ----------
    nominal, observed
        Rates (k,) in [0, 1].
    band
        How far the second may be from the first by chance.
    """
    figure = _figure(4.6)
    ax = figure.subplots()
    ax.fill_between([0, 1], [-band, 1 - band], [band, 1 + band], color="0.9", label="chance: 95 % of ordinary data")
    ax.plot([0, 1], [0, 1], color=MEAN, linestyle=":", linewidth=1.5)
    ax.plot(nominal, observed, color=OURS, drawstyle="steps-post", label="these examples")
    ax.set(xlabel="false-alarm rate that is asked for", ylabel="share that is called odd", xlim=(0, 1), ylim=(0, 1))
    ax.set_aspect("equal")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="lower right")
    return figure


def rate_curves(curves: Sequence[tuple[str, Array, Array]], unit: str) -> Figure:
    """Draw errors over bits of code, a line a model: the lower, the better.

    Parameters
    ----------
    curves
        A name, bits per example (k,), and errors (k,), each.
    unit
        Of the errors, in words.
    """
    figure = _figure(6.4)
    ax = figure.subplots()
    for number, (name, bits, errors) in enumerate(curves):
        color, marker = KINDS[number % len(KINDS)], MARKERS[number % len(MARKERS)]
        ax.plot(bits, errors, label=name, color=color, marker=marker, markersize=5)
    ax.set(xlabel="bits of code per example", ylabel=unit)
    ax.set_ylim(bottom=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return figure
