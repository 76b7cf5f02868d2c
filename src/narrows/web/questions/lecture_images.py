"""The lecture's pages on convolution and pooling, from `narrows.foundations`, and on what a model's layers make."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from narrows.chunks import chunks
from narrows.foundations.convolution import LECTURE_FILTER, LECTURE_IMAGE, convolution_steps, convolve
from narrows.foundations.pooling import LECTURE_POOLING_INPUT, pool, pooling_steps
from narrows.foundations.windows import Padding, Windows
from narrows.models.tracing import TracedLayer
from narrows.web.entry import Entry
from narrows.web.library import Library
from narrows.web.questions.inputs import Given, taken

__all__ = [
    "Convolved",
    "Drawn",
    "Layers",
    "Patterns",
    "Pooled",
    "convolution",
    "layers",
    "patterns",
    "pooling",
]

Array = NDArray[Any]
Pixel = Annotated[int, Field(ge=0, le=9)]
Image = Annotated[list[Annotated[list[Pixel], Field(min_length=3, max_length=10)]], Field(min_length=3, max_length=10)]
Weight = Annotated[float, Field(ge=-99, le=99)]
Filter = Annotated[list[Annotated[list[Weight], Field(min_length=1, max_length=5)]], Field(min_length=1, max_length=5)]
Stride = Annotated[int, Field(ge=1, le=5)]
Border = Literal["valid", "same"] | Annotated[int, Field(ge=0, le=3)]

IMAGES = {
    "lecture": LECTURE_IMAGE,
    "pooling": LECTURE_POOLING_INPUT,
    "edge": np.repeat([[1, 1, 1, 1, 8, 8, 8, 8]], 7, axis=0),
}
FILTERS = {
    "lecture": LECTURE_FILTER,
    "edge": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "blur": np.array([[0.1, 0.1, 0.1], [0.1, 0.2, 0.1], [0.1, 0.1, 0.1]]),
    "identity": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
}
"""What can be begun with. The edge's filter is Sobel's; the blur's weights add up to 1."""

MOST_UNITS, MOST_NUMBERS = 64, 2**16
"""Units or feature maps of a layer that are drawn, and numbers in them."""

NUMBERS_AT_ONCE, NUMBERS_LOOKED_AT = 2**18, 2**22
"""Numbers in the examples that go through a model at once, with all that its layers make of them in memory; and in all
those that a dead unit is told by."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Images and filters to begin with, by name: rows parted by colons, a filter's weights by commas."""

    images: list[tuple[str, str]]
    filters: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Convolved:
    """A feature map, and how each of its n = H′ · W′ numbers comes about, row by row.

    Attributes
    ----------
    values
        (H′, W′).
    before, after
        Padding in pixels: above and on the left, below and on the right.
    corners
        (n, 2), the row and the column of the image under the filter's first entry; negative in the padding.
    patches, products
        (n, kH, kW), the pixels under the filter, and each times its weight.
    """

    values: NDArray[np.float64]
    before: list[int]
    after: list[int]
    corners: NDArray[np.int64]
    patches: NDArray[np.float64]
    products: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pooled:
    """As `Convolved`, without a filter; ``sums`` (n,) are of the pixels in each window."""

    values: NDArray[np.float64]
    before: list[int]
    after: list[int]
    corners: NDArray[np.int64]
    patches: NDArray[np.float64]
    sums: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layer:
    """What no input changes of a layer, and of as much of it as is drawn.

    Attributes
    ----------
    part, kind, parameters
        As in `narrows.models.tracing.TracedLayer`.
    shape
        (units,), or (channels, h, w); of the input and the output, an example's.
    dead, count
        (k,) which of the first k units or channels are 0 for every example that was looked at, and how many of all are.
    """

    part: str
    kind: str
    parameters: int
    shape: list[int]
    dead: NDArray[np.bool_]
    count: int


@dataclass(frozen=True, slots=True)
class Drawn(Layer):
    """A layer with what an input makes of it.

    Attributes
    ----------
    values
        Of its first k units, (k,), or channels, (k, h, w); ``most`` is the largest of all in absolute value.
    """

    values: NDArray[np.float32]
    most: float


@dataclass(frozen=True, slots=True)
class Layers:
    """What all layers make of an input; it and what comes back, (1, …) bytes; and how many examples were looked at."""

    layers: list[Drawn]
    original: NDArray[np.uint8]
    restored: NDArray[np.uint8]
    examples: int


def patterns(_: Library, /) -> Patterns:
    """Return images and filters to begin with."""
    from sklearn.datasets import load_digits

    digit = np.rint(load_digits().images[3] * 9 / 16).astype(np.int64)
    some = IMAGES | {"digit": digit}
    images = [(name, ":".join("".join(map(str, row)) for row in image.tolist())) for name, image in some.items()]
    filters = [(name, ":".join(",".join(map(str, row)) for row in one.tolist())) for name, one in FILTERS.items()]
    return Patterns(images, filters)


