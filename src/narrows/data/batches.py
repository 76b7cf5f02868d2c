"""Files that sets of the field come in: CIFAR's binary batches, libsvm's text, and the .amat of variations on MNIST."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.data.containers import dense_rows
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.labels import labels_in
from narrows.data.links import inside
from narrows.data.optional import damage_named

__all__ = ["CIFAR_BATCHES", "read_amat", "read_cifar", "read_cifar_folder", "read_libsvm"]

CIFAR_BATCHES = re.compile(r"(data_batch_\d|train|test_batch|test)\.bin")
"""Names of CIFAR's binary batches."""

PIXELS = 3 * 32 * 32
"""Bytes of an image of CIFAR-10 and CIFAR-100 (Krizhevsky 2009), after one or two of its class."""


def read_cifar(path: Path) -> Dataset:
    """Read a binary batch of CIFAR as images (n, 32, 32, 3) with their classes, of CIFAR-100 the fine ones.

    Raises
    ------
    DataError
        If its size is none that such a batch has.
    """
    data = np.frombuffer(path.read_bytes(), np.uint8)
    classes = next((k for k in (1, 2) if len(data) and len(data) % (PIXELS + k) == 0), None)
    if classes is None:
        raise DataError(f"{path} has {len(data):,} bytes; a binary batch of CIFAR has a multiple of {PIXELS + 1:,}")
    records = data.reshape(-1, PIXELS + classes)
    X = np.moveaxis(records[:, classes:].reshape(-1, 3, 32, 32), 1, -1)
    names, y = path.with_name("batches.meta.txt"), records[:, classes - 1]
    if classes == 1 and inside(names.parent, [names]):
        listed = names.read_text(encoding="utf-8").split()
        if len(listed) > int(y.max()):
            return Dataset(path.stem, X, np.array(listed)[y])
    return Dataset(path.stem, X, y.astype(np.int64))


def read_cifar_folder(path: Path) -> Dataset:
    """Read a folder of CIFAR's binary batches: those of training first, as one.

    Raises
    ------
    DataError
        As `read_cifar`.
    """
    named = (file for file in path.iterdir() if CIFAR_BATCHES.fullmatch(file.name))
    found = sorted(inside(path, named), key=_test_last)
    batches = [read_cifar(file) for file in found]
    labels = np.concatenate([np.asarray(batch.y) for batch in batches])
    return Dataset(path.resolve().name, np.concatenate([np.asarray(batch.X) for batch in batches]), labels)


def _test_last(file: Path) -> tuple[bool, str]:
    return file.name.startswith("test"), file.name


def read_libsvm(path: Path) -> Dataset:
    """Read rows in libsvm's sparse text, of which the first number is the label; many become an array on disk.

    Raises
    ------
    DataError
        If the file is damaged, or its rows are too long.
    """
    from sklearn.datasets import load_svmlight_file

    with damage_named(f"{path} cannot be read as libsvm's text"):
        rows, labels = load_svmlight_file(str(path))
    X = dense_rows(path, rows)
    y = labels_in(f"{path}: the labels", labels)
    left_out = "the first number of each line is real, not a class, and is left out"
    return Dataset(path.stem, X, y, notes=() if y is not None else (left_out,))


def read_amat(path: Path) -> Dataset:
    """Read rows of numbers with spaces between them, of which the last is the label if all these are whole.

    Raises
    ------
    DataError
        If a line holds anything else.
    """
    with damage_named(f"{path} is not a table of numbers with spaces between them"):
        table: NDArray[Any] = pd.read_csv(path, sep=r"\s+", header=None, dtype=np.float32).to_numpy()
    y = labels_in(f"{path}: the labels", table[:, -1])
    if y is None:
        return Dataset(path.stem, table)
    return Dataset(path.stem, table[:, :-1], y, notes=("the last number of each line is its label",))
