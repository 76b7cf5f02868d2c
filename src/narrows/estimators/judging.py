"""How good is a model, and how odd is an example? What a fitted estimator says of data."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from narrows.arguments import RandomState, choice, integer, random_seed
from narrows.estimators.fitted import Fitted, check_range
from narrows.estimators.reference import SCORES, Reference
from narrows.estimators.training_set import TrainingSet
from narrows.evaluation.anomalies import threshold
from narrows.models.model import Batch, BottleneckModel
from narrows.training.examples import CHUNK, Examples

__all__ = ["Judging", "LogLikelihood"]

Array = NDArray[np.floating]

SCORE_SAMPLES = 16
"""Codes drawn of each example for `score_samples`; the same noise for all examples, so that each has its own score."""

BOUND_CHUNK = 256
"""Examples whose likelihood is integrated at a time."""

MOST_NUMBERS = 2**24
"""In one array while a likelihood is integrated: 128 MB in 64 bits."""

MOST_HELD_OUT, MOST_LEARNT = 2000, 10_000
"""Examples whose likelihood is kept to judge others by, and that the error on what was learnt from is the mean of."""


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """The importance-sampled bound on log p(x), in nats.

    Attributes
    ----------
    values
        Of each example, (n,).
    mean, standard_error
        Over the examples.
    """

    values: NDArray[np.float64]
    mean: float
    standard_error: float


class Judging(Fitted):
    """What a fitted estimator says of data."""

    reference_: Reference

    def score_samples(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return a log-density in nats per example, (n,), in the data's own units; higher is likelier.

        Where the code is drawn, it is a lower bound on log p(x) by 16 codes of each example. Where it is a function of
        the input, it is log p(x | z(x)), which does not ask how likely the code is. Below −3.4e38 it is −∞. For a
        Bernoulli likelihood it is a log-probability.
        """
        return self._scores(X, y, SCORE_SAMPLES, 0).astype(np.float32)

    def log_likelihood(
        self, X: ArrayLike, y: ArrayLike | None = None, *, samples: int = 5000, random_state: RandomState = 0
    ) -> LogLikelihood:
        """Return the bound on log p(x) that importance sampling gives (Burda et al. 2016), in nats per example.

        It rises to log p(x) with the number of ``samples``, codes drawn of each example from q(z | x); memory does not.

        Raises
        ------
        TypeError
            If the code is a function of the input, so that there is no posterior to draw from.
        ValueError
            If the prior has no density.
        """
        check_is_fitted(self, "model_")
        integer("samples", samples, 1)
        if not self.model_.bottleneck.draws:
            raise TypeError(
                f"{type(self).__name__} has a deterministic code and so no bound on log p(x); "
                "score_samples gives log p(x | z(x)), and VAE or IWAE the bound"
            )
        values = self._scores(X, y, samples, random_seed(random_state))
        return LogLikelihood(values, float(values.mean()), float(values.std() / math.sqrt(len(values))))

    def _scores(self, X: ArrayLike, y: ArrayLike | None, samples: int, seed: int) -> NDArray[np.float64]:
        return self._log_density(self._examples(self._source(X), y), samples, seed)

    def _log_density(self, examples: Examples, samples: int, seed: int) -> NDArray[np.float64]:
        def log_prob(model: BottleneckModel, part: Batch) -> Tensor:
            check_range(model, part.x)
            return _bound(model, part, samples, seed) if model.bottleneck.draws else model.log_prob(*part)

        drawn = self.model_.bottleneck.draws
        values = self._apply(log_prob, examples, *((BOUND_CHUNK, samples) if drawn else (CHUNK, 1)))
        change = np.log(self.scaling_.scale).sum() if self.model_.likelihood.continuous else 0.0
        scores: NDArray[np.float64] = values.double().numpy() - change
        return scores

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return the mean of `score_samples`, in nats per example: what cross-validation and grid search maximise."""
        return float(self.score_samples(X, y).mean())

    def anomaly_score(
        self, X: ArrayLike, y: ArrayLike | None = None, *, by: str = "reconstruction"
    ) -> NDArray[np.float64]:
        """Return how odd each example is, (n,); higher is odder.

        Parameters
        ----------
        X, y
            Examples, and their classes for a conditional model.
        by
            ``"reconstruction"``: the mean squared error per feature in scaled units, [0, 1] for images and unit
            variance for columns of different units. ``"likelihood"``: −`score_samples`, in nats.
        """
        choice("by", by, SCORES)
        if by == "likelihood":
            return -self._scores(X, y, SCORE_SAMPLES, 0)
        return self._errors(self._examples(self._source(X), y))

    def anomaly_threshold(self, by: str = "reconstruction") -> float:
        """Return the `anomaly_score` above which `predict` calls an example odd.

        The score that a new ordinary example exceeds with a probability of at most ``false_alarms``, by those of the
        examples that `fit` held out or `fit_threshold` was given (`narrows.evaluation.anomalies.threshold`). The option
        ``false_alarms`` can be set after the fit.

        Raises
        ------
        ValueError
            If there are no such examples.

        Warns
        -----
        UserWarning
            If they are too few for a rate so low. The highest score is then the threshold.
        """
        check_is_fitted(self, "model_")
        self.check_options()
        held_out = self.reference_.held_out.get(choice("by", by, SCORES), np.zeros(0))
        if not len(held_out):
            raise ValueError(
                f"by={by!r} has no threshold: fit held nothing out, or fit_prior changed the likelihood since; "
                "fit_threshold(X) takes it from ordinary examples that were not learnt from"
            )
        least = 1 / (len(held_out) + 1)
        if self.false_alarms < least:
            warnings.warn(
                f"false_alarms={self.false_alarms:g} takes {math.ceil(1 / self.false_alarms) - 1:,} examples that were "
                f"not learnt from; of the {len(held_out):,} there are the oddest is the threshold, for a rate of "
                f"{least:.2g}; fit_threshold(X) takes others",
                stacklevel=2,
            )
        return threshold(held_out, max(self.false_alarms, least))

    def decision_function(
        self, X: ArrayLike, y: ArrayLike | None = None, *, by: str = "reconstruction"
    ) -> NDArray[np.float64]:
        """Return `anomaly_threshold` − `anomaly_score`, (n,): negative for odd examples, as scikit-learn has it."""
        scores = self.anomaly_score(X, y, by=by)
        return self.anomaly_threshold(by) - scores

    def predict(self, X: ArrayLike, y: ArrayLike | None = None, *, by: str = "reconstruction") -> NDArray[np.int64]:
        """Return −1 for each odd example and 1 for any other, (n,), as scikit-learn's outlier detectors do."""
        return np.where(self.decision_function(X, y, by=by) < 0, -1, 1)

    def fit_threshold(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Take `anomaly_threshold` from ordinary examples ``X`` that were not learnt from, instead of those held out.

        Raises
        ------
        ValueError
            If some of them were learnt from, and so are less odd than others would be.
        """
        source = self._source(X)
        known = int(self.reference_.knows(source.chunks()).sum())
        if known:
            raise ValueError(f"{known:,} of the {len(source):,} examples of X were given to fit; take others")
        self.reference_ = replace(self.reference_, held_out=self._held_out(self._examples(source, y)))
        return self

    def _held_out(self, examples: Examples) -> dict[str, NDArray[np.float64]]:
        """Return the scores of some ordinary examples, of each kind that there is."""
        if not len(examples):
            return {}
        scores = {"reconstruction": self._errors(examples)}
        if self.model_.prior.has_density or not self.model_.bottleneck.draws:
            few = examples.part(torch.arange(min(len(examples), MOST_HELD_OUT)))
            densities = self._log_density(few, SCORE_SAMPLES, 0)
            if np.isfinite(densities).all():  # they are not where a unit of the code never changes
                scores["likelihood"] = -densities
        return scores

    def _remember(self, data: TrainingSet, learned: Examples, judged: Examples) -> None:
        """Keep what later judgements need: of all ``data``, and of the parts that were learnt from and held out."""
        components = data.components(self.latent_dim)
        learnt = learned.part(torch.arange(min(len(learned), MOST_LEARNT)))
        errors = [np.square(part.x.numpy() - components.restored(part.x.numpy())).mean(1) for part in learnt.chunks()]
        self.reference_ = Reference(
            data.fingerprints,
            components,
            float(self._errors(learnt).mean()),
            float(np.concatenate(errors).mean(dtype=np.float64)),
            self._held_out(judged),
        )

    def error_map(self, X: ArrayLike, y: ArrayLike | None = None) -> Array:
        """Return the squared error of every pixel or feature, in the shape of ``X`` and its units squared."""
        source = self._source(X)
        restored = self._undone(self._reconstructed(self._examples(source, y)), source.dtype)
        return (source.rows() - restored).reshape(source.shape) ** 2


def _bound(model: BottleneckModel, batch: Batch, samples: int, seed: int) -> Tensor:
    """Return log 1/k Σ p(x, z) / q(z | x), (n,), over k ``samples``; the same noise for all."""
    x, prior = batch.x, model.prior
    noise = torch.randn(samples, 1, prior.latent_dim, generator=torch.Generator().manual_seed(seed)).to(x.device)
    total = torch.full((len(x),), -math.inf, dtype=torch.float64, device=x.device)
    # Of every code: the widest layer's units, and its density under each of the prior's components.
    widest = max(*map(len, model.decoder.parameters()), prior.components * len(prior.frequencies))
    for epsilon in noise.split(max(1, MOST_NUMBERS // (len(x) * widest))):
        total = torch.logaddexp(total, model.log_weights(batch, epsilon).logsumexp(0))
    return total - math.log(samples)
