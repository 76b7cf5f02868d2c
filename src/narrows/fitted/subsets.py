"""Some of many examples, as an evaluation looks at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from narrows.components import Components
from narrows.training.examples import Examples

__all__ = ["Subset", "feature_map", "thinned"]

Rows = NDArray[np.floating]

MOST_EXAMPLES, FEWEST_EXAMPLES, MOST_NUMBERS = 10_000, 200, 2**25
"""Examples that a model is evaluated on, at most; fewer, to a lower limit, where they would hold more numbers."""

OWN_FEATURES = 64
"""Numbers of an example that generated ones are compared by: its own, or as many principal components."""


class Subset:
    """Some of the examples: their rows, labels, and scaled inputs.

    Parameters
    ----------
    examples
        All of them.
    rows
        Which of the examples, (n,).
    labels
        Of all, or None.
    """

    def __init__(self, examples: Examples, rows: NDArray[np.int64], labels: NDArray[Any] | None) -> None:
        self.rows, self.examples = rows, examples.subset(torch.from_numpy(rows))
        self.labels = None if labels is None else labels[rows]
        whole = self.examples.take(torch.arange(len(rows)))
        self.x: Rows = whole.x.numpy()
        self.context = whole.context


def thinned(rows: NDArray[np.int64], features: int, seed: int) -> NDArray[np.int64]:
    """Return ``rows``, or as many as are evaluated on, in random order, so that the first of them are like all."""
    most = min(MOST_EXAMPLES, max(FEWEST_EXAMPLES, MOST_NUMBERS // features))
    return np.random.default_rng(seed).permutation(rows)[:most]


def feature_map(x: Rows, net: nn.Module | None, shape: Sequence[int]) -> Callable[[Rows], NDArray[Any]]:
    """Return what turns scaled rows into the features that sets are compared by."""
    if net is not None:

        def by_net(rows: Rows) -> NDArray[np.float64]:
            images = torch.from_numpy(rows.reshape(-1, *shape))
            if len(shape) > 1:
                images = images[:, None] if len(shape) == 2 else images.movedim(3, 1)
            with torch.no_grad():
                found: NDArray[np.float64] = net.eval()(images).double().numpy()
            return found.reshape(len(rows), -1)

        return by_net
    if x.shape[1] <= OWN_FEATURES:
        return lambda rows: rows
    return Components.of(x, OWN_FEATURES).codes
