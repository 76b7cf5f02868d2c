"""Gaps: which cells of a new row are missing, as those of a table are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from narrows.columns.column import Column

__all__ = ["Gaps"]

MOST_ROWS = 5000
"""That a column's regression is fitted to."""


class Gaps(nn.Module):
    """P(mⱼ | z, m₁ … mⱼ₋₁): a logistic regression a column, in the order of the table.

    mⱼ says whether the cell of the j-th column that has gaps is missing. A regression on the code follows gaps that
    come with what the code says of a row, and one on the gaps before it those that come together. It knows nothing of
    gaps that depend on the missing value itself.

    Parameters
    ----------
    columns
        Those that the model learns from.
    latent_dim
        Numbers in the code. Buffers: ``weights`` (gappy, latent_dim + gappy), ``bias`` (gappy,).
    """

    weights: Tensor
    bias: Tensor
    places: Tensor

    def __init__(self, columns: Sequence[Column], latent_dim: int) -> None:
        super().__init__()
        gappy = np.array([place for place, column in enumerate(columns) if column.missing], np.int64)
        self.columns = len(columns)
        self.register_buffer("places", torch.from_numpy(gappy), persistent=False)  # the file has the columns
        self.register_buffer("weights", torch.zeros(len(gappy), latent_dim + len(gappy)))
        self.register_buffer("bias", torch.zeros(len(gappy)))

    def fit(self, z: Tensor, missing: NDArray[np.bool_]) -> None:
        """Fit it to codes ``z`` (n, latent_dim) of rows and to which of their cells are ``missing`` (n, columns)."""
        from sklearn.linear_model import LogisticRegression  # only a fit of a table with gaps needs it

        gaps = missing[:MOST_ROWS, self.places.numpy()].astype(np.float64)
        d, seen = self.weights.shape[1] - len(self.bias), np.hstack([z[:MOST_ROWS].double().numpy(), gaps])
        for number, own in enumerate(gaps.T):
            if len(np.unique(own)) < 2:  # too rare for these rows, or for any but them
                share = (own.sum() + 0.5) / (len(own) + 1)
                self.bias[number] = float(np.log(share / (1 - share)))
                continue
            fitted = LogisticRegression(max_iter=200).fit(seen[:, : d + number], own)
            self.weights[number, : d + number] = torch.from_numpy(fitted.coef_[0])
            self.bias[number] = float(fitted.intercept_[0])

    def log_chance(self, z: Tensor, missing: Tensor) -> Tensor:
        """Return log P of what each gappy column's cell is, ``missing`` (n, columns) or not, given z, (n, columns)."""
        gaps = missing[:, self.places].to(z)
        odds = torch.cat([z, gaps], 1) @ self.weights.T + self.bias
        found = z.new_zeros(missing.shape)
        found[:, self.places] = torch.nn.functional.logsigmoid(torch.where(gaps > 0, odds, -odds))
        return found

    def simulate(self, z: Tensor, known: Sequence[int], generator: torch.Generator) -> Tensor:
        """Return which cells are missing, (n, columns), drawn for codes ``z`` (n, latent_dim); ``known`` ones never."""
        seen = torch.cat([z, z.new_zeros(len(z), len(self.bias))], 1)
        for number, place in enumerate(self.places.tolist()):
            if place in known:
                continue
            chance = (seen @ self.weights[number] + self.bias[number]).sigmoid()
            seen[:, z.shape[1] + number] = torch.bernoulli(chance, generator=generator)
        missing = torch.zeros(len(z), self.columns, dtype=torch.bool)
        missing[:, self.places] = seen[:, z.shape[1] :] > 0
        return missing
