"""Training: narrows beside the plain PyTorch loop and other peers, interleaved, in CPU seconds on one thread.

The first rows are the lecture's recipe on all the digits (“Úvod do generativních modelů”): 64–32–d–32–64, ReLU, a
sigmoid at the end, squared error, Adam at 0.001, batches of 32. All are timed over as many epochs, from data in memory
to trained weights; narrows without what it adds after the training (the prior). ``NARROWS_MNIST`` as of
``benchmarks.likelihood``, for the convolutional nets; without it they learn drawn shapes.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Generator, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import loops
from benchmarks.likelihood import mnist
from benchmarks.peers import train_pythae
from narrows import VAE, Autoencoder, recipes
from narrows.data import load_data
from narrows.data.synthetic import shapes
from narrows.estimators.fitting import fit_together
from narrows.models.model import Batch
from narrows.training.loop import Step
from narrows.training.member import BOTH_WAYS
from narrows.training.processor import operations_of

EPOCHS, ROUNDS, SEEDS = 20, 5, 20

LECTURE = 0.0234
"""The lecture's recipe's error per pixel on the digits it has learnt, at d = 8."""

TABLE, IMAGES, BATCH = 100_000, 10_000, 128

SAME = {"likelihood": "bernoulli", "net": "convolutional", "batch_size": BATCH, "epochs": 1, "prior": "normal"}

PLAINLY = {"validation_fraction": 0.0, "warm_up": 0.0, "input_noise": 0.0, "random_state": 0}

Rows = NDArray[np.float32]


def ours(
    X: Rows, dims: list[int], seeds: list[int], epochs: int, hidden: tuple[int, ...] = (32,), batch: int = 32
) -> float:
    """Train the same models side by side, and return the last one's training error per pixel."""
    options = recipes.LECTURE | {"epochs": epochs, "prior": "normal", "hidden": hidden, "batch_size": batch}
    models = [Autoencoder(d, random_state=seed, **options) for d in dims for seed in seeds]
    for _ in fit_together(models, X):
        pass
    return float(models[-1].anomaly_score(X, by="reconstruction").mean())


def pythae(X: Rows, d: int, epochs: int) -> float:
    """Train pythae's autoencoder with the same layers, and return the CPU seconds of that."""
    options = {"latent_dim": d, "hidden": (32,), "epochs": epochs, "batch_size": 32, "learning_rate": 1e-3}
    return train_pythae("AE", X, seed=0, **options)[1]


def seconds(work: Callable[[], object]) -> NDArray[np.float64]:
    """Return the CPU and wall seconds of ``work``."""
    started = np.array([time.process_time(), time.perf_counter()])
    work()
    return np.array([time.process_time(), time.perf_counter()]) - started


def row(name: str, work: dict[str, tuple[Callable[[], object], int]], rounds: int = ROUNDS) -> None:
    """Print a line: each one's median seconds a model, CPU and wall, over interleaved rounds, and times ours."""
    times: dict[str, list[NDArray[np.float64]]] = {who: [] for who in work}
    for _ in range(rounds):
        for who, (run, models) in work.items():
            times[who].append(seconds(run) / models)
    median = {who: np.median(all_of, 0) for who, all_of in times.items()}
    mine = median.pop("narrows")
    others = "; ".join(f"{who} {said(both)} s: {said(both / mine, 1)} ×" for who, both in median.items())
    print(f"| {name} | {said(mine)} s | {others} |", flush=True)


def said(both: NDArray[np.float64], digits: int = 3) -> str:
    """Write a figure in CPU time, and in brackets in wall time."""
    return f"{both[0]:.{digits}f} ({both[1]:.{digits}f})"


def until(errors: Iterator[Callable[[], float]], wanted: float) -> tuple[int, float]:
    """Return the epochs and CPU seconds until the training error is ``wanted``; to look at it costs nothing."""
    epochs, spent, started = 0, 0.0, time.process_time()
    for error in errors:
        epochs, spent = epochs + 1, spent + time.process_time() - started
        if error() <= wanted:
            break
        started = time.process_time()
    return epochs, spent


