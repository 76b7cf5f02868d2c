"""One input: its code, what comes back, where that errs, what it is most like, and whether it is an odd one."""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from narrows.fitted.levels import of_bytes
from narrows.latent import nearest
from narrows.web.entry import Entry, Eye
from narrows.web.library import Library

__all__ = ["Look", "Prepared", "look"]

NEAREST = 5

Array = NDArray[Any]


class Given(BaseModel):
    """The input that the page means: the shown example of that number, or pixels, as bytes in base64."""

    model_config = ConfigDict(extra="forbid")

    example: int | None = None
    pixels: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An uploaded image as an input, (1, H, W[, C]) in bytes."""

    levels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Look:
    """What the model makes of an input.

    Attributes
    ----------
    original, restored
        (1, …) bytes.
    map
        (1, H, W) or (1, features): the squared error in scaled units.
    z
        (d,) its code.
    error
        Its mean squared error in scaled units.
    score, odd, by
        Its anomaly score, the one that a shown example in a hundred exceeds, and what they go by.
    fraction
        The fraction of shown examples whose score is lower.
    distance, far
        From its code to the nearest shown one, and what one code in a hundred exceeds.
    outside
        Whether it is outside the training data, by either.
    nearest, levels, labels
        (k,) the rows of the shown examples with the nearest codes, (k, …) these, and their labels.
    """

    original: Eye
    restored: Eye
    map: NDArray[np.float32]
    z: list[float]
    error: float
    score: float
    odd: float
    by: str
    fraction: float
    distance: float
    far: float
    outside: bool
    nearest: NDArray[np.int64]
    levels: Eye
    labels: list[str]


def look(library: Library, model: str, given: Given, label: str | None = None) -> Look:
    """Return what the model makes of the input."""
    entry = library[model]
    estimator, x = entry.estimator, taken(entry, given)
    context = entry.context(label, given.example)
    numbers, restored = entry.numbers(x), entry.restored(x, context)
    z, by = estimator.transform(x, context)[0], entry.fitted.best_score
    error, score = (float(estimator.anomaly_score(x, context, by=kind)[0]) for kind in ("reconstruction", by))
    others = np.arange(len(entry.codes))
    if given.example is not None:  # its own code would be the nearest
        others = np.delete(others, given.example)
    found, distances = nearest(entry.codes[others], z[None], min(NEAREST, len(others)))
    rows = others[found[0]]
    return Look(
        entry.shown(numbers),
        entry.shown(restored),
        entry.error_maps(numbers, restored),
        z.tolist(),
        error,
        score,
        entry.odd,
        by,
        float((entry.scores < score).mean()),
        float(distances[0, 0]),
        entry.far,
        score > entry.odd or float(distances[0, 0]) > entry.far,
        rows,
        entry.shown(entry.numbers(entry.at(rows))),
        entry.names(rows),
    )


def taken(entry: Entry, given: Given) -> Any:
    """Return the input (1, …) that is meant, as the model takes it.

    Raises
    ------
    ValueError
        If there is no such example, the model takes no pixels, or not as many, or neither or both are named.
    """
    if (given.example is None) == (given.pixels is None):
        raise ValueError("given must name either an example or pixels")
    if given.example is not None:
        return entry.at([entry.check_row("example", given.example)])
    if entry.columns is not None:
        raise ValueError("given: this model takes rows, which have no pixels; name an example")
    shape = entry.fitted.input_shape
    try:
        raw = base64.b64decode(given.pixels or "", validate=True)
    except binascii.Error as error:
        raise ValueError(f"pixels are not base64: {error}") from error
    if len(raw) != math.prod(shape):
        raise ValueError(f"pixels are {len(raw):,}; this model takes {math.prod(shape):,}, of shape {shape}")
    return of_bytes(entry.fitted, np.frombuffer(raw, np.uint8))
