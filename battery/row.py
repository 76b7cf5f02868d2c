"""A row of the battery's table."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Row"]

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the table of members, and the harness that kills


@dataclass(frozen=True)
class Row:
    """A figure beside its target.

    Attributes
    ----------
    what
        Is measured.
    figure, target
        As they are printed.
    holds
        Whether the one meets the other.
    timed
        Whether it is one of other work's on the machine, too, so that ``--bounded`` prints it and goes on.
    skipped
        Whether nothing was tried, since something is not there.
    """

    what: str
    figure: str
    target: str
    holds: bool
    timed: bool = False
    skipped: bool = False

    def __str__(self) -> str:
        return f"| {self.what} | {self.figure} | {self.target} | {'yes' if self.holds else '**no**'} |"
