"""The named models whose code is a Gaussian of each input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from narrows.estimators.allowed import Rules, at_least, one_of, whole
from narrows.estimators.base import BottleneckEstimator
from narrows.models.bottlenecks import Bottleneck, DiagonalGaussian
from narrows.models.objectives import EvidenceLowerBound, ImportanceWeighted
from narrows.models.priors import PRIORS
from narrows.training.general import Objective

__all__ = ["IWAE", "VAE"]


def _vampprior_has_no_classes(options: VariationalEstimator) -> None:
    if options.prior == "vampprior" and options.conditional:
        raise ValueError("prior='vampprior' has one p(z) for all classes; with conditional=True take another")


@dataclass(eq=False, repr=False, kw_only=True)
class VariationalEstimator(BottleneckEstimator):
    """The options of models whose code is a Gaussian of each input.

    Parameters
    ----------
    prior
        As in `Options`, or ``"vampprior"``, which is learned with the nets (Tomczak & Welling 2018).
    """

    likelihood: str = "gaussian"
    prior: str = field(default="mixture", metadata=one_of([*PRIORS, "vampprior"]))

    _rules: ClassVar[Rules] = (_vampprior_has_no_classes,)

    def bottleneck(self) -> Bottleneck:
        """Return a Gaussian code."""
        return DiagonalGaussian(self.latent_dim)


def _free_bits_need_units(options: VAE) -> None:
    if options.free_bits and options.prior == "vampprior":
        raise ValueError("free_bits are counted per unit, which prior='vampprior' does not allow; set one of them")


@dataclass(eq=False, repr=False, kw_only=True)
class VAE(VariationalEstimator):
    """The variational autoencoder (Kingma & Welling 2014; Rezende et al. 2014).

    Parameters
    ----------
    beta
        β, the weight of the KL divergence (Higgins et al. 2017); ≥ 0.
    warm_up
        The fraction of the training over which β rises from 0 (Sønderby et al. 2016), in [0, 1].
    free_bits
        Nats of KL divergence that each unit may have without being charged (Kingma et al. 2016); ≥ 0.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import VAE
    >>> X = load_digits().images[:200]
    >>> vae = VAE(latent_dim=8, epochs=5, random_state=0).fit(X)
    >>> mu, sigma = vae.encode_distribution(X)
    >>> mu.shape, bool((sigma > 0).all()), vae.sample(3, random_state=0).shape
    ((200, 8), True, (3, 8, 8))
    """

    beta: float = field(default=1.0, metadata=at_least(0))
    warm_up: float = field(default=0.1, metadata=at_least(0, 1))
    free_bits: float = field(default=0.0, metadata=at_least(0))

    _rules: ClassVar[Rules] = (_free_bits_need_units,)

    def own_objective(self) -> Objective:
        """Return the negative evidence lower bound."""
        return EvidenceLowerBound(self.beta, self.warm_up, self.free_bits)


@dataclass(eq=False, repr=False, kw_only=True)
class IWAE(VariationalEstimator):
    """The importance-weighted autoencoder: a VAE trained on a tighter bound (Burda et al. 2016).

    Parameters
    ----------
    k
        Codes drawn for each example at each step.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from narrows import IWAE
    >>> X = load_digits().images[:200]
    >>> iwae = IWAE(latent_dim=8, epochs=2, random_state=0).fit(X)
    >>> iwae.score_samples(X).shape
    (200,)
    """

    k: int = field(default=5, metadata=whole(1, 10_000))

    def own_objective(self) -> Objective:
        """Return the negative importance-weighted bound."""
        return ImportanceWeighted(self.k)
