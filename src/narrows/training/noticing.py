"""What goes wrong while a model learns, in words, as soon as it can be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from narrows.evaluation.codes import dead_units, kl_per_unit
from narrows.models.bottlenecks import GaussianPosterior
from narrows.models.model import BottleneckModel
from narrows.training.examples import Examples

__all__ = ["looks", "noticed"]

LOOKS = 4
"""Times in a training, evenly spread, that a model is looked at."""

EXAMPLES = 500

SILENT = 0.01
"""Nats below which a unit tells nothing of the input."""

RISEN = 0.1
"""The fraction of its fall by which the validation loss must have risen again."""


def looks(epochs: int) -> set[int]:
    """Return the epochs, out of ``epochs``, after which a model is looked at."""
    return {math.ceil(epochs * look / LOOKS) for look in range(1, LOOKS + 1)}


@torch.no_grad()
def noticed(model: BottleneckModel, examples: Examples, history: Sequence[dict[str, float]]) -> dict[str, str]:
    """Return what is wrong with a model that learns, by kind: dead units, a collapsed posterior, overfitting.

    Parameters
    ----------
    model
        As it is now.
    examples
        Some that are like those it learns from.
    history
        Its rows up to now.
    """
    found: dict[str, str] = {}
    model.eval()
    q = model.posterior(*examples.take(torch.arange(min(len(examples), EXAMPLES))).seen)
    model.train()
    mean, sigma = q.mean.cpu(), q.sigma.cpu()
    d = mean.shape[1]
    if torch.isfinite(mean).all() and (dead := int(dead_units(mean.numpy()).sum())):
        found["dead units"] = f"{dead} of {d} units of the code are dead, the same for every example"
    elif isinstance(q, GaussianPosterior) and torch.isfinite(mean).all() and torch.isfinite(sigma).all():
        silent = int((kl_per_unit(mean.numpy(), sigma.numpy()) < SILENT).sum())
        if 2 * silent > d:
            found["collapsed posterior"] = f"{silent} of {d} units have collapsed to the prior and carry no information"
    losses = [row["validation_loss"] for row in history if "validation_loss" in row]
    if losses:
        best = min(losses)
        if losses[-1] - best > RISEN * (losses[0] - best) > 0:
            found["overfitting"] = (
                f"the validation loss has risen since epoch {history[losses.index(best)]['epoch']:.0f}, from "
                f"{best:.3g} to "
                f"{losses[-1]:.3g} nats; the best weights are kept"
            )
    return found
