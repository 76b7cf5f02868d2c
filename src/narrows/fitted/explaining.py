"""Why an example is odd: its odd cells, and the nearest ordinary example, whose other cells are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narrows.columns.coded import Coded
from narrows.columns.showing import number_text
from narrows.fitted.fitted import Fitted
from narrows.fitted.kept import Kept
from narrows.fitted.scores import oddness
from narrows.training.examples import Examples

__all__ = ["Explanation", "Nearest", "nearest_ordinary", "sentences"]

Array = NDArray[np.float64]

ONE_BY_ONE = 4
"""So many of a row's cells are changed one by one, and of more a quarter again at a time."""

NAMED, LEAST_SAID = 5, 1e-6
"""Cells that a sentence names, at most; and the p-value below which no other is said, as held-out rows are few."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why examples are odd, or not.

    Attributes
    ----------
    columns
        Of the cells: the columns that are learned from, or ``()`` for pixels.
    p_values
        How seldom an ordinary cell is as odd, given those cells of its row that are not odd, (n, columns) or (n, …).
    odd
        Which cells are odd, of the same shape, at this ``rate`` of false discoveries over the cells of a row
        (Benjamini & Hochberg 1995).
    ordinary
        The nearest ordinary examples, as X: without odd cells, and no odder as a whole than the model's threshold. The
        odd cells are as the others make them likeliest; if that is not enough, so are others, one after another.
    changed
        Which cells of ``ordinary`` are not those of X, of the shape of ``p_values``.
    is_ordinary
        (n,). Where it is False, none of these changes made the example ordinary, and ``ordinary`` holds the last.
    was_ordinary
        (n,). Whether the example as it came is no odder as a whole than the threshold; single cells may be odd.
    sentences
        What there is to say of each example, a line each.
    rate
        The model's ``false_alarms``, or the one that was asked for; more where too few were held out to promise as
        little.
    """

    columns: tuple[str, ...]
    p_values: Array
    odd: NDArray[np.bool_]
    ordinary: Any
    changed: NDArray[np.bool_]
    is_ordinary: NDArray[np.bool_]
    was_ordinary: NDArray[np.bool_]
    sentences: tuple[str, ...]
    rate: float

    def __str__(self) -> str:
        return "\n".join(f"{row}: {said}" for row, said in enumerate(self.sentences))


class Nearest(NamedTuple):
    """The nearest ordinary examples, scaled, and which cells are new, (n, d); and whether they are it, (n,).

    Whether they ``were``, too, as they came: a row may be ordinary as a whole and one of its cells odd.
    """

    x: Array
    changed: NDArray[np.bool_]
    is_ordinary: NDArray[np.bool_]
    were: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Judge:
    """Says which scaled rows are ordinary: no odder ``by`` a score than the ``limit``."""

    fitted: Fitted
    by: str
    device: str
    limit: float

    def __call__(self, x: Array, context: Tensor | None) -> NDArray[np.bool_]:
        fitted, examples = self.fitted, Examples.of(torch.from_numpy(x.astype(np.float32)), context)
        passes = fitted.on(self.device)
        if self.by == "auto" and fitted.joined is not None:
            scores = fitted.joined.scores(passes, examples)
        else:
            scores = oddness(passes, fitted.scaling, examples, self.by)
        ordinary: NDArray[np.bool_] = scores <= self.limit
        return ordinary