def our_epochs(X: Rows, seed: int) -> Iterator[Callable[[], float]]:
    """Train by the default recipe; yield after each epoch what says the training error."""
    x = torch.from_numpy(X)
    for step in Autoencoder(8, scaling="global", random_state=seed).fit_steps(X):
        if step.row:
            model = step.training.members[0].model

            @torch.no_grad()
            def error(model: torch.nn.Module = model, training: object = step.training) -> float:
                training.learner.store()  # type: ignore[attr-defined]
                return float((model.decode(model.encode(x)) - x).square().mean())  # type: ignore[operator]

            yield error


def to_the_lectures_error(X: Rows) -> None:
    """Print how long our default recipe and the plain loop take to the lecture's training error."""
    mine = [until(our_epochs(X, seed), LECTURE) for seed in range(5)]
    theirs = [until(loops.plain_epochs(X, (32,), 8, seed, 32), LECTURE) for seed in range(5)]
    (epochs, time_), (their_epochs, their_time) = np.median(mine, 0), np.median(theirs, 0)
    name = f"to the lecture's training error of {LECTURE}, d = 8, from our defaults"
    peer = f"plain PyTorch loop, the lecture's recipe, {their_epochs:.0f} epochs, {their_time:.3f} s"
    print(f"| {name}, {epochs:.0f} epochs | {time_:.3f} s | {peer}: {their_time / time_:.1f} × |", flush=True)


def steps_of(model: VAE, X: Rows) -> Generator[Step]:
    """Take all steps of a training, and return it as it is before the prior and what later judgements need."""
    steps = model.fit_steps(X)
    for step in steps:
        if step.step == step.steps:
            break
    return steps


def convolutional() -> None:
    """Print the row of a convolutional VAE at 28×28, an epoch in batches of 128, and both bounds after it."""
    X, X_test = images()
    mine, model = (VAE(16, **SAME, **PLAINLY) for _ in range(2))
    model = model.fit(X[:BATCH]).fitted_.model  # for nets of the same layers, drawn anew below
    begun: list[Generator[Step]] = []
    row(
        f"convolutional VAE, 28×28, {len(X):,} images, batches of {BATCH}, one epoch",
        {
            "narrows": (lambda: begun.append(steps_of(mine, X)), 1),
            "plain PyTorch loop, same nets": (lambda: loops.plain_vae(model, X, BATCH), 1),
        },
        rounds=3,
    )
    for steps in begun:
        steps.close()
    bounds = [bound(net, X_test) for net in (mine.fitted_.model, model)]
    print(f"| its −ELBO on {len(X_test):,} other images, nats | {bounds[0]:.1f} | plain loop {bounds[1]:.1f} |")


def on_a_gpu() -> None:
    """Print the same on a GPU, in wall time, with the part of it that the card would need at its best."""
    X, X_test = images()
    mine, model = (VAE(16, **SAME | {"epochs": 5}, **PLAINLY, device="cuda") for _ in range(2))
    net = model.fit(X[:BATCH]).fitted_.model
    operations = BOTH_WAYS * 5 * len(X) * operations_of(net, Batch(torch.zeros(1, 784), None))
    times: dict[str, list[float]] = {"mine": [], "theirs": []}
    for _ in range(4):  # of which the first is to warm up
        started = time.perf_counter()
        steps = steps_of(mine, X)
        torch.cuda.synchronize()
        times["mine"].append(time.perf_counter() - started)
        steps.close()
        started = time.perf_counter()
        loops.plain_vae(net, X, BATCH, epochs=5, device="cuda")
        torch.cuda.synchronize()
        times["theirs"].append(time.perf_counter() - started)
    ours_, theirs = (statistics.median(each[1:]) for each in times.values())
    bounds = [bound(each, X_test) for each in (mine.fitted_.model, net)]
    card = torch.cuda.get_device_name()
    peer = f"plain loop {theirs:.2f} s: {theirs / ours_:.1f} ×"
    print(f"| the same on {card}, 5 epochs, wall time | {ours_:.2f} s | {peer} |")
    print(f"| its −ELBO | {bounds[0]:.1f} | plain loop {bounds[1]:.1f} |")
    print(f"| part of the card's best, in products of large matrices | {operations / ours_ / best_rate():.1%} | |")


