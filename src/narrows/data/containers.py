"""Files of several arrays, of which one holds the examples: HDF5, MATLAB's of both kinds, AnnData and Zarr."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from narrows.chunks import chunks
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.labels import labels_in
from narrows.data.links import check_below
from narrows.data.matlab import read_matlab_5
from narrows.data.on_disk import LARGE, OnDisk, collect
from narrows.data.optional import damage_named, needed

__all__ = ["LABEL_NAMES", "chosen", "dense_rows", "labels_for", "read_anndata", "read_hdf5", "read_mat", "read_zarr"]

EXAMPLE_NAMES = ("X", "x", "data", "images", "imgs")
LABEL_NAMES = ("label", "labels", "class", "target", "y")
PAIRS = (
    ("X", "y"),
    ("fea", "gnd"),
    ("x", "y"),
    ("images", "labels"),
    ("imgs", "labels"),
    ("data", "labels"),
    ("data", "target"),
)
"""What examples are called in a name, and what their labels then are."""

HDF5 = b"\x89HDF\r\n\x1a\n"
NORB: dict[bytes, np.dtype[Any]] = {b"\x55\x4c\x3d\x1e": np.dtype("<u1"), b"\x54\x4c\x3d\x1e": np.dtype("<i4")}
"""How files of small NORB (LeCun et al. 2004) begin, which are called .mat too, and what they then hold."""

MOST_FEATURES = 2**22
"""Numbers that a sparse row may become."""

ROWS_AT_ONCE = 2**22
"""Numbers of a container that are in memory while it is copied."""


def chosen(path: Path, arrays: Mapping[str, tuple[int, ...]], key: str | None) -> str:
    """Return the name of the array that holds the examples: ``key``, a usual one, or the only one of rows or images.

    Parameters
    ----------
    path
        What to name in errors.
    arrays
        Name ↦ shape of those that hold numbers.
    key
        What was asked for, or None.

    Raises
    ------
    DataError
        If it is not there, or it is unclear which; the message lists the candidates.
    """
    if key is not None and key in arrays:
        return key
    usual = [name for name in arrays if name.rsplit("/", 1)[-1] in EXAMPLE_NAMES]
    wide = [name for name, shape in arrays.items() if 2 <= len(shape) <= 5 and min(shape) > 1]
    lone = [name for name, shape in arrays.items() if 2 <= len(shape) <= 5 and name not in LABEL_NAMES]
    found = usual or wide or lone
    if not arrays:
        raise DataError(f"{path} holds no array of real numbers by itself; save rows (n, features) or images as one")
    if key is None and len(found) == 1:
        return found[0]
    listed = ", ".join(f"{name} {shape}" for name, shape in sorted(arrays.items())[:20]) or "none"
    if key is not None:
        raise DataError(f"key={key!r} (--key) is no array of numbers in {path}; those are {listed}")
    raise DataError(f"{path} holds the arrays {listed}; choose the one that holds the examples with --key NAME")


def labels_for(name: str, arrays: Mapping[str, tuple[int, ...]], n: int) -> str | None:
    """Return the name of the labels of the ``n`` examples in the array ``name``, if there are some."""
    group, _, own = name.rpartition("/")
    likely = [own.replace(one, other, 1) for one, other in PAIRS if one in own]
    for label in (*likely, *LABEL_NAMES):
        found = f"{group}/{label}" if group else label
        if found != name and found in arrays and arrays[found] in ((n,), (n, 1), (1, n)):
            return found
    return None


def read_hdf5(path: Path, key: str | None = None) -> Dataset:
    """Read an array of an HDF5 file; a large one stays on disk.

    Raises
    ------
    DataError
        As `chosen`, and if the file is damaged, or h5py is not installed.
    """
    h5py = needed("h5py", f"{path} is an HDF5 file", "hdf5")
    with damage_named(f"{path} cannot be read as HDF5"), h5py.File(path, "r") as file:
        _refuse_elsewhere(path, file, h5py)
        arrays = _arrays_of(file, h5py)
        name = chosen(path, {name: array.shape for name, array in arrays.items()}, key)
        found = arrays[name]
        offset = found.id.get_offset()
        if offset is not None and found.nbytes > LARGE and found.chunks is None and found.file.userblock_size == 0:
            return _dataset(path, name, OnDisk(path, found.dtype, found.shape, offset), arrays)
        return _dataset(path, name, _read(found), arrays)


def _refuse_elsewhere(path: Path, file: Any, h5py: Any) -> None:
    """Refuse an HDF5 file that leads to others, as links out of a folder are."""
    names = list[str]()
    file.visit_links(names.append)  # which takes no errors
    for name in names:
        other = next((other for other in _sources(file, name, h5py) if other != "."), None)
        if other is not None:
            raise DataError(f"{path}: {name} lies in another file, {other}, which is not opened; copy it into this one")


def _sources(file: Any, name: str, h5py: Any) -> list[str]:
    """Return the files in which what has that ``name`` lies, besides its own."""
    link = file.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        return [link.filename]
    array = file[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(array, h5py.Dataset):
        return []
    raw = [source[0] for source in array.external or ()]
    return raw + ([source.file_name for source in array.virtual_sources()] if array.is_virtual else [])


def _arrays_of(file: Any, h5py: Any) -> dict[str, Any]:
    arrays: dict[str, Any] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape and item.dtype.kind in "buifSO":
            arrays[name] = item

    file.visititems(note)
    return {name: item for name, item in arrays.items() if item.dtype.kind in "buif" or item.ndim == 1}


def _dataset(path: Path, name: str, X: NDArray[Any] | OnDisk, arrays: Mapping[str, Any]) -> Dataset:
    """Return examples with the labels that lie next to them."""
    label = labels_for(name, {other: array.shape for other, array in arrays.items()}, len(X))
    y = None if label is None else labels_in(f"{path}: the labels {label}", np.asarray(arrays[label][()]).reshape(-1))
    return Dataset(path.stem, X, y, notes=_said(name, label, y))


def _said(name: str, label: str | None, y: NDArray[Any] | None) -> tuple[str, ...]:
    if label is not None and y is None:
        return (f"the array {name}; the array {label} holds real numbers, not classes, and is left out",)
    return (f"the array {name}" + ("" if label is None else f", its labels from {label}"),)


def _read(array: Any) -> NDArray[Any] | OnDisk:
    """Return an array that can be indexed, in memory or, if it is large, copied to disk some rows at a time."""
    n, *shape = array.shape
    if n * int(np.prod(shape)) * array.dtype.itemsize <= LARGE:
        return np.asarray(array[()] if hasattr(array, "id") else array[:])
    return collect(_rows(lambda some: array[some], n, int(np.prod(shape))), n, tuple(shape), array.dtype)


def _rows(read: Callable[[slice], NDArray[Any]], n: int, size: int) -> Iterator[NDArray[Any]]:
    for some in chunks(n, size, ROWS_AT_ONCE):
        yield from read(some)


def read_mat(path: Path, key: str | None = None) -> Dataset:
    """Read an array of a MATLAB file of version 5 or 7.3, or a file of small NORB.

    Images whose examples are along the last axis, as their labels show, are taken so.

    Raises
    ------
    DataError
        As `chosen`, and if the file is damaged, or of version 7.3 where h5py is not installed.
    """
    with path.open("rb") as stream:
        head = stream.read(520)
    if head[:4] in NORB:
        return _norb(path)
    if HDF5 in (head[:8], head[512:]):
        arrays = _of_matlab_7_3(path, key)
    else:
        with damage_named(f"{path} cannot be read as a MATLAB file"):
            arrays = read_matlab_5(path)
    name = chosen(path, {name: array.shape for name, array in arrays.items()}, key)
    X = arrays[name]
    n = X.shape[-1]
    if X.ndim >= 3 and labels_for(name, _shapes(arrays), n) and not labels_for(name, _shapes(arrays), len(X)):
        moved = _dataset(path, name, np.moveaxis(X, -1, 0), arrays)
        return Dataset(moved.name, moved.X, moved.y, notes=(*moved.notes, "its examples are along the last axis"))
    return _dataset(path, name, X, arrays)


def _shapes(arrays: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in arrays.items()}


def _of_matlab_7_3(path: Path, key: str | None) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file of version 7.3, which is HDF5 with the axes in the opposite order."""
    h5py = needed("h5py", f"{path} is a MATLAB file of version 7.3", "hdf5")
    with damage_named(f"{path} cannot be read as a MATLAB file"), h5py.File(path, "r") as file:
        _refuse_elsewhere(path, file, h5py)
        arrays = {
            name: array
            for name, array in _arrays_of(file, h5py).items()
            if not name.startswith("#")
            and array.attrs.get("MATLAB_class") not in (b"char", b"cell")
            and not array.attrs.get("MATLAB_empty")  # of which the file holds the shape instead
        }
        small = {name: array for name, array in arrays.items() if array.ndim <= 2 and min(array.shape) == 1}
        name = chosen(path, {name: array.shape[::-1] for name, array in arrays.items()}, key)
        return {each: arrays[each][()].T for each in (name, *small)}


