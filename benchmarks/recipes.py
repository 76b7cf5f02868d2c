"""The recipes on the digits: test error per pixel and CPU seconds, beside PCA, for the lecture's latent dimensions.

The split is the lecture page's: 80/20, stratified by class, seed 0. Models are interleaved, on one thread.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from narrows import Autoencoder, recipes
from narrows.data import load_data, split
from narrows.evaluation.baselines import pca_error

SEEDS = (0, 1, 2)
LATENT_DIMS = (1, 2, 4, 8, 16)


def measure(latent_dim: int, seed: int, recipe: str) -> tuple[float, float]:
    """Return the test error per pixel and the CPU seconds of one model."""
    data = load_data("digits")
    X_train, X_test, *_ = split(data.X, data.y)
    started = time.process_time()
    model = Autoencoder(latent_dim, random_state=seed, **recipes.RECIPES[recipe]).fit(X_train)
    seconds = time.process_time() - started
    return float(np.square((X_test - model.reconstruct(X_test)) / 16).mean()), seconds


def main() -> None:
    """Print the table, in Markdown."""
    torch.set_num_threads(1)
    data = load_data("digits")
    X_train, X_test, *_ = split(data.X, data.y)
    rows, columns = (part.reshape(len(part), -1) / 16 for part in (X_train, X_test))
    print("| latent_dim | PCA | lecture, 3 seeds | default, seed 0 | default, 3 seeds | CPU s, lecture / default |")
    print("|---|---|---|---|---|---|")
    for d in LATENT_DIMS:
        runs = [(measure(d, seed, "lecture"), measure(d, seed, "default")) for seed in SEEDS]
        errors, seconds = np.moveaxis(np.array(runs), 2, 0)  # each (seeds, recipes)
        lecture, default = errors.mean(0)
        slow, ours = np.median(seconds, axis=0)
        first = errors[0, 1]
        pca = pca_error(rows, columns, d)
        print(
            f"| {d} | {pca:.4f} | {lecture:.4f} | {first:.4f} | {default:.4f} | {slow:.1f} / {ours:.1f} |", flush=True
        )
