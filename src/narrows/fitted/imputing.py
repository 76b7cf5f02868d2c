"""Cells from codes: new ones, and those that are missing, given the known ones of their row."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import grad

from narrows.fitted.fitted import Fitted
from narrows.fitted.passes import Passes
from narrows.models.bottlenecks import GaussianPosterior, Point, Quantiser
from narrows.models.likelihoods import Mixed
from narrows.models.model import Batch, BottleneckModel
from narrows.training.examples import Examples
from narrows.training.processor import limited_threads

__all__ = ["calibrate_fillings", "imputed", "log_known", "simulated", "weighted_codes"]

CODES = 64
"""Drawn of each row: their weighted mean is what a gap is filled with."""

NEWTON_STEPS, ENOUGH, FIRST_DAMPING, LEAST_CURVATURE = 12, 1e-2, 1e-2, 1e-2
"""How the code of a row's known cells is sought, until a step gains less nats than are enough; the least curvature is
that of a Gaussian of deviation 10."""

MOST_ROWS, HIDDEN, ENOUGH_HIDDEN, MOST_COPIES, FEWEST_HIDDEN = 500, 0.15, 2000, 8, 50
"""Rows that intervals are calibrated on, the fraction of their cells that is hidden, how many hidden cells are enough,
in how many copies of the rows at most, and of how few nothing follows."""

LEAST_REACH = 1e-4
"""Of half an interval, scaled."""

NUMBERS_AT_ONCE = 2**22
"""In the decoder's outputs, and in its derivatives by codes, while rows are filled."""


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
    model, generator = fitted.model, torch.Generator().manual_seed(seed)
    q = fitted.on(device).posterior(examples)
    filled: list[list[Tensor]] = [[] for _ in range(draws or 1)]
    with limited_threads(1):
        for places in torch.arange(len(examples)).split(_rows_at_once(model)):
            if draws is None:  # the same for all rows, in whatever parts they come
                generator.manual_seed(seed)
            mean, drawn = _fillings(model, examples.take(places), _rows_of(q, places), draws or 0, generator)
            for own, cells in zip(filled, [mean] if draws is None else drawn, strict=True):
                own.append(cells)
    return [torch.cat(cells).double().numpy() for cells in filled]


@torch.no_grad()
def calibrate_fillings(passes: Passes, examples: Examples, seed: int) -> None:
    """Set how much further than its model says a table's missing numbers are from their mean, by ``examples``.

    Some of their known cells are hidden, and filled: 90 % of the numbers among them must be within the interval that
    draws give (split conformal prediction; Lei et al. 2018).
    """
    model = passes.model
    if not isinstance(model.likelihood, Mixed):
        return
    x, context = _all_of(examples.subset(torch.arange(min(len(examples), MOST_ROWS))))
    generator = torch.Generator().manual_seed(seed)
    independent = len(x)  # cells of one row are off together
    copies = math.ceil(min(MOST_COPIES, ENOUGH_HIDDEN / max(1.0, HIDDEN * float((~x.isnan()).sum()))))
    x, context = x.repeat(copies, 1), None if context is None else context.repeat(copies, 1)
    seen = x.masked_fill(torch.rand(x.shape, generator=generator) < HIDDEN, math.nan)
    some = (~seen.isnan()).any(1)
    x, hidden = x[some], Examples.of(seen[some], None if context is None else context[some], passes.features)
    q, ratios = passes.posterior(hidden), []
    with limited_threads(1):
        for places in torch.arange(len(hidden)).split(_rows_at_once(model)):
            batch = hidden.take(places)
            mean, drawn = _fillings(model, batch, _rows_of(q, places), CODES, generator)
            ends = torch.stack(drawn).float().quantile(torch.tensor([0.05, 0.95]), 0) - mean
            off = x[places] - mean
            reach = torch.where(off > 0, ends[1], ends[0]).abs().clamp_min(LEAST_REACH)
            chosen = batch.x.isnan() & ~x[places].isnan() & model.likelihood.are_numbers
            ratios.append((off.abs() / reach)[chosen])
    each = torch.cat(ratios)
    if len(each) >= FEWEST_HIDDEN:
        model.likelihood.stretch.mul_(each.quantile(min(1.0, 0.9 * (1 + 1 / independent))))


