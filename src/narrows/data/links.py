"""What lies in a folder: links that lead out of it are not followed, since they would read what nobody named."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from narrows.data.errors import DataError

__all__ = ["LEADS_OUT", "check_below", "inside", "leads_out"]

LEADS_OUT = "a link that leads out of the folder, which is not followed; copy what it leads to"


def leads_out(folder: Path, file: Path) -> bool:
    """Say whether ``file``, in ``folder`` or below, is a link to what does not lie there."""
    return file.is_symlink() and not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder))


def inside(folder: Path, files: Iterable[Path]) -> list[Path]:
    """Return those of ``files``, which are in ``folder``, that are files, and no pipes or devices, in their order.

    Raises
    ------
    DataError
        If one is a link that leads out of the folder; the message names it.
    """
    found = []
    for file in files:
        if leads_out(folder, file):
            raise DataError(f"{file} is {LEADS_OUT}")
        if file.is_file():
            found.append(file)
    return found


def check_below(folder: Path) -> None:
    """Refuse a ``folder`` that others read by themselves, if anything in it or below would lead them out of it.

    Raises
    ------
    DataError
        If it holds a link that leads out, or what is neither a file nor a folder; the message names it.
    """
    for root, folders, files in os.walk(folder):
        for entry in (Path(root, name) for name in (*folders, *files)):
            if leads_out(folder, entry):
                raise DataError(f"{entry} is {LEADS_OUT}")
            if not entry.is_file() and not entry.is_dir():
                raise DataError(f"{entry} is neither a file nor a folder, so it is not opened; remove it")
