"""What a cell of a row of numbers would be, given all others: examples whose codes lie together are taken for Gaussian.

To hide a cell and search for the code of all others takes long. But the prior's mixture says which examples have codes
that lie together, and where a decoder is nearly straight, these examples are a Gaussian each time. So what there is to
say of x is Σₖ πₖ N(x; μₖ, Σₖ), and of each cell given any others in closed form: with the precisions Λₖ = Σₖ⁻¹ and
g = Λₖ (x − μₖ), cell j given all others has the mean xⱼ − gⱼ / Λₖⱼⱼ and the variance 1 / Λₖⱼⱼ, and what the others say
of k is exp −½ (gᵀ (x − μₖ) − gⱼ² / Λₖⱼⱼ).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_ndtr

from narrows.compiled.kernels import LONGEST, Kernels, kernels

__all__ = ["LocalGaussians"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]

NUMBERS, NUMBERS_AT_ONCE = 20_000, 2**16
"""In all precisions, so that of wide rows there are fewer components; and in an array while cells are looked at."""

SHRINKAGE, LEAST_SPREAD = 1.0, 1e-2
"""Examples, for each feature, that the covariance within all components counts as in each one's; and what each variance
has besides, in parts of the feature's own. Chosen on training halves of tables."""

IMPOSSIBLE = 50.0
"""Nats below the likeliest component from which on one does not count."""

FEWEST = 8
"""Components from which on several at a time are quicker than one after another."""

SMALLEST, FAR = 1e-300, 1e-6
"""Of what a logarithm is taken of; and the probability of a tail below which it is added up by logarithms."""


class _Parts(NamedTuple):
    """What of each row (n) and component (K) is known while some cells are hidden.

    Attributes
    ----------
    slopes, curvatures
        (n, K, d), of −log N(known cells) by each cell.
    squares, log_weights
        (n, K), the known cells' squared distance, and the rest of the logarithm of πₖ N(known cells).

    Where none is hidden, curvatures and weights are alike for all rows: (1, K, d) and (1, K).
    """

    slopes: Array
    curvatures: Array
    squares: Array
    log_weights: Array


