"""Bottlenecks: how the encoder's output h becomes a distribution q_φ(z | x) over codes.

In the classic autoencoder the code is a function of the input, q_φ(z | x) = δ(z − f(x)) (Hinton & Salakhutdinov 2006);
in the variational one it is a Gaussian (Kingma & Welling 2014); a quantised code has a limited number of values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

__all__ = [
    "Bottleneck",
    "Deterministic",
    "DiagonalGaussian",
    "FiniteScalar",
    "GaussianPosterior",
    "Noisy",
    "Point",
    "Quantiser",
    "VectorQuantiser",
]


@dataclass(frozen=True, slots=True)
class Point:
    """δ(z − mean): a code without chance.

    Attributes
    ----------
    mean
        (n, latent_dim).
    before
        (n, latent_dim), the encoder's output before it was quantised; elsewhere the same as ``mean``.
    """

    mean: Tensor
    before: Tensor

    @property
    def sigma(self) -> Tensor:
        """Zeros, (n, latent_dim)."""
        return torch.zeros_like(self.mean)

    def rsample(self, generator: torch.Generator, *k: int) -> Tensor:  # noqa: ARG002 - one signature for both
        """Return the code itself, (*k, n, latent_dim)."""
        return self.mean.expand(*k, *self.mean.shape)


@dataclass(frozen=True, slots=True)
class GaussianPosterior:
    """N(μ, diag σ²).

    Attributes
    ----------
    mean, log_var
        μ and log σ², (n, latent_dim).
    """

    mean: Tensor
    log_var: Tensor

    @property
    def sigma(self) -> Tensor:
        """σ, (n, latent_dim)."""
        return (0.5 * self.log_var).exp()

    def rsample(self, generator: torch.Generator, *k: int) -> Tensor:
        """Draw μ + σ ε, (*k, n, latent_dim), with a gradient to μ and σ (Kingma & Welling 2014)."""
        mean, sigma = self.mean, self.sigma
        return mean + sigma * torch.randn(*k, *mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log q(z | x), (…, n) in nats, of codes ``z`` (…, n, latent_dim)."""
        standardised = (z - self.mean).square() * (-self.log_var).exp()
        return -0.5 * (standardised + self.log_var + math.log(2 * math.pi)).sum(-1)

    def kl(self) -> Tensor:
        """KL(q ‖ N(0, 1)) of each unit, (n, latent_dim), in nats: ½ (μ² + σ² − 1 − log σ²)."""
        return 0.5 * (self.mean.square() + self.log_var.exp() - 1 - self.log_var)


class Bottleneck(nn.Module):
    """What all have: ``width``, the numbers it wants from the encoder, and `snap`.

    ``draws`` says whether q(z | x) is a `GaussianPosterior`, which codes are drawn from, or a `Point`; ``spread`` is
    how far h should reach at first, a standard deviation.
    """

    width: int
    draws: ClassVar[bool] = False
    spread: ClassVar[float] = 1.0

    def forward(self, h: Tensor) -> Point | GaussianPosterior:
        """Return q(z | x) of the encoder's output ``h`` (n, width)."""
        raise NotImplementedError

    def snap(self, z: Tensor) -> Tensor:
        """Return the nearest codes that this bottleneck can make to ``z`` (…, latent_dim)."""
        return z


class Deterministic(Bottleneck):
    """z = a(h): the code is the encoder's output itself, through an activation if there is one.

    Parameters
    ----------
    latent_dim
        Numbers in the code.
    activation
        a. A linear code (``nn.Identity()``) keeps every unit alive; the lecture's ReLU kills some for good.
    """

    def __init__(self, latent_dim: int, activation: nn.Module) -> None:
        super().__init__()
        self.width = latent_dim
        self.activation = activation

    def forward(self, h: Tensor) -> Point:
        """Return the code of the encoder's output ``h`` (n, latent_dim)."""
        z = self.activation(h)
        return Point(z, z)


class Noisy(Bottleneck):
    """q(z | x) = N(tanh h, σ² I): noise in the code, of a size that does not depend on the input (the lecture, L24).

    The code is bounded, since an unbounded one would grow until the noise no longer mattered.

    Parameters
    ----------
    latent_dim
        Numbers in the code, each in (−1, 1) before the noise.
    sigma
        σ > 0.
    """

    draws = True
    spread = 0.5  # where tanh has hardly begun to level off

    def __init__(self, latent_dim: int, sigma: float) -> None:
        super().__init__()
        self.width = latent_dim
        self.log_var = 2 * math.log(sigma)

    def forward(self, h: Tensor) -> GaussianPosterior:
        """Return q(z | x) of the encoder's output ``h`` (n, latent_dim)."""
        mu = h.tanh()
        return GaussianPosterior(mu, torch.full_like(mu, self.log_var))


class DiagonalGaussian(Bottleneck):
    """q(z | x) = N(μ, diag σ²) with (μ, log σ²) = h (Kingma & Welling 2014; Rezende et al. 2014).

    Parameters
    ----------
    latent_dim
        Numbers in the code; the encoder gives twice as many.
    """

    draws = True

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.width = 2 * latent_dim

    def forward(self, h: Tensor) -> GaussianPosterior:
        """Return q(z | x) of the encoder's output ``h`` (n, 2 latent_dim)."""
        mu, log_var = h.chunk(2, -1)
        return GaussianPosterior(mu, log_var.clamp(-20, 20))  # beyond, σ² and 1/σ² leave what 32-bit products can hold


