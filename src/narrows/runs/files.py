"""What stays on the disk: new folders, and in them tables, figures, arrays, single images and JSON."""

from __future__ import annotations

import csv
import importlib.util
import itertools
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from narrows.data.errors import DataError
from narrows.data.on_disk import OnDisk
from narrows.data.take import is_pandas
from narrows.storage import halves, versions

if TYPE_CHECKING:  # it takes a third of a second, and who writes figures has it
    from matplotlib.figure import Figure

__all__ = [
    "CHECKPOINT",
    "Written",
    "by_itself",
    "check_new_table",
    "checkpoints",
    "new_folder",
    "numbered",
    "refuse_full",
    "require_pyarrow",
    "unfinished_folder",
    "write_array",
    "write_chunks",
    "write_columns",
    "write_figure",
    "write_figures",
    "write_images",
    "write_json",
    "write_rows",
    "write_table",
]

Array = NDArray[Any]

CHECKPOINT = "checkpoint.safetensors"
"""Of a run that is under way, in its folder."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a verb's work comes to.

    Attributes
    ----------
    numbers
        What there is to say of it, as in its folder's JSON.
    files
        All that were written, figures first.
    """

    numbers: dict[str, Any]
    files: list[Path]


def new_folder(given: Path | None, name: str) -> Path:
    """Make and return the folder ``given``, or else ``runs/name``, ``runs/name-2`` … whichever is free.

    Raises
    ------
    DataError
        If ``given`` is there and not empty, so that nothing in it is lost.
    """
    if given is not None:
        refuse_full(given)
        given.mkdir(parents=True, exist_ok=True)
        return given
    for free in numbered(name):
        folder = Path("runs") / free
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError  # the names never end


def refuse_full(folder: Path) -> None:
    """Remove what a process that was killed had begun to write in a ``folder``, if there is nothing else in it.

    Raises
    ------
    DataError
        If there is, or it is a file.
    """
    begun = halves(folder)
    if folder.exists() and (not folder.is_dir() or {*folder.iterdir()} - {*begun}):
        raise DataError(f"--out {folder} already exists and is not empty; name a new folder")
    for half in begun:
        half.unlink()


