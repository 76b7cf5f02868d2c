"""The named models whose code has only so many values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from narrows.estimators.allowed import Rules, at_least, whole
from narrows.estimators.base import BottleneckEstimator
from narrows.models.bottlenecks import Bottleneck, FiniteScalar, VectorQuantiser
from narrows.models.objectives import Quantisation, Reconstruction
from narrows.training.general import Objective

__all__ = ["FSQVAE", "VQVAE"]


def _whole_vectors(options: VQVAE) -> None:
    if options.embedding_dim != "auto" and options.latent_dim % int(options.embedding_dim):
        raise ValueError(f"embedding_dim={options.embedding_dim} must divide latent_dim={options.latent_dim}")


@dataclass(eq=False, repr=False, kw_only=True)
class VQVAE(BottleneckEstimator):
    """A code of vectors from a learned codebook (van den Oord et al. 2017).

    The code's latent_dim numbers are latent_dim / embedding_dim vectors.

    Parameters
    ----------
    codebook_size
        Vectors to choose from, 2 or more.
    embedding_dim
        Numbers in each, a divisor of latent_dim; ``"auto"`` is 2 where latent_dim is even, else 1.
    commitment
        How strongly the encoder is held to the vectors it chose.
    """

    codebook_size: int = field(default=256, metadata=whole(2, 2**16))
    embedding_dim: int | str = field(default="auto", metadata=whole(1, None, "auto"))
    commitment: float = field(default=0.25, metadata=at_least(0))

    _rules: ClassVar[Rules] = (_whole_vectors,)

    def bottleneck(self) -> Bottleneck:
        """Return a quantised code."""
        auto = 1 if self.latent_dim % 2 else 2
        return VectorQuantiser(
            self.latent_dim, auto if self.embedding_dim == "auto" else int(self.embedding_dim), self.codebook_size
        )

    def objective(self) -> Objective:
        """Return the reconstruction and commitment losses."""
        return Quantisation(self.commitment)


@dataclass(eq=False, repr=False, kw_only=True)
class FSQVAE(BottleneckEstimator):
    """A code whose numbers each have a few values: VQ-VAE made simple (Mentzer et al. 2023).

    Parameters
    ----------
    levels
        Values of each number, 2 or more.
    """

    levels: int = field(default=8, metadata=whole(2, 2**16))

    def bottleneck(self) -> Bottleneck:
        """Return a code on a grid."""
        return FiniteScalar(self.latent_dim, self.levels)

    def objective(self) -> Objective:
        """Return the reconstruction loss: no other is needed."""
        return Reconstruction()
