"""Tables: how like Adult new rows are, by us, TVAE and CTGAN, also where they meet a condition; and what tables cost.

Adult from the folder that ``NARROWS_ADULT`` names, ``train.csv.gz`` to learn from and ``test.csv.gz`` to compare with;
as many new rows as there are to learn from. Total variation is the mean over columns, and over pairs of columns, with
numbers cut at 20 quantiles of the training rows and a missing cell a level of its own. Two classifiers are boosted
trees: one tells new rows from held-out ones, the other learns the income from new rows and is tested on held-out ones.
The peers are those of ctgan 0.12.1 (Xu et al. 2019) with their defaults, in an environment of their own that is made
in the cache folder, where their rows are kept too: training CTGAN takes many minutes. All have one thread.
``NARROWS_SEEDS`` says how many seeds there are, 1 by default; ``NARROWS_WITHOUT`` names what is left out, such as
``CTGAN,speed``.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
import warnings
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OrdinalEncoder

from narrows import VAE, Autoencoder

__all__ = ["main"]

SEEDS = int(os.environ.get("NARROWS_SEEDS", "1"))
WITHOUT = os.environ.get("NARROWS_WITHOUT", "").split(",")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "narrows-benchmarks"
ROOT = Path(__file__).resolve().parent.parent

CUTS, TARGET = 20, "income"

LATENT_DIM, BETA, EPOCHS = 16, 0.7, 40
"""Ours, chosen on parts of the training rows: at β = 1, or in the default of 20 epochs, the code says a little less of
the income; at β = ½ the prior follows the codes less well. All other options are the defaults."""

BEFORE = "3b351b7"
"""The commit before there were tables."""

CONDITIONS: dict[str, dict[str, Any]] = {
    "education = Doctorate": {"education": "Doctorate"},
    "age from 74": {"age": (74, None)},
}
"""The second is met by 1 % of the training rows."""


# --- What is compared -----------------------------------------------------------------


def levels_of(train: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of ``frame`` as whole numbers: numbers cut at quantiles of ``train``, levels, and gaps."""
    cells = {}
    for name in train:
        if train[name].dtype.kind in "iuf":
            edges = np.unique(np.quantile(train[name].dropna(), np.linspace(0, 1, CUTS + 1)[1:-1]))
            numbers = frame[name].to_numpy(np.float64)
            cells[name] = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
        else:
            cells[name] = pd.Index(sorted(set(train[name].dropna()))).get_indexer(frame[name]) + 1
    return pd.DataFrame(cells)


def total_variation(a: pd.DataFrame, b: pd.DataFrame) -> tuple[dict[str, float], float]:
    """Return it by column, and its mean over pairs of columns, of `levels_of` two tables."""
    sizes = {name: int(max(a[name].max(), b[name].max())) + 1 for name in a}

    def between(x: NDArray[np.int64], y: NDArray[np.int64], size: int) -> float:
        shares = (np.bincount(each, minlength=size) / len(each) for each in (x, y))
        return float(np.abs(next(shares) - next(shares)).sum() / 2)

    single = {name: between(a[name].to_numpy(), b[name].to_numpy(), size) for name, size in sizes.items()}
    pairs = [
        between(*(each[c].to_numpy() * sizes[d] + each[d].to_numpy() for each in (a, b)), sizes[c] * sizes[d])
        for c, d in combinations(a, 2)
    ]
    return single, float(np.mean(pairs))


def coded(train: pd.DataFrame, frame: pd.DataFrame) -> tuple[NDArray[np.float64], list[int]]:
    """Return rows as trees take them, and which columns are levels."""
    names = [name for name in train if train[name].dtype.kind not in "iuf"]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan).fit(train[names].fillna("?"))
    frame = frame.assign(**dict(zip(names, encoder.transform(frame[names].fillna("?")).T, strict=True)))
    return frame[list(train)].to_numpy(np.float64), [train.columns.get_loc(name) for name in names]


def told_apart(train: pd.DataFrame, real: pd.DataFrame, new: pd.DataFrame, seed: int) -> float:
    """Return the AUC of new rows among as many held-out ones, by classifiers that have seen neither."""
    n = min(len(real), len(new))
    both = pd.concat([real.sample(n, random_state=seed), new.sample(n, random_state=seed)])
    (X, levels), y = coded(train, both), np.repeat([0, 1], n)
    found = []
    for seen, unseen in StratifiedKFold(3, shuffle=True, random_state=seed).split(X, y):
        model = HistGradientBoostingClassifier(categorical_features=levels, random_state=seed).fit(X[seen], y[seen])
        found.append(roc_auc_score(y[unseen], model.predict_proba(X[unseen])[:, 1]))
    return float(np.mean(found))


