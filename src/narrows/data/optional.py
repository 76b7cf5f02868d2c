"""Packages that only some files need."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from narrows.data.errors import DataError

__all__ = ["BROKEN", "Unreadable", "damage_named", "damage_said", "needed"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

BROKEN = (AssertionError, AttributeError, RuntimeError)
"""What such packages raise for damaged files, besides errors of values; imagecodecs' errors are of the last kind."""


DAMAGED = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, OSError, SyntaxError, TypeError, ValueError),
    *(struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error, *BROKEN),
)
"""What readers of files of numbers raise for damaged ones."""

THEIRS = ("nibabel", "pydicom")
"""Packages that have errors of their own, of no common kind."""


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


def damage_said(read: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return ``read``, whose errors of damaged files are `Unreadable`: some packages read values when needed."""

    @wraps(read)
    def reading(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return read(*args, **kwargs)
        except Exception as error:
            if not isinstance(error, BROKEN) and type(error).__module__.partition(".")[0] not in THEIRS:
                raise
            raise Unreadable(f"damaged ({error})") from error

    return reading


@contextmanager
def damage_named(told: str) -> Iterator[None]:
    """Make whatever a damaged file leads to a `DataError`, in one line that begins with ``told``.

    Raises
    ------
    DataError
        Instead of any of `DAMAGED`.
    """
    try:
        yield
    except DataError:
        raise
    except DAMAGED as error:
        raise DataError(f"{told}: {' '.join(str(error).split()) or type(error).__name__}") from error
