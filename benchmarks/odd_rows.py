"""Odd rows of tables: the collection of ADBench (Han et al. 2022), whose folder of ``.npz`` NARROWS_ADBENCH names.

Of each table half of the ordinary rows are learned from, at most 10,000, and the other half and all odd rows are
scored; all methods get the same rows, standardised by those that are learned from, and have their defaults. A second
time a tenth of the odd rows is among those learned from.

The promise: at ``false_alarms=0.05``, how many of the ordinary rows that are scored are called odd, on random splits.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import betabinom
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from narrows import Autoencoder
from narrows.evaluation.anomalies import roc_auc

__all__ = ["compared", "held", "tables"]

SEEDS = int(os.environ.get("NARROWS_SEEDS", "3"))
MOST_ROWS, NEIGHBOUR, SPLITS, RATE = 10_000, 5, 20, 0.05

Rows = NDArray[np.float64]
Scores = NDArray[np.floating[Any]]
Method = Callable[[Rows, int], Callable[[Rows], Scores]]


class Split(NamedTuple):
    """Rows to learn from, and ordinary and odd ones to score."""

    training: Rows
    ordinary: Rows
    odd: Rows


def tables() -> Iterator[tuple[str, Rows, NDArray[np.int64]]]:
    """Yield each table's name, rows, and which are odd; of those that NARROWS_TABLES names, or of all."""
    wanted = os.environ.get("NARROWS_TABLES", "").split()
    for file in sorted(Path(os.environ["NARROWS_ADBENCH"]).glob("*.npz")):
        if not wanted or file.stem in wanted:
            with np.load(file) as held:
                yield file.stem, held["X"].astype(np.float64), held["y"]


def split(X: Rows, y: NDArray[np.int64], seed: int, contaminated: float = 0.0) -> Split:
    """Return the rows of a table, scaled; that share of the odd ones is learned from, too."""
    rng = np.random.default_rng(seed)
    ordinary, odd = (rng.permutation(np.flatnonzero(y == kind)) for kind in (0, 1))
    half, among = len(ordinary) // 2, round(contaminated * len(odd))
    training = np.r_[ordinary[:half], odd[:among]]
    training = rng.permutation(training)[:MOST_ROWS] if among else training[:MOST_ROWS]
    mean, deviation = X[training].mean(0), X[training].std(0)
    scaled = (X - mean) / np.where(deviation > 0, deviation, 1.0)
    return Split(scaled[training], scaled[ordinary[half:]], scaled[odd[among:]])


def neighbour(X: Rows, _: int) -> Callable[[Rows], Scores]:
    """Score by the distance to the fifth neighbour."""
    found = NearestNeighbors(n_neighbors=min(NEIGHBOUR, len(X))).fit(X)
    return lambda rows: found.kneighbors(rows)[0][:, -1]


def components(X: Rows, _: int) -> Callable[[Rows], Scores]:
    """Score by what as many principal components leave as our code has numbers."""
    pca = PCA(min(8, X.shape[1] - 1, len(X))).fit(X)
    return lambda rows: np.square(rows - pca.inverse_transform(pca.transform(rows))).mean(1)


def ours(by: str, **options: Any) -> Method:
    """Return our model, scored ``by`` one of its scores."""

    def method(X: Rows, seed: int) -> Callable[[Rows], Scores]:
        model = Autoencoder(random_state=seed, **options).fit(X)
        return lambda rows: model.anomaly_score(rows, by=by)

    return method


def of_pyod(name: str, **options: Any) -> Method:
    """Return a detector of PyOD's, of this name."""

    def method(X: Rows, seed: int) -> Callable[[Rows], Scores]:
        from importlib import import_module

        kind = getattr(import_module(f"pyod.models.{PYOD[name]}"), name)
        chance = {"random_state": seed} if name in ("AutoEncoder", "VAE", "IForest") else {}
        model = kind(**options, **chance).fit(X)
        return lambda rows: model.decision_function(rows)  # noqa: PLW0108 - the model is what it closes over

    return method


PYOD = {
    "ECOD": "ecod",
    "IForest": "iforest",
    "OCSVM": "ocsvm",
    "LOF": "lof",
    "VAE": "vae",
    "AutoEncoder": "auto_encoder",
}

