"""The one error that data raise."""

from __future__ import annotations

from narrows.pages import Helped

__all__ = ["DataError"]


class DataError(Helped, ValueError):
    """Data that cannot be used as they are; the message names the file, what is wrong, and what would be right."""

    page = "formats"
