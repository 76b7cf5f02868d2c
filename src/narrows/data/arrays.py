"""Files of numbers: NumPy's, and IDX, the format MNIST comes in."""

from __future__ import annotations

import gzip
import math
import re
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import scipy.sparse
from numpy.typing import NDArray

from narrows.data.containers import LABEL_NAMES, chosen, dense_rows, labels_for
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.labels import labels_in
from narrows.data.links import inside
from narrows.data.on_disk import LARGE, OnDisk, temporary_file
from narrows.data.optional import damage_named

__all__ = ["LABEL_NAMES", "read_idx", "read_idx_file", "read_idx_folder", "read_npy", "read_npz", "refuse_pickle"]

IDX_IMAGES = re.compile(r"images([-.])idx3", re.IGNORECASE)
"""In the name of an IDX file of images: MNIST's own, and Kaggle's with a dot."""

SPARSE = {"format", "shape", "data", "indices", "indptr"}
"""What SciPy's files of sparse rows hold."""

FACTORS = "latents_values"
"""What the factors that each example was drawn from are called, as in dSprites (Matthey et al. 2017)."""


WAY_ROUND = (
    "reading them may run programs, so save the numbers alone, in a Python that trusts the file: "
    "np.savez('data.npz', X=X, y=y)"
)


MAGIC = b"\x93NUMPY"
"""The first bytes of every ``.npy`` file."""


def refuse_pickle(path: Path) -> Dataset:
    """Say what to do with a file of pickled objects.

    Raises
    ------
    DataError
        Always.
    """
    raise DataError(f"{path} holds pickled objects; {WAY_ROUND}")


def read_npy(path: Path) -> Dataset:
    """Read one array of examples, which stays on disk if it is large; pickled objects are refused.

    Raises
    ------
    DataError
        If the file is damaged or holds objects.
    """
    with damage_named(f"{path} is not an array of numbers"):
        with path.open("rb") as file:  # of any other file NumPy says that it is pickled
            if file.read(len(MAGIC)) != MAGIC:
                raise DataError(f"{path} is not an array of numbers, as numpy.save writes it")
        X = _on_disk(path) if path.stat().st_size > LARGE else None
        try:
            X = np.load(path, allow_pickle=False) if X is None else X
        except ValueError as error:
            if "allow_pickle" in str(error):
                refuse_pickle(path)
            raise
    if X.ndim == 0:
        raise DataError(f"{path} holds a single number, {X}; rows (n, features) or images are expected")
    return Dataset(path.stem, X)


def read_npz(path: Path, key: str | None = None) -> Dataset:
    """Read the array ``key``, or X (or x, data, images, imgs, or the only one), and its labels if they are there.

    SciPy's files of sparse rows become dense.

    A large array is copied out of the archive into a temporary file, and stays on disk. Pickled objects are left out.

    Raises
    ------
    DataError
        If the file is damaged, it is unclear which array holds the examples, or the disk has no room.
    """
    damaged = damage_named(f"{path} is not a file of arrays of numbers")
    with damaged, zipfile.ZipFile(path) as archive, np.load(path, allow_pickle=False) as file:
        arrays, objects = _arrays_in(archive)
        if key in objects or (objects and not arrays):
            refuse_pickle(path)
        if arrays.keys() >= SPARSE:
            return Dataset(path.stem, dense_rows(path, scipy.sparse.load_npz(path)))
        examples = chosen(path, arrays, key)
        X = _copied_out(archive, f"{examples}.npy")
        X = file[examples] if X is None else X
        named = labels_for(examples, arrays, len(X)) or next((name for name in LABEL_NAMES if name in arrays), None)
        y = None if named is None else labels_in(f"{path}: the labels {named}", file[named])
        factors = pd.DataFrame(file[FACTORS]) if arrays.get(FACTORS, ())[:1] == (len(X),) else None
    notes = [f"the array {examples}"] if len(arrays) > 1 + (named is not None) else []
    if named is not None and y is None:
        notes.append(f"the array {named} holds real numbers, not classes, and is left out")
    if objects:
        notes.append(f"left out, as pickled objects, which may run programs: {', '.join(objects)}")
    return Dataset(path.stem, X, y, factors=factors, notes=tuple(notes))


def _arrays_in(archive: zipfile.ZipFile) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    """Return the names and shapes of an archive's arrays, by their heads alone, and the names of those of objects."""
    arrays, objects = {}, []
    for member in archive.namelist():
        if not member.endswith(".npy"):
            continue
        with archive.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = header(stream)
        name = member.removesuffix(".npy")
        if dtype.hasobject:
            objects.append(name)
        else:
            arrays[name] = shape
    return arrays, objects


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
        If a file cannot be read, there is another number of labels, or these are a link that leads out of the folder.
    """
    labels = _labels_of(path)
    y = _read_labels(labels) if labels != path and inside(labels.parent, [labels]) else None
    return Dataset(path.name.split(".")[0], read_idx(path), y, notes=_sideways(path))


def _sideways(path: Path) -> tuple[str, ...]:
    if "emnist" not in path.name.lower():
        return ()
    return (
        "EMNIST's images lie on their side; in Python, X.swapaxes(1, 2) turns them upright, and np.save keeps that",
    )


def read_idx_folder(path: Path) -> Dataset:
    """Read a folder of IDX files: all images, with their labels where every file of images has one of labels.

    MNIST's four files are such a folder: ``train-images-idx3-ubyte`` and so on, gzipped or not.

    Raises
    ------
    DataError
        If there are no images, or a file cannot be read, or is a link that leads out of the folder.
    """
    # Training first; in Kaggle's archive each file lies a second time in a folder of its own.
    found = inside(path, (file for file in path.iterdir() if IDX_IMAGES.search(file.name)))
    images = sorted(found, reverse=True)
    if not images:
        raise DataError(f"{path} holds no *-images-idx3-ubyte file")
    labels = list(map(_labels_of, images))
    whole = len(inside(path, labels)) == len(images)
    y = np.concatenate([_read_labels(file) for file in labels]) if whole else None
    return Dataset(path.resolve().name, np.concatenate(list(map(read_idx, images))), y, notes=_sideways(images[0]))


def _read_labels(path: Path) -> NDArray[Any]:
    labels = labels_in(f"{path}: the labels", read_idx(path))
    assert labels is not None  # bytes are whole numbers
    return labels


def _labels_of(images: Path) -> Path:
    named = IDX_IMAGES.sub(lambda found: f"labels{found[1]}idx1", images.name)
    inside = images.parent.parent / named / named  # each in a folder of its own
    return inside if images.parent.name == images.name and inside.is_file() else images.with_name(named)
