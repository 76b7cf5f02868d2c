"""Corruptions: what is done to an input before it is encoded, while the model still has to return the clean input.

A little noise on the input keeps a flexible net from learning its few training examples by heart (Bishop 1995: it is a
form of Tikhonov regularisation); a lot of it makes a denoising autoencoder (Vincent et al. 2008). Each kind is a
function (x, level, generator, corruption) ↦ x̃ of scaled inputs x (n, features).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

__all__ = ["CORRUPTIONS", "Corruption", "Kind"]


def gaussian(x: Tensor, level: float, generator: torch.Generator, _: Corruption) -> Tensor:
    """X + σ ε, ε ~ N(0, I), with σ the level."""
    return torch.add(x, torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device), alpha=level)


def masking(x: Tensor, level: float, generator: torch.Generator, _: Corruption) -> Tensor:
    """Set each feature to 0 with probability ``level`` (Vincent et al. 2008)."""
    return x * (torch.rand(x.shape, generator=generator, device=x.device) >= level)


def salt_and_pepper(x: Tensor, level: float, generator: torch.Generator, corruption: Corruption) -> Tensor:
    """Set each feature with probability ``level`` to the lowest or the highest value, by a fair coin."""
    low, high = corruption.extremes
    u = torch.rand(x.shape, generator=generator, device=x.device)
    return torch.where(u < level / 2, low, torch.where(u < level, high, x))


def block(x: Tensor, level: float, generator: torch.Generator, corruption: Corruption) -> Tensor:
    """Set a block to 0, at a random position in each example: ``level`` of an image's height and width, or of a row."""
    if level == 0:
        return x
    inside = torch.ones(len(x), 1, 1, dtype=torch.bool, device=x.device)
    for axis, side in enumerate(corruption.shape[:2]):
        length = min(side, max(1, round(level * side)))
        start = torch.randint(side - length + 1, (len(x), 1), generator=generator, device=x.device)
        pixels = torch.arange(side, device=x.device)
        along = (pixels >= start) & (pixels < start + length)
        inside = inside & (along[:, :, None] if axis == 0 else along[:, None, :])
    channels = corruption.shape[2] if len(corruption.shape) > 2 else 1
    return x * ~inside.flatten(1).repeat_interleave(channels, 1)


def swap(x: Tensor, level: float, generator: torch.Generator, _: Corruption) -> Tensor:
    """Set each feature with probability ``level`` to another example's value of it, drawn from the batch.

    So columns of any kind keep the values they can have (Yoon et al., “VIME”, 2020). An example alone stays as it is.
    """
    chosen = torch.rand(x.shape, generator=generator, device=x.device) < level
    others = torch.randint(len(x), x.shape, generator=generator, device=x.device)
    return torch.where(chosen, x.gather(0, others), x)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of corruption.

    Attributes
    ----------
    function
        What it does.
    largest
        The largest level there is.
    unit
        What levels are measured in.
    mixes
        Whether what it does to an example takes the others of the batch.
    hides
        Whether it sets features to 0, which hides a table's cells.
    """

    function: Callable[[Tensor, float, torch.Generator, Corruption], Tensor]
    largest: float
    unit: str
    mixes: bool = False
    hides: bool = False


CORRUPTIONS = {
    "gaussian": Kind(gaussian, math.inf, "standard deviations in scaled units"),
    "masking": Kind(masking, 1, "fraction of the features", hides=True),
    "salt-and-pepper": Kind(salt_and_pepper, 1, "fraction of the features"),
    "swap": Kind(swap, 1, "fraction of the features", mixes=True),
    "block": Kind(block, 1, "fraction of an image's height and width, or of a row", hides=True),
}


@cache
def _places(columns: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(columns, dtype=torch.int64, device=device)


@dataclass(frozen=True, slots=True)
class Corruption:
    """A kind of corruption whose level falls, or rises, linearly over the training; drawn anew at every call.

    Much noise first and little later lets a net learn coarse structure before fine (Geras & Sutton, “Scheduled
    denoising autoencoders”, 2015).

    Parameters
    ----------
    kind
        A key of `CORRUPTIONS`.
    first, last
        The level at the start and at the end of training, in the kind's `Kind.unit`; 0 leaves x as it is.
    shape
        Of one example, which a block needs.
    extremes
        The values of pepper and salt, in scaled units.
    numbers
        Of a table, which columns are numbers; None where all features are.
    most_hidden, rows_hidden
        Of a table: of such a fraction of the rows a fraction of the cells is hidden as well, drawn between 0 and the
        first of these, so that filling gaps is learnt.
    of_noisy
        Whether inputs that come with noise of their own are corrupted on top of it.
    """

    kind: str
    first: float
    last: float
    shape: tuple[int, ...]
    extremes: tuple[float, float] = (0.0, 1.0)
    numbers: tuple[int, ...] | None = None
    most_hidden: float = 0.0
    rows_hidden: float = 1.0
    of_noisy: bool = False

    @property
    def acts(self) -> bool:
        """Whether anything is ever done."""
        return self.first > 0 or self.last > 0 or self.most_hidden > 0

    def __call__(self, x: Tensor, generator: torch.Generator, progress: float) -> Tensor:
        """Return a corrupted copy of ``x``, of the same shape; ``progress`` is the fraction of training done."""
        level = self.first + progress * (self.last - self.first)
        if self.numbers is not None:
            return self._hidden(self._on_cells(x, level, generator, self.numbers), generator)
        return x if level == 0 else CORRUPTIONS[self.kind].function(x, level, generator, self)

    def _on_cells(self, x: Tensor, level: float, generator: torch.Generator, numbers: tuple[int, ...]) -> Tensor:
        """Return a corrupted copy of a table's cells, of which a missing one stays so unless it is swapped."""
        kind = CORRUPTIONS[self.kind]
        if level == 0:
            return x
        if kind.hides:
            return x.masked_fill(kind.function(torch.ones_like(x), level, generator, self) == 0, math.nan)
        if kind.mixes:
            return kind.function(x, level, generator, self)
        at = _places(numbers, x.device)
        return x.index_copy(1, at, kind.function(x.index_select(1, at), level, generator, self))

    def _hidden(self, x: Tensor, generator: torch.Generator) -> Tensor:
        fractions = self.most_hidden * torch.rand(len(x), 1, generator=generator, device=x.device)
        if self.rows_hidden < 1:
            some = torch.rand(len(x), 1, generator=generator, device=x.device) < self.rows_hidden
            fractions = fractions * some
        return x.masked_fill(torch.rand(x.shape, generator=generator, device=x.device) < fractions, math.nan)
