"""Anomalies: one class of the digits is odd. How often does an odd digit have a higher score than an ordinary one?

The lecture's digits, 80/20 by class. For each of the ten classes, models learn the other nine from the 80 %, and score
the nine's 20 % and all of the tenth. They never see the tenth nor any label, and nothing is chosen by these scores: our
models have their defaults at 8 numbers in the code, PyOD's theirs, and, since its default of 10 and 30 epochs is short,
200 epochs beside. ``NARROWS_SEEDS`` says how many seeds there are, 1 by default.

Then, where NARROWS_ADBENCH names the folder, odd rows of its tables (`benchmarks.odd_rows`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from benchmarks import odd_rows
from narrows import VAE, Autoencoder
from narrows.data import load_data, split
from narrows.evaluation.anomalies import roc_auc

SEEDS = int(os.environ.get("NARROWS_SEEDS", "1"))
LATENT_DIM, LONG = 8, 200

Rows = NDArray[np.float64]
Score = Callable[[Rows], NDArray[np.floating[Any]]]


def learned(X: Rows, seed: int) -> Iterator[tuple[str, dict[str, Score], float]]:
    """Yield what is measured, fitted to ``X``: its name, its scores, and the CPU seconds of the fit."""
    started = time.process_time()
    pca = PCA(LATENT_DIM, svd_solver="full").fit(X)

    def lost(rows: Rows) -> NDArray[np.floating[Any]]:
        squares: NDArray[np.floating[Any]] = np.square(rows - pca.inverse_transform(pca.transform(rows))).mean(1)
        return squares

    yield "PCA", {"reconstruction": lost}, time.process_time() - started
    for kind in (Autoencoder, VAE):
        started = time.process_time()
        model = kind(LATENT_DIM, scaling="global", random_state=seed).fit(X)
        kinds = ("auto", "reconstruction", "likelihood")
        scores: dict[str, Score] = {by: partial(model.anomaly_score, by=by) for by in kinds}
        yield f"narrows {kind.__name__}", scores, time.process_time() - started
    from pyod.models import auto_encoder, vae

    for kind, short in ((auto_encoder.AutoEncoder, 10), (vae.VAE, 30)):
        for epochs in (short, LONG):
            started = time.process_time()
            other = kind(epoch_num=epochs, verbose=0, random_state=seed).fit(X.astype(np.float32))
            own: Score = partial(_by_pyod, other)
            yield f"PyOD {kind.__name__}, {epochs} epochs", {"its own": own}, time.process_time() - started


def _by_pyod(model: Any, X: Rows) -> NDArray[np.floating[Any]]:
    scores: NDArray[np.floating[Any]] = model.decision_function(X.astype(np.float32))
    return scores


def measured() -> Iterator[tuple[str, str, int, int, float, float]]:
    """Yield model, score, seed, odd class, the score's area, and the CPU seconds of the fit."""
    data = load_data("digits")
    X, X_test, y, y_test = split(np.asarray(data.X).reshape(-1, 64) / 16, data.y)
    for seed in range(SEEDS):
        for c in range(10):
            odd = np.concatenate([X[y == c], X_test[y_test == c]])
            for model, scores, seconds in learned(X[y != c], seed):
                for name, score in scores.items():
                    yield model, name, seed, c, roc_auc(score(X_test[y_test != c]), score(odd)).value, seconds


def main() -> None:
    """Print how well odd digits are found, and odd rows of tables."""
    torch.set_num_threads(1)
    _print_digits()
    if "NARROWS_ADBENCH" in os.environ:
        odd_rows.main()
    else:
        print("NARROWS_ADBENCH names no folder, so odd rows of tables are left out", file=sys.stderr)


def _print_digits() -> None:
    """Print the area of each score where each class is odd, means over the seeds."""
    runs = pd.DataFrame(measured(), columns=["model", "score", "seed", "class", "area", "seconds"])
    print(f"| model | score | {' | '.join(map(str, range(10)))} | mean (least–most of the seeds) | CPU s a fit |")
    print("|---" * 14 + "|")
    for (model, name), of_one in runs.groupby(["model", "score"], sort=False):
        cells = " | ".join(f"{area:.3f}" for area in of_one.groupby("class")["area"].mean())
        means = of_one.groupby("seed")["area"].mean()
        mean = f"{means.mean():.3f} ({means.min():.3f}–{means.max():.3f})"
        print(f"| {model} | {name} | {cells} | {mean} | {of_one['seconds'].median():.1f} |", flush=True)


if __name__ == "__main__":
    main()
