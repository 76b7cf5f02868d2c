"""Objectives: how the parts are trained together, in nats per example."""

from __future__ import annotations

import torch
from torch import Tensor

from narrows.models.model import BottleneckModel

__all__ = ["reconstruction"]


def reconstruction(model: BottleneckModel, x: Tensor, generator: torch.Generator) -> Tensor:
    """How badly the code of a corrupted x̃ gives back the clean x: the autoencoder's loss, (n,), in nats per example.

    Vincent et al. 2008; without a corruption it is the autoencoder of Hinton & Salakhutdinov 2006.
    """
    return model.loss(x, model.corruption(x, generator))
