"""Images as arrays: laid out as a vector, and seen through a sliding window (rows L14, L15 and L18).

The lecture takes an RGB image of X × Y pixels as a vector of 3XY whole numbers. A network can be given that vector, but
a dense layer then has a weight for every pair of input and unit: (3·10⁶)² = 9·10¹² for an image of a megapixel and as
many units as inputs. A convolutional layer looks through a small window instead, at one place after another, and reuses
its few weights at each, so that its size depends on no image's. The stride says how far the window moves, the padding
how far the image is continued beyond its border: not at all («valid»), or so far that the result keeps the image's size
(«same»).

Source: the lecture «Úvod do generativních modelů»; for the arithmetic, Dumoulin & Visin, A guide to convolution
arithmetic for deep learning (2016).
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

__all__ = ["Windows", "convolution_parameters", "dense_parameters", "image_to_vector", "vector_to_image"]

Array: TypeAlias = NDArray[np.float64]
Size: TypeAlias = int | tuple[int, int]
Padding: TypeAlias = Size | Literal["valid", "same"]


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
    x = _finite_array("image", image)
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
    axes = tuple(_whole("shape", length, least=1) for length in shape)
    x = _finite_array("vector", vector)
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
    outputs = _whole("units", units, least=1)
    return (_whole("inputs", inputs, least=1) + bool(bias)) * outputs


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
    height, width = _pair("kernel", kernel, least=1)
    inputs, units = _whole("channels", channels, least=1) * height * width, _whole("filters", filters, least=1)
    return dense_parameters(inputs, units, bias=bias)


@dataclass(frozen=True, slots=True)
class Windows:
    """The places of a kernel that slides over an image; make them with `Windows.over`.

    Attributes
    ----------
    size, kernel, stride, dilation : (int, int)
        For rows and for columns, as given to `over`.
    before, after : (int, int)
        Rows added above and columns added on the left; rows below and columns on the right.
    shape : (int, int)
        H' × W', how many places there are.
    """

    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    shape: tuple[int, int]

    @classmethod
    def over(
        cls,
        size: Size,
        kernel: Size,
        *,
        stride: Size = 1,
        padding: Padding = "valid",
        dilation: Size = 1,
        name: str = "kernel",
    ) -> Self:
        """Lay out ⌊(n + p − d(k − 1) − 1) / s⌋ + 1 places along each axis (Dumoulin & Visin 2016).

        Parameters
        ----------
        size, kernel : int or (int, int)
            Height and width n of the image and k of the kernel; one number for a square.
        stride : int or (int, int), default 1
            How many pixels s the kernel moves, down and to the right.
        padding : "valid", "same", int or (int, int), default "valid"
            Pixels added around the image, p before and after together: none; as many as make ⌈n / s⌉ places (at
            stride 1 the image's own size), the odd one after the image, as in TensorFlow; or this many above and
            below, and this many left and right.
        dilation : int or (int, int), default 1
            Distance d between the pixels under neighbouring entries of the kernel; 1 leaves no gap.
        name : str, default "kernel"
            What an error calls the kernel.

        Returns
        -------
        Windows

        Raises
        ------
        TypeError
            If a size is not a whole number.
        ValueError
            If a size is too small, `padding` is an unknown word, or the kernel does not fit into the padded image.
        """
        n, k = _pair("size", size, least=1), _pair(name, kernel, least=1)
        s, d = _pair("stride", stride, least=1), _pair("dilation", dilation, least=1)
        span = tuple(d[axis] * (k[axis] - 1) + 1 for axis in (0, 1))
        before, after = _border(padding, n, span, s)
        room = tuple(before[axis] + n[axis] + after[axis] for axis in (0, 1))
        for axis, lines in enumerate(("rows", "columns")):
            if span[axis] > room[axis]:
                raise ValueError(
                    f"{name} of {k} at dilation {d} spans {span[axis]} {lines}, but the padded image has {room[axis]}: "
                    "must fit, so take a smaller one or more padding"
                )
        rows, columns = ((room[axis] - span[axis]) // s[axis] + 1 for axis in (0, 1))
        return cls(n, k, s, d, before, after, (rows, columns))

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return the image's row and column under the kernel's first entry; negative in the padding.

        Parameters
        ----------
        row, column : int
            The place, counted from 0.

        Returns
        -------
        (int, int)
        """
        return row * self.stride[0] - self.before[0], column * self.stride[1] - self.before[1]

    def split(self, x: Array, *, fill: float = 0.0) -> Array:
        """Return the pixels under the kernel at each place, with `fill` in the padding.

        Parameters
        ----------
        x : ndarray, shape (..., H, W)
        fill : float, default 0

        Returns
        -------
        ndarray, shape (..., H', W', kH, kW)
            A read-only view, in which windows that overlap share their pixels.

        Raises
        ------
        ValueError
            If the image is not of the size the windows were laid out for.
        """
        if x.shape[-2:] != self.size:
            raise ValueError(f"x has shape {x.shape}: must be (..., {self.size[0]}, {self.size[1]})")
        border = [(0, 0)] * (x.ndim - 2) + list(zip(self.before, self.after, strict=True))
        return self._view(np.pad(x, border, constant_values=fill))

    def join(self, values: Array) -> Array:
        """Add up what all windows have for a pixel: the adjoint of `split`, and so its backward pass.

        Parameters
        ----------
        values : ndarray, shape (..., H', W', kH, kW)

        Returns
        -------
        ndarray, shape (..., H, W)

        Raises
        ------
        ValueError
            If `values` is not laid out as the result of `split`.
        """
        if values.shape[-4:] != self.shape + self.kernel:
            raise ValueError(f"values has shape {values.shape}: must be (..., H', W', kH, kW) for {self}")
        (top, left), (height, width) = self.before, self.size
        room = (top + height + self.after[0], left + width + self.after[1])
        padded = np.zeros(values.shape[:-4] + room)
        windows = self._view(padded, writeable=True)
        # All entries at once would write to a pixel several times and keep one; a single entry meets it at one place.
        for entry in np.ndindex(self.kernel):
            windows[(..., *entry)] += values[(..., *entry)]
        return padded[..., top : top + height, left : left + width]

    def _view(self, padded: Array, *, writeable: bool = False) -> Array:
        (s, t), (d, e), (height, width) = self.stride, self.dilation, self.kernel
        span = (d * (height - 1) + 1, e * (width - 1) + 1)
        return sliding_window_view(padded, span, axis=(-2, -1), writeable=writeable)[..., ::s, ::t, ::d, ::e]


def _border(
    padding: Padding, size: tuple[int, int], span: tuple[int, ...], stride: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding before and after the image, for rows and for columns."""
    if not isinstance(padding, str):
        pair = _pair("padding", padding, least=0)
        return pair, pair
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding != "same":
        raise ValueError(f'padding={padding!r}: must be "valid", "same", a whole number, or two of them')
    # The last of ⌈n / s⌉ windows begins (⌈n / s⌉ − 1)·s pixels after the first; −(−n // s) is ⌈n / s⌉.
    rows, columns = (max(0, (-(-n // s) - 1) * s + length - n) for n, s, length in zip(size, stride, span, strict=True))
    return (rows // 2, columns // 2), (rows - rows // 2, columns - columns // 2)


def _whole(name: str, value: object, *, least: int) -> int:
    """Return `value` as a Python int, which no product overflows."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}={value!r}: must be a whole number")
    if value < least:
        raise ValueError(f"{name}={value!r}: must be at least {least}")
    return int(value)


def _pair(name: str, value: object, *, least: int) -> tuple[int, int]:
    """Return the numbers for rows and for columns, given both or one for both."""
    if not isinstance(value, tuple | list):
        value = (value, value)
    if len(value) != 2:
        raise ValueError(f"{name}={value!r}: must be one whole number, or two: (for rows, for columns)")
    return _whole(name, value[0], least=least), _whole(name, value[1], least=least)


def _finite_array(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return a fresh array in row-major order, so that reshaping it never aliases what the caller holds."""
    try:
        x = np.array(value, order="C")
    except ValueError as error:
        raise ValueError(f"{name} is ragged: every row must have the same length") from error
    if x.dtype.kind in "fc" and not np.isfinite(x).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise ValueError(f"{name} holds {x[where]} at {where}: every number must be finite")
    return x
