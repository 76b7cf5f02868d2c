"""Arrays on disk: as many examples as a disk holds, of which memory sees only those that are asked for."""

from __future__ import annotations

import io
import math
import mmap
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from narrows.data.errors import DataError

__all__ = ["LARGE", "OnDisk", "collect", "temporary_file"]

LARGE = 2**25
"""Bytes above which examples from files stay on disk; as 32-bit floats, up to 128 MB are held in memory."""


SCATTERED = 64
"""Examples all over a file that are read at a time: each brings its neighbourhood into memory, 64 kB on Linux."""


class OnDisk:
    """Examples (n, …) in a file, read when they are indexed along their first axis; nothing of them is kept.

    Every access maps the file anew, so that what was read does not stay among the process's memory. Threads, and
    processes forked from this one, may read at the same time. An open file is closed with the last array of it.

    Parameters
    ----------
    file
        A path, or an open file, which may have no name any more.
    dtype, shape, offset
        Of the array in it, in C order, from byte ``offset`` on.
    rows
        Which examples of the file, in which order; None means all.
    """

    def __init__(
        self,
        file: Path | IO[bytes] | _Held,
        dtype: DTypeLike,
        shape: tuple[int, ...],
        offset: int = 0,
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        self._file = file.resolve() if isinstance(file, Path) else file if isinstance(file, _Held) else _Held(file)
        self._all, self._offset, self._rows = shape, offset, rows
        self.dtype = np.dtype(dtype)

    @classmethod
    def of_npy(cls, file: Path | IO[bytes]) -> OnDisk:
        """Return the array of an ``.npy`` file.

        Raises
        ------
        ValueError
            If it is not such a file, holds objects, is in Fortran order, or ends before its array does.
        """
        with file.open("rb") if isinstance(file, Path) else nullcontext(file) as opened:
            opened.seek(0)
            version = np.lib.format.read_magic(opened)
            if version not in {(1, 0), (2, 0)}:
                raise ValueError(f"its format is {version}; (1, 0) or (2, 0) is expected")
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = header(opened)
            offset = opened.tell()
            held = opened.seek(0, os.SEEK_END) - offset
        if dtype.hasobject or fortran or not shape:
            raise ValueError("it holds objects, one number, or columns one after another")
        announced = math.prod(shape) * dtype.itemsize
        if held < announced:
            raise ValueError(f"it announces {announced:,} bytes but holds {held:,}")
        return cls(file, dtype, shape, offset)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, …)."""
        return (len(self), *self._all[1:])

    @property
    def ndim(self) -> int:
        """Axes."""
        return len(self._all)

    @property
    def nbytes(self) -> int:
        """What all examples would take in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self._all[0] if self._rows is None else len(self._rows)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Return copies of the examples at ``key``: a row number, a slice, or an array of rows or of truth values."""
        at = key if self._rows is None else self._rows[key]
        if not isinstance(at, np.ndarray) or at.dtype.kind == "b" or len(at) <= SCATTERED:
            return self._read(at)
        return np.concatenate([self._read(at[i : i + SCATTERED]) for i in range(0, len(at), SCATTERED)])

    def _read(self, at: Any) -> NDArray[Any]:
        length = self._offset + math.prod(self._all) * self.dtype.itemsize
        with self._file.open("rb") if isinstance(self._file, Path) else nullcontext(self._file) as opened:
            mapped = mmap.mmap(opened.fileno(), length, access=mmap.ACCESS_READ)
        examples = np.ndarray(self._all, self.dtype, mapped, self._offset)
        chosen: NDArray[Any] = examples[at]
        return chosen if chosen.base is None else chosen.copy()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("examples on disk cannot become an array in memory without a copy")
        return self[:].astype(dtype or self.dtype, copy=False)

    def select(self, rows: NDArray[np.int64]) -> OnDisk:
        """Return the examples at ``rows`` (k,), still on disk."""
        chosen = rows if self._rows is None else self._rows[rows]
        return OnDisk(self._file, self.dtype, self._all, self._offset, chosen)


class _Held:
    """An open file, closed when the last array of it goes; a file itself would then warn that nobody closed it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.fileno = file.fileno
        weakref.finalize(self, file.close)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(
            "examples in a temporary file cannot be pickled or sent to another process; save them with "
            "np.save('x.npy', X) and load that path"
        )


def collect(
    examples: Iterable[NDArray[Any]], count: int, shape: tuple[int, ...], dtype: DTypeLike
) -> NDArray[Any] | OnDisk:
    """Return the examples as one array (n, …): in memory up to `LARGE` bytes, in an unnamed temporary file beyond.

    Parameters
    ----------
    examples
        At most ``count`` arrays of this shape and type, taken one after another.
    count, shape, dtype
        What room is made for.

    Raises
    ------
    DataError
        If the disk has not that much room.
    ValueError
        If an example is of another shape, or there are more than ``count``.
    """
    dtype, n = np.dtype(dtype), 0
    size = count * math.prod(shape) * dtype.itemsize
    memory = np.empty((count, *shape), dtype) if size <= LARGE else None
    file = temporary_file(size) if memory is None else io.BytesIO()
    disk = _Held(file)  # closes it also if an example cannot be read
    for n, example in enumerate(examples, 1):
        if example.shape != shape or n > count:
            raise ValueError(f"example {n} of {count} has the shape {example.shape}; {shape} is expected")
        if memory is None:
            file.write(np.ascontiguousarray(example, dtype).data)
        else:
            memory[n - 1] = example
    if memory is not None:
        return memory[:n]
    file.flush()
    return OnDisk(disk, dtype, (n, *shape))


def temporary_file(size: int) -> IO[bytes]:
    """Return an open file without a name, for ``size`` bytes, that goes when it is closed.

    It lies in ``$TMPDIR``; without that in ``/var/tmp`` where there is one, since ``/tmp`` is often memory.

    Raises
    ------
    DataError
        If there is no such folder, or not that much room.
    """
    usual = "/var/tmp" if Path("/var/tmp").is_dir() else tempfile.gettempdir()  # noqa: S108, such files have no name
    folder = os.environ.get("TMPDIR") or usual
    try:
        free = shutil.disk_usage(folder).free
        if free >= size:
            return tempfile.TemporaryFile(dir=folder)
    except OSError as error:
        raise DataError(
            f"a temporary file cannot be made in {folder}: {error.strerror}; set TMPDIR to a folder "
            f"with {size:,} bytes free"
        ) from error
    raise DataError(
        f"the examples take {size:,} bytes of disk but {folder} has {free:,} free; set TMPDIR to a folder "
        "with more room"
    )
