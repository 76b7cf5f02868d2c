"""The documentation's pages: the wheel ships them, ``narrows help`` prints them, and errors name the one that helps."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Helped", "named", "title"]

_SHIPPED, _CHECKOUT = Path(__file__).parent / "pages", Path(__file__).parents[2] / "docs"
"""In an installed wheel, and in a checkout that is installed as it stands."""


class Helped(Exception):  # noqa: N818, which is mixed into errors
    """An error whose ``page`` helps; a traceback says so below the message (PEP 678), and the command line after it."""

    page: str

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.add_note(f"See: narrows help {self.page}")


def named() -> dict[str, Path]:
    """Return the pages in English by name; those of one folder follow another's, each in the alphabet's order."""
    folder = _SHIPPED if _SHIPPED.is_dir() else _CHECKOUT
    files = [*sorted(folder.glob("*.md")), *sorted((folder / "learn").glob("*.md"))]
    return {file.stem: file for file in files if file.stem not in ("api", "index")}


def title(page: Path) -> str:
    """Return a page's heading."""
    with page.open(encoding="utf-8") as lines:
        return next(line[2:].strip() for line in lines if line.startswith("# "))