def convolution(
    _: Library, /, image: Image, filters: Filter, stride: Stride = 1, padding: Border = "valid"
) -> Convolved:
    """Slide one filter over an image."""
    steps = list(convolution_steps(image, filters, stride=stride, padding=padding))
    grid = _grid(image, np.shape(filters), stride, padding)
    return Convolved(
        convolve(image, filters, stride=stride, padding=padding),
        *_borders(grid),
        np.array([(step.top, step.left) for step in steps]),
        np.array([step.patch for step in steps]),
        np.array([step.products for step in steps]),
    )


def pooling(
    _: Library,
    /,
    image: Image,
    window: Annotated[int, Field(ge=1, le=5)],
    kind: Literal["max", "average"] = "max",
    stride: Stride | None = None,
    padding: Border = "valid",
) -> Pooled:
    """Slide a pooling window over an image; without a stride, side by side."""
    steps = list(pooling_steps(image, window, kind=kind, stride=stride, padding=padding))
    grid = _grid(image, (window, window), stride or window, padding)
    patches = np.array([step.window for step in steps])
    return Pooled(
        pool(image, window, kind=kind, stride=stride, padding=padding),
        *_borders(grid),
        np.array([(step.top, step.left) for step in steps]),
        patches,
        patches.sum((1, 2)),
    )


def _grid(image: ArrayLike, kernel: tuple[int, ...], stride: int, padding: Padding) -> Windows:
    (rows, columns), (high, wide) = np.shape(image), kernel
    return Windows.over((rows, columns), (high, wide), stride=stride, padding=padding)


def _borders(grid: Windows) -> tuple[list[int], list[int]]:
    return list(grid.before), list(grid.after)


def layers(library: Library, model: str, given: Given, label: str | None = None) -> Layers:
    """Return what each layer of the model makes of the input."""
    entry = library[model]
    x = taken(entry, given)
    found = entry.estimator.activations(x, entry.context(label, given.example))
    examples = looked_at(entry)
    drawn = [_drawn(entry, layer, dead) for layer, dead in zip(found, _dead(entry, examples), strict=True)]
    restored = entry.estimator.reconstruct(x, entry.context(label, given.example))
    return Layers(drawn, entry.levels(x), entry.levels(restored), examples)


def looked_at(entry: Entry) -> int:
    """Return how many examples a dead unit is told by."""
    return min(len(entry.X), max(1, NUMBERS_LOOKED_AT // entry.fitted.features))


def still_layers(entry: Entry) -> list[Layer]:
    """Return what no input changes of a model's layers."""
    found = entry.estimator.activations(entry.X[:1], None if entry.y is None else entry.y[:1])
    return [_layer(entry, layer, dead) for layer, dead in zip(found, _dead(entry, looked_at(entry)), strict=True)]


def _layer(entry: Entry, layer: TracedLayer, dead: NDArray[np.bool_]) -> Layer:
    shape = entry.fitted.input_shape if layer.part in ("input", "output") else layer.values[0].shape
    return Layer(layer.part, layer.kind, layer.parameters, list(shape), dead[: _most_drawn(layer)], int(dead.sum()))


def _drawn(entry: Entry, layer: TracedLayer, dead: NDArray[np.bool_]) -> Drawn:
    still, values = _layer(entry, layer, dead), layer.values[0].numpy()
    told = {name.name: getattr(still, name.name) for name in fields(still)}
    return Drawn(**told, values=values[: _most_drawn(layer)], most=float(np.abs(values).max()))


def _most_drawn(layer: TracedLayer) -> int:
    """How many units or channels are drawn, at most."""
    return min(MOST_UNITS, max(1, MOST_NUMBERS // layer.values[0, 0].numel()))


def _dead(entry: Entry, examples: int) -> list[NDArray[np.bool_]]:
    """Return which units or channels of each layer are 0 for that many examples; none of the input and output."""
    if "dead" not in entry.memo:
        each = [_still(entry, rows) for rows in chunks(examples, entry.X[0].size, NUMBERS_AT_ONCE)]
        entry.memo["dead"] = [np.logical_and.reduce(layer) for layer in zip(*each, strict=True)]
    found: list[NDArray[np.bool_]] = entry.memo["dead"]
    return found


def _still(entry: Entry, rows: slice) -> list[NDArray[np.bool_]]:
    found = entry.estimator.activations(entry.X[rows], None if entry.y is None else entry.y[rows])
    still = [(layer.values == 0).transpose(0, 1).flatten(1).all(1).numpy() for layer in found]
    return [np.zeros_like(still[0]), *still[1:-1], np.zeros_like(still[-1])]