def nearest_ordinary(
    fitted: Fitted,
    x: Array,
    context: Tensor | None,
    surprise: Array,
    odd: NDArray[np.bool_],
    by: str,
    limit: float,
    device: str,
) -> Nearest:
    """Return the nearest ordinary examples of scaled rows ``x`` (n, d), whose classes are the ``context``.

    Cells become what the others make them likeliest to be: all that are odd, and then, while the row is odd, the next
    by ``surprise``. Where even a row of all new cells is odd, the nearest of the examples that the model keeps is
    taken, if it keeps ordinary ones.

    Parameters
    ----------
    fitted, x, context
        A model, and rows for it.
    surprise, odd
        As `narrows.fitted.cells.OddCells` has them.
    by, limit, device
        The anomaly score by which a row is odd, and above which it is; where the nets work.
    """
    judge, found, changed = _Judge(fitted, by, device, limit), x.copy(), np.zeros(x.shape, bool)
    is_ordinary = judge(x, context)
    were = is_ordinary.copy()
    sizes, order = odd.sum(1), np.argsort(np.where(odd, -np.inf, -surprise), 1, kind="stable")
    rows = np.flatnonzero((sizes > 0) | ~is_ordinary)
    sizes[rows] = np.maximum(sizes[rows], 1)
    while len(rows):
        for size in np.unique(sizes[rows]):
            some = rows[sizes[rows] == size]
            hidden = order[some, :size]
            changed[some[:, None], hidden] = True
            found[some[:, None], hidden] = fitted.cells.given.expected(x[some], _of(context, some), hidden)
        is_ordinary[rows] = judge(found[rows], _of(context, rows))
        rows = rows[~is_ordinary[rows] & (sizes[rows] < x.shape[1])]
        sizes[rows] = np.minimum(sizes[rows] + np.maximum(1, sizes[rows] // ONE_BY_ONE), x.shape[1])
    rows, others = np.flatnonzero(~is_ordinary), _whole_ones(fitted)
    if len(rows) and len(others) and context is None:
        others = others[judge(others, None)]
        numbers = (lambda cells: cells) if fitted.table is None else Coded(fitted.table.modelled).numbers
        for row in rows if len(others) else ():
            found[row] = others[np.square(numbers(others) - numbers(x[row][None])).sum(1).argmin()]
            changed[row], is_ordinary[row] = found[row] != x[row], True
    return Nearest(found, changed & (found != x), is_ordinary, were)  # a level may well be what the others expect


def _whole_ones(fitted: Fitted) -> Array:
    """Return those examples that the model keeps of which no cell is missing, (m, d)."""
    kept = fitted.reference.kept
    if not isinstance(kept, Kept):
        return np.zeros((0, fitted.features))
    return kept.x[~np.isnan(kept.x).any(1)].astype(np.float64)


def _of(context: Tensor | None, rows: NDArray[np.int64]) -> Tensor | None:
    return None if context is None else context[torch.from_numpy(rows)]


def sentences(
    columns: Sequence[str], found: Nearest, p_values: Array, before: NDArray[Any], after: NDArray[Any]
) -> tuple[str, ...]:
    """Return what there is to say of each example, (n,).

    Parameters
    ----------
    columns
        Names of the d columns; none for pixels.
    found, p_values
        The nearest ordinary examples, and what the cells have, (n, d).
    before, after
        The cells as they were and are, numbers or texts (n, d); "" where one is missing. Unused for pixels.
    """
    said = []
    for row, changed in enumerate(found.changed):
        places = np.flatnonzero(changed)
        places = places[np.argsort(p_values[row, places], kind="stable")]
        if not len(places):
            said.append("ordinary")
            continue
        would = "would be ordinary" if found.is_ordinary[row] else "would be odd even"
        would = "ordinary as a whole, and likelier" if found.were[row] else would
        if not columns:
            said.append(f"{would} with {len(places):,} of {changed.size:,} pixels as they come back")
            continue
        each = [
            f"{columns[place]} {_text(after[row, place])} instead of {_text(before[row, place])} "
            f"({_chance(p_values[row, place])})"
            for place in places[:NAMED]
        ]
        more = f" and {len(places) - NAMED:,} more" if len(places) > NAMED else ""
        said.append(f"{would} with {', '.join(each)}{more}")
    return tuple(said)


def _text(cell: str | float) -> str:
    return number_text(float(cell)) if not isinstance(cell, str) else cell or "a missing cell"


def _chance(p: float) -> str:
    return f"p = {p:.2g}" if p >= LEAST_SAID else f"p < {LEAST_SAID:g}"