def _all_of(examples: Examples) -> tuple[Tensor, Tensor | None]:
    batches = list(examples.chunks())
    context = None if batches[0].context is None else torch.cat([batch.context for batch in batches])  # type: ignore[misc]
    return torch.cat([batch.x for batch in batches]), context


def _rows_at_once(model: BottleneckModel) -> int:
    assert isinstance(model.likelihood, Mixed)
    d, width = model.prior.latent_dim, model.likelihood.width
    return max(1, NUMBERS_AT_ONCE // max(CODES * width, d * (d + width)))


def _fillings(
    model: BottleneckModel, batch: Batch, q: Point | GaussianPosterior, draws: int, generator: torch.Generator
) -> tuple[Tensor, list[Tensor]]:
    """Return the mean of cells (n, columns) given the known ones of a ``batch``, and ``draws`` of them."""
    likelihood = model.likelihood
    assert isinstance(likelihood, Mixed)
    z, weights = weighted_codes(model, batch, q, generator, alike=not draws)
    z = model.bottleneck.snap(z)
    mean = likelihood.mix(model.output(z, batch.context), weights)
    chosen = torch.multinomial(weights.T, draws, replacement=True, generator=generator) if draws else weights[:0].T
    drawn = []
    for places in chosen.long().T:
        cells = likelihood.simulate(model.output(z[places, torch.arange(len(mean))], batch.context), generator)
        drawn.append(torch.where(likelihood.are_numbers, mean + likelihood.stretch * (cells - mean), cells))
    return mean, drawn


def _rows_of(q: Point | GaussianPosterior, places: Tensor) -> Point | GaussianPosterior:
    if isinstance(q, Point):
        return Point(q.mean[places], q.before[places])
    return GaussianPosterior(q.mean[places], q.log_var[places])


def weighted_codes(
    model: BottleneckModel,
    batch: Batch,
    q: Point | GaussianPosterior,
    generator: torch.Generator,
    *,
    alike: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return codes of each row, (k, n, latent_dim), and their weights by its known cells, (k, n), which sum to 1.

    Codes come from the Gaussian that p(z | known cells) looks like at its mode (Laplace's approximation), and weigh
    p(known cells, z) by its density. Codes that have only so many values, or a prior without a density, come from the
    prior, and weigh p(known cells | z); the encoder's own is among them. Where chance is ``alike`` for all rows, what
    becomes of a row does not depend on those that it comes with.
    """
    rows = 1 if alike else len(q.mean)
    known = model.prior.has_density and model.prior.log_prob(q.mean[:1]).isfinite().all()  # not with dead units
    if isinstance(model.bottleneck, Quantiser) or not known:
        drawn = model.prior.sample(CODES * rows, generator)[0].view(CODES, rows, -1)
        z = torch.cat([q.mean[None], drawn.expand(CODES, *q.mean.shape)])
        log_weights = _of_known(model, batch, model.bottleneck.snap(z))
    else:
        epsilon = torch.randn(CODES // 2, rows, q.mean.shape[1], generator=generator)
        # On both sides, so that a mean is free of chance in all that is linear (Hammersley & Morton 1956).
        epsilon = torch.cat([epsilon, -epsilon]).expand(CODES, *q.mean.shape)
        z, log_density = _from_laplace(model, batch, q.mean, epsilon)
        log_weights = _of_known(model, batch, z) + model.prior.log_prob(z).double() - log_density
    return z, log_weights.softmax(0).float()


def _of_known(model: BottleneckModel, batch: Batch, z: Tensor) -> Tensor:
    """Return log p(known cells | z), (k, n), in 64 bits."""
    return log_known(model, batch.x, model.output(z, batch.context))


def log_known(model: BottleneckModel, x: Tensor, h: Tensor) -> Tensor:
    """Return log p of those of cells ``x`` (n, columns) that are known, (…, n), in 64 bits, at outputs ``h``."""
    terms = model.likelihood.log_terms(x.double().nan_to_num(0.0), h.double())
    return terms.masked_fill(x.isnan(), 0.0).sum(-1)


def _from_laplace(model: BottleneckModel, batch: Batch, z: Tensor, epsilon: Tensor) -> tuple[Tensor, Tensor]:
    """Return codes (k, n, latent_dim) around the mode of p(z | known cells), and their log-density (k, n).

    ``epsilon`` (k, n, latent_dim) are draws from the standard normal. The mode is sought from ``z`` (n, latent_dim)
    by Newton's steps, damped where they do not lower −log p (Levenberg 1944, Marquardt 1963).
    """
    z, now, damping = z.clone(), _cost(model, batch, z), torch.full((len(z), 1), FIRST_DAMPING)
    going = torch.arange(len(z))
    for _ in range(NEWTON_STEPS):
        own, at = batch.take(going), z[going]
        slopes, curvatures = _slopes_and_curvatures(model, own, at)
        values, axes = torch.linalg.eigh(curvatures)
        along = (axes.mT @ slopes[..., None]).squeeze(-1)
        along = along / (values.abs().clamp_min(LEAST_CURVATURE) + damping[going])
        moved = at - (axes @ along[..., None]).squeeze(-1)
        gain = now[going] - _cost(model, own, moved)
        better = gain > 0
        z[going[better]] = moved[better]
        now[going] -= torch.where(better, gain, 0.0)
        damping[going] = torch.where(better[:, None], damping[going] / 5, damping[going] * 8)
        going = going[~better | (gain > ENOUGH)]
        if not len(going):
            break
    values, axes = torch.linalg.eigh(_slopes_and_curvatures(model, batch, z)[1])
    # Wider than the Gaussian at the mode, so that a density with longer tails is not missed; by less in more
    # dimensions, since each costs some of the weights.
    values = values.clamp_min(LEAST_CURVATURE) / (1 + z.shape[1] ** -0.5)
    drawn = z + torch.einsum("nij,knj->kni", axes * values.rsqrt()[:, None, :], epsilon)
    return drawn, (-0.5 * epsilon.square().sum(-1) + 0.5 * values.log().sum(-1)).double()


def _cost(model: BottleneckModel, batch: Batch, z: Tensor) -> Tensor:
    """Return −log p(known cells, z) of a code ``z`` (n, latent_dim) each, (n,)."""
    return -_of_known(model, batch, z) - model.prior.log_prob(z).double()


def _slopes_and_curvatures(model: BottleneckModel, batch: Batch, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients (n, d) and Hessians (n, d, d) of `_cost` at ``z`` (n, d), but for the decoder's curvature.

    Without it that of the known cells is Jᵀ H J, with H by the decoder's outputs (Schraudolph 2002), and takes as many
    passes as the code has units.
    """
    # Neither by torch.func nor by slopes given to `grad`, which import torch's compiler and sympy: of sums alone, and
    # with a row's code once for each direction.
    with torch.enable_grad():
        at = z.expand(z.shape[1], *z.shape).detach().requires_grad_()
        h = model.output(at, batch.context)
        cotangent = torch.zeros_like(h).requires_grad_()
        (pulled,) = grad((h * cotangent).sum(), at, create_graph=True)
        directions = torch.eye(z.shape[1])[:, None]
        (changes,) = grad((pulled * directions).sum(), cotangent, retain_graph=True)
        out = h.detach().requires_grad_()
        (by_h,) = grad(-log_known(model, batch.x, out).sum(), out, create_graph=True)
        (bent,) = grad((by_h * changes).sum(), out)
        (by_code,) = grad((h * by_h.detach()).sum(), at)
    slopes, curvatures = model.prior.slopes_and_curvatures(z)
    return slopes + by_code[0], curvatures + torch.einsum("anw,bnw->nab", changes, bent)
