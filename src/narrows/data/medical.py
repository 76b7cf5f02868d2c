"""Slices of medical images: DICOM by pydicom, NIfTI by nibabel (both extras), as bright as they are to be seen."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from narrows.data.optional import BROKEN, Unreadable, damage_said, needed
from narrows.data.pixels import Raw, check_pixels

__all__ = ["dicom_pages", "dicom_size", "nifti_pages", "nifti_size", "read_dicom", "read_nifti"]

RESCALED = "in their own units: slope and intercept are applied"
TURNED_OVER = "of MONOCHROME1, whose least is white: turned over, so that more is brighter"

MOST_VOXELS, MOST_SLICES = 2**30, 100_000
"""In a volume, which is held whole while its slices are read; and in a file."""

_one_at_a_time = Lock()


@damage_said
def read_dicom(stream: IO[bytes], page: int) -> Raw:
    """Return one frame, in the units that slope and intercept make of it, such as Hounsfield's.

    Raises
    ------
    Unreadable
        If there is no such frame, or its colours are of another kind.
    """
    head, frames = _dicom(stream), dicom_pages(stream)
    if page >= frames:
        raise Unreadable(f"it has {frames} frames, counted from 0; frame {page} is none of them")
    kind = str(head.get("PhotometricInterpretation", ""))
    if not kind.startswith(("MONOCHROME", "RGB", "YBR")):
        raise Unreadable(f"a DICOM file of {kind or 'no'} colours; convert it to MONOCHROME2 or RGB")
    check_pixels(int(head.Columns), int(head.Rows) * head.get("SamplesPerPixel", 1))
    stream.seek(0)
    pixels = needed("pydicom.pixels", "a DICOM file", "dicom")
    try:
        stored: NDArray[Any] = pixels.pixel_array(stream, index=page)
    except BROKEN as error:  # also where they are compressed, and no package that decodes them is there
        reason = " ".join(str(error).split())
        raise Unreadable(
            f"a DICOM file whose pixels cannot be decoded ({reason}); gdcmconv --raw decompresses"
        ) from error
    if stored.ndim == 3:
        return Raw(stored, f"DICOM {kind}")
    slope, intercept = _rescaling(head, page)
    said = [] if (slope, intercept) == (1, 0) else [RESCALED]
    numbers = stored * np.float64(slope) + np.float64(intercept) if said else stored
    if kind == "MONOCHROME1":
        low, high = (float(end) * slope + intercept for end in _ends(head))
        numbers = (low + high - numbers).astype(numbers.dtype)
        said.append(TURNED_OVER)
    return Raw(
        numbers.astype(np.float32) if numbers.dtype == np.float64 else numbers, f"DICOM {stored.dtype}", tuple(said)
    )


@damage_said
def dicom_pages(stream: IO[bytes]) -> int:
    """Return how many frames there are."""
    frames = int(_dicom(stream).get("NumberOfFrames", 1) or 1)
    if frames > MOST_SLICES:
        raise Unreadable(f"a DICOM file of {frames:,} frames; at most {MOST_SLICES:,} are read")
    return frames


@damage_said
def dicom_size(stream: IO[bytes], page: int) -> tuple[int, int]:  # noqa: ARG001, as of other kinds
    """Return the (width, height) of its frames."""
    head = _dicom(stream)
    return int(head.Columns), int(head.Rows)


def _dicom(stream: IO[bytes]) -> Any:
    pydicom = needed("pydicom", "a DICOM file", "dicom")
    stream.seek(0)
    try:
        head = pydicom.dcmread(stream, stop_before_pixels=True)
    except (pydicom.errors.InvalidDicomError, *BROKEN) as error:
        raise Unreadable("not a DICOM file") from error
    if "Rows" not in head or "Columns" not in head:
        raise Unreadable("a DICOM file without an image")
    return head


def _rescaling(head: Any, page: int) -> tuple[float, float]:
    """Return slope and intercept of a frame: its own, all frames', or, of files of one frame, the file's."""
    own = list(head.get("PerFrameFunctionalGroupsSequence", ()))[page : page + 1]
    for group in (*own, *head.get("SharedFunctionalGroupsSequence", ())):
        for values in group.get("PixelValueTransformationSequence", ()):
            return float(values.RescaleSlope), float(values.RescaleIntercept)
    if head.get("ModalityLUTSequence"):
        raise Unreadable("a DICOM file whose units are in a table; apply that (pydicom.pixels.apply_modality_lut)")
    return float(head.get("RescaleSlope", 1)), float(head.get("RescaleIntercept", 0))


def _ends(head: Any) -> tuple[int, int]:
    """Return the least and the greatest number that can be stored."""
    bits = int(head.BitsStored)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if head.PixelRepresentation else (0, 2**bits - 1)


@damage_said
def read_nifti(stream: IO[bytes], page: int) -> Raw:
    """Return a slice across the third axis of the volume turned to RAS+: the front of the head is up, its left is left.

    Raises
    ------
    Unreadable
        If there is no such slice.
    """
    with _one_at_a_time:  # of threads that read slices of one volume
        volume, said = _volume(str(stream.name), Path(stream.name).stat().st_mtime_ns)
    if page >= volume.shape[2]:
        raise Unreadable(f"it has {volume.shape[2]} slices, counted from 0; slice {page} is none of them")
    return Raw(np.rot90(volume[:, :, page]), f"NIfTI {volume.dtype}", said)


@damage_said
def nifti_pages(stream: IO[bytes]) -> int:
    """Return how many slices there are, of all volumes if there are several."""
    return math.prod(_shape(_nifti(str(stream.name)))[2:])


@damage_said
def nifti_size(stream: IO[bytes], page: int) -> tuple[int, int]:  # noqa: ARG001, as of other kinds
    """Return the (width, height) of its slices."""
    width, height = _shape(_nifti(str(stream.name)))[:2]
    return width, height


def _shape(image: Any) -> tuple[int, ...]:
    """Return the shape that the volume has in RAS+."""
    axes = needed("nibabel", "a NIfTI file", "nifti").io_orientation(image.affine)[:, 0].astype(int)
    shape = list(image.shape)
    for axis, new in enumerate(axes):
        shape[new] = image.shape[axis]
    return tuple(shape)


def _nifti(path: str) -> Any:
    nibabel = needed("nibabel", "a NIfTI file", "nifti")
    try:
        image = nibabel.load(path)
    except (nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError) as error:
        raise Unreadable(f"not a NIfTI file ({error})") from error
    if len(image.shape) < 3 or math.prod(image.shape) > MOST_VOXELS or math.prod(image.shape[2:]) > MOST_SLICES:
        raise Unreadable(
            f"a volume of shape {image.shape}; three axes or more, at most {MOST_VOXELS:,} voxels and at most "
            f"{MOST_SLICES:,} slices are read"
        )
    return image


@lru_cache(maxsize=1)
def _volume(path: str, changed: int) -> tuple[NDArray[Any], tuple[str, ...]]:  # noqa: ARG001, a changed file is another
    """Return the volume (X, Y, slices) in its own units, and what was done to it."""
    image = _nifti(path)
    shape = _shape(image)
    check_pixels(*shape[:2])
    canonical = needed("nibabel", "a NIfTI file", "nifti").as_closest_canonical(image)
    numbers = np.asanyarray(canonical.dataobj)
    if numbers.dtype.kind not in "uif":
        raise Unreadable(f"a volume of {numbers.dtype}; convert it to real numbers")
    if numbers.dtype == np.float64 and image.get_data_dtype().itemsize < 8:
        numbers = numbers.astype(np.float32)
    rescaled = (image.dataobj.slope, image.dataobj.inter) != (1, 0)
    return numbers.reshape(*shape[:2], -1, order="F"), (RESCALED,) if rescaled else ()
