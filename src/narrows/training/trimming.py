"""Learning from examples of which some are odd: those of the largest losses are left out, each epoch anew.

So an odd example cannot bend the model to itself, as it does where squares of errors are summed (iterative trimmed loss
minimisation: Shen & Sanghavi, “Learning with bad training data via iterative trimmed loss minimization”, 2019).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from narrows.evaluation.anomalies import rank_threshold
from narrows.models.model import BottleneckModel
from narrows.models.objectives import own_of
from narrows.training.examples import Examples
from narrows.training.general import Objective

__all__ = ["WARM_UP", "ordinary", "ordinary_mean"]

WARM_UP = 0.1
"""The fraction of the training before anything is left out: until then nobody knows what is odd."""


def ordinary(
    model: BottleneckModel, objective: Objective, examples: Examples, contamination: float | str | None
) -> Examples:
    """Return ``examples`` of which those count nothing that the model's losses show as odd, by that ``contamination``.

    It follows from the model as it is, so that a training goes on from a checkpoint as if it had never stopped.
    """
    if contamination is None or not len(examples):
        return examples
    losses = _losses(model, own_of(objective), examples)  # neighbours tell nothing of one example
    if not losses.isfinite().all():
        return examples  # of a training that diverges, which the loop sees
    odd = losses.numpy() > rank_threshold(losses.numpy(), contamination)
    weights = torch.ones(int(examples.rows.max()) + 1) if examples.weights is None else examples.weights.clone()
    weights[examples.rows[torch.from_numpy(odd)]] = 0
    return replace(examples, weights=weights)


def ordinary_mean(
    model: BottleneckModel, objective: Objective, examples: Examples, contamination: float | str
) -> float:
    """Return the mean loss, by weight, of those ``examples`` that `ordinary` leaves something."""
    losses = _losses(model, objective, examples)
    weights = torch.ones(len(examples)) if examples.weights is None else examples.weights[examples.rows]
    if losses.isfinite().all():
        weights = weights * (losses <= rank_threshold(losses.numpy(), contamination))
    return float((losses * weights).sum() / weights.sum())


@torch.no_grad()
def _losses(model: BottleneckModel, objective: Objective, examples: Examples) -> Tensor:
    """Return the loss of each of ``examples``, (n,), with the same noise at every call, as at the end."""
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(0)
    model.eval()
    losses = torch.cat([objective(model, batch, generator, 1.0).double().cpu() for batch in examples.chunks()])
    model.train()
    return losses
