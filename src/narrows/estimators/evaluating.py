"""`evaluate`: all numbers about a fitted model, from examples that it has not learnt from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.stats import ks_2samp
from torch import nn
from torch.nn.functional import one_hot

from narrows.arguments import RandomState, integer, random_seed
from narrows.components import Components
from narrows.estimators.fitted import RANGE_SLACK
from narrows.estimators.judging import SCORE_SAMPLES, Judging
from narrows.estimators.labels import class_labels
from narrows.estimators.parts import Part, feature_map, thinned
from narrows.evaluation.anomalies import calibration_curve
from narrows.evaluation.bits import bits_per_dimension, dequantised, level_distance
from narrows.evaluation.calibration import sigma_coverage
from narrows.evaluation.codes import (
    active_units,
    dead_units,
    kl_per_unit,
    neighbour_accuracy,
    probe_accuracy,
    trustworthiness,
)
from narrows.evaluation.comparison import compared
from narrows.evaluation.copying import Copying, copying
from narrows.evaluation.diagnosis import diagnosed
from narrows.evaluation.factors import FEWEST as FEWEST_OF_FACTORS
from narrows.evaluation.factors import dci, mutual_information_gap
from narrows.evaluation.intervals import Estimate, bootstrap
from narrows.evaluation.likeness import FEWEST, Likeness, likeness
from narrows.evaluation.summary import Codes, Density, Evaluation, Surprise
from narrows.models.bottlenecks import GaussianPosterior, Point
from narrows.models.likelihoods import Bernoulli, Gaussian, Laplace, SquaredError
from narrows.training.examples import Examples

__all__ = ["Evaluating"]

Rows = NDArray[np.floating]

MOST_INTEGRATED, MOST_CODES = 1000, 1000
"""Examples whose likelihood is importance-sampled, and whose codes are pressed into fewer numbers."""

FAR = 0.1
"""How far out of the training data's range a number is out of place, in parts of that range."""

SLACK = 1.05
"""How many times the error may be what it is, where fewer numbers of the code would do."""