def _norb(path: Path) -> Dataset:
    """Read small NORB's images (n, 96, 96, 2), a channel for each eye, and their classes in the file next to them."""
    X = _norb_matrix(path)
    if X.ndim == 4:
        X = np.moveaxis(X, 1, -1)
    classes = path.with_name(path.name.replace("-dat.mat", "-cat.mat"))
    y = _norb_matrix(classes) if classes != path and classes.exists() else None
    return Dataset(path.stem, X, None if y is None else labels_in(f"{classes}: the labels", y))


def _norb_matrix(path: Path) -> NDArray[Any]:
    data = path.read_bytes()
    dtype, axes = NORB.get(data[:4]), int.from_bytes(data[4:8], "little")
    if dtype is None or not 1 <= axes <= 4:
        raise DataError(f"{path} is not a matrix of small NORB")
    shape = tuple(int.from_bytes(data[8 + 4 * i : 12 + 4 * i], "little") for i in range(axes))
    body = data[8 + 4 * max(3, axes) :]
    if len(body) != int(np.prod(shape, dtype=object)) * dtype.itemsize:
        raise DataError(f"{path} announces the shape {shape} but holds {len(body):,} bytes")
    matrix: NDArray[Any] = np.frombuffer(body, dtype).reshape(shape)
    return matrix


