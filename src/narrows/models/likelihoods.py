"""Likelihoods: how the decoder's output h becomes a distribution p_θ(x | z) over inputs. Densities in nats.

Features are independent given z, so that log p(x | z) is a sum over them: a likelihood gives the terms.
"""

from __future__ import annotations

import math
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from narrows.scaling import Scaling

__all__ = [
    "LIKELIHOODS",
    "Bernoulli",
    "ContinuousBernoulli",
    "Gaussian",
    "Laplace",
    "Likelihood",
    "Located",
    "SquaredError",
]

SMALLEST_SCALE = 1e-4
"""Below this, differences in scaled units are float32's rounding, not the data's noise."""

SLACK = 1e-6
"""Rounding in 32 bits may leave the support by so much."""

UNIT_INTERVAL = "values in [0, 1] after scaling: the training data's own range with scaling='global'"

LEAST_GREY = 0.02
"""Nearer to 0 and 1 the inverse of the sigmoid is steep, and a straight line through it would heed little else."""


class Likelihood(nn.Module):
    """What all have. Inputs x are (n, features), the decoder's outputs h (…, n, features).

    Attributes
    ----------
    continuous
        Whether p is a density, which changes with the units of x, or a probability.
    support
        Between which x must lie, in scaled units.
    domain
        What x must be, in words; None where any number will do.
    """

    continuous: ClassVar[bool] = True
    support: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    domain: ClassVar[str | None] = None

    @classmethod
    def for_data(cls, scaling: Scaling, sigma: float | None = None) -> Self:  # noqa: ARG003 - one signature for all
        """Return the likelihood for data of this ``scaling``, with σ if it has one."""
        return cls()

    @property
    def bounded(self) -> bool:
        """Whether x lies between two finite numbers."""
        return all(map(math.isfinite, self.support))

    @property
    def deviation(self) -> float | None:
        """The standard deviation of a feature given z, where that is the same for all z; None elsewhere."""
        return None

    def possible(self, x: Tensor) -> Tensor:
        """Say of each scaled number of ``x`` whether it is in the likelihood's domain."""
        least, most = self.support
        return (x >= least - SLACK) & (x <= most + SLACK)

    def mean(self, h: Tensor) -> Tensor:
        """Return E[x | z], of the shape of ``h``."""
        raise NotImplementedError

    def draw(self, mean: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002 - only some draw
        """Return new examples of this ``mean``: the mean itself, unless the domain has none such."""
        return mean

    def output_for(self, mean: Tensor) -> Tensor:
        """Return decoder outputs of about this ``mean``, away from 0 and 1, where they would be infinite."""
        return mean.clamp(LEAST_GREY, 1 - LEAST_GREY).logit()

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Return log p of each feature, (…, n, features), in nats."""
        raise NotImplementedError

    def loss_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Return what training lowers by each feature, (…, n, features), in nats: −log p."""
        return -self.log_terms(x, h)

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Return log p(x | z), (…, n), in nats."""
        return self.log_terms(x, h).sum(-1)

    def loss(self, x: Tensor, h: Tensor) -> Tensor:
        """Return what training lowers, (…, n), in nats per example."""
        return self.loss_terms(x, h).sum(-1)

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Set the scale, if there is one to set, to its maximum-likelihood value on examples and their means."""


class Located(Likelihood):
    """A likelihood that the decoder only places: its mean is g(h).

    Parameters
    ----------
    link
        g, from the decoder's output to the mean: a sigmoid for data in [0, 1], the identity for any other.
    """

    def __init__(self, link: nn.Module) -> None:
        super().__init__()
        self.link = link

    @classmethod
    def for_data(cls, scaling: Scaling, sigma: float | None = None) -> Self:  # noqa: ARG003 - as of the others
        """Return it with a sigmoid for the unit interval, and with the identity elsewhere."""
        return cls(_link(scaling))

    def output_for(self, mean: Tensor) -> Tensor:
        """Return decoder outputs of this ``mean``, as nearly as a sigmoid allows where it is the link."""
        return mean if isinstance(self.link, nn.Identity) else super().output_for(mean)

    def mean(self, h: Tensor) -> Tensor:
        """Return g(h)."""
        mean: Tensor = self.link(h)
        return mean


class SquaredError(Located):
    """p(x | z) = N(x; g(h), σ² I), trained on the lecture's ½ ‖x − g(h)‖².

    Training leaves σ out, since it would not move the best g(h). It is then set to its maximum-likelihood value on
    held-out residuals, so that ``log_prob`` is a true density (the optimal σ of Rybkin et al. 2021, after the fact).

    Parameters
    ----------
    link
        g, as of `Located`.
    """

    sigma: Tensor

    def __init__(self, link: nn.Module) -> None:
        super().__init__(link)
        self.register_buffer("sigma", torch.ones(()))

    @property
    def deviation(self) -> float:
        """σ."""
        return float(self.sigma)

    def loss_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """½ (x − g(h))²: the lecture's E, summed over features; −log p in nats at σ = 1 but for a constant."""
        return 0.5 * (x - self.mean(h)).square()

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log N(x; g(h), σ²) of each feature, in nats."""
        return _normal_log_prob(x, self.mean(h), self.sigma.log())

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Set σ² to the mean squared residual."""
        self.sigma.fill_(_scale((x - mean).square(), root=True))


class Gaussian(Located):
    """p(x | z) = N(x; g(h), σ² I), with one σ for all features, in scaled units, learned with the nets or fixed.

    A learned σ weighs reconstruction against the KL divergence by itself (Rybkin et al., «Simple and effective VAE
    training with calibrated decoders», 2021). Training on corrupted inputs leaves it too large, since codes are then
    wider than the data's own noise asks for (by 19 % where that noise was half the corruption's), so estimators set it
    anew on held-out data. What the decoder misses still counts as noise: on a curved surface in 20 dimensions, fitted
    to 2,700 examples, σ came out 1 to 3 % too large where the noise was 5 % of the signal's amplitude or more, and 8 to
    20 % where it was 2 %.

    Parameters
    ----------
    link
        g, as of `Located`.
    sigma
        σ > 0 to fix it; None to learn it.
    """

    log_sigma: Tensor

    def __init__(self, link: nn.Module, sigma: float | None = None) -> None:
        super().__init__(link)
        self.learned = sigma is None
        if sigma is None:
            self.log_sigma = nn.Parameter(torch.zeros(()))
        else:
            self.register_buffer("log_sigma", torch.tensor(math.log(sigma)))

    @classmethod
    def for_data(cls, scaling: Scaling, sigma: float | None = None) -> Self:
        """Return it with the link of `Located.for_data`, and with σ fixed or, for None, learned."""
        return cls(_link(scaling), sigma)

    @property
    def deviation(self) -> float:
        """σ."""
        return math.exp(float(self.log_sigma.detach()))

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log N(x; g(h), σ²) of each feature, in nats."""
        return _normal_log_prob(x, self.mean(h), self.log_sigma)

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Set σ² to the mean squared residual, unless σ is fixed."""
        if self.learned:
            self.log_sigma.data.fill_(math.log(_scale((x - mean).square(), root=True)))


class Laplace(Located):
    """p(x | z) = ∏ exp(−|x − g(h)| / b) / 2b with a learned b: absolute error, which single wild values move less.

    Parameters
    ----------
    link
        g, as of `Located`.
    """

    def __init__(self, link: nn.Module) -> None:
        super().__init__(link)
        self.log_b = nn.Parameter(torch.zeros(()))

    @property
    def deviation(self) -> float:
        """√2 b."""
        return math.sqrt(2) * math.exp(float(self.log_b.detach()))

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Log p of each feature, in nats."""
        return -(x - self.mean(h)).abs() * (-self.log_b).exp() - (self.log_b + math.log(2))

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Set b to the mean absolute residual."""
        self.log_b.data.fill_(math.log(_scale((x - mean).abs(), root=False)))


class Bernoulli(Likelihood):
    """p(x | z) = ∏ μˣ (1 − μ)¹⁻ˣ, μ = sigmoid(h): for binary features.

    Grey levels in between are taken as probabilities, as is customary; the result is then no density of theirs.
    """

    continuous: ClassVar[bool] = False
    support: ClassVar[tuple[float, float]] = (0.0, 1.0)
    domain: ClassVar[str] = UNIT_INTERVAL

    def mean(self, h: Tensor) -> Tensor:
        """Return sigmoid(h)."""
        return h.sigmoid()

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """X h − log(1 + eʰ) of each feature, in nats."""
        return x * h - nn.functional.softplus(h)


class ContinuousBernoulli(Likelihood):
    """p(x | z) ∝ ∏ exp(h x) on [0, 1]: the Bernoulli made a density (Loaiza-Ganem & Cunningham 2019).

    In the natural parameter h, with λ = sigmoid(h), its normaliser is ∫₀¹ eʰˣ dx = (eʰ − 1) / h.
    """

    support: ClassVar[tuple[float, float]] = (0.0, 1.0)
    domain: ClassVar[str] = UNIT_INTERVAL

    def mean(self, h: Tensor) -> Tensor:
        """1 / (1 − e⁻ʰ) − 1 / h, and its series ½ + h/12 − h³/720 near 0."""
        far = torch.where(h.abs() < 0.1, torch.ones_like(h), h)
        return torch.where(h.abs() < 0.1, 0.5 + h / 12 - h**3 / 720, -1 / torch.expm1(-far) - 1 / far)

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """X h − log((eʰ − 1) / h) of each feature, in nats."""
        size = torch.where(h.abs() < 0.1, torch.ones_like(h), h.abs())
        normaliser = torch.where(
            h.abs() < 0.1, h / 2 + h**2 / 24 - h**4 / 2880, h.relu() + torch.log(-torch.expm1(-size) / size)
        )
        return x * h - normaliser


def _normal_log_prob(x: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """Return log N(x; mean, σ²) of each number of ``x`` (n, features), of ``mean`` (…, n, features)."""
    standardised = (x - mean).square() * (-2 * log_sigma).exp()
    return -0.5 * standardised - (log_sigma + 0.5 * math.log(2 * math.pi))


def _link(scaling: Scaling) -> nn.Module:
    return nn.Sigmoid() if scaling.unit_interval else nn.Identity()


def _scale(residuals: Tensor, *, root: bool) -> float:
    mean = float(residuals.double().mean())
    return max(math.sqrt(mean) if root else mean, SMALLEST_SCALE)


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "squared-error": SquaredError,
    "gaussian": Gaussian,
    "laplace": Laplace,
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
}
