"""From what a person names, a set or a path, to a `Dataset`."""

from __future__ import annotations

import gzip
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from narrows.arguments import choice, closest, integer
from narrows.data.adapters import from_dataset
from narrows.data.arrays import IDX_IMAGES, read_idx_file, read_idx_folder, read_npy, read_npz, refuse_pickle
from narrows.data.arrow import examples_in_parquet, holds_examples
from narrows.data.batches import CIFAR_BATCHES, read_amat, read_cifar, read_cifar_folder, read_libsvm
from narrows.data.containers import read_anndata, read_hdf5, read_mat, read_zarr
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.image_files import IMAGE_SUFFIXES
from narrows.data.images import Progress, read_images
from narrows.data.parquet import parquet_in
from narrows.data.parts import LARGE, is_parquet, read_parts
from narrows.data.synthetic import SYNTHETIC
from narrows.data.tables import read_csv

__all__ = ["is_large", "is_table", "load_data", "takes"]


def load_data(
    source: object,
    *,
    size: int | None = None,
    fit: str = "crop",
    like: tuple[int, ...] | None = None,
    page: int | str | None = None,
    key: str | None = None,
    strict: bool = False,
    missing: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    count: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Return the data that ``source`` names, or is.

    Parameters
    ----------
    source
        ``"digits"`` (scikit-learn's 1,797 handwritten digits, 8×8, grey levels 0 to 16), ``"mnist"`` (70,000 digits,
        28×28, 0 to 255, fetched from OpenML), a synthetic set (``"shapes"``, ``"bars"``, ``"rings"``, ``"moons"``), or
        the path of an ``.npy``, ``.npz``, ``.csv``, ``.parquet``, IDX (CSV and IDX also gzipped), HDF5, MATLAB, AnnData
        or libsvm file, of an image, or of a folder of images, Parquet parts, IDX files or Zarr's; or a data set that
        `from_dataset` takes.
    size
        Side in pixels, at most 4096, to which images, from files or in a data set, are scaled; None leaves
        them as they are.
    fit
        ``"crop"`` scales an image's central square, ``"pad"`` the whole image, centred on black.
    like
        The shape of one of a model's inputs; if it is an image's, (H, W) or (H, W, C), images are made to fit it.
    page
        Which page, frame or slice of image files to take, counted from 0, or ``"all"``, each as an example; None takes
        the first of TIFFs and animations, and all of DICOM and NIfTI files.
    key
        Which of a file's arrays holds the examples: of .npz, HDF5, MATLAB's, AnnData's and Zarr's.
    strict
        Whether an image file that cannot be read is an error, rather than passed over and listed in ``files.rejected``.
    missing
        What stands for a missing cell of a table, besides nothing: ``("?", "-999")``.
    types
        What columns of a CSV table hold, where it is not to be told from their cells, by name: ``"number"``,
        ``"truth"``, ``"text"``, ``"time"`` or ``"span"``. None of these columns is taken for the labels.
    count
        How many examples of a data set that `from_dataset` takes to read, from the first; a stream needs it.
    progress
        Called with how many image files, or examples of a data set, are read, and how many there are, before the first
        and after each; of a folder more than once from 0 on, since the files' heads come first.

    Raises
    ------
    DataError
        If the set or file does not exist, or it cannot be used, or ``size`` or ``fit`` is given for what cannot be
        scaled, which is all but images; the message says what would be right.
    TypeError, ValueError
        If ``size`` or ``fit`` is not one of these.

    Warns
    -----
    UserWarning
        If there is a file or folder, too, that has a set's name.
    """
    _check(size, fit, page)
    image_like = like if like is not None and len(like) in (2, 3) else None
    if missing and not is_table(source):
        raise DataError(f"missing={missing!r} (--missing) is for tables in files: {', '.join(TABLES)}")
    if not isinstance(source, str | Path):
        return from_dataset(source, size=size, fit=fit, like=image_like, count=count, progress=progress)
    if count is not None:
        raise DataError(f"count={count} is for data sets in memory and streams; {str(source)!r} is read whole")
    path = Path(source)
    if source not in NAMED and not path.is_dir() and not path.is_file():
        raise DataError(
            f"there is no data set or file {str(source)!r}{closest(source, [*_beside(path), *NAMED])}; sets are "
            f"{', '.join(NAMED)}"
        )
    if source not in NAMED and _is_images(path):
        images = read_images(path, size=size, fit=fit, like=image_like, page=page, strict=strict, progress=progress)
        return replace(images, page=page)
    rows = examples_in_parquet(path) if path.suffix.lower() == ".parquet" and not path.is_dir() else None
    if rows is not None:
        return from_dataset(rows, name=path.stem, size=size, fit=fit, like=image_like, progress=progress)
    _check_numbers_alone(
        source, {"size": size, "fit": None if fit == "crop" or like is not None else fit, "page": page}
    )
    if source in NAMED:
        if path.exists():
            warnings.warn(f"{source} is the set of that name; what lies here is ./{source}", stacklevel=2)
        return NAMED[str(source)]()
    return _table_in(path, missing, types) if is_table(path) else _array_in(path, key)


def _beside(path: Path) -> list[str]:
    """Return the paths of what lies where ``path`` should, as it is written."""
    try:
        return [str(path.parent / name) for name in os.listdir(path.parent)]  # noqa: PTH208, names alone
    except OSError:
        return []


def _check(size: int | None, fit: str, page: int | str | None) -> None:
    if size is not None:
        integer("size", size, 1, 4096)
    if page is not None and page != "all":
        integer("page", page, 0)
    choice("fit", fit, ("crop", "pad"))


def _check_numbers_alone(source: str | Path, given: Mapping[str, object]) -> None:
    """Refuse what is ``given``, by its name, for images, with a source that holds numbers."""
    for name, value in given.items():
        if value is not None:
            advice = "; scale them beforehand" if name != "page" else ""
            raise DataError(f"{name}={value!r} (--{name}) is for image files; {str(source)!r} holds numbers{advice}")


def _table_in(path: Path, missing: Sequence[str], types: Mapping[str, str] | None) -> Dataset:
    if path.is_dir():
        return read_parts(path, missing, types)
    return _reader(TABLES, path)(path, missing, types)  # type: ignore[no-any-return]


def _array_in(path: Path, key: str | None) -> Dataset:
    """Return a file, or a folder of IDX files or Zarr's, that is no table and no image."""
    keyed = KEYED[".zarr"] if _is_zarr(path) else _reader(KEYED, path)
    if keyed is not None:
        return replace(keyed(path, key), key=key)
    if key is not None:
        raise DataError(f"key={key!r} (--key) is for files of several arrays: {', '.join(KEYED)}; {path} is none")
    if path.is_dir():
        cifar = any(CIFAR_BATCHES.fullmatch(file.name) for file in path.iterdir())
        return (read_cifar_folder if cifar else read_idx_folder)(path)
    reader = _reader(READERS, path)
    if reader is not None:
        return reader(path)  # type: ignore[no-any-return]
    if "idx" in path.name:
        return read_idx_file(path)
    with path.open("rb") as file:
        pickled = file.read(2) in PICKLED
    if pickled:
        refuse_pickle(path)
    known = ", ".join([*READERS, *KEYED, *TABLES, "IDX", *IMAGE_SUFFIXES])
    raise DataError(f"{path} is of a kind that narrows does not read; it reads {known}, and folders of images")


def takes(name: str, source: str) -> bool:
    """Say whether `load_data` takes ``name``, ``"key"`` or ``"page"``, for what ``source`` is."""
    path = Path(source)
    if source in NAMED or not path.exists():
        return False
    return _is_images(path) if name == "page" else _is_zarr(path) or _reader(KEYED, path) is not None


def _is_zarr(path: Path) -> bool:
    return path.is_dir() and any((path / name).exists() for name in ZARR)


def _reader(readers: Mapping[str, Any], path: Path) -> Any:
    return next((readers[suffix] for suffix in readers if path.name.lower().endswith(suffix)), None)


def is_table(source: object) -> bool:
    """Say whether ``source`` names a table's file, or a folder of Parquet parts."""
    if not isinstance(source, str | Path):
        return False
    return any(parquet_in(Path(source))) if Path(source).is_dir() else str(source).lower().endswith(tuple(TABLES))


def is_large(source: str | Path) -> bool:
    """Say whether verbs read ``source`` by record batch: a folder of Parquet parts, or a large file of a table."""
    path = Path(source)
    if source in NAMED or not is_table(source):
        return False
    files = list(parquet_in(path)) if path.is_dir() else [path]
    large = path.is_dir() or (path.is_file() and path.stat().st_size > LARGE)
    return large and not (is_parquet(files[0]) and holds_examples(files[0]))


def _is_images(path: Path) -> bool:
    """Return whether ``path`` is an image, or a folder of them rather than of IDX files or parts of a table."""
    if is_table(path):
        return False
    if path.is_file():
        return path.name.lower().endswith(IMAGE_SUFFIXES)
    with os.scandir(path) as entries:  # one at a time, since there may be very many
        return not any(
            (IDX_IMAGES.search(entry.name) and entry.is_file())
            or entry.name in ZARR
            or CIFAR_BATCHES.fullmatch(entry.name)
            for entry in entries
        )


def digits() -> Dataset:
    """Return scikit-learn's digits as images (1797, 8, 8), the lecture's data."""
    # Of its files, since the import of its module for data sets takes five times as long as to read this one.
    with files("sklearn").joinpath("datasets/data/digits.csv.gz").open("rb") as file:
        rows = np.loadtxt(gzip.GzipFile(fileobj=file), delimiter=",", dtype=np.float64)
    return Dataset("digits", rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(np.int64))


def mnist() -> Dataset:
    """Return MNIST (LeCun et al. 1998) as images (70000, 28, 28), the training part first; fetched once, then cached.

    Raises
    ------
    DataError
        If it is not cached and OpenML cannot be reached.
    """
    from sklearn.datasets import fetch_openml

    try:
        X, y = fetch_openml("mnist_784", version=1, return_X_y=True, as_frame=False, parser="liac-arff")
    except OSError as error:
        raise DataError(
            f"mnist could not be fetched from OpenML ({error}); if you have the four IDX files, name their "
            "folder instead"
        ) from error
    return Dataset("mnist", X.reshape(-1, 28, 28).astype(np.uint8), y.astype(np.int64))


NAMED = {"digits": digits, "mnist": mnist, **SYNTHETIC}
READERS = {
    ".npy": read_npy,
    ".bin": read_cifar,
    ".amat": read_amat,
    **dict.fromkeys((".libsvm", ".svmlight", ".svm"), read_libsvm),
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".joblib"), refuse_pickle),
}
TABLES = {
    **dict.fromkeys((".csv", ".tsv", ".csv.gz", ".tsv.gz"), read_csv),
    ".parquet": read_parts,
}
KEYED = {
    ".npz": read_npz,
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), read_hdf5),
    ".h5ad": read_anndata,
    ".mat": read_mat,
    ".zarr": read_zarr,
}
PICKLED = tuple(bytes([0x80, version]) for version in range(2, 6))
"""How Python's pickles begin, also those without an ending, such as CIFAR's."""
ZARR = ("zarr.json", ".zarray", ".zgroup")
"""What lies in a folder of Zarr's."""
