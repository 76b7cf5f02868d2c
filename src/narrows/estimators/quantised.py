"""The named models whose code has a limited number of values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import refuse_masked
from narrows.estimators.allowed import Rules, at_least, whole
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.targets import posterior_of
from narrows.models.bottlenecks import Bottleneck, FiniteScalar, Quantiser, VectorQuantiser
from narrows.models.objectives import Quantisation, Reconstruction
from narrows.training.general import Objective
from narrows.training.own_state import in_own_state

__all__ = ["FSQVAE", "VQVAE"]


def _no_neighbours(options: Quantised) -> None:
    if options.neighbours:
        raise ValueError(
            f"neighbours={options.neighbours:g} must be 0 for {type(options).__name__}: its codes are values to choose "
            "from, and cannot move a little towards a neighbour's; take Autoencoder or VAE"
        )


class Quantised(BottleneckEstimator):
    """What both have: their codes are also tokens, whole numbers from 0 on, as models of sequences take them."""

    _rules: ClassVar[Rules] = (_no_neighbours,)

    @in_own_state
    def encode_tokens(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.int64]:
        """Return the codes of ``X`` as tokens, (n, tokens): one per vector (`VQVAE`) or per number (`FSQVAE`)."""
        tokens: NDArray[np.int64] = self._quantiser().tokens(posterior_of(self, X, y).mean).numpy()
        return tokens

    @in_own_state
    def decode_tokens(self, tokens: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.floating]:
        """Return what ``tokens`` (n, tokens) stand for, as `inverse_transform` does.

        Raises
        ------
        TypeError, ValueError
            If they are not whole numbers from 0 up to the vocabulary's last, or too many or too few for an example.
        """
        refuse_masked("tokens", tokens)
        quantiser, given = self._quantiser(), np.asarray(tokens)
        each = quantiser.tokens(torch.zeros(1, self.fitted_.latent_dim)).shape[1]
        if given.dtype.kind not in "iu":
            raise TypeError(f"tokens must hold whole numbers, not {given.dtype}")
        if given.ndim != 2 or given.shape[1] != each or not len(given):
            raise ValueError(f"tokens has shape {given.shape}; (n, {each}) is expected, n of at least 1")
        if not 0 <= given.min() <= given.max() < quantiser.vocabulary:
            last = quantiser.vocabulary - 1
            raise ValueError(f"tokens reach from {given.min()} to {given.max()}; this model's go from 0 to {last}")
        return self.inverse_transform(quantiser.codes(torch.from_numpy(given.astype(np.int64))).numpy(), y)

    def tokens_used(self, X: ArrayLike, y: ArrayLike | None = None) -> int:
        """Return how many different tokens, of ``codebook_size`` or ``levels``, the codes of ``X`` use."""
        return len(np.unique(self.encode_tokens(X, y)))

    def _quantiser(self) -> Quantiser:
        quantiser = self.fitted_.model.bottleneck
        assert isinstance(quantiser, Quantiser)
        return quantiser


def _whole_vectors(options: VQVAE) -> None:
    if options.embedding_dim != "auto" and options.latent_dim % int(options.embedding_dim):
        raise ValueError(f"embedding_dim={options.embedding_dim} must divide latent_dim={options.latent_dim}")


@dataclass(eq=False, repr=False, kw_only=True)
class VQVAE(Quantised):
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

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import VQVAE
    >>> X = load_digits().images[:200]
    >>> model = VQVAE(latent_dim=8, epochs=2, random_state=0).fit(X)
    >>> codes = model.transform(X)
    >>> codes.shape, model.reconstruct(X).shape
    ((200, 8), (200, 8, 8))
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

    def own_objective(self) -> Objective:
        """Return the reconstruction and commitment losses."""
        return Quantisation(self.commitment)


@dataclass(eq=False, repr=False, kw_only=True)
class FSQVAE(Quantised):
    """A code whose numbers each have a few values: VQ-VAE made simple (Mentzer et al. 2023).

    Parameters
    ----------
    levels
        Values of each number, 2 or more.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import FSQVAE
    >>> X = load_digits().images[:200]
    >>> codes = FSQVAE(latent_dim=8, epochs=2, random_state=0).fit_transform(X)
    >>> codes.shape, bool((abs(codes) <= 1).all())
    ((200, 8), True)
    """

    levels: int = field(default=8, metadata=whole(2, 2**16))

    def bottleneck(self) -> Bottleneck:
        """Return a code on a grid."""
        return FiniteScalar(self.latent_dim, self.levels)

    def own_objective(self) -> Objective:
        """Return the reconstruction loss: no other is needed."""
        return Reconstruction()
