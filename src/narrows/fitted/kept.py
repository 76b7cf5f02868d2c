"""Some of the examples that a model was fitted to, which it keeps to compare others with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import one_hot

from narrows.training.examples import Examples

__all__ = ["MOST_FEATURES", "MOST_NUMBERS", "Kept"]

MOST_NUMBERS, MOST_ROWS = 250_000, 4096
"""In all examples that are kept, which is a megabyte; and how many these are at most, since each new one is compared
with all."""

MOST_FEATURES = 1000
"""Of an example: of larger ones a megabyte holds too few to say what is near."""

HELD_OUT = 4
"""One in so many may be an example that was held out, by which scores are calibrated."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Scaled examples, the first ``held_out`` of which were not learned from; none of a table or of large examples.

    Attributes
    ----------
    x
        (m, features).
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
    def of(cls, held_out: Examples, seen: Examples, features: int) -> Self:
        """Return some of both, which come in an order by chance."""
        if features > MOST_FEATURES:
            return cls.nothing(features)
        most = min(MOST_ROWS, MOST_NUMBERS // features)
        calibrating = min(len(held_out), most // HELD_OUT)
        kinds = ((held_out, calibrating), (seen, most - calibrating))
        batches = [
            batch for examples, k in kinds for batch in examples.subset(torch.arange(min(k, len(examples)))).chunks()
        ]
        x = torch.cat([batch.x for batch in batches]).numpy()
        contexts = [batch.context.argmax(1).numpy() for batch in batches if batch.context is not None]
        return cls(x, np.concatenate(contexts) if contexts else np.zeros(0, np.int64), calibrating)

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
        return {"kept.x": self.x, "kept.labels": self.labels, "kept.held_out": np.array([self.held_out], np.int64)}

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
        return cls(x, labels, int(count[0]))
