"""All that is given to learn from, and what is known of it; models that learn side by side share it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from narrows.columns.coded import Coded
from narrows.columns.column import NUMBERS
from narrows.columns.table import Table
from narrows.components import Components
from narrows.data.fingerprints import fingerprints
from narrows.data.labels import class_labels
from narrows.data.parquet_rows import ParquetRows
from narrows.evaluation.far import ordinary_range
from narrows.fitted.blocks import Blocks, Sample
from narrows.fitted.cell_scaling import scaling_of_cells
from narrows.fitted.frame import Dtype, Frame
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
    noisy
        The same with noise, if pairs are to be learned from; scaled as the clean ones are.
    boundary, held_out
        Of data larger than memory, of which ``examples`` are a sample: as in `Sample`, and how many of these, the
        first, are held out.
    feature_names, frame
        The columns' names, and the kind of data frame, if they have any.
    scaling
        Of theirs.
    classes, labels
        Their classes, or None, and the index of each one's among these, (n,).
    table
        Whose cells they are; None where they are numbers alone.
    """

    source: Source
    examples: Examples
    feature_names: tuple[str, ...] | None
    frame: Frame | None
    scaling: Scaling
    classes: NDArray[np.generic] | None
    labels: Tensor
    table: Table | None = None
    noisy: Source | None = None
    boundary: float | None = None
    held_out: int = 0
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
        scaling: str | tuple[float, float],
        conditional: bool,
        table: Table | None = None,
        noisy: Source | None = None,
    ) -> Self:
        """Return ``source``, whose classes are ``y``, in the scaling of this name.

        ``weights`` (n,) say how much each counts, or None; those that count nothing are left out. ``noisy`` are the
        same examples with noise, if pairs are to be learned from.

        Raises
        ------
        ValueError
            If ``y`` cannot be used, or is missing where models are to be ``conditional``.
        """
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
                table=table,
                noisy=None if noisy is None else noisy.subset(kept),
            )
        if weights is not None and (weights == weights[0]).all():
            weights = None
        labels = torch.from_numpy(indices)
        if table is not None:
            scale, limits = _of_cells(table, source.rows(), scaling, weights)
            examples = source.examples(scale, one_hot(labels).float() if conditional else None, limits)
            return cls(source, _weighted(examples, weights), feature_names, frame, scale, classes, labels, table)
        scale, ordinary = _measured(source, scaling, weights)
        examples = source.examples(scale, one_hot(labels).float() if conditional else None, ordinary)
        if noisy is not None:
            examples = replace(examples, noisy=noisy.examples(scale, None, ordinary).read)
        examples = _weighted(examples, weights)
        return cls(source, examples, feature_names, frame, scale, classes, labels, noisy=noisy)

    @classmethod
    def of_rows(cls, rows: ParquetRows, scaling: str | tuple[float, float], validation_fraction: float) -> Self:
        """Return ``rows`` larger than memory, of which a fraction is to be held out."""
        table = rows.coding if isinstance(rows.coding, Table) else None
        source = Source(rows, (len(rows), rows.width), streamed=True)
        if table is None:
            scale, ordinary = _measured(source, scaling, None)
            sample = Sample.of(rows, validation_fraction)
        else:
            sample = Sample.of(rows, validation_fraction)
            scale, ordinary = scaling_of_cells(table, source.chunks, sample.seen, scaling)

        def scaled(x: NDArray[np.floating]) -> Tensor:
            return torch.from_numpy(scale.apply(x if ordinary is None else np.clip(x, *ordinary)))

        some = scaled(np.concatenate([sample.held_out, sample.seen]))
        examples = replace(Examples.of(some, None), all=Blocks(rows, sample.boundary, sample.counts, scaled))
        single: Dtype = "float32"
        frame = Frame("pandas", (single,) * len(rows.columns)) if table is None else None
        return cls(
            source,
            examples,
            rows.columns,
            frame,
            scale,
            None,
            torch.zeros(len(some), dtype=torch.int64),
            table,
            boundary=sample.boundary,
            held_out=len(sample.held_out),
        )

    def divided(self, fraction: float, generator: torch.Generator) -> tuple[Examples, Examples]:
        """Return the examples to learn from, and, of about that ``fraction``, those to validate by."""
        if self.examples.all is not None:
            rows = torch.arange(len(self.examples)).tensor_split([self.held_out])
            return self.examples.subset(rows[1]), replace(self.examples.subset(rows[0]), all=None)
        held_out = min(math.floor(fraction * len(self.examples)), len(self.examples) - 2)
        order = torch.randperm(len(self.examples), generator=generator, dtype=self.examples.rows.dtype)
        validation, training = (self.examples.subset(rows) for rows in order.tensor_split([held_out]))
        return training, validation

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example."""
        return self.source.shape[1:]

    @cached_property
    def fingerprints(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of all of them as given, rounded and exact, each sorted; of pairs also of the noisy ones that differ.

        There are none where a ``boundary`` says which are seen.
        """
        if self.boundary is not None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        sources = [self.source] if self.noisy is None else [self.source, self.noisy]
        both = fingerprints(chain.from_iterable(source.chunks() for source in sources))
        if self.noisy is not None:
            first, other = np.split(both[0], 2)
            own = np.concatenate([np.ones(len(first), bool), other != first])
            both = both[0][own], both[1][own] if len(both[1]) else both[1]
        for each in both:  # in place, since there may be many
            each.sort()
        return both

    def coded(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return scaled rows ``x`` as principal components take them: a table's cells coded."""
        return x if self.table is None else Coded(self.table.modelled).numbers(x)

    def components(self, k: int) -> Components:
        """Return ``k`` principal components of the scaled ones; where there are many, of some of them."""
        if k not in self._components:
            n, generator = len(self.examples), torch.Generator().manual_seed(0)
            some = self.examples.subset(torch.randperm(n, generator=generator)[: enough_rows(self.examples.features)])
            weights = None if some.weights is None else some.weights[some.rows].numpy()
            parts = lambda: (self.coded(chunk.x.numpy()) for chunk in some.chunks())  # noqa: E731
            self._components[k] = Components.of_parts(parts, k, weights)
        return self._components[k]


def _measured(
    source: Source, scaling: str | tuple[float, float], weights: NDArray[np.float64] | None
) -> tuple[Scaling, tuple[NDArray[np.float64], NDArray[np.float64]] | None]:
    """Return the scaling of numbers, and between what they count in training, if that is not all of them."""
    shape = source.shape[1:]
    scale, ordinary = Scaling.of_chunks(source.chunks(), scaling, weights, shape), None
    kinds = ("feature", "global") if isinstance(scaling, str) else ()
    if not kinds:
        ordinary = scale.offset, scale.offset + scale.scale
    for kind in kinds:  # far values may have been all that the features were not alike in
        if (
            isinstance(scaling, str)
            and scale.kind == kind
            and (found := ordinary_range(source.chunks, scale.groups(shape)))
        ):
            ordinary = found
            clipped = (np.clip(rows, *found) for rows in source.chunks())
            scale = Scaling.of_chunks(clipped, scaling, weights, shape)
    return scale, ordinary


def _weighted(examples: Examples, weights: NDArray[np.float64] | None) -> Examples:
    return examples if weights is None else replace(examples, weights=torch.from_numpy(weights))


def _alone(column: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    return [column[:, None]]


def _of_cells(
    table: Table, cells: NDArray[np.floating], scaling: str | tuple[float, float], weights: NDArray[np.float64] | None
) -> tuple[Scaling, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the scaling of a table's ``cells`` by those that are known, and between what they count in training.

    Numbers and counts get mean 0 and variance 1, or, for ``"global"``, one range of all; levels stay as they are.
    """
    k = len(table.modelled)
    offset, scale, low, high = np.zeros(k), np.ones(k), np.full(k, -np.inf), np.full(k, np.inf)
    for place, column in enumerate(table.modelled):
        if column.kind not in (*NUMBERS, "count"):
            continue
        known = ~np.isnan(cells[:, place])
        own = cells[known, place]
        if found := ordinary_range(partial(_alone, own), 1):
            low[place], high[place] = found[0][0], found[1][0]
            own = own.clip(low[place], high[place])
        offset[place] = np.average(own, weights=None if weights is None else weights[known])
        variance = np.average((own - offset[place]) ** 2, weights=None if weights is None else weights[known])
        scale[place] = math.sqrt(variance) if variance > 0 else 1.0
    if not isinstance(scaling, str):
        return Scaling.of_chunks([cells], scaling), (np.full(k, float(scaling[0])), np.full(k, float(scaling[1])))
    if scaling == "global":
        known = cells.clip(low, high)
        least, most = float(np.nanmin(known)), float(np.nanmax(known))
        return Scaling("global", np.full(k, least), np.full(k, most - least or 1.0)), (low, high)
    return Scaling("feature", offset, scale), (low, high)
