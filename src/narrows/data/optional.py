"""Packages that only some files need."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from narrows.data.errors import DataError

__all__ = ["BROKEN", "Unreadable", "needed"]

BROKEN = (AssertionError, AttributeError, RuntimeError)
"""What such packages raise for damaged files, besides errors of values; imagecodecs' errors are of the last kind."""


class Unreadable(DataError):  # noqa: N818, of which a folder's reading makes a line, and goes on
    """A file that may be whole, but is of a kind that cannot be read; the message says which and what to do."""


def needed(module: str, what: str, extra: str) -> Any:
    """Return a ``module`` that ``what`` needs, which ``pip install 'narrows[extra]'`` installs.

    Raises
    ------
    Unreadable
        If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise Unreadable(f"{what}, which needs {module}: pip install 'narrows[{extra}]'") from error