def learned_from(train: pd.DataFrame, test: pd.DataFrame, new: pd.DataFrame, seed: int) -> float:
    """Return the AUC of the income of ``test`` rows, by a classifier that has learned it from ``new`` ones."""
    train, rows, held_out = (frame.drop(columns=TARGET) for frame in (train, new, test))
    (X, levels), (X_test, _) = coded(train, rows), coded(train, held_out)
    model = HistGradientBoostingClassifier(categorical_features=levels, random_state=seed).fit(X, new[TARGET])
    return float(roc_auc_score(test[TARGET], model.predict_proba(X_test)[:, 1]))


# --- Where rows come from -------------------------------------------------------------


def environment() -> Path:
    """Return the peers' interpreter, in an environment that is made if it is not there."""
    python = CACHE / "ctgan" / "bin" / "python"
    if not (CACHE / "ctgan" / "made").exists():
        venv.create(CACHE / "ctgan", with_pip=True, clear=True)
        needed = ["ctgan==0.12.1", "pandas<3", "torch>=2.6,<2.14"]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *needed], check=True)
        (CACHE / "ctgan" / "made").touch()
    return python


def by_peer(name: str, train: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, float]:
    """Return new rows, and the CPU seconds of the fit."""
    CACHE.mkdir(parents=True, exist_ok=True)
    made, seconds = CACHE / f"{name}-{seed}.csv", CACHE / f"{name}-{seed}.seconds"
    if not seconds.exists():
        script, table = Path(__file__).with_name("tables_peers.py"), CACHE / "train.csv"
        train.to_csv(table, index=False)
        command = [environment(), script, name, table, len(train), seed, made]
        threads = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True, env=threads)
        seconds.write_text(done.stdout.split()[-1])
    return pd.read_csv(made), float(seconds.read_text())


def rows_by(train: pd.DataFrame, seed: int) -> Iterator[tuple[str, pd.DataFrame, float, VAE | None]]:
    """Yield what makes rows, as many as there are to learn from, these, the CPU seconds of its fit, and our model."""
    yield "the training rows", train, 0.0, None
    for name in ("TVAE", "CTGAN"):
        if name not in WITHOUT:
            yield (name, *by_peer(name, train, seed), None)
    started = time.process_time()
    model = VAE(LATENT_DIM, beta=BETA, epochs=EPOCHS, random_state=seed).fit(train)
    seconds = time.process_time() - started
    yield "narrows VAE", model.sample(len(train), random_state=seed), seconds, model


