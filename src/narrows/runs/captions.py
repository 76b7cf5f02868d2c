"""Captions of examples: which they are, what is known about them, and which of many are worth a look."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from narrows.data.dataset import Dataset
from narrows.data.image_files import ImageFiles

__all__ = [
    "captions",
    "class_name",
    "file_name",
    "first_of",
    "names",
    "passed_over",
    "printable",
    "ranked",
    "scored",
    "with_article",
]

OF_EACH = 3
"""Examples of the first, the best, the middle and the worst in a comparison."""


def file_name(dataset: Dataset, row: int) -> str:
    """Return the name of the file that an example comes from, as text that can be printed and written, or ""."""
    if dataset.files is None:
        return ""
    return printable(os.fsdecode(dataset.files.names[row]))


def printable(name: str) -> str:
    r"""Return a file's name as text that can be printed and written, with ``\xff`` for a byte that is no text."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def captions(dataset: Dataset, rows: Iterable[int]) -> list[str]:
    """Return what there is to say of the examples at ``rows``: number, class and file, each on a line of its own."""
    lines = []
    for row in rows:
        label = "" if dataset.y is None else f"\nclass {dataset.y[row]}"
        name = file_name(dataset, row)
        lines.append(f"example {row}{label}" + (f"\n{name}" if name else ""))
    return lines


def with_article(kind: str) -> str:
    """Return what ``kind`` of model it is, as in a sentence: an Autoencoder, a VAE."""
    return f"{'an' if kind[0] in 'AI' else 'a'} {kind}"


def names(dataset: Dataset, rows: Iterable[int]) -> list[str]:
    """Return what to call the examples at ``rows`` in a line: their classes, or else their numbers."""
    return [f"example {i}" if dataset.y is None else class_name(dataset.y[i]) for i in rows]


def class_name(label: object) -> str:
    """Return what to call a class in few letters: of a number it is said that it is one, a name tells by itself."""
    return f"class {label}" if str(label).lstrip("-").isdecimal() else str(label)


def first_of(shown: int, n: int) -> str:
    """Return what a title adds where a sheet shows the first of more."""
    return f", the first {shown} of {n:,}" if shown < n else ""


def passed_over(files: ImageFiles) -> str:
    """Return in a line how many files were passed over, and the first three of them."""
    first = ", ".join(f"{file.path} ({file.reason})" for file in files.rejected[:3])
    count = len(files.rejected)
    return f"{count:,} file{'s' * (count > 1)} passed over: {first}{' …' if count > 3 else ''}"


def ranked(errors: NDArray[np.float64]) -> list[tuple[str, int]]:
    """Return (rank, row) of examples worth a look: the first, the best, the median and the worst by their error.

    Of few examples all, the best first. Each comes once, with all that it is: ``"first, 2nd worst"``.
    """
    order, n = np.argsort(errors, kind="stable").tolist(), len(errors)
    if n <= 3 * OF_EACH:
        ranks = dict.fromkeys(range(n), "") | {n // 2: "median" if n > 2 else "", 0: "best", n - 1: "worst"}
        return [(ranks[i] if n > 1 else "", row) for i, row in enumerate(order)]
    middle = (n - OF_EACH) // 2
    ordinals = ["", "2nd ", "3rd "]
    all_ranks: dict[int, list[str]] = {row: ["first"] for row in range(OF_EACH)}
    for rank, row in (
        *((f"{nth}best", order[i]) for i, nth in enumerate(ordinals)),
        *(("median" if i == 1 else "near the median", order[middle + i]) for i in range(OF_EACH)),
        *((f"{nth}worst", order[-1 - i]) for i, nth in enumerate(ordinals)),
    ):
        all_ranks.setdefault(row, []).append(rank)
    return [(", ".join(of_one), row) for row, of_one in all_ranks.items()]


def scored(by: str, before: str = " ") -> str:
    """Return what scores go by, in words after ``before``; nothing where by all that the model knows, as usual."""
    return "" if by == "auto" else f"{before}by {by}"
