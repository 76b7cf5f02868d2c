"""All numbers about a fitted model, from examples that it has not seen in training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import one_hot

from narrows.chunks import chunks
from narrows.columns.coded import Coded
from narrows.components import Components
from narrows.data.labels import class_labels
from narrows.evaluation.anomalies import calibration_curve
from narrows.evaluation.bits import bits_per_dimension, dequantised, level_distance
from narrows.evaluation.calibration import sigma_coverage
from narrows.evaluation.codes import (
    active_units,
    continuity,
    dead_units,
    kl_per_unit,
    neighbour_accuracy,
    probe_accuracy,
    trustworthiness,
)
from narrows.evaluation.comparison import Comparison, compared
from narrows.evaluation.copying import Copying, copying
from narrows.evaluation.diagnosis import diagnosed
from narrows.evaluation.factors import FEWEST_EXAMPLES as FEWEST_OF_FACTORS
from narrows.evaluation.factors import dci, mutual_information_gap
from narrows.evaluation.far import FarValue, far_values
from narrows.evaluation.intervals import Estimate, bootstrap_means
from narrows.evaluation.likeness import FEWEST_EXAMPLES, Likeness, likeness
from narrows.evaluation.reconstruction import squared_errors
from narrows.evaluation.summary import Codes, Density, Evaluation, Surprise
from narrows.fitted.evaluate_table import cell_errors, compared_cells, errors_of_codes, far_cells, table_evaluated
from narrows.fitted.fitted import Fitted
from narrows.fitted.passes import Passes
from narrows.fitted.scores import SCORE_SAMPLES, log_density, oddness
from narrows.fitted.subsets import Subset, feature_map
from narrows.models.bottlenecks import GaussianPosterior, Point, Quantiser
from narrows.models.likelihoods import Bernoulli, Gaussian, Mixed, SquaredError
from narrows.training.examples import Examples

__all__ = ["MOST_INTEGRATED", "evaluate"]

Rows = NDArray[np.floating]
Errors = NDArray[np.float64]

MOST_INTEGRATED, MOST_CODES = 1000, 1000
"""Examples whose likelihood is importance-sampled, and whose codes are pressed into fewer numbers."""

NUMBERS_AT_ONCE = 2**18
"""Of new examples, while they are drawn."""

FAR = 0.1
"""How far outside the training data's range a number is odd, as a fraction of that range."""

SLACK = 1.05
"""How many times the error may be what it is, where fewer numbers of the code would do."""


def evaluate(
    fitted: Fitted,
    test: Subset,
    seen: Subset,
    raw: NDArray[Any],
    *,
    counts: tuple[int, int, int],
    factors: pd.DataFrame | None,
    features: nn.Module | None,
    samples: int,
    seed: int,
    device: str,
) -> Evaluation:
    """Return all numbers about a model.

    Parameters
    ----------
    fitted
        The model.
    test, seen
        Examples that it has not seen in training, to evaluate it on, and some that it has, to compare them with.
    raw
        The first of the former as they were given, as rows (k, features), `MOST_INTEGRATED` at most.
    counts
        How many examples were given, how many of them were seen in training, and how many of the test ones are equal to
        some that were.
    factors
        What the test ones were drawn from, a column a factor, or None.
    features
        A net of which generated examples are compared by the outputs, or None.
    samples
        Codes drawn of each example for the importance-sampled likelihood; 0 leaves it out.
    seed, device
        Of all chance here; and where to work.
    """
    passes = fitted.on(device)
    given, seen_before, repeated = counts
    reference = fitted.reference
    x, q = test.x, passes.posterior(test.examples)
    restored = passes.decoded(q.mean, test.context)
    if fitted.table is None:
        errors, odd, by_kind = _of_numbers(fitted, passes, test, seen, restored, features, seed)
    else:
        errors, odd, by_kind = _of_cells(fitted, passes, test, seen, restored, seed)
    evaluation = Evaluation(
        model=fitted.kind,
        latent_dim=fitted.latent_dim,
        unit=fitted.unit,
        places=test.rows,
        given=given,
        learnt=seen_before,
        repeated=repeated,
        learnt_error=reference.seen_error,
        learnt_pca_error=reference.seen_pca_error,
        late=_late(fitted.history),
        density=_density(fitted, passes, test, raw, restored, errors, samples, seed),
        codes=_codes(fitted, passes, test, seen, q, errors, factors, seed),
        surprise=_surprise(fitted, odd, x),
        **by_kind,
    )
    return diagnosed(evaluation)


