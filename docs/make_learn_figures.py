"""Make the figures of the chapters in docs/learn: ``.venv/bin/python docs/make_learn_figures.py [CHAPTER …]``."""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from narrows import VAE, Autoencoder, latent, recipes, sweep
from narrows.lecture.pages import make_page
from narrows.lecture.rows import find

Array = NDArray[np.floating]
PICTURES = Path(__file__).parent / "pictures"


def of_row(row: str) -> Figure:
    """Return the figure that ``narrows lecture`` draws of a row."""
    return make_page(find(row)).figure


def rows_of(*rows: Array) -> Figure:
    """Return digits (k, 8, 8) in rows, the first above."""
    figure = Figure(figsize=(len(rows[0]) * 0.6, len(rows) * 0.6))
    axes = figure.add_axes((0, 0, 1, 1))
    sheet = np.block([[np.pad(one, 1, constant_values=np.nan) for one in row] for row in rows])
    axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=16)
    axes.axis("off")
    return figure


def autoencoder() -> Figure:
    """Return ten held-out digits over what the lecture's recipe makes of them through 1, 2, 4, 8 and 16 numbers."""
    digits = load_digits()
    result = sweep(digits.images, digits.target, latent_dims=(1, 2, 4, 8, 16), **recipes.LECTURE)
    shown = [int(np.flatnonzero(result.y_test == digit)[0]) for digit in range(10)]
    held = result.X_test[shown]
    return rows_of(held, *(model.reconstruct(held) for model in result.models.values()))


def noise() -> Figure:
    """Return what a zero's code decodes to with growing noise."""
    digits = load_digits().images
    model = Autoencoder(latent_dim=16, epochs=40, random_state=0).fit(digits[:1400])
    zero, spread = model.transform(digits[:1])[0], model.transform(digits).std(0)
    clean = np.repeat(model.inverse_transform(zero[None]), 10, axis=0)
    noisy = [
        model.inverse_transform(latent.around(zero, sigma=sigma * spread, n=10, random_state=0))
        for sigma in (0.3, 1.0, 3.0)
    ]
    return rows_of(clean, *noisy)


def generating() -> Figure:
    """Return new digits, of a variational autoencoder and its normal prior, and of a plain one and its mixture."""
    digits = load_digits().images
    vae = VAE(latent_dim=8, epochs=60, prior="normal", random_state=0).fit(digits)
    plain = Autoencoder(latent_dim=8, epochs=60, random_state=0).fit(digits)
    return rows_of(
        *(model.sample(20, random_state=0).reshape(2, 10, 8, 8)[row] for model in (vae, plain) for row in (0, 1))
    )


FIGURES = {
    "units": lambda: of_row("L3"),
    "rules": lambda: of_row("L2"),
    "boolean": lambda: of_row("L5"),
    "networks": lambda: of_row("L6"),
    "graph": lambda: of_row("L7"),
    "descent": lambda: of_row("L9"),
    "backpropagation": lambda: of_row("L11"),
    "approximation": lambda: of_row("L13"),
    "convolution": lambda: of_row("L16"),
    "autoencoder": autoencoder,
    "noise": noise,
    "generating": generating,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        FIGURES[name]().savefig(PICTURES / f"learn-{name}.png", dpi=100, bbox_inches="tight", facecolor="white")
