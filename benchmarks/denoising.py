"""Denoising: squared error to the clean held-out digits of what plain and denoising autoencoders make of noisy ones.

The split is the lecture page's: 80/20, stratified by class, seed 0. The noise is Gaussian, σ = 0.3 on pixels in [0, 1].
"""

from __future__ import annotations

import numpy as np
import torch

from narrows import Autoencoder, DenoisingAutoencoder
from narrows.data import load_data, split

SIGMA = 0.3

# The plain autoencoder sees clean inputs only; by default `Autoencoder` adds some noise itself, against overfitting.
MODELS = ((Autoencoder, {"input_noise": 0.0}), (Autoencoder, {}), (DenoisingAutoencoder, {}))
SEEDS = (0, 1, 2)


def main() -> None:
    """Print the table, in Markdown."""
    torch.set_num_threads(1)
    data = load_data("digits")
    X_train, X_test, *_ = split(data.X, data.y)
    print("| latent_dim | noise itself | plain | Autoencoder's defaults | DenoisingAutoencoder | to plain, 3 seeds |")
    print("|---|---|---|---|---|---|")
    for d in (8, 16):
        errors = []
        for seed in SEEDS:
            models = [kind(d, random_state=seed, **options).fit(X_train) for kind, options in MODELS]
            noisy = models[0].corrupt(X_test, corruption="gaussian", level=SIGMA, random_state=seed)
            restored = [noisy, *(model.reconstruct(noisy) for model in models)]
            errors.append([np.square((X_test - images) / 16).mean() for images in restored])
        noise, plain, defaults, ours = np.mean(errors, axis=0)
        each = ", ".join(f"{error[3] / error[1]:.2f}" for error in errors)
        columns = [
            f"{d}",
            *(f"{error:.4f}" for error in (noise, plain, defaults, ours)),
            f"{ours / plain:.2f} ({each})",
        ]
        print(f"| {' | '.join(columns)} |", flush=True)
