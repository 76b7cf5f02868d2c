"""Images that a request brings: opened within limits that are checked before anything is decoded."""

from __future__ import annotations

import warnings
from io import BytesIO

from PIL import Image, ImageOps

from narrows.data.errors import DataError
from narrows.data.image_files import DAMAGE, formats

__all__ = ["MOST_BYTES", "MOST_PIXELS", "read_image"]

MOST_BYTES, MOST_PIXELS = 8 * 2**20, 25_000_000
"""Of an uploaded file, and of the image in it."""


def read_image(body: bytes) -> Image.Image:
    """Return the image in an uploaded file, upright.

    Raises
    ------
    DataError
        If it has too many bytes or pixels, is of no format that narrows reads, or is damaged.
    """
    if len(body) > MOST_BYTES:
        raise DataError(f"the file has {len(body) / 2**20:.1f} MB; {MOST_BYTES // 2**20} MB is the limit")
    image = _opened(body)
    if image is None:
        raise DataError(f"the image is too large; {MOST_PIXELS // 10**6} million pixels is the limit")
    return image


def _opened(body: bytes) -> Image.Image | None:
    """Return the image, or None, before anything is decoded, if it has too many pixels."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(body), formats=formats()) as opened:
            return ImageOps.exif_transpose(opened) if opened.width * opened.height <= MOST_PIXELS else None
    except Image.DecompressionBombError:
        return None
    except DAMAGE as error:
        raise DataError(f"this is not a complete image of a kind that narrows reads: {', '.join(formats())}") from error
