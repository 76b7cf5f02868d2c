"""The model: the parts joined, x → corruption → encoder → bottleneck → z → decoder → likelihood → p(x | z)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from narrows.models.bottlenecks import Deterministic
from narrows.models.likelihoods import SquaredError
from narrows.models.priors import GaussianMixture

__all__ = ["BottleneckModel", "Corruption"]

Corruption = Callable[[Tensor, torch.Generator, float], Tensor]


class BottleneckModel(nn.Module):
    """Any model with a bottleneck, as a choice of parts; it sees scaled inputs, as rows (n, features).

    Parameters
    ----------
    corruption
        (x, generator, progress of training) ↦ x̃, used in training only.
    encoder, decoder
        Nets (n, features) → (n, latent_dim) and back.
    bottleneck
        The encoder's output ↦ the code.
    likelihood
        The decoder's output ↦ p(x | z).
    prior
        Where new codes come from.
    """

    def __init__(
        self,
        *,
        corruption: Corruption,
        encoder: nn.Module,
        bottleneck: Deterministic,
        decoder: nn.Module,
        likelihood: SquaredError,
        prior: GaussianMixture,
    ) -> None:
        super().__init__()
        self.corruption = corruption
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.decoder = decoder
        self.likelihood = likelihood
        self.prior = prior

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (n, latent_dim) of inputs ``x`` (n, features); no corruption, no chance."""
        z: Tensor = self.bottleneck(self.encoder(x))
        return z

    def decode(self, z: Tensor) -> Tensor:
        """Return the mean E[x | z], (n, features), of codes ``z`` (n, latent_dim)."""
        return self.likelihood.mean(self.decoder(z))

    def loss(self, x: Tensor, corrupted: Tensor) -> Tensor:
        """Return the loss, (n,) in nats, of giving back ``x`` (n, features) from the code of ``corrupted``."""
        return self.likelihood.loss(x, self.decoder(self.encode(corrupted)))

    def log_prob(self, x: Tensor) -> Tensor:
        """Return log p(x | z(x)), (n,), in nats: how well the code of each input gives it back."""
        # In 64 bits, since an example far from the training data has a square beyond 32.
        return self.likelihood.log_prob(x.double(), self.decoder(self.encode(x)).double())
