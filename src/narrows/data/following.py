"""Data that go on growing: lines of text, and folders into which files come, each example once and in order."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader, StringIO
from itertools import chain, pairwise, takewhile
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from narrows.data.dataset import Dataset
from narrows.data.delimited import Delimited, delimited_in, delimited_on
from narrows.data.errors import DataError
from narrows.data.image_files import image_names
from narrows.data.images import read_images
from narrows.data.parquet import parquet_in
from narrows.data.parts import Part, Parts
from narrows.data.tables import in_delimited

__all__ = ["STDIN", "Following", "News"]

STDIN = "-"
"""What names the standard input."""

BYTES, IMAGES = 2**16, 64
"""Of text, and image files, that are taken at a time."""

Place = dict[str, Any]
"""What is read already, as JSON can hold it."""


class News(NamedTuple):
    """Some examples that follow those before.

    Attributes
    ----------
    dataset
        They, as `narrows.data.load_data` returns them.
    named
        Returns what messages call the one at a place, counted from 0.
    place
        Where to go on after them; None where that is not before the end of a file.
    """

    dataset: Dataset
    named: Callable[[int], str]
    place: Place | None


@dataclass(frozen=True, slots=True)
class Following:
    """Where examples come from, and how they are read.

    Attributes
    ----------
    source
        A CSV or TSV file; "-", the lines of the standard input; or a folder of images, where ``like`` is one's shape,
        or else of Parquet parts, whose names sort in the order in which they come.
    every
        Seconds after which to look for more at the end; None takes what is there, and ends. Then a last line may be
        unfinished, and so are files that have just been changed: they wait for the next look.
    missing, types, like, fit
        As in `narrows.data.load_data`.
    """

    source: str
    every: float | None = None
    missing: Sequence[str] = ()
    types: Mapping[str, str] | None = None
    like: tuple[int, ...] | None = field(default=None, kw_only=True)
    fit: str = field(default="crop", kw_only=True)

    def news(self, place: Place) -> Iterator[News]:
        """Yield what comes after ``place``, which is ``{}`` at the beginning.

        Raises
        ------
        DataError
            If the source is of another kind, or something of it cannot be read; the message names the line or the file.
        """
        path = Path(self.source)
        if self.source == STDIN:
            return self._tables(_lines_of_stdin(), place)
        if not path.exists():
            raise DataError(f"DATA {self.source} does not exist")
        if path.is_file() and path.suffix.lower() in (".csv", ".tsv"):
            return self._tables(self._lines(path, place.get("bytes", 0)), place)
        images = len(self.like or ()) > 1
        if path.is_dir() and (self.every is not None or place or (image_names(path) if images else parquet_in(path))):
            return self._images(path, place) if images else self._parts(path, place)
        raise DataError(
            f"DATA {self.source} must be a .csv or .tsv file, a folder of {'images' if images else 'Parquet parts'}, "
            "as the model takes them, or - for lines of CSV on the standard input"
        )

    def _lines(self, path: Path, begin: int) -> Iterator[bytes]:
        """Yield whole lines of a file, from the byte ``begin`` on."""
        with path.open("rb") as file:
            while True:
                size = os.fstat(file.fileno()).st_size
                if size < begin:
                    raise DataError(f"{path} has {size:,} bytes, of which {begin:,} were read before; it was cut off")
                text, length = b"", BYTES
                while not (raw := _whole(text)) and len(text) < size - begin:  # a line may be longer
                    file.seek(begin)
                    text, length = file.read(length), 2 * length
                if raw := raw or (text if self.every is None else b""):
                    begin += len(raw)
                    yield raw
                elif not self._waited():
                    return

    def _waited(self) -> bool:
        """Wait until the next look, if there is one."""
        if self.every is not None:
            time.sleep(self.every)
        return self.every is not None

    def _tables(self, raws: Iterator[bytes], place: Place) -> Iterator[News]:
        """Yield rows of lines, of which ``place`` knows how many were read, and their heading."""
        path = Path("standard input" if self.source == STDIN else self.source)
        rows, read = place.get("rows", 0), place.get("bytes", 0)
        heading = place.get("heading")
        begun = None if heading is None else Delimited(path, heading[0], heading[1], [], heading[2], None)
        for raw in raws:
            text = _decoded(path, raw, 1 + (begun is not None and begun.named) + rows)
            read += len(raw)
            if not text.strip():
                continue
            if begun is None:
                part = begun = delimited_in(path, StringIO(text, newline=""), self.missing)
            else:
                part = delimited_on(begun, text, rows)
                if begun.named and self.source == STDIN and [cell.strip() for cell in part.lines[0]] == begun.names:
                    del part.lines[0]  # who goes on may say them once more
            if not part.lines:
                continue
            at, rows = 1 + begun.named + rows, rows + len(part.lines)
            heading = [begun.names, begun.named, begun.separator]
            yield News(
                in_delimited(part, self.missing, self.types),
                partial(_line_of, at),
                {"rows": rows, "bytes": read, "heading": heading},
            )

    def _parts(self, folder: Path, place: Place) -> Iterator[News]:
        """Yield the rows of files of Parquet; a file is done when all of it is."""
        while True:
            files = {file.name: file for file in parquet_in(folder)}
            new = self._new(folder, sorted(files), place)
            parts = Parts.of(folder, self.missing, self.types) if new else None
            for name in new:
                done = {"last": name, "files": place.get("files", 0) + 1}
                batches = parts.batches(files[name], 0) if parts is not None else ()
                for part, after in pairwise(chain(batches, [None])):
                    if part is not None:
                        yield News(part.dataset, partial(_row_of, part), done if after is None else None)
                place = done
            if not new and not self._waited():
                return

    def _images(self, folder: Path, place: Place) -> Iterator[News]:
        """Yield images, some files at a time."""
        while True:
            new = self._new(folder, image_names(folder), place)
            for names in (new[first : first + IMAGES] for first in range(0, len(new), IMAGES)):
                read = [read_images(folder / name, like=self.like, fit=self.fit, strict=True).X for name in names]
                each = [name for name, images in zip(names, read, strict=True) for _ in range(len(images))]
                place = {"last": names[-1], "files": place.get("files", 0) + len(names)}
                yield News(Dataset(folder.name, np.concatenate(read)), each.__getitem__, place)
            if not new and not self._waited():
                return

    def _new(self, folder: Path, names: list[str], place: Place) -> list[str]:
        """Return those of ``names``, sorted, that come after the last one that is done, and are whole."""
        last, files = place.get("last", ""), place.get("files", 0)
        if sum(name <= last for name in names) > files:
            raise DataError(f"{folder} has new files that sort before {last}, which is done; name files in their order")
        new = [name for name in names if name > last]
        if self.every is None:
            return new
        before = time.time() - self.every
        return list(takewhile(lambda name: (folder / name).stat().st_mtime <= before, new))


def _line_of(first: int, place: int) -> str:
    return f"line {first + place:,}"


def _row_of(part: Part, place: int) -> str:
    return f"{part.file.name}, row {part.first + place:,}"


def _lines_of_stdin() -> Iterator[bytes]:
    """Yield whole lines of the standard input as they come."""
    left = b""
    while more := cast("BufferedReader", sys.stdin.buffer).read1(BYTES):
        left += more
        if raw := _whole(left):
            yield raw
            left = left[len(raw) :]
    if left:
        yield left


def _whole(text: bytes) -> bytes:
    """Return the lines of ``text`` that are whole: a cell in quotes may hold the end of one."""
    end = text.rfind(b"\n") + 1
    while end and text.count(b'"', 0, end) % 2:
        end = text.rfind(b"\n", 0, end - 1) + 1
    return text[:end]


def _decoded(path: Path, raw: bytes, first: int) -> str:
    """Return text, whose first line has the number ``first``."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = first + raw.count(b"\n", 0, error.start)
        raise DataError(f"{path}, line {line} is not in UTF-8: {error}; save it as CSV UTF-8") from error
