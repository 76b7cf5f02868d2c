"""Pictures of any mode and size as numbers, by one rule a mode."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from narrows.data.optional import Unreadable

__all__ = [
    "Box",
    "Raw",
    "check_pixels",
    "image_bytes",
    "image_numbers",
    "is_coloured",
    "on_white",
    "raw_numbers",
    "upright",
]

Box = tuple[int, int]
"""(width, height) in pixels."""

COLOURLESS = 24
"""Of 255, by how much the channels of a pixel may differ that is taken for grey: scans and JPEGs of grey are tinted."""

EXACT = 2**53
"""Up to which 64-bit floats hold every whole number."""


class Raw(NamedTuple):
    """What a file of numbers holds.

    Attributes
    ----------
    numbers
        (H, W) or (H, W, C), upright, of any real type.
    mode
        Their type and number of channels, as ``"int16"`` or ``"float32×5"``.
    said
        What was done to them, a phrase each that follows “3 images”.
    """

    numbers: NDArray[Any]
    mode: str
    said: tuple[str, ...] = ()


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


def raw_numbers(numbers: NDArray[Any], box: Box | None, fit: str, mode: str | None) -> NDArray[Any]:
    """Return numbers from a file, (H, W) or (H, W, C), as bytes, 16-bit integers or floats that hold each of them.

    Signed integers become floats: 32-bit ones if they have 16 bits at most, as do floats, and 64-bit ones otherwise.
    Scaled, all floats have 32 bits.

    Parameters
    ----------
    numbers
        Of a real type.
    box, fit, mode
        As in `image_numbers`; ``"L"`` makes grey of three channels, and ``"RGB"`` three channels of grey.

    Raises
    ------
    ValueError
        If some are not finite, or are whole numbers that no float holds.
    """
    kind, size = numbers.dtype.kind, numbers.dtype.itemsize
    if kind == "u" and size <= 2:
        kept: NDArray[Any] = numbers.astype(np.uint8 if size == 1 else np.uint16)
    else:
        exact = size <= 2 or (kind == "f" and size == 4)
        limit = EXACT if kind in "ui" else np.finfo(np.float64).max
        _check(numbers, -limit if kind != "u" else 0, limit)
        kept = numbers.astype(np.float32 if exact else np.float64)
    if kept.ndim == 3 and kept.shape[2] == 1:
        kept = kept[..., 0]
    if mode == "L" and kept.shape[2:] == (3,):  # as Pillow makes grey of colours
        grey = kept @ np.array([0.299, 0.587, 0.114])
        kept = (grey if kept.dtype.kind == "f" else np.rint(grey)).astype(kept.dtype)
    elif mode == "RGB" and kept.ndim == 2:
        kept = kept[..., None].repeat(3, axis=-1)
    if box is None:
        return kept
    planes = kept if kept.ndim == 3 else kept[..., None]
    fitted = _cropped if fit == "crop" else _padded
    scaled = [
        np.asarray(fitted(Image.fromarray(plane.astype(np.float32)), box)) for plane in np.moveaxis(planes, -1, 0)
    ]
    result = np.stack(scaled, axis=-1) if kept.ndim == 3 else scaled[0].copy()
    if kept.dtype.kind == "u":  # scaling may overshoot at edges
        result = np.rint(result).clip(0, np.iinfo(kept.dtype).max).astype(kept.dtype)
    return result


def check_pixels(width: int, height: int) -> None:
    """Refuse images of more pixels than Pillow would read, before room is made for them.

    Raises
    ------
    PIL.Image.DecompressionBombError
        If there are more.
    """
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and width * height > 2 * most:
        raise Image.DecompressionBombError(f"{width}×{height} pixels")


def upright(numbers: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return an image (H, W, …) turned as EXIF's and TIFF's ``orientation``, 1 to 8, says it has to be."""
    turned = numbers.swapaxes(0, 1) if orientation > 4 else numbers
    across, down = orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)
    return turned[:: -1 if down else 1, :: -1 if across else 1]


def on_white(numbers: NDArray[Any], white: float, *, multiplied: bool) -> NDArray[Any]:
    """Return an image (H, W, C + 1) on white, (H, W, C), whose last channel says how much of it covers that.

    Parameters
    ----------
    numbers
        From 0 to ``white``.
    white
        White, and all of it.
    multiplied
        Whether the others are multiplied by the last already.
    """
    alpha = numbers[..., -1:].astype(np.float64) / white
    colours = numbers[..., :-1] * (1.0 if multiplied else alpha) + white * (1 - alpha)
    return (colours if numbers.dtype.kind == "f" else np.rint(colours).clip(0, white)).astype(numbers.dtype)


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
    if low >= least and high <= most:
        return
    count = int((~np.isfinite(numbers)).sum())
    if count:
        raise Unreadable(f"NaN or infinite in {count:,} of its {numbers.size:,} values; replace them beforehand")
    raise Unreadable(f"its values go from {low:g} to {high:g}; numbers from {least:g} to {most:g} are read")


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


def is_coloured(image: Image.Image) -> bool:
    """Say whether an image has colours; a grey one that was saved with three channels, or a JPEG of it, has none."""
    if image.mode in ("1", "L", "LA", "La", "I", "F") or image.mode.startswith("I;"):
        return False
    few = np.asarray(image.convert("RGB").reduce(max(1, min(image.size) // 64)))
    return bool((few.max(2) - few.min(2)).max() > COLOURLESS)
