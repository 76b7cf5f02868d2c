"""Training small nets: narrows beside the plain PyTorch loop and scikit-learn, interleaved, in CPU seconds.

The workload is the lecture's recipe on all the digits («Úvod do generativních modelů»): 64–32–d–32–64, ReLU, a sigmoid
at the end, squared error, Adam at 0.001, batches of 32. One thread. All are timed over as many epochs, from data in
memory to trained weights; narrows without what it adds after the training (the prior).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from sklearn.neural_network import MLPRegressor
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from narrows import Autoencoder, recipes
from narrows.data import load_data
from narrows.estimators.fitting import fit_together

EPOCHS, ROUNDS = 20, 5


def plain(X: np.ndarray, d: int, seed: int, epochs: int) -> float:
    """Train by the loop that everyone writes, and return the training error per pixel."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        *(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, d), nn.ReLU()),
        *(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid()),
    )
    x = torch.from_numpy(X)
    loader = DataLoader(TensorDataset(x), batch_size=32, shuffle=True)
    optimiser, criterion = torch.optim.Adam(net.parameters(), lr=0.001), nn.MSELoss()
    for _ in range(epochs):
        for (batch,) in loader:
            optimiser.zero_grad()
            loss = criterion(net(batch), batch)
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        return float(criterion(net(x), x))


def ours(X: np.ndarray, dims: list[int], seeds: list[int], epochs: int) -> float:
    """Train the same models side by side, and return the last one's training error per pixel."""
    options = recipes.LECTURE | {"epochs": epochs, "prior": "normal"}
    models = [Autoencoder(d, random_state=seed, **options) for d in dims for seed in seeds]
    for _ in fit_together(models, X):
        pass
    return float(models[-1].anomaly_score(X).mean())


def sklearn(X: np.ndarray, d: int, seed: int, epochs: int) -> float:
    """Train scikit-learn's own net with the same layers, and return its training error per pixel."""
    net = MLPRegressor(
        hidden_layer_sizes=(32, d, 32),
        batch_size=32,
        max_iter=epochs,
        random_state=seed,
        alpha=0,
        tol=0,
        n_iter_no_change=epochs,
    )
    return float(np.square(net.fit(X, X).predict(X) - X).mean())


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of ``work``."""
    started = time.process_time()
    work()
    return time.process_time() - started


def row(name: str, work: dict[str, tuple[Callable[[], object], int]]) -> None:
    """Print a line: each one's median CPU seconds a model over interleaved rounds, and how much quicker ours is."""
    times: dict[str, list[float]] = {who: [] for who in work}
    for _ in range(ROUNDS):
        for who, (run, models) in work.items():
            times[who].append(seconds(run) / models)
    median = {who: statistics.median(all_of) for who, all_of in times.items()}
    mine = median.pop("narrows")
    others = "; ".join(f"{who} {time:.3f} s: {time / mine:.1f} ×" for who, time in median.items())
    print(f"| {name} | {mine:.3f} s | {others} |", flush=True)


def main() -> None:
    """Print the table, in Markdown."""
    torch.set_num_threads(1)
    X = (load_data("digits").X.reshape(-1, 64) / 16).astype(np.float32)
    print("| workload, CPU time a model | narrows | peers, and how many times ours |")
    print("|---|---|---|")
    row(
        f"lecture's recipe, d = 8, {EPOCHS} epochs",
        {
            "narrows": (lambda: ours(X, [8], [0], EPOCHS), 1),
            "plain PyTorch loop": (lambda: plain(X, 8, 0, EPOCHS), 1),
            "MLPRegressor": (lambda: sklearn(X, 8, 0, EPOCHS), 1),
        },
    )
    dims = [1, 2, 4, 8, 16]
    row(
        "the sweep d = 1, 2, 4, 8, 16",
        {
            "narrows": (lambda: ours(X, dims, [0], EPOCHS), len(dims)),
            "plain loops": (lambda: [plain(X, d, 0, EPOCHS) for d in dims], len(dims)),
        },
    )
    row(
        "20 seeds of d = 8",
        {
            "narrows": (lambda: ours(X, [8], list(range(20)), EPOCHS), 20),
            "plain loops": (lambda: plain(X, 8, 0, EPOCHS), 1),
        },
    )
    mine = statistics.mean(ours(X, [8], [seed], 100) for seed in range(5))
    theirs = statistics.mean(plain(X, 8, seed, 100) for seed in range(5))
    print(f"\nTraining error at d = 8 after 100 epochs, mean of 5 seeds: narrows {mine:.4f}, plain loop {theirs:.4f}")


if __name__ == "__main__":
    main()
