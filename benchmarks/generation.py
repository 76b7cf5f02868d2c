"""Generation: how like held-out images are those that each model makes with each prior, beside pythae's samplers.

Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020) and the Fréchet distance, in
the feature space of a classifier trained on the training part, and the accuracy of a classifier that tells generated
from held-out images (0.5 is perfect). pythae's models have the same hidden layers, latent_dim, epochs and data, and
Adam at its customary 0.001.

Every model draws ten times as many images as are held out: the Fréchet distance is of all, since that of a few is
mostly their number, and the others are the mean over ten parts (for the two-sample classifier, as many as have 1,000
images). Images are rounded to the data's own grey levels, as in a file; without that, the two-sample classifier only
looks whether an always black pixel is 0 or 0.001.

``NARROWS_MNIST`` as of ``benchmarks.likelihood``; without it only the digits are measured.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from benchmarks.peers import sample_pythae, samplers_pythae, train_pythae
from narrows import VAE, Autoencoder, RegularizedAutoencoder
from narrows.data import load_data, split
from narrows.evaluation.generation import frechet_distance, precision_recall, two_sample_accuracy
from narrows.models.priors import PRIORS

KINDS = {"AE": Autoencoder, "VAE": VAE, "RAE_L2": RegularizedAutoencoder}
LATENT_DIM = 16
MOST = 2000  # held-out images
DRAWS = 10  # for each of them
TESTED = 1000  # images drawn, or more, in the two-sample test

Rows = NDArray[np.floating[Any]]
Draw = tuple[str, str, Rows]


class Judge:
    """Held-out images, and the features of a classifier that has learned the training part's classes."""

    def __init__(self, X: Rows, y: NDArray[Any], X_test: Rows, levels: int) -> None:
        self.net = MLPClassifier((128, 64), random_state=0, early_stopping=True, max_iter=30).fit(X, y)
        # At random: MNIST's first test images are written more neatly than the others.
        chosen = np.random.default_rng(0).permutation(len(X_test))[:MOST]
        self.real, self.levels = X_test[chosen], levels

    def features(self, X: Rows) -> Rows:
        """Return the last hidden layer's activations, (n, 64)."""
        for weights, biases in zip(self.net.coefs_[:-1], self.net.intercepts_[:-1], strict=True):
            X = np.maximum(X @ weights + biases, 0)
        return X

    def judge(self, generated: Rows) -> NDArray[np.float64]:
        """Return the six numbers of the table for images that are a multiple of the held-out ones."""
        # pythae's mixture draws one component after the other.
        made = np.round(np.random.default_rng(0).permutation(generated) * self.levels) / self.levels
        real = self.features(self.real)
        distance = frechet_distance(real, self.features(made))
        parts = np.split(made, len(made) // len(real))
        scores = [precision_recall(real, self.features(part)) for part in parts]
        accuracy = [
            two_sample_accuracy(self.real, part, random_state=0) for part in parts[: math.ceil(TESTED / len(real))]
        ]
        means = np.mean([(s.precision, s.recall, s.density, s.coverage) for s in scores], 0)
        return np.array([*means, distance, np.mean(accuracy)])


def draws(X: Rows, n: int, hidden: tuple[int, ...], epochs: int, sampler_epochs: int, seed: int) -> Iterator[Draw]:
    """Yield (model, prior, ``n`` images drawn from it) of ours and of pythae, fitted to ``X``."""
    for kind, ours in KINDS.items():
        model = ours(LATENT_DIM, hidden=hidden, scaling="global", epochs=epochs, random_state=seed).fit(X)
        for prior in PRIORS:
            yield f"narrows {ours.__name__}", prior, model.fit_prior(prior, X).sample(n, random_state=seed)
        options = {"latent_dim": LATENT_DIM, "hidden": hidden, "epochs": epochs, "batch_size": 64}
        theirs, _ = train_pythae(kind, X, **options, learning_rate=1e-3, seed=seed)
        for sampler in samplers_pythae(kind):
            yield f"pythae {kind}", sampler, sample_pythae(theirs, sampler, X, n, seed, epochs=sampler_epochs)[0]


def table(judge: Judge, X: Rows, seeds: Sequence[int], **options: Any) -> None:
    """Print the table of one data set, whose ``X`` are rows in [0, 1]; means over the trainings of several seeds."""
    n = len(judge.real)
    print(f"\n{len(X):,} images, latent_dim {LATENT_DIM}, {options['epochs']} epochs, {n:,} held out\n")
    print(
        "| model | prior | precision | recall | density | coverage | Fréchet (lowest–highest) | two-sample accuracy |"
    )
    print("|---|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    real = X[rng.choice(len(X), min(DRAWS, len(X) // n) * n, replace=False)]
    print_row("training images", "", judge.judge(real)[None])
    for same in zip(*(draws(X, DRAWS * n, seed=seed, **options) for seed in seeds), strict=True):
        model, prior, _ = same[0]
        print_row(model, prior, np.stack([judge.judge(made) for *_, made in same]))


def print_row(model: str, prior: str, scores: NDArray[np.float64]) -> None:
    """Print the mean of ``scores`` (seeds, 6)."""
    mean, low, high = scores.mean(0), scores.min(0), scores.max(0)
    first = " | ".join(f"{value:.2f}" for value in mean[:4])
    print(f"| {model} | {prior} | {first} | {mean[4]:.2f} ({low[4]:.2f}–{high[4]:.2f}) | {mean[5]:.2f} |", flush=True)


def main() -> None:
    """Print the tables, in Markdown."""
    torch.set_num_threads(1)
    digits = load_data("digits")
    X, X_test, y, _ = split(digits.X.reshape(-1, 64) / 16, digits.y)
    print("Digits")
    table(Judge(X, y, X_test, 16), X, (0, 1, 2), hidden=(256, 128), epochs=200, sampler_epochs=100)
    if "NARROWS_MNIST" in os.environ:
        data = load_data(os.environ["NARROWS_MNIST"])
        rows = np.asarray(data.X, np.float32).reshape(len(data.X), -1) / 255
        judge = Judge(rows[:60_000], data.y[:60_000], rows[60_000:], 255)
        print("\nMNIST; pythae's flows are trained for 10 epochs of its 100, more than ours are\n")
        table(judge, rows[:60_000], (0,), hidden=(512, 256), epochs=10, sampler_epochs=10)
