"""What would be in a file that is shared, before it is written."""

from __future__ import annotations

from narrows.web.contents import Contents, Part, contents_of
from narrows.web.library import Library
from narrows.web.sharing import thinned

__all__ = ["Contents", "Part", "contents"]


def contents(library: Library, *, data: bool = True) -> Contents:
    """Return what a file of the library's models would hold, with examples of their data or without."""
    return contents_of(thinned(library, data=data))
