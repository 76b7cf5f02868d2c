"""The autoencoders of the digits with which the lecture ends, trained by its own recipe."""

from __future__ import annotations

from narrows import recipes
from narrows.data import load_data
from narrows.data.dataset import Dataset
from narrows.estimators import Autoencoder
from narrows.estimators.fitting import fit_together
from narrows.web.entry import Entry
from narrows.web.library import Library

__all__ = ["LATENT_DIMS", "SEEDS", "lecture_models"]

LATENT_DIMS = (1, 2, 4, 8, 16)
"""To how many numbers the lecture narrows the 64 pixels."""

SEEDS = 5
"""How often each is trained, since the ReLU on the code kills units for good: at d = 2, both in three runs of ten."""


def lecture_models() -> Library:
    """Train autoencoders of each of `LATENT_DIMS` on all the digits, and keep those with the lowest errors."""
    data = load_data("digits")
    runs = [
        [Autoencoder(d, random_state=seed).set_params(**recipes.LECTURE) for seed in range(SEEDS)] for d in LATENT_DIMS
    ]
    for _ in fit_together([model for alike in runs for model in alike], data.X):
        pass
    return Library([min((_entry(model, data) for model in alike), key=_error) for alike in runs])


def _entry(model: Autoencoder, data: Dataset) -> Entry:
    d, seed = model.latent_dim, model.random_state
    lines = (
        "from narrows import Autoencoder, recipes",
        "from narrows.data import load_data",
        "",
        'data = load_data("digits")',
        f"model = Autoencoder({d}, **recipes.LECTURE, random_state={seed}).fit(data.X)",
    )
    return Entry(f"autoencoder-{d}", model, data, len(data.X), lines)


def _error(entry: Entry) -> float:
    return float(entry.errors.mean())
