"""Dates as texts write them, and back: in one form that all texts of a column share."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["date_form", "look_like_dates", "moments", "written"]

FORMS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S+00:00",
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y%m%d",
    "%-d.%-m.%Y",
    "%-d. %-m. %Y",
    "%-d.%-m.%Y %H:%M",
    "%-d.%-m.%Y %-H:%M",
    "%-d/%-m/%Y",
    "%-m/%-d/%Y",
    "%-d/%-m/%Y %H:%M",
    "%-m/%-d/%Y %H:%M",
    "%-d/%-m/%Y %-H:%M",
    "%-m/%-d/%Y %-H:%M",
)
"""In which texts write dates; where a day could also be a month, it comes first unless some are above 12.

As in C's strftime, ``-`` stands before what is written without a leading zero.
"""

FIRST = 20
"""Values that must be texts if all are to be dates."""

NAMED = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
YEAR, MONTH, DAY = r"(?:1[89]|20)\d\d", rf"(?:\d{{1,2}}|{NAMED})", r"\d{1,2}"
LIKE_A_DATE = re.compile(
    rf"(?:{YEAR}[./ -]{MONTH}[./ -]{DAY}|{DAY}[./-] ?{MONTH}[./-] ?(?:{YEAR}|\d\d)|{DAY}\.? {NAMED} {YEAR})"
    r"\b.*",
    re.DOTALL | re.IGNORECASE,
)
"""What is a date to people, in whatever form."""


def date_form(texts: NDArray[Any]) -> str:
    """Return how all ``texts`` (n,) write dates, one of `FORMS`; "" if they do not."""
    if not all(isinstance(text, str) for text in texts[:FIRST]):
        return ""
    for form in FORMS:
        if moments(pd.Series(texts[:1], dtype=object), form).isna().all():
            continue
        stamps = moments(pd.Series(texts, dtype=object), form)
        if not stamps.isna().any() and (written(pd.DatetimeIndex(stamps), form) == texts).all():
            return form
    return ""


def look_like_dates(texts: NDArray[Any]) -> bool:
    """Say whether all ``texts`` (n,) look like dates to people, in whatever forms."""
    return all(isinstance(text, str) and LIKE_A_DATE.fullmatch(text) for text in texts)


def moments(texts: pd.Series[Any], form: str) -> pd.Series[Any]:
    """Return the times that ``texts`` (n,) write in a ``form``; NaT where they do not."""
    return pd.to_datetime(texts, format=form.replace("%-", "%"), errors="coerce")


def written(stamps: pd.DatetimeIndex, form: str) -> NDArray[Any]:
    """Return times (n,) as texts of a ``form``."""
    # Not every system's strftime knows the mark, and no form holds this one.
    texts: NDArray[Any] = stamps.strftime(form.replace("%-", "\x1f%")).to_numpy(object)
    return np.array([re.sub("\x1f0?", "", text) for text in texts.tolist()], object) if "%-" in form else texts