def best_rate() -> float:
    """Return the operations a second that the GPU does in products of large matrices of 16-bit numbers."""
    a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    for _ in range(5):
        a @ a
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(20):
        a @ a
    torch.cuda.synchronize()
    return 20 * 2 * 8192**3 / (time.perf_counter() - started)


def images() -> tuple[Rows, Rows]:
    """Return images to learn from and others, in [0, 1]."""
    if "NARROWS_MNIST" in os.environ:
        X, X_test = (part.reshape(-1, 28, 28)[:IMAGES] for part in mnist())
        return X, X_test
    drawn = shapes(2 * IMAGES, size=28).X.astype(np.float32) / 255
    return drawn[:IMAGES], drawn[IMAGES:]


@torch.no_grad()
def bound(net: torch.nn.Module, X: Rows) -> float:
    """Return −ELBO, in nats an image."""
    torch.manual_seed(0)
    return float(loops.vae_loss(net.encoder, net.decoder, torch.from_numpy(X.reshape(len(X), -1))))  # type: ignore[arg-type]


def main() -> None:
    """Print the table, in Markdown."""
    torch.set_num_threads(1)
    X = (load_data("digits").X.reshape(-1, 64) / 16).astype(np.float32)
    print("| workload, CPU time a model (wall time) | narrows | peers, and how many times ours |")
    print("|---|---|---|")
    row(
        f"lecture's recipe, d = 8, {EPOCHS} epochs",
        {
            "narrows": (lambda: ours(X, [8], [0], EPOCHS), 1),
            "plain PyTorch loop": (lambda: loops.plain(X, (32,), 8, 0, EPOCHS), 1),
            "scikit-learn's MLPRegressor": (lambda: loops.sklearn(X, (32,), 8, 0, EPOCHS), 1),
            "pythae": (lambda: pythae(X, 8, EPOCHS), 1),
            "a scan compiled by JAX, compilation included": (lambda: loops.jax_scan(X, (32,), 8, 0, EPOCHS), 1),
        },
    )
    dims = [1, 2, 4, 8, 16]
    row(
        "the sweep d = 1, 2, 4, 8, 16",
        {
            "narrows": (lambda: ours(X, dims, [0], EPOCHS), len(dims)),
            "plain loops": (lambda: [loops.plain(X, (32,), d, 0, EPOCHS) for d in dims], len(dims)),
        },
    )
    row(
        "20 seeds of d = 8",
        {
            "narrows": (lambda: ours(X, [8], list(range(20)), EPOCHS), 20),
            "plain loops": (lambda: loops.plain(X, (32,), 8, 0, EPOCHS), 1),
        },
    )
    to_the_lectures_error(X)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(TABLE, 8)) @ rng.normal(size=(8, 50)) + 0.1 * rng.normal(size=(TABLE, 50))
    table = ((rows - rows.min()) / np.ptp(rows)).astype(np.float32)
    same = {"hidden": (64, 32), "epochs": 2}
    row(
        f"a table of {TABLE:,} × 50, hidden 64 and 32, batches of {BATCH}, 2 epochs",
        {
            "narrows": (lambda: ours(table, [8], [0], batch=BATCH, **same), 1),
            "PyOD's AutoEncoder": (lambda: loops.pyod(table, d=8, seed=0, batch_size=BATCH, **same), 1),
            "MLPRegressor": (lambda: loops.sklearn(table, d=8, seed=0, batch_size=BATCH, **same), 1),
        },
        rounds=3,
    )
    convolutional()
    if torch.cuda.is_available():
        on_a_gpu()
    options = recipes.LECTURE | {"prior": "normal"}
    models = [Autoencoder(8, random_state=seed, **options) for seed in range(SEEDS)]
    for _ in fit_together(models, X):
        pass
    mine = [float(model.anomaly_score(X, by="reconstruction").mean()) for model in models]
    theirs = [loops.plain(X, (32,), 8, seed, models[0].epochs) for seed in range(SEEDS)]
    errors = (f"{statistics.mean(each):.4f} ± {statistics.stdev(each) / SEEDS**0.5:.4f}" for each in (mine, theirs))
    print(f"\nTraining error at d = 8, mean of {SEEDS} seeds: narrows {next(errors)}, plain loop {next(errors)}")


if __name__ == "__main__":
    main()
