"""Fits every model here and elsewhere, and prints as JSON how far apart their weights and what they say of data are.

A program of its own: torch asks which devices there are before the first gradient only, and never again.
"""

import json

import numpy as np
import torch
from elsewhere import Drawn, Elsewhere, There, device
from sklearn.base import clone

from members import MEMBERS, OF_IMAGES, SHAPES, data, labels
from narrows.estimators import fitting
from narrows.fitted import passes

SEED = 5


class Generator(torch.Generator):
    """One elsewhere, with the models' seed, goes on as the CPU's of that seed would, so that both draw the same."""

    first = None

    def __new__(cls, where="cpu"):
        made = super().__new__(cls)
        made.away = torch.device(where).type != "cpu"
        return made

    def __init__(self, _="cpu"):
        super().__init__()

    @property
    def device(self):
        return device() if self.away else torch.device("cpu")

    def manual_seed(self, seed):
        if seed == SEED and self.away:
            self.set_state(Generator.first.get_state())
            return self
        if seed == SEED and Generator.first is None:
            Generator.first = self
        return super().manual_seed(seed)


def said(model, X, y):
    """Everything that a fitted ``model`` can be asked for by way of its nets."""
    y = y if model.conditional else None
    found = [model.encode_distribution(X, y)[0], model.reconstruct(X, y)]
    found.append(model.anomaly_score(X, y, by="reconstruction"))
    found.append(model.sample(8, random_state=0))
    if model.model_.prior.has_density or not model.model_.bottleneck.draws:
        found.append(model.score_samples(X, y))
    return found


def fitted_on(where, model, X, y):
    """Fit ``model`` on a device, and return it and whether its weights were there all the time."""
    fitting.device_for = passes.device_for = lambda *_: where
    Generator.first, moved = None, []
    for step in model.fit_steps(X, y):
        moved += [isinstance(p, There) for p in step.training.members[0].model.parameters()]
    return model, all(moved)


def relative(a, b):
    """How far ``b`` is from ``a``, against the largest of it."""
    return float(np.abs(a.astype(float) - b).max(initial=0) / max(np.abs(a).max(initial=0), 1e-6))


def main():
    """Print a line a model."""
    away, torch.Generator = device(), Generator
    for name, model in (MEMBERS | OF_IMAGES).items():
        X = data(SHAPES["odd" if name in OF_IMAGES else "grey"])
        y = labels(len(X))
        model.set_params(random_state=SEED)
        here, _ = fitted_on(torch.device("cpu"), clone(model), X, y)
        wanted, odd = said(here, X, y), here.anomaly_score(X, y if model.conditional else None)
        with Elsewhere(), Drawn():
            there, moved = fitted_on(away, clone(model), X, y)
            got = said(there, X, y)
            odd_there = there.anomaly_score(X, y if model.conditional else None)
        weights = zip(here.model_.state_dict().values(), there.model_.state_dict().values(), strict=True)
        pairs = [*zip(wanted, got, strict=True), *((a.numpy(), b.numpy()) for a, b in weights)]
        # A bias before a batch normalisation has rounding for a gradient, of which Adam makes steps.
        if name == "own nets":
            pairs = pairs[:3]
        apart = max(map(relative, *zip(*pairs, strict=True)))
        row = {"model": name, "apart": apart, "odd": relative(odd, odd_there), "moved": moved}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
