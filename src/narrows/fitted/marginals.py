"""What a model says of each cell of a row, given its code, or given some of its cells: a value, a range, chances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.fitted.fitted import Fitted
from narrows.fitted.known_cells import log_known, weighted_codes
from narrows.models.likelihoods import Mixed
from narrows.models.likelihoods.levels import Levels
from narrows.models.likelihoods.located import Located
from narrows.models.model import Batch
from narrows.training.examples import Examples
from narrows.training.processor import limited_threads

__all__ = ["Marginals", "at_code", "given_cells"]

CODES, ENOUGH = 2048, 100
"""Drawn from the prior where cells are given, and of how many effective ones the answer is made."""

MOST_KNOWN = 0.5
"""Fraction of unknown cells below which most are known."""

DRAWS, ENDS = 400, (0.1, 0.9)
"""Cells drawn of each column, and between which of their quantiles a number lies."""


@dataclass(frozen=True, slots=True, eq=False)
class Marginals:
    """What is said of one row's cells, each by itself.

    Attributes
    ----------
    z
        (latent_dim,) its code, or the mean of those that it may have.
    cells
        (columns,) of numbers the mean, of levels the most probable one's place.
    low, high
        (columns,) the 10 % and the 90 % quantile of numbers; NaN of levels, and where a likelihood has no draws.
    chances
        For each column the probabilities of its levels, (levels,); of numbers (0,).
    """

    z: NDArray[np.float32]
    cells: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    chances: tuple[NDArray[np.float64], ...]


@torch.no_grad()
def at_code(fitted: Fitted, z: NDArray[np.float32], context: Tensor | None) -> Marginals:
    """Return what the code ``z`` (latent_dim,) stands for, of the class that ``context`` (1, classes) says, if any."""
    with limited_threads(1):
        return _marginals(fitted, torch.from_numpy(z)[None, None], torch.ones(1, 1), context)


@torch.no_grad()
def given_cells(fitted: Fitted, cells: NDArray[np.float64], context: Tensor | None) -> Marginals:
    """Return what follows of a row from those of its ``cells`` (columns,) that are not NaN, by p(z | these).

    Codes come from the prior and weigh p(these | z), so that few cells leave open all that goes with them. Of rows of
    which more is known than not, and where too few codes count, they come from around the mode, as for a filling
    (`narrows.fitted.imputing`).
    """
    model, unknown = fitted.model, np.isnan(cells)
    x = torch.from_numpy(fitted.scaling.apply(cells[None]).astype(np.float32))
    batch = Batch(x, context)
    with limited_threads(1):
        wanted = None if context is None else context.argmax(1).expand(CODES)
        z = model.prior.sample(CODES, torch.Generator().manual_seed(0), wanted)[0][:, None]
        log_weights = log_known(model, x, model.output(model.bottleneck.snap(z), context))
        effective = (2 * log_weights.logsumexp(0) - (2 * log_weights).logsumexp(0)).exp()
        weights = log_weights.softmax(0).float()
        if unknown.mean() < MOST_KNOWN or not float(effective) >= ENOUGH:
            seen = x if fitted.table is not None else x.nan_to_num(0.0)  # whose encoder knows no gaps
            own = fitted.on("cpu").posterior(Examples.of(seen, context, fitted.features)).mean
            z, _, weights = weighted_codes(model, batch, own, seed=0)
        found = _marginals(fitted, z, weights, context)
    low, high = (np.where(unknown, end, math.nan) for end in (found.low, found.high))
    return Marginals(found.z, np.where(unknown, found.cells, cells), low, high, found.chances)


def _marginals(fitted: Fitted, z: Tensor, weights: Tensor, context: Tensor | None) -> Marginals:
    """Return what codes ``z`` (k, 1, latent_dim) stand for together, with ``weights`` (k, 1) that sum to 1."""
    model, generator = fitted.model, torch.Generator().manual_seed(0)  # alike for codes that are, so that bars glide
    likelihood = model.likelihood
    h = model.output(model.bottleneck.snap(z), context)
    drawn_of = h[torch.multinomial(weights[:, 0], DRAWS, replacement=True, generator=generator), 0]
    drawn = torch.full((DRAWS, fitted.features), math.nan)
    chances: list[NDArray[np.float64]] = [np.zeros(0)] * fitted.features
    if isinstance(likelihood, Mixed):
        mean = likelihood.mix(h, weights)[0]
        for part, places, own in likelihood.by_part(h):
            if isinstance(part, Levels):
                for place, each in zip(places, part.chances(own, weights), strict=True):
                    chances[place] = each[0].double().numpy()
        for part, places, own in likelihood.by_part(drawn_of):
            if not isinstance(part, Levels):
                drawn[:, places] = part.simulate(own, generator)
        if len(z) > 1:
            stretched = mean + likelihood.stretch * (drawn - mean)
            drawn = torch.where(likelihood.are_numbers, stretched, drawn)
    else:
        mean = (likelihood.mean(h) * weights[..., None]).sum(0)[0]
        if isinstance(likelihood, Located):
            drawn = likelihood.simulate(drawn_of, generator)
    ends = drawn.quantile(torch.tensor(ENDS), 0)  # NaN where any is
    cells, low, high = fitted.scaling.undo(torch.stack([mean, *ends]).double().numpy())
    return Marginals((z * weights[..., None]).sum(0)[0].numpy(), cells, low, high, tuple(chances))
