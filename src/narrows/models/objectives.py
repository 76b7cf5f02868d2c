"""Objectives: how the parts are trained together, in nats per example."""

from __future__ import annotations

import torch
from torch import Tensor

from narrows.models.model import BottleneckModel

__all__ = ["reconstruction"]


def reconstruction(model: BottleneckModel, x: Tensor, generator: torch.Generator, progress: float) -> Tensor:
    """How badly the code of a corrupted x̃ gives back the clean x: the autoencoder's loss, (n,), in nats per example.

    Hinton & Salakhutdinov 2006 without a corruption, Vincent et al. 2008 with one.

    Parameters
    ----------
    model
        Whose corruption, nets and likelihood are used.
    x
        Clean scaled inputs, (n, features).
    generator
        The only source of chance.
    progress
        The part of training done, in [0, 1].
    """
    return model.loss(x, model.corruption(x, generator, progress))
