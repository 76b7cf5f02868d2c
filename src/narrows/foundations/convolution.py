"""Convolution and pooling: a small window slides over an image (rows L16 to L18).

A convolutional layer lays a filter over a patch of the image, multiplies entry by entry, adds up, and moves on; the
sums form a feature map. Pooling slides a window in the same way and keeps its largest number or its mean. As everywhere
in deep learning the filter is not flipped: strictly speaking this is cross-correlation.

Feature maps are laid out (C, H, W), a batch (N, C, H, W), as in PyTorch; for an image laid out (H, W, C) write
``np.moveaxis(image, -1, 0)``. Everything is computed in float64. The size of a result is
``Windows.over(size, kernel, ...).shape``.

Source: the lecture «Úvod do generativních modelů».
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.foundations.images import Array, Padding, Size, Windows, _finite_array

__all__ = [
    "LECTURE_FILTER",
    "LECTURE_IMAGE",
    "LECTURE_POOLING_INPUT",
    "ConvolutionGradients",
    "ConvolutionStep",
    "PoolingStep",
    "convolution_steps",
    "convolve",
    "convolve_backward",
    "pool",
    "pool_backward",
    "pooling_steps",
]

Pooling: TypeAlias = Literal["max", "average"]


def _digits(rows: str) -> NDArray[np.int64]:
    matrix = np.array([[int(digit) for digit in row] for row in rows.split()], dtype=np.int64)
    matrix.setflags(write=False)
    return matrix


LECTURE_IMAGE = _digits("1010101 0110110 1010101 1011101 0110110 1010101")
LECTURE_FILTER = _digits("123 456 789")
LECTURE_POOLING_INPUT = _digits("9231465 1572813 4265329 7328951 0413624 8652730")

_IMAGE = {2: "(H, W)", 3: "(C, H, W)"}
_IMAGES = {**_IMAGE, 4: "(N, C, H, W)"}
_FILTERS = {2: "(kH, kW)", 3: "(C, kH, kW)", 4: "(K, C, kH, kW)"}


@dataclass(frozen=True, slots=True, eq=False)
class ConvolutionGradients:
    """Gradients of a loss with respect to what went into `convolve`, each of its namesake's shape."""

    x: Array
    filters: Array
    bias: Array


@dataclass(frozen=True, slots=True, eq=False)
class ConvolutionStep:
    """One place of one filter: how one number of a feature map comes about.

    Attributes
    ----------
    filter_index, row, column : int
        The place in the feature maps, (K, H', W').
    top, left : int
        The image's row and column under the filter's upper left entry; negative where that lies in the padding.
    patch, filter, products : ndarray, shape (kH, kW) or (C, kH, kW)
        The pixels under the filter (zeros in the padding), its weights, and the two multiplied entry by entry.
    sum, bias, value : float
        The sum of the products, the filter's bias, and the feature map's number: the two added.
    """

    filter_index: int
    row: int
    column: int
    top: int
    left: int
    patch: Array
    filter: Array
    products: Array
    sum: float
    bias: float
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class PoolingStep:
    """One place of the pooling window.

    Attributes
    ----------
    channel, row, column : int
        The place in the result, (C, H', W').
    top, left : int
        The image's row and column in the window's upper left corner; negative where that lies in the padding.
    window : ndarray, shape (kH, kW)
        The pixels in the window; in the padding −∞ for "max", 0 for "average".
    value : float
        The largest of them, or their mean.
    """

    channel: int
    row: int
    column: int
    top: int
    left: int
    window: Array
    value: float


def convolve(
    x: ArrayLike,
    filters: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Size = 1,
    padding: Padding = "valid",
    dilation: Size = 1,
) -> Array:
    """y[k, i, j] = b[k] + Σ_c Σ_u Σ_v w[k, c, u, v] · x[c, i·s + u·d − p, j·s + v·d − p], zero outside the image.

    Parameters
    ----------
    x : array_like, shape (H, W), (C, H, W) or (N, C, H, W)
        The image, the feature maps, or a batch of them.
    filters : array_like, shape (kH, kW), (C, kH, kW) or (K, C, kH, kW)
        One filter for one channel, one for all C channels, or K of these.
    bias : array_like, shape (K,), or a number where `filters` has no axis K; optional
    stride, padding, dilation
        As in `Windows.over`.

    Returns
    -------
    ndarray, shape (N, K, H', W')
        The feature maps, without N or K where `x` or `filters` had none.

    Raises
    ------
    TypeError
        If an array does not hold real numbers, or a size is not a whole number.
    ValueError
        If an array is ragged, empty, not finite or of another shape, the channels of `x` and `filters` differ, or
        `Windows.over` refuses the sizes.
    """
    maps, w, grid = _convolution(x, filters, stride, padding, dilation, layouts=_IMAGES)
    patches = grid.split(_with_axes(maps, 4))
    y = np.tensordot(patches, _with_axes(w, 4), axes=((1, 4, 5), (1, 2, 3))) + _biases(bias, w)
    return np.moveaxis(y, -1, 1).reshape(maps.shape[:-3] + w.shape[:-3] + grid.shape)


