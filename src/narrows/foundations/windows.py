"""A small window slides over an image: the positions it stops at, and the pixels it sees there (row L18).

The stride says how far the window moves, the padding how far the image is continued beyond its border: not at all
(``"valid"``), or so far that the result keeps the image's size (``"same"``).

Source: the lecture “Úvod do generativních modelů”; for the arithmetic, Dumoulin & Visin, A guide to convolution
arithmetic for deep learning (2016).
"""

from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from narrows.foundations.arguments import Array, whole_pair

__all__ = ["IMAGE", "IMAGES", "Padding", "Size", "Windows"]

Size: TypeAlias = int | tuple[int, int]
Padding: TypeAlias = Size | Literal["valid", "same"]

IMAGE = {2: "(H, W)", 3: "(C, H, W)"}
"""How one image may be laid out, by its number of axes."""

IMAGES = {**IMAGE, 4: "(N, C, H, W)"}
"""The same, or a batch."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The positions of a kernel that slides over an image; make them with `Windows.over`.

    Attributes
    ----------
    size, kernel, stride, dilation : (int, int)
        For rows and for columns, as given to `over`.
    before, after : (int, int)
        Rows added above and columns added on the left; rows below and columns on the right.
    shape : (int, int)
        H' × W', how many positions there are.
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
        """Lay out ⌊(n + p − d(k − 1) − 1) / s⌋ + 1 positions along each axis (Dumoulin & Visin 2016).

        Parameters
        ----------
        size, kernel : int or (int, int)
            Height and width n of the image and k of the kernel; one number for a square.
        stride : int or (int, int), default 1
            How many pixels s the kernel moves, down and to the right.
        padding : "valid", "same", int or (int, int), default "valid"
            Pixels added around the image, p before and after together: none; as many as make ⌈n / s⌉ positions (at
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
        n, k = whole_pair("size", size, 1), whole_pair(name, kernel, 1)
        s, d = whole_pair("stride", stride, 1), whole_pair("dilation", dilation, 1)
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
            The position, counted from 0.

        Returns
        -------
        (int, int)
        """
        return row * self.stride[0] - self.before[0], column * self.stride[1] - self.before[1]

    def split(self, x: Array, *, fill: float = 0.0) -> Array:
        """Return the pixels under the kernel at each position, with `fill` in the padding.

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
        # All entries at once would write to a pixel several times and keep one; a single entry meets it once.
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
        pair = whole_pair("padding", padding, 0)
        return pair, pair
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding != "same":
        raise ValueError(f'padding={padding!r}: must be "valid", "same", a whole number, or two of them')
    # The last of ⌈n / s⌉ windows begins (⌈n / s⌉ − 1)·s pixels after the first; −(−n // s) is ⌈n / s⌉.
    rows, columns = (max(0, (-(-n // s) - 1) * s + length - n) for n, s, length in zip(size, stride, span, strict=True))
    return (rows // 2, columns // 2), (rows - rows // 2, columns - columns // 2)
