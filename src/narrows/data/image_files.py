"""Image files: which a folder holds, and one of them decoded; what is wrong with a file is its reason, not an error."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from narrows.data.depth import depth_of, mend_key, raw_levels
from narrows.data.errors import DataError
from narrows.data.links import LEADS_OUT, leads_out
from narrows.data.medical import dicom_pages, dicom_size, nifti_pages, nifti_size, read_dicom, read_nifti
from narrows.data.optional import Unreadable
from narrows.data.pixels import Box, Raw, image_numbers, is_coloured, raw_numbers
from narrows.data.tiff import MAGIC, is_plain, read_tiff, tiff_pages, tiff_size

__all__ = [
    "DAMAGE",
    "IMAGE_SUFFIXES",
    "MADE_GREY",
    "Decoded",
    "ImageFiles",
    "Rejected",
    "decode",
    "find_images",
    "formats",
    "holds_slices",
    "image_names",
    "pages",
    "turned",
    "upright_size",
]

IMAGE_SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".qoi", ".avif", ".heic", ".heif", ".hif", ".jxl"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".dcm", ".nii", ".nii.gz"),
)
UNREAD_SUFFIXES = (
    *(".tga", ".pcx", ".sgi", ".psd", ".exr", ".hdr", ".dng", ".cr2", ".cr3", ".nef", ".arw"),
    *(".nrrd", ".mha", ".czi", ".nd2", ".lif", ".svs"),
)
"""Of images that are not read, which a folder lists as passed over."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "QOI", "JPEG2000", "AVIF", "HEIF", "JXL")
"""Pillow's that are read, whatever a suffix claims; others may run programs."""

PLUGINS = ("PIL.WebPImagePlugin", "PIL.QoiImagePlugin", "PIL.Jpeg2KImagePlugin", "PIL.AvifImagePlugin", "pillow_jxl")
MISSING = {
    (".heic", ".heif", ".hif"): ("HEIF", "an HEIC image", "pillow-heif"),
    (".jxl",): ("JXL", "a JPEG XL image", "pillow-jxl-plugin"),
    (".avif",): ("AVIF", "an AVIF image", "'pillow>=11.3'"),
}
"""Suffixes of the formats that Pillow may not read by itself, and what it needs for that."""

