"""What all likelihoods have."""

from __future__ import annotations

import math
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd import grad

from narrows.scaling import Scaling

__all__ = ["Likelihood"]

SLACK = 1e-6
"""Rounding in 32 bits may leave the support by so much."""

LEAST_GREY = 0.02
"""Nearer to 0 and 1 the inverse of the sigmoid is steep, and a straight line through it would heed little else."""


class Likelihood(nn.Module):
    """What all have. Inputs x are (n, features), the decoder's outputs h (…, n, features).

    Attributes
    ----------
    continuous
        Whether p is a density, which changes with the units of x, or a probability.
    support
        Between which x must lie, in scaled units.
    domain
        What x must be, in words; None where any number will do.
    """

    continuous: ClassVar[bool] = True
    support: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    domain: ClassVar[str | None] = None

    @classmethod
    def for_data(cls, scaling: Scaling, sigma: float | None = None) -> Self:  # noqa: ARG003 - one signature for all
        """Return the likelihood for data of this ``scaling``, with σ if it has one."""
        return cls()

    @property
    def bounded(self) -> bool:
        """Whether x lies between two finite numbers."""
        return all(map(math.isfinite, self.support))

    def outputs_for(self, features: int) -> int:
        """Return how many numbers it wants from the decoder for so many ``features``: one for each."""
        return features

    @property
    def deviation(self) -> float | None:
        """The standard deviation of a feature given z, where that is the same for all z; None elsewhere."""
        return None

    def possible(self, x: Tensor) -> Tensor:
        """Say of each scaled number of ``x`` whether it is in the likelihood's domain."""
        least, most = self.support
        return (x >= least - SLACK) & (x <= most + SLACK)

    def mean(self, h: Tensor) -> Tensor:
        """Return E[x | z], of the shape of ``h``."""
        raise NotImplementedError

    def draw(self, mean: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.floating]:  # noqa: ARG002
        """Return new examples of this ``mean``, both in the data's units: the mean itself, where it can be one."""
        return mean

    def output_for(self, mean: Tensor) -> Tensor:
        """Return decoder outputs of about this ``mean``, away from 0 and 1, where they would be infinite."""
        return mean.clamp(LEAST_GREY, 1 - LEAST_GREY).logit()

    def log_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Return log p of each feature, (…, n, features), in nats."""
        raise NotImplementedError

    def loss_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Return what training lowers by each feature, (…, n, features), in nats: −log p."""
        return -self.log_terms(x, h)

    def slopes_and_curvatures(self, x: Tensor, h: Tensor, changes: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients (n, d) and Hessians (n, d, d) of −log p(x | z) by what changes ``h`` in a straight line.

        Where each feature has one output, as here, the Hessian by h is a diagonal.

        Parameters
        ----------
        x
            (n, features); what is NaN is not known, and left out.
        h, changes
            The decoder's outputs (n, outputs), and by how much they change, (d, n, outputs).
        """
        with torch.enable_grad():
            at = h.detach().requires_grad_()
            terms = self.log_terms(x.nan_to_num(0.0), at).masked_fill(x.isnan(), 0.0)
            (slopes,) = grad(-terms.sum(), at, create_graph=True)
            (bends,) = grad(slopes.sum(), at)
        along, slopes = changes.transpose(0, 1), slopes.detach().to(changes)
        return (along @ slopes[..., None]).squeeze(-1), along * bends.to(along)[:, None] @ along.mT

    def error_terms(self, x: Tensor, h: Tensor) -> Tensor:
        """Return how badly each feature is given back, (…, n, features), in 64 bits: its squared error."""
        return (x.double() - self.mean(h)).square()

    def error(self, x: Tensor, h: Tensor) -> Tensor:
        """Return how badly each example is given back, (…, n), in 64 bits: the mean of `error_terms`."""
        return self.error_terms(x, h).mean(-1)

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Return log p(x | z), (…, n), in nats."""
        return self.log_terms(x, h).sum(-1)

    def loss(self, x: Tensor, h: Tensor) -> Tensor:
        """Return what training lowers, (…, n), in nats per example."""
        return self.loss_terms(x, h).sum(-1)

    def calibrate(self, x: Tensor, mean: Tensor) -> None:
        """Set the scale, if there is one to set, to its maximum-likelihood value on examples and their means."""
