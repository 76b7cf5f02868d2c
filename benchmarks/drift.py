"""Has a stream changed? How often an alarm is raised where nothing has, and how soon where something has.

1,000 streams of 100,000 scores that are all alike, side by side, each with held-out scores of its own: p-values and
bets as `narrows.evaluation.martingale` has them. Then delays after 1,000 ordinary examples: of digits that lie on their
side, and of rows of which one column is moved by three standard deviations, each column and seed in turn, of the tables
of ADBench (Han et al. 2022) with enough ordinary rows, if NARROWS_ADBENCH names their folder.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from benchmarks.odd_rows import tables
from narrows import Autoencoder
from narrows.evaluation.martingale import ConformalMartingale, bets, shared

__all__ = ["main"]

STREAMS, SCORES, HELD_OUT, LEVEL = 1000, 100_000, 100, 1e-4
SEEDS, TRAINING, ORDINARY, CHANGED, COLUMNS = 5, 2000, 1000, 300, 3


def alarms() -> tuple[int, float]:
    """Return how many streams without a change raise an alarm, and the largest logarithm of a capital."""
    rng, each, bins = np.random.default_rng(0), np.arange(STREAMS), np.arange(HELD_OUT + 1)
    ends = np.sort(rng.exponential(size=(STREAMS, HELD_OUT)))
    counts = np.ones((STREAMS, HELD_OUT + 1))
    shares = np.full((STREAMS, bets(0.5).shape[-1]), 1 / bets(0.5).shape[-1])
    capital, largest = np.zeros(STREAMS), np.zeros(STREAMS)
    for n in range(SCORES):
        k = (ends < rng.exponential(size=(STREAMS, 1))).sum(1)
        above = (counts * (bins > k[:, None])).sum(1) + (1 - rng.random(STREAMS)) * counts[each, k]
        shares, gains = shared(shares, bets(above / (HELD_OUT + 1 + n)), n)
        counts[each, k] += 1
        capital += np.log(gains)
        largest = np.maximum(largest, capital)
    return int((largest >= -math.log(LEVEL)).sum()), float(largest.max())


def delay(model: Autoencoder, ordinary: NDArray[np.float64], changed: NDArray[np.float64]) -> float:
    """Return how many examples after the change the alarm is raised: negative if before, ∞ if never."""
    watch = ConformalMartingale(model.fitted_.held_out("auto"), LEVEL)
    watch.update(model.anomaly_score(ordinary))
    watch.update(model.anomaly_score(changed))
    return math.inf if watch.alarm is None else watch.alarm - len(ordinary) + 1


def of_digits() -> Iterator[float]:
    """Yield delays of digits turned by 90°."""
    for seed in range(SEEDS):
        images = np.random.default_rng(seed).permutation(load_digits().images)
        model = Autoencoder(8, random_state=seed).fit(images[:600])
        turned = np.rot90(images[600 + ORDINARY :], axes=(1, 2))
        yield delay(model, images[600 : 600 + ORDINARY], turned)


def of_table(X: NDArray[np.float64]) -> Iterator[float]:
    """Yield delays of rows with a moved column, of some columns."""
    rng = np.random.default_rng(0)
    X = rng.permutation(X[:, X.std(0) > 0])[: TRAINING + ORDINARY + CHANGED]
    training = X[: len(X) - ORDINARY - CHANGED]
    model = Autoencoder(random_state=0).fit(training)
    for column in rng.permutation(X.shape[1])[:COLUMNS]:
        moved = X[-CHANGED:].copy()
        moved[:, column] += 3 * training[:, column].std()
        yield delay(model, X[len(training) : -CHANGED], moved)


def main() -> None:
    """Print alarms without a change, and delays after one."""
    warnings.filterwarnings("ignore", message="X ")
    found = {"digits turned by 90°": list(of_digits())}
    if "NARROWS_ADBENCH" in os.environ:
        for name, X, y in tables():
            if (y == 0).sum() >= 2 * ORDINARY + CHANGED:
                found[f"{name}, a column moved by 3 σ"] = list(of_table(X[y == 0]))
    for name, delays in found.items():
        print(f"{name}: {', '.join(f'{one:g}' for one in delays)} examples until the alarm")
    moved = [one for name, delays in found.items() if "moved" in name for one in delays]
    if moved:
        print(f"tables: median {np.median(moved):g}, {sum(one < 1 for one in moved)} alarms before the change")
    count, largest = alarms()
    print(f"{STREAMS:,} streams of {SCORES:,} scores: {count} alarms; the largest capital was exp({largest:.2f})")


if __name__ == "__main__":
    main()
