"""Which cells of a row are odd, each given the others, and how seldom ordinary cells are as odd.

How surprising a cell is by the others is compared with the same of rows that were held out, column by column, which
makes it a p-value, whatever the model is worth. A wild value also makes what goes with it look odd. So the oddest cell
is hidden first, and what is odd without it is found again, while the oddest left passes Benjamini and Hochberg's test
(“Controlling the false discovery rate”, 1995) over the cells of its row. In the end each p-value is that of a cell
given those that are not named; a named one that no longer passes by these alone is let go. So is one that passes no
more without the most surprising of the others: where two contradict each other, either may be wrong, and neither is
called so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.columns.table import Table
from narrows.fitted.hidden_cells import HiddenCells, Pixels
from narrows.fitted.kept import MOST_NUMBERS, Kept, KeptViews
from narrows.fitted.local_gaussians import LocalGaussians
from narrows.fitted.passes import Passes
from narrows.models.bottlenecks import Point
from narrows.models.priors.mixtures import GaussianMixture
from narrows.training.examples import Examples

__all__ = ["FEWEST_ROWS", "Cells", "OddCells", "held_out_cells"]

Array = NDArray[np.float64]

ENOUGH, FOLDS = 50, 5
"""Held-out rows of numbers by which cells are calibrated. If there are fewer, all that are kept are, each fold by the
others."""

MOST_ROWS, FEWEST_ROWS, MOST_SURPRISING = 500, 3, 1e30
"""Held-out rows of a table, or images, whose cells are kept; how few cannot be compared with; and the largest number
that is kept of one."""

TAIL, SHARED, LEAST = 10, 500, 1e-2
"""One in so many ordinary cells of a column is in its tail; so many of the mean column count as well, where it is
measured; and the least that a tail's length is of the mean one's."""

ROUNDING = 1e-4
"""Nats by which the surprise at a missing cell is another in another batch, at most."""

MOST_ODD = 8
"""Cells of a row that are named, at most, and not more than half of them."""


class OddCells(NamedTuple):
    """Which cells of rows are odd.

    Attributes
    ----------
    surprise
        −log p of each cell, (n, d), given those of its row that are not odd.
    odd
        (n, d).
    """

    surprise: Array
    odd: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """How surprising cells are, and how surprising ordinary ones are.

    Attributes
    ----------
    given
        What a cell is by the others of its row.
    ordinary
        For each of d columns how surprising the cells of ordinary rows are, the different values sorted, and −log p of
        one as surprising; None where they are too few.
    tails
        Where each column's tail starts, and by how much those in it exceed that, on average, (d, 2).
    largest
        The largest −log p of each ordinary row's cells, sorted, (m,).
    gaps
        How surprising each ordinary row's missing cells are, (k, d), NaN of known ones; (0, d) where a file of an older
        narrows holds no rows.
    """

    given: LocalGaussians | HiddenCells | Pixels
    ordinary: tuple[tuple[Array, Array] | None, ...]
    tails: Array
    largest: Array
    gaps: Array

    @classmethod
    def of_rows(cls, passes: Passes, kept: Kept, classes: int) -> Self:
        """Return it, of rows of numbers, by those that are ``kept``; the model's nets see so many ``classes``."""
        z = passes.posterior(kept.examples(classes)).mean
        prior = passes.model.prior
        if not isinstance(prior, GaussianMixture):
            prior = GaussianMixture.of_codes(Point(z, z), torch.zeros(len(z), dtype=torch.int64), 1, 0)
        x, shares = kept.x.astype(np.float64), prior.shares(z).double().nan_to_num(1.0).numpy()
        none = np.zeros((len(x), 0), np.int64)
        if (held := kept.held_out) >= ENOUGH:
            given = LocalGaussians.of(x[held:], shares[held:])
            return cls._by(given, given.surprises(x[:held], None, none[:held]))
        found, fold = np.empty(x.shape), np.arange(len(x)) % FOLDS
        for one in np.unique(fold):
            others = LocalGaussians.of(x[fold != one], shares[fold != one])
            found[fold == one] = others.surprises(x[fold == one], None, none[fold == one])
        return cls._by(LocalGaussians.of(x, shares), found)

    @classmethod
    def of_held_out(
        cls, passes: Passes, found: NDArray[np.float32], table: Table | None, kept: Kept | KeptViews, classes: int
    ) -> Self:
        """Return it, of a table's rows or of images, by what `held_out_cells` has ``found``, (m, d).

        Missing cells are compared with those of rows that are ``kept``; the model's nets see so many ``classes``.
        """
        known = np.where(found == np.float32(-MOST_SURPRISING), np.nan, found).astype(np.float64)
        if table is None:
            return cls._by(Pixels(passes), known)
        given, gaps = HiddenCells(passes, table), np.zeros((0, found.shape[1]))
        if isinstance(kept, Kept) and len(kept):
            few = slice(kept.held_out or len(kept))
            x, context = kept.x[few].astype(np.float64), kept.examples(classes).context
            none = np.zeros((len(x), 0), np.int64)
            gaps = np.where(np.isnan(x), given.gaps(x, None if context is None else context[few], none), np.nan)
        return cls._by(given, known, gaps)

    @classmethod
    def _by(cls, given: LocalGaussians | HiddenCells | Pixels, found: Array, gaps: Array | None = None) -> Self:
        """Return it by how surprising cells of ordinary rows were ``found``, (m, d), and their ``gaps``, (k, d)."""
        ordinary = tuple(np.sort(own[~np.isnan(own)]) for own in found.T)
        excess = np.array([_tail(own) for own in ordinary])
        usual = float(excess[:, 1].mean()) or 1.0
        counts = np.array([_in_tail(len(own)) for own in ordinary])
        lengths = (counts * excess[:, 1] + SHARED * usual) / (counts + SHARED)
        tails = np.stack([excess[:, 0], np.maximum(lengths, LEAST * usual)], 1)
        begun = cls(
            given,
            tuple(map(_steps, ordinary)),
            tails,
            np.zeros(0),
            np.zeros((0, found.shape[1])) if gaps is None else gaps,
        )
        largest = np.nan_to_num(begun.against_ordinary(found)).max(1)
        # Both are of the first that were held out; what is kept may be fewer.
        both = min(len(found), len(begun.gaps))
        of_gaps = np.nan_to_num(begun.against_gaps(begun.gaps[:both])).max(1, initial=0.0)
        largest[:both] = np.maximum(largest[:both], of_gaps)
        return replace(begun, largest=np.sort(largest))

    def against_ordinary(self, found: Array) -> Array:
        """Return −log p of how surprising cells ``found`` (n, d) are; NaN stays.

        p is (1 + #{ordinary ones as surprising}) / (m + 1), and between two of these between theirs; from the start of
        the tail on, log p falls in proportion (Hill 1975).
        """
        result = np.zeros(found.shape)
        for place, (steps, (start, length)) in enumerate(zip(self.ordinary, self.tails, strict=True)):
            own = found[:, place]
            if steps is None:
                result[:, place] = np.where(np.isnan(own), np.nan, 0.0)
            else:
                result[:, place] = np.interp(np.minimum(own, start), *steps) + np.maximum(own - start, 0.0) / length
        return result

    def against_gaps(self, found: Array) -> Array:
        """Return −log p of how surprising missing cells ``found`` (n, d) are; NaN stays.

        p is (1 + #{ordinary rows whose cell is missing and as surprising}) / (k + 1), and what is more surprising than
        all of them is less probable by as much as the model says.
        """
        k, result = len(self.gaps), found.copy()
        for place, column in enumerate(self.gaps.T if k else ()):
            own, ordinary = found[:, place], np.sort(column[~np.isnan(column)])
            as_odd = len(ordinary) - np.searchsorted(ordinary, own - ROUNDING, side="left")
            most = ordinary[-1] if len(ordinary) else math.log(k + 1)
            result[:, place] = -np.log((1 + as_odd) / (k + 1)) + np.maximum(own - most - ROUNDING, 0.0)
        return np.where(np.isnan(found), np.nan, result)

    def _caution(self, rate: float) -> float:
        """Return what −log p is multiplied by, so that of ordinary rows at most that ``rate`` has an odd cell.

        It is less than 1 if columns' tails are longer than power laws say, as the held-out rows together show.
        """
        m = len(self.largest)
        limit = self.largest[min(math.ceil((m + 1) * (1 - rate)), m) - 1]
        # The row at the limit is none of them, in whatever batch it comes.
        return min(1.0, math.log(len(self.ordinary) / rate) / (limit + ROUNDING)) if limit > 0 else 1.0

    def odd(self, x: Array, context: Tensor | None, rate: float) -> OddCells:
        """Return which cells of scaled rows ``x`` (n, d) are odd, at a ``rate`` of false discoveries."""
        asked = _Asked(self, x, context, self._caution(rate))
        every = np.arange(len(x))
        first = asked.surprises(every, np.zeros((len(x), 0), np.int64))
        if isinstance(self.given, Pixels):
            return OddCells(first, _discoveries(first, rate))
        d = x.shape[1]
        most = max(1, min(MOST_ODD, d // 2))
        named, rows, now, found = np.full((len(x), most), -1), every, first, first.copy()
        for k in range(most):
            oddest = np.nanargmax(now, 1)
            passes = np.take_along_axis(now, oddest[:, None], 1)[:, 0] >= math.log(d / (rate * (k + 1)))
            rows = rows[passes]
            named[rows, k] = oddest[passes]
            if not len(rows):
                break
            now = asked.surprises(rows, named[rows, : k + 1])
            found[rows] = np.where(np.isnan(now), found[rows], now)
        odd, counts = np.zeros(x.shape, bool), (named >= 0).sum(1)
        for k in range(1, most + 1):
            rows = np.flatnonzero(counts == k)
            own, rivals = named[rows, :k], first[rows]
            np.put_along_axis(rivals, own, -np.inf, 1)
            rival = np.nan_to_num(rivals, nan=-np.inf).argmax(1)[:, None] if d > 1 else own[:, :0]
            for place in range(k if len(rows) else 0):
                cells, others = own[:, place], np.delete(own, place, 1)
                if k > 1:
                    found[rows, cells] = asked.surprise_at(cells, rows, others)
                without = asked.surprise_at(cells, rows, np.hstack([others, rival]))
                odd[rows, cells] = np.fmin(found[rows, cells], without) >= math.log(d / (rate * k))
        return OddCells(found, odd)


class _Asked(NamedTuple):
    """Says how surprising cells of the scaled rows ``x`` are, whose −log p is multiplied by ``caution``."""

    cells: Cells
    x: Array
    context: Tensor | None
    caution: float

    def surprises(self, rows: NDArray[np.int64], hidden: NDArray[np.int64]) -> Array:
        """Return −log p of all cells of ``rows`` (k,) given all but those ``hidden``, (k, d); NaN of these."""
        found = self._judged(rows, hidden, self.cells.given.surprises(self.x[rows], self._seen(rows), hidden))
        np.put_along_axis(found, hidden, np.nan, 1)
        return found

    def surprise_at(self, cells: NDArray[np.int64], rows: NDArray[np.int64], hidden: NDArray[np.int64]) -> Array:
        """Return the same of one cell of each row alone, at places ``cells`` (k,): (k,)."""
        given, each = self.cells.given, np.arange(len(rows))
        assert not isinstance(given, Pixels)
        found = np.full((len(rows), self.x.shape[1]), np.nan)
        found[each, cells] = given.surprise_at(cells, self.x[rows], self._seen(rows), hidden)
        one: Array = self._judged(rows, hidden, found)[each, cells]
        return one

    def _seen(self, rows: NDArray[np.int64]) -> Tensor | None:
        return None if self.context is None else self.context[torch.from_numpy(rows)]

    def _judged(self, rows: NDArray[np.int64], hidden: NDArray[np.int64], found: Array) -> Array:
        """Return −log p of how surprising cells were ``found`` (k, d)."""
        of, x = self.cells, self.x[rows]
        found = self.caution * of.against_ordinary(found)
        if isinstance(of.given, HiddenCells):
            found = np.maximum(found, of.given.new_levels(x))
            if (missing := np.isnan(x)).any():
                gaps = np.where(missing, of.given.gaps(x, self._seen(rows), hidden), np.nan)
                found = np.where(missing, of.against_gaps(gaps), found)
        return found


def held_out_cells(passes: Passes, examples: Examples, table: Table | None) -> NDArray[np.float32]:
    """Return how surprising the cells of some ordinary ``examples`` are, of a table's rows or images, (m, features).

    Of a missing cell it is −`MOST_SURPRISING`, for a file holds no NaN.
    """
    most = min(len(examples), MOST_ROWS, MOST_NUMBERS // examples.features)
    if not most:
        return np.zeros((0, examples.features), np.float32)
    batches = list(examples.subset(torch.arange(most)).chunks())
    x = torch.cat([batch.x for batch in batches]).double().numpy()
    contexts = [batch.context for batch in batches if batch.context is not None]
    given = Pixels(passes) if table is None else HiddenCells(passes, table)
    found = given.surprises(x, torch.cat(contexts) if contexts else None, np.zeros((len(x), 0), np.int64))
    known = found.clip(-MOST_SURPRISING / 2, MOST_SURPRISING)
    return np.where(np.isnan(found), -MOST_SURPRISING, known).astype(np.float32)


def _steps(ordinary: Array) -> tuple[Array, Array] | None:
    """Return the different ones of sorted values, and −log p of one as large as each; None if they are too few."""
    if len(ordinary) < FEWEST_ROWS:
        return None
    different, below = np.unique(ordinary, return_index=True)
    return different, -np.log1p(-below / (len(ordinary) + 1))


def _in_tail(m: int) -> int:
    return min(max(2, math.ceil(m / TAIL)), m - 1)


def _tail(ordinary: Array) -> tuple[float, float]:
    """Return where the tail of sorted values starts, and by how much those in it exceed that on average."""
    if len(ordinary) < FEWEST_ROWS:
        return 0.0, 0.0
    k = _in_tail(len(ordinary))
    start = float(ordinary[-k - 1])
    return start, float(ordinary[-k:].mean()) - start


def _discoveries(surprise: Array, rate: float) -> NDArray[np.bool_]:
    """Return which are discovered at that ``rate`` of false ones, by −log p of each row's cells, (n, d)."""
    d = surprise.shape[1]
    limits = np.log(d / (rate * np.arange(1, d + 1)))
    counts = ((np.sort(surprise, 1)[:, ::-1] >= limits) * np.arange(1, d + 1)).max(1)
    odd: NDArray[np.bool_] = surprise >= np.append(np.inf, limits)[counts][:, None]
    return odd
