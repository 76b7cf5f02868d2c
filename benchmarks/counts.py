"""Counts: how likely held-out visits to a doctor are, by likelihoods of counts and by a Gaussian.

The RAND health insurance experiment (Deb & Trivedi 2002), as statsmodels ships it: 20,190 rows, of which a fifth is
held out (``train_test_split(test_size=0.2, random_state=0)``). The visits are x, all nine other columns are the
context, which encoder and decoder see. The Gaussian's density is integrated over k ± ½, so that all are probabilities
of a count. In the first table the code is made from the other columns alone; in the second it is drawn as a VAE's, and
p(k) is the integral over p(z) by a grid.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from narrows.models.bottlenecks import Bottleneck, Deterministic, DiagonalGaussian
from narrows.models.corruptions import Corruption
from narrows.models.likelihoods import LIKELIHOODS, Gaussian
from narrows.models.model import BottleneckModel
from narrows.models.nets import dense, initialise
from narrows.models.objectives import EvidenceLowerBound, Reconstruction
from narrows.models.priors.base import StandardNormal
from narrows.scaling import Scaling
from narrows.training.distributed import ALONE
from narrows.training.examples import Examples
from narrows.training.general import Objective
from narrows.training.loop import Training
from narrows.training.member import Member

HIDDEN, EPOCHS, GRID = (64, 32), 30, 201


class WithoutVisits(nn.Module):
    """A net that does not see the first number.

    Parameters
    ----------
    net
        Of all others.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Return what the net makes of the others."""
        made: Tensor = self.net(x[:, 1:])
        return made


def trained(
    x: NDArray[np.float32], context: NDArray[np.float32], scaling: Scaling, name: str, *, drawn: bool
) -> BottleneckModel:
    """Return a model of the scaled visits ``x`` (n, 1), given the ``context`` (n, columns)."""
    columns, d = context.shape[1], 1 if drawn else 8
    bottleneck: Bottleneck = DiagonalGaussian(d) if drawn else Deterministic(d, nn.Identity())
    encoder: nn.Module
    if drawn:
        encoder = dense([1 + columns, *HIDDEN, bottleneck.width], "silu", shortcut=True)
    else:
        encoder = WithoutVisits(dense([columns, *HIDDEN, bottleneck.width], "silu", shortcut=True))
    model = BottleneckModel(
        corruption=Corruption("gaussian", 0.0, 0.0, (1,)),
        encoder=encoder,
        bottleneck=bottleneck,
        decoder=dense([d + columns, *HIDDEN[::-1], 1], "silu", shortcut=True),
        likelihood=LIKELIHOODS[name].for_data(scaling),
        prior=StandardNormal(1, d, 1),
    )
    generator = torch.Generator().manual_seed(0)
    initialise(model, generator)
    examples = Examples.of(torch.from_numpy(x), torch.from_numpy(context))
    order = torch.randperm(len(examples), generator=generator)
    validation, training = (examples.subset(rows) for rows in order.tensor_split([len(examples) // 10]))
    first = training.take(torch.arange(len(training))).x
    model.likelihood.calibrate(first, first.mean(0))
    objective: Objective = EvidenceLowerBound() if drawn else Reconstruction()
    training = Training(
        [Member(model, training, validation, generator, sum(p.numel() for p in model.parameters()))],
        objective,
        epochs=EPOCHS,
        batch_size=128,
        learning_rate=4e-3,
        weight_decay=0.1,
        schedule="one-cycle",
        patience=EPOCHS,
        checkpoint=None,
        processes=ALONE,
        device=torch.device("cpu"),
    )
    for _ in training.steps():
        pass
    return model.eval()


@torch.no_grad()
def log_mass(
    model: BottleneckModel, k: NDArray[np.float64], context: NDArray[np.float32], scaling: Scaling
) -> NDArray[np.float64]:
    """Return log p(k | context) of counts (n, 1), (n,)."""
    x, given = torch.from_numpy(scaling.apply(k)), torch.from_numpy(context)
    if not model.bottleneck.draws:
        return _log_mass(model, x, model.output(model.encode(x, given), given), float(scaling.scale[0]))
    z = torch.linspace(-5, 5, GRID)
    weights = (-z.square() / 2).log_softmax(0).double().numpy()
    each = [
        _log_mass(model, x, model.output(at.expand(len(x), 1), given), float(scaling.scale[0])) + weight
        for at, weight in zip(z, weights, strict=True)
    ]
    mass: NDArray[np.float64] = np.logaddexp.reduce(each, axis=0)
    return mass


def _log_mass(model: BottleneckModel, x: Tensor, h: Tensor, scale: float) -> NDArray[np.float64]:
    likelihood = model.likelihood
    if not isinstance(likelihood, Gaussian):
        mass: NDArray[np.float64] = likelihood.log_prob(x.double(), h.double()).numpy()
        return mass
    mean, sigma, half = likelihood.mean(h).double(), likelihood.deviation, 0.5 / scale
    upper, lower = (((x + side - mean) / sigma).numpy()[:, 0] for side in (half, -half))
    # Of the two tails the smaller one, whose difference is exact.
    between = np.where(lower > 0, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower))
    return np.log(np.maximum(between, math.ulp(0.0)))


def main() -> None:
    """Print both tables, in Markdown."""
    from statsmodels.datasets import randhie

    torch.set_num_threads(1)
    data = randhie.load_pandas().data
    visits = data[["mdvis"]].to_numpy(np.float64)
    others = data.drop(columns="mdvis").to_numpy(np.float64)
    seen, held_out = train_test_split(np.arange(len(data)), test_size=0.2, random_state=0)
    context = Scaling.fit(others[seen], "feature").apply(others)
    scaling = Scaling.fit(visits[seen], "feature")
    x = scaling.apply(visits)
    zeros = float((visits[held_out] == 0).mean())
    for drawn in (False, True):
        print(
            f"\n{'Code drawn' if drawn else 'Code from the other columns alone'}; held-out share of zeros {zeros:.3f}\n"
        )
        print("| likelihood | log p(visits), nats | ± | share of zeros |\n|---|---|---|---|")
        for name in ("gaussian", "poisson", "negative-binomial"):
            model = trained(x[seen], context[seen], scaling, name, drawn=drawn)
            scores = log_mass(model, visits[held_out], context[held_out], scaling)
            none = np.exp(log_mass(model, np.zeros_like(visits[held_out]), context[held_out], scaling)).mean()
            error = scores.std() / math.sqrt(len(scores))
            print(f"| {name} | {scores.mean():.3f} | {error:.3f} | {none:.3f} |", flush=True)
