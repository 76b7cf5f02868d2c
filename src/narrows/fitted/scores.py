"""Log-densities of examples, and what is odd by them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.fitted.passes import Passes
from narrows.models.likelihoods import Likelihood, Mixed
from narrows.models.model import Batch, BottleneckModel
from narrows.scaling import Scaling
from narrows.training.examples import Examples

__all__ = [
    "SCORE_SAMPLES",
    "LogLikelihood",
    "calibrate_cells",
    "calibrate_rest",
    "cell_costs",
    "check_possible",
    "error_nats",
    "held_out_scores",
    "log_density",
    "oddness",
]

SCORE_SAMPLES = 16
"""Codes drawn of each example for `score_samples`; the same noise for all examples, so that each has its own score."""

FEWEST_AT_ONCE, SAMPLED_AT_ONCE = 64, 256
"""Examples whose likelihood is integrated at a time."""

MOST_NUMBERS = 2**20
"""In one array while a likelihood is integrated: 8 MB in 64 bits, some of which a processor holds."""

MOST_HELD_OUT = 2000
"""Held-out examples whose likelihood is kept to compare others with."""

ROUNDING = 1e-4
"""Nats, or part of a cell's cost, that costs deviate by where rounding alone makes them differ; 5e-6 was seen."""


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
        If the prior has no density, or `check_possible` refuses an example, which no bounded likelihood has.

    Warns
    -----
    UserWarning
        If values are outside a bounded likelihood's range, and count as its ends: one above all that was seen in
        training would else leave no score of all.
    """
    likelihood = passes.model.likelihood
    if likelihood.bounded:
        examples = _between(likelihood, examples)
    else:
        check_possible(likelihood, scaling, examples)
    values = _log_prob(passes, examples, samples, seed)
    if isinstance(likelihood, Mixed):
        change = _changes(likelihood, scaling, examples).sum(1)
    else:
        change = np.log(scaling.scale).sum() if likelihood.continuous else 0.0
    scores: NDArray[np.float64] = values - change
    return scores


def _log_prob(passes: Passes, examples: Examples, samples: int, seed: int) -> NDArray[np.float64]:
    """Return `log_density` in scaled units."""

    def log_prob(model: BottleneckModel, batch: Batch) -> Tensor:
        return _bound(model, batch, samples, seed) if model.bottleneck.draws else model.log_prob(batch)

    if passes.model.bottleneck.draws:
        most = MOST_NUMBERS // (samples * _widest(passes.model))
        values = passes.apply(log_prob, examples, min(max(most, FEWEST_AT_ONCE), SAMPLED_AT_ONCE), samples)
    else:
        values = passes.apply(log_prob, examples)
    scores: NDArray[np.float64] = values.double().numpy()
    return scores


def _changes(likelihood: Mixed, scaling: Scaling, examples: Examples) -> NDArray[np.float64]:
    """Return what the values' units take from the log-density of each cell, (n, columns)."""
    parts = (examples.take(places).x.numpy() for places in examples.spans())
    return np.concatenate([likelihood.log_change(x, scaling) for x in parts])


def error_nats(passes: Passes, scaling: Scaling, examples: Examples) -> NDArray[np.float64]:
    """Return −log p(x | z(x)) of each cell, (n, columns), a density in its column's unit; NaN where missing."""
    likelihood = passes.model.likelihood
    assert isinstance(likelihood, Mixed)
    return cell_costs(passes, examples) + _changes(likelihood, scaling, examples)


def cell_costs(passes: Passes, examples: Examples) -> NDArray[np.float64]:
    """Return −log p(x | z(x)) of each scaled cell of a table's ``examples``, (n, columns); NaN where missing."""

    def costs(model: BottleneckModel, part: Batch) -> Tensor:
        h = model.output(model.encode(*part.seen), part.context)
        return -model.likelihood.log_terms(part.x.double(), h.double()).masked_fill(part.x.isnan(), math.nan)

    found: NDArray[np.float64] = passes.apply(costs, examples).numpy()
    return found


