"""A table's columns as a page needs them: what nets see of a row, what cells are in words, and how errors count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narrows.columns.column import LEVELS, SLACK, Column, zone_of
from narrows.fitted.fitted import Fitted
from narrows.models.coding import Coding
from narrows.models.likelihoods import Mixed
from narrows.web.rows import Columns

__all__ = ["PortableColumn", "PortableTable", "columns_of", "table_of"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PortableColumn:
    """A column that the model learned from.

    Attributes
    ----------
    name, kind
        Its own.
    levels, shares
        Of one with levels, their names, and how frequent each is that the model tells apart.
    ends
        Where its range begins and ends, in cells.
    low, high, step
        The same in its own unit, and the grid that its values lie on, 0 for none.
    heaps, slack
        Pairs of a cell and the value that it stands for exactly, as does what is nearer to it than ``slack``.
    form, zone, span
        How a text writes a date, "" for none; a date's time zone; whether it holds spans of time.
    decimals
        Digits after a number's point; −1 where a cell is no number.
    """

    name: str
    kind: str
    levels: list[str]
    shares: list[float]
    ends: tuple[float, float]
    low: float
    high: float
    step: float
    heaps: list[tuple[float, float]]
    slack: float
    form: str
    zone: str
    span: bool
    decimals: int


@dataclass(frozen=True, slots=True)
class PortableTable:
    """What nets see of cells, as `narrows.models.coding.Coding` has it, and what else a table asks for.

    Attributes
    ----------
    measured
        The places of numbers: their mean, their deviation, and the highest, past which one is missing, if there is one.
    binary
        The places of columns of two levels.
    levels
        Of those of more, the place, how many inputs they have, and how many levels.
    noisy
        The places of numbers that noise is put on.
    stretched, stretch
        The places of numbers whose distance from their mean is multiplied by the second where cells are missing.
    """

    measured: list[tuple[int, float, float, float | None]]
    binary: list[int]
    levels: list[tuple[int, int, int]]
    noisy: list[int]
    stretched: list[int]
    stretch: float


def table_of(fitted: Fitted) -> PortableTable | None:
    """Return what a model of a table needs besides its columns; None of any other."""
    coding, likelihood, noise = fitted.model.coding, fitted.model.likelihood, fitted.model.corruption
    if not isinstance(coding, Coding) or not isinstance(likelihood, Mixed):
        return None
    numbers = zip(coding.numbers.tolist(), coding.centre.tolist(), coding.width_of.tolist(), strict=True)
    highest = [end if math.isfinite(end) else None for end in coding.highest.tolist()]
    return PortableTable(
        [(*each, end) for each, end in zip(numbers, highest, strict=True)],
        coding.binary.tolist(),
        list(zip(coding.levels.tolist(), (coding.last + 1).tolist(), coding.seen.tolist(), strict=True)),
        list(noise.numbers or ()),
        likelihood.are_numbers.nonzero().flatten().tolist(),
        float(likelihood.stretch),
    )


def columns_of(columns: Columns) -> list[PortableColumn]:
    """Return the columns of a model's examples."""
    ends = np.stack(columns.ends, 1).tolist()
    decimals = [heading.decimals for heading in columns.headings]
    return [_column(*each) for each in zip(columns.columns, ends, decimals, strict=True)]


def _column(column: Column, ends: Sequence[float], decimals: int) -> PortableColumn:
    counts = np.array(column.counts, np.float64) if column.kind in LEVELS else np.zeros(0)
    last = max(column.outputs - 1, 0)
    shares = np.array([*counts[:last], counts[last:].sum()]) / counts.sum() if len(counts) else counts
    edges = np.array(column.edges).reshape(-1, 2)
    alone = edges[edges[:, 0] == edges[:, 1], 0].tolist()
    return PortableColumn(
        str(column.name),
        column.kind,
        [str(level) for level in column.levels],
        shares.tolist(),
        (ends[0], ends[1]),
        column.low,
        column.high,
        column.step,
        list(zip(alone, column.heaps, strict=True)),
        SLACK * float(np.ptp(edges)) if len(edges) else 0.0,
        column.form,
        zone_of(column.dtype) or "",
        column.family == "span",
        decimals,
    )
