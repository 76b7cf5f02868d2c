"""Where examples come from one after another: data sets with an index, streams, and tables held column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from numbers import Real
from typing import Any

import pandas as pd
from PIL import Image

from narrows.data.errors import DataError

__all__ = ["ENCODED", "Columns", "Examples", "examples_of", "is_encoded", "is_example"]

ENCODED = {"bytes", "path"}
"""What Hugging Face's image columns hold in each row of a file."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples that can be read one after another.

    Attributes
    ----------
    read
        Begins anew each time it is called.
    count
        How many there are at most.
    features
        What the data set says of its columns, by name; or of what it holds, if that is no columns.
    """

    read: Callable[[], Iterator[Any]]
    count: int
    features: Any


class Columns(Sequence[dict[str, Any]]):
    """The rows of a table that is held column by column, each as a mapping.

    Parameters
    ----------
    columns
        Name ↦ a cell for each row.
    features
        What is known of the columns, as Hugging Face's data sets say it.
    """

    def __init__(self, columns: Mapping[str, Any], features: Mapping[str, Any] | None = None) -> None:
        lengths = {str(name): len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(f"the columns differ in length: {lengths}")
        self._columns, self.features = {str(name): column for name, column in columns.items()}, features or {}

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __getitem__(self, row: Any) -> Any:
        return {name: column[row] for name, column in self._columns.items()}


def examples_of(dataset: Any, count: int | None) -> Examples:
    """Return the examples of a data set, the first ``count`` if that is given, as it has to be for a stream.

    Hugging Face's formats are undone, since each gives other types; a function that one has set is not.

    Raises
    ------
    DataError
        If it is no such data set, it is empty, or a stream is asked for without ``count``.
    """
    kind = type(dataset).__name__
    if isinstance(dataset, pd.DataFrame):
        dataset = Columns({str(name): dataset[name].tolist() for name in dataset})
    elif isinstance(dataset, Mapping):
        dataset = _batch(dataset, kind)
    elif type(dataset).__module__.partition(".")[0] == "datasets":
        dataset = _without_format(dataset)
    if hasattr(dataset, "batch_size") and hasattr(dataset, "dataset"):
        raise DataError(f"a {kind} gives batches, not examples; give its data set, such as loader.dataset")
    features, n = getattr(dataset, "features", None), _length(dataset)
    if n == 0:
        raise DataError(f"the {kind} is empty")
    if n is not None and hasattr(dataset, "__getitem__"):
        n = n if count is None else min(n, count)
        return Examples(lambda: (dataset[row] for row in range(n)), n, features)
    if not hasattr(dataset, "__iter__") or isinstance(dataset, set | frozenset):
        raise DataError(
            f"{kind} has no examples by index (no __getitem__) and is no stream of them; give one that has, or a list"
        )
    if count is None:
        raise DataError(
            f"{kind} cannot be counted (it has no length or no index); say how many examples to take from its "
            "beginning, such as count=10_000"
        )
    return Examples(_again(dataset, kind, count), count, features)


def _length(dataset: Any) -> int | None:
    try:
        return len(dataset)
    except TypeError:
        return None


def _again(dataset: Any, kind: str, count: int) -> Callable[[], Iterator[Any]]:
    """Return a function that begins a stream anew; one that is read once, as generators are, only the first time."""
    begun = False

    def read() -> Iterator[Any]:
        nonlocal begun
        stream = iter(dataset)
        if stream is dataset and begun:
            raise DataError(
                f"a {kind} can be read only once, and its examples need another reading, as some have more colours or "
                "bits than those before; give a data set that begins anew, or convert the examples to one kind"
            )
        begun = True
        return islice(stream, count)

    return read


def _batch(columns: Mapping[str, Any], kind: str) -> Columns:
    """Return a batch, which is columns by name, as its rows; several data sets by name are refused, and tables."""
    names = list(columns)
    if not names:
        raise DataError(f"the {kind} is empty")
    cells = [column[0] if hasattr(column, "__getitem__") and _length(column) else column for column in columns.values()]
    if any(map(is_example, cells)) and not any(isinstance(cell, Mapping) and not is_encoded(cell) for cell in cells):
        return Columns(columns)
    listed = ", ".join(map(repr, names))
    if all(isinstance(cell, str | Real | None) for cell in cells):
        raise DataError(f"a {kind} of {listed} holds neither images nor arrays; if it is a table, give its frame")
    raise DataError(f"a {kind} of {listed} is several data sets; give one of them, such as dataset[{names[0]!r}]")


def is_example(cell: Any) -> bool:
    """Say whether a cell of a table is one example: an image, or numbers."""
    numbers = isinstance(cell, list | tuple) and bool(cell) and not isinstance(cell[0], str | Mapping)
    return isinstance(cell, Image.Image) or is_encoded(cell) or numbers or len(getattr(cell, "shape", ())) > 0


def is_encoded(cell: Any) -> bool:
    """Say whether a cell is an image's file: its bytes, also as Hugging Face has them, with a path."""
    return isinstance(cell, bytes) or (isinstance(cell, Mapping) and set(cell) == ENCODED)


def _without_format(dataset: Any) -> Any:
    """Return a Hugging Face data set that gives Python's numbers, lists and images."""
    form = getattr(dataset, "format", None)
    if not hasattr(dataset, "with_format") or (form is not None and form["type"] in (None, "custom")):
        return dataset
    return dataset.with_format(None) if form is None else dataset.with_format(None, columns=form["columns"])
