"""Pooling: a window slides over feature maps and keeps its largest number or its mean (rows L17 and L18).

Feature maps are laid out as in `convolution`: (C, H, W), a batch (N, C, H, W). Everything is computed in float64.

Source: the lecture “Úvod do generativních modelů”.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from narrows.foundations.arguments import Array, array_laid_out, array_of_shape
from narrows.foundations.windows import IMAGE, IMAGES, Padding, Size, Windows

__all__ = ["LECTURE_POOLING_INPUT", "PoolingStep", "pool", "pool_backward", "pooling_steps"]

Pooling: TypeAlias = Literal["max", "average"]

LECTURE_POOLING_INPUT = np.array(
    [
        [9, 2, 3, 1, 4, 6, 5],
        [1, 5, 7, 2, 8, 1, 3],
        [4, 2, 6, 5, 3, 2, 9],
        [7, 3, 2, 8, 9, 5, 1],
        [0, 4, 1, 3, 6, 2, 4],
        [8, 6, 5, 2, 7, 3, 0],
    ],
    dtype=np.int64,
)
LECTURE_POOLING_INPUT.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class PoolingStep:
    """One position of the pooling window.

    Attributes
    ----------
    channel, row, column : int
        The position in the result, (C, H', W').
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
        As in `convolution.convolve`, and if `kind` is an unknown word.
    """
    _, windows = _pooling(x, window, kind, stride, padding, layouts=IMAGES)
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
    grid, windows = _pooling(x, window, kind, stride, padding, layouts=IMAGES)
    g = array_of_shape("gradient", gradient, windows.shape[:-2])
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
    grid, windows = _pooling(x, window, kind, stride, padding, layouts=IMAGE)
    windows = windows.reshape(-1, *windows.shape[-4:])
    values = _reduce(windows, kind)

    return (
        PoolingStep(c, i, j, *grid.corner(i, j), window=windows[c, i, j], value=float(values[c, i, j]))
        for c, i, j in np.ndindex(values.shape)
    )


def _pooling(
    x: ArrayLike, window: Size, kind: Pooling, stride: Size | None, padding: Padding, *, layouts: Mapping[int, str]
) -> tuple[Windows, Array]:
    """Return the window's positions, and the pixels at each: shape (..., H', W', kH, kW)."""
    if kind not in ("max", "average"):
        raise ValueError(f'kind={kind!r}: must be "max" or "average"')
    maps = array_laid_out("x", x, layouts)
    stride = window if stride is None else stride
    grid = Windows.over(maps.shape[-2:], window, stride=stride, padding=padding, name="window")
    if any(before >= length for before, length in zip(grid.before, grid.kernel, strict=True)):
        raise ValueError(f"padding={padding!r}: must be smaller than window={window!r}, or a window misses the image")
    return grid, grid.split(maps, fill=-np.inf if kind == "max" else 0.0)


def _reduce(windows: Array, kind: Pooling) -> Array:
    values: Array = windows.max(axis=(-2, -1)) if kind == "max" else windows.mean(axis=(-2, -1))
    return values
