"""TIFFs whose numbers Pillow refuses or gets wrong, by tifffile (an extra): deep, signed, floating, many channels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from narrows.data.optional import BROKEN, Unreadable, needed
from narrows.data.pixels import Raw, check_pixels, on_white, upright

__all__ = ["MAGIC", "is_plain", "read_tiff", "tiff_pages", "tiff_size"]

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How a TIFF begins, also one of more than 4 GB."""

WHITE_IS_0, BLACK_IS_0, RGB = 0, 1, 2
"""What a TIFF says its samples are (“TIFF”, revision 6.0, 1992)."""

SLICES = 32997
"""The tag of how many slices a volume has."""

UNSIGNED, UNDEFINED, FLOATING = 1, 4, 3
ASSOCIATED, UNASSOCIATED = 1, 2
"""Kinds of alpha: what is transparent is black already, or not."""

WEBP = 50001
"""A compression that Pillow's own build of libtiff does not know."""

LERC = 34887
"""A compression that keeps beside the numbers which of them count: where NaN was, it has 0 and a mask that says so."""

JPEG_2000 = (33003, 33004, 33005, 34712)
"""Compressions whose coder, OpenJPEG, has room for some 25 bits: larger numbers come out as others."""

TURNED_OVER = "whose 0 is white: turned over, so that more is brighter"


def is_plain(image: TiffImagePlugin.TiffImageFile) -> bool:
    """Say whether Pillow reads an image's numbers as they are: bytes, or one channel of 16 bits or 32-bit floats.

    Channels that are neither colours nor alpha it leaves out, and of a volume all but its first slice.
    """
    tags = image.tag_v2
    bits, kinds = tags.get(258, (1,)), set(tags.get(339, (UNSIGNED,)))
    colours = {WHITE_IS_0: 1, BLACK_IS_0: 1, RGB: 3}.get(tags.get(262, BLACK_IS_0))
    alpha = tuple(tags.get(338, ())) in ((ASSOCIATED,), (UNASSOCIATED,))
    if colours is not None and tags.get(277, 1) != colours + alpha:
        return False
    if tags.get(259) == WEBP or tags.get(SLICES, 1) > 1:
        return False
    if max(bits) <= 8:
        return kinds <= {UNSIGNED, UNDEFINED}
    deep = bits in ((12,), (16,)) and kinds == {UNSIGNED}
    return tags.get(262) == BLACK_IS_0 and (deep or (bits == (32,) and kinds == {FLOATING}))


def read_tiff(stream: IO[bytes], page: int) -> Raw:
    """Return the numbers of one page.

    Raises
    ------
    Unreadable
        If there is no such page, its numbers are of a kind that is no image's, or something is wrong with the file.
    """
    with _file(stream) as file:
        if not len(file.pages):
            raise Unreadable("it is damaged: no page of it can be found")
        if page >= len(file.pages):
            raise Unreadable(f"it has {len(file.pages)} pages, counted from 0; page {page} is none of them")
        return _numbers(file.pages[page])


def tiff_size(stream: IO[bytes], page: int) -> tuple[int, int]:
    """Return the (width, height) upright of one page."""
    with _file(stream) as file:
        found = file.pages[page]
        size = found.imagewidth, found.imagelength
        return size[::-1] if _orientation(found) > 4 else size


def tiff_pages(stream: IO[bytes]) -> int:
    """Return how many pages there are."""
    with _file(stream) as file:
        return len(file.pages)


@contextmanager
def _file(stream: IO[bytes]) -> Iterator[Any]:
    stream.seek(0)
    tifffile = needed("tifffile", "a TIFF of numbers that Pillow does not read", "tiff")
    try:
        with tifffile.TiffFile(stream) as file:
            yield file
    except (tifffile.TiffFileError, *BROKEN) as error:
        raise Unreadable(f"damaged ({error})") from error


def _orientation(page: Any) -> int:
    tag = page.tags.get(274)
    return int(tag.value) if tag is not None and tag.value in range(1, 9) else 1


def _numbers(page: Any) -> Raw:
    mode = f"{page.dtype}" + (f"×{page.samplesperpixel}" if page.samplesperpixel > 1 else "")
    if page.photometric not in (WHITE_IS_0, BLACK_IS_0, RGB):
        colours = getattr(page.photometric, "name", f"unknown ({page.photometric})")
        raise Unreadable(f"a TIFF of {colours} colours in {page.bitspersample} bits; convert it to RGB")
    if page.dtype is None or page.dtype.kind not in "uif" or page.axes not in ("YX", "YXS", "SYX"):
        raise Unreadable(f"a TIFF of {page.dtype} with the axes {page.axes}; convert it to real numbers, (H, W) or RGB")
    if page.compression in JPEG_2000 and page.bitspersample > 24:
        raise Unreadable("32-bit integers in JPEG 2000, of which the upper bits are lost; compress them otherwise")
    check_pixels(page.imagewidth, page.imagelength * page.samplesperpixel)
    try:
        numbers: NDArray[Any] = page.asarray(maxworkers=1)
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        how = page.compression.name
        raise Unreadable(f"a TIFF compressed by {how}, which needs imagecodecs: pip install imagecodecs") from error
    if page.compression == LERC and (missing := _missing(page)):
        raise Unreadable(f"without a value in {missing:,} of its pixels; fill them beforehand")
    if page.axes == "SYX":
        numbers = np.moveaxis(numbers, 0, -1)
    said = []
    if page.photometric == WHITE_IS_0:
        numbers, said = _turned_over(numbers, page.bitspersample), [TURNED_OVER]
    alpha = next(iter(page.extrasamples), None)
    if alpha in (ASSOCIATED, UNASSOCIATED) and page.samplesperpixel in (2, 4):
        white = 1 if numbers.dtype.kind == "f" else 2**page.bitspersample - 1
        numbers = on_white(numbers, white, multiplied=alpha == ASSOCIATED)
    return Raw(upright(numbers, _orientation(page)), mode, tuple(said))


def _missing(page: Any) -> int:
    """Return how many pixels of a page compressed by LERC have no value; tifffile reads 0 there and drops the masks."""
    lerc_decode = import_module("imagecodecs").lerc_decode
    missing = 0
    for data, index in page.parent.filehandle.read_segments(page.dataoffsets, page.databytecounts):
        if data is None:
            continue
        height, width = page.decode(data, index)[2][1:3]  # without what fills up a tile at the edge
        numbers, mask = lerc_decode(data, masks=True)
        if mask is not None:
            missing += int(np.sum(~mask[..., :height, :width]))
        if numbers.dtype.kind == "f" and numbers.ndim == 3:  # NaN in some channels only is the least number
            missing += int(np.sum((numbers == np.finfo(numbers.dtype).min).any(axis=-1)))
    return missing


def _turned_over(numbers: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return numbers of which the least are white so that these are the greatest, whatever else is in the image."""
    if numbers.dtype.kind == "u":
        turned: NDArray[Any] = numbers.dtype.type(2**bits - 1) - numbers
    else:
        turned = ~numbers if numbers.dtype.kind == "i" else 0 - numbers
    return turned
