"""From a trained model to a `Fitted`: what is known only after the training is added, or nothing comes of it.

The noise's size and the error, both on held-out data; the prior, from the codes of all; what later evaluations need.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.components import Components
from narrows.fitted.cells import held_out_cells
from narrows.fitted.contaminated import given_scores, without_odd
from narrows.fitted.fitted import Fitted
from narrows.fitted.imputing import calibrate_fillings
from narrows.fitted.kept import Kept, kept_of
from narrows.fitted.passes import Passes
from narrows.fitted.reference import Reference, linear_errors
from narrows.fitted.scores import calibrate_cells, calibrate_rest, held_out_scores
from narrows.fitted.training_set import TrainingSet
from narrows.models.bottlenecks import DiagonalGaussian
from narrows.models.model import Batch, BottleneckModel
from narrows.models.priors import PRIORS
from narrows.models.priors.base import Prior
from narrows.models.priors.mixtures import VampPrior
from narrows.models.tracing import twin
from narrows.training.examples import Examples
from narrows.training.member import Member
from narrows.training.processor import limited_threads, threads_for

__all__ = ["complete", "unfinished", "with_prior", "with_threshold"]

MOST_SEEN = 10_000
"""Examples seen in training that the error on these is the mean of."""

CALIBRATED_ON, CODES, ROUNDS = 256, 16, 3
"""Examples, codes drawn of each, and rounds of expectation–maximisation for the likelihood's scale."""


def complete(
    member: Member,
    data: TrainingSet,
    history: Sequence[Mapping[str, float]],
    *,
    kind: str,
    options: Mapping[str, Any],
    seed: int,
    device: str,
) -> Fitted:
    """Return what a training has come to.

    Parameters
    ----------
    member
        The trained model, which becomes the value's own.
    data
        All that it was given.
    history, kind, options, seed
        As in `Fitted`; the option ``prior`` says which is fitted.
    device
        To work on, by name.
    """
    model = member.model.eval()
    passes = Passes(model, member.training.features, member.operations, device)
    given = member
    member, data = without_odd(member, data, passes)
    held_out = member.validation.weighted()
    _calibrate(member, seed)
    errors = passes.errors(held_out) if len(held_out) else np.zeros(0)
    # What others are judged by later is said of the clean examples of pairs.
    ordinary, training = held_out.clean(), member.training.clean()
    scores = errors if held_out.noisy is None or not len(held_out) else passes.errors(ordinary)
    calibrate_cells(passes, ordinary if len(ordinary) else training.weighted())
    model.prior = _prior(passes, options["prior"], data.examples.clean(), data.labels, data.classes, seed)
    some = training.subset(torch.arange(min(len(training), MOST_SEEN))).weighted()
    _fit_gaps(passes, some, seed)
    begun = unfinished(model, data, history, kind=kind, options=options, seed=seed)
    components = data.components(model.prior.latent_dim)
    each = np.concatenate([linear_errors(data.table, components, part.x.numpy()) for part in some.chunks()])
    known = ordinary if len(ordinary) else some
    if data.table is not None:
        calibrate_rest(passes, known)
        calibrate_fillings(passes, known, seed)
    fitted = replace(
        begun,
        validation_error=(float(errors.mean()), float(errors.std() / math.sqrt(len(errors)))) if len(errors) else None,
        reference=Reference(
            *data.fingerprints,
            components,
            float(passes.errors(some).mean()),
            float(each.mean(dtype=np.float64)),
            kept_of(passes, ordinary, training.weighted(), data.table),
            held_out_scores(passes, data.scaling, ordinary, scores),
            np.zeros((0, 0), np.float32) if begun.keeps_rows else held_out_cells(passes, known, data.table),
            data.boundary,
        ),
    )
    return fitted if member.contamination is None else _with_given(fitted, _given_to(given), device)


def _given_to(member: Member) -> Examples:
    """Return all examples of a training, those held out first."""
    rows = torch.cat([member.validation.rows, member.training.rows])
    return replace(member.training, rows=rows).clean()


def _with_given(fitted: Fitted, examples: Examples, device: str) -> Fitted:
    return replace(fitted, reference=replace(fitted.reference, given=given_scores(fitted, examples, device)))


def unfinished(
    model: BottleneckModel,
    data: TrainingSet,
    history: Sequence[Mapping[str, float]],
    *,
    kind: str,
    options: Mapping[str, Any],
    seed: int,
) -> Fitted:
    """Return a model as it is amid its training, to be looked at: nothing is held out to compare others with.

    Parameters
    ----------
    model, data, history, kind, options, seed
        As in `complete`.
    """
    features = data.examples.features
    nothing = Components(np.zeros(features, np.float32), np.zeros((0, features), np.float32))
    return Fitted(
        kind=kind,
        options=options,
        model=model.eval(),
        scaling=data.scaling,
        input_shape=data.input_shape,
        feature_names=data.feature_names,
        frame=data.frame,
        classes=data.classes,
        history=tuple(history),
        seed=seed,
        validation_error=None,
        reference=Reference(
            np.zeros(0, np.int64), np.zeros(0, np.int64), nothing, math.nan, math.nan, Kept.nothing(features)
        ),
        table=data.table,
    )


