"""How the time of a training grows with the number of examples, their features and latent_dim: a table and a figure.

One dense autoencoder of our defaults, 4 passes in batches of 64, one thread; CPU seconds of the steps alone, the least
of three rounds. ``NARROWS_FIGURE=docs/pictures/growth.png`` names a file for the figure.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from narrows import Autoencoder

N, FEATURES, LATENT_DIM, PASSES, ROUNDS = 8_000, 64, 8, 4, 3

SERIES: dict[str, Sequence[int]] = {
    "examples": (2_000, 4_000, 8_000, 16_000, 32_000, 64_000),
    "features": (16, 64, 128, 256, 384),
    "latent_dim": (1, 8, 32, 64, 96, 128),
}
"""What is varied; up to 400 features the hidden layers have the same widths."""


def seconds(examples: int = N, features: int = FEATURES, latent_dim: int = LATENT_DIM) -> float:
    """Return the CPU seconds of a training's steps."""
    X = np.random.default_rng(0).normal(size=(examples, features)).astype(np.float32)
    options = {"hidden": (256, 128), "batch_size": 64, "epochs": PASSES, "prior": "normal", "random_state": 0}
    steps = Autoencoder(latent_dim, **options).fit_steps(X)
    next(steps)
    started = time.process_time()
    for step in steps:
        if step.step == step.steps:
            break
    ended = time.process_time()
    steps.close()
    return ended - started


def drawn(measured: dict[str, list[float]]) -> Figure:
    """Draw time over each size, with the straight line that fits best."""
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for ax, (name, times) in zip(figure.subplots(1, len(measured)), measured.items(), strict=True):
        sizes = np.array(SERIES[name])
        slope, rest = np.polyfit(sizes, times, 1)
        ends = np.array([0, sizes[-1]])
        ax.plot(ends, rest + slope * ends, color="0.7", label="straight line")
        ax.plot(sizes, times, "o", color="#0072b2", label="measured")
        ax.set(xlabel=name, xlim=0, ylim=(0, 1.1 * max(times)))
        ax.spines[["top", "right"]].set_visible(False)
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        ax.locator_params("x", nbins=4)
    figure.axes[0].set_ylabel("CPU seconds")
    figure.axes[0].legend(frameon=False)
    return figure


def main() -> None:
    """Print the table, in Markdown, and draw the figure if it is asked for."""
    torch.set_num_threads(1)
    print("| varied | sizes | CPU s | off a straight line, at most |")
    print("|---|---|---|---|")
    measured = {}
    for name, sizes in SERIES.items():
        rounds = [[seconds(**{name: size}) for size in sizes] for _ in range(ROUNDS)]
        times = measured[name] = np.min(rounds, 0).tolist()
        line = np.polyval(np.polyfit(sizes, times, 1), sizes)
        off = np.abs(times / line - 1).max()
        cells = ", ".join(f"{size:,}" for size in sizes), ", ".join(f"{each:.2f}" for each in times)
        print(f"| {name} | {cells[0]} | {cells[1]} | {off:.0%} |", flush=True)
    if "NARROWS_FIGURE" in os.environ:
        drawn(measured).savefig(os.environ["NARROWS_FIGURE"], dpi=150)


if __name__ == "__main__":
    main()
