"""Images from files, one or a folder of them, each converted by the same rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from narrows.data.dataset import DataError, Dataset

__all__ = ["IMAGE_SUFFIXES", "read_images"]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")

GREY = ("1", "L")


def read_images(path: Path, *, size: int | None = None, like: tuple[int, ...] | None = None) -> Dataset:
    """Read an image, or all images in a folder and below it; the folders that hold them are their labels.

    Each image is turned upright as its EXIF orientation says. Sixteen bits become eight; what is transparent becomes
    white; palettes and CMYK become RGB. The result is grey, (n, H, W), if all images are, and RGB, (n, H, W, 3),
    otherwise; always bytes. Of an animation the first frame is taken.

    Parameters
    ----------
    path
        A file or a folder.
    size
        Side in pixels: each image is cropped to its central square and scaled to it.
    like
        The shape (H, W) or (H, W, 3) that the images are to have: cropped, scaled, made grey or RGB to fit it.

    Raises
    ------
    DataError
        If there are none, one cannot be read, or they differ in size and no ``size`` is given.
    """
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise DataError(f"{path} holds no images ({', '.join(IMAGE_SUFFIXES)})")
    box = (like[1], like[0]) if like else (size, size) if size else None
    images = [_read(file, box) for file in files]
    sizes = Counter(image.size for image in images)
    if len(sizes) > 1:
        seen = ", ".join(f"{width}×{height} ({count})" for (width, height), count in sizes.most_common(5))
        smallest = min(min(size) for size in sizes)
        raise DataError(f"the images in {path} differ in size: {seen} …; crop and scale them with --size {smallest}")
    grey = len(like) == 2 if like else all(image.mode == "L" for image in images)
    mode = "L" if grey else "RGB"
    labels = [file.parent.relative_to(path).as_posix() for file in files] if path.is_dir() else []
    y = np.array(labels) if len(set(labels)) > 1 else None
    return Dataset(path.resolve().stem, np.stack([np.asarray(image.convert(mode)) for image in images]), y)


def _read(file: Path, box: tuple[int, int] | None) -> Image.Image:
    """Return the image upright, of mode L or RGB, and cropped and scaled if a ``box`` (width, height) is given."""
    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{file} cannot be read as an image: {error}") from error
    image = _flat(image)
    return image if box is None else ImageOps.fit(image, box, Image.Resampling.LANCZOS)


def _flat(image: Image.Image) -> Image.Image:
    """Return the image in mode L or RGB, without transparency."""
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        levels: NDArray[Any] = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(levels.round().clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("L" if image.mode in GREY else "RGB")
