"""Data sets of other libraries: torch's, Hugging Face's, or any whose examples have numbers to be read by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from narrows.arguments import refuse_masked
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.image_files import turned
from narrows.data.images import Progress, ShapesDiffer, collect_images, wanted, with_axes_of
from narrows.data.labels import labels_in
from narrows.data.on_disk import OnDisk, collect
from narrows.data.pixels import image_numbers
from narrows.data.tables import in_numbers

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
    progress: Progress | None = None,
) -> Dataset:
    """Read a data set that has a length and examples by index, such as torch's and Hugging Face's.

    An example is x, (x,), (x, y) or longer, or a mapping of columns, of which one is the image (``image``, ``img``, or
    the only one that holds an image) and one may be the label (``label``, ``labels``, ``y``, ``fine_label``, ``class``
    or ``target``), named as the data set's ``features`` say. x is a Pillow image, converted as `image_numbers`
    says, an array of any shape that `Dataset` takes, or a tensor. A tensor of three axes is (C, H, W), as torch's
    images are, and becomes (H, W) or (H, W, C); only if its last axis is at most 4 long, and its first longer, is it
    (H, W, C).

    Parameters
    ----------
    dataset
        With ``len(dataset)`` and ``dataset[i]``. Each example is read once, one after another (images twice, if
        grey ones come before coloured ones); many become an array on disk.
    name
        The result's name; by default that of the data set's class.
    size, fit, like
        As in `load_data`, for images only.
    progress
        Called with how many examples are read, and how many there are, before the first and after each.

    Raises
    ------
    DataError
        If it is not such a data set, or is empty, an example is of another kind, or they differ in shape or type; or if
        ``size`` is given for other than images.
    """
    name = type(dataset).__name__ if name is None else name
    if isinstance(dataset, np.ndarray | pd.DataFrame | OnDisk):
        if size is not None:
            raise DataError(f"size={size} is for images; {name} holds numbers, so scale them beforehand")
        return Dataset(name, in_numbers(name, dataset) if isinstance(dataset, pd.DataFrame) else dataset)
    _check(dataset)
    items = _Items(dataset, progress)
    first = items.example(0)
    try:
        if isinstance(first, Image.Image):
            box, mode = wanted(size, like)
            X = collect_images(lambda: with_axes_of(like, items.images(box, fit, mode)), len(dataset), name)
        elif size is not None or (fit != "crop" and like is None):
            raise DataError(
                f"size={size} and fit={fit!r} are for images; {name} holds arrays, so scale them beforehand"
            )
        else:
            Dataset(name, first[None])  # refuses what is no example, before all are read
            X = collect(items.arrays(first), len(dataset), first.shape, first.dtype)
    except ShapesDiffer as error:
        one, other = error.args
        raise DataError(
            f"the examples of {name} differ in shape: {one} and {other}; scale images with size (--size), or "
            "give the others one shape in the data set"
        ) from error
    y, notes = items.labels()
    return Dataset(name, X, y, notes=notes)


def _check(dataset: Any) -> None:
    """Refuse what has no examples by index."""
    kind = type(dataset).__name__
    if isinstance(dataset, Mapping):
        names = ", ".join(map(repr, dataset))
        raise DataError(f"a {kind} of {names} is several data sets; give one of them, such as dataset[{names[:40]}]")
    try:
        count = len(dataset)
    except TypeError as error:
        raise DataError(
            f"a {kind} cannot be counted (it has no length); give a data set with examples by index, or a list of some "
            "of them, such as list(itertools.islice(dataset, 10_000))"
        ) from error
    if not hasattr(dataset, "__getitem__"):
        raise DataError(
            f"a {kind} has no examples by index (no __getitem__); give one that can be indexed, or a list of them"
        )
    if count == 0:
        raise DataError(f"the {kind} is empty")


class _Items:
    """The examples of a data set, one by one, and the labels of those read so far."""

    def __init__(self, dataset: Any, progress: Progress | None) -> None:
        self.dataset, first = dataset, dataset[0]
        self.tell = progress or (lambda *_: None)
        self.columns: tuple[str, str | None] | None = None
        if isinstance(first, Mapping):
            self.columns = _example_column(first), next((name for name in LABEL_COLUMNS if name in first), None)
        self.seen: list[Any] = []

    def example(self, number: int) -> Any:
        """Return the x of one example, an image or an array, and keep its label."""
        item = self.dataset[number]
        y = None
        if self.columns is not None:
            column, label = self.columns
            x, y = item[column], None if label is None else item[label]
        elif isinstance(item, tuple | list) and item and not isinstance(item[0], Real):
            x, y = item[0], item[1] if len(item) > 1 else None
        else:
            x = item
        self.seen.append(_label(y, number))
        return x if isinstance(x, Image.Image) else _array(x)

    def arrays(self, first: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield the examples, which are to be arrays like ``first``."""
        for x in self._all():
            if isinstance(x, Image.Image) or x.shape != first.shape or x.dtype != first.dtype:
                raise ShapesDiffer(*(_described(each) for each in (first, x)))
            yield x

    def images(self, box: tuple[int, int] | None, fit: str, mode: str | None) -> Iterator[NDArray[Any]]:
        """Yield the examples, which are to be Pillow images, as numbers."""
        for number, x in enumerate(self._all()):
            if not isinstance(x, Image.Image):
                raise ShapesDiffer("an image", _described(x))
            try:
                pixels = image_numbers(turned(x)[0], box, fit, mode)
            except (OSError, SyntaxError, ValueError) as error:
                raise DataError(f"example {number:,} cannot be read as an image: {error}") from error
            yield pixels

    def _all(self) -> Iterator[Any]:
        self.seen, n = [], len(self.dataset)
        self.tell(0, n)
        for number in range(n):
            yield self.example(number)
            self.tell(number + 1, n)

    def labels(self) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
        """Return the labels (n,), named where the data set has names, or None if there are none, and what to say."""
        feature = (getattr(self.dataset, "features", None) or {}).get(self.columns and self.columns[1])
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


def _example_column(item: Mapping[str, Any]) -> str:
    """Return the column that holds the image: by name, or else the only image, or else the only array."""
    images = [name for name, x in item.items() if isinstance(x, Image.Image)]
    arrays = [name for name, x in item.items() if len(getattr(x, "shape", ())) > 0]
    for names in ([name for name in EXAMPLE_COLUMNS if name in item][:1], images, arrays):
        if len(names) == 1:
            return names[0]
    raise DataError(f"which of the columns {', '.join(item)} holds the image? Rename it to 'image' in the data set")


def _array(x: Any) -> NDArray[Any]:
    """Return a tensor, array or row of numbers as an array, channels last."""
    if not hasattr(x, "detach"):
        try:
            refuse_masked("an example", x)
        except ValueError as error:
            raise DataError(str(error)) from error
        return np.asarray(x)
    values: NDArray[Any] = x.detach().cpu().numpy()
    if values.ndim != 3 or (values.shape[-1] <= MOST_COLOURS < values.shape[0]):
        return values
    return values[0] if values.shape[0] == 1 else np.moveaxis(values, 0, -1)


def _described(x: Any) -> str:
    return "an image" if isinstance(x, Image.Image) else f"{x.dtype} {x.shape}"
