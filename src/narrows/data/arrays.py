"""Files of numbers: NumPy's, and IDX, the format MNIST comes in."""

from __future__ import annotations

import gzip
import math
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.labels import labels_in
from narrows.data.on_disk import LARGE, OnDisk, temporary_file

__all__ = ["LABEL_NAMES", "read_idx", "read_idx_file", "read_idx_folder", "read_npy", "read_npz"]

EXAMPLE_NAMES = ("X", "x", "data", "images")
LABEL_NAMES = ("label", "labels", "class", "target", "y")


def read_npy(path: Path) -> Dataset:
    """Read one array of examples, which stays on disk if it is large; pickled objects are refused.

    Raises
    ------
    DataError
        If the file is damaged or holds objects.
    """
    try:
        X = _on_disk(path) if path.stat().st_size > LARGE else None
        X = np.load(path, allow_pickle=False) if X is None else X
    except (ValueError, EOFError) as error:
        raise DataError(f"{path} is not an array of numbers: {error}") from error
    return Dataset(path.stem, X)


def read_npz(path: Path) -> Dataset:
    """Read the array X (or x, data, images, or the only one) and, if it is there, y (or label, labels, class, target).

    A large array is copied out of the archive into a temporary file, and stays on disk.

    Raises
    ------
    DataError
        If the file is damaged, holds objects, it is unclear which array holds the examples, or the disk has no room.
    """
    try:
        with zipfile.ZipFile(path) as archive, np.load(path, allow_pickle=False) as file:
            arrays = [name for name in file.files if f"{name}.npy" in archive.namelist()]
            examples = _name_of_examples(path, arrays)
            X = _copied_out(archive, f"{examples}.npy")
            X = file[examples] if X is None else X
            named = next((name for name in LABEL_NAMES if name in arrays), None)
            y = None if named is None else labels_in(f"{path}: the labels {named}", file[named])
    except DataError:
        raise
    except (ValueError, EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a file of arrays of numbers: {error}") from error
    left_out = named is not None and y is None
    notes = (f"the array {named} holds real numbers, not classes, and is left out",) if left_out else ()
    return Dataset(path.stem, X, y, notes=notes)


def _name_of_examples(path: Path, arrays: list[str]) -> str:
    named = [name for name in EXAMPLE_NAMES if name in arrays]
    examples = named or [name for name in arrays if name not in LABEL_NAMES]
    if len(examples) != 1:
        raise DataError(f"{path} holds the arrays {', '.join(arrays)}; rename the one that holds the examples to X")
    return examples[0]


def _copied_out(archive: zipfile.ZipFile, name: str) -> OnDisk | None:
    """Return an array of an archive in a temporary file of its own, or None if it is not large, or as in `_on_disk`."""
    size = archive.getinfo(name).file_size
    if size <= LARGE:
        return None
    with archive.open(name) as member:
        copy = temporary_file(size)
        try:
            shutil.copyfileobj(member, copy, 2**20)
        except BaseException:
            copy.close()
            raise
    copy.flush()
    return _on_disk(copy)


def _on_disk(file: Path | IO[bytes]) -> OnDisk | None:
    """Return the array of an ``.npy`` file, or None if only NumPy can read it, or say what is wrong with it."""
    try:
        return OnDisk.of_npy(file)
    except ValueError:
        if not isinstance(file, Path):
            file.close()
        return None


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one IDX file of bytes, gzipped or not: labels (n,) or images (n, H, W).

    Raises
    ------
    DataError
        If it is damaged or of another kind.
    """
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    axes = data[3] if len(data) >= 4 else 0
    if data[:3] != b"\0\0\x08" or not 1 <= axes <= 4:
        raise DataError(f"{path} is not an IDX file of bytes")
    shape = tuple(int.from_bytes(data[4 * i : 4 * i + 4], "big") for i in range(1, axes + 1))
    body = data[4 + 4 * axes :]
    if len(body) != math.prod(shape):
        raise DataError(f"{path} announces {math.prod(shape):,} bytes of shape {shape} but holds {len(body):,}")
    return np.frombuffer(body, np.uint8).reshape(shape)


def read_idx_file(path: Path) -> Dataset:
    """Read one IDX file of images, with the labels next to it, if there is such a file.

    Those of ``train-images-idx3-ubyte`` are in ``train-labels-idx1-ubyte``.

    Raises
    ------
    DataError
        If a file cannot be read, or there is another number of labels.
    """
    labels = _labels_of(path)
    y = _read_labels(labels) if labels != path and labels.exists() else None
    return Dataset(path.name.split(".")[0], read_idx(path), y)


def read_idx_folder(path: Path) -> Dataset:
    """Read a folder of IDX files: all images, with their labels where every file of images has one of labels.

    MNIST's four files are such a folder: ``train-images-idx3-ubyte`` and so on, gzipped or not.

    Raises
    ------
    DataError
        If there are no images, or a file cannot be read.
    """
    images = sorted(path.glob("*images-idx3-ubyte*"), reverse=True)  # the training part first
    if not images:
        raise DataError(f"{path} holds no *-images-idx3-ubyte file")
    labels = list(map(_labels_of, images))
    y = np.concatenate([_read_labels(file) for file in labels]) if all(file.exists() for file in labels) else None
    return Dataset(path.resolve().name, np.concatenate([read_idx(file) for file in images]), y)


def _read_labels(path: Path) -> NDArray[Any]:
    labels = labels_in(f"{path}: the labels", read_idx(path))
    assert labels is not None  # bytes are whole numbers
    return labels


def _labels_of(images: Path) -> Path:
    return images.with_name(images.name.replace("images-idx3", "labels-idx1"))
