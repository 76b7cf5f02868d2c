"""Images from files, one or a folder of them, each converted by the same rules and decoded by several threads.

What is wrong with one file, so that it is damaged, empty, or no image at all, does not stop the others: it is passed
over and listed. Memory holds the images in work and the names, never the folder's images themselves beyond `LARGE`.
"""

from __future__ import annotations

import os
import statistics
import struct
import warnings
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from narrows.data.dataset import DataError, Dataset, ImageFiles, Rejected
from narrows.data.on_disk import OnDisk, collect
from narrows.data.pixels import Box, image_bytes

__all__ = [
    "IMAGE_SUFFIXES",
    "ShapesDiffer",
    "collect_images",
    "read_images",
    "scan_images",
    "suitable_size",
    "wanted",
]

IMAGE_SUFFIXES = (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif")

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")  # whatever a suffix claims; others may run programs
SUFFIXES = tuple(map(str.encode, IMAGE_SUFFIXES))
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes EXIF's orientation."""
SIDEWAYS = (5, 6, 7, 8)  # those that swap width and height
DAMAGE = (OSError, SyntaxError, ValueError, LookupError, ArithmeticError, EOFError, TypeError, struct.error, zlib.error)

Progress = Callable[[int, int], None]
"""Told, again and again, how many files of how many are read."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class ShapesDiffer(Exception):  # noqa: N818, it is a finding, of which each caller makes its own error
    """An image differs in height or width from the first; ``args`` are the two shapes."""


class _ColoursDiffer(Exception):  # noqa: N818, as above
    """A colour image follows grey ones."""


class _Decoded(NamedTuple):
    pixels: NDArray[np.uint8]
    size: tuple[int, int]
    mode: str


def read_images(
    path: Path,
    *,
    size: int | None = None,
    fit: str = "crop",
    like: tuple[int, ...] | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Read an image, or all images in a folder and below it; the folders that hold them are their labels.

    Hidden files are left out, and each folder is read once, however many links lead to it. Each image is turned upright
    as its EXIF orientation says and becomes bytes as `image_bytes` says. The result is grey, (n, H, W), if all images
    are, and RGB, (n, H, W, 3), otherwise, in the order of their names; an array on disk if it is large. Of an animation
    or of several pages the first is taken.

    Parameters
    ----------
    path
        A file or a folder.
    size, fit, like, progress
        As of `load_data`.
    strict
        Whether a file that cannot be read is an error, rather than passed over and listed in ``files.rejected``.

    Raises
    ------
    DataError
        If there are none, none (with ``strict``: one) can be read, or they differ in size and no ``size`` is given.
    """
    root, names = _find(path)
    box, mode = wanted(size, like)
    tally = _Tally(root, names, progress)
    with _silence():
        if box is None:
            _check_sizes(path, tally)
        try:
            X = collect_images(lambda mode: tally.decoded(box, fit, mode), len(names), mode)
        except ShapesDiffer as error:
            raise DataError(f"images in {path} have other sizes than their heads say: {error.args}") from error
    files = tally.files(strict=strict)
    return Dataset(path.resolve().stem, X, files.labels, files)


def scan_images(path: Path, *, strict: bool = False, progress: Progress | None = None) -> ImageFiles:
    """Return what a folder of images, or one, holds, whether or not the images fit together; every one is decoded.

    Parameters
    ----------
    path, strict, progress
        As of `read_images`.

    Raises
    ------
    DataError
        If there are none, or none (with ``strict``: one) can be read.
    """
    tally = _Tally(*_find(path), progress)
    with _silence():
        deque(tally.decoded((8, 8), "crop", None), maxlen=0)
    return tally.files(strict=strict)


def wanted(size: int | None, like: tuple[int, ...] | None) -> tuple[Box | None, str | None]:
    """Return the (width, height) and the mode that `load_data`'s arguments ask for; None leaves them as they are."""
    if like is not None:
        return (like[1], like[0]), "L" if len(like) == 2 else "RGB"
    return None if size is None else (size, size), None


def collect_images(
    read: Callable[[str | None], Iterator[NDArray[np.uint8]]], count: int, mode: str | None = None
) -> NDArray[Any] | OnDisk:
    """Return images of one height and width as one array: grey (n, H, W) if all are, RGB (n, H, W, 3) otherwise.

    Parameters
    ----------
    read
        Called with the mode to convert to, ``"L"``, ``"RGB"``, or None for that of each, it yields the images. If a
        coloured one follows grey ones it is called anew with ``"RGB"``.
    count
        How many there are at most.
    mode
        What to call it with first.

    Raises
    ------
    ShapesDiffer
        If an image differs from the first in height or width.
    DataError
        If there is no room on the disk.
    """

    def alike(images: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        for image in images:
            if image.shape[:2] != shape[:2]:
                raise ShapesDiffer(shape, image.shape)
            if image.ndim > len(shape):
                raise _ColoursDiffer
            yield image if image.ndim == len(shape) else image[..., None].repeat(3, axis=-1)

    images = read(mode)
    head = list(islice(images, 1))
    shape = head[0].shape if head else (0, 0)
    try:
        return collect(alike(chain(head, images)), count if head else 0, shape, np.uint8)
    except _ColoursDiffer:
        return collect_images(read, count, "RGB")


class _Tally:
    """Decodes files and keeps count of what they are."""

    def __init__(self, root: bytes, names: NDArray[np.bytes_], progress: Progress | None) -> None:
        self.root, self.names, self.progress = root, names, progress

    def each(self, function: Callable[[bytes], Result]) -> Iterator[Result]:
        """Yield ``function`` of each file, in order, and tell how many are done."""
        tell = self.progress or (lambda *_: None)
        tell(0, len(self.names))
        for done, result in enumerate(_in_order(function, (self.root + name for name in self.names)), 1):
            yield result
            tell(done, len(self.names))

    def decoded(self, box: Box | None, fit: str, mode: str | None) -> Iterator[NDArray[np.uint8]]:
        """Yield the images of the files that can be read, in order, counting anew."""
        self.good = np.zeros(len(self.names), bool)
        self.sizes, self.modes, self.rejected = Counter[Box](), Counter[str](), list[Rejected]()
        for place, found in enumerate(self.each(partial(_decode, box=box, fit=fit, mode=mode))):
            if isinstance(found, str):
                self.rejected.append(Rejected(self.names[place].decode(errors="backslashreplace"), found))
                continue
            self.good[place] = True
            self.sizes[found.size] += 1
            self.modes[found.mode] += 1
            yield found.pixels

    def files(self, *, strict: bool) -> ImageFiles:
        """Return the counts, or refuse the rejected files if there are no others, or if ``strict``."""
        if self.rejected and (strict or not self.good.any()):
            first, more = self.rejected[0], len(self.rejected) - 1
            also = f"; nor can {more:,} more of {len(self.names):,}" if more else ""
            raise DataError(f"{os.fsdecode(self.root)}{first.path} cannot be read as an image: {first.reason}{also}")
        return ImageFiles(self.names[self.good], dict(self.sizes), dict(self.modes), tuple(self.rejected))


def _decode(file: bytes, *, box: Box | None, fit: str, mode: str | None) -> _Decoded | str:
    """Return the image upright and converted, or the reason why it cannot be read."""
    try:
        with Image.open(file, formats=FORMATS) as opened:
            size, own_mode = opened.size, opened.mode
            if box is not None:  # JPEGs of several times that size are decoded at a part of theirs
                opened.draft(None, (2 * max(box), 2 * max(box)))
            opened.load()
            orientation = _orientation(opened)
            upright = opened.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else opened
            size = size[::-1] if orientation in SIDEWAYS else size
            return _Decoded(image_bytes(upright, box, fit, mode), size, own_mode)
    except Image.DecompressionBombError:
        return f"larger than {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:,.0f} million pixels"
    except DAMAGE as error:
        return _reason(file, error)


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation, 1 to 8; of an image not yet decoded, from its head."""
    if image.format == "PNG" and not any("exif" in str(key) for key in image.info):
        return 1  # looking any further would decode it
    try:
        found = image.getexif().get(ExifTags.Base.Orientation)
    except DAMAGE:
        return 1  # the image may be whole
    return found if found in UPRIGHT else 1


def _reason(file: bytes, error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image" if Path(os.fsdecode(file)).stat().st_size else "empty"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error)
    return "truncated" if "truncated" in text.lower() else f"damaged ({text})"


def _in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield ``function`` of each item, worked out by threads that are a few items ahead."""
    workers = min(os.cpu_count() or 1, 16)
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[Result]] = deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


@contextmanager
def _silence() -> Iterator[None]:
    """Let Pillow's warnings of odd files pass; around the threads, since their filters are the whole process's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _find(path: Path) -> tuple[bytes, NDArray[np.bytes_]]:
    """Return a folder, with a slash at its end, and the sorted names (n,) of the images in it and below."""
    root = os.fsencode(path.parent if path.is_file() else path) + b"/"
    if path.is_file():
        return root, np.array([os.fsencode(path.name)])
    found, parts = _names(root, b"", set()), []
    while some := list(islice(found, 4096)):  # a name by itself takes several times the memory it takes in an array
        parts.append(np.array(some))
    if not parts:
        raise DataError(f"{path} holds no images ({', '.join(IMAGE_SUFFIXES)})")
    return root, np.sort(np.concatenate(parts))


def _names(root: bytes, inside: bytes, seen: set[tuple[int, int]]) -> Iterator[bytes]:
    """Yield the paths of images in the folder ``inside`` of ``root``, relative to ``root``.

    Both names end in a slash; ``seen`` are the folders already read, by device and number.
    """
    status = Path(os.fsdecode(root + inside)).stat()
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    folders = []
    with os.scandir(root + inside) as entries:
        for entry in entries:
            if entry.name.startswith(b".") or entry.name == b"__MACOSX":
                continue
            if entry.is_dir():
                folders.append((entry.is_symlink(), entry.name))  # folders themselves come before links to them
            elif entry.name.lower().endswith(SUFFIXES) and (entry.is_file() or _is_broken(entry)):
                yield inside + entry.name
    for _, name in sorted(folders):
        yield from _names(root, inside + name + b"/", seen)


def _is_broken(entry: os.DirEntry[bytes]) -> bool:
    """Return whether it is a link to nothing, which is listed as a file that cannot be read."""
    return entry.is_symlink() and not Path(os.fsdecode(entry.path)).exists()


def _check_sizes(path: Path, tally: _Tally) -> None:
    """Refuse images of several sizes, by their files' heads alone, before time and disk are spent on them."""
    sizes = Counter(size for size in tally.each(_upright_size) if size is not None)
    if len(sizes) > 1:  # perhaps only by the heads of files that are damaged further on
        deque(tally.decoded((8, 8), "crop", None), maxlen=0)
        sizes = tally.sizes
    if len(sizes) < 2:
        return
    seen = ", ".join(f"{width}×{height} ({count:,})" for (width, height), count in sizes.most_common(5))
    more = f" and {len(sizes) - 5:,} more sizes" if len(sizes) > 5 else ""
    side = suitable_size(sizes)
    raise DataError(
        f"the images in {path} differ in size: {seen}{more}; crop and scale them with --size {side}, "
        f"or scale them whole with --size {side} --fit pad"
    )


def suitable_size(sizes: Mapping[Box, int]) -> int:
    """Return the side in pixels to advise for images of ``sizes``: of half of them the shorter, but at most 64."""
    return min(64, statistics.median_low(min(size) for size in Counter(sizes).elements()))


def _upright_size(file: bytes) -> Box | None:
    try:
        with Image.open(file, formats=FORMATS) as opened:
            return opened.size[::-1] if _orientation(opened) in SIDEWAYS else opened.size
    except (*DAMAGE, Image.DecompressionBombError):
        return None
