"""Mixtures of Gaussians with full covariances, by expectation–maximisation (Dempster, Laird & Rubin 1977).

log πₖ N(x; μₖ, Σₖ) is linear in φ(x) = (1, xᵢ, xᵢ xⱼ), i ≤ j, and what weights, means and covariances are made of are
sums of φ(x). So a step over all codes and components is two products of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Codes", "Gaussians"]

Array = NDArray[np.float64]

STEPS, GAIN = 6, 1e-2
"""Steps at most, and nats a code that the last one gained if there is to be another; each fit starts from another."""

ALONG = 0.8
"""Of two halves of a component, the distance to its mean, in standard deviations along its longest axis."""

NUMBERS_AT_ONCE, MOST_KEPT = 2**17, 2**21
"""In φ: few enough for a processor's cache; and at most between two steps, 16 MB."""

LEAST_WEIGHT = 1e-12
"""Codes that a component has at least, so that one which loses all of them can be computed with."""


class Codes:
    """Codes x, and φ of some of them at a time, which is kept between two passes unless it is large.

    Parameters
    ----------
    z
        The codes, (n, d).
    """

    def __init__(self, z: Array) -> None:
        self.z, d = z, z.shape[1]
        self.kept = [*_chunks(z)] if len(z) * (1 + d + d * (d + 1) // 2) <= MOST_KEPT else None

    def __len__(self) -> int:
        return len(self.z)

    def __iter__(self) -> Iterator[Array]:
        """Yield φ, (m, 1 + d + d (d + 1) / 2)."""
        yield from _chunks(self.z) if self.kept is None else self.kept


class Gaussians(NamedTuple):
    """Σₖ πₖ N(x; μₖ, Σₖ).

    Attributes
    ----------
    weights, means, covariances
        (K,), (K, d) and (K, d, d).
    """

    weights: Array
    means: Array
    covariances: Array

    @classmethod
    def one(cls, codes: Codes, smoothing: float) -> Self:
        """Return the single Gaussian of ``codes``, with ``smoothing`` added to its variances."""
        d = codes.z.shape[1]
        return cls(np.ones(1), np.zeros((1, d)), np.eye(d)[None]).fitted(codes, smoothing)

    def fitted(self, codes: Codes, smoothing: float) -> Self:
        """Return the mixture that `STEPS` steps make likelier for ``codes``; ``smoothing`` as in `one`."""
        mixture, last = self, -math.inf
        for _ in range(STEPS):
            mixture, log_prob = mixture._step(codes, smoothing)
            if log_prob - last < GAIN:
                break
            last = log_prob
        return mixture

    def log_prob(self, codes: Codes) -> Array:
        """Return log p(x) of each of ``codes``, (n,) in nats."""
        coefficients = self._coefficients()
        return np.concatenate([_normalised(phi @ coefficients)[0] for phi in codes])

    def grown(self, components: int) -> Self:
        """Return one of that many ``components``, at most twice as many: the heaviest are cut across."""
        heaviest = np.argsort(-self.weights, kind="stable")
        halved, kept = np.split(heaviest, [components - len(heaviest)])
        variances, axes = np.linalg.eigh(self.covariances[halved])
        shift = ALONG * np.sqrt(variances[:, -1:]) * axes[:, :, -1]
        rest = self.covariances[halved] - shift[:, :, None] * shift[:, None, :]
        half, means = self.weights[halved] / 2, self.means[halved]
        return type(self)(
            np.concatenate([self.weights[kept], half, half]),
            np.concatenate([self.means[kept], means + shift, means - shift]),
            np.concatenate([self.covariances[kept], rest, rest]),
        )

    def _coefficients(self) -> Array:
        """Return what log πₖ N(x; μₖ, Σₖ) is of φ(x), (features of φ, K)."""
        factors = np.linalg.cholesky(self.covariances)
        inverse = np.linalg.inv(factors)
        precisions = inverse.transpose(0, 2, 1) @ inverse
        linear = (precisions @ self.means[:, :, None])[:, :, 0]
        d = self.means.shape[1]
        constant = np.log(self.weights) - np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(1)
        constant -= 0.5 * ((linear * self.means).sum(1) + d * math.log(2 * math.pi))
        i, j = np.triu_indices(d)
        squares = precisions[:, i, j] * np.where(i == j, -0.5, -1.0)
        coefficients: Array = np.concatenate([constant[:, None], linear, squares], 1).T
        return coefficients

    def _step(self, codes: Codes, smoothing: float) -> tuple[Self, float]:
        """Return the mixture after a step, and the mean of log p(x) before it."""
        coefficients, d = self._coefficients(), codes.z.shape[1]
        sums, total = np.zeros(coefficients.T.shape), 0.0
        for phi in codes:
            log_prob, shares = _normalised(phi @ coefficients)
            total += float(log_prob.sum())
            sums += shares.T @ phi
        counts = np.maximum(sums[:, 0], LEAST_WEIGHT)
        means, squares = np.split(sums[:, 1:] / counts[:, None], [d], axis=1)
        covariances = np.empty((len(counts), d, d))
        i, j = np.triu_indices(d)
        covariances[:, i, j] = covariances[:, j, i] = squares
        covariances -= means[:, :, None] * means[:, None, :]
        variances = np.einsum("kii->ki", covariances)  # a view
        variances[:] = np.maximum(variances, 0) + smoothing
        return type(self)(counts / counts.sum(), means, covariances), total / len(codes)


def _chunks(z: Array) -> Iterator[Array]:
    """Yield φ of some of the codes ``z`` (n, d) at a time, (m, 1 + d + d (d + 1) / 2)."""
    d = z.shape[1]
    ends = 1 + d + np.cumsum([0, *range(d, 0, -1)])
    m = max(1, NUMBERS_AT_ONCE // int(ends[-1]))
    for start in range(0, len(z), m):
        some = z[start : start + m]
        phi = np.empty((len(some), ends[-1]))
        phi[:, 0], phi[:, 1 : 1 + d] = 1, some
        for i in range(d):
            np.multiply(some[:, i, None], some[:, i:], out=phi[:, ends[i] : ends[i + 1]])
        yield phi


def _normalised(joint: Array) -> tuple[Array, Array]:
    """Return log Σₖ exp of ``joint`` (m, K), (m,), and each component's share of that, (m, K), in its place."""
    most = joint.max(1, keepdims=True)
    shares = np.exp(np.subtract(joint, most, out=joint), out=joint)
    sums = shares.sum(1, keepdims=True)
    shares /= sums
    log_prob: Array = (most + np.log(sums))[:, 0]
    return log_prob, shares
