"""Examples in a model's scaled units, as an error and as an eye sees them: its units ↔ bytes from black to white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from narrows.chunks import chunks
from narrows.columns.coded import Coded
from narrows.evaluation.reconstruction import squared_errors as errors_of_rows
from narrows.fitted.fitted import Fitted
from narrows.scaling import Scaling

__all__ = ["as_bytes", "error_maps", "of_bytes", "squared_errors", "value_range"]

Array = NDArray[Any]

NUMBERS_AT_ONCE = 2**22
"""Read, and in 64 bits, while they are compared."""


def squared_errors(scaling: Scaling, examples: Any, others: Any) -> NDArray[np.float64]:
    """Return each one's mean squared difference to the other in scaled units, (n,): as `anomaly_score` has it.

    Both are (n, …) in the data's units, in memory or on disk.
    """
    spans = chunks(len(examples), scaling.offset.size, NUMBERS_AT_ONCE)
    each = [errors_of_rows(*(scaling.apply(both[rows]) for both in (examples, others))) for rows in spans]
    return np.concatenate(each)


def error_maps(fitted: Fitted, examples: Any, others: Any) -> NDArray[np.float64]:
    """Return the squared differences in scaled units, (n, H, W), the mean over channels, or (n, features).

    Of a table's cells they are as `narrows.columns.coded.Coded` has them, 1 where the mean or the shares stand for all,
    and NaN where a cell is missing.

    Parameters
    ----------
    fitted
        A model.
    examples, others
        (n, …), in the data's units; of a table cells (n, columns).
    """
    one, other = (fitted.scaling.apply(each).astype(np.float64) for each in (examples, others))
    if fitted.table is not None:
        coded = Coded(fitted.table.modelled)
        return coded.errors(one, coded.numbers(other))
    maps: NDArray[np.float64] = np.square(one - other).reshape(-1, *fitted.input_shape)
    return maps.mean(3) if maps.ndim == 4 else maps


def value_range(scaling: Scaling) -> tuple[float, float]:
    """Return the values of images to show as black and white: what the training data reach, at least nearly."""
    low, high = scaling.extremes
    return float((scaling.offset + low * scaling.scale).min()), float((scaling.offset + high * scaling.scale).max())


def as_bytes(fitted: Fitted, examples: Any) -> NDArray[np.uint8]:
    """Return examples (n, …) as bytes: 0 and 255 are the ends of `value_range`, of rows each column's own.

    Images become (n, H, W) unless they have 3 or 4 channels.
    """
    if len(fitted.input_shape) == 1:
        (low, high), array = fitted.scaling.extremes, fitted.scaling.apply(examples)
    else:
        (low, high), array = value_range(fitted.scaling), np.reshape(examples, (-1, *fitted.input_shape))
        if array.ndim == 4 and array.shape[3] not in (3, 4):  # no colours, so their mean, as in the grids
            array = array.mean(3)
    levels: NDArray[np.uint8] = np.rint(np.clip((array - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return levels


def of_bytes(fitted: Fitted, levels: Array) -> Array:
    """Return the examples (n, …), in the data's units, that bytes of any shape for n of them stand for."""
    shares = np.reshape(levels, (-1, *fitted.input_shape)) / 255
    if len(fitted.input_shape) > 1:
        low, high = value_range(fitted.scaling)
        images: Array = low + shares * (high - low)
        return images
    low, high = fitted.scaling.extremes
    return fitted.scaling.undo(low + shares * (high - low))