def _of_numbers(
    fitted: Fitted, passes: Passes, test: Subset, seen: Subset, restored: Rows, features: nn.Module | None, seed: int
) -> tuple[Errors, Errors, dict[str, Any]]:
    """Return the error of each test example, how odd it is, and what else tables are compared by otherwise."""
    errors = squared_errors(test.x, restored)
    far, comparison = _far(fitted, test, seen), _comparison(fitted, test.x, restored, seed)
    generation, copied = _generated(fitted, passes, test, seen, features, seed)
    return errors, errors, {"far": far, "comparison": comparison, "generation": generation, "copying": copied}


def _of_cells(
    fitted: Fitted, passes: Passes, test: Subset, seen: Subset, restored: Rows, seed: int
) -> tuple[Errors, Errors, dict[str, Any]]:
    """Return the same of a table's rows."""
    lost = cell_errors(passes, test.examples)
    errors, odd = np.nanmean(lost, 1), oddness(passes, fitted.scaling, test.examples, "reconstruction")
    far, comparison = tuple(far_cells(fitted, test, seen)), compared_cells(fitted, test.x, lost, seed)
    found, generation, copied = table_evaluated(fitted, test, seen, restored, lost, seed)
    by_kind = {"far": far, "comparison": comparison, "generation": generation, "copying": copied, "table": found}
    return errors, odd, by_kind


def _far(fitted: Fitted, test: Subset, seen: Subset) -> tuple[FarValue, ...]:
    """Return the values that are far from all others, the farthest first."""
    scaling, shape = fitted.scaling, fitted.input_shape
    rows = np.concatenate([test.x, seen.x]) if len(seen.x) else test.x
    found, ordinary = far_values(rows, scaling.groups(shape))
    if ordinary is None:
        return ()
    low, high = map(scaling.undo, ordinary)
    numbers = np.concatenate([test.rows, seen.rows])
    return tuple(
        FarValue(
            row=int(numbers[row]),
            seen=bool(row >= len(test.x)),
            column=fitted.words_of(column),
            value=float(scaling.undo(rows[row])[column]),
            low=float(low[column]),
            high=float(high[column]),
        )
        for row, column in found.tolist()
    )


def _comparison(fitted: Fitted, x: Rows, restored: Rows, seed: int) -> Comparison:
    """Return how well the model restores scaled rows ``x``, compared with principal components and the mean."""
    components, shape = fitted.reference.components, (-1, *fitted.input_shape)
    low, high = fitted.scaling.extremes
    return compared(
        x.reshape(shape),
        restored.reshape(shape),
        components.restored(x).reshape(shape),
        components.mean.reshape(fitted.input_shape),
        high - low,
        random_state=seed,
    )


