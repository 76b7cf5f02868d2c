"""VAEs on MNIST: the bound in nats, beside public logs and papers.

Two tables. The classic example: dense 784–400–20, batches of 128, Adam at 0.001, 10 epochs, Bernoulli likelihood on
real-valued pixels; two public logs of it end at a test loss of 105.56 and 105.59 nats. And the IWAE paper's net
(784–200–200–50, tanh) on statically binarised digits, at equal budgets: as many epochs as the environment variable
``NARROWS_EPOCHS`` says, 20 by default.

MNIST is taken from the folder that the environment variable ``NARROWS_MNIST`` names, or fetched from OpenML.
"""

from __future__ import annotations

import os
import time

import numpy as np
import torch
from numpy.typing import NDArray

from narrows import IWAE, VAE
from narrows.data import load_data
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.codes import active_units

CLASSIC = {
    "hidden": (400,),
    "activation": "relu",
    "shortcut": False,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "schedule": "constant",
    "batch_size": 128,
    "warm_up": 0.0,
    "input_noise": 0.0,
    "validation_fraction": 0.0,
}
COMMON = {"likelihood": "bernoulli", "scaling": "global", "prior": "normal", "random_state": 0}
CLASSIC_EPOCHS, EPOCHS = 10, int(os.environ.get("NARROWS_EPOCHS", "20"))


def mnist() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return training and test images as rows in [0, 1]."""
    images = load_data(os.environ.get("NARROWS_MNIST", "mnist")).X
    rows = np.asarray(images, np.float32).reshape(len(images), -1) / 255
    return rows[:60_000], rows[60_000:]


def negative_elbo(model: BottleneckEstimator, X: NDArray[np.float32], draws: int = 8) -> float:
    """Return the mean −ELBO, in nats: one code an example, averaged over several draws."""
    codes = [model.log_likelihood(X, samples=1, random_state=seed).mean for seed in range(draws)]
    return -float(np.mean(codes))


def row(name: str, model: BottleneckEstimator, X: NDArray[np.float32], X_test: NDArray[np.float32], k: int) -> None:
    """Fit ``model`` and print its row."""
    started = time.process_time()
    model.fit(X)
    seconds = time.process_time() - started
    bound = negative_elbo(model, X_test)
    tighter = model.log_likelihood(X_test[:1000], samples=k)
    active = int(active_units(model.transform(X_test)).sum())
    print(
        f"| {name} | {bound:.2f} | {-tighter.mean:.2f} ± {tighter.standard_error:.2f} | {active} | {seconds:.0f} |",
        flush=True,
    )


def main() -> None:
    """Print both tables, in Markdown."""
    torch.set_num_threads(1)
    X, X_test = mnist()
    print(f"MNIST, real-valued pixels, {CLASSIC_EPOCHS} epochs (public logs of the classic example: 105.56, 105.59)\n")
    print("| model | −ELBO, 10,000 test images | −log p(x), k = 500, 1,000 of them | active units | CPU s |")
    print("|---|---|---|---|---|")
    row("VAE, the classic recipe", VAE(20, **CLASSIC, **COMMON, epochs=CLASSIC_EPOCHS), X, X_test, 500)
    row("VAE, our defaults", VAE(20, **COMMON, epochs=CLASSIC_EPOCHS), X, X_test, 500)

    print(f"\nMNIST, statically binarised, 784–200–200–50, tanh, {EPOCHS} epochs\n")
    print("| model | −ELBO | −log p(x), k = 5000, 1,000 images | active units of 50 | CPU s |")
    print("|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    binary, binary_test = ((rng.random(part.shape) < part).astype(np.float32) for part in (X, X_test))
    options = {**COMMON, "hidden": (200, 200), "activation": "tanh", "shortcut": False, "weight_decay": 0.0}
    options |= {
        "learning_rate": 1e-3,
        "batch_size": 100,
        "validation_fraction": 0.0,
        "epochs": EPOCHS,
        "input_noise": 0.0,
    }
    row("VAE", VAE(50, **options, warm_up=0.0), binary, binary_test, 5000)
    row("IWAE, k = 5", IWAE(50, **options, k=5), binary, binary_test, 5000)
    row("IWAE, k = 50", IWAE(50, **options, k=50), binary, binary_test, 5000)
