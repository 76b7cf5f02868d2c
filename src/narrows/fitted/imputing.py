"""Cells from codes: new ones, and those that are missing, given the known ones of their row."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.fitted.fitted import Fitted
from narrows.fitted.known_cells import codes_of, weighted_codes
from narrows.fitted.passes import Passes
from narrows.models.likelihoods import Mixed
from narrows.models.model import BottleneckModel
from narrows.training.examples import Examples
from narrows.training.processor import limited_threads

__all__ = ["calibrate_fillings", "imputed", "simulated"]

MOST_ROWS, HIDDEN, ENOUGH_HIDDEN, MOST_COPIES, FEWEST_HIDDEN, DRAWS = 500, 0.15, 2000, 8, 50, 64
"""Rows that intervals are calibrated on, the fraction of their cells that is hidden, how many hidden cells are enough,
in how many copies of the rows at most, of how few nothing follows, and how many draws an interval is of."""

LEAST_REACH = 1e-4
"""Of half an interval, scaled."""

ROWS_AT_ONCE, NUMBERS_AT_ONCE = 1024, 2**22
"""Filled at once, so that what is computed once for all of them costs little; and in the decoder's outputs, and in its
derivatives by codes, of those that are wide."""


@torch.no_grad()
def simulated(fitted: Fitted, z: Tensor, context: Tensor | None, generator: torch.Generator) -> NDArray[np.float64]:
    """Return scaled cells drawn from p(x | z) of codes ``z`` (n, latent_dim), (n, columns)."""
    model = fitted.model
    assert isinstance(model.likelihood, Mixed)
    parts = Examples.of(z, context, fitted.features).chunks()
    with limited_threads(1):
        cells = [model.likelihood.simulate(model.output(model.bottleneck.snap(x), c), generator) for x, c, _ in parts]
    drawn: NDArray[np.float64] = torch.cat(cells).double().numpy()
    return drawn


@torch.no_grad()
def imputed(
    fitted: Fitted, examples: Examples, draws: int | None, seed: int, device: str
) -> Sequence[NDArray[np.float64]]:
    """Return the scaled cells, (n, columns), that a table's ``examples`` are to be filled with, as often as asked.

    Parameters
    ----------
    fitted, examples
        A model of a table, and rows.
    draws
        How many fillings to draw; None for the mean one.
    seed, device
        Of all chance; and where the encoder works.
    """
    if not len(examples):
        return [np.zeros((0, fitted.features))] * (draws or 1)
    model, generator = fitted.model, torch.Generator().manual_seed(seed)
    own = fitted.on(device).posterior(examples).mean
    filled: list[list[Tensor]] = [[] for _ in range(draws or 1)]
    with limited_threads(1):
        for places in torch.arange(len(examples)).split(_rows_at_once(model)):
            _, h, weights = weighted_codes(model, examples.take(places), own[places], seed)
            mean, drawn = _fillings(model, h, weights, draws or 0, generator)
            for so_far, cells in zip(filled, [mean] if draws is None else drawn, strict=True):
                so_far.append(cells)
    return [torch.cat(cells).double().numpy() for cells in filled]


@torch.no_grad()
def calibrate_fillings(passes: Passes, examples: Examples, seed: int) -> None:
    """Set how much further than its model says a table's missing numbers are from their mean, by ``examples``.

    Some of their known cells are hidden, and filled: 90 % of the numbers among them must be within the interval that
    draws give (split conformal prediction; Lei et al. 2018).
    """
    model = passes.model
    if not isinstance(model.likelihood, Mixed):
        return
    x, context = _all_of(examples.subset(torch.arange(min(len(examples), MOST_ROWS))))
    generator = torch.Generator().manual_seed(seed)
    independent = len(x)  # cells of one row are off together
    copies = math.ceil(min(MOST_COPIES, ENOUGH_HIDDEN / max(1.0, HIDDEN * float((~x.isnan()).sum()))))
    x, context = x.repeat(copies, 1), None if context is None else context.repeat(copies, 1)
    seen = x.masked_fill(torch.rand(x.shape, generator=generator) < HIDDEN, math.nan)
    some = (~seen.isnan()).any(1)
    x, hidden = x[some], Examples.of(seen[some], None if context is None else context[some], passes.features)
    own, ratios = passes.posterior(hidden).mean, []
    with limited_threads(1):
        for places in torch.arange(len(hidden)).split(_rows_at_once(model)):
            batch = hidden.take(places)
            _, h, weights = weighted_codes(model, batch, own[places], seed)
            mean, drawn = _fillings(model, h, weights, DRAWS, generator)
            ends = torch.stack(drawn).float().quantile(torch.tensor([0.05, 0.95]), 0) - mean
            off = x[places] - mean
            reach = torch.where(off > 0, ends[1], ends[0]).abs().clamp_min(LEAST_REACH)
            chosen = batch.x.isnan() & ~x[places].isnan() & model.likelihood.are_numbers
            ratios.append((off.abs() / reach)[chosen])
    each = torch.cat(ratios)
    if len(each) >= FEWEST_HIDDEN:
        model.likelihood.stretch.mul_(each.quantile(min(1.0, 0.9 * (1 + 1 / independent))))


def _all_of(examples: Examples) -> tuple[Tensor, Tensor | None]:
    batches = list(examples.chunks())
    context = None if batches[0].context is None else torch.cat([batch.context for batch in batches])  # type: ignore[misc]
    return torch.cat([batch.x for batch in batches]), context


def _rows_at_once(model: BottleneckModel) -> int:
    assert isinstance(model.likelihood, Mixed)
    d, width = model.prior.latent_dim, model.likelihood.width
    return max(1, min(ROWS_AT_ONCE, NUMBERS_AT_ONCE // max(codes_of(d) * width, d * (d + width))))


def _fillings(
    model: BottleneckModel, h: Tensor, weights: Tensor, draws: int, generator: torch.Generator
) -> tuple[Tensor, list[Tensor]]:
    """Return the mean of cells (n, columns) by outputs ``h`` (k, n, width) and their weights, and ``draws`` of them."""
    likelihood = model.likelihood
    assert isinstance(likelihood, Mixed)
    mean = likelihood.mix(h, weights)
    chosen = torch.multinomial(weights.T, draws, replacement=True, generator=generator) if draws else weights[:0].T
    drawn = []
    for places in chosen.long().T:
        cells = likelihood.simulate(h[places, torch.arange(len(mean))], generator)
        drawn.append(torch.where(likelihood.are_numbers, mean + likelihood.stretch * (cells - mean), cells))
    return mean, drawn
