"""Filling: how near is what missing cells are filled with, and what are intervals and counts worth?

Of each table 30 % of the cells are hidden at random, all models are fitted to the gappy table itself, and all gaps are
filled. Errors are in standard deviations of a column's observed cells; columns whose observed cells are constant are
left out. scikit-learn's imputers see the same standardised cells, without which its nearest neighbours are those of
the largest unit. Nothing is chosen by the hidden cells. Of the digits a few pixels are nearly always 0, so that one
hidden stroke there is an error of dozens of deviations, which nobody foretells: compare within a seed. A second error
is of the same fillings, without the columns of whose observed cells all but 2 in 1,000 are the same.

Intervals are those of 90 % by 100 draws, in the same deviations. ``NARROWS_SEEDS`` says how many seeds there are, 3 by
default.

The counts are the visits to a doctor of the RAND health insurance experiment (Deb & Trivedi 2002), as statsmodels ships
them: 20,190 rows, of which a fifth is held out (``train_test_split(test_size=0.2, random_state=0)``), and how likely
their visits are given all nine other columns. The Gaussian's density is integrated over k ± ½.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - without which there is none
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.model_selection import train_test_split

from narrows import VAE, Imputer

SEEDS = int(os.environ.get("NARROWS_SEEDS", "3"))
TABLES = {"wine": load_wine, "breast cancer": load_breast_cancer, "digits": load_digits}
HIDDEN, DRAWS, ENDS = 0.3, 100, (0.05, 0.95)
MOST_ALIKE = 0.998  # of a column's observed cells, from where on it is left out of the second error
SAMPLES, NODES = 64, 5  # codes of each row, and points between k − ½ and k + ½

Cells = NDArray[np.float64]


def gappy(X: Cells, seed: int) -> tuple[Cells, NDArray[np.bool_]]:
    """Return ``X`` (n, columns) standardised by what stays observed, without constants, and which cells are hidden."""
    hidden = np.random.default_rng(seed).random(X.shape) < HIDDEN
    observed = np.where(hidden, np.nan, X)
    varied = np.nanstd(observed, 0) > 0
    observed = observed[:, varied]
    return (X[:, varied] - np.nanmean(observed, 0)) / np.nanstd(observed, 0), hidden[:, varied]


def error(truth: Cells, filled: Cells, hidden: NDArray[np.bool_]) -> float:
    """Return the root mean squared error of the hidden cells."""
    return math.sqrt(float(np.square(filled - truth)[hidden].mean()))


def varied(given: Cells) -> NDArray[np.bool_]:
    """Return which columns have cells that differ enough for the second error."""
    observed = [column[~np.isnan(column)] for column in given.T]
    return np.array([np.unique(one, return_counts=True)[1].max() < MOST_ALIKE * len(one) for one in observed])


def filling(X: Cells, seed: int) -> Iterator[tuple[str, float, float, float, float, float]]:
    """Yield of each imputer its name, errors, coverage and width of intervals, and CPU seconds of fit and filling."""
    truth, hidden = gappy(X, seed)
    given = np.where(hidden, np.nan, truth)
    some = varied(given)
    for imputer in (KNNImputer(), IterativeImputer(random_state=seed), Imputer(random_state=seed)):
        started = time.process_time()
        filled = imputer.fit_transform(given)
        seconds = time.process_time() - started
        coverage = width = math.nan
        if isinstance(imputer, Imputer):
            drawn = np.stack(imputer.model_.impute(given, draws=DRAWS, random_state=seed))
            low, high = np.quantile(drawn[:, hidden], ENDS, 0)
            coverage = float(((low <= truth[hidden]) & (truth[hidden] <= high)).mean())
            width = float((high - low).mean())
        errors = error(truth, filled, hidden), error(truth[:, some], filled[:, some], hidden[:, some])
        yield type(imputer).__name__, *errors, coverage, width, seconds


def tables() -> None:
    """Print the errors and intervals, in Markdown."""
    print("| table | imputer | error of each seed | mean | of varied columns | coverage | width | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    for name, load in TABLES.items():
        X = load().data.astype(np.float64)
        rows = pd.DataFrame(
            [found for seed in range(SEEDS) for found in filling(X, seed)],
            columns=["imputer", "error", "of varied", "coverage", "width", "seconds"],
        )
        for imputer, own in rows.groupby("imputer", sort=False):
            each, mean = ", ".join(f"{value:.3f}" for value in own["error"]), own.drop(columns="imputer").mean()
            intervals = "| |" if np.isnan(mean["width"]) else f"{mean['coverage']:.1%} | {mean['width']:.2f} |"
            print(
                f"| {name} | {imputer} | {each} | {mean['error']:.3f} | {mean['of varied']:.3f} | {intervals} "
                f"{mean['seconds']:.1f} |",
                flush=True,
            )


def bounds(model: VAE, rows: pd.DataFrame) -> Cells:
    """Return the importance-sampled bounds on log p of ``rows``, (n,)."""
    found = model.log_likelihood(rows, samples=SAMPLES)
    return np.asarray(found.values, np.float64)


def log_mass(model: VAE, rows: pd.DataFrame, visits: NDArray[np.float64], *, density: bool) -> Cells:
    """Return log p(visits | all other columns), (n,): that of whole rows less that of the rows without visits."""
    others = rows.assign(mdvis=np.full(len(rows), np.nan))
    given = bounds(model, others)
    nodes, weights = np.polynomial.legendre.leggauss(NODES) if density else (np.zeros(1), np.full(1, 2.0))
    each = [
        bounds(model, rows.assign(mdvis=visits + node / 2)) + math.log(weight / 2)
        for node, weight in zip(nodes, weights, strict=True)
    ]
    mass: Cells = np.logaddexp.reduce(each, axis=0) - given
    return mass


def counts() -> None:
    """Print how likely held-out visits to a doctor are, in Markdown."""
    from statsmodels.datasets import randhie

    data = randhie.load_pandas().data.astype(np.float64)
    seen, held_out = train_test_split(data, test_size=0.2, random_state=0)
    visits = held_out["mdvis"].to_numpy()
    print(f"\nHeld-out share of zeros {(visits == 0).mean():.3f}\n")
    print("| visits as | log p(visits given all others), nats | ± | share of zeros | CPU s |\n|---|---|---|---|---|")
    for kind in ("real", "count"):
        started = time.process_time()
        model = VAE(columns={"mdvis": kind}, random_state=0).fit(seen)
        seconds = time.process_time() - started
        scores = log_mass(model, held_out, visits, density=kind == "real")
        none = np.exp(log_mass(model, held_out, np.zeros_like(visits), density=kind == "real")).mean()
        deviation = scores.std() / math.sqrt(len(scores))
        print(f"| {kind} | {scores.mean():.3f} | {deviation:.3f} | {none:.3f} | {seconds:.0f} |", flush=True)


def main() -> None:
    """Print both tables."""
    tables()
    counts()
