"""A section of the report, and numbers in it as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from narrows.evaluation.intervals import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Section", "four_digits", "interval_of"]


@dataclass(frozen=True, slots=True)
class Section:
    """A figure or a table of the page, with what is said of it.

    Attributes
    ----------
    title, text
        What stands over the figure: a heading, and a sentence or two.
    draw
        Returns the figure, or HTML.
    """

    title: str
    text: str
    draw: Callable[[], Figure | str]


def interval_of(estimate: Estimate) -> str:
    """Return an estimate's interval as text; empty where it is a point."""
    return "" if estimate.low == estimate.high else f"{four_digits(estimate.low)} – {four_digits(estimate.high)}"


def four_digits(value: float) -> str:
    """Return a number as text: whole ones whole, others with four digits."""
    return f"{value:z,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"
