"""How data are to be read that a model learns from, as it was typed."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from narrows.cli.choosing import marks, range_of
from narrows.cli.saying import read_as

if TYPE_CHECKING:
    from narrows.data.dataset import Dataset

__all__ = ["Reading"]


class Reading(NamedTuple):
    """Which data, and how they are read."""

    data: str
    size: int | None
    fit: str
    strict: bool
    columns: list[str] | None
    missing: str | None
    page: int | str | None = None
    range: str | None = None
    key: str | None = None

    def kinds(self, options: dict[str, Any]) -> dict[str, str]:
        """Return the kinds of columns that are asked for."""
        from narrows.runs.kinds import asked_for

        asked = asked_for(self.columns or [])
        if self.columns and "columns" in options:
            raise ValueError(f"--column {self.columns[0]} and --option columns are both given; use --column alone")
        return asked

    def ends(self, options: dict[str, Any]) -> tuple[float, float] | None:
        """Return the values that are to be black and white, if they are said."""
        if self.range is not None and "scaling" in options:
            raise ValueError(
                f"--range {self.range} and scaling={options['scaling']!r} (--option or --recipe) exclude each other"
            )
        return None if self.range is None else range_of(self.range)

    def read(self, asked: dict[str, str], *, shown: bool) -> Dataset:
        """Return the data, and show how far their reading is."""
        from narrows.cli.progress import reading
        from narrows.data import load_data
        from narrows.runs.kinds import check_columns, types_for

        with reading(self.data) if shown else nullcontext() as progress:
            dataset = load_data(
                self.data,
                size=self.size,
                fit=self.fit,
                page=self.page,
                key=self.key,
                strict=self.strict,
                missing=marks(self.missing),
                types=types_for(asked),
                progress=progress,
            )
        if asked:
            check_columns(dataset, asked)
        return dataset

    @property
    def typed(self) -> str:
        """The options, as they are typed."""
        columns = "".join(f" --column {shlex.quote(pair)}" for pair in self.columns or [])
        missing = "" if self.missing is None else f" --missing {shlex.quote(self.missing)}"
        page = "" if self.page is None else f" --page {self.page}"
        ends = "" if self.range is None else f" --range={shlex.quote(self.range)}"  # which may begin with a minus
        key = "" if self.key is None else f" --key {shlex.quote(self.key)}"
        return read_as(self.size, self.fit) + page + key + ends + columns + missing
