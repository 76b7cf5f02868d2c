"""Why rows are odd: do we name the cells that were swapped, as boosted trees do, and what does it take beside SHAP?

Of each table half of the ordinary rows are learned from, at most 2,500, and of up to 500 of the other half 1 to 3 cells
are replaced by those of one other row. The tables are those of ADBench (Han et al. 2022), whose folder NARROWS_ADBENCH
names (NARROWS_TABLES chooses among them), and scikit-learn's wine and breast cancer. A column's regressor is
scikit-learn's `HistGradientBoostingRegressor` on the others. Its root mean squared residual, on a fifth of the training
rows that it has not seen, is the conditional standard deviation; a cell has moved by more than six of them if it is now
so far from what the regressor says by the row as it was. Named first is the cell of the smallest p-value, and of the
regressors the one of the largest residual by standard deviations. False discoveries are the mean, over the rows, of
the share of ordinary cells among those called odd.

The peers explain PyOD's IForest in an environment of their own, that is made in the cache folder; all have one thread.
``NARROWS_SEEDS`` says how many seeds there are, 1 by default.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import venv
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import HistGradientBoostingRegressor

from benchmarks.odd_rows import Rows, tables
from narrows import Autoencoder

__all__ = ["main"]

SEEDS = int(os.environ.get("NARROWS_SEEDS", "1"))
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "narrows-benchmarks"
MOST_SEEN, MOST_SWAPPED, MOST_CELLS, FAR, RATE = 2500, 500, 3, 6.0, 0.05


class Swapped(NamedTuple):
    """Rows to learn from; and others before and after cells of them were swapped, which those are (n, d)."""

    training: Rows
    before: Rows
    after: Rows
    swapped: NDArray[np.bool_]


def all_tables() -> Iterator[tuple[str, Rows]]:
    """Yield each table's name and ordinary rows."""
    yield "wine", load_wine().data
    yield "breast cancer", load_breast_cancer().data
    for name, X, y in tables():
        yield name, X[y == 0]


def swap(X: Rows, seed: int) -> Swapped:
    """Return some rows of ``X``, standardised, and others with cells of a third."""
    rng = np.random.default_rng(seed)
    X = rng.permutation(X[:, X.std(0) > 0])
    half = len(X) // 2
    training, before = X[:half][:MOST_SEEN], X[half:][:MOST_SWAPPED]
    mean, deviation = training.mean(0), training.std(0)
    training, before = ((rows - mean) / np.where(deviation > 0, deviation, 1.0) for rows in (training, before))
    n, d = before.shape
    others = (np.arange(n) + rng.integers(1, n, n)) % n
    counts = rng.integers(1, min(MOST_CELLS, d - 1) + 1, n)
    swapped = rng.random((n, d)).argsort(1).argsort(1) < counts[:, None]
    return Swapped(training, before, np.where(swapped, before[others], before), swapped)


def residuals(rows: Swapped) -> tuple[Rows, Rows]:
    """Return how far cells are from what boosted trees say by the row as it is now, and as it was, in deviations."""
    now, then = np.empty(rows.after.shape), np.empty(rows.after.shape)
    seen = int(0.8 * len(rows.training))
    for place in range(now.shape[1]):
        X, y = np.delete(rows.training, place, 1), rows.training[:, place]
        model = HistGradientBoostingRegressor(random_state=0).fit(X[:seen], y[:seen])
        deviation = max(1e-3, float(np.sqrt(np.mean((y[seen:] - model.predict(X[seen:])) ** 2))))
        model.fit(X, y)
        for own, whole in ((now, rows.after), (then, rows.before)):
            own[:, place] = np.abs(rows.after[:, place] - model.predict(np.delete(whole, place, 1))) / deviation
    return now, then


def named(name: str, X: Rows, seed: int) -> dict[str, object]:
    """Return how well cells are named in a table."""
    rows = swap(X, seed)
    now, then = residuals(rows)
    started = time.process_time()
    model = Autoencoder(random_state=seed).fit(rows.training)
    fitted = time.process_time() - started
    found = model.explain(rows.after)
    started = time.process_time()
    cells = model.fitted_.cells.odd(model.scaling_.apply(rows.after).astype(np.float64), None, RATE)
    seconds = time.process_time() - started
    started = time.process_time()
    for row in rows.after[:20]:
        model.explain(row[None])
    nearest = (time.process_time() - started) / len(rows.after[:20])
    changed = rows.swapped & (rows.after != rows.before)
    far = (changed & (then > FAR)).any(1)
    single, each = rows.swapped.sum(1) == 1, np.arange(len(far))
    ours = rows.swapped[each, cells.surprise.argmax(1)]
    theirs = rows.swapped[each, now.argmax(1)]
    false = (found.odd & ~rows.swapped).sum(1) / np.maximum(found.odd.sum(1), 1)
    plain = model.explain(rows.before)
    return {
        "table": name,
        "columns": X.shape[1],
        "moved far": int(far.sum()),
        "first": ours[far].mean() if far.any() else np.nan,
        "trees'": theirs[far].mean() if far.any() else np.nan,
        "one swapped": ours[far & single].mean() if (far & single).any() else np.nan,
        "all, first": ours[changed.any(1)].mean(),
        "all, trees'": theirs[changed.any(1)].mean(),
        "false": false.mean(),
        "ordinary rows": plain.odd.any(1).mean(),
        "made ordinary": (model.predict(found.ordinary) == 1).mean(),
        "fit s": fitted,
        "p-values ms": 1e3 * seconds / len(rows.after),
        "nearest ms": 1e3 * nearest,
    }


def environment() -> Path:
    """Return the peers' interpreter, in an environment that is made if it is not there."""
    folder = CACHE / "shap"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "shap==0.51.0", "pyod==3.6.7"], check=True)
        (folder / "made").touch()
    return python


def compared(name: str, X: Rows) -> None:
    """Print what a row of a table takes: by SHAP, and by us."""
    rows = swap(X, 0)
    model = Autoencoder(random_state=0).fit(rows.training)
    x = model.scaling_.apply(rows.after).astype(np.float64)
    model.fitted_.cells.odd(x[:2], None, RATE)
    started = time.process_time()
    model.fitted_.cells.odd(x, None, RATE)
    seconds = (time.process_time() - started) / len(x)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows.npz")
        np.savez(file, training=rows.training, rows=rows.after)
        command = [str(environment()), str(Path(__file__).with_name("cells_peers.py")), str(file)]
        threads = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=threads)
    for peer, theirs in json.loads(done.stdout.splitlines()[-1]).items():
        print(f"{name}: {1e3 * seconds:.3f} ms a row, SHAP's {peer} {1e3 * theirs:.2f} ms: {theirs / seconds:,.0f} ×")


def main() -> None:
    """Print how well cells are named, by table and on average, and what it takes."""
    warnings.filterwarnings("ignore", message="false_alarms")
    kept = dict(all_tables())
    found = pd.DataFrame([named(name, X, seed) for name, X in kept.items() for seed in range(SEEDS)])
    means = found.groupby("table", sort=False).mean()
    means.loc["mean"] = means.mean()
    means.loc["mean, 8 columns or more"] = means[:-1][means["columns"][:-1] >= 8].mean()
    print(means.round(3).to_string())
    counted = found[found["moved far"] > 0]
    for column in ("first", "trees'"):
        print(f"{column}, over all rows: {np.average(counted[column], weights=counted['moved far']):.3f}")
    for name in ("breast cancer", "cardio", "landsat"):
        if name in kept:
            compared(name, kept[name])


if __name__ == "__main__":
    main()