def likeness(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Iterator[VAE]:
    """Print how like held-out rows new ones are, and yield our model."""
    cut = levels_of(train, test)
    for name, new, seconds, model in rows_by(train, seed):
        single, pairs = total_variation(cut, levels_of(train, new))
        numbers = [
            f"{np.mean([*single.values()]):.4f}",
            f"{pairs:.4f}",
            f"{abs(told_apart(train, test, new, seed) - 0.5):.3f}",
            f"{learned_from(train, test, new, seed):.4f}",
            f"{seconds:.0f}",
        ]
        print(f"| {seed} | {name} | {' | '.join(numbers)} |", flush=True)
        if model is not None:
            yield model


# --- Conditions -----------------------------------------------------------------------


def met(frame: pd.DataFrame, given: dict[str, Any]) -> pd.DataFrame:
    """Return the rows that meet a condition."""
    (name, wanted), *_ = given.items()
    keep = frame[name] >= wanted[0] if isinstance(wanted, tuple) else frame[name] == wanted
    return frame[keep].reset_index(drop=True)


def by_rejection(model: VAE, given: dict[str, Any], n: int, seed: int) -> pd.DataFrame:
    """Return ``n`` rows that meet a condition, of as many as it takes."""
    found: list[pd.DataFrame] = []
    while sum(map(len, found)) < n:
        found.append(met(model.sample(20_000, random_state=1000 * seed + len(found)), given))
    return pd.concat(found, ignore_index=True)[:n]


def conditioned(model: VAE, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> None:
    """Print how like held-out rows that meet a condition new ones are that were asked for by it."""
    for name, given in CONDITIONS.items():
        real, held_out = met(train, given), met(test, given)
        others = [column for column in train if column not in given]
        cut = levels_of(train, held_out)[others]

        def off(rows: pd.DataFrame, cut: pd.DataFrame = cut, others: list[str] = others) -> float:
            return float(np.mean([*total_variation(cut, levels_of(train, rows)[others])[0].values()]))

        asked = {
            "given": lambda given=given: model.sample(1000, random_state=seed, given=given),
            "rejection": lambda given=given: by_rejection(model, given, 1000, seed),
        }
        base = off(real[:1000])
        print(f"| {seed} | {name} | {len(real[:1000])} real training rows | | {base:.4f} | |")
        for how, rows in asked.items():
            started = time.perf_counter()
            new = rows()
            seconds, far = time.perf_counter() - started, off(new)
            print(f"| {seed} | {name} | 1,000 by {how} | {seconds:.2f} | {far:.4f} | {far / base:.2f} |", flush=True)


# --- What it costs --------------------------------------------------------------------


def mixed(n: int, times: int = 1) -> pd.DataFrame:
    """Return a table of 20 columns, or as many ``times`` over, a tenth of whose cells are missing."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {}
    for copy in range(times):
        z = rng.normal(size=(n, 3))
        own = {f"real{i}": z @ rng.normal(size=3) + rng.normal(size=n) for i in range(8)}
        own |= {f"count{i}": rng.poisson(np.exp(0.5 + 0.5 * z[:, i])).astype(float) for i in range(2)}
        own |= {f"yes{i}": np.where(z[:, i] > rng.normal(size=n), "yes", "no").astype(object) for i in range(2)}
        for i, k in enumerate((3, 8, 20, 50, 100)):
            place = (np.abs(z[:, i % 3] + rng.normal(size=n)) * k / 3).astype(int).clip(0, k - 1)
            own[f"level{i}"] = np.array([f"level {j}" for j in range(k)], object)[place]
        sizes = np.digitize(z[:, 0], [-1, 0, 1])
        own["size"] = pd.Series(pd.Categorical.from_codes(sizes, ["S", "M", "L", "XL"], ordered=True))
        for i in range(2):
            days = np.rint(500 + 100 * z[:, i]).astype("timedelta64[D]")
            own[f"date{i}"] = pd.Series(np.datetime64("2020-01-01", "s") + days)
        columns |= {f"{name}-{copy}": values for name, values in own.items()}
    frame = pd.DataFrame(columns)
    return frame.mask(rng.random(frame.shape) < 0.1)


def measure(what: str, n: int) -> None:
    """Print the CPU seconds of one epoch of an autoencoder, and the most memory in MB; run in a process of its own."""
    if what == "numbers":
        X: Any = np.random.default_rng(0).normal(size=(n, 20)).astype(np.float32)
    else:
        X = mixed(n, int(what))
    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.process_time()
    steps = Autoencoder(8, epochs=1, prior="normal", random_state=0).fit_steps(X)
    next(steps)
    first = time.process_time()
    for step in steps:
        if step.step == step.steps:
            break
    epoch = time.process_time() - first
    for _ in steps:
        pass
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(epoch, time.process_time() - started, before, most)


def costs() -> None:
    """Print the time of an epoch, and memory."""
    print("\n| table | rows | one epoch, CPU s | whole fit, CPU s | memory before, MB | at most, MB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "before"
        subprocess.run(
            ["git", "worktree", "add", "--detach", str(tree), BEFORE], cwd=ROOT, check=True, capture_output=True
        )
        try:
            for name, source, what, n in (
                (f"20 numbers, build of {BEFORE}", tree, "numbers", 200_000),
                ("20 numbers", ROOT, "numbers", 200_000),
                ("20 columns of all kinds", ROOT, "1", 200_000),
                ("200 columns of all kinds", ROOT, "10", 20_000),
            ):
                path = os.pathsep.join(map(str, (source / "src", ROOT)))
                command = [sys.executable, "-c", f"from benchmarks.tables import measure; measure({what!r}, {n})"]
                done = subprocess.run(
                    command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
                )
                epoch, whole, before, most = map(float, done.stdout.split()[-4:])
                print(f"| {name} | {n:,} | {epoch:.1f} | {whole:.1f} | {before:.0f} | {most:.0f} |", flush=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


def main() -> None:
    """Print all tables, in Markdown."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=FutureWarning)
    if "adult" not in WITHOUT:
        folder = Path(os.environ["NARROWS_ADULT"])
        train, test = (pd.read_csv(folder / f"{name}.csv.gz") for name in ("train", "test"))
        print("\n| seed | rows | total variation, columns | pairs | two-sample AUC off ½ | income's AUC | fit, CPU s |")
        print("|---|---|---|---|---|---|---|")
        models = [(seed, model) for seed in range(SEEDS) for model in likeness(train, test, seed)]
        print("\n| seed | condition | rows | s | total variation, other columns | in parts of real rows' |")
        print("|---|---|---|---|---|---|")
        for seed, model in models:
            conditioned(model, train, test, seed)
    if "speed" not in WITHOUT:
        costs()
