"""What a model knows of an example, joined in one score: is it near others, as it is and as a code, and given back?

Each of these alone misses what another finds. Nearness to training examples knows nothing of what they have in common;
the error knows nothing of how likely a code is; and nearness of codes knows nothing of what the code leaves out. So
each is compared with that of ordinary examples, which makes it a p-value, and the logarithms of these are averaged, as
Fisher combines tests (“Statistical methods for research workers”, 1925). Of numbers nearness counts twice: it sees at
once what error and code see each in part; of a table's cells of several kinds the error does. An example that is kept
is no neighbour of itself, so that those learned from are compared as new ones are. What scores are compared with are
therefore the kept ones as if each were new: neither itself nor another that equals it is its neighbour then, and what
is lost of it is made uncorrelated without it. So those
that were learned from help to set a threshold, which varies half as much as by the few that were held out; what
training took from their errors, by these, is given back before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from narrows.columns.table import Table
from narrows.compiled.kernels import LONGEST, kernels
from narrows.fitted.kept import Kept, KeptViews
from narrows.fitted.passes import Passes, check_codes
from narrows.fitted.views import Views, views_of
from narrows.models.model import Batch, BottleneckModel
from narrows.training.examples import Examples
from narrows.training.processor import limited_threads

__all__ = ["Joined"]

NEAREST, NEIGHBOURS = 3, 5
"""Kept examples whose distances are averaged, and those that say how dense they lie where each is."""

DENSEST = 0.1
"""Of the mean, how near to each other examples count as at least; else copies would make all others far."""

ROWS_AT_ONCE = 512
"""Examples compared with all kept ones at a time, which a processor's cache holds."""

TAIL = 10
"""One in so many ordinary examples is in the tail, whose p-values follow a power law (Hill 1975)."""

ENOUGH = 50
"""Held-out examples by which scores are calibrated; if there are fewer, those seen in training help."""

STEEPEST = 0.01
"""The least mean of what the tail's logarithms exceed its start by."""

OF_NUMBERS, OF_CELLS = (0.5, 0.25, 0.25), (0.25, 0.5, 0.25)
"""Weights of nearness, of what is lost, and of the nearness of codes; of rows of cells of several kinds the error says
most. Chosen on training halves of tables."""

HIGH = np.linspace(0.7, 0.97, 10)
"""Where the distributions of errors are compared whose upper ends matter."""

SAME = 1e-9
"""The squared distance up to which two are one: what fills a gap differs in its last bits from batch to batch."""

LEAST_LEFT = 1e-6
"""Of an error in a direction that no other has, less its own share: what 32 bits tell from nothing."""

