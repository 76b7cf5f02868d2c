"""All that is given to learn from, and what is known of it; models that learn side by side share it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from narrows.components import Components
from narrows.data.labels import class_labels
from narrows.evaluation.far import ordinary_range
from narrows.fitted.frame import Frame
from narrows.fitted.reference import fingerprints
from narrows.fitted.source import Source
from narrows.scaling import Scaling
from narrows.training.examples import Examples

__all__ = ["TrainingSet", "enough_rows"]

MOST_NUMBERS, ENOUGH_EXAMPLES = 2**23, 1000
"""Numbers in the examples that principal components are found in or measured on; and examples for which it may be more.
"""


def enough_rows(features: int) -> int:
    """Return how many examples of that many ``features`` principal components are found in or measured on, at most."""
    return max(2, MOST_NUMBERS // features, min(ENOUGH_EXAMPLES, 8 * MOST_NUMBERS // features))


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Examples to learn from, also those that will be held out.

    Attributes
    ----------
    source, examples
        As given, and scaled, where a value that is far from all others counts as the most extreme of these: else scale
        and loss would be its own.
    feature_names, frame
        The columns' names, and the kind of data frame, if they have any.
    scaling
        Of theirs.
    classes, labels
        Their classes, or None, and the index of each one's among these, (n,).
    """

    source: Source
    examples: Examples
    feature_names: tuple[str, ...] | None
    frame: Frame | None
    scaling: Scaling
    classes: NDArray[np.generic] | None
    labels: Tensor
    _components: dict[int, Components] = field(default_factory=dict, init=False)

    @classmethod
    def of(
        cls,
        source: Source,
        y: ArrayLike | None,
        weights: NDArray[np.float64] | None,
        *,
        feature_names: tuple[str, ...] | None,
        frame: Frame | None,
        scaling: str,
        conditional: bool,
    ) -> Self:
        """Return ``source``, whose classes are ``y``, in the scaling of this name.

        ``weights`` (n,) say how much each counts, or None; those that count nothing are left out.

        Raises
        ------
        ValueError
            If ``y`` cannot be used, or is missing where models are to be ``conditional``.
        """
        if y is not None and math.prod(source.shape[1:]) > 1 and np.asarray(y).shape == source.shape:
            raise ValueError(
                f"y has the shape of X, {source.shape}: are they clean examples, and X the same with noise? fit takes "
                "clean examples alone, and corrupts them itself, as the options corruption and input_noise say"
            )
        classes, indices = class_labels(y, len(source), needed=conditional)
        if weights is not None and not weights.all():
            kept = np.flatnonzero(weights)
            y = None if y is None else np.asarray(y)[kept]
            return cls.of(
                source.subset(kept),
                y,
                weights[kept],
                feature_names=feature_names,
                frame=frame,
                scaling=scaling,
                conditional=conditional,
            )
        if weights is not None and (weights == weights[0]).all():
            weights = None
        shape, labels, ordinary = source.shape[1:], torch.from_numpy(indices), None
        scale = Scaling.of_chunks(source.chunks(), scaling, weights, shape)
        for kind in ("feature", "global"):  # far values may have been all that the features were not alike in
            if scale.kind == kind and (found := ordinary_range(source.chunks, scale.groups(shape))):
                ordinary = found
                clipped = (np.clip(rows, *found) for rows in source.chunks())
                scale = Scaling.of_chunks(clipped, scaling, weights, shape)
        examples = source.examples(scale, one_hot(labels).float() if conditional else None, ordinary)
        if weights is not None:
            examples = replace(examples, weights=torch.from_numpy(weights))
        return cls(source, examples, feature_names, frame, scale, classes, labels)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example."""
        return self.source.shape[1:]

    @cached_property
    def fingerprints(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of all of them as given, rounded and exact, each sorted."""
        rounded, exact = fingerprints(self.source.chunks())
        return np.sort(rounded), np.sort(exact)

    def components(self, k: int) -> Components:
        """Return ``k`` principal components of the scaled ones; where there are many, of some of them."""
        if k not in self._components:
            some = enough_rows(self.examples.features)
            order = torch.randperm(len(self.examples), generator=torch.Generator().manual_seed(0))
            drawn = [chunk.x.numpy() for chunk in self.examples.subset(order[:some]).chunks()]
            weights = None if self.examples.weights is None else self.examples.weights[order[:some]].numpy()
            self._components[k] = Components.of(np.concatenate(drawn), k, weights)
        return self._components[k]