def with_prior(fitted: Fitted, prior: str, examples: Examples, labels: Tensor, seed: int, device: str) -> Fitted:
    """Return ``fitted`` with another prior for new codes; its nets are the same.

    Parameters
    ----------
    fitted
        A model.
    prior
        A key of `PRIORS`.
    examples, labels
        Whose codes it is fitted to, and each one's class index, (n,).
    seed, device
        As in `complete`.
    """
    model = twin(fitted.model)
    model.prior = _prior(fitted.on(device), prior, examples, labels, fitted.classes, seed)
    held_out, given = dict(fitted.reference.held_out), dict(fitted.reference.given)
    if model.bottleneck.draws:  # the likelihood is another now
        held_out.pop("likelihood", None)
        given.pop("likelihood", None)
    return replace(
        fitted,
        model=model,
        options={**fitted.options, "prior": prior},
        reference=replace(fitted.reference, held_out=held_out, given=given),
    )


def with_threshold(fitted: Fitted, examples: Examples, device: str) -> Fitted:
    """Return ``fitted`` with other ordinary ``examples``, not seen in training, to compare odd ones with.

    Where it goes by a contamination, as many of them are odd.
    """
    if fitted.contamination is not None:
        return _with_given(fitted, examples, device)
    passes = fitted.on(device)
    held_out = held_out_scores(passes, fitted.scaling, examples, passes.errors(examples))
    if fitted.joined is not None:
        held_out["auto"] = fitted.joined.scores(passes, examples)
    return replace(fitted, reference=replace(fitted.reference, held_out=held_out))


def _prior(
    passes: Passes, name: str, examples: Examples, labels: Tensor, classes: NDArray[np.generic] | None, seed: int
) -> Prior:
    """Return the prior of the codes of ``examples``; a VampPrior is what the training has made of it."""
    # Also of the validation examples: a class may have no other.
    count = 1 if classes is None else len(classes)
    before = passes.model.prior
    if examples.weights is not None:
        examples, labels = _drawn(examples, labels)
    if isinstance(before, VampPrior):
        posterior = passes.posterior(examples)
        with limited_threads(1):
            return before.frozen(posterior, labels, count)
    some = _looked_at(PRIORS[name], labels, count, seed)
    posterior = passes.posterior(examples.subset(some))
    with limited_threads(1):
        prior = PRIORS[name].of_codes(posterior, labels[some], count, seed)
    prior.count(labels)
    return prior


def _looked_at(kind: type[Prior], labels: Tensor, classes: int, seed: int) -> Tensor:
    """Return which of the examples of these classes, (n,), a prior is fitted to the codes of, in order."""
    if not kind.needs_codes:
        return torch.arange(1)
    most = len(labels) if kind.most_codes is None else kind.most_codes
    if len(labels) <= most:
        return torch.arange(len(labels))
    rng, chosen = np.random.default_rng(seed), []
    for c in range(classes):
        own = (labels == c).nonzero().squeeze(1)
        chosen.append(own[torch.from_numpy(rng.choice(len(own), min(most, len(own)), replace=False))])
    return torch.cat(chosen).sort().values


def _fit_gaps(passes: Passes, examples: Examples, seed: int) -> None:
    """Fit which cells of a row are missing, given its code, if any of a table's are."""
    gaps = passes.model.gaps
    if gaps is not None:
        z = passes.posterior(examples).rsample(torch.Generator().manual_seed(seed))
        missing = [examples.take(places).x.isnan() for places in examples.spans()]
        gaps.fit(z, torch.cat(missing).numpy())


def _drawn(examples: Examples, labels: Tensor) -> tuple[Examples, Tensor]:
    """Return ``examples``, the whole data, as often as their weights say, but one of each class at least."""
    drawn = examples.weighted()
    missing = set(labels.tolist()) - set(labels[drawn.rows].tolist())
    first = [(labels == c).nonzero()[0] for c in sorted(missing)]
    rows = torch.cat([drawn.rows, *first])
    return replace(drawn, rows=rows), labels[rows]


@torch.no_grad()
def _calibrate(member: Member, seed: int) -> None:
    """Set the likelihood's scale by held-out examples, or by those seen where there are none."""
    model, examples = member.model, member.validation if len(member.validation) else member.training
    examples = examples.weighted()
    first = next(examples.chunks())
    with limited_threads(threads_for(member.operations * len(first.x))):
        z = model.posterior(*first.seen).rsample(torch.Generator().manual_seed(seed))
        model.likelihood.calibrate(first.x, model.likelihood.mean(model.output(z, first.context)))
        if isinstance(model.bottleneck, DiagonalGaussian):
            _calibrate_by_weights(model, next(examples.chunks(CALIBRATED_ON)), torch.Generator().manual_seed(seed))


def _calibrate_by_weights(model: BottleneckModel, batch: Batch, generator: torch.Generator) -> None:
    """Set the likelihood's scale by codes of ``batch`` drawn from p(z | x), as nearly as `CODES` of q(z | x) give it.

    Those are drawn again with their importance weights (Rubin 1987; Burda et al. 2016). The residuals of plain draws
    would add to the data's noise whatever q is wider than p(z | x).
    """
    q, rows = model.posterior(*batch.seen), torch.arange(len(batch.x))
    epsilon = torch.randn(CODES, *q.mean.shape, generator=generator)
    for _ in range(ROUNDS):
        # A code at a time, or memory would hold every example as often as it has codes.
        weights = torch.cat([model.log_weights(batch, noise[None]) for noise in epsilon])
        chosen = torch.multinomial(weights.softmax(0).T, 1, generator=generator).squeeze(1)
        z = q.mean + q.sigma * epsilon[chosen, rows]
        model.likelihood.calibrate(batch.x, model.likelihood.mean(model.output(z, batch.context)))