def read_zarr(path: Path, key: str | None = None) -> Dataset:
    """Read an array of a Zarr folder; a large one is copied to a temporary file some rows at a time.

    Raises
    ------
    DataError
        As `chosen`, and if the folder is damaged or a link leads out of it, or zarr is not installed.
    """
    check_below(path)
    zarr = needed("zarr", f"{path} is a Zarr folder", "zarr")
    with damage_named(f"{path} cannot be read as Zarr"):
        found = zarr.open(str(path), mode="r")
        members = dict(found.members(max_depth=8)) if hasattr(found, "members") else {path.stem: found}
        arrays = {name: item for name, item in members.items() if hasattr(item, "chunks")}
        numbers = {name: array for name, array in arrays.items() if array.dtype.kind in "buif"}
        name = chosen(path, _shapes(numbers), key if hasattr(found, "members") else None)
        return _dataset(path, name, _read(numbers[name]), numbers)


def read_anndata(path: Path, key: str | None = None) -> Dataset:
    """Read a matrix of an AnnData file (.h5ad), X or for example layers/counts: a row for each cell.

    Sparse rows are made dense, on disk if they are many.

    Raises
    ------
    DataError
        If there is no such matrix, the file is damaged, or h5py is not installed.
    """
    h5py = needed("h5py", f"{path} is an AnnData file", "hdf5")
    key = "X" if key is None else key
    with damage_named(f"{path} cannot be read as AnnData"), h5py.File(path, "r") as file:
        _refuse_elsewhere(path, file, h5py)
        if key not in file:
            groups = [group for group in ("layers", "obsm") if group in file]
            known = ["X"] * ("X" in file) + [f"{group}/{name}" for group in groups for name in file[group]]
            raise DataError(f"key={key!r} (--key) is no matrix of {path}; those are {', '.join(known) or 'none'}")
        X = _read(file[key]) if isinstance(file[key], h5py.Dataset) else _of_sparse(path, key, file[key])
        name, y = _cell_labels(path, file["obs"])
        return Dataset(path.stem, X, y, notes=_said(key, name, y))


def _of_sparse(path: Path, key: str, group: Any) -> NDArray[Any] | OnDisk:
    kind = group.attrs.get("encoding-type")
    if kind not in ("csr_matrix", "csc_matrix"):
        raise DataError(f"{path}: {key} is {kind}; a matrix is expected")
    parts = (group["data"][()], group["indices"][()], group["indptr"][()])
    made = scipy.sparse.csr_matrix if kind == "csr_matrix" else scipy.sparse.csc_matrix
    n, features = map(int, group.attrs["shape"])
    return dense_rows(path, made(parts, (n, features)))


def dense_rows(path: Path, matrix: Any) -> NDArray[Any] | OnDisk:
    """Return a sparse matrix's rows in full, in an array on disk if they are many.

    Raises
    ------
    DataError
        If they are too long, or there is no room on the disk.
    """
    rows, (n, features) = matrix.tocsr(), matrix.shape
    if features > MOST_FEATURES:
        raise DataError(f"{path} has rows of {features:,} numbers; at most {MOST_FEATURES:,} are read")
    return collect(_rows(lambda some: rows[some].toarray(), n, features), n, (features,), rows.dtype)


def _cell_labels(path: Path, obs: Any) -> tuple[str | None, NDArray[Any] | None]:
    for name in (*LABEL_NAMES, "cell_type", "celltype"):
        if name not in obs:
            continue
        column = obs[name]
        if hasattr(column, "keys"):  # categories, of which -1 is none
            names = (
                column["categories"].asstr()[()] if column["categories"].dtype.kind == "O" else column["categories"][()]
            )
            values = [names[code] if code >= 0 else None for code in column["codes"][()]]
            return name, labels_in(f"{path}: the labels obs/{name}", values)
        return name, labels_in(f"{path}: the labels obs/{name}", column[()])
    return None, None
