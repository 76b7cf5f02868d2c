"""Convolution: a small filter slides over an image (rows L16 and L18).

A convolutional layer lays a filter over a patch of the image, multiplies entry by entry, adds up, and moves on; the
sums form a feature map. As everywhere in deep learning the filter is not flipped: strictly speaking this is
cross-correlation.

Feature maps are laid out (C, H, W), a batch (N, C, H, W), as in PyTorch; for an image laid out (H, W, C) write
``np.moveaxis(image, -1, 0)``. Everything is computed in float64. The size of a result is
``Windows.over(size, kernel, ...).shape``.

Source: the lecture “Úvod do generativních modelů”.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.foundations.arguments import Array, array_laid_out, array_of_shape
from narrows.foundations.windows import IMAGE, IMAGES, Padding, Size, Windows

__all__ = [
    "LECTURE_FILTER",
    "LECTURE_IMAGE",
    "ConvolutionGradients",
    "ConvolutionStep",
    "convolution_steps",
    "convolve",
    "convolve_backward",
]


def _digits(rows: str) -> NDArray[np.int64]:
    matrix = np.array([[int(digit) for digit in row] for row in rows.split()], dtype=np.int64)
    matrix.setflags(write=False)
    return matrix


LECTURE_IMAGE = _digits("1010101 0110110 1010101 1011101 0110110 1010101")
LECTURE_FILTER = _digits("123 456 789")

_FILTERS = {2: "(kH, kW)", 3: "(C, kH, kW)", 4: "(K, C, kH, kW)"}


@dataclass(frozen=True, slots=True, eq=False)
class ConvolutionGradients:
    """Gradients of a loss with respect to what went into `convolve`, each of its namesake's shape."""

    x: Array
    filters: Array
    bias: Array


@dataclass(frozen=True, slots=True, eq=False)
class ConvolutionStep:
    """One position of one filter: how one number of a feature map comes about.

    Attributes
    ----------
    filter_index, row, column : int
        The position in the feature maps, (K, H', W').
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
    maps, w, grid = _convolution(x, filters, stride, padding, dilation, layouts=IMAGES)
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
    maps, w, grid = _convolution(x, filters, stride, padding, dilation, layouts=IMAGES)
    g = array_of_shape("gradient", gradient, maps.shape[:-3] + w.shape[:-3] + grid.shape)
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
    maps, w, grid = _convolution(x, filters, stride, padding, dilation, layouts=IMAGE)
    b, patches = _biases(bias, w), grid.split(_with_axes(maps, 3))

    def step(k: int, row: int, column: int) -> ConvolutionStep:
        kernel = w if w.ndim < 4 else w[k]
        patch = patches[:, row, column].reshape(kernel.shape)
        products = patch * kernel
        total, shift = float(products.sum()), float(b[k])
        top, left = grid.corner(row, column)
        return ConvolutionStep(k, row, column, top, left, patch, kernel, products, total, shift, total + shift)

    return (step(*position) for position in np.ndindex(len(b), *grid.shape))


def _convolution(
    x: ArrayLike, filters: ArrayLike, stride: Size, padding: Padding, dilation: Size, *, layouts: Mapping[int, str]
) -> tuple[Array, Array, Windows]:
    """Return the image, the filters, whose channels agree, and the positions of the filters on the image."""
    maps, w = array_laid_out("x", x, layouts), array_laid_out("filters", filters, _FILTERS)
    channels = _with_axes(maps, 3).shape[-3]
    if _with_axes(w, 3).shape[-3] != channels:
        raise ValueError(
            f"filters has shape {w.shape}: must be for {channels} channel(s), as x, (C, H, W), has shape {maps.shape}"
        )
    size, kernel = maps.shape[-2:], w.shape[-2:]
    return maps, w, Windows.over(size, kernel, stride=stride, padding=padding, dilation=dilation, name="filters")


def _biases(bias: ArrayLike | None, w: Array) -> Array:
    """Return the bias of each filter, shape (K,)."""
    b = np.zeros(w.shape[:-3]) if bias is None else array_of_shape("bias", bias, w.shape[:-3])
    return b.reshape(-1)


def _with_axes(x: Array, ndim: int) -> Array:
    """Put axes of length 1 before the others until there are `ndim`."""
    return x.reshape((1,) * (ndim - x.ndim) + x.shape)
