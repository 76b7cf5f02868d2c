"""Images from files, one or a folder of them, each converted by the same rules and decoded by several threads.

What is wrong with one file, so that it is damaged, empty, or no image at all, does not stop the others: it is passed
over and listed. Memory holds the images being read and the names, never the folder's images themselves beyond `LARGE`.
"""

from __future__ import annotations

import logging
import os
import statistics
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from narrows.data.ahead import in_order
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.image_files import ImageFiles, Rejected, decode, find_images, holds_slices, pages, upright_size
from narrows.data.on_disk import OnDisk, collect
from narrows.data.pixels import Box

__all__ = [
    "ShapesDiffer",
    "collect_images",
    "read_images",
    "scan_images",
    "silence",
    "suitable_size",
    "wanted",
    "with_axes_of",
]

Progress = Callable[[int, int], None]
"""Told, again and again, how many files of how many are read."""

Result = TypeVar("Result")

MOST_WORKERS = 16
"""Threads that decode."""


class ShapesDiffer(Exception):  # noqa: N818, it is a finding, of which each caller makes its own error
    """An image differs in height or width from the first; ``args`` are the two shapes."""


class _Wider(Exception):  # noqa: N818, as above
    """An image has colours or bits that those before it have not; ``args`` are the axes and the type that hold both."""