QUICK: dict[str, Method] = {
    f"{NEIGHBOUR}th neighbour": neighbour,
    "PCA": components,
    "narrows": ours("auto"),
    "narrows, by reconstruction": ours("reconstruction"),
}

PEERS: dict[str, Method] = {
    **{f"PyOD {name}": of_pyod(name) for name in ("ECOD", "IForest", "OCSVM", "LOF")},
    **{f"PyOD {name}": of_pyod(name, verbose=0) for name in ("VAE", "AutoEncoder")},
}

CONTAMINATED: dict[str, Method] = {
    "narrows": ours("auto"),
    "narrows, contamination='auto'": ours("auto", contamination="auto"),
    f"{NEIGHBOUR}th neighbour": neighbour,
    "PyOD IForest": of_pyod("IForest"),
}


def compared(methods: dict[str, Method], contaminated: float = 0.0) -> pd.DataFrame:
    """Return the area under the ROC curve of each method, table and seed, and the CPU seconds of the fit."""
    found = []
    for name, X, y in tables():
        for seed in range(SEEDS):
            rows = split(X, y, seed, contaminated)
            for method, fit in methods.items():
                started = time.process_time()
                score = fit(rows.training, seed)
                seconds = time.process_time() - started
                area = roc_auc(score(rows.ordinary), score(rows.odd)).value
                found.append((name, seed, method, area, seconds))
                print(*found[-1], file=sys.stderr, flush=True)
    return pd.DataFrame(found, columns=["table", "seed", "method", "area", "seconds"])


def held(least: int = 1000, splits: int = SPLITS) -> pd.DataFrame:
    """Return how many ordinary rows are called odd on ``splits`` of each table with ``least`` or more to score.

    If all are ordinary, the number of m called odd by a threshold that is the r-th highest of n held-out scores has a
    beta-binomial distribution of m, r and n + 1 − r: ``low`` and ``high`` hold 99.9 % of it. Examples seen in training
    only narrow it.
    """
    found = []
    for name, X, y in tables():
        for seed in range(splits if (y == 0).sum() // 2 >= least else 0):
            rows = split(X, y, seed)
            model = Autoencoder(random_state=seed).fit(rows.training)
            n, m = len(model.fitted_.held_out("auto")), len(rows.ordinary)
            rank = int(RATE * (n + 1))
            low, high = betabinom(m, rank, n + 1 - rank).interval(0.999)
            rate = float((model.predict(rows.ordinary) < 0).mean())
            found.append((name, seed, rate, low / m, high / m))
            print(*found[-1], file=sys.stderr, flush=True)
    return pd.DataFrame(found, columns=["table", "seed", "rate", "low", "high"])


def speed() -> float:
    """Return how many rows of 20 columns one core scores a second, at as many kept examples as there can be."""
    X = np.random.default_rng(0).normal(size=(100_000, 20))
    model = Autoencoder(epochs=2, random_state=0).fit(X[:8000])
    model.predict(X[:1000])
    started = time.process_time()
    model.anomaly_score(X)
    return len(X) / (time.process_time() - started)


def main() -> None:
    """Print what is compared, the means of the areas, and how the promise is kept."""
    warnings.filterwarnings("ignore", message="false_alarms")
    print(f"scored: {speed():,.0f} rows of 20 columns a second and core", flush=True)
    for contaminated, methods in ((0.0, QUICK | PEERS), (0.1, CONTAMINATED)):
        found = compared(methods, contaminated)
        areas = found.pivot_table("area", "table", "method", sort=False)
        areas.loc["mean"] = areas.mean()
        print(f"\n{contaminated:.0%} of the odd rows are learned from; means over {SEEDS} seeds")
        print(areas.round(3).to_string(), flush=True)
        print(found.groupby("method", sort=False)["seconds"].max().round(1).to_frame("most CPU s a fit").to_string())
    rates = held()
    tables_of = rates.assign(outside=(rates.rate < rates.low) | (rates.rate > rates.high)).groupby("table")
    columns = {
        "mean": ("rate", "mean"),
        "least": ("rate", "min"),
        "most": ("rate", "max"),
        "outside": ("outside", "sum"),
    }
    print(f"\nObserved false alarms at 0.05 in {SPLITS} splits, and how many splits are outside the 99.9 % range")
    print(tables_of.agg(**columns).round(4).to_string())


if __name__ == "__main__":
    main()
