"""Data sets of other libraries: torch's, Hugging Face's, or any whose examples have numbers to be read by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from io import BytesIO
from itertools import chain
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from narrows.arguments import in_numpy, integer, refuse_masked, rows_unmasked
from narrows.data.arrow import as_table, examples_in, frame_of
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.examples import Examples, examples_of, is_encoded, is_example
from narrows.data.image_files import decode, turned
from narrows.data.images import Progress, ShapesDiffer, collect_images, silence, wanted, with_axes_of
from narrows.data.labels import labels_in
from narrows.data.on_disk import OnDisk, collect
from narrows.data.pixels import image_numbers
from narrows.data.tables import in_numbers
from narrows.data.take import take

__all__ = ["from_dataset"]

EXAMPLE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels", "y", "fine_label", "class", "target")

MOST_COLOURS = 4
"""Channels that a tensor's last axis may be taken for."""


def from_dataset(
    dataset: Any,
    *,
    name: str | None = None,
    size: int | None = None,
    fit: str = "crop",
    like: tuple[int, ...] | None = None,
    count: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Read a data set with examples by index, such as torch's and Hugging Face's, a stream of them, a batch or a frame.

    An example is x, (x,), (x, y) or longer, or a mapping of columns, of which one holds the examples (``image``,
    ``img``, or the only one of images, or of arrays or lists of numbers) and one may hold the labels (``label``,
    ``labels``, ``y``, ``fine_label``, ``class`` or ``target``), named as the data set's ``features`` say. A batch, such
    as ``dataset[:100]``, is columns by name. Examples that are None are left out.

    x is a Pillow image, converted as `image_numbers` says, or the bytes of an image's file; an array of any shape that
    `Dataset` takes, or a tensor. A tensor of three axes is (C, H, W), as torch's images are, and becomes (H, W) or
    (H, W, C); only if its last axis is at most 4 long, and its first longer, is it (H, W, C).

    Parameters
    ----------
    dataset
        With ``len(dataset)`` and ``dataset[i]``, or a stream; a frame of pandas, polars or pyarrow. Each example is
        read once, one after another (images twice, if grey ones come before coloured ones); many become an array on
        disk.
    name
        The result's name; by default that of the data set's class.
    size, fit, like
        As in `load_data`, for images only.
    count
        How many examples to take, from the first; a stream, which has no length, needs it.
    progress
        Called with how many examples are read, and how many there are, before the first and after each.

    Raises
    ------
    DataError
        If it is not such a data set, or is empty, an example is of another kind, or they differ in shape or type; or if
        ``size`` is given for other than images.
    """
    name = type(dataset).__name__ if name is None else name
    if count is not None:
        integer("count", count, 1)
    table = as_table(name, dataset)
    if table is not None:
        rows = examples_in(name, table)
        dataset = frame_of(name, table) if rows is None else rows
    dataset = in_numpy(rows_unmasked(dataset)) if isinstance(dataset, np.ndarray) else dataset
    if isinstance(dataset, np.ndarray | OnDisk) or (isinstance(dataset, pd.DataFrame) and not _holds_examples(dataset)):
        if size is not None:
            raise DataError(f"size={size} is for images; {name} holds numbers, so scale them beforehand")
        whole = in_numbers(name, dataset) if isinstance(dataset, pd.DataFrame) else dataset
        return Dataset(name, whole if count is None else take(whole, range(min(count, len(whole)))))
    items = _Items(examples_of(dataset, count), progress)
    try:
        X = _of_images(items, name, size, fit, like) if items.are_images else _of_arrays(items, name, size, fit, like)
    except ShapesDiffer as error:
        one, other = error.args
        raise DataError(
            f"the examples of {name} differ in shape: {one} and {other}; scale images with size (--size), or "
            "give the others one shape in the data set"
        ) from error
    y, notes = items.labels()
    return Dataset(name, X, y, notes=(*items.notes(), *notes))


def _holds_examples(frame: pd.DataFrame) -> bool:
    """Say whether a column of a frame holds images or vectors, by its first cell that is not missing."""
    objects = [frame.iloc[:, place].dropna() for place, dtype in enumerate(frame.dtypes) if dtype.kind == "O"]
    return any(len(column) and is_example(column.iloc[0]) for column in objects)


def _of_images(
    items: _Items, name: str, size: int | None, fit: str, like: tuple[int, ...] | None
) -> NDArray[Any] | OnDisk:
    box, mode = wanted(size, like)
    with silence() if is_encoded(items.first) else nullcontext():
        return collect_images(lambda: with_axes_of(like, items.images(box, fit, mode)), items.count, name)


def _of_arrays(
    items: _Items, name: str, size: int | None, fit: str, like: tuple[int, ...] | None
) -> NDArray[Any] | OnDisk:
    if size is not None or (fit != "crop" and like is None):
        raise DataError(f"size={size} and fit={fit!r} are for images; {name} holds arrays, so scale them beforehand")
    first = items.first
    Dataset(name, first[None])  # refuses what is no example, before all are read
    return collect(items.arrays(first), items.count, first.shape, first.dtype)


class _Items:
    """The examples of a data set, one by one, and the labels of those read so far."""

    def __init__(self, examples: Examples, progress: Progress | None) -> None:
        self.examples, self.count = examples, examples.count
        self.tell = progress or (lambda *_: None)
        self.columns: tuple[str, str | None] | None = None
        self.others: list[str] = []
        self.seen: list[Any] = []
        self.missing: list[int] = []
        self.said = Counter[str]()
        # The beginning, up to the first example that is not None: what it is tells what all are to be.
        self.begun, self.head = examples.read(), list[Any]()
        for item in self.begun:
            self.head.append(item)
            self.first = self._example(item)
            if self.first is not None:
                break
        else:
            raise DataError("the data set holds no examples" + " but None" * bool(self.head))

    @property
    def are_images(self) -> bool:
        """Whether the first example is an image, or an image's file."""
        return isinstance(self.first, Image.Image) or is_encoded(self.first)

    def _example(self, item: Any) -> Any:
        """Return the x of one example, an image or an array, and keep its label."""
        y, number = None, len(self.seen) + len(self.missing)
        if isinstance(item, Mapping) and not is_encoded(item):
            column, label = self._columns_of(item)
            x, y = item[column], None if label is None else item[label]
        elif isinstance(item, tuple | list) and item and not isinstance(item[0], Real):
            x, y = item[0], item[1] if len(item) > 1 else None
        else:
            x = item
        if x is None:
            self.missing.append(number)
            return None
        self.seen.append(_label(y, number))
        return x if isinstance(x, Image.Image) or is_encoded(x) else _array(x, self._dtype())

    def _columns_of(self, item: Mapping[str, Any]) -> tuple[str, str | None]:
        if self.columns is None:
            features = self.examples.features if isinstance(self.examples.features, Mapping) else {}
            self.columns = _example_column(item, features), next((name for name in LABEL_COLUMNS if name in item), None)
            self.others = [name for name in item if name not in self.columns]
        return self.columns

    def _dtype(self) -> DTypeLike | None:
        """Return the type that a Hugging Face data set says numbers in lists have, or None."""
        feature = self.examples.features
        if self.columns is not None:
            feature = feature.get(self.columns[0]) if isinstance(feature, Mapping) else None
        while hasattr(feature, "feature"):
            feature = feature.feature
        try:
            return np.dtype(getattr(feature, "dtype", None) or "")
        except TypeError:  # it says none, or one of other things than numbers
            return None

    def arrays(self, first: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield the examples, which are to be arrays like ``first``."""
        for x in self._all():
            if not isinstance(x, np.ndarray) or x.shape != first.shape or x.dtype != first.dtype:
                raise ShapesDiffer(*(_described(each) for each in (first, x)))
            yield x

    def images(self, box: tuple[int, int] | None, fit: str, mode: str | None) -> Iterator[NDArray[Any]]:
        """Yield the examples, which are to be images, as numbers."""
        self.said.clear()
        for x in self._all():
            if isinstance(x, np.ndarray):
                raise ShapesDiffer("an image", _described(x))
            try:
                pixels = image_numbers(turned(x)[0], box, fit, mode) if isinstance(x, Image.Image) else None
                pixels = self._decoded(x, box, fit, mode) if pixels is None else pixels
            except (OSError, SyntaxError, ValueError) as error:
                number = len(self.seen) + len(self.missing) - 1
                column = "" if self.columns is None else f", column {self.columns[0]!r},"
                raise DataError(f"example {number:,}{column} cannot be read as an image: {error}") from error
            yield pixels

    def _decoded(self, file: Any, box: tuple[int, int] | None, fit: str, mode: str | None) -> NDArray[Any]:
        """Return the image in a file's bytes."""
        content = file if isinstance(file, bytes) else file["bytes"]
        if content is None:
            raise ValueError(f"it is the path {file['path']!r} alone; give the file's bytes, or the folder of images")
        found = decode(BytesIO(content), box=box, fit=fit, mode=mode)
        if isinstance(found, str):
            raise ValueError(found)  # noqa: TRY004, it is a reason
        self.said.update(found.said)
        return found.pixels

    def _all(self) -> Iterator[Any]:
        items = chain(self.head, self.begun) if self.head else self.examples.read()
        self.head, self.seen, self.missing = [], [], []
        self.tell(0, self.count)
        for done, item in enumerate(items, 1):
            x = self._example(item)
            if x is not None:
                yield x
            self.tell(done, self.count)

    def notes(self) -> tuple[str, ...]:
        """Return what was taken for the examples, what was left out, and what became of images, a sentence each."""
        said = []
        if self.columns is not None and self.others:
            said.append(f"column {self.columns[0]!r} was taken for the examples; left out: {', '.join(self.others)}")
        if self.missing:
            count = len(self.missing)
            said.append(f"{count:,} example{'s' * (count > 1)} without a value left out, first {self.missing[0]:,}")
        return (*said, *(f"{count:,} image{'s' * (count > 1)} {phrase}" for phrase, count in self.said.items()))

    def labels(self) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
        """Return the labels (n,), named where the data set has names, or None if there are none, and what to say."""
        features = self.examples.features
        feature = features.get(self.columns[1]) if isinstance(features, Mapping) and self.columns is not None else None
        names = getattr(feature, "names", None)
        # Hugging Face's -1 is no label.
        seen = [names[y] if y is not None and y >= 0 else None for y in self.seen] if names else self.seen
        y = labels_in("the labels", seen)
        left_out = y is None and any(isinstance(label, Real) for label in seen)
        return y, ("the labels are real numbers, not classes, and are left out",) if left_out else ()


def _label(y: Any, number: int) -> Any:
    y = y.item() if math.prod(getattr(y, "shape", (0,))) == 1 else y  # of an array or tensor of one number
    if y is None or isinstance(y, str | bytes | Real):
        return y
    raise DataError(
        f"the label of example {number:,} is a {type(y).__name__}, not a number or text; leave it out, or "
        "choose one of its parts, in the data set"
    )


def _example_column(item: Mapping[str, Any], features: Mapping[str, Any]) -> str:
    """Return the column that holds the examples: by name, or else the only one of images, or else of arrays."""
    others = {name: x for name, x in item.items() if name not in LABEL_COLUMNS}
    told = [name for name in others if type(features.get(name)).__name__ == "Image"]
    images = [name for name, x in others.items() if isinstance(x, Image.Image) or is_encoded(x)]
    arrays = [name for name, x in others.items() if is_example(x)]
    for names in ([name for name in EXAMPLE_COLUMNS if name in item][:1], told, images, arrays):
        if len(names) == 1:
            return names[0]
    raise DataError(
        f"which of the columns {', '.join(item)} holds the image? Rename it to 'image' in the data set; if they are a "
        "table, give its frame, as dataset.to_pandas() makes it"
    )


def _array(x: Any, dtype: DTypeLike | None) -> NDArray[Any]:
    """Return a tensor, array or row of numbers as an array, channels last; a list in the type ``dtype``, if known."""
    if not hasattr(x, "detach"):
        try:
            refuse_masked("an example", x)
        except ValueError as error:
            raise DataError(str(error)) from error
        return np.asarray(in_numpy(x), dtype if isinstance(x, list) else None)
    values: NDArray[Any] = in_numpy(x)
    if values.ndim != 3 or (values.shape[-1] <= MOST_COLOURS < values.shape[0]):
        return values
    return values[0] if values.shape[0] == 1 else np.moveaxis(values, 0, -1)


def _described(x: Any) -> str:
    return f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else "an image"
