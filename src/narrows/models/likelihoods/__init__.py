"""Likelihoods: how the decoder's output h becomes a distribution p_θ(x | z) over inputs. Densities in nats.

Features are independent given z, so that log p(x | z) is a sum over them: a likelihood gives the terms.
"""

from __future__ import annotations

from narrows.models.likelihoods.base import Likelihood
from narrows.models.likelihoods.bounded import Bernoulli, ContinuousBernoulli
from narrows.models.likelihoods.counts import NegativeBinomial, Poisson
from narrows.models.likelihoods.levels import Levels
from narrows.models.likelihoods.located import SMALLEST_SCALE, Gaussian, Laplace, Located, SquaredError
from narrows.models.likelihoods.mixed import Mixed

__all__ = [
    "LIKELIHOODS",
    "SMALLEST_SCALE",
    "Bernoulli",
    "ContinuousBernoulli",
    "Gaussian",
    "Laplace",
    "Levels",
    "Likelihood",
    "Located",
    "Mixed",
    "NegativeBinomial",
    "Poisson",
    "SquaredError",
]

LIKELIHOODS: dict[str, type[Likelihood]] = {
    "squared-error": SquaredError,
    "gaussian": Gaussian,
    "laplace": Laplace,
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
    "poisson": Poisson,
    "negative-binomial": NegativeBinomial,
}
