"""Coding: what nets see of cells. Each is one number, of a category its level's place; NaN where missing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from narrows.columns.column import Column

__all__ = ["Coding"]


class Coding(nn.Module):
    """Scaled cells (n, columns) ↦ (n, width): numbers, whether each is missing, and levels one-hot.

    A missing number is 0, the mean, and the input beside it 1. A level needs no such input: of a missing cell, as of a
    level that was not there at the fit, all are 0; of a binary column the two are ½ and −½.

    Parameters
    ----------
    columns
        Those that the model learns from.

    Attributes
    ----------
    width
        Numbers that a net is given of a row.
    """

    numbers: Tensor
    centre: Tensor
    width_of: Tensor
    highest: Tensor
    binary: Tensor
    levels: Tensor
    first: Tensor
    last: Tensor
    seen: Tensor

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        places: dict[str, list[int]] = {"numbers": [], "binary": [], "levels": []}
        for place, column in enumerate(columns):
            places[{"binary": "binary", "category": "levels"}.get(column.kind, "numbers")].append(place)
        outputs = np.array([columns[place].outputs for place in places["levels"]], np.int64)
        seen = [len(columns[place].levels) for place in places["levels"]]
        measured = np.array([_measures(columns[place]) for place in places["numbers"]], np.float32).reshape(-1, 3)
        whole = {**places, "first": outputs.cumsum() - outputs, "last": outputs - 1, "seen": seen}
        # From NumPy, and not saved: the file has the columns, and builds a model without memory for the rest.
        for name, found in whole.items():
            self.register_buffer(name, torch.from_numpy(np.array(found, np.int64)), persistent=False)
        for name, values in zip(("centre", "width_of", "highest"), measured.T, strict=True):
            self.register_buffer(name, torch.from_numpy(values.copy()), persistent=False)
        self.one_hot = int(outputs.sum())
        self.width = 2 * len(places["numbers"]) + len(places["binary"]) + self.one_hot

    def forward(self, x: Tensor) -> Tensor:
        """Return what nets see of cells ``x`` (n, columns), (n, width)."""
        numbers, binary = x.index_select(1, self.numbers), x.index_select(1, self.binary)
        missing = numbers.isnan() | (numbers > self.highest)
        parts = [((numbers - self.centre) / self.width_of).masked_fill(missing, 0.0), missing.to(x)]
        parts.append(torch.where(binary.isnan() | (binary > 1), 0.0, binary - 0.5))
        if self.one_hot:
            levels = x.index_select(1, self.levels)
            known = (levels < self.seen).to(x)  # NaN is not
            places = self.first + levels.nan_to_num(0.0).long().minimum(self.last)
            parts.append(x.new_zeros(x.shape[0], self.one_hot).scatter_(1, places, known))
        return torch.cat(parts, 1)


def _measures(column: Column) -> tuple[float, float, float]:
    """Return mean, deviation and highest of a column's cells; all but those of levels are scaled already."""
    if column.kind != "ordered":
        return 0.0, 1.0, math.inf
    places, shares = np.arange(len(column.counts)), np.array(column.counts) / sum(column.counts)
    mean = float(places @ shares)
    return mean, math.sqrt(float((places - mean) ** 2 @ shares)), len(places) - 1.0
