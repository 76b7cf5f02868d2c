"""What an example is compared by: itself, as numbers that count alike, what is lost of it, and its code."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor

from narrows.columns.coded import Coded
from narrows.columns.table import Table
from narrows.models.likelihoods import Mixed
from narrows.models.model import Batch, BottleneckModel

__all__ = ["MOST_FEATURES", "SKETCHED", "Views", "views_of"]

Views = Callable[[BottleneckModel, Batch], tuple[Tensor, Tensor, Tensor]]
"""Scaled examples ↦ (n, width), (n, features) and (n, latent_dim)."""

MOST_FEATURES, SKETCHED = 1000, 128
"""Of an example. A larger one is compared by so many sums of its numbers."""

FARTHEST = 1e15
"""Of the numbers in an example, so that no square is infinite."""


def views_of(table: Table | None) -> Views:
    """Return what rows of a ``table``, or examples of numbers alone, are compared by.

    Numbers are what they are, scaled, and their errors what is lost of them. Of a table's cells each level is a number,
    and all of a column together vary by 1 as a number does. What is lost of a cell is −log p(x | z(x)), in nats above
    what it usually is, in deviations of that. A row with gaps is near to what it is near to as the model fills them;
    nothing is lost of a missing cell, and what is known counts for the whole row.
    """
    return partial(_bounded, _of_numbers if table is None else partial(_of_cells, Coded(table.modelled)))


def _bounded(whole: Views, model: BottleneckModel, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Return what ``whole`` does: of large examples some sums, and no number so large as to overflow."""
    x, lost, z = whole(model, batch)
    x, lost = x.clamp(-FARTHEST, FARTHEST), lost.clamp(-FARTHEST, FARTHEST)
    return (x if batch.x.shape[1] <= MOST_FEATURES else _sketch(x)), lost, z


def _of_numbers(model: BottleneckModel, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    z = model.encode(*batch.seen)
    return batch.x, batch.x - model.decode(z, batch.context), z


def _of_cells(coded: Coded, model: BottleneckModel, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    likelihood = model.likelihood
    assert isinstance(likelihood, Mixed)
    z = model.encode(*batch.seen)
    costs = -likelihood.log_terms(batch.x.double(), model.output(z, batch.context).double())
    missing, x = batch.x.isnan(), batch.x
    if missing.any():
        x = torch.where(missing, model.decode(z, batch.context), x)
        z = model.encode(*Batch(x, batch.context).seen)
    numbers = torch.from_numpy(coded.numbers(x.cpu().numpy())).to(x)
    lost = ((costs - likelihood.usual_cost) / likelihood.spread.sqrt()).masked_fill(missing, 0.0)
    known = missing.logical_not().sum(1, keepdim=True)
    return numbers, (lost * (missing.shape[1] / known).sqrt()).float(), z


def _sketch(x: Tensor) -> Tensor:
    """Return sums of the numbers of ``x`` (n, features), each in one and with a sign by chance, (n, 128).

    The squared distances of such sums are on average those of the numbers (Charikar, Chen & Farach-Colton, “Finding
    frequent items in data streams”, 2002).
    """
    places, signs = (each.to(x.device) for each in _chance(x.shape[1]))
    return x.new_zeros(len(x), SKETCHED).index_add_(1, places, x * signs)


@lru_cache(maxsize=8)
def _chance(features: int) -> tuple[Tensor, Tensor]:
    """Return in which sum each number is, and its sign: the same in every version of NumPy, as files are compared."""
    drawn = np.random.MT19937(0).random_raw(features).astype(np.int64)
    return torch.from_numpy(drawn % SKETCHED), torch.from_numpy(drawn // SKETCHED % 2 * 2.0 - 1.0).float()
