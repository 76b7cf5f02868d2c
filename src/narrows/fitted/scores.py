"""Log-densities of examples, and what is odd by them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.fitted.passes import Passes
from narrows.models.likelihoods import Likelihood
from narrows.models.model import Batch, BottleneckModel
from narrows.scaling import Scaling
from narrows.training.examples import ROWS_AT_ONCE, Examples

__all__ = ["SCORE_SAMPLES", "LogLikelihood", "check_possible", "held_out_scores", "log_density"]

SCORE_SAMPLES = 16
"""Codes drawn of each example for `score_samples`; the same noise for all examples, so that each has its own score."""

SAMPLED_AT_ONCE = 256
"""Examples whose likelihood is integrated at a time."""

MOST_NUMBERS = 2**24
"""In one array while a likelihood is integrated: 128 MB in 64 bits."""

MOST_HELD_OUT = 2000
"""Held-out examples whose likelihood is kept to compare others with."""


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


def log_density(
    passes: Passes, scaling: Scaling, examples: Examples, samples: int, seed: int = 0
) -> NDArray[np.float64]:
    """Return the log-density (n,) of scaled ``examples``, in nats and in the units that ``scaling`` is from.

    Where codes are drawn, it is the bound on log p(x) by that many ``samples`` of each; elsewhere log p(x | z(x)).

    Raises
    ------
    ValueError
        If the prior has no density, or `check_possible` refuses an example.
    """
    check_possible(passes.model.likelihood, scaling, examples)

    def log_prob(model: BottleneckModel, batch: Batch) -> Tensor:
        return _bound(model, batch, samples, seed) if model.bottleneck.draws else model.log_prob(*batch)

    drawn = passes.model.bottleneck.draws
    values = passes.apply(log_prob, examples, *((SAMPLED_AT_ONCE, samples) if drawn else (ROWS_AT_ONCE, 1)))
    change = np.log(scaling.scale).sum() if passes.model.likelihood.continuous else 0.0
    scores: NDArray[np.float64] = values.double().numpy() - change
    return scores


def held_out_scores(
    passes: Passes, scaling: Scaling, examples: Examples, errors: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return the anomaly scores of ordinary ``examples``, of each kind that there is.

    Parameters
    ----------
    passes, scaling, examples
        As in `log_density`.
    errors
        Theirs.
    """
    if not len(examples):
        return {}
    scores = {"reconstruction": errors}
    if passes.model.prior.has_density or not passes.model.bottleneck.draws:
        few = examples.subset(torch.arange(min(len(examples), MOST_HELD_OUT)))
        densities = log_density(passes, scaling, few, SCORE_SAMPLES)
        if np.isfinite(densities).all():  # they are not where a unit of the code never changes
            scores["likelihood"] = -densities
    return scores


def check_possible(
    likelihood: Likelihood, scaling: Scaling, examples: Examples, names: Sequence[str] | None = None
) -> None:
    """Refuse ``examples`` with a value that the likelihood gives no probability.

    Parameters
    ----------
    likelihood, scaling
        A model's.
    examples
        Scaled.
    names
        Of the columns, if they have any.

    Raises
    ------
    ValueError
        Naming the value, its row, its column, and what would be right.
    """
    if likelihood.domain is None:
        return  # and files need not be read
    for rows in examples.spans():
        x = examples.take(rows).x
        wrong = (~likelihood.possible(x)).nonzero()
        if len(wrong):
            row, column = wrong[0].tolist()
            where = f"column {column if names is None else repr(names[column])}"
            raise ValueError(
                f"X contains {scaling.undo(x[row].numpy())[column]:g} in row {examples.rows[rows[row]]}, {where}; "
                f"a {type(likelihood).__name__} likelihood is for {likelihood.domain}"
            )


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
