"""What one page of the lecture consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from matplotlib.figure import Figure

from narrows.lecture.rows import Row

__all__ = ["Fact", "Page", "Value", "decimal"]

Value: TypeAlias = "str | bool | int | float | tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Fact:
    """A number, some numbers, or a text of one or more lines that came out of a computation, and what it is."""

    name: str
    value: Value

    def shown(self) -> str:
        """The value for people: six digits, yes or no, (a, b)."""
        return decimal(self.value)


def decimal(value: Value) -> str:
    """Write a value for people: six digits, thousands between commas, yes or no, (a, b)."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}".replace("-", "−")
        case float():
            return f"{value:.6g}".replace("-", "−")
        case tuple():
            return f"({', '.join(map(decimal, value))})"
        case _:
            return value


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A row of the lecture, explained and computed.

    Attributes
    ----------
    row
        The row itself.
    text
        A few sentences of explanation.
    facts
        What was computed when the page was made.
    figure, alt
        The figure, and what it shows, for those who do not see it.
    """

    row: Row
    text: str
    facts: tuple[Fact, ...]
    figure: Figure
    alt: str