class Evaluating(Judging):
    """What a fitted estimator says of itself."""

    def evaluate(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        X_train: ArrayLike | None = None,
        y_train: ArrayLike | None = None,
        factors: pd.DataFrame | None = None,
        features: nn.Module | None = None,
        samples: int = 0,
        random_state: RandomState = 0,
    ) -> Evaluation:
        """Judge the model by examples that it has not learnt from, in numbers with intervals and in words.

        The model knows again what it was fitted to: without ``X_train``, such examples among ``X`` are not judged, but
        stand beside the others as what it has learnt from. So X may be all there is, new examples alone, or both.

        Of many examples 10,000 are judged, drawn at random; fewer where they are large. Of digits it takes 2 s, of
        10,000 of MNIST's a minute.

        Parameters
        ----------
        X, y
            Examples as of `fit`, two or more, and their labels, if known.
        X_train, y_train
            Examples that the model was fitted to, and their labels, if ``X`` has none of them.
        factors
            A column for each factor that the examples were drawn from, for `mutual_information_gap` and `dci`.
        features
            What generated examples are compared by: a net that makes (n, k) of scaled inputs, (n, features) or
            (n, C, H, W). None takes their own numbers, or 64 principal components of these.
        samples
            Codes drawn of each example for the importance-sampled likelihood; 0 leaves it out, 5,000 are customary.
        random_state
            As of `sample`.

        Returns
        -------
        `narrows.evaluation.summary.Evaluation`, whose ``findings`` say what is wrong.

        Raises
        ------
        TypeError, ValueError
            If ``X`` is not as what the model was fitted to, or all of it was.
        """
        seed, source = random_seed(random_state), self._source(X)
        integer("samples", samples, 0)
        known = self.reference_.knows(source.chunks())
        examples = self._examples(source, y)
        labels = None if y is None else np.asarray(y)
        if X_train is None:
            judged, learnt = np.flatnonzero(~known), np.flatnonzero(known)
            other, learnt_labels = examples, labels
        else:
            before = self._source(X_train)
            judged, learnt, other = np.arange(len(source)), np.arange(len(before)), self._examples(before, y_train)
            learnt_labels = None if y_train is None else np.asarray(y_train)
        if len(judged) < 2:
            raise ValueError(
                f"{known.sum():,} of the {len(source):,} examples of X are those that the model was fitted to; two "
                "others or more are needed to judge it by"
            )
        judged, beside = (thinned(part, examples.features, seed) for part in (judged, learnt))
        return self._evaluated(
            Part(examples, judged, labels),
            Part(other, beside, learnt_labels),
            source.rows(judged[:MOST_INTEGRATED]),
            counts=(len(source), len(learnt), int(known[judged].sum())),
            factors=None if factors is None else factors.iloc[judged],
            features=features,
            samples=samples,
            seed=seed,
        )

    def _evaluated(
        self,
        judged: Part,
        learnt: Part,
        raw: NDArray[Any],
        *,
        counts: tuple[int, int, int],
        factors: pd.DataFrame | None,
        features: nn.Module | None,
        samples: int,
        seed: int,
    ) -> Evaluation:
        given, known, repeated = counts
        reference, shape = self.reference_, (-1, *self.input_shape_)
        x, q = judged.x, self._posterior(judged.examples)
        restored = self._decoded(q.mean, judged.context)
        low, high = self.scaling_.extremes
        comparison = compared(
            x.reshape(shape),
            restored.reshape(shape),
            reference.components.restored(x).reshape(shape),
            reference.components.mean.reshape(self.input_shape_),
            high - low,
            random_state=seed,
        )
        errors = np.square(x - restored).mean(1, dtype=np.float64)
        generation, copied = self._generated(judged, learnt, features, seed)
        evaluation = Evaluation(
            model=type(self).__name__,
            latent_dim=self.latent_dim,
            unit=self.unit,
            places=judged.places,
            given=given,
            learnt=known,
            repeated=repeated,
            comparison=comparison,
            learnt_error=reference.learnt_error,
            learnt_pca_error=reference.learnt_pca_error,
            late=_late(self.history_),
            density=self._density(judged, raw, restored, samples, seed),
            codes=self._codes(judged, learnt, q, errors, factors, seed),
            surprise=self._surprise(errors, x),
            generation=generation,
            copying=copied,
        )
        return diagnosed(evaluation)

    @property
    def unit(self) -> str:
        """What errors are of, in words."""
        thing = "pixel" if len(self.input_shape_) > 1 else "feature"
        scale = "scaled to [0, 1]" if self.scaling_.kind == "global" else "each scaled to variance 1"
        return f"squared error per {thing}, {scale}"

    def _density(self, judged: Part, raw: NDArray[Any], restored: Rows, samples: int, seed: int) -> Density:
        """Return what the likelihood says; ``raw`` are the first examples' rows as given."""
        likelihood, x = self.model_.likelihood, judged.x
        few = judged.examples.part(torch.arange(len(raw)))
        inside = not likelihood.unit_interval or (x.min() >= -RANGE_SLACK and x.max() <= 1 + RANGE_SLACK)
        known = inside and (self.model_.prior.has_density or not self.model_.bottleneck.draws)
        scores = self._log_density(few, SCORE_SAMPLES, 0) if known else np.full(2, np.nan)
        known = bool(np.isfinite(scores).all())
        integrated = known and samples > 0 and self.model_.bottleneck.draws
        sigma = _sigma(likelihood)
        gaussian = isinstance(likelihood, SquaredError | Gaussian)
        deviation = math.sqrt(float(np.square(x - restored).mean(dtype=np.float64)))
        return Density(
            log_density=bootstrap(np.mean, scores, random_state=seed) if known else None,
            bits=self._bits(few, raw, seed) if known and not likelihood.unit_interval else None,
            importance_sampled=bootstrap(np.mean, self._log_density(few, samples, seed), random_state=seed)
            if integrated
            else None,
            coverage=sigma_coverage(x, restored, sigma, random_state=seed) if sigma and gaussian else None,
            deviation=deviation / sigma if sigma else None,
            between=float(((x > 0.01) & (x < 0.99)).mean()) if isinstance(likelihood, Bernoulli) else None,
        )

    def _bits(self, few: Examples, raw: NDArray[Any], seed: int) -> Estimate | None:
        """Return bits per dimension of the ``raw`` rows, if they are levels."""
        step = level_distance(raw)
        if step is None:
            return None
        noisy = torch.from_numpy(self.scaling_.apply(dequantised(raw, step=step, random_state=seed)))
        filled = self._log_density(Examples.of(noisy, few.take(torch.arange(len(raw))).context), SCORE_SAMPLES, 0)
        return bootstrap(np.mean, bits_per_dimension(filled, raw.shape[1], step=step), random_state=seed)

    def _generated(
        self, judged: Part, learnt: Part, net: nn.Module | None, seed: int
    ) -> tuple[Likeness | None, Copying | None]:
        """Return how like the judged examples new ones are, and whether those are copies; None where they diverge."""
        generator = torch.Generator().manual_seed(seed)
        wanted = None if judged.context is None else judged.context.argmax(1)
        z, labels = self.model_.prior.sample(len(judged.places), generator, wanted)
        classes = len(self.model_.prior.frequencies)
        drawn = self._decoded(z, one_hot(labels, classes).float() if self.conditional else None)
        if not np.isfinite(drawn).all():
            return None, None
        features = feature_map(judged.x, net, self.input_shape_)
        real, made = features(judged.x), features(drawn)
        return (
            likeness(real, made, random_state=seed) if len(real) >= FEWEST else None,
            copying(made, features(learnt.x), real, random_state=seed) if len(learnt.places) else None,
        )

    def _codes(
        self,
        judged: Part,
        learnt: Part,
        q: Point | GaussianPosterior,
        errors: NDArray[np.float64],
        factors: pd.DataFrame | None,
        seed: int,
    ) -> Codes:
        z, sigma = q.mean.numpy(), q.sigma.numpy()
        draws = self.model_.bottleneck.draws
        neighbours = probe = None
        if (parts := self._labelled(judged, learnt, z, seed)) is not None:
            neighbours, probe = neighbour_accuracy(*parts, k=min(5, len(parts[0]))), probe_accuracy(*parts)
        if factors is not None and (z.shape[1] == 1 or len(z) < FEWEST_OF_FACTORS):
            factors = None  # that no unit, or no such few examples, could be told apart by
        is_map = z.shape[1] == 2 and len(z) > FEWEST
        return Codes(
            dead=int(dead_units(z).sum()),
            active=int(active_units(z).sum()) if draws else None,
            kl=kl_per_unit(z, sigma) if draws else None,
            enough=self._enough(judged, z, float(errors[:MOST_CODES].mean())),
            neighbour_accuracy=neighbours,
            probe_accuracy=probe,
            trustworthiness=trustworthiness(judged.x, z, random_state=seed) if is_map else None,
            mutual_information_gap=None if factors is None else mutual_information_gap(z, factors, random_state=seed),
            dci=None if factors is None or factors.shape[1] == 1 else dci(z, factors, random_state=seed),
        )

    def _labelled(self, judged: Part, learnt: Part, z: Rows, seed: int) -> list[Any] | None:
        """Return codes and classes to find classes from, and to be found; None without classes."""
        if judged.labels is None or class_labels(judged.labels, len(z), needed=False)[0] is None:
            return None
        y = np.asarray(judged.labels)
        if len(learnt.places) and learnt.labels is not None:
            parts = [self._posterior(learnt.examples).mean.numpy(), np.asarray(learnt.labels), z, y]
        else:  # half of them must do
            order = np.random.default_rng(seed).permutation(len(z))
            first, second = np.array_split(order, 2)
            parts = [z[first], y[first], z[second], y[second]]
        kinds = len(np.unique(parts[1]))
        return parts if 1 < kinds <= len(parts[1]) // 2 else None  # names are no classes

    def _enough(self, judged: Part, z: Rows, error: float) -> int | None:
        """Return of how many numbers the codes could be, or None where halving them is not worth a question."""
        few = slice(0, MOST_CODES)
        if self.latent_dim < 4 or len(z) < 2 * self.latent_dim:
            return None
        context = None if judged.context is None else judged.context[few]

        def suffices(k: int) -> bool:
            fewer = Components.of(z, k).restored(z[few]).astype(np.float32)
            restored = self._decoded(torch.from_numpy(fewer), context)
            return bool(np.square(judged.x[few] - restored).mean(dtype=np.float64) <= SLACK * error)

        low, high = 0, self.latent_dim  # which suffices
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if suffices(middle) else (middle, high)
        return high

    def _surprise(self, errors: NDArray[np.float64], x: Rows) -> Surprise | None:
        held_out = self.reference_.held_out.get("reconstruction")
        if held_out is None:
            return None
        test = ks_2samp(errors, held_out)
        curve = calibration_curve(errors, held_out)
        outside = _outside(x) if self.scaling_.kind == "global" else 0.0
        return Surprise(errors, held_out, float(test.statistic), float(test.pvalue), curve, outside)


def _outside(x: Rows) -> float:
    """Return which part of the numbers is far outside [0, 1]: just outside, some of any new data are."""
    return float(((x < -FAR) | (x > 1 + FAR)).mean())


def _late(history: list[dict[str, float]]) -> float:
    """Return which part of the fall of the loss came in the last tenth of the epochs."""
    losses = np.array([row.get("validation_loss", row["loss"]) for row in history])
    if len(losses) == 1:
        return 1.0
    best = np.minimum.accumulate(losses)
    fall = best[0] - best[-1]
    before = best[-1 - max(1, len(losses) // 10)]
    return float((before - best[-1]) / fall) if fall > 0 else 0.0


def _sigma(likelihood: nn.Module) -> float | None:
    """Return the standard deviation that a likelihood expects, if it has one."""
    match likelihood:
        case SquaredError():
            return float(likelihood.sigma)
        case Gaussian():
            return math.exp(float(likelihood.log_sigma.detach()))
        case Laplace():
            return math.sqrt(2) * math.exp(float(likelihood.log_b.detach()))
    return None
