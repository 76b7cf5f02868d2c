"""Why an input is odd: which of its cells or pixels are, how seldom ordinary ones are, and what would be ordinary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narrows.web.entry import Eye
from narrows.web.library import Library
from narrows.web.questions.inputs import Given, taken

__all__ = ["Why", "explain"]


@dataclass(frozen=True, slots=True)
class Why:
    """What makes an input odd.

    Attributes
    ----------
    known
        Whether the model keeps what cells are compared with; files of an older narrows may not. Else all is empty.
    rate
        Of false discoveries, at which cells are odd.
    p_values, surprise
        (1, H, W) or (1, features): how seldom ordinary cells are as odd, the least of an image's channels; and −log₁₀
        of it where they are odd, 0 where they are not.
    changed
        Numbers of the cells that differ in the nearest ordinary example, the oddest first; all of an image together.
    original, ordinary
        (1, …) the input, and the nearest ordinary example.
    is_ordinary, was_ordinary
        Whether that is ordinary, no other being found if not; and whether the input is, as a whole.
    """

    known: bool
    rate: float
    p_values: NDArray[np.float32]
    surprise: NDArray[np.float32]
    changed: list[int]
    original: Eye
    ordinary: Eye
    is_ordinary: bool
    was_ordinary: bool


def explain(library: Library, model: str, given: Given, label: str | None = None) -> Why:
    """Return what makes the input odd."""
    entry = library[model]
    fitted, x = entry.fitted, taken(entry, given)
    numbers = entry.numbers(x)
    if not fitted.explains:
        nothing, own = np.zeros((1, 0), np.float32), entry.shown(numbers)
        return Why(
            known=False,
            rate=0.0,
            p_values=nothing,
            surprise=nothing,
            changed=[],
            original=own,
            ordinary=own,
            is_ordinary=False,
            was_ordinary=False,
        )
    found = entry.estimator.explain(x, entry.context(label, given.example), by=fitted.best_score)
    p, surprise = found.p_values, np.where(found.odd, -np.log10(np.maximum(found.p_values, 1e-300)), 0.0)
    if p.ndim == 4:
        p, surprise = p.min(3), surprise.max(3)
    order = np.argsort(found.p_values.ravel(), kind="stable")
    places = order[found.changed.ravel()[order]].tolist() if len(fitted.input_shape) == 1 else []
    return Why(
        known=True,
        rate=found.rate,
        p_values=p.astype(np.float32),
        surprise=surprise.astype(np.float32),
        changed=places,
        original=entry.shown(numbers),
        ordinary=entry.shown(entry.numbers(found.ordinary)),
        is_ordinary=bool(found.is_ordinary[0]),
        was_ordinary=bool(found.was_ordinary[0]),
    )
