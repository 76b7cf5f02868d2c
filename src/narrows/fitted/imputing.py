"""Cells from codes: new ones, and those that are missing, given the known ones of their row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import grad, jacrev, vmap

from narrows.fitted.fitted import Fitted
from narrows.models.bottlenecks import GaussianPosterior, Point, Quantiser
from narrows.models.likelihoods import Mixed
from narrows.models.model import Batch, BottleneckModel
from narrows.training.examples import Examples
from narrows.training.processor import limited_threads

__all__ = ["imputed", "simulated"]

CODES = 256
"""Drawn of each row: their weighted mean is what a gap is filled with."""

NEWTON_STEPS, ENOUGH, FIRST_DAMPING, LEAST_CURVATURE = 12, 1e-2, 1e-2, 1e-2
"""How the code of a row's known cells is sought, until a step gains less nats than are enough; the least curvature is
that of a Gaussian of deviation 10."""

NUMBERS_AT_ONCE = 2**22
"""In the decoder's outputs, while rows are filled."""


@torch.no_grad()
def simulated(fitted: Fitted, z: Tensor, context: Tensor | None, generator: torch.Generator) -> NDArray[np.float64]:
    """Return scaled cells drawn from p(x | z) of codes ``z`` (n, latent_dim), (n, columns)."""
    model = fitted.model
    assert isinstance(model.likelihood, Mixed)
    parts = Examples.of(z, context, fitted.features).chunks()
    with limited_threads(1):
        cells = [model.likelihood.simulate(model.output(model.bottleneck.snap(x), c), generator) for x, c, _ in parts]
    drawn: NDArray[np.float64] = torch.cat(cells).double().numpy()
    return drawn


@torch.no_grad()
def imputed(
    fitted: Fitted, examples: Examples, draws: int | None, seed: int, device: str
) -> Sequence[NDArray[np.float64]]:
    """Return the scaled cells, (n, columns), that a table's ``examples`` are to be filled with, as often as asked.

    Parameters
    ----------
    fitted, examples
        A model of a table, and rows.
    draws
        How many fillings to draw; None for the mean one.
    seed, device
        Of all chance; and where the encoder works.
    """
    if not len(examples):
        return [np.zeros((0, fitted.features))] * (draws or 1)
    generator, model = torch.Generator().manual_seed(seed), fitted.model
    q = fitted.on(device).posterior(examples)
    filled: list[list[Tensor]] = [[] for _ in range(draws or 1)]
    assert isinstance(model.likelihood, Mixed)
    rows = max(1, NUMBERS_AT_ONCE // (CODES * model.likelihood.width))
    with limited_threads(1):
        for places in torch.arange(len(examples)).split(rows):
            batch, own = examples.take(places), _rows_of(q, places)
            z, weights = _weighted_codes(model, batch, own, generator)
            if draws is None:
                h = model.output(model.bottleneck.snap(z), batch.context)
                filled[0].append(model.likelihood.mix(h, weights))
                continue
            chosen = torch.multinomial(weights.T, draws, replacement=True, generator=generator)
            for number in range(draws):
                code = model.bottleneck.snap(z)[chosen[:, number], torch.arange(len(places))]
                filled[number].append(model.likelihood.simulate(model.output(code, batch.context), generator))
    return [torch.cat(cells).double().numpy() for cells in filled]


def _rows_of(q: Point | GaussianPosterior, places: Tensor) -> Point | GaussianPosterior:
    if isinstance(q, Point):
        return Point(q.mean[places], q.before[places])
    return GaussianPosterior(q.mean[places], q.log_var[places])


def _weighted_codes(
    model: BottleneckModel, batch: Batch, q: Point | GaussianPosterior, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return codes of each row, (k, n, latent_dim), and their weights by its known cells, (k, n), which sum to 1.

    Codes come from the Gaussian that p(z | known cells) looks like at its mode (Laplace's approximation), and weigh
    p(known cells, z) by its density. Codes that have only so many values, or a prior without a density, come from the
    prior, and weigh p(known cells | z); the encoder's own is among them.
    """
    if isinstance(model.bottleneck, Quantiser) or not model.prior.has_density:
        drawn, _ = model.prior.sample(CODES * len(q.mean), generator)
        z = torch.cat([q.mean[None], drawn.view(CODES, *q.mean.shape)])
        log_weights = _of_known(model, batch, model.bottleneck.snap(z))
    else:
        z, log_density = _from_laplace(model, batch, q.mean, generator)
        log_weights = _of_known(model, batch, z) + model.prior.log_prob(z).double() - log_density
    return z, log_weights.softmax(0).float()


def _of_known(model: BottleneckModel, batch: Batch, z: Tensor) -> Tensor:
    """Return log p(known cells | z), (k, n), in 64 bits."""
    return model.likelihood.log_prob(batch.x.double(), model.output(z, batch.context).double())


def _from_laplace(model: BottleneckModel, batch: Batch, z: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return codes (k, n, latent_dim), drawn around the mode of p(z | known cells), and their log-density (k, n).

    The mode is sought from ``z`` (n, latent_dim) by Newton's steps, damped where they do not lower −log p (Levenberg
    1944, Marquardt 1963).
    """
    context = batch.context if batch.context is not None else batch.x.new_zeros(len(z), 0)

    def cost(code: Tensor, x: Tensor, beside: Tensor) -> Tensor:
        h = model.output(code[None], beside[None] if len(beside) else None).double()
        return -model.likelihood.log_prob(x[None].double(), h).sum() - model.prior.log_prob(code[None]).sum().double()

    given = batch.x, context
    costs, slopes, curvatures = (vmap(function) for function in (cost, grad(cost), jacrev(grad(cost))))
    z, now, damping = z.clone(), costs(z, *given), torch.full((len(z), 1), FIRST_DAMPING)
    going = torch.arange(len(z))
    for _ in range(NEWTON_STEPS):
        own, at = [tensor[going] for tensor in given], z[going]
        values, axes = torch.linalg.eigh(curvatures(at, *own))
        along = (axes.mT @ slopes(at, *own)[..., None]).squeeze(-1)
        along = along / (values.abs().clamp_min(LEAST_CURVATURE) + damping[going])
        moved = at - (axes @ along[..., None]).squeeze(-1)
        gain = now[going] - costs(moved, *own)
        better = gain > 0
        z[going[better]] = moved[better]
        now[going] -= torch.where(better, gain, 0.0)
        damping[going] = torch.where(better[:, None], damping[going] / 5, damping[going] * 8)
        going = going[~better | (gain > ENOUGH)]
        if not len(going):
            break
    values, axes = torch.linalg.eigh(curvatures(z, *given))
    values = values.clamp_min(LEAST_CURVATURE)
    epsilon = torch.randn(CODES, *z.shape, generator=generator)
    drawn = z + ((axes * values.rsqrt()[:, None, :]) @ epsilon[..., None]).squeeze(-1)
    return drawn, (-0.5 * epsilon.square().sum(-1) + 0.5 * values.log().sum(-1)).double()
