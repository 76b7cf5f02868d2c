"""New rows of a table: any, or those that meet conditions, which are found among the codes and not among the rows.

Given its code, a row's cells are independent of each other, so that p(conditions | z) is a product of what each
column's likelihood gives a value, an interval or a set. Codes from the prior are drawn again by it
(sampling–importance–resampling, Rubin 1987), and then moved by steps that leave p(z | conditions) as it is (Metropolis
et al. 1953; as in Gilks & Berzuini, “Following a moving target”, 2001), so that few good codes become many.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from narrows.columns.given import Condition
from narrows.fitted.fitted import Fitted
from narrows.fitted.imputing import simulated
from narrows.models.likelihoods import Mixed
from narrows.training.processor import limited_threads

__all__ = ["new_rows"]

CODES, MOST_CODES, ROWS_A_CODE = 2**14, 2**18, 4
"""Drawn from the prior at a time, and at most; and how many rows may come from an effective one, moved apart."""

ROUNDS, STEP, BEST_RATE = 20, 2.38, 0.25
"""Steps of each code; their length at first, over √d, in deviations of p(z | conditions); and what part of them should
be taken (Gelman, Roberts & Gilks 1996)."""

FEW, HARDLY = 30, -30.0
"""Effective codes below which rows are too much alike, and the log-probability of what no code supports."""


@torch.no_grad()
def new_rows(
    fitted: Fitted,
    n: int,
    wanted: Tensor | None,
    conditions: Sequence[Condition],
    generator: torch.Generator,
    *,
    missing: bool,
) -> NDArray[np.float64]:
    """Return cells of new rows, (n, columns), NaN where they are missing.

    Parameters
    ----------
    fitted
        A model of a table.
    n
        How many.
    wanted
        The class of each, (n,), or None.
    conditions
        That all of them are to meet.
    generator
        Of all chance.
    missing
        Whether cells are missing as they are in the training data; those with a condition never are.

    Raises
    ------
    ValueError
        If no code supports the conditions.

    Warns
    -----
    UserWarning
        If few do.
    """
    model, asked = fitted.model, [(one.place, _scaled(fitted, one)) for one in conditions]
    with limited_threads(1):
        if not conditions:
            z, labels = model.prior.sample(n, generator, wanted)
        elif wanted is None:
            z, labels = _Search(fitted, conditions, asked, generator).codes(n, None)
        else:
            z, labels = torch.zeros(n, fitted.latent_dim), wanted
            for label in wanted.unique():
                rows = (wanted == label).nonzero().squeeze(1)
                z[rows] = _Search(fitted, conditions, asked, generator).codes(len(rows), label)[0]
        context = one_hot(labels, len(fitted.require_classes())).float() if fitted.conditional else None
        cells = torch.from_numpy(simulated(fitted, z, context, generator))
        if asked:
            assert isinstance(model.likelihood, Mixed)
            h = model.output(model.bottleneck.snap(z), context)
            for place, ends in asked:
                cells[:, place] = model.likelihood.simulate_within(h, place, ends, generator).double()
        known = [place for place, _ in asked]
        gaps = model.gaps.simulate(z, known, generator) if missing and model.gaps is not None else None
    made = fitted.scaling.undo(cells.numpy()).astype(np.float64)
    for one in conditions:
        made[:, one.place] = one.settled(made[:, one.place])
    if gaps is not None:
        made[gaps.numpy()] = math.nan
    return made


def _scaled(fitted: Fitted, condition: Condition) -> Tensor:
    """Return what a condition asks, as `Mixed.log_chance` takes it."""
    if condition.ends is None:
        assert condition.levels is not None
        return torch.from_numpy(condition.levels)
    offset, scale = fitted.scaling.offset[condition.place], fitted.scaling.scale[condition.place]
    return torch.from_numpy((condition.ends - offset) / scale)


class _Search:
    """Codes from p(z | conditions), of one class or of any.

    Parameters
    ----------
    fitted, conditions, generator
        As in `new_rows`.
    asked
        The conditions, scaled.
    """

    def __init__(
        self,
        fitted: Fitted,
        conditions: Sequence[Condition],
        asked: Sequence[tuple[int, Tensor]],
        generator: torch.Generator,
    ) -> None:
        self.fitted, self.conditions, self.asked, self.generator = fitted, conditions, asked, generator

    def codes(self, n: int, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return ``n`` codes, and the classes of these, (n,)."""
        z, labels, log_weights = self._drawn(n, label)
        said = "; ".join(one.words for one in self.conditions)
        if float(log_weights.max()) < HARDLY:
            raise ValueError(
                f"{said}: no code of {len(z):,} from the prior supports this (an effective sample size of 0)"
            )
        weights = (log_weights - log_weights.max()).exp()
        effective = float(weights.sum() ** 2 / weights.square().sum())
        if effective < FEW:
            warnings.warn(
                f"{said}: of {len(z):,} codes from the prior few support this (an effective sample size of "
                f"{effective:.1f}), so the rows follow it less well than others would",
                stacklevel=6,
            )
        # Evenly spaced along the cumulated weights, so that a code's copies differ least from its share.
        start = torch.rand((), generator=self.generator, dtype=torch.float64)
        shares = (weights / weights.sum()).cumsum(0)
        rows = torch.searchsorted(shares, (torch.arange(n) + start) / n).clamp_max(len(z) - 1)
        rows = rows[torch.randperm(n, generator=self.generator)]
        spread = torch.cov(z.T.double(), aweights=weights).reshape(2 * (z.shape[1],))
        if not self.fitted.model.prior.has_density:
            return z[rows], labels[rows]
        return self._moved(z[rows], labels[rows], log_weights[rows], spread), labels[rows]

    def _drawn(self, n: int, label: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return codes from the prior, their classes, and log p(conditions | z), until these are worth ``n``."""
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        copies = ROWS_A_CODE if self.fitted.model.prior.has_density else 1
        while True:
            wanted = None if label is None else label.expand(CODES)
            z, labels = self.fitted.model.prior.sample(CODES, self.generator, wanted)
            found.append((z, labels, self._log_chance(z, labels)))
            z, labels, log_weights = (torch.cat(each) for each in zip(*found, strict=True))
            effective = (2 * log_weights.logsumexp(0) - (2 * log_weights).logsumexp(0)).exp()
            if effective * copies >= n or len(z) >= MOST_CODES:
                return z, labels, log_weights

    def _log_chance(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return log p(conditions | z), (n,), in 64 bits."""
        fitted, model = self.fitted, self.fitted.model
        context = one_hot(labels, len(fitted.require_classes())).float() if fitted.conditional else None
        h = model.output(model.bottleneck.snap(z), context)
        assert isinstance(model.likelihood, Mixed)
        each = [model.likelihood.log_chance(h, place, wanted).double() for place, wanted in self.asked]
        return torch.stack(each).sum(0).nan_to_num(-math.inf)

    def _moved(self, z: Tensor, labels: Tensor, log_chance: Tensor, spread: Tensor) -> Tensor:
        """Return codes after some steps of Metropolis's, whose length follows how many are taken."""
        d, prior = z.shape[1], self.fitted.model.prior
        values, axes = torch.linalg.eigh(spread)
        reach, length = (axes * values.clamp_min(0).sqrt()).float(), STEP / math.sqrt(d)

        def log_joint(codes: Tensor, chance: Tensor) -> Tensor:
            return chance + prior.class_log_probs(codes).gather(1, labels[:, None]).squeeze(1).double()

        now = log_joint(z, log_chance)
        for _ in range(ROUNDS):
            step = torch.randn(z.shape, generator=self.generator) @ reach.T
            moved = z + length * step
            then = log_joint(moved, self._log_chance(moved, labels))
            taken = torch.rand(len(z), generator=self.generator, dtype=torch.float64).log() < then - now
            z, now = torch.where(taken[:, None], moved, z), torch.where(taken, then, now)
            length *= 1.2 if float(taken.double().mean()) > BEST_RATE else 1 / 1.2
        return z
