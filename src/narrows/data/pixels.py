"""Pictures of any mode and size as numbers, by one rule a mode."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Box", "image_bytes", "image_numbers"]

Box = tuple[int, int]
"""(width, height) in pixels."""


def image_bytes(image: Image.Image, box: Box | None = None, fit: str = "crop", mode: str | None = None) -> NDArray[Any]:
    """Return an image as bytes, grey (H, W) or RGB (H, W, 3).

    As `image_numbers`, but sixteen bits become eight by division by 257, and floating-point numbers are multiplied by
    255.

    Raises
    ------
    ValueError
        As `image_numbers`, and if floating-point numbers lie outside of [0, 1].
    """
    numbers = image_numbers(image, box, fit, mode)
    if numbers.dtype == np.uint8:
        return numbers
    top = 65535 if numbers.dtype == np.uint16 else 1
    _check(numbers, 0, top)
    return np.rint(numbers * (255 / top)).astype(np.uint8)


def image_numbers(
    image: Image.Image, box: Box | None = None, fit: str = "crop", mode: str | None = None
) -> NDArray[Any]:
    """Return an image as numbers, grey (H, W) or RGB (H, W, 3).

    Black and white becomes 0 and 255. Grey levels of more than eight bits are kept as they are: whole numbers, also
    those of 32 bits, as which some files of sixteen bits are read, become 16-bit integers, floating-point numbers stay
    32-bit floats. All else becomes bytes. No rule looks at what else is in the image, so that one level is the same in
    all. What is transparent becomes RGB on white, whatever the mode, but white where grey
    has sixteen bits; palettes, also grey ones, CMYK, YCbCr and HSV
    become RGB, as Pillow converts them.

    Parameters
    ----------
    image
        Of any mode.
    box
        (width, height) to scale to; None leaves the size as it is.
    fit
        ``"crop"`` takes the central part of that shape, ``"pad"`` puts the whole image centrally on black.
    mode
        ``"L"`` or ``"RGB"`` for one channel or three; None takes one for grey images and three for others.

    Raises
    ------
    ValueError
        If Pillow cannot convert the mode, or whole numbers lie outside of [0, 65535], or others are not finite.
    """
    flat = _flat(image)
    deep = flat.mode == "F"
    whole = deep and image.mode != "F"
    if box is not None:
        flat = _cropped(flat, box) if fit == "crop" else _padded(flat, box)
    if not deep:
        return np.array(flat if mode is None else flat.convert(mode))
    numbers = np.array(flat)
    if whole:  # scaling may overshoot at edges
        numbers = np.rint(numbers).clip(0, 65535).astype(np.uint16)
    return numbers if mode != "RGB" else numbers[..., None].repeat(3, axis=-1)


def _flat(image: Image.Image) -> Image.Image:
    """Return the image in mode L or RGB, without transparency, or, of more than eight bits, in mode F."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        numbers = np.asarray(image)
        if "transparency" in image.info:  # of a grey PNG of sixteen bits, which stays grey
            numbers = np.where(numbers == image.info["transparency"], 65535, numbers)
        limit = float(np.finfo(np.float32).max)
        _check(numbers, *((-limit, limit) if image.mode == "F" else (0, 65535)))
        return Image.fromarray(numbers.astype(np.float32))  # which holds 24 bits, and which Pillow scales
    if image.has_transparency_data:  # also a mark in its head, so not only modes that end in A
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _check(numbers: NDArray[Any], least: float, most: float) -> None:
    """Refuse numbers outside of [least, most], and NaN."""
    low, high = numbers.min(), numbers.max()
    if not (low >= least and high <= most):
        raise ValueError(f"its values go from {low:g} to {high:g}, not from {least:g} to at most {most:g}")


def _cropped(image: Image.Image, box: Box) -> Image.Image:
    scale = min(image.width / box[0], image.height / box[1])
    left, top = (image.width - box[0] * scale) / 2, (image.height - box[1] * scale) / 2
    right, bottom = min(left + box[0] * scale, image.width), min(top + box[1] * scale, image.height)
    crop = (max(left, 0), max(top, 0), right, bottom)  # rounding may step over the edge
    return image.resize(box, Image.Resampling.LANCZOS, crop, reducing_gap=3.0)


def _padded(image: Image.Image, box: Box) -> Image.Image:
    scale = min(box[0] / image.width, box[1] / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    whole = Image.new(image.mode, box)
    scaled = image.resize(inner, Image.Resampling.LANCZOS, reducing_gap=3.0)
    whole.paste(scaled, ((box[0] - inner[0]) // 2, (box[1] - inner[1]) // 2))
    return whole
