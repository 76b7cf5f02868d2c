"""Pictures of any mode and size as bytes, by one rule a mode."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Box", "image_bytes"]

Box = tuple[int, int]
"""(width, height) in pixels."""


def image_bytes(image: Image.Image, box: Box | None = None, fit: str = "crop", mode: str | None = None) -> NDArray[Any]:
    """Return an image as bytes, grey (H, W) or RGB (H, W, 3).

    Black and white becomes 0 and 255. Sixteen bits become eight by division by 257, and so do 32-bit whole numbers,
    as which some files of sixteen bits are read. Floating-point numbers are multiplied by 255. No rule looks at what
    else is in the image, so that one level is the same in all. What is transparent becomes RGB on white, whatever the
    mode; palettes, also grey ones, CMYK, YCbCr and HSV become RGB, as Pillow converts them.

    Parameters
    ----------
    image
        Of any mode.
    box
        (width, height) to scale to; None leaves the size as it is.
    fit
        ``"crop"`` takes the central part of that shape, ``"pad"`` puts the whole image centrally on black.
    mode
        ``"L"`` or ``"RGB"`` to convert to; None takes grey for grey images and RGB for others.

    Raises
    ------
    ValueError
        If Pillow cannot convert the mode, or numbers lie outside of [0, 65535], of floating-point ones [0, 1].
    """
    flat = _flat(image)
    if box is not None:
        flat = _cropped(flat, box) if fit == "crop" else _padded(flat, box)
    return np.array(flat if mode is None else flat.convert(mode))


def _flat(image: Image.Image) -> Image.Image:
    """Return the image in mode L or RGB, without transparency."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_levels(np.asarray(image)))
    if image.has_transparency_data:  # also a mark in its head, so not only modes that end in A
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _levels(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return numbers of more than eight bits as bytes."""
    low, high = values.min(), values.max()
    limit = 1 if values.dtype.kind == "f" else 65535
    if not (low >= 0 and high <= limit):  # so that NaN is refused
        raise ValueError(f"its values go from {low:g} to {high:g}, not from 0 to at most {limit}")
    levels: NDArray[np.uint8] = np.rint(values * (255 / limit)).astype(np.uint8)
    return levels


def _cropped(image: Image.Image, box: Box) -> Image.Image:
    scale = min(image.width / box[0], image.height / box[1])
    left, top = (image.width - box[0] * scale) / 2, (image.height - box[1] * scale) / 2
    right, bottom = min(left + box[0] * scale, image.width), min(top + box[1] * scale, image.height)
    part = (max(left, 0), max(top, 0), right, bottom)  # rounding may step over the edge
    return image.resize(box, Image.Resampling.LANCZOS, part, reducing_gap=3.0)


def _padded(image: Image.Image, box: Box) -> Image.Image:
    scale = min(box[0] / image.width, box[1] / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    whole = Image.new(image.mode, box)
    scaled = image.resize(inner, Image.Resampling.LANCZOS, reducing_gap=3.0)
    whole.paste(scaled, ((box[0] - inner[0]) // 2, (box[1] - inner[1]) // 2))
    return whole