def read_images(
    path: Path,
    *,
    size: int | None = None,
    fit: str = "crop",
    like: tuple[int, ...] | None = None,
    page: int | str | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Read an image, or all images in a folder and below it; the folders that hold them are their labels.

    Hidden files are left out, and each folder is read once, however many links lead to it; links that lead out of the
    folder are passed over and listed. Each image is turned upright
    as its EXIF orientation says and becomes numbers as `image_numbers` says. The result is grey, (n, H, W), if all
    images are, and RGB, (n, H, W, 3), otherwise, or of other channels (n, H, W, C); bytes, or, where some have more
    than eight bits, 16-bit integers or floats; in the order of their names; an array on disk if it is large.

    Parameters
    ----------
    path
        A file or a folder.
    size, fit, like, page, progress
        As in `load_data`.
    strict
        Whether a file that cannot be read is an error, rather than passed over and listed in ``files.rejected``.

    Raises
    ------
    DataError
        If there are none, none (with ``strict``: one) can be read, or they differ in size and no ``size`` is given.
    """
    box, mode = wanted(size, like)
    with silence():
        tally = _Tally(path, page, progress)
        if box is None:
            _check_sizes(path, tally)
        try:
            X = collect_images(lambda: with_axes_of(like, tally.decoded(box, fit, mode)), len(tally.names), str(path))
        except ShapesDiffer as error:
            raise DataError(f"images in {path} have sizes other than their headers say: {error.args}") from error
    files = tally.files(strict=strict)
    return Dataset(path.resolve().stem, X, files.labels, files, notes=tally.notes())


def scan_images(
    path: Path, *, page: int | str | None = None, strict: bool = False, progress: Progress | None = None
) -> ImageFiles:
    """Return what a folder of images, or one, holds, whether or not the images fit together; every one is decoded.

    Parameters
    ----------
    path, page, strict, progress
        As in `read_images`.

    Raises
    ------
    DataError
        If there are none, or none (with ``strict``: one) can be read.
    """
    with silence():
        tally = _Tally(path, page, progress)
        deque(tally.decoded((8, 8), "crop", None), maxlen=0)
    return tally.files(strict=strict)


def wanted(size: int | None, like: tuple[int, ...] | None) -> tuple[Box | None, str | None]:
    """Return the (width, height) and the mode that `load_data`'s arguments ask for; None leaves them as they are."""
    if like is not None:
        modes = {(): "L", (1,): "L", (3,): "RGB"}
        return (like[1], like[0]), modes.get(like[2:])
    return None if size is None else (size, size), None


def with_axes_of(like: tuple[int, ...] | None, images: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Return grey ``images`` (H, W) with an axis for their channel, if those of the shape ``like`` have one."""
    return (image[..., None] for image in images) if like is not None and like[2:] == (1,) else images


def collect_images(
    read: Callable[[], Iterator[NDArray[Any]]],
    count: int,
    told: str,
    axes: int = 2,
    dtype: np.dtype[Any] | None = None,
) -> NDArray[Any] | OnDisk:
    """Return images of one height and width as one array: grey (n, H, W) if all are, RGB (n, H, W, 3) otherwise.

    It has as many bits as the deepest: bytes among 16-bit integers are multiplied by 257.

    Parameters
    ----------
    read
        Yields the images, as `image_numbers` makes them, each time it is called: once more if one needs more colours
        or bits than those before it.
    count
        How many there are at most.
    told
        What to call them in errors.
    axes, dtype
        What the array has to have at least.

    Raises
    ------
    ShapesDiffer
        If an image differs from the first in height or width.
    DataError
        If some hold whole numbers and others floating-point ones, or they differ in channels other than those of grey
        and colours, or there is no room on the disk.
    """
    images = read()
    head = list(islice(images, 1))
    first = head[0] if head else np.zeros((0, 0), np.uint8)
    axes, kind = max(axes, first.ndim), first.dtype if dtype is None else dtype
    shape = first.shape if first.ndim == axes else (*first.shape, 3)

    def alike() -> Iterator[NDArray[Any]]:
        for image in chain(head, images):
            if image.shape[:2] != shape[:2]:
                raise ShapesDiffer(shape, image.shape)
            channels, others = image.shape[2:] or (1,), shape[2:] or (1,)
            if channels != others and not {channels, others} <= {(1,), (3,)}:
                raise DataError(f"{told}: images have {others[0]} and {channels[0]} channels; convert them to one kind")
            if (image.dtype.kind == "f") != (kind.kind == "f"):
                raise DataError(
                    f"{told}: some images hold whole numbers, others floating-point ones; convert them to one kind"
                )
            wider = max(axes, image.ndim), np.result_type(kind, image.dtype)
            if wider != (axes, kind):
                raise _Wider(*wider)
            numbers = image if image.dtype == kind else image.astype(kind) * 257
            yield numbers if image.ndim == axes else numbers[..., None].repeat(3, axis=-1)

    try:
        return collect(alike(), count if head else 0, shape, kind)
    except _Wider as wider:
        return collect_images(read, count, told, *wider.args)


class _Tally:
    """Decodes files, or pages of them, and keeps count of what they are.

    With ``page="all"``, and of volumes also without a page, each page of a file is an image of its own, whose name ends
    in its number, such as ``[3]``.
    """

    def __init__(self, path: Path, page: int | str | None, progress: Progress | None) -> None:
        root, names, self.links_out = find_images(path)
        self.root, self.names, self.progress = root, names, progress
        self.paths: Sequence[bytes] | NDArray[np.bytes_] = names
        self.pages: Iterable[int | None] = repeat(page if isinstance(page, int) else None)
        if page == "all" or (page is None and any(map(holds_slices, names))):
            counts = [pages(root + name) if page == "all" or holds_slices(name) else 1 for name in names]
            each = [(name, at if n > 1 else None) for name, n in zip(names, counts, strict=True) for at in range(n)]
            self.paths, self.pages = [name for name, _ in each], [at for _, at in each]
            self.names = np.array([name if at is None else name + b"[%d]" % at for name, at in each])

    def each(self, function: Callable[[bytes, int | None], Result]) -> Iterator[Result]:
        """Yield ``function`` of each file and page, in order, and tell how many are done."""
        tell = self.progress or (lambda *_: None)
        tell(0, len(self.names))
        sources = ((self.root + name, page) for name, page in zip(self.paths, self.pages, strict=False))
        workers = min(os.cpu_count() or 1, MOST_WORKERS)
        for done, result in enumerate(in_order(function, sources, workers, 2 * workers), 1):
            yield result
            tell(done, len(self.names))

    def decoded(self, box: Box | None, fit: str, mode: str | None) -> Iterator[NDArray[Any]]:
        """Yield the images of the files that can be read, in order, counting anew."""
        self.deep, self.low, self.high = 0, np.inf, -np.inf
        self.good = np.zeros(len(self.names), bool)
        self.sizes, self.modes, self.rejected = Counter[Box](), Counter[str](), [*self.links_out]
        self.said = Counter[str]()
        for number, found in enumerate(self.each(partial(decode, box=box, fit=fit, mode=mode))):
            if isinstance(found, str):
                self.rejected.append(Rejected(self.names[number].decode(errors="backslashreplace"), found))
                continue
            self.good[number] = True
            self.sizes[found.size] += 1
            self.modes[found.mode] += 1
            self.said.update(found.said)
            if found.pixels.dtype != np.uint8:
                self.deep += 1
                self.low, self.high = min(self.low, found.pixels.min()), max(self.high, found.pixels.max())
            yield found.pixels

    def notes(self) -> tuple[str, ...]:
        """Return what became of images of more than eight bits, of several pages and the like, a sentence each."""
        said = []
        if self.deep:
            others = "; those of the others are multiplied by 257" if self.deep < self.good.sum() else ""
            said.append(
                f"{_images(self.deep)} of numbers other than bytes: from {self.low:,.6g} to {self.high:,.6g}, kept as "
                f"they are{others}"
            )
        return (*said, *(f"{_images(count)} {phrase}" for phrase, count in self.said.items()))

    def files(self, *, strict: bool) -> ImageFiles:
        """Return the counts, or refuse the rejected files if there are no others, or if ``strict``."""
        if self.rejected and (strict or not self.good.any()):
            first, more = self.rejected[0], len(self.rejected) - 1
            also = f"; nor can {more:,} more of {len(self.names) + len(self.links_out):,}" if more else ""
            raise DataError(f"{os.fsdecode(self.root)}{first.path} cannot be read as an image: {first.reason}{also}")
        return ImageFiles(self.names[self.good], dict(self.sizes), dict(self.modes), tuple(self.rejected))


def _images(count: int) -> str:
    return f"{count:,} image{'s' * (count > 1)}"


@contextmanager
def silence() -> Iterator[None]:
    """Let warnings of odd files pass; around the threads, since their filters are the whole process's."""
    loggers = [logging.getLogger(name) for name in ("PIL", "tifffile", "pydicom", "nibabel.global")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check_sizes(path: Path, tally: _Tally) -> None:
    """Refuse images of several sizes, by their files' heads alone, before time and disk are spent on them."""
    sizes = Counter(size for size in tally.each(upright_size) if size is not None)
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