def _density(
    fitted: Fitted,
    passes: Passes,
    test: Subset,
    raw: NDArray[Any],
    restored: Rows,
    errors: NDArray[np.float64],
    samples: int,
    seed: int,
) -> Density:
    """Return what the likelihood says; ``raw`` are the first examples' rows as given, ``errors`` those of all (n,)."""
    model, likelihood, x = fitted.model, fitted.model.likelihood, test.x
    few = test.examples.subset(torch.arange(len(raw)))
    possible = likelihood.bounded or likelihood.domain is None or bool(likelihood.possible(torch.from_numpy(x)).all())
    known = possible and (model.prior.has_density or not model.bottleneck.draws)
    scores = log_density(passes, fitted.scaling, few, SCORE_SAMPLES) if known else np.full(2, np.nan)
    known = bool(np.isfinite(scores).all())
    integrated = known and samples > 0 and model.bottleneck.draws
    sigma = likelihood.deviation
    gaussian = isinstance(likelihood, SquaredError | Gaussian)
    deviation = math.sqrt(errors.mean()) if sigma else None
    return Density(
        log_density=_mean(scores, seed) if known else None,
        bits=_bits(fitted, passes, few, raw, seed)
        if known and likelihood.domain is None and fitted.table is None
        else None,
        importance_sampled=_mean(log_density(passes, fitted.scaling, few, samples, seed), seed) if integrated else None,
        coverage=sigma_coverage(x, restored, sigma, random_state=seed) if sigma and gaussian else None,
        deviation=deviation / sigma if sigma and deviation is not None else None,
        between=float(((x > 0.01) & (x < 0.99)).mean()) if isinstance(likelihood, Bernoulli) else None,
    )


def _bits(fitted: Fitted, passes: Passes, few: Examples, raw: NDArray[Any], seed: int) -> Estimate | None:
    """Return bits per dimension of the ``raw`` rows, if they are levels."""
    step = level_distance(raw)
    if step is None:
        return None
    noisy = torch.from_numpy(fitted.scaling.apply(dequantised(raw, step=step, random_state=seed)))
    examples = Examples.of(noisy, few.take(torch.arange(len(raw))).context)
    filled = log_density(passes, fitted.scaling, examples, SCORE_SAMPLES)
    return _mean(bits_per_dimension(filled, raw.shape[1], step=step), seed)


def _mean(numbers: NDArray[np.floating], seed: int) -> Estimate:
    return bootstrap_means(numbers[:, None], random_state=seed)[0]


def _generated(
    fitted: Fitted, passes: Passes, test: Subset, seen: Subset, net: nn.Module | None, seed: int
) -> tuple[Likeness | None, Copying | None]:
    """Return how like the test examples new ones are, and whether those are copies; None where they diverge."""
    generator = torch.Generator().manual_seed(seed)
    wanted = None if test.context is None else test.context.argmax(1)
    prior = fitted.model.prior
    z, labels = prior.sample(len(test.rows), generator, wanted)
    means = passes.decoded(z, one_hot(labels, len(prior.frequencies)).float() if fitted.conditional else None)
    if not np.isfinite(means).all():
        return None, None
    scaling, rng = fitted.scaling, np.random.default_rng(seed)
    drawn = np.empty_like(means)
    for some in chunks(len(means), means.shape[1], NUMBERS_AT_ONCE):  # in the data's units they have 64 bits
        drawn[some] = scaling.apply(fitted.model.likelihood.draw(scaling.undo(means[some]), rng))
    features = feature_map(test.x, net, fitted.input_shape)
    real, made = features(test.x), features(drawn)
    return (
        likeness(real, made, random_state=seed) if len(real) >= FEWEST_EXAMPLES else None,
        copying(made, features(seen.x), real, random_state=seed) if len(seen.rows) else None,
    )


