"""A folder of parts, and the journal that says which of them are there until all are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from narrows.data.errors import DataError
from narrows.runs.files import refuse_full
from narrows.storage import write_atomically

__all__ = ["JOURNAL", "Journal"]

JOURNAL = "journal.jsonl"
"""In a folder whose parts are not all there yet: a line says what is done, and one more each part."""


class Journal:
    """The parts in a folder, each there as a whole or not at all, whatever ends the process.

    Parameters
    ----------
    folder
        An empty one, or one that holds a journal of the same ``identity``, whose last line may be torn.
    identity
        What the parts depend on, by name.

    Attributes
    ----------
    parts
        What is known of each part that is there, in order: its name, and what `add` was told.

    Raises
    ------
    DataError
        If the folder holds anything else.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.folder, self.path = folder, folder / JOURNAL
        self.parts: list[dict[str, Any]] = []
        if self.path.exists():
            self._read(json.loads(json.dumps(identity)))
        else:
            refuse_full(folder)
        # Written anew, so that nothing of a line that was torn is left.
        lines = [json.dumps(line) for line in (identity, *self.parts)]
        write_atomically(self.path, "".join(f"{line}\n" for line in lines).encode())

    def _read(self, identity: dict[str, Any]) -> None:
        lines = self.path.read_text(encoding="utf-8").split("\n")[:-1]
        before = json.loads(lines[0])
        for name in {**before, **identity}:
            if before.get(name) != identity.get(name):
                raise DataError(
                    f"--out {self.folder} holds parts of another run: its {name} was {_shown(before.get(name))} and is "
                    f"{_shown(identity.get(name))} now; name a new folder, or run it as before"
                )
        self.parts = [json.loads(line) for line in lines[1:]]
        for half in self.folder.glob(".*.tmp"):
            if self.parts and half == self._aside(self.parts[-1]["part"]):
                half.replace(self.folder / self.parts[-1]["part"])  # it was whole, and noted
            else:
                half.unlink()
        gone = next((part["part"] for part in self.parts if not (self.folder / part["part"]).exists()), None)
        if gone is not None:
            raise DataError(f"--out {self.folder} lacks {gone}, which was written before; name a new folder")

    @property
    def rows(self) -> int:
        """Of all parts that are there."""
        return sum(part["rows"] for part in self.parts)

    def add(self, name: str, pieces: Iterator[tuple[Any, dict[str, Any]]], told: dict[str, Any]) -> None:
        """Write a part of ``pieces``, tables of Arrow or texts, each with what is to be added to ``told`` of it."""
        aside = self._aside(name)
        _write(aside, _noted(pieces, told))
        self.parts.append({"part": name, **told})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.parts[-1]) + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.folder / name)

    def _aside(self, name: str) -> Path:
        return self.folder / f".{name}.tmp"

    def close(self) -> None:
        """Say that all parts are there."""
        self.path.unlink()


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]} …"


def _noted(pieces: Iterator[tuple[Any, dict[str, Any]]], told: dict[str, Any]) -> Iterator[Any]:
    for piece, numbers in pieces:
        for name, number in numbers.items():
            told[name] = told[name] + number if name in told else number
        yield piece


def _write(path: Path, pieces: Iterator[Any]) -> None:
    """Write texts, or tables of Arrow of one schema, one after another, and sync the file to the disk."""
    first = next(pieces)
    if isinstance(first, str):
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(chain([first], pieces))
    else:
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        with pq.ParquetWriter(path, first.schema) as parquet:
            for table in chain([first], pieces):
                parquet.write_table(table.cast(first.schema))
    with path.open("rb+") as file:
        os.fsync(file.fileno())