def unfinished_folder(given: Path | None) -> Path:
    """Return the folder ``given`` of a run that was cut off, which holds a checkpoint.

    Raises
    ------
    DataError
        If none is given, or it holds none.
    """
    if given is None:
        raise DataError("--resume needs --out FOLDER, the folder of the run to resume")
    if not checkpoints(given):
        raise DataError(f"--resume: {given} holds no checkpoint to resume from; leave out --resume to train anew")
    return given


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in ``folder``; a sweep may have several, whose names begin alike."""
    return sorted(folder.glob(f"{Path(CHECKPOINT).stem}*.safetensors"))


def numbered(name: str) -> Iterator[str]:
    """Yield ``name``, ``name-2``, ``name-3`` … without end."""
    yield name
    yield from (f"{name}-{number}" for number in itertools.count(2))


def write_array(folder: Path, stem: str, examples: Any, names: Sequence[str] | None = None) -> Path:
    """Write examples, images as ``stem.npy``, a table's rows as ``stem.csv``, and return the file.

    Parameters
    ----------
    folder, stem
        Where, and the file's name without its suffix.
    examples
        Images (n, H, W[, C]) or rows (n, features), also as a data frame, which has names of its own.
    names
        Of the columns of an array; None numbers them.
    """
    if is_pandas(examples):
        examples.to_csv(folder / f"{stem}.csv", index=False, lineterminator="\r\n")
        return folder / f"{stem}.csv"
    examples = np.asarray(examples)
    if examples.ndim > 2:
        np.save(folder / f"{stem}.npy", examples)
        return folder / f"{stem}.npy"
    columns = [f"feature{i}" for i in range(examples.shape[1])] if names is None else list(names)
    return write_table(folder / f"{stem}.csv", columns, examples.tolist())


def write_chunks(path: Path, chunks: Iterable[Array], n: int) -> OnDisk:
    """Write an array (n, …) that comes chunk by chunk as ``.npy``, and return it, still on disk.

    The file is removed again if not all of them come.
    """
    try:
        with path.open("wb") as file:
            rest = iter(chunks)
            first = next(rest)
            header = {"descr": first.dtype.str, "fortran_order": False, "shape": (n, *first.shape[1:])}
            np.lib.format.write_array_header_1_0(file, header)
            for chunk in itertools.chain([first], rest):
                file.write(np.ascontiguousarray(chunk).data)
        return OnDisk.of_npy(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def write_images(folder: Path, images: Iterable[NDArray[np.uint8]], n: int) -> Path:
    """Write each image, (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, as a PNG of its own size, and return the folder.

    They are named by their number among the examples, counted from 0 as everywhere: ``0000.png``, ``0001.png`` …

    Parameters
    ----------
    folder
        That is made.
    images, n
        The images, and how many, so that their names sort.
    """
    folder.mkdir()
    digits = max(4, len(str(n - 1)))
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:0{digits}}.png")
    return folder


def write_json(path: Path, contents: dict[str, Any]) -> Path:
    """Write the command, the versions it ran with, and ``contents`` as JSON, and return the file."""
    everything = {"command": ["narrows", *sys.argv[1:]], "versions": versions(), **contents}
    path.write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def write_figure(path: Path, figure: Figure) -> Path:
    """Write ``figure`` as a PNG and return its path."""
    figure.savefig(path, dpi=160)
    return path


def write_figures(folder: Path, figures: Mapping[str, Callable[[], Figure]]) -> list[Path]:
    """Draw each figure and write it as ``NAME.png``, and return the files of those that could be drawn.

    Warns
    -----
    UserWarning
        Of each of the others.
    """
    files = []
    for name, draw in figures.items():
        with by_itself(f"{name}.png was not drawn"):
            files.append(write_figure(folder / f"{name}.png", draw()))
    return files


@contextmanager
def by_itself(told: str) -> Iterator[None]:
    """Turn an error into a warning that begins with ``told``, so that nothing else is lost for it.

    Warns
    -----
    UserWarning
        Instead of any error.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a trained model is worth more than any figure of it
        named = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "  # whose messages are for people
        warnings.warn(f"{told}: {named}{error}", stacklevel=3)


def write_columns(path: Path, numbers: dict[str, Array], texts: dict[str, Array]) -> Path:
    """Write columns (n,) by name as CSV, Parquet or, of the ``numbers`` alone, (n, columns) in 32 bits, as ``.npy``."""
    if path.suffix == ".npy":
        np.save(path, np.stack(list(numbers.values()), 1).astype(np.float32))
    elif path.suffix == ".parquet":
        pd.DataFrame(numbers | texts).to_parquet(path)
    else:
        # R takes other spellings of truth values for texts.
        columns = [
            np.where(column, "TRUE", "FALSE").tolist() if column.dtype == bool else column.tolist()
            for column in (numbers | texts).values()
        ]
        write_table(path, list(numbers | texts), zip(*columns, strict=True))
    return path


def write_rows(path: Path, rows: Any) -> Path:
    """Write a table's rows, a frame of either library or an array, as CSV or Parquet, and return the file."""
    if not isinstance(rows, pd.DataFrame) and not isinstance(rows, np.ndarray):
        (rows.write_parquet if path.suffix == ".parquet" else rows.write_csv)(path)
        return path
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows).rename(columns=lambda i: f"feature{i}")
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


def check_new_table(path: Path) -> None:
    """Refuse a file that a table cannot be written to.

    Raises
    ------
    DataError
        As `check_new_file`, or if it needs a package that is missing.
    """
    check_new_file(path, ".csv", ".npy", ".parquet")
    if path.suffix == ".parquet":
        require_pyarrow(f"--out {path}")


def check_new_file(path: Path, *endings: str) -> None:
    """Refuse a file that cannot be written anew.

    Raises
    ------
    DataError
        If it has none of the ``endings``, already exists, or lies in no folder.
    """
    if path.suffix not in endings:
        raise DataError(f"--out {path} must end in {' or '.join(endings)}")
    if path.exists():
        raise DataError(f"--out {path} already exists; name a new file")
    if not path.parent.is_dir():
        raise DataError(f"--out {path} is in a folder that does not exist")


def require_pyarrow(what: str) -> None:
    """Raise DataError unless pyarrow, which reads and writes Parquet files for pandas, is installed.

    Parameters
    ----------
    what
        That needs it, to begin the message with.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise DataError(f"{what} needs pyarrow, which is not installed: pip install 'narrows[parquet]'")


def write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a CSV table and return its path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)
    return path