class Quantiser(Bottleneck):
    """A bottleneck with a limited number of codes, which can be written as whole numbers, tokens from 0 on.

    ``vocabulary`` is how many different tokens there are.
    """

    vocabulary: int

    def tokens(self, z: Tensor) -> Tensor:
        """Return the tokens (n, tokens) of the nearest codes to ``z`` (n, latent_dim)."""
        raise NotImplementedError

    def codes(self, tokens: Tensor) -> Tensor:
        """Return the codes (n, latent_dim) that ``tokens`` (n, tokens) stand for."""
        raise NotImplementedError


class FiniteScalar(Quantiser):
    """Each unit takes one of a few evenly spaced values in [−1, 1] (Mentzer et al. 2023, “Finite scalar quantization”).

    Rounding has no gradient, so the one of what was rounded is used (Bengio et al. 2013).

    Parameters
    ----------
    latent_dim
        Numbers in the code.
    levels
        Values of each, 2 or more.
    """

    def __init__(self, latent_dim: int, levels: int) -> None:
        super().__init__()
        self.width, self.levels, self.vocabulary = latent_dim, levels, levels

    def forward(self, h: Tensor) -> Point:
        """Return the quantised code of the encoder's output ``h`` (n, latent_dim)."""
        bounded = h.tanh()
        return Point(bounded + (self.snap(bounded) - bounded).detach(), bounded)

    def snap(self, z: Tensor) -> Tensor:
        """Return the nearest code to ``z`` (…, latent_dim) on the grid."""
        steps = self.levels - 1
        return ((z.clamp(-1, 1) + 1) / 2 * steps).round() / steps * 2 - 1

    def tokens(self, z: Tensor) -> Tensor:
        """Return which of its values each number has, (n, latent_dim), the lowest being 0."""
        return ((z.clamp(-1, 1) + 1) / 2 * (self.levels - 1)).round().long()

    def codes(self, tokens: Tensor) -> Tensor:
        """Return the codes that ``tokens`` (n, latent_dim) stand for."""
        return tokens.float() / (self.levels - 1) * 2 - 1


class VectorQuantiser(Quantiser):
    """The code's numbers, a few at a time, are replaced by the nearest vector of a codebook (van den Oord et al. 2017).

    The codebook follows the encoder by moving averages, as in that paper's appendix A.1, and an entry that nothing has
    been near for long is moved to some encoder output (Łańcucki et al. 2020), or most of them would stay unused.

    Parameters
    ----------
    latent_dim, embedding_dim
        Numbers in the code, and in one codebook vector; the first is a multiple of the second.
    codebook_size
        Vectors in the codebook, K. Buffers: ``codebook`` (K, embedding_dim), ``usage`` (K,), how many encoder outputs
        each stands for, and ``sums`` (K, embedding_dim) of them.
    """

    codebook: Tensor
    usage: Tensor
    sums: Tensor

    def __init__(self, latent_dim: int, embedding_dim: int, codebook_size: int) -> None:
        super().__init__()
        self.width, self.embedding_dim, self.vocabulary = latent_dim, embedding_dim, codebook_size
        self.register_buffer("codebook", torch.zeros(codebook_size, embedding_dim))
        self.register_buffer("usage", torch.zeros(codebook_size))
        self.register_buffer("sums", torch.zeros(codebook_size, embedding_dim))

    def forward(self, h: Tensor) -> Point:
        """Return the quantised code of the encoder's output ``h`` (n, latent_dim)."""
        return Point(h + (self.snap(h) - h).detach(), h)

    def snap(self, z: Tensor) -> Tensor:
        """Return ``z`` (…, latent_dim) with its vectors replaced by their nearest codebook vectors."""
        return self.codebook[self._nearest(z)].reshape(z.shape)

    def tokens(self, z: Tensor) -> Tensor:
        """Return which vector of the codebook is nearest to each vector of ``z``, (n, latent_dim / embedding_dim)."""
        return self._nearest(z).reshape(len(z), -1)

    def codes(self, tokens: Tensor) -> Tensor:
        """Return the codes that ``tokens`` (n, latent_dim / embedding_dim) stand for."""
        return self.codebook[tokens].reshape(len(tokens), -1)

    def _nearest(self, z: Tensor) -> Tensor:
        vectors = z.detach().reshape(-1, self.embedding_dim)
        # ‖a − b‖² without ‖a‖², which is the same for every b.
        return (self.codebook.square().sum(1) - 2 * vectors @ self.codebook.T).argmin(1)

    @torch.no_grad()
    def follow(self, h: Tensor, generator: torch.Generator, *, decay: float = 0.99) -> None:
        """Move the codebook towards the encoder's outputs ``h`` (n, latent_dim) that are nearest to its vectors."""
        vectors = h.detach().reshape(-1, self.embedding_dim)
        nearest = self._nearest(h)
        counts = torch.bincount(nearest, minlength=len(self.usage)).to(self.usage)
        self.usage.lerp_(counts, 1 - decay)
        self.sums.lerp_(torch.zeros_like(self.sums).index_add_(0, nearest, vectors), 1 - decay)
        unused = self.usage < 0.01 * len(vectors) / len(self.usage)
        rows = torch.randint(len(vectors), (int(unused.sum()),), generator=generator, device=vectors.device)
        self.usage[unused] = len(vectors) / len(self.usage)
        self.sums[unused] = vectors[rows] * len(vectors) / len(self.usage)
        self.codebook.copy_(self.sums / self.usage[:, None])
