"""A fitted model as one value: whole from the moment it is there, and never changed.

What changes a model, another prior or another threshold, makes a new value. So whoever holds one can use it while
others do, in any thread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from narrows.columns.table import Table
from narrows.fitted.cells import FEWEST_ROWS, Cells
from narrows.fitted.frame import Frame
from narrows.fitted.joined import Joined
from narrows.fitted.kept import Kept
from narrows.fitted.passes import Passes
from narrows.fitted.reference import Reference
from narrows.fitted.views import MOST_FEATURES
from narrows.models.model import Batch, BottleneckModel
from narrows.scaling import Scaling
from narrows.training.processor import operations_of

__all__ = ["Fitted"]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a training, or a model file, comes to.

    Attributes
    ----------
    kind
        The named model's name.
    options
        Those of its fit, as plain values: tuples for lists, Python's numbers, a seed for a generator, `OWN` for nets of
        its user's own. The device is not among them.
    model
        The nets with all around them, ready to be asked; on the CPU, and never trained again.
    scaling, input_shape, feature_names
        Of the examples it was fitted to: their scaling, the shape of one, and the columns' names, if they had any.
    frame
        The kind of data frame that these were, if they were one.
    classes
        The labels that it tells apart, sorted, or None.
    history
        One row per epoch.
    seed
        The seed that all chance came from.
    validation_error
        Mean and standard error of the squared error per feature, in scaled units, on what was held out, if anything.
    reference
        What it keeps of its training data, to compare other data with.
    table
        What its columns are, of which ``scaling`` and ``input_shape`` are those that are learned from; None where they
        are numbers alone.
    """

    kind: str
    options: Mapping[str, Any]
    model: BottleneckModel
    scaling: Scaling
    input_shape: tuple[int, ...]
    feature_names: tuple[str, ...] | None
    frame: Frame | None
    classes: NDArray[np.generic] | None
    history: tuple[Mapping[str, float], ...]
    seed: int
    validation_error: tuple[float, float] | None
    reference: Reference
    table: Table | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "options": dict(self.options)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, options=MappingProxyType(state["options"]))

    @property
    def features(self) -> int:
        """Numbers in an example."""
        return math.prod(self.input_shape)

    @property
    def latent_dim(self) -> int:
        """Numbers in a code."""
        return self.model.prior.latent_dim

    @property
    def conditional(self) -> bool:
        """Whether the nets see the classes."""
        return bool(self.options["conditional"])

    @property
    def unit(self) -> str:
        """What errors measure, in words."""
        if self.table is not None:
            return "error per cell, relative to the error of the column's mean or frequencies alone"
        thing = "pixel" if len(self.input_shape) > 1 else "feature"
        return f"squared error per {thing}, {self.scaling.words}"

    def words_of(self, feature: int) -> str:
        """Return which feature is the one of this number, in words."""
        if self.table is not None:
            return f"column {self.table.modelled[feature].name!r}"
        if self.feature_names is not None:
            return f"column {self.feature_names[feature]!r}"
        if len(self.input_shape) == 1:
            return f"column {feature}"
        return f"pixel {tuple(int(index) for index in np.unravel_index(feature, self.input_shape))}"

    def require_classes(self) -> NDArray[np.generic]:
        """Return the classes.

        Raises
        ------
        ValueError
            If there are none.
        """
        if self.classes is None:
            raise ValueError(
                "this model was fitted without classes; give fit the labels y: whole numbers or text, one per example"
            )
        return self.classes

    @cached_property
    def one_range(self) -> tuple[float, float] | None:
        """Where the only range begins that all features are scaled by, and how wide it is; None if there are more."""
        if self.scaling.groups(self.input_shape) > 1:
            return None
        return float(self.scaling.offset[0]), float(self.scaling.scale[0])

    @cached_property
    def operations(self) -> int:
        """Floating-point operations of an example's way through the nets."""
        context = torch.zeros(1, len(self.require_classes())) if self.conditional else None
        return operations_of(self.model, Batch(torch.zeros(1, self.features), context))

    @property
    def contamination(self) -> float | str | None:
        """Which share of the examples that it learned from is odd; None if none is said to be."""
        share: float | str | None = self.options.get("contamination")
        return share

    @cached_property
    def joined(self) -> Joined | None:
        """What ``by="auto"`` is for its examples.

        None for a table's and large ones if a model's file, of an older narrows, holds none to compare with: these are
        scored by their errors.

        Raises
        ------
        ValueError
            If it holds none of other ones.
        """
        kept = self.reference.kept
        if not len(kept):
            if self.table is not None or self.features > MOST_FEATURES:
                return None
            raise ValueError(
                "by='auto' compares with examples of the training data, and this model's file, of an older narrows, "
                "holds none; take by='reconstruction', or fit the model again"
            )
        return Joined.of(self.on("cpu"), kept, len(self.require_classes()) if self.conditional else 0, self.table)

    @property
    def keeps_rows(self) -> bool:
        """Whether its examples are rows of numbers, short enough to keep some of."""
        return self.table is None and len(self.input_shape) == 1 and self.features <= MOST_FEATURES

    @property
    def explains(self) -> bool:
        """Whether it keeps what says which cells are odd: files of an older narrows may not."""
        held = len(self.reference.kept if self.keeps_rows else self.reference.cells)
        return held >= FEWEST_ROWS and len(self.reference.held_out) > 0

    @cached_property
    def cells(self) -> Cells:
        """What says which cells of a row are odd.

        Raises
        ------
        ValueError
            If the model keeps too few examples to compare them with.
        """
        passes, kept = self.on("cpu"), self.reference.kept
        if not self.explains:
            raise ValueError(
                "explain compares cells with those of examples that were held out, of which this model keeps too few; "
                "fit it again, with more examples or, if its file is of an older narrows, as it was"
            )
        classes = len(self.require_classes()) if self.conditional else 0
        if self.keeps_rows and isinstance(kept, Kept):
            return Cells.of_rows(passes, kept, classes)
        return Cells.of_held_out(passes, self.reference.cells, self.table, kept, classes)

    @property
    def best_score(self) -> str:
        """What to score by where a person is shown how odd examples are: not all that it knows in files that keep none.

        Those are files of an older narrows, in which nothing is near to anything.
        """
        keeps = self.table is not None or self.features > MOST_FEATURES or len(self.reference.kept) > 0
        return "auto" if keeps else "reconstruction"

    def held_out(self, by: str) -> NDArray[np.float64]:
        """Return the anomaly scores ``by`` of ordinary examples that were held out, (n,), if there are any."""
        found = self.reference.held_out
        if by == "auto" and "auto" not in found and self.joined is not None:
            return self.joined.held_out
        return found.get("reconstruction" if by == "auto" and self.joined is None else by, np.zeros(0))

    def given(self, by: str) -> NDArray[np.float64]:
        """Return the scores ``by`` of examples that it was given, some of which are odd, (n,), if it has any."""
        found = self.reference.given
        return found.get("reconstruction" if by == "auto" and self.joined is None else by, np.zeros(0))

    def seen(self, by: str) -> NDArray[np.float64]:
        """Return the scores ``by`` of examples seen in training as if they were new, (n,), where it knows any."""
        joined = None if by != "auto" or "auto" in self.reference.held_out else self.joined
        return np.zeros(0) if joined is None else joined.seen

    def on(self, device: str) -> Passes:
        """Return its nets, at work on ``device``."""
        return Passes(self.model, self.features, self.operations, device)