def convolve_backward(
    gradient: ArrayLike,
    x: ArrayLike,
    filters: ArrayLike,
    *,
    stride: Size = 1,
    padding: Padding = "valid",
    dilation: Size = 1,
) -> ConvolutionGradients:
    """Backpropagation through `convolve`.

    Parameters
    ----------
    gradient : array_like, shape of the result of `convolve`
        Gradient of the loss with respect to that result.
    x, filters, stride, padding, dilation
        As they were given to `convolve`.

    Returns
    -------
    ConvolutionGradients
        With respect to `x`, `filters` and the bias, the last of shape (K,), or () where `filters` has no axis K.

    Raises
    ------
    TypeError, ValueError
        As in `convolve`, and if `gradient` is not of the result's shape.
    """
    maps, w, grid = _convolution(x, filters, stride, padding, dilation, layouts=_IMAGES)
    g = _of_shape("gradient", gradient, maps.shape[:-3] + w.shape[:-3] + grid.shape)
    x4, w4 = _with_axes(maps, 4), _with_axes(w, 4)
    g = g.reshape(len(x4), len(w4), *grid.shape)
    grad_patches = np.moveaxis(np.tensordot(g, w4, axes=(1, 0)), 3, 1)
    return ConvolutionGradients(
        x=grid.join(grad_patches).reshape(maps.shape),
        filters=np.tensordot(g, grid.split(x4), axes=((0, 2, 3), (0, 2, 3))).reshape(w.shape),
        bias=g.sum(axis=(0, 2, 3)).reshape(w.shape[:-3]),
    )


def convolution_steps(
    x: ArrayLike,
    filters: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Size = 1,
    padding: Padding = "valid",
    dilation: Size = 1,
) -> Iterator[ConvolutionStep]:
    """Walk through the convolution of one image: filter by filter, row by row, from left to right.

    Parameters
    ----------
    x : array_like, shape (H, W) or (C, H, W)
        One image; `filters`, `bias`, `stride`, `padding` and `dilation` are as in `convolve`.

    Yields
    ------
    ConvolutionStep
        K · H' · W' of them; their values, in this order, are the result of `convolve`.

    Raises
    ------
    TypeError, ValueError
        As in `convolve`, at the call and not at the first step; a batch is refused.
    """
    maps, w, grid = _convolution(x, filters, stride, padding, dilation, layouts=_IMAGE)
    b, patches = _biases(bias, w), grid.split(_with_axes(maps, 3))

    def step(k: int, row: int, column: int) -> ConvolutionStep:
        kernel = w if w.ndim < 4 else w[k]
        patch = patches[:, row, column].reshape(kernel.shape)
        products = patch * kernel
        total, shift = float(products.sum()), float(b[k])
        top, left = grid.corner(row, column)
        return ConvolutionStep(k, row, column, top, left, patch, kernel, products, total, shift, total + shift)

    return (step(*place) for place in np.ndindex(len(b), *grid.shape))


def pool(
    x: ArrayLike, window: Size, *, kind: Pooling = "max", stride: Size | None = None, padding: Padding = "valid"
) -> Array:
    """Max pooling or average pooling: the largest number in each window, or the mean.

    Parameters
    ----------
    x : array_like, shape (H, W), (C, H, W) or (N, C, H, W)
        The feature maps; each is pooled by itself.
    window : int or (int, int)
        Height and width of the window; one number for a square.
    kind : "max" or "average", default "max"
        For the maximum the padding is −∞ and so never wins. For the mean it is 0 and counts, as in PyTorch
        (``count_include_pad=True``): near the border the mean is drawn towards 0.
    stride : int or (int, int), optional
        By default the window's own size, so that the windows tile the image.
    padding
        As in `Windows.over`, but smaller than the window, so that every window holds some of the image.

    Returns
    -------
    ndarray, shape (H', W'), (C, H', W') or (N, C, H', W')

    Raises
    ------
    TypeError, ValueError
        As in `convolve`, and if `kind` is an unknown word.
    """
    _, windows = _pooling(x, window, kind, stride, padding, layouts=_IMAGES)
    return _reduce(windows, kind)


