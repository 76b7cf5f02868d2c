"""Reconstruction beside pythae: the same hidden layers, latent_dim, epochs, batches and data, each with its own recipe.

The lecture's digits, 80/20 by class; squared error per pixel, in [0, 1], of held-out images decoded from their mean
codes. pythae has its defaults, at Adam's customary 0.001. The VAEs have a Bernoulli likelihood, so that both bounds are
of the same quantity.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.likelihood import negative_elbo
from benchmarks.peers import elbo_pythae, reconstruct_pythae, train_pythae
from narrows import VAE, VQVAE, WAE, Autoencoder
from narrows.data import load_data, split

KINDS: tuple[tuple[str, type, dict[str, Any]], ...] = (
    ("AE", Autoencoder, {}),
    ("VAE", VAE, {"likelihood": "bernoulli", "prior": "normal"}),
    ("WAE_MMD", WAE, {}),
    ("VQVAE", VQVAE, {}),
)
SEEDS = (0, 1, 2)
SHARED = {"hidden": (256, 128), "epochs": 200, "batch_size": 64}


def row(kind: str, ours: type, options: dict[str, Any], d: int, X: NDArray[Any], X_test: NDArray[Any]) -> str:
    """Return the row of one kind of model, means over the seeds."""
    errors, seconds, bounds = [], [], []
    for seed in SEEDS:
        started = time.process_time()
        model = ours(d, **SHARED, **options, scaling="global", random_state=seed).fit(X)
        own = time.process_time() - started
        theirs, peer = train_pythae(kind, X, latent_dim=d, **SHARED, learning_rate=1e-3, seed=seed)
        restored = model.reconstruct(X_test), reconstruct_pythae(theirs, X_test)
        errors.append([np.square(X_test - images).mean() for images in restored])
        seconds.append([own, peer])
        if kind == "VAE":
            bounds.append([negative_elbo(model, X_test), elbo_pythae(theirs, X_test, draws=8)])
    (a, b), (s, t) = np.mean(errors, 0), np.mean(seconds, 0)
    nats = " | ".join(f"{bound:.2f}" for bound in np.mean(bounds, 0)) if bounds else " | "
    return f"| {ours.__name__} | {d} | {a:.4f} | {b:.4f} | {a / b:.2f} | {nats} | {s:.0f} | {t:.0f} |"


def main() -> None:
    """Print the table, in Markdown."""
    torch.set_num_threads(1)
    digits = load_data("digits")
    X, X_test, *_ = split(digits.X.reshape(-1, 64) / 16, digits.y)
    print("| model | latent_dim | error | pythae's | ratio | −ELBO, nats | pythae's | CPU s | pythae's |")
    print("|---|---|---|---|---|---|---|---|---|")
    for d in (8, 16):
        for kind, ours, options in KINDS:
            print(row(kind, ours, options, d, X, X_test), flush=True)