def oddness(passes: Passes, scaling: Scaling, examples: Examples, by: str) -> NDArray[np.float64]:
    """Return how odd each of scaled ``examples`` is, (n,), by its error or by its likelihood.

    Of a table's row it is how much more its known cells cost, in nats, than those of ordinary rows do, in standard
    deviations of that: so rows with different cells missing compare, and none is safe because one is hidden.
    """
    likelihood = passes.model.likelihood
    if not isinstance(likelihood, Mixed):
        if by == "likelihood":
            return -log_density(passes, scaling, examples, SCORE_SAMPLES)
        return passes.errors(examples)
    costs = cell_costs(passes, examples)
    known = ~np.isnan(costs)
    usual, spread = known @ likelihood.usual_cost.double().numpy(), known @ likelihood.spread.double().numpy()
    if by == "likelihood":
        total = -_log_prob(passes, examples, SCORE_SAMPLES, 0)
        usual = usual + float(likelihood.rest) * known.mean(1)
    else:
        total = np.nansum(costs, 1)
    score: NDArray[np.float64] = (total - usual) / np.sqrt(spread)
    return score


def calibrate_cells(passes: Passes, examples: Examples) -> None:
    """Set what cells of ordinary rows cost, by a table's ``examples``; nothing of what is no table."""
    likelihood = passes.model.likelihood
    if not isinstance(likelihood, Mixed):
        return
    costs = cell_costs(passes, examples)
    known = np.maximum((~np.isnan(costs)).sum(0), 1)
    usual = np.nansum(costs, 0) / known
    spread = np.nansum((costs - usual) ** 2, 0) / known
    likelihood.usual_cost.copy_(torch.from_numpy(usual))
    varied = spread > (ROUNDING * np.maximum(1, np.abs(usual))) ** 2
    likelihood.spread.copy_(torch.from_numpy(np.where(varied, spread, 1.0)))


def calibrate_rest(passes: Passes, examples: Examples) -> None:
    """Set what ordinary rows cost besides their cells, where codes are drawn, by a table's ``examples``."""
    likelihood, few = passes.model.likelihood, examples.subset(torch.arange(min(len(examples), MOST_HELD_OUT)))
    if not isinstance(likelihood, Mixed) or not (passes.model.bottleneck.draws and passes.model.prior.has_density):
        return
    known = ~np.isnan(np.concatenate([examples.take(places).x.numpy() for places in few.spans()]))
    rest = -_log_prob(passes, few, SCORE_SAMPLES, 0) - known @ likelihood.usual_cost.double().numpy()
    likelihood.rest.fill_(float((rest / known.mean(1)).mean()))


def _between(likelihood: Likelihood, examples: Examples) -> Examples:
    """Return scaled ``examples`` with the likelihood's ends for values beyond them, and say how many those are."""
    outside = sum(int((~likelihood.possible(examples.take(rows).x)).sum()) for rows in examples.spans())
    if not outside:
        return examples
    warnings.warn(
        f"{outside:,} of {len(examples) * examples.features:,} values are outside the training data's range, which a "
        f"{type(likelihood).__name__} likelihood is for, and count as its ends",
        stacklevel=2,
    )
    return replace(examples, read=lambda rows: examples.read(rows).clamp(*likelihood.support))


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
    if isinstance(passes.model.likelihood, Mixed):
        scores["reconstruction"] = oddness(passes, scaling, examples, "reconstruction")
    if passes.model.prior.has_density or not passes.model.bottleneck.draws:
        few = examples.subset(torch.arange(min(len(examples), MOST_HELD_OUT)))
        odd = oddness(passes, scaling, few, "likelihood")
        if np.isfinite(odd).all():  # they are not where a unit of the code never changes
            scores["likelihood"] = odd
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
    for epsilon in noise.split(max(1, MOST_NUMBERS // (len(x) * _widest(model)))):
        total = torch.logaddexp(total, model.log_weights(batch, epsilon).logsumexp(0))
    return total - math.log(samples)


def _widest(model: BottleneckModel) -> int:
    """Return how many numbers become of a code: the widest layer's units, or its density under each component."""
    return max(*map(len, model.decoder.parameters()), model.prior.components * len(model.prior.frequencies))
