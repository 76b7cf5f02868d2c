"""Generation: how like held-out images are those that each model makes with each prior, beside pythae's samplers.

Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020) and the Fréchet distance, in
the feature space of a classifier trained on the training part, and the accuracy of a classifier that tells generated
from held-out images (0.5 is perfect). pythae's models have the same hidden layers, latent_dim, epochs and data, and
Adam at its customary 0.001.

``NARROWS_MNIST`` as of ``benchmarks.likelihood``; without it only the digits are measured.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from benchmarks.peers import sample_pythae, samplers_pythae, train_pythae
from narrows import VAE, Autoencoder, RegularizedAutoencoder
from narrows.data import load_data, split
from narrows.estimators.options import PRIORS
from narrows.evaluation.generation import frechet_distance, precision_recall, two_sample_accuracy

KINDS = {"AE": Autoencoder, "VAE": VAE, "RAE_L2": RegularizedAutoencoder}
LATENT_DIM = 16
MOST = 2000

Rows = NDArray[np.floating[Any]]


class Judge:
    """Held-out images, and the features of a classifier that has learned the training part's classes."""

    def __init__(self, X: Rows, y: NDArray[Any], X_test: Rows) -> None:
        self.net = MLPClassifier((128, 64), random_state=0, early_stopping=True, max_iter=30).fit(X, y)
        self.real = X_test[:MOST]

    def features(self, X: Rows) -> Rows:
        """Return the last hidden layer's activations, (n, 64)."""
        for weights, biases in zip(self.net.coefs_[:-1], self.net.intercepts_[:-1], strict=True):
            X = np.maximum(X @ weights + biases, 0)
        return X

    def row(self, model: str, prior: str, generated: Rows) -> None:
        """Print a row of the table."""
        real, made = self.features(self.real), self.features(generated)
        scores = precision_recall(real, made)
        distance = frechet_distance(real, made)
        accuracy = two_sample_accuracy(self.real, generated, random_state=0)
        print(
            f"| {model} | {prior} | {scores.precision:.2f} | {scores.recall:.2f} | {scores.density:.2f} | "
            f"{scores.coverage:.2f} | {distance:.2f} | {accuracy:.2f} |",
            flush=True,
        )


def table(name: str, X: Rows, y: NDArray[Any], X_test: Rows, hidden: tuple[int, ...], epochs: int) -> None:
    """Print the table of one data set, whose ``X`` are rows in [0, 1]."""
    judge = Judge(X, y, X_test)
    n = len(judge.real)
    print(f"\n{name}: {len(X):,} images, latent_dim {LATENT_DIM}, {epochs} epochs, {n:,} generated and held-out\n")
    print("| model | prior | precision | recall | density | coverage | Fréchet | two-sample accuracy |")
    print("|---|---|---|---|---|---|---|---|")
    judge.row("training images", "", X[:n])
    for kind, ours in KINDS.items():
        model = ours(LATENT_DIM, hidden=hidden, scaling="global", epochs=epochs, random_state=0).fit(X)
        for prior in PRIORS:
            judge.row(f"narrows {ours.__name__}", prior, model.fit_prior(prior, X).sample(n, random_state=0))
        options = {"latent_dim": LATENT_DIM, "hidden": hidden, "epochs": epochs, "batch_size": 64}
        theirs, _ = train_pythae(kind, X, **options, learning_rate=1e-3, seed=0)
        for sampler in samplers_pythae(kind):
            made, _ = sample_pythae(theirs, sampler, X, n, 0)
            judge.row(f"pythae {kind}", sampler, made)


def main() -> None:
    """Print the tables, in Markdown."""
    torch.set_num_threads(1)
    digits = load_data("digits")
    X, X_test, y, _ = split(digits.X.reshape(-1, 64) / 16, digits.y)
    table("digits", X, y, X_test, (256, 128), 200)
    if "NARROWS_MNIST" in os.environ:
        data = load_data(os.environ["NARROWS_MNIST"])
        rows = np.asarray(data.X, np.float32).reshape(len(data.X), -1) / 255
        table("MNIST", rows[:60_000], data.y[:60_000], rows[60_000:], (512, 256), 10)
