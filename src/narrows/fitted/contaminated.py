"""What a model keeps and goes by where some of the examples that it learned from are odd."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.evaluation.anomalies import rank_threshold
from narrows.fitted.fitted import Fitted
from narrows.fitted.joined import Joined
from narrows.fitted.kept import kept_of
from narrows.fitted.passes import Passes
from narrows.fitted.scores import calibrate_cells, held_out_scores
from narrows.fitted.training_set import TrainingSet
from narrows.training.examples import Examples
from narrows.training.member import Member

__all__ = ["given_scores", "without_odd"]

MOST_GIVEN = 10_000
"""Examples whose ranks are the threshold's."""


def without_odd(member: Member, data: TrainingSet, passes: Passes) -> tuple[Member, TrainingSet]:
    """Return a trained member, and all that it was given, without the examples that seem odd to it.

    First by their errors; then by all that the model knows, from which those are left out.
    """
    contamination = member.contamination
    if contamination is None:
        return member, data
    parts = [examples.clean() for examples in (member.validation, member.training)]
    errors = [_errors(passes, examples) for examples in parts]
    scores, limit = errors, rank_threshold(np.concatenate(errors), contamination)
    held_out, seen = (_below(examples, each, limit) for examples, each in zip(parts, errors, strict=True))
    calibrate_cells(passes, held_out if len(held_out) else seen)
    classes = len(data.classes) if member.training.context is not None and data.classes is not None else 0
    joined = Joined.of(passes, kept_of(passes, held_out, seen, data.table), classes, data.table)
    scores = [joined.scores(passes, examples) if len(examples) else np.zeros(0) for examples in parts]
    limit = rank_threshold(np.concatenate(scores), contamination)
    validation, training = (
        _below(examples, each, limit)
        for examples, each in zip((member.validation, member.training), scores, strict=True)
    )
    weights = torch.zeros(len(data.examples))
    for examples in (validation, training):
        weights[examples.rows] = 1.0 if data.examples.weights is None else data.examples.weights[examples.rows]
    kept = replace(data, examples=replace(data.examples, weights=weights))
    return replace(member, validation=validation, training=training), kept


def given_scores(fitted: Fitted, examples: Examples, device: str) -> dict[str, NDArray[np.float64]]:
    """Return the anomaly scores of each kind of at most 10,000 of ``examples``, some of which are odd."""
    passes, few = fitted.on(device), examples.subset(torch.arange(min(len(examples), MOST_GIVEN)))
    found = held_out_scores(passes, fitted.scaling, few, passes.errors(few))
    return found if fitted.joined is None else {**found, "auto": fitted.joined.scores(passes, few)}


def _errors(passes: Passes, examples: Examples) -> NDArray[np.float64]:
    return passes.errors(examples) if len(examples) else np.zeros(0)


def _below(examples: Examples, scores: NDArray[np.float64], limit: float) -> Examples:
    places: Tensor = torch.from_numpy(np.flatnonzero(scores <= limit))
    return examples.subset(places)
