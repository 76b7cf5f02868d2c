"""Likelihoods that the decoder only places: one width for all features, around its output."""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor, nn

from narrows.models.likelihoods.base import Likelihood
from narrows.scaling import Scaling

__all__ = ["SMALLEST_SCALE", "Gaussian", "Laplace", "Located", "SquaredError"]

SMALLEST_SCALE = 1e-4
"""Below this, differences in scaled units are float32's rounding, not the data's noise."""


class Located(Likelihood):
    """A likelihood that the decoder only places: its mean is g(h).

    Parameters
    ----------
    link
        g, from the decoder's output to the mean: a sigmoid for data in [0, 1], the identity for any other.
    columns
        Of how many each has a width of its own; None for one of all features.
    """

    def __init__(self, link: nn.Module, columns: int | None = None) -> None:
        super().__init__()
        self.link = link
        self.widths = () if columns is None else (columns,)

    @classmethod
    def for_data(cls, scaling: Scaling, sigma: float | None = None) -> Self:  # noqa: ARG003 - as in the others
        """Return it with a sigmoid for the unit interval, and with the identity elsewhere."""
        return cls(_link(scaling))

    def usual(self) -> Tensor:
        """Return the outputs (columns,) of the training data's mean, where each column is scaled by its own."""
        return torch.zeros(self.widths)

    def output_for(self, mean: Tensor) -> Tensor:
        """Return decoder outputs of this ``mean``, as nearly as a sigmoid allows where it is the link."""
        return mean if isinstance(self.link, nn.Identity) else super().output_for(mean)

    def mean(self, h: Tensor) -> Tensor:
        """Return g(h)."""
        mean: Tensor = self.link(h)
        return mean

    def simulate(self, h: Tensor, generator: torch.Generator) -> Tensor:
        """Return numbers drawn from p(x | z) at outputs ``h`` (n, columns)."""
        raise NotImplementedError

    @property
    def scales(self) -> Tensor:
        """The scale of each column's residuals, (columns,)."""
        raise NotImplementedError

    def log_below(self, t: Tensor) -> Tensor:
        """Return the logarithm of the probability that a residual of scale 1 is below ``t``: log Φ(t)."""
        below: Tensor = torch.special.log_ndtr(t)
        return below

    def quantile(self, u: Tensor) -> Tensor:
        """Return what a residual of scale 1 is below with a probability of ``u`` ≤ ½: Φ⁻¹(u)."""
        t: Tensor = torch.special.ndtri(u)
        return t

    def log_chance(self, h: Tensor, column: int, wanted: Tensor) -> Tensor:
        """Return log P (n,) of a column's number to lie between ``wanted`` ends (k, 2), at outputs ``h``."""
        low, high, _ = self._ends(h, column, wanted)
        return self._log_between(low, high).logsumexp(1)

    def simulate_within(self, h: Tensor, column: int, wanted: Tensor, generator: torch.Generator) -> Tensor:
        """Return numbers (n,) of a column, drawn from p(x | z) between ``wanted`` ends, as in `log_chance`."""
        low, high, upper = self._ends(h, column, wanted)
        chosen = torch.multinomial(self._log_between(low, high).softmax(1), 1, generator=generator)
        low, high, upper = (each.gather(1, chosen).squeeze(1) for each in (low, high, upper))
        u = torch.rand(len(h), generator=generator, dtype=torch.float64)
        t = self.quantile(torch.lerp(self.log_below(low).exp(), self.log_below(high).exp(), u)).clamp(low, high)
        return (self.mean(h)[:, column] + self.scales[column] * torch.where(upper, -t, t)).to(h.dtype)

    def _ends(self, h: Tensor, column: int, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ends in scales from the mean, (n, k) each, and where they are mirrored: most of each is below 0."""
        means = self.mean(h)[:, column].double()
        low, high = ((wanted - means[:, None, None]) / self.scales[column]).unbind(-1)
        upper = low + high > 0
        return torch.where(upper, -high, low), torch.where(upper, -low, high), upper

    def _log_between(self, low: Tensor, high: Tensor) -> Tensor:
        upto = self.log_below(high)
        return upto + torch.log1p(-(self.log_below(low) - upto).exp())

    def _scale(self, residuals: Tensor, *, root: bool) -> Tensor:
        """Return the mean of ``residuals``, or its root, in 64 bits: of all, or of each column's known ones."""
        mean = residuals.double().nanmean(0).nan_to_num(1.0) if self.widths else residuals.double().mean()
        return (mean.sqrt() if root else mean).clamp_min(SMALLEST_SCALE)


class SquaredError(Located):
    """p(x | z) = N(x; g(h), σ² I), trained on the lecture's ½ ‖x − g(h)‖².

    Training leaves σ out, since it would not move the best g(h). It is then set to its maximum-likelihood value on
    held-out residuals, so that ``log_prob`` is a true density (the optimal σ of Rybkin et al. 2021, after the fact).

    Parameters
    ----------
    link, columns
        g, and how many columns have a σ of their own, as in `Located`.
    """

    sigma: Tensor

    def __init__(self, link: nn.Module, columns: int | None = None) -> None:
        super().__init__(link, columns)
        self.register_buffer("sigma", torch.ones(self.widths))

    @property
    def deviation(self) -> float | None:
        """σ, where all features have the same."""
        return None if self.widths else float(self.sigma)

    def loss_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """½ (x − g(h))²: the lecture's E, summed over features; −log p in nats at σ = 1 but for a constant."""
        return 0.5 * (x - self.mean(h)).square()

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log N(x; g(h), σ²) of each feature, in nats."""
        return _normal_log_prob(x, self.mean(h), self.sigma.log())

    def simulate(self, h: Tensor, generator: torch.Generator) -> Tensor:
        """Return numbers drawn from p(x | z) at outputs ``h`` (n, columns)."""
        return self.mean(h) + self.sigma * torch.randn(h.shape, generator=generator, dtype=h.dtype)

    @property
    def scales(self) -> Tensor:
        """The σ of each column."""
        return self.sigma

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Set σ² to the mean squared residual."""
        self.sigma.copy_(self._scale((x - mean).square(), root=True))


class Gaussian(Located):
    """p(x | z) = N(x; g(h), σ² I), with one σ for all features, in scaled units, learned with the nets or fixed.

    A learned σ weighs reconstruction against the KL divergence by itself (Rybkin et al., “Simple and effective VAE
    training with calibrated decoders”, 2021). Training on corrupted inputs leaves it too large, since codes are then
    wider than the data's own noise asks for (by 19 % where that noise was half the corruption's), so estimators set it
    anew on held-out data. What the decoder misses still counts as noise: on a curved surface in 20 dimensions, fitted
    to 2,700 examples, σ came out 1 to 3 % too large where the noise was 5 % of the signal's amplitude or more, and 8 to
    20 % where it was 2 %.

    Parameters
    ----------
    link, columns
        g, and how many columns have a σ of their own, as in `Located`.
    sigma
        σ > 0 to fix it; None to learn it.
    """

    log_sigma: Tensor

    def __init__(self, link: nn.Module, sigma: float | None = None, columns: int | None = None) -> None:
        super().__init__(link, columns)
        self.learned = sigma is None
        if sigma is None:
            self.log_sigma = nn.Parameter(torch.zeros(self.widths))
        else:
            self.register_buffer("log_sigma", torch.full(self.widths, math.log(sigma)))

    @classmethod
    def for_data(cls, scaling: Scaling, sigma: float | None = None) -> Self:
        """Return it with the link of `Located.for_data`, and with σ fixed or, for None, learned."""
        return cls(_link(scaling), sigma)

    @property
    def deviation(self) -> float | None:
        """σ, where all features have the same."""
        return None if self.widths else math.exp(float(self.log_sigma.detach()))

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log N(x; g(h), σ²) of each feature, in nats."""
        return _normal_log_prob(x, self.mean(h), self.log_sigma)

    def simulate(self, h: Tensor, generator: torch.Generator) -> Tensor:
        """Return numbers drawn from p(x | z) at outputs ``h`` (n, columns)."""
        return self.mean(h) + self.log_sigma.exp() * torch.randn(h.shape, generator=generator, dtype=h.dtype)

    @property
    def scales(self) -> Tensor:
        """The σ of each column."""
        return self.log_sigma.exp()

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Set σ² to the mean squared residual, unless σ is fixed."""
        if self.learned:
            self.log_sigma.data.copy_(self._scale((x - mean).square(), root=True).log())


class Laplace(Located):
    """p(x | z) = ∏ exp(−|x − g(h)| / b) / 2b with a learned b: absolute error, which single wild values move less.

    Parameters
    ----------
    link, columns
        g, and how many columns have a b of their own, as in `Located`.
    """

    def __init__(self, link: nn.Module, columns: int | None = None) -> None:
        super().__init__(link, columns)
        self.log_b = nn.Parameter(torch.zeros(self.widths))

    @property
    def deviation(self) -> float | None:
        """√2 b, where all features have the same."""
        return None if self.widths else math.sqrt(2) * math.exp(float(self.log_b.detach()))

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log p of each feature, in nats."""
        return -(x - self.mean(h)).abs() * (-self.log_b).exp() - (self.log_b + math.log(2))

    def simulate(self, h: Tensor, generator: torch.Generator) -> Tensor:
        """Return numbers drawn from p(x | z) at outputs ``h`` (n, columns)."""
        u = torch.rand(h.shape, generator=generator, dtype=torch.float64).clamp(1e-12, 1 - 1e-12) - 0.5
        return self.mean(h) - self.log_b.exp() * (u.sign() * torch.log1p(-2 * u.abs())).to(h.dtype)

    @property
    def scales(self) -> Tensor:
        """The b of each column."""
        return self.log_b.exp()

    def log_below(self, t: Tensor) -> Tensor:
        """Log ½ eᵗ below 0, and log (1 − ½ e⁻ᵗ) above."""
        return torch.where(t < 0, t - math.log(2), torch.log1p(-0.5 * (-t.clamp_min(0)).exp()))

    def quantile(self, u: Tensor) -> Tensor:
        """Log 2u, or −log 2 (1 − u) from ½ on."""
        return torch.where(u < 0.5, (2 * u).log(), -(2 * (1 - u)).log())

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Set b to the mean absolute residual."""
        self.log_b.data.copy_(self._scale((x - mean).abs(), root=False).log())


def _normal_log_prob(x: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """Return log N(x; mean, σ²) of each number of ``x`` (n, features), of ``mean`` (…, n, features)."""
    standardised = (x - mean).square() * (-2 * log_sigma).exp()
    return -0.5 * standardised - (log_sigma + 0.5 * math.log(2 * math.pi))


def _link(scaling: Scaling) -> nn.Module:
    return nn.Sigmoid() if scaling.unit_interval else nn.Identity()