def pool_backward(
    gradient: ArrayLike,
    x: ArrayLike,
    window: Size,
    *,
    kind: Pooling = "max",
    stride: Size | None = None,
    padding: Padding = "valid",
) -> Array:
    """Backpropagation through `pool`.

    The mean hands each pixel of its window an equal share of the gradient; the maximum hands all of it to the largest
    one, of several equal ones to the first in reading order.

    Parameters
    ----------
    gradient : array_like, shape of the result of `pool`
        Gradient of the loss with respect to that result.
    x, window, kind, stride, padding
        As they were given to `pool`.

    Returns
    -------
    ndarray, shape of `x`

    Raises
    ------
    TypeError, ValueError
        As in `pool`, and if `gradient` is not of the result's shape.
    """
    grid, windows = _pooling(x, window, kind, stride, padding, layouts=_IMAGES)
    g = _of_shape("gradient", gradient, windows.shape[:-2])
    entries = grid.kernel[0] * grid.kernel[1]
    if kind == "max":
        winner = windows.reshape(*windows.shape[:-2], entries).argmax(axis=-1)
        share = (np.arange(entries) == winner[..., None]).reshape(windows.shape).astype(np.float64)
    else:
        share = np.full(grid.kernel, 1 / entries)
    return grid.join(g[..., None, None] * share)


def pooling_steps(
    x: ArrayLike, window: Size, *, kind: Pooling = "max", stride: Size | None = None, padding: Padding = "valid"
) -> Iterator[PoolingStep]:
    """Walk through the pooling of one image: channel by channel, row by row, from left to right.

    Parameters
    ----------
    x : array_like, shape (H, W) or (C, H, W)
        One image; `window`, `kind`, `stride` and `padding` are as in `pool`.

    Yields
    ------
    PoolingStep
        C · H' · W' of them; their values, in this order, are the result of `pool`.

    Raises
    ------
    TypeError, ValueError
        As in `pool`, at the call and not at the first step; a batch is refused.
    """
    grid, windows = _pooling(x, window, kind, stride, padding, layouts=_IMAGE)
    windows = _with_axes(windows, 5)
    values = _reduce(windows, kind)

    return (
        PoolingStep(c, i, j, *grid.corner(i, j), window=windows[c, i, j], value=float(values[c, i, j]))
        for c, i, j in np.ndindex(values.shape)
    )


def _convolution(
    x: ArrayLike, filters: ArrayLike, stride: Size, padding: Padding, dilation: Size, *, layouts: dict[int, str]
) -> tuple[Array, Array, Windows]:
    """Return the image, the filters, whose channels agree, and the places of the filters on the image."""
    maps, w = _numbers("x", x, layouts), _numbers("filters", filters, _FILTERS)
    channels = _with_axes(maps, 3).shape[-3]
    if _with_axes(w, 3).shape[-3] != channels:
        raise ValueError(
            f"filters has shape {w.shape}: must be for {channels} channel(s), as x, (C, H, W), has shape {maps.shape}"
        )
    size, kernel = maps.shape[-2:], w.shape[-2:]
    return maps, w, Windows.over(size, kernel, stride=stride, padding=padding, dilation=dilation, name="filters")


def _biases(bias: ArrayLike | None, w: Array) -> Array:
    """Return the bias of each filter, shape (K,)."""
    b = np.zeros(w.shape[:-3]) if bias is None else _of_shape("bias", bias, w.shape[:-3])
    return b.reshape(-1)


def _pooling(
    x: ArrayLike, window: Size, kind: Pooling, stride: Size | None, padding: Padding, *, layouts: dict[int, str]
) -> tuple[Windows, Array]:
    """Return the window's places, and the pixels at each: shape (..., H', W', kH, kW)."""
    if kind not in ("max", "average"):
        raise ValueError(f'kind={kind!r}: must be "max" or "average"')
    maps = _numbers("x", x, layouts)
    stride = window if stride is None else stride
    grid = Windows.over(maps.shape[-2:], window, stride=stride, padding=padding, name="window")
    if any(before >= length for before, length in zip(grid.before, grid.kernel, strict=True)):
        raise ValueError(f"padding={padding!r}: must be smaller than window={window!r}, or a window misses the image")
    return grid, grid.split(maps, fill=-np.inf if kind == "max" else 0.0)


def _reduce(windows: Array, kind: Pooling) -> Array:
    values: Array = windows.max(axis=(-2, -1)) if kind == "max" else windows.mean(axis=(-2, -1))
    return values


def _numbers(name: str, value: ArrayLike, layouts: dict[int, str] | None = None) -> Array:
    """Return `value` as a fresh float64 array, laid out in one of the ways named."""
    x = _finite_array(name, value)
    if x.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {x.dtype}: must hold real numbers")
    if layouts is not None and (x.ndim not in layouts or x.size == 0):
        raise ValueError(f"{name} has shape {x.shape}: must be {' or '.join(layouts.values())}, no axis of length 0")
    return x.astype(np.float64, copy=False)


def _of_shape(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    x = _numbers(name, value)
    if x.shape != shape:
        raise ValueError(f"{name} has shape {x.shape}: must be {shape}")
    return x


def _with_axes(x: Array, ndim: int) -> Array:
    """Put axes of length 1 before the others until there are `ndim`."""
    return x.reshape((1,) * (ndim - x.ndim) + x.shape)
