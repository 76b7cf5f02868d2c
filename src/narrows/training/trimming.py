"""Learning from examples of which some are odd: those of the largest losses are left out, each epoch anew.

So an odd example cannot bend the model to itself, as it does where squares of errors are summed (iterative trimmed loss
minimisation: Shen & Sanghavi, “Learning with bad training data via iterative trimmed loss minimization”, 2019).
"""

from __future__ import annotations

from dataclasses import replace

import torch

from narrows.evaluation.anomalies import rank_threshold
from narrows.models.model import BottleneckModel
from narrows.training.examples import Examples
from narrows.training.general import Objective

__all__ = ["WARM_UP", "ordinary"]

WARM_UP = 0.1
"""The fraction of the training before anything is left out: until then nobody knows what is odd."""


@torch.no_grad()
def ordinary(
    model: BottleneckModel, objective: Objective, examples: Examples, contamination: float | str | None
) -> Examples:
    """Return ``examples`` of which those count nothing that the model's losses show as odd, by that ``contamination``.

    It follows from the model as it is, so that a training goes on from a checkpoint as if it had never stopped.
    """
    if contamination is None or not len(examples):
        return examples
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(0)
    model.eval()
    losses = torch.cat([objective(model, batch, generator, 1.0).double().cpu() for batch in examples.chunks()])
    model.train()
    if not losses.isfinite().all():
        return examples  # of a training that diverges, which the loop sees
    odd = losses.numpy() > rank_threshold(losses.numpy(), contamination)
    weights = torch.ones(int(examples.rows.max()) + 1) if examples.weights is None else examples.weights.clone()
    weights[examples.rows[torch.from_numpy(odd)]] = 0
    return replace(examples, weights=weights)
