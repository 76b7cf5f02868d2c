"""What a model keeps of some examples that it was fitted to, to compare others with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from narrows.columns.coded import Coded
from narrows.columns.table import Table
from narrows.fitted.passes import Passes
from narrows.fitted.views import MOST_FEATURES, SKETCHED, Views, views_of
from narrows.models.model import Batch, BottleneckModel
from narrows.training.examples import Examples

__all__ = ["MOST_NUMBERS", "Kept", "KeptViews", "kept_of"]

MOST_NUMBERS, MOST_ROWS = 250_000, 4096
"""In all examples that are kept, which is a megabyte; and how many these are at most, since each new one is compared
with all."""

HELD_OUT = 4
"""One in so many may be an example that was held out, by which scores are calibrated."""

GAP = np.float32(-1e30)
"""What stands for a missing cell in a file, which holds no NaN."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Scaled examples, the first ``held_out`` of which were not learned from; none of large ones (`KeptViews`).

    Attributes
    ----------
    x
        (m, features); NaN where a table's cell is missing.
    labels
        Each one's class index, (m,), if the nets see the classes; else (0,).
    held_out
        How many of them.
    """

    x: NDArray[np.float32]
    labels: NDArray[np.int64]
    held_out: int

    @classmethod
    def nothing(cls, features: int) -> Self:
        """Return no examples."""
        return cls(np.zeros((0, features), np.float32), np.zeros(0, np.int64), 0)

    @classmethod
    def of(cls, held_out: Examples, seen: Examples, width: int) -> Self:
        """Return some of both, which come in an order by chance, and are compared by ``width`` numbers each."""
        parts = _some(held_out, seen, min(width, MOST_FEATURES))
        batches = [batch for part in parts for batch in part.chunks()]
        x = torch.cat([batch.x for batch in batches]).numpy()
        contexts = [batch.context.argmax(1).numpy() for batch in batches if batch.context is not None]
        return cls(x, np.concatenate(contexts) if contexts else np.zeros(0, np.int64), len(parts[0]))

    def __len__(self) -> int:
        return len(self.x)

    def examples(self, classes: int) -> Examples:
        """Return them as nets take them, which see that many ``classes`` or, for 0, none."""
        context = one_hot(torch.from_numpy(self.labels), classes).float() if classes else None
        return Examples.of(torch.from_numpy(self.x), context)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return them as a model file holds them."""
        if not len(self):
            return {}
        x = np.where(np.isnan(self.x), GAP, self.x)
        return {"kept.x": x, "kept.labels": self.labels, "kept.held_out": np.array([self.held_out], np.int64)}

    @classmethod
    def of_tensors(cls, tensors: dict[str, NDArray[Any]], features: int, classes: int) -> Self:
        """Return what `tensors` wrote; files without any have none.

        Raises
        ------
        KeyError, ValueError
            If they are not such tensors of a model whose nets see that many ``classes``, or none.
        """
        if "kept.x" not in tensors:
            return cls.nothing(features)
        x, labels, count = (tensors[f"kept.{name}"] for name in ("x", "labels", "held_out"))
        fits = x.dtype == np.float32 and x.shape == (len(x), features) and labels.dtype == count.dtype == np.int64
        fits = fits and labels.shape == (len(x) if classes else 0,) and count.shape == (1,)
        if not fits or not 0 <= count[0] <= len(x) or (labels.size and not 0 <= labels.min() <= labels.max() < classes):
            raise ValueError(f"the examples that it keeps do not fit inputs of {features} features")
        return cls(np.where(x == GAP, np.float32(np.nan), x), labels, int(count[0]))


@dataclass(frozen=True, slots=True, eq=False)
class KeptViews:
    """What some large examples are compared by; the first ``held_out`` as in `Kept`.

    Attributes
    ----------
    near, lost, z
        Sums of their numbers, (m, 128), the mean square of what is lost of each, (m,), and their codes,
        (m, latent_dim): `narrows.fitted.views`.
    held_out
        How many of them.
    """

    near: NDArray[np.float32]
    lost: NDArray[np.float32]
    z: NDArray[np.float32]
    held_out: int

    @classmethod
    def of(cls, passes: Passes, views: Views, held_out: Examples, seen: Examples) -> Self:
        """Return those of some of both, which come in an order by chance."""

        def all_three(model: BottleneckModel, batch: Batch) -> Tensor:
            near, lost, z = views(model, batch)
            return torch.cat([near, lost.square().mean(1, keepdim=True), z], 1)

        parts = _some(held_out, seen, SKETCHED + 1 + passes.model.prior.latent_dim)
        found = torch.cat([passes.apply(all_three, part) for part in parts if len(part)]).numpy()
        near, lost, z = np.split(found, [SKETCHED, SKETCHED + 1], 1)
        return cls(near, lost[:, 0], z, len(parts[0]))

    def __len__(self) -> int:
        return len(self.lost)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return them as a model file holds them."""
        arrays = {"near": self.near, "lost": self.lost, "z": self.z}
        named = {f"views.{name}": np.ascontiguousarray(array) for name, array in arrays.items()}
        return named | {"views.held_out": np.array([self.held_out], np.int64)}

    @classmethod
    def of_tensors(cls, tensors: dict[str, NDArray[Any]], latent_dim: int) -> Self | None:
        """Return what `tensors` wrote; None of files without any.

        Raises
        ------
        KeyError, ValueError
            If they are not such tensors of a model of codes of ``latent_dim`` numbers.
        """
        if "views.near" not in tensors:
            return None
        near, lost, z, count = (tensors[f"views.{name}"] for name in ("near", "lost", "z", "held_out"))
        fits = near.dtype == lost.dtype == z.dtype == np.float32 and count.dtype == np.int64 and lost.ndim == 1
        fits = fits and near.shape == (len(lost), SKETCHED) and z.shape == (len(lost), latent_dim)
        if not fits or count.shape != (1,) or len(lost) < 2 or not 0 <= count[0] <= len(lost):
            raise ValueError(f"what it keeps of examples does not fit codes of {latent_dim} numbers")
        return cls(near, lost, z, int(count[0]))


def kept_of(passes: Passes, held_out: Examples, seen: Examples, table: Table | None) -> Kept | KeptViews:
    """Return what a model keeps of examples that were ``held_out`` and of those learned from, which a ``table`` has."""
    if passes.features > MOST_FEATURES:
        return KeptViews.of(passes, views_of(table), held_out, seen)
    return Kept.of(held_out, seen, passes.features if table is None else Coded(table.modelled).width)


def _some(held_out: Examples, seen: Examples, numbers: int) -> tuple[Examples, Examples]:
    """Return some of both, so many ``numbers`` each; not more than a quarter are held out."""
    most = min(MOST_ROWS, MOST_NUMBERS // numbers)
    calibrating = min(len(held_out), most // HELD_OUT)
    kinds = ((held_out, calibrating), (seen, most - calibrating))
    first, second = (each.subset(torch.arange(min(k, len(each)))) for each, k in kinds)
    return first, second
