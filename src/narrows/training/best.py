"""How good a model is on examples that are held out from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from narrows.models.model import BottleneckModel
from narrows.training.distributed import ALONE, Alone, Processes
from narrows.training.examples import Examples
from narrows.training.general import Objective

__all__ = ["Best", "mean_loss"]


@dataclass(slots=True)
class Best:
    """The weights of the lowest validation loss so far, and the epoch they are of, 0 before the first."""

    epoch: int = 0
    loss: float = math.inf
    weights: dict[str, Tensor] = field(default_factory=dict)


@torch.no_grad()
def mean_loss(
    model: BottleneckModel, objective: Objective, held_out: Examples, processes: Alone | Processes = ALONE
) -> float:
    """Return the mean loss in nats per example, by weight, with the same noise at every call, as at the end."""
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(0)
    model.eval()
    total = torch.zeros((), dtype=torch.float64, device=device)
    weights = None if held_out.weights is None else held_out.weights[held_out.rows].to(device)
    for rows in held_out.spans():
        mine = processes.share(rows)
        losses = objective(model, held_out.take(mine), generator, 1.0).double()
        total += (losses if weights is None else losses * weights[mine]).mean() * len(rows)
    model.train()
    return float(processes.mean(total)) / (len(held_out) if weights is None else float(weights.sum()))
