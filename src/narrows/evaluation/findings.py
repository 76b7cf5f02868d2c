"""What is found wrong with a model, as a value: its words, the figure behind them, and what to try."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes
    ----------
    kind
        A word or two for it, such as ``"dead units"``.
    words
        What it is, as a sentence.
    figure
        The number behind it.
    advice
        What to try.
    """

    kind: str
    words: str
    figure: str
    advice: str