SUFFIXES = tuple(map(str.encode, (*IMAGE_SUFFIXES, *UNREAD_SUFFIXES)))
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
DAMAGE = (
    *(OSError, SyntaxError, ValueError, LookupError, ArithmeticError, EOFError, TypeError, RuntimeError),
    *(struct.error, zlib.error),
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that was passed over, by its path inside the folder, and why: ``"empty"``, ``"truncated"`` …"""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class ImageFiles:
    """What was found in the image files that a data set comes from, before they were converted.

    Attributes
    ----------
    names
        (n,) paths inside the folder, in the order of the examples, as bytes, which take a quarter of the memory of
        text; `os.fsdecode` turns one into text.
    sizes
        (width, height) upright ↦ how many images have it.
    modes
        Pillow's mode, such as ``"RGB"``, ``"L"``, ``"P"``, ``"CMYK"`` or ``"I;16"`` ↦ how many images have it.
    rejected
        The files that were passed over.
    """

    names: NDArray[np.bytes_]
    sizes: dict[tuple[int, int], int]
    modes: dict[str, int]
    rejected: tuple[Rejected, ...]

    @property
    def labels(self) -> NDArray[np.str_] | None:
        """(n,) for each image the folder that holds it, ``"."`` for the outermost; None if all lie in one."""
        codes: dict[bytes, int] = {}
        numbers = np.fromiter((codes.setdefault(name.rpartition(b"/")[0], len(codes)) for name in self.names), np.int64)
        folders = np.array([name.decode(errors="backslashreplace") or "." for name in codes], dtype=np.str_)
        return folders[numbers] if len(codes) > 1 else None


class Decoded(NamedTuple):
    """An image upright and converted, and what its file holds.

    Attributes
    ----------
    pixels
        As in `image_numbers` or `raw_numbers`.
    size, mode
        Its (width, height) upright, and Pillow's mode, or the type of its numbers.
    said
        What was done to it, a phrase each that follows “3 images”.
    """

    pixels: NDArray[Any]
    size: tuple[int, int]
    mode: str
    said: tuple[str, ...]


class Kind(NamedTuple):
    """How images that Pillow does not read are read: a page, (width, height) of one, and how many there are."""

    read: Callable[[IO[bytes], int], Raw]
    size: Callable[[IO[bytes], int], Box]
    pages: Callable[[IO[bytes]], int]


TIFF = Kind(read_tiff, tiff_size, tiff_pages)
SLICES = {
    b".dcm": Kind(read_dicom, dicom_size, dicom_pages),
    **dict.fromkeys((b".nii", b".nii.gz"), Kind(read_nifti, nifti_size, nifti_pages)),
}
"""Of the files of which every page is an example unless one is asked for."""

MADE_GREY = "in colours, which were made grey, as the model's images are"
"""Said of images, and no reason to refuse them: grey pictures saved as colours are usual, and one stamp in red among
thousands should not end a run; but what differs in colour alone cannot be seen any more."""

FIRST = "of several pages: the first is read; --page N reads another, --page all each as an example"


@cache
def formats() -> tuple[str, ...]:
    """Return those of Pillow's formats that are read, and that the installed packages know."""
    Image.preinit()
    for plugin in PLUGINS:
        with suppress(ImportError):
            import_module(plugin)
    with suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def find_images(path: Path) -> tuple[bytes, NDArray[np.bytes_], list[Rejected]]:
    """Return a folder, with a slash at its end, the sorted names (n,) of the images in it and below, and links out."""
    root = os.fsencode(path.parent if path.is_file() else path) + b"/"
    if path.is_file():
        return root, np.array([os.fsencode(path.name)]), []
    out = list[bytes]()
    found, chunks = _names(root, b"", set(), out), []
    while some := list(islice(found, 4096)):  # a name by itself takes several times the memory it takes in an array
        chunks.append(np.array(some))
    if not chunks:
        _refuse_first(path, out)
        raise DataError(f"{path} holds no images ({', '.join(IMAGE_SUFFIXES)})")
    rejected = [Rejected(name.decode(errors="backslashreplace"), LEADS_OUT) for name in sorted(out)]
    return root, np.sort(np.concatenate(chunks)), rejected


def image_names(folder: Path) -> list[str]:
    """Return the sorted names of the images in ``folder`` and below, of which there may be none.

    Raises
    ------
    DataError
        If one is a link that leads out of the folder.
    """
    out = list[bytes]()
    names = sorted(map(os.fsdecode, _names(os.fsencode(folder) + b"/", b"", set(), out)))
    _refuse_first(folder, out)
    return names


def _refuse_first(folder: Path, out: list[bytes]) -> None:
    if out:
        raise DataError(f"{folder / os.fsdecode(min(out))} is {LEADS_OUT}")


def _names(root: bytes, inside: bytes, seen: set[tuple[int, int]], out: list[bytes]) -> Iterator[bytes]:
    """Yield the paths of images in the folder ``inside`` of ``root``, relative to ``root``.

    Both names end in a slash; ``seen`` are the folders already read, by device and number. Links that lead out of the
    folder are added to ``out``.
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
            is_folder = _is_folder(entry)
            if entry.is_symlink() and leads_out(Path(os.fsdecode(root)), Path(os.fsdecode(entry.path))):
                if is_folder or entry.name.lower().endswith(SUFFIXES):
                    out.append(inside + entry.name)
            elif is_folder:
                folders.append((entry.is_symlink(), entry.name))  # folders themselves come before links to them
            elif entry.name.lower().endswith(SUFFIXES) and (_is_broken(entry) or entry.is_file()):
                yield inside + entry.name
    for _, name in sorted(folders):
        yield from _names(root, inside + name + b"/", seen, out)


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # of links in a circle, which lead nowhere
        return False


def _is_broken(entry: os.DirEntry[bytes]) -> bool:
    """Return whether it is a link to nothing, which is listed as a file that cannot be read."""
    return entry.is_symlink() and not Path(os.fsdecode(entry.path)).exists()


def decode(
    file: bytes | IO[bytes], page: int | None = None, *, box: Box | None, fit: str, mode: str | None
) -> Decoded | str:
    """Return the image upright and converted, or the reason why it cannot be read; of several pages, ``page``.

    ``file`` is its path, or an open file.
    """
    try:
        # Opened here, since Pillow maps some files that it opens itself, and then mixes up the width of turned ones.
        # Not by a `Path`, which would take a fifth of a small file's time.
        with open(os.fsdecode(file), "rb") if isinstance(file, bytes) else file as stream:  # noqa: PTH123
            kind = _kind(file) if isinstance(file, bytes) else None
            if kind is None:
                opened = _opened(stream, page or 0)
                if opened is not None:
                    with opened:
                        return _decoded(opened, page, box, fit, mode)
                kind = TIFF
            said = (FIRST,) if page is None and kind.pages(stream) > 1 else ()
            return _of_raw(kind.read(stream, page or 0), said, box, fit, mode)
    except Image.DecompressionBombError:
        return f"larger than {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:,.0f} million pixels"
    except DAMAGE as error:
        return _reason(file, error)


def _of_raw(raw: Raw, said: tuple[str, ...], box: Box | None, fit: str, mode: str | None) -> Decoded:
    height, width = raw.numbers.shape[:2]
    grey = (MADE_GREY,) if mode == "L" and raw.numbers.shape[2:] == (3,) else ()
    return Decoded(raw_numbers(raw.numbers, box, fit, mode), (width, height), raw.mode, (*raw.said, *said, *grey))


def _kind(file: bytes) -> Kind | None:
    if not holds_slices(file):  # as nearly always
        return None
    return next((kind for suffix, kind in SLICES.items() if file.lower().endswith(suffix)), None)


def holds_slices(file: bytes) -> bool:
    """Say whether every page of a file is an example unless one is asked for."""
    return file[-7:].lower().endswith(tuple(SLICES))


def _opened(stream: IO[bytes], page: int) -> ImageFile.ImageFile | None:
    """Return an image's page, not yet decoded, or None of a TIFF that Pillow does not read as it is."""
    try:
        opened = Image.open(stream, formats=formats())
    except UnidentifiedImageError:
        stream.seek(0)
        if stream.read(4) not in MAGIC:
            raise
        return None
    if page:
        count = getattr(opened, "n_frames", 1)
        if page >= count:
            raise Unreadable(f"it has {count} page{'s' * (count > 1)}, counted from 0; page {page} is none of them")
        opened.seek(page)
    return None if isinstance(opened, TiffImagePlugin.TiffImageFile) and not is_plain(opened) else opened


def _decoded(opened: ImageFile.ImageFile, page: int | None, box: Box | None, fit: str, mode: str | None) -> Decoded:
    size, own_mode, depth = opened.size, opened.mode, depth_of(opened)
    mend_key(opened)
    if box is not None:  # JPEGs of several times that size are decoded at a fraction of theirs
        opened.draft(None, (2 * max(box), 2 * max(box)))
    upright, orientation = turned(opened)
    said = (*depth.said, *((FIRST,) if page is None and getattr(opened, "is_animated", False) else ()))
    raw = raw_levels(upright, depth, own_mode, opened.format)
    if raw is not None:
        return _of_raw(raw, said, box, fit, mode)
    if opened.format == "TIFF":  # Pillow turns these by itself: before version 11 here, since then when opening
        size = opened.size
    size = size[::-1] if orientation in SIDEWAYS else size
    numbers = image_numbers(upright, box, fit, mode)
    return Decoded(numbers, size, own_mode, (*said, *((MADE_GREY,) if mode == "L" and is_coloured(upright) else ())))


def turned(image: Image.Image) -> tuple[Image.Image, int]:
    """Return an image upright, and the EXIF orientation that it had."""
    image.load()
    orientation = _orientation(image)
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image, orientation


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation, 1 to 8; of an image not yet decoded, from its head."""
    if image.format == "PNG" and not any("exif" in str(key) for key in image.info):
        return 1  # looking any further would decode it
    try:
        found = image.getexif().get(ExifTags.Base.Orientation)
    except DAMAGE:
        return 1  # the image may be whole
    return found if found in UPRIGHT else 1


def _reason(file: bytes | IO[bytes], error: BaseException) -> str:
    text = " ".join(str(error).split())  # on one line, whatever a damaged head says
    if isinstance(error, Unreadable):
        return text
    if isinstance(error, UnidentifiedImageError):
        return _unknown(Path(os.fsdecode(file))) if isinstance(file, bytes) else "not an image"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "truncated" if "truncated" in text.lower() else f"damaged ({text})"


def _unknown(path: Path) -> str:
    """Return what to say of a file that is of no format that Pillow reads here."""
    suffix = path.suffix.lower()
    if suffix in UNREAD_SUFFIXES:
        return f"an image of the kind {suffix[1:].upper()}, which is not read; convert it to PNG or TIFF"
    for suffixes, (name, what, package) in MISSING.items():
        if suffix in suffixes and name not in formats():
            return f"{what}; Pillow reads it after pip install {package}"
    return "not an image" if path.stat().st_size else "empty"


def pages(file: bytes) -> int:
    """Return how many pages, frames or slices a file has: 1 where that cannot be told."""
    try:
        with open(os.fsdecode(file), "rb") as stream:  # noqa: PTH123, as in `decode`
            kind = _kind(file)
            if kind is None:
                opened = _opened(stream, 0)
                if opened is not None:
                    with opened:
                        return int(getattr(opened, "n_frames", 1))
            return (kind or TIFF).pages(stream)
    except DAMAGE:
        return 1


def upright_size(file: bytes, page: int | None = None) -> Box | None:
    """Return the (width, height) that an image's head tells, or None if it cannot be read."""
    try:
        with open(os.fsdecode(file), "rb") as stream:  # noqa: PTH123, as in `decode`
            kind = _kind(file)
            opened = _opened(stream, page or 0) if kind is None else None
            if opened is None:
                return (kind or TIFF).size(stream, page or 0)
            size = opened.size
            if isinstance(opened, TiffImagePlugin.TiffImageFile):  # which Pillow may have turned already
                size = opened.tag_v2[TiffImagePlugin.IMAGEWIDTH], opened.tag_v2[TiffImagePlugin.IMAGELENGTH]
            return size[::-1] if _orientation(opened) in SIDEWAYS else size
    except (*DAMAGE, Image.DecompressionBombError):
        return None
