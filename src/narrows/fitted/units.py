"""Whether examples are in the units of those that a model was fitted to."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from narrows.fitted.fitted import Fitted
from narrows.scaling import Scaling

__all__ = ["SOME", "WHOLE", "Bounds", "looked_at", "warn_of_units"]

OUTSIDE = 0.01
"""The fraction of the numbers that may be out of place."""

DEVIATIONS, MOST_OF_A_COLUMN = 10, 0.5
"""How far from a column's mean a number is out of place, and the fraction of a column's numbers that may be."""

NUMBERS_LOOKED_AT, FEWEST_EXAMPLES = 2**20, 10
"""In examples that tell their units; and examples of which fewer may well be alike."""


class Bounds(NamedTuple):
    """What is out of place, as fractions of the training data's range.

    Attributes
    ----------
    far
        How far outside it a number is.
    narrow
        How little of it examples cover.
    """

    far: float
    narrow: float


WHOLE, SOME = Bounds(0.1, 0.1), Bounds(1.0, 0.02)
"""For data as they were found, and for examples that may be few, alike, odd, or noisy."""

_warned: WeakSet[Fitted] = WeakSet()


def looked_at(fitted: Fitted, n: int) -> int:
    """Return how many of ``n`` examples tell their units."""
    return min(n, max(FEWEST_EXAMPLES, NUMBERS_LOOKED_AT // fitted.features))


def warn_of_units(fitted: Fitted, rows: NDArray[Any], name: str, bounds: Bounds) -> None:
    """Say if examples seem to be in other units than those that the model was fitted to.

    Parameters
    ----------
    fitted
        The model.
    rows
        The first `looked_at`, (k, features).
    name
        What to call the examples.
    bounds
        `WHOLE`; or `SOME`, of which it is said once a model, if it was not of the whole.

    Warns
    -----
    UserWarning
        If one in a hundred of their numbers lies far outside the training data's range; or if they cover little of it,
        and are ten examples or more, or bytes, which could not cover more. Of columns in units of their own, which have
        no such range, if most of the ten numbers or more in one are more than ten standard deviations from its mean.
    """
    if bounds is SOME and fitted in _warned:
        return
    differ = _range_differs if fitted.scaling.unit_interval else _a_column_differs
    if words := differ(fitted, rows, bounds):
        _warned.add(fitted)
        warnings.warn(f"{name}{words}: they may be in other units, or prepared differently", stacklevel=3)


def _range_differs(fitted: Fitted, rows: NDArray[Any], bounds: Bounds) -> str | None:
    """Return in what the range of ``rows`` differs from that of the training data, in words, if it does."""
    scaling, (far, narrow) = fitted.scaling, bounds
    if fitted.one_range is not None:  # the usual case, in less time than a single example takes
        start, width = fitted.one_range
        lowest, highest = float(rows.min()), float(rows.max())
        inside = start - far * width <= lowest and highest <= start + (1 + far) * width
        if inside and highest - lowest >= narrow * width:
            return None
    low, high = rows.min(0), rows.max(0)
    least, most = _scaled(scaling, low).min(), _scaled(scaling, high).max()
    words, group = "", slice(None)
    if least == most and (least == 0 or not high.any()):  # as all of a constant, or black, which is so in any units
        return None
    if least < -far or most > 1 + far:
        x = _scaled(scaling, rows)
        outside = ((x < -far) | (x > 1 + far)).mean(0)
        if outside.mean() > OUTSIDE:
            groups = scaling.groups(fitted.input_shape)
            group = slice(int(outside.reshape(-1, groups).mean(0).argmax()), None, groups)
            words = f"{outside.mean():.0%} of its numbers lie outside that"
    too_few_levels = rows.dtype == np.uint8 and np.iinfo(np.uint8).max < narrow * scaling.scale.max()
    if not words and most - least < narrow and (len(rows) >= FEWEST_EXAMPLES or too_few_levels):
        words = f"it covers {most - least:.1%} of that"
    if not words:
        return None
    trained = scaling.offset[group].min(), (scaling.offset + scaling.scale)[group].max()
    return (
        f" reaches from {low[group].min():g} to {high[group].max():g} and the training data from {trained[0]:g} to "
        f"{trained[1]:g}; {words}"
    )


def _a_column_differs(fitted: Fitted, rows: NDArray[Any], _: Bounds) -> str | None:
    """Return the column of ``rows`` that differs most from that of the training data, in words, if one does."""
    scaling = fitted.scaling
    if len(rows) < FEWEST_EXAMPLES:
        return None
    away = (np.abs(_scaled(scaling, rows)) > DEVIATIONS).mean(0)
    column = int(away.argmax())
    if away[column] <= MOST_OF_A_COLUMN:
        return None
    return (
        f", {fitted.words_of(column)}, reaches from {rows[:, column].min():g} to {rows[:, column].max():g}, and the "
        f"training data have a mean of {scaling.offset[column]:g} and a standard deviation of {scaling.scale[column]:g}"
    )


def _scaled(scaling: Scaling, rows: NDArray[Any]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = (rows.astype(np.float64, copy=False) - scaling.offset) / scaling.scale
    return scaled