SMALLEST = 1e-12
"""Of what a logarithm is taken of."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Points to be near to, (m, k), and how far from each is far: more so where they are sparse.

    The distance to a point is divided by the square root of how far its own fifth neighbour is, as a kernel's width is
    in the best adaptive estimates of a density (Abramson, “On bandwidth variation in kernel estimates”, 1982).

    Attributes
    ----------
    points
        (m, k).
    widths
        By which squared distances to them are divided, (m,).
    """

    points: Tensor
    widths: Tensor

    @classmethod
    def of(cls, points: Tensor) -> Self:
        """Return those that are near to ``points`` (m, k), two or more."""
        plain = cls(points, torch.ones(len(points)))
        own = torch.arange(len(points))[:, None]
        found = [plain.nearest(points[i[:, 0]], NEIGHBOURS, i)[0][:, -1] for i in own.split(ROWS_AT_ONCE)]
        radii = torch.cat(found).sqrt()
        usual = float(radii.mean()) or 1.0
        return cls(points, (radii / usual).clamp_min(DENSEST))

    def distances(self, x: Tensor, same: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the mean distance of each of ``x`` (n, k) to the nearest three, (n,), and ``same``, as `nearest`."""
        squares, same = self.nearest(x, NEAREST, same)
        found = squares.isfinite()
        return squares.where(found, 0.0).sqrt().sum(1) / found.sum(1).clamp_min(1), same

    def nearest(self, x: Tensor, most: int, same: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the squared distances of each of ``x`` (n, k) to at most ``most`` points, the nearest, (n, most).

        ``same`` (n, j) are the places of j points each that are none of their neighbours, as they are themselves; −1 of
        none. If it is None, it is one that they equal. It is returned, too.
        """
        alike = 1 if same is None else same.shape[1]
        squares, few = self._least(x, min(most + alike, len(self.points)))
        if same is None:
            equal = squares <= SAME
            same = few.gather(1, equal.int().argmax(1, keepdim=True)).where(equal.any(1, keepdim=True), -1)
        left_out = (few[:, :, None] == same[:, None]).any(2)
        return squares.masked_fill(left_out, math.inf).sort(1).values[:, : min(most, len(self.points) - 1)], same

    def _least(self, x: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """Return the ``most`` least squared distances of each of ``x`` (n, k), and whose they are, (n, most)."""
        compiled = kernels() if x.device.type == "cpu" and x.dtype is self.points.dtype is torch.float32 else None
        if compiled:
            return compiled.nearest(x, *self._side_by_side, most)
        points, widths, found = self.points.to(x), self.widths.to(x), []
        for some in x.split(ROWS_AT_ONCE):
            squares = torch.addmm(points.square().sum(1), some, points.T, alpha=-2.0)
            squares += some.square().sum(1, keepdim=True)
            squares /= widths
            few = squares.topk(most, largest=False).indices
            # Again, since of small distances the differences of large squares leave few digits.
            found.append(((some[:, None] - points[few]).square().sum(2) / widths[few], few))
        return torch.cat([squares for squares, _ in found]), torch.cat([few for _, few in found])

    @cached_property
    def _side_by_side(self) -> tuple[Tensor, Tensor]:
        """The points (k, m), and what squared distances to them are multiplied by, filled up for the kernels."""
        more = (0, -len(self.points) % (2 * LONGEST))
        return pad(self.points.T, more, value=math.inf).contiguous(), pad(1 / self.widths, more, value=1.0)

    def twins(self) -> Tensor:
        """Return the place of each point, and that of another that equals it or −1, (m, 2)."""
        own = torch.arange(len(self.points))
        group = self.points.unique(dim=0, return_inverse=True)[1]
        order = group.argsort(stable=True)
        first = torch.cat([torch.ones(1, dtype=torch.bool), group[order].diff() != 0]).nonzero()[:, 0]
        after = order.roll(-1)
        after[torch.cat([first[1:], torch.tensor([len(own)])]) - 1] = order[first]
        other = torch.empty_like(own).scatter_(0, order, after)
        return torch.stack([own, other.where(other != own, -1)], 1)


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """Ordinary values of each part of a score, (m, parts), sorted; what is above them all has a p-value, too."""

    ordinary: NDArray[np.float64]

    def surprise(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return −log p of ``values`` (n, parts), which are logarithms.

        p is (1 + #{ordinary ones as large}) / (m + 1), and between two of these between theirs; from the start of the
        tail on, log p falls in proportion to the value.
        """
        m = len(self.ordinary)
        k = min(max(2, math.ceil(m / TAIL)), m - 1)
        found = np.empty(values.shape)
        for part, ordinary in enumerate(self.ordinary.T):
            x, start = values[:, part], ordinary[-k - 1]
            steepness = max(float((ordinary[-k:] - start).mean()), STEEPEST)
            different, below = np.unique(ordinary, return_index=True)
            inside = np.interp(np.minimum(x, start), different, -np.log(1 - below / (m + 1)))
            found[:, part] = inside + np.maximum(x - start, 0.0) / steepness
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """One score of three: nearness to kept examples, what is lost, and nearness of codes.

    Attributes
    ----------
    views, weights
        What examples are compared by, and the weights of the three.
    centre, inputs
        What is subtracted of examples, (width,), and what they are near to.
    usual, whitening
        Mean of what is lost of them, (features,), and what makes this uncorrelated and of variance 1,
        (features, features); None of large examples, where it counts as it is.
    own_share
        Of each kept example in the covariance that ``whitening`` undoes, before that is shrunk; 0 without one.
    spread, codes
        By what codes are divided, (latent_dim,), and what they are near to.
    tails
        What ordinary examples have.
    held_out, seen
        The scores, as if each were new, of those kept examples that were held out, (k,), and of the others, (m − k,).
    """

    views: Views
    weights: tuple[float, float, float]
    centre: Tensor
    inputs: Neighbours
    usual: Tensor
    whitening: Tensor | None
    own_share: float
    spread: Tensor
    codes: Neighbours
    tails: Tails
    held_out: NDArray[np.float64]
    seen: NDArray[np.float64]

    @classmethod
    def of(cls, passes: Passes, kept: Kept | KeptViews, classes: int, table: Table | None) -> Self:
        """Return it, of a model at work and what it keeps, of two examples or more; its nets see ``classes``."""
        views = views_of(table)
        if isinstance(kept, KeptViews):
            near, lost, z = (torch.from_numpy(array).double() for array in (kept.near, kept.lost, kept.z))
            usual, whitening, own_share = torch.zeros(1), None, 0.0
        else:
            found = passes.apply(lambda model, batch: torch.cat(views(model, batch), 1), kept.examples(classes))
            latent_dim, features = passes.model.prior.latent_dim, passes.features
            sizes = [found.shape[1] - features - latent_dim, features, latent_dim]
            near, errors, z = found.double().split(sizes, 1)
            usual = errors.mean(0)
            with limited_threads(1):  # of how many there are the sums depend
                whitening, own_share = _whitening(errors - usual)
                lost = ((errors.float() - usual.float()) @ whitening.float()).square().mean(1)
        with limited_threads(1):
            centre, spread = near.mean(0).float(), z.std(0)
            spread = spread.clamp_min(DENSEST * float(spread.max()) or 1.0)
            # In 32 bits from the start, as examples come later, so that those that are kept equal themselves.
            inputs, codes = Neighbours.of(near.float() - centre), Neighbours.of((z / spread).float())
            begun = cls(
                views=views,
                weights=OF_NUMBERS if table is None else OF_CELLS,
                centre=centre,
                inputs=inputs,
                usual=usual.float(),
                whitening=None if whitening is None else whitening.float(),
                own_share=own_share,
                spread=spread.float(),
                codes=codes,
                tails=Tails(np.zeros((0, 3))),
                held_out=np.zeros(0),
                seen=np.zeros(0),
            )
            of_kept = near.float(), lost, z.float(), inputs.twins()
            split = (each.split(ROWS_AT_ONCE) for each in of_kept)
            parts = torch.cat([begun._logarithms(*some) for some in zip(*split, strict=True)]).numpy()
        return begun._calibrated(parts, kept.held_out)

    def _calibrated(self, parts: NDArray[np.float64], held_out: int) -> Self:
        """Return it, where the kept examples have these ``parts`` (m, 3), and so many of them were held out."""
        tails = Tails(np.sort(parts[: held_out if held_out >= ENOUGH else len(parts)], 0))
        if held_out:
            seen = parts[held_out:]
            seen[:, 1:] += _high(parts[:held_out, 1:]) - _high(seen[:, 1:])
        scores = tails.surprise(parts) @ self.weights
        return replace(self, tails=tails, held_out=scores[:held_out], seen=scores[held_out:])

    def scores(self, passes: Passes, examples: Examples) -> NDArray[np.float64]:
        """Return how odd scaled ``examples`` are, (n,): the mean of −log p over the three, as often as each counts."""
        found: NDArray[np.float64] = self.tails.surprise(self._parts(passes, examples)) @ self.weights
        return found

    def _parts(self, passes: Passes, examples: Examples) -> NDArray[np.float64]:
        """Return the logarithms of the three, (n, 3)."""

        def parts(model: BottleneckModel, batch: Batch) -> Tensor:
            near, errors, z = self.views(model, batch)
            if self.whitening is not None:
                errors = (errors - self.usual.to(errors)) @ self.whitening.to(errors)
            logarithms = self._logarithms(near, errors.square().mean(1), z)
            return logarithms.where(z.isfinite().all(1, keepdim=True), math.nan)

        each = passes.apply(parts, examples)
        check_codes(~each.isnan().any(1))
        found: NDArray[np.float64] = each.numpy()
        return found

    def _logarithms(self, near: Tensor, lost: Tensor, z: Tensor, same: Tensor | None = None) -> Tensor:
        """Return the logarithms of the three, (n, 3); ``same`` as in `Neighbours.nearest`."""
        distances, same = self.inputs.distances(near - self.centre.to(near), same)
        of_codes = self.codes.distances(z / self.spread.to(z), same)[0]
        three = torch.stack([distances, self._as_of_new(lost, same[:, 0] >= 0), of_codes], 1)
        return three.double().clamp(SMALLEST, 1 / SMALLEST).log()

    def _as_of_new(self, lost: Tensor, kept: Tensor) -> Tensor:
        """Return ``lost`` (n,), of those that are ``kept`` (n,) as without each in the mean and in the covariance.

        Among few errors of many features each makes itself look usual. With C the covariance and s an error's share of
        it, (C − s e eᵀ)⁻¹ makes eᵀ C⁻¹ e / (1 − s eᵀ C⁻¹ e) of its square eᵀ C⁻¹ e (Sherman & Morrison 1950).
        """
        if self.whitening is None:
            return lost
        m = len(self.inputs.points)
        left = (1 - self.own_share * len(self.whitening) * lost).clamp_min(LEAST_LEFT)
        return torch.where(kept, (m / (m - 1)) ** 2 * lost / left, lost)


def _high(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the higher quantiles of each column of ``values`` (n, k), (k,)."""
    found: NDArray[np.float64] = np.quantile(values, HIGH, axis=0).mean(0)
    return found


def _whitening(errors: Tensor) -> tuple[Tensor, float]:
    """Return what makes ``errors`` (n, features), of mean 0, uncorrelated and of variance 1, (features, features).

    Their covariance is first drawn towards a multiple of the identity, the more so the fewer they are (Chen et al.,
    “Shrinkage algorithms for MMSE covariance estimation”, 2010). The second result is an error's share of what is left.
    """
    n, features = errors.shape
    covariance = errors.T @ errors / n
    mean, square = float(covariance.trace()) / features, float(covariance.square().mean())
    excess = (n + 1) * (square - mean**2 / features)
    share = min(1.0, (square + mean**2) / excess) if excess > 0 else 1.0
    shrunk = (1 - share) * covariance + (share * mean or 1.0) * torch.eye(features, dtype=errors.dtype)
    whitening: Tensor = torch.linalg.inv(torch.linalg.cholesky(shrunk)).T
    return whitening, (1 - share) / (n - 1)
