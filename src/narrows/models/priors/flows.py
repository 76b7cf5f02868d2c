"""Priors that are nets of their own: a normalising flow, and flow matching; trained on the codes after the model."""

from __future__ import annotations

import importlib.util
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import integrate
from torch import Tensor
from torch.nn.functional import one_hot
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from narrows.models.nets import dense
from narrows.models.priors.base import Posterior, Prior

__all__ = ["FlowMatching", "NormalizingFlow", "require_zuko"]

STEPS, BATCH = 2000, 256


def require_zuko() -> None:
    """Make sure that zuko can be imported.

    Raises
    ------
    ValueError
        If it is not installed.
    """
    if importlib.util.find_spec("zuko") is None:
        raise ValueError("prior='flow' needs zuko, which is not installed: pip install 'narrows[flows]'")


class TrainedPrior(Prior):
    """A prior over standardised codes (z − shift) / spread, trained by stochastic gradients; buffers of size (d,)."""

    shift: Tensor
    spread: Tensor

    def __init__(self, classes: int, latent_dim: int, components: int) -> None:
        super().__init__(classes, latent_dim, components)
        self.register_buffer("shift", torch.zeros(latent_dim))
        self.register_buffer("spread", torch.ones(latent_dim))

    def loss(self, z: Tensor, context: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss, a scalar, of standardised codes ``z`` (n, d) with their classes one-hot (n, C)."""
        raise NotImplementedError

    @classmethod
    def of_codes(cls, posterior: Posterior, labels: Tensor, classes: int, seed: int) -> Self:
        """Train 2,000 steps of 256 codes, drawn anew from the posterior at each; AdamW with a one-cycle rate."""
        generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # the layers' constructors draw from the global state
            prior = cls(classes, posterior.mean.shape[1], 1)
        codes = posterior.rsample(generator)
        prior.shift.copy_(codes.mean(0))
        spread = codes.std(0, correction=0)
        prior.spread.copy_(torch.where(spread > 0, spread, 1))
        optimiser = AdamW(prior.parameters(), 1e-3, weight_decay=1e-4, fused=True)
        scheduler = OneCycleLR(optimiser, 2e-3, total_steps=STEPS)
        for _ in range(STEPS):
            rows = torch.randint(len(labels), (BATCH,), generator=generator)
            noise = posterior.sigma[rows] * torch.randn(BATCH, codes.shape[1], generator=generator)
            z = (posterior.mean[rows] + noise - prior.shift) / prior.spread
            loss = prior.loss(z, one_hot(labels[rows], classes).to(z), generator)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            scheduler.step()
        return prior.eval().requires_grad_(requires_grad=False)


class FlowMatching(TrainedPrior):
    """Codes flow from noise along a learned velocity: dz/dt = v(z, t, c), z(0) ~ N(0, I), z(1) a code.

    v is learned on straight lines, z(t) = (1 − t) z₀ + t z₁, as E ‖v(z(t), t, c) − (z₁ − z₀)‖² (Lipman et al. 2023,
    “Flow matching for generative modeling”; Liu et al. 2023). SciPy's Runge–Kutta 4(5) solves the equation.

    Parameters
    ----------
    classes, latent_dim, components
        As in `Prior`; the last is not used.
    """

    has_density: ClassVar[bool] = False

    def __init__(self, classes: int, latent_dim: int, components: int) -> None:
        super().__init__(classes, latent_dim, components)
        self.velocity = dense([latent_dim + 3 + classes, 256, 256, latent_dim], "silu", shortcut=True)

    def _velocity(self, z: Tensor, t: Tensor, context: Tensor) -> Tensor:
        waves = torch.cat([t, (np.pi * t).sin(), (np.pi * t).cos()], 1)
        velocity: Tensor = self.velocity(torch.cat([z, waves, context], 1))
        return velocity

    def loss(self, z: Tensor, context: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean squared error of the velocity on straight lines from noise to ``z`` (n, d)."""
        noise = torch.randn(z.shape, generator=generator)
        t = torch.rand(len(z), 1, generator=generator)
        return (self._velocity(torch.lerp(noise, z, t), t, context) - (z - noise)).square().sum(1).mean()

    @torch.no_grad()
    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return a code (n, d) of each of the classes ``labels`` (n,).

        Raises
        ------
        FloatingPointError
            If the equation cannot be solved, as where training has diverged.
        """
        n, d = len(labels), self.latent_dim
        context = one_hot(labels, len(self.frequencies)).float()

        def velocity(t: float, flat: NDArray[np.float64]) -> NDArray[np.float64]:
            z = torch.from_numpy(flat.reshape(n, d)).float()
            return self._velocity(z, torch.full((n, 1), t), context).double().numpy().ravel()

        start = torch.randn(n, d, generator=generator).double().numpy().ravel()
        path = integrate.solve_ivp(velocity, (0, 1), start, rtol=1e-3, atol=1e-3)
        if not path.success:
            raise FloatingPointError(f"the flow from noise to codes could not be followed to its end: {path.message}")
        return torch.from_numpy(path.y[:, -1].reshape(n, d)).float() * self.spread + self.shift

    def class_log_probs(self, z: Tensor) -> Tensor:  # noqa: ARG002 - as in the others
        """Raise: the density would ask for the divergence along every path."""
        raise ValueError(
            "the flow-matching prior only draws codes and has no density; for likelihoods take another: "
            'fit_prior("mixture", X), "posterior", "flow" or "normal"'
        )


class NormalizingFlow(TrainedPrior):
    """p(z | c) by a neural spline flow (Durkan et al. 2019), from zuko.

    Parameters
    ----------
    classes, latent_dim, components
        As in `Prior`; the last is not used.

    Raises
    ------
    ValueError
        If zuko is not installed.
    """

    def __init__(self, classes: int, latent_dim: int, components: int) -> None:
        super().__init__(classes, latent_dim, components)
        require_zuko()
        from zuko.flows import NSF

        # Its masks cannot be made on the meta device, which a model read from a file is built on.
        with torch.device("cpu"), torch.random.fork_rng(devices=[]):
            self.flow = NSF(latent_dim, classes, transforms=3, hidden_features=(64, 64))

    def loss(self, z: Tensor, context: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002 - as in the others
        """Return the mean of −log p(z | c), in nats, of standardised codes ``z`` (n, d)."""
        loss: Tensor = -self.flow(context).log_prob(z).mean()
        return loss

    @torch.no_grad()
    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return a code (n, d) of each of the classes ``labels`` (n,)."""
        noise = torch.randn(len(labels), self.latent_dim, generator=generator)
        context = one_hot(labels, len(self.frequencies)).to(noise)
        z: Tensor = self.flow(context).transform.inv(noise)
        return z * self.spread + self.shift

    @torch.no_grad()
    def class_log_probs(self, z: Tensor) -> Tensor:
        """Return log p(z | c), (…, C) in nats."""
        rows = ((z - self.shift) / self.spread).reshape(-1, self.latent_dim)
        contexts = torch.eye(len(self.frequencies), device=z.device)
        densities = [self.flow(context.expand(len(rows), -1)).log_prob(rows.float()) for context in contexts]
        joint = torch.stack(densities, 1) - self.spread.log().sum()
        return joint.reshape(*z.shape[:-1], -1)
