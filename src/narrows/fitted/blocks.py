"""Learning from more rows than memory holds: a sample of them for all that looks at some, and all of them in an epoch.

Which rows are held out, which are in the sample, and the order of an epoch depend on the rows and the seed alone, not
on memory; nothing that is kept grows with their number, but a count for each row group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.data.fingerprints import shares
from narrows.data.parquet_rows import ParquetRows

__all__ = ["Blocks", "Sample", "at_once"]

MIXED_ROWS, MIXED_NUMBERS = 2**16, 2**21
"""Rows that are mixed with each other in an epoch, and numbers in them."""

FEWEST_GROUPS, MOST_GROUPS = 4, 64
"""Row groups from which these rows come."""

SAMPLED, HELD_OUT, SAMPLED_NUMBERS = 50_000, 10_000, 2**22
"""Rows of a sample, of those that are learned from and of those held out, and numbers in either."""

Rows = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Sample:
    """Some rows by chance, as likely each as any other.

    Attributes
    ----------
    held_out, seen
        Of those that are held out, and of those that are learned from.
    places
        Which of all rows the former are.
    boundary
        Where one ends and the other begins, by `narrows.data.fingerprints.shares`.
    counts
        How many rows of each row group are learned from.
    """

    held_out: Rows
    places: NDArray[np.int64]
    seen: Rows
    boundary: float
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, rows: ParquetRows, held_out: float) -> Self:
        """Return it, holding out that fraction; what is sampled are the rows of the least of other shares."""
        features = rows.width
        boundary = rows.low + (1 - rows.low) * held_out
        both = (_Reservoir.of(HELD_OUT, rows), _Reservoir.of(SAMPLED, rows))
        counts = np.zeros(len(rows.groups), np.int64)
        for number, group in enumerate(rows.groups):
            first = group.first
            for x in rows.read(group, at_once(features)):
                share, places = shares(x), np.arange(first, first + len(x))
                seen = share >= boundary
                for own, reservoir in zip(((share >= rows.low) & ~seen, seen), both, strict=True):
                    reservoir.add(x[own], places[own])
                counts[number] += int(seen.sum())
                first += len(x)
        if counts.sum() < 2:
            raise ValueError(
                f"validation_fraction={held_out:g} leaves {counts.sum()} of {len(rows):,} rows to learn from; at least "
                "two are needed"
            )
        return cls(both[0].rows, both[0].places, both[1].rows, boundary, counts)


@dataclass
class _Reservoir:
    """Those rows, at most so ``many``, whose ``keys`` are least, in the order of these, and their ``places``."""

    many: int
    rows: Rows
    places: NDArray[np.int64]
    keys: NDArray[np.float64]

    @classmethod
    def of(cls, many: int, rows: ParquetRows) -> Self:
        most = max(2, min(many, SAMPLED_NUMBERS // rows.width))
        return cls(most, np.zeros((0, rows.width), rows.dtype), np.zeros(0, np.int64), np.zeros(0))

    def add(self, rows: Rows, places: NDArray[np.int64]) -> None:
        keys = shares(rows, places + 1)
        if len(self.keys) == self.many:
            low = keys < self.keys[-1]
            rows, places, keys = rows[low], places[low], keys[low]
        both = np.concatenate([self.keys, keys])
        least = np.argsort(both, kind="stable")[: self.many]
        self.rows = np.concatenate([self.rows, rows])[least]
        self.places, self.keys = np.concatenate([self.places, places])[least], both[least]


@dataclass(frozen=True, eq=False)
class Blocks:
    """All rows that are learned from, in an order by chance in which they can be read.

    An epoch takes row groups in an order by chance, several at a time, and mixes what it reads of these.

    Attributes
    ----------
    rows, boundary, counts
        As in `Sample`.
    scaled
        What makes inputs of them.
    """

    rows: ParquetRows
    boundary: float
    counts: NDArray[np.int64]
    scaled: Callable[[Rows], Tensor]

    def __len__(self) -> int:
        return int(self.counts.sum())

    def on(self, device: torch.device) -> Self:
        """Return them as they are given out on ``device``."""
        return replace(self, scaled=lambda rows: self.scaled(rows).to(device))

    def epoch(self, seed: int, begin: int) -> Iterator[Tensor]:
        """Yield the inputs of an epoch in the order of ``seed``, some thousands at a time, from number ``begin`` on."""
        for number, some in enumerate(self._together(np.random.default_rng(seed).permutation(len(self.counts)))):
            count = int(self.counts[some].sum())
            if begin >= count:
                begin -= count
                continue
            random = np.random.default_rng([seed, number])
            for x in self._mixed(some, random):
                if begin < len(x):
                    yield self.scaled(x[begin:])
                begin = max(0, begin - len(x))

    def _together(self, order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Yield the numbers of row groups that are mixed, one set after another."""
        some, rows = list[int](), 0
        for group in order.tolist():
            some.append(group)
            rows += self.rows.groups[group].rows
            if len(some) == MOST_GROUPS or (len(some) >= FEWEST_GROUPS and rows >= MIXED_ROWS):
                yield np.array(some)
                some, rows = [], 0
        if some:
            yield np.array(some)

    def _mixed(self, some: Sequence[int] | NDArray[np.int64], random: np.random.Generator) -> Iterator[Rows]:
        each = max(1, at_once(self.rows.width) // len(some))
        lanes = [self.rows.read(self.rows.groups[group], each) for group in some]
        while pieces := [x for lane in lanes if (x := next(lane, None)) is not None]:
            x = np.concatenate(pieces)
            x = x[shares(x) >= self.boundary]
            yield x[random.permutation(len(x))]


def at_once(features: int) -> int:
    """Return how many rows are read at a time."""
    return max(1, min(MIXED_ROWS, MIXED_NUMBERS // features))
