"""The named models whose code is a Gaussian of each input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from narrows.arguments import integer, real
from narrows.estimators.base import BottleneckEstimator
from narrows.models.bottlenecks import Bottleneck, DiagonalGaussian, GaussianPosterior
from narrows.models.model import Batch, BottleneckModel
from narrows.models.objectives import EvidenceLowerBound, ImportanceWeighted
from narrows.models.priors import PRIORS
from narrows.models.priors.base import Prior
from narrows.models.priors.mixtures import VampPrior
from narrows.training.examples import Examples
from narrows.training.general import Objective

__all__ = ["IWAE", "VAE"]

PSEUDO_INPUTS = 500
"""As many as Tomczak & Welling 2018 take."""

CALIBRATED_ON, CODES, ROUNDS = 256, 16, 3
"""Examples, codes drawn of each, and rounds of expectation–maximisation for the likelihood's scale."""


@dataclass(eq=False, repr=False, kw_only=True)
class VariationalEstimator(BottleneckEstimator):
    """The options of models whose code is a Gaussian of each input.

    Parameters
    ----------
    prior
        As of `Options`, or ``"vampprior"``, which is learned with the nets (Tomczak & Welling 2018).
    """

    likelihood: str = "gaussian"

    def bottleneck(self) -> Bottleneck:
        """Return a Gaussian code."""
        return DiagonalGaussian(self.latent_dim)

    def priors(self) -> Sequence[str]:
        """Return the names that ``prior`` may have."""
        return [*PRIORS, "vampprior"]

    def check_options(self) -> None:
        """Refuse an option of the wrong type or out of range, as `Options.check_options` does."""
        super().check_options()
        if self.prior == "vampprior" and self.conditional:
            raise ValueError("prior='vampprior' has one p(z) for all classes; with conditional=True take another")

    def first_prior(self, model: BottleneckModel, examples: Examples, generator: torch.Generator) -> Prior:
        """Return N(0, I), or a VampPrior whose pseudo-inputs start as some of the examples."""
        if self.prior != "vampprior":
            return model.prior
        chosen = torch.randperm(len(examples), generator=generator)[:PSEUDO_INPUTS]
        return VampPrior(examples.take(chosen).x, self.latent_dim, partial(_posterior, model.encoder, model.bottleneck))

    def _complete(self, learned: Examples, judged: Examples) -> None:
        super()._complete(learned, judged)
        first = next((judged if len(judged) else learned).chunks(CALIBRATED_ON))
        _calibrate(self.model_, first, torch.Generator().manual_seed(self.seed_))


@torch.no_grad()
def _calibrate(model: BottleneckModel, batch: Batch, generator: torch.Generator) -> None:
    """Set the likelihood's scale by codes of ``batch`` drawn from p(z | x), as nearly as `CODES` of q(z | x) give it.

    Those are drawn again with their importance weights (Rubin 1987; Burda et al. 2016). The residuals of plain draws
    would add to the data's noise whatever q is wider than p(z | x).
    """
    q, places = model.posterior(*batch), torch.arange(len(batch.x))
    epsilon = torch.randn(CODES, *q.mean.shape, generator=generator)
    for _ in range(ROUNDS):
        # A code at a time, or memory would hold every example as often as it has codes.
        weights = torch.cat([model.log_weights(batch, noise[None]) for noise in epsilon])
        chosen = torch.multinomial(weights.softmax(0).T, 1, generator=generator).squeeze(1)
        z = q.mean + q.sigma * epsilon[chosen, places]
        model.likelihood.calibrate(batch.x, model.likelihood.mean(model.output(z, batch.context)))


def _posterior(encoder: torch.nn.Module, bottleneck: torch.nn.Module, x: torch.Tensor) -> GaussianPosterior:
    q: GaussianPosterior = bottleneck(encoder(x))
    return q


@dataclass(eq=False, repr=False, kw_only=True)
class VAE(VariationalEstimator):
    """The variational autoencoder (Kingma & Welling 2014; Rezende et al. 2014).

    Parameters
    ----------
    beta
        β, the weight of the KL divergence (Higgins et al. 2017); ≥ 0.
    warm_up
        The part of the training over which β rises from 0 (Sønderby et al. 2016), in [0, 1].
    free_bits
        Nats of KL divergence that each unit may have without being charged (Kingma et al. 2016); ≥ 0.
    """

    beta: float = 1.0
    warm_up: float = 0.1
    free_bits: float = 0.0

    def objective(self) -> Objective:
        """Return the negative evidence lower bound."""
        return EvidenceLowerBound(self.beta, self.warm_up, self.free_bits)

    def check_options(self) -> None:
        """Refuse an option of the wrong type or out of range, as `Options.check_options` does."""
        super().check_options()
        real("beta", self.beta, 0)
        real("warm_up", self.warm_up, 0, 1)
        if real("free_bits", self.free_bits, 0) and self.prior == "vampprior":
            raise ValueError("free_bits are counted per unit, which prior='vampprior' does not allow; set one of them")


@dataclass(eq=False, repr=False, kw_only=True)
class IWAE(VariationalEstimator):
    """The importance-weighted autoencoder: a VAE trained on a tighter bound (Burda et al. 2016).

    Parameters
    ----------
    k
        Codes drawn for each example at each step.
    """

    k: int = 5

    def objective(self) -> Objective:
        """Return the negative importance-weighted bound."""
        return ImportanceWeighted(self.k)

    def check_options(self) -> None:
        """Refuse an option of the wrong type or out of range, as `Options.check_options` does."""
        super().check_options()
        integer("k", self.k, 1, 10_000)
