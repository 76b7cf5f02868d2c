"""Images as vectors, and what it costs a layer to take them in (rows L14 and L15).

The lecture takes an RGB image of X × Y pixels as a vector of 3XY whole numbers. A network can be given that vector, but
a dense layer then has a weight for every pair of input and unit: (3·10⁶)² = 9·10¹² for an image of a megapixel and as
many units as inputs. A convolutional layer looks through a small window instead, at one place after another, and reuses
its few weights at each, so that its size depends on no image's.

Source: the lecture “Úvod do generativních modelů”.
"""

import math
from typing import Any

from numpy.typing import ArrayLike, NDArray

from narrows.foundations.arguments import regular_array, whole_number, whole_pair

__all__ = ["convolution_parameters", "dense_parameters", "image_to_vector", "vector_to_image"]


def image_to_vector(image: ArrayLike, *, batch: bool = False) -> NDArray[Any]:
    """Lay the numbers of an image out in a row, pixel after pixel.

    Rows follow each other from the top, pixels from the left, and a pixel's channels stand together: channel c of the
    pixel in row i and column j is number (i·W + j)·C + c of the vector.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C); with `batch`, (n, H, W) or (n, H, W, C)
        A grey image, or one with C channels (three for RGB), of any dtype.
    batch : bool, default False
        Whether the first axis counts images. It cannot be told from the shape: (8, 8, 3) may be either.

    Returns
    -------
    ndarray, shape (H·W·C,) or (n, H·W·C)
        The same numbers, in the same dtype; always a copy.

    Raises
    ------
    ValueError
        If the image is ragged or empty, has another number of axes, or holds NaN or infinity.
    """
    x = regular_array("image", image)
    allowed = (3, 4) if batch else (2, 3)
    if x.ndim not in allowed or x.size == 0:
        layout = "(n, H, W) or (n, H, W, C)" if batch else "(H, W) or (H, W, C)"
        raise ValueError(f"image has shape {x.shape}: must be {layout}, without an axis of length 0")
    return x.reshape(len(x), -1) if batch else x.reshape(-1)


def vector_to_image(vector: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Turn a vector, or each row of a table, back into an image; the inverse of `image_to_vector`.

    Parameters
    ----------
    vector : array_like, shape (H·W·C,) or (n, H·W·C)
        Of any dtype.
    shape : tuple of int
        The shape of one image: (H, W) or (H, W, C).

    Returns
    -------
    ndarray, shape (H, W) or (H, W, C), for a table with an axis n before
        The same numbers, in the same dtype; always a copy.

    Raises
    ------
    TypeError
        If `shape` is not a tuple of whole numbers.
    ValueError
        If `shape` does not describe an image, `vector` does not fit it, or holds NaN or infinity.
    """
    if not isinstance(shape, tuple | list):
        raise TypeError(f"shape={shape!r}: must be a tuple (H, W) or (H, W, C)")
    if len(shape) not in {2, 3}:
        raise ValueError(f"shape={shape!r}: must be (H, W) or (H, W, C)")
    axes = tuple(whole_number("shape", length, 1) for length in shape)
    x = regular_array("vector", vector)
    if x.ndim not in {1, 2} or x.size == 0 or x.shape[-1] != math.prod(axes):
        d = math.prod(axes)
        raise ValueError(f"vector has shape {x.shape}: must be ({d},) or (n, {d}) for images of shape {axes}")
    return x.reshape(x.shape[:-1] + axes)


def dense_parameters(inputs: int, units: int, *, bias: bool) -> int:
    """Count the parameters of a dense layer: inputs · units weights, and with `bias` one more for each unit.

    Parameters
    ----------
    inputs, units : int
        At least 1. Nothing of that size is allocated.
    bias : bool
        Whether each unit has a bias. The lecture's 9·10¹² counts the weights alone.

    Returns
    -------
    int
        Exact, however large.

    Raises
    ------
    TypeError
        If a size is not a whole number.
    ValueError
        If a size is below 1.
    """
    outputs = whole_number("units", units, 1)
    return (whole_number("inputs", inputs, 1) + bool(bias)) * outputs


def convolution_parameters(channels: int, filters: int, kernel: int | tuple[int, int], *, bias: bool) -> int:
    """Count the parameters of a convolutional layer: filters · channels · kH · kW weights, whatever the image's size.

    Parameters
    ----------
    channels, filters : int
        Channels of the input and of the output, at least 1.
    kernel : int or (int, int)
        Height and width of a filter; one number for a square.
    bias : bool
        Whether each filter has a bias, one number more.

    Returns
    -------
    int
        Exact, however large.

    Raises
    ------
    TypeError
        If a size is not a whole number.
    ValueError
        If a size is below 1.
    """
    height, width = whole_pair("kernel", kernel, 1)
    inputs, units = whole_number("channels", channels, 1) * height * width, whole_number("filters", filters, 1)
    return dense_parameters(inputs, units, bias=bias)