def _codes(
    fitted: Fitted,
    passes: Passes,
    test: Subset,
    seen: Subset,
    q: Point | GaussianPosterior,
    errors: NDArray[np.float64],
    factors: pd.DataFrame | None,
    seed: int,
) -> Codes:
    z, sigma = q.mean.numpy(), q.sigma.numpy()
    draws = passes.model.bottleneck.draws
    neighbours = probe = None
    if (split := _labelled(passes, test, seen, z, seed)) is not None:
        neighbours, probe = neighbour_accuracy(*split, k=min(5, len(split[0]))), probe_accuracy(*split)
    if factors is not None and (z.shape[1] == 1 or len(z) < FEWEST_OF_FACTORS):
        factors = None  # that no unit, or no such few examples, could be told apart by
    is_map = z.shape[1] == 2 and len(z) > FEWEST_EXAMPLES
    rows = test.x if fitted.table is None else Coded(fitted.table.modelled).numbers(test.x)
    return Codes(
        dead=int(dead_units(z).sum()),
        active=int(active_units(z).sum()) if draws else None,
        kl=kl_per_unit(z, sigma) if draws else None,
        enough=_enough(passes, test, z, float(errors[:MOST_CODES].mean())),
        neighbour_accuracy=neighbours,
        probe_accuracy=probe,
        trustworthiness=trustworthiness(rows, z, random_state=seed) if is_map else None,
        continuity=continuity(rows, z, random_state=seed) if is_map else None,
        mutual_information_gap=None if factors is None else mutual_information_gap(z, factors, random_state=seed),
        dci=None if factors is None or factors.shape[1] == 1 else dci(z, factors, random_state=seed),
        tokens=(len(bottleneck.tokens(q.mean).unique()), bottleneck.vocabulary)
        if isinstance(bottleneck := passes.model.bottleneck, Quantiser)
        else None,
    )


def _labelled(passes: Passes, test: Subset, seen: Subset, z: Rows, seed: int) -> list[Any] | None:
    """Return codes and classes to find classes from, and to be found; None without classes."""
    if test.labels is None or class_labels(test.labels, len(z), needed=False)[0] is None:
        return None
    y = np.asarray(test.labels)
    if len(seen.rows) and seen.labels is not None:
        split = [passes.posterior(seen.examples).mean.numpy(), np.asarray(seen.labels), z, y]
    else:  # half of them must do
        order = np.random.default_rng(seed).permutation(len(z))
        first, second = np.array_split(order, 2)
        split = [z[first], y[first], z[second], y[second]]
    kinds = len(np.unique(split[1]))
    return split if 1 < kinds <= len(split[1]) // 2 else None  # names are no classes


def _enough(passes: Passes, test: Subset, z: Rows, error: float) -> int | None:
    """Return of how many numbers the codes could be, or None where halving them is not worth a question."""
    few, d = slice(0, MOST_CODES), int(z.shape[1])
    if d < 4 or len(z) < 2 * d:
        return None
    context = None if test.context is None else test.context[few]

    def suffices(k: int) -> bool:
        fewer = Components.of(z, k).restored(z[few]).astype(np.float32)
        if isinstance(passes.model.likelihood, Mixed):
            errors = errors_of_codes(passes.model, torch.from_numpy(test.x[few]), torch.from_numpy(fewer), context)
        else:
            errors = squared_errors(test.x[few], passes.decoded(torch.from_numpy(fewer), context))
        return bool(errors.mean() <= SLACK * error)

    low, high = 0, d  # which suffices
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def _surprise(fitted: Fitted, errors: NDArray[np.float64], x: Rows) -> Surprise | None:
    held_out = fitted.reference.held_out.get("reconstruction")
    if held_out is None:
        return None
    curve = calibration_curve(errors, held_out)
    outside = _outside(x) if fitted.scaling.unit_interval else 0.0
    return Surprise(errors, held_out, curve, outside)


def _outside(x: Rows) -> float:
    """Return what fraction of the numbers is far outside [0, 1]: just outside, some of any new data are."""
    return float(((x < -FAR) | (x > 1 + FAR)).mean())


def _late(history: Sequence[Mapping[str, float]]) -> float:
    """Return what fraction of the fall of the loss came in the last tenth of the epochs."""
    losses = np.array([row.get("validation_loss", row["loss"]) for row in history])
    if len(losses) == 1:
        return 1.0
    best = np.minimum.accumulate(losses)
    fall = best[0] - best[-1]
    before = best[-1 - max(1, len(losses) // 10)]
    return float((before - best[-1]) / fall) if fall > 0 else 0.0
