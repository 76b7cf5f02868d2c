"""Check: what is wrong with a model, in words, and which examples are the oddest to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narrows.evaluation.findings import Finding
from narrows.web.entry import Entry, Eye
from narrows.web.library import Library

__all__ = ["Check", "Finding", "Oddest", "check", "oddest"]

MOST = 24
"""Odd examples that are shown."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found wrong with a model.

    Attributes
    ----------
    findings
        The gravest first.
    judged
        Examples that it was evaluated on, none of which it has seen; 0 where it was not.
    refused
        Why it was not, or "".
    """

    findings: list[Finding]
    judged: int
    refused: str


@dataclass(frozen=True, slots=True)
class Oddest:
    """The examples with the highest anomaly scores.

    Attributes
    ----------
    rows, scores
        (k,) which they are, the oddest first, and how odd.
    odd
        The score that one shown example in a hundred exceeds.
    originals, restored
        (k, …) they, and what the model makes of them.
    maps
        (k, H, W) or (k, features): the squared error in scaled units.
    labels
        Theirs.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    odd: float
    originals: Eye
    restored: Eye
    maps: NDArray[np.float32]
    labels: list[str]


def check(library: Library, model: str) -> Check:
    """Return what is wrong with the model, by the examples on the page that it has not seen; it takes seconds."""
    entry = library[model]
    if "check" not in entry.memo:
        entry.memo["check"] = _checked(entry)
    found: Check = entry.memo["check"]
    return found


def _checked(entry: Entry) -> Check:
    if entry.from_prior:
        return Check([], 0, "it has no data here, only its own samples")
    try:
        found = entry.estimator.evaluate(entry.X, entry.dataset.y)
    except ValueError as error:
        return Check([], 0, str(error))
    return Check(list(found.findings), len(found.places), "")


def oddest(library: Library, model: str) -> Oddest:
    """Return the examples that are the oddest to the model."""
    entry = library[model]
    rows = ranked(entry)
    x = entry.at(rows)
    numbers = entry.numbers(x)
    restored = entry.restored(x, None if entry.y is None else entry.y[rows])
    return Oddest(
        rows,
        entry.scores[rows],
        entry.odd,
        entry.shown(numbers),
        entry.shown(restored),
        entry.error_maps(numbers, restored),
        entry.names(rows),
    )


def ranked(entry: Entry) -> NDArray[np.int64]:
    """Return which examples are the oddest, in order."""
    return np.argsort(-entry.scores, kind="stable")[:MOST].astype(np.int64)
