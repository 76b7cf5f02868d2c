"""Write a few small models as files of the newest format, for the day on which it is no longer the newest.

    python tests/formats/make.py

Run it before the format's number is raised; files of older formats stay as they are.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from narrows import FSQVAE, VAE, VQVAE, Autoencoder, storage

HERE = Path(__file__).parent
NEWEST = storage.Metadata.model_fields["format"].default

SMALL = {"hidden": (6,), "epochs": 2, "random_state": 0}

ROWS = np.sin(np.outer(np.arange(1, 41), [0.3, 0.7, 1.1, 1.9]))
IMAGES = np.sin(np.arange(40 * 4 * 4, dtype=float) ** 1.1).reshape(40, 4, 4)
WORDS = np.array(["one", "two"] * 20)

MODELS = {
    "autoencoder": (Autoencoder(2, **SMALL), pd.DataFrame(ROWS, columns=list("abcd")), None),
    "conditional": (VAE(2, **SMALL, conditional=True), ROWS.reshape(40, 2, 2), WORDS),
    "posterior": (Autoencoder(2, **SMALL, prior="posterior", likelihood="laplace"), ROWS, np.arange(40) % 3),
    "convolutional": (VAE(2, **SMALL, net="convolutional", prior="normal", shortcut=False), IMAGES, None),
    "quantised": (VQVAE(2, **SMALL, codebook_size=4), ROWS, None),
    "finite": (FSQVAE(2, **SMALL, scaling="feature"), ROWS, None),
}


def told(model, X, y):
    """What a model says of data, as numbers to compare by."""
    y = y if model.conditional else None
    numbers = {
        "codes": model.transform(X, y),
        "scores": model.score_samples(X, y),
        "errors": model.anomaly_score(X, y, by="reconstruction"),
    }
    numbers["samples"] = model.sample(3, random_state=0)
    return {name: np.asarray(values, float).ravel()[:20].round(6).tolist() for name, values in numbers.items()}


if __name__ == "__main__":
    folder = HERE / str(NEWEST)
    folder.mkdir(exist_ok=True)
    expected = {}
    for name, (model, X, y) in MODELS.items():
        model.fit(X, y).save(folder / f"{name}.safetensors")
        expected[name] = told(model, X, y)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