@dataclass(frozen=True, slots=True, eq=False)
class LocalGaussians:
    """Σₖ πₖ N(x; μₖ, Σₖ) over scaled rows.

    Attributes
    ----------
    log_weights
        Of πₖ, plus ½ log |Λₖ|, (K,).
    means, precisions
        (K, d) and (K, d, d).
    """

    log_weights: Array
    means: Array
    precisions: Array

    @classmethod
    def of(cls, x: Array, shares: Array) -> Self:
        """Return those of rows ``x`` (n, d), of which each component has its ``shares`` (n, K), which sum to 1."""
        d = x.shape[1]
        most = max(1, NUMBERS // d**2)
        heaviest = np.argsort(-shares.sum(0), kind="stable")[:most]
        shares = shares[:, heaviest][:, shares[:, heaviest].sum(0) >= 1]
        if not shares.shape[1]:
            shares = np.ones((len(x), 1))
        counts = shares.sum(0)
        means = (shares.T @ x) / counts[:, None]
        scatter = np.stack(
            [(own[:, None] * (x - mean)).T @ (x - mean) for own, mean in zip(shares.T, means, strict=True)]
        )
        within, pseudo = scatter.sum(0) / counts.sum(), SHRINKAGE * d
        covariances = (scatter + pseudo * within) / (counts + pseudo)[:, None, None]
        spread = x.var(0)
        spread = np.where(spread > 0, spread, spread[spread > 0].mean() if (spread > 0).any() else 1.0)
        covariances += LEAST_SPREAD * np.diag(spread)
        log_weights = np.log(counts / counts.sum()) - 0.5 * np.linalg.slogdet(covariances)[1]
        return cls(log_weights, means, np.linalg.inv(covariances))

    def surprises(self, x: Array, _: object, hidden: Places) -> Array:
        """Return −log p of each cell of ``x`` (n, d) given all but those ``hidden``, places (n, k); NaN of these.

        p is how probable it is to be as far from the median, on either side.
        """
        found = np.empty(x.shape)
        for rows in self._chunks(len(x), hidden.shape[1]):
            parts = self._parts(x[rows], hidden[rows])
            found[rows] = _surprise(parts, parts.slopes, parts.curvatures)
        np.put_along_axis(found, hidden, np.nan, 1)
        return found

    def surprise_at(self, cells: NDArray[np.int64], x: Array, _: object, hidden: Places) -> Array:
        """Return the same of one cell of each row alone, at places ``cells`` (n,): (n,)."""
        found = np.empty(len(x))
        for rows in self._chunks(len(x), hidden.shape[1]):
            parts, at = self._parts(x[rows], hidden[rows]), cells[rows, None, None]
            each = (
                np.take_along_axis(np.broadcast_to(of_all, parts.slopes.shape), at, 2)
                for of_all in (parts.slopes, parts.curvatures)
            )
            found[rows] = _surprise(parts, *each)[:, 0]
        return found

    def expected(self, x: Array, _: object, hidden: Places) -> Array:
        """Return what the ``hidden`` cells of ``x``, places (n, k), are likeliest to be by all others, (n, k).

        That is their mean in the component that the others make likeliest: between components there may be nothing.
        """
        compiled = kernels() if len(self.means) >= FEWEST else None
        away = np.empty(hidden.shape)
        many = self._side_by_side(compiled) if compiled else self._away
        for rows in self._chunks(len(x), 0 if compiled else hidden.shape[1]):
            away[rows] = many(x[rows], hidden[rows])
        return np.take_along_axis(x, hidden, 1) - away

    def _away(self, x: Array, hidden: Places) -> Array:
        """Return Λₕₕ⁻¹ gₕ, how far cells of ``x`` (n, d) at ``hidden``, places (n, k), are from that mean."""
        parts = self._parts(x, hidden)
        best = (parts.log_weights - 0.5 * parts.squares).argmax(1)
        own = self.precisions[best]
        slopes = (own @ (x - self.means[best])[:, :, None])[:, :, 0]
        among = own[np.arange(len(best))[:, None, None], hidden[:, :, None], hidden[:, None, :]]
        found: Array = np.linalg.solve(among, np.take_along_axis(slopes, hidden, 1)[:, :, None])[:, :, 0]
        return found

    def _side_by_side(self, compiled: Kernels) -> Callable[[Array, Places], Array]:
        """Return what does the same, for several components at a time."""
        components, d = self.means.shape
        wide = -(-components // LONGEST) * LONGEST
        precisions, means, log_weights = np.zeros((d, d, wide)), np.zeros((d, wide)), np.full(wide, -np.inf)
        precisions[np.arange(d), np.arange(d)] = 1.0
        precisions[:, :, :components], means[:, :components] = self.precisions.transpose(1, 2, 0), self.means.T
        log_weights[:components] = self.log_weights
        at_means = np.einsum("ijk,jk->ik", precisions, means)

        def away(x: Array, hidden: Places) -> Array:
            slopes = (x @ precisions.reshape(d, -1)).reshape(len(x), d, wide) - at_means
            squares = np.einsum("nik,nik->nk", slopes, x[:, :, None] - means)
            return compiled.likeliest(precisions, log_weights, slopes, squares, hidden)

        return away

    def _chunks(self, n: int, hidden: int) -> list[slice]:
        step = max(1, NUMBERS_AT_ONCE // (self.means.size * (1 + hidden)))
        return [slice(begin, begin + step) for begin in range(0, n, step)]

    def _parts(self, x: Array, hidden: Places) -> _Parts:
        """Return what is known of rows ``x`` (n, d) while cells at ``hidden``, places (n, k), are not.

        To hide cells H leaves the precisions Λ − Λ.ₕ Λₕₕ⁻¹ Λₕ. of all others.
        """
        n, (components, d) = len(x), self.means.shape
        side_by_side = self.precisions.transpose(1, 0, 2).reshape(d, -1)
        at_means = (self.precisions @ self.means[:, :, None])[:, :, 0]
        slopes = (x @ side_by_side).reshape(n, components, d) - at_means
        squares = (slopes * (x[:, None] - self.means)).sum(2)
        curvatures, log_weights = np.einsum("kdd->kd", self.precisions)[None], self.log_weights[None]
        if not hidden.shape[1]:
            return _Parts(slopes, curvatures, np.maximum(squares, 0), log_weights)
        columns = self.precisions[:, :, hidden].transpose(2, 0, 1, 3)  # (n, K, d, k)
        among = np.take_along_axis(columns, hidden[:, None, :, None], 2)
        own = np.take_along_axis(slopes, hidden[:, None, :], 2)[..., None]
        inverse = np.linalg.inv(among)
        taken = columns @ inverse
        squares = squares - (own * (inverse @ own)).sum((2, 3))
        return _Parts(
            slopes - (taken @ own)[..., 0],
            curvatures - (taken * columns).sum(3),
            np.maximum(squares, 0),
            log_weights - 0.5 * np.linalg.slogdet(among)[1],
        )


def _surprise(parts: _Parts, slopes: Array, curvatures: Array) -> Array:
    """Return −log p of cells of which these are the ``slopes`` and ``curvatures``, (n, K, j): (n, j)."""
    curvatures = np.maximum(curvatures, SMALLEST)
    logs = parts.log_weights[:, :, None] - 0.5 * (
        np.log(curvatures) + parts.squares[:, :, None] - slopes**2 / curvatures
    )
    logs -= logs.max(1, keepdims=True)
    deviations, weights = slopes / np.sqrt(curvatures), np.exp(logs)
    total, above = weights.sum(1), (weights * deviations).sum(1) > 0
    sides = np.where(above, -1.0, 1.0)[:, None] * deviations
    tail = (weights * torch.special.ndtr(torch.from_numpy(sides)).numpy()).sum(1)
    tail = np.minimum(tail, total - tail)
    found = np.log(total / 2) - np.log(np.maximum(tail, SMALLEST))
    rows, cells = np.nonzero(tail < FAR * total)
    if len(rows):
        found[rows, cells] = _far(logs[rows, :, cells], deviations[rows, :, cells])
    positive: Array = np.maximum(0.0, found)
    return positive


def _far(logs: Array, deviations: Array) -> Array:
    """Return −log p of cells by the ``logs`` of their components' weights and their ``deviations``, both (m, K): (m,).

    By logarithms alone, so that none is too small for a number.
    """
    logs = np.where(logs > -IMPOSSIBLE, logs, -np.inf)
    tails = [np.logaddexp.reduce(logs + log_ndtr(sign * deviations), axis=1) for sign in (1, -1)]
    found: Array = np.logaddexp.reduce(logs, axis=1) - np.minimum(*tails) - np.log(2)
    return found
