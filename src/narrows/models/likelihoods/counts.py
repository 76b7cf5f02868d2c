"""Likelihoods of counts, with a log link, so that what the decoder adds multiplies the rate."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize, stats
from torch import Tensor, nn

from narrows.models.likelihoods.base import Likelihood
from narrows.scaling import Scaling

__all__ = ["Counts", "NegativeBinomial", "Poisson", "log_ways"]

LEAST_RATE = 0.5
"""Of what the decoder is to start at: that of a count of 0 has no logarithm."""

ROUNDING = 1e-3, 1e-6
"""How far from a whole number 32 bits may leave a count, and how far for each of it."""

LARGEST_DRAWN = 2.0**48
"""From here on a count's spread is less than the rounding of 32 bits."""

LEAST_CHANCE = 1e-300
"""Of a range of counts, one of which is drawn where none is at all likely."""

LARGEST_LOG_FACTOR = -6, 6
"""Between which `NegativeBinomial.calibrate` looks for its factor's logarithm."""


class Counts(Likelihood):
    """What the likelihoods of counts share: the rate is λ = s eʰ, where s is the scale that the feature has been given.

    Nets see scaled counts, as they see any other data, and p(x | z) the counts themselves.

    Parameters
    ----------
    scaling
        Of the counts.
    """

    zero: Tensor
    scale: Tensor

    continuous: ClassVar[bool] = False
    domain: ClassVar[str] = "counts, whole numbers ≥ 0"

    def __init__(self, scaling: Scaling) -> None:
        super().__init__()
        # Rounded up, so that a mean near 0 is not below it once it is back in the data's units.
        zero = (-scaling.offset / scaling.scale).astype(np.float32)
        zero = np.where(scaling.offset == 0, zero, np.nextafter(zero, np.float32(np.inf)))
        self.register_buffer("zero", torch.from_numpy(zero), persistent=False)  # the file has the scaling
        self.register_buffer("scale", torch.from_numpy(scaling.scale.astype(np.float32)), persistent=False)

    @classmethod
    def for_data(cls, scaling: Scaling, sigma: float | None = None) -> Self:  # noqa: ARG003 - as in the others
        """Return it for counts of this ``scaling``."""
        return cls(scaling)

    def possible(self, x: Tensor) -> Tensor:
        """Say of each scaled number of ``x`` whether it is a count."""
        found = (x.double() - self.zero) * self.scale
        whole = found.round()
        return (whole >= 0) & ((found - whole).abs() <= ROUNDING[0] + ROUNDING[1] * whole)

    def mean(self, h: Tensor) -> Tensor:
        """Return λ, scaled as x is."""
        return h.exp() + self.zero

    def output_for(self, mean: Tensor) -> Tensor:
        """Return decoder outputs of this ``mean``, or of a rate of ½ where it is less."""
        return (self._rate(mean).clamp_min(LEAST_RATE) / self.scale).log()

    def usual(self) -> Tensor:
        """Return the outputs (columns,) of the training data's mean, where each column is scaled by its own."""
        return self.output_for(torch.zeros_like(self.zero))

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log p of each feature, in nats."""
        return self.log_mass(self.counts(x), h + self.scale.log())

    def counts(self, x: Tensor) -> Tensor:
        """Return scaled cells as counts."""
        return self._rate(x).round()

    def log_mass(self, k: Tensor, log_rate: Tensor) -> Tensor:
        """Return the logarithm of the probability of counts ``k`` (n, features), at log λ (…, n, features)."""
        raise NotImplementedError

    def _rate(self, x: Tensor) -> Tensor:
        """Return scaled counts, or their scaled means, in counts."""
        return ((x - self.zero) * self.scale).clamp_min(0)


class Poisson(Counts):
    """p(x | z) = ∏ λˣ e^−λ / x!, of variance λ: events that come independently of each other.

    Parameters
    ----------
    scaling
        As in `Counts`.
    """

    def log_mass(self, k: Tensor, log_rate: Tensor) -> Tensor:
        """K log λ − λ − log k!."""
        return k * log_rate - log_rate.exp() - (k + 1).lgamma()

    def draw(self, mean: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.floating]:
        """Return counts of this ``mean``: between whole numbers there is no new example."""
        return drawn(mean, rng)


def log_ways(k: Tensor, r: Tensor) -> Tensor:
    """Return log Γ(k + r) / (k! Γ(r)) of counts ``k``; ``r`` has 64 bits, since 32 would lose the difference."""
    return (k + r).lgamma() - r.lgamma() - (k + 1.0).double().lgamma()


class NegativeBinomial(Counts):
    """p(x | z) = ∏ NB(x; λ, r), of variance λ + λ² / r: counts that vary more than a Poisson's, as most do.

    Each feature has an r of its own, learned with the nets (Lopez et al., “Deep generative modeling for single-cell
    transcriptomics”, 2018, there the inverse dispersion θ). As r grows it becomes the Poisson.

    Parameters
    ----------
    scaling
        As in `Counts`.
    """

    def __init__(self, scaling: Scaling) -> None:
        super().__init__(scaling)
        self.log_r = nn.Parameter(torch.zeros(scaling.scale.shape))

    def log_mass(self, k: Tensor, log_rate: Tensor) -> Tensor:
        """Log Γ(k + r) / (k! Γ(r)) + k log λ / (λ + r) + r log r / (λ + r)."""
        r, odds = self.log_r.double().exp(), log_rate - self.log_r
        down, up = nn.functional.softplus(-odds), nn.functional.softplus(odds)
        return log_ways(k, r).to(odds.dtype) - k * down - r.to(odds.dtype) * up

    def draw(self, mean: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.floating]:
        """Return counts of this ``mean``: the Poisson's, of rates that a gamma distribution has spread."""
        r = self.log_r.detach().double().exp().numpy()
        return drawn(mean * rng.gamma(r, size=mean.shape) / r, rng)

    def simulate(self, h: Tensor, generator: torch.Generator) -> Tensor:
        """Return scaled counts drawn from p(x | z) at outputs ``h`` (n, columns)."""
        rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
        rates = (h.double().exp() * self.scale).numpy()
        return (torch.from_numpy(self.draw(rates, rng)) / self.scale + self.zero).to(h.dtype)

    def log_chance(self, h: Tensor, column: int, wanted: Tensor) -> Tensor:
        """Return log P (n,) of a column's count to lie between ``wanted`` ends (k, 2), scaled, at outputs ``h``."""
        return torch.from_numpy(self._chances(h, column, wanted)[0].sum(1)).log()

    def simulate_within(self, h: Tensor, column: int, wanted: Tensor, generator: torch.Generator) -> Tensor:
        """Return scaled counts (n,) of a column, drawn from p(x | z) between ``wanted`` ends, as in `log_chance`."""
        chances, spread, ends = self._chances(h, column, wanted)
        chosen = torch.multinomial(torch.from_numpy(chances).clamp_min(LEAST_CHANCE), 1, generator=generator).numpy()
        first, last = ends[:, chosen[:, 0]]
        below = spread.cdf(first[:, None] - 1)
        u = torch.rand(len(h), 1, generator=generator, dtype=torch.float64).numpy()
        k = spread.ppf(below + u * np.take_along_axis(chances, chosen, 1))[:, 0].clip(first, last)
        return (torch.from_numpy(k) / self.scale[column] + self.zero[column]).to(h.dtype)

    def _chances(self, h: Tensor, column: int, wanted: Tensor) -> tuple[NDArray[np.float64], Any, NDArray[np.float64]]:
        """Return P (n, k) of each range of ``wanted``, the distributions of the counts, and the ranges' ends (2, k)."""
        r = float(self.log_r[column].detach().double().exp())
        rate = (h[:, column].double().exp() * self.scale[column]).numpy()[:, None]
        spread = stats.nbinom(r, r / (r + rate))
        ends = ((wanted - self.zero[column]) * self.scale[column]).numpy().T
        first, last = np.ceil(ends[0].clip(0)), np.floor(ends[1])
        upper = first > rate  # where both tails are small their difference is exact
        chances = np.where(upper, spread.sf(first - 1) - spread.sf(last), spread.cdf(last) - spread.cdf(first - 1))
        return chances, spread, np.stack([first, last])

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Multiply every r by the one factor of maximum likelihood: a feature's own would take many counts above 0."""
        # In 64 bits, since near its best value the likelihood is flat: 32 would give three digits of r.
        k = self._rate(x.double()).round()
        log_rate = self._rate(mean.double()).clamp_min(torch.finfo(mean.dtype).tiny).log()
        before = self.log_r.detach().clone()

        def loss(log_factor: float) -> float:
            self.log_r.data = before + log_factor
            return -float(self.log_mass(k, log_rate).detach().sum())

        self.log_r.data = before + float(optimize.minimize_scalar(loss, bounds=LARGEST_LOG_FACTOR, method="bounded").x)


def drawn(rate: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a Poisson count of each rate; beyond `LARGEST_DRAWN` the rate itself, rounded."""
    counts: NDArray[np.float64] = np.where(
        rate < LARGEST_DRAWN, rng.poisson(np.minimum(rate, LARGEST_DRAWN)), np.rint(rate)
    )
    return counts
