"""Corruptions: what is done to an input before it is encoded, while the model still has to return the clean input.

A little noise on the input keeps a flexible net from learning its few training examples by heart (Bishop 1995: it is a
form of Tikhonov regularisation); a lot of it makes a denoising autoencoder (Vincent et al. 2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["GaussianNoise"]


@dataclass(frozen=True, slots=True)
class GaussianNoise:
    """x̃ = x + σ ε with ε ~ N(0, I), drawn anew at every call; σ falls, or rises, linearly over the training.

    Much noise first and little later lets a net learn coarse structure before fine (Geras & Sutton, «Scheduled
    denoising autoencoders», 2015).

    Parameters
    ----------
    first, last
        σ at the start and at the end of training, in the scaled units the model sees; 0 leaves x as it is.
    """

    first: float
    last: float

    def __call__(self, x: Tensor, generator: torch.Generator, progress: float) -> Tensor:
        """Return a corrupted copy of ``x``, of the same shape; ``progress`` is the part of training done, in [0, 1]."""
        sigma = self.first + progress * (self.last - self.first)
        if sigma == 0:
            return x
        return x + sigma * torch.randn(x.shape, generator=generator, dtype=x.dtype)
