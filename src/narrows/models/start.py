"""Where the training of a net with a linear shortcut starts: at principal components, which a random start may miss."""

from __future__ import annotations

import torch
from scipy.linalg import eigh
from torch import Tensor, nn

from narrows.models.likelihoods import Located
from narrows.models.model import BottleneckModel
from narrows.models.nets import Shortcut, has_convolutions

__all__ = ["start_at_components"]

LEAST_GREY = 0.02
"""Nearer to 0 and 1 the inverse of the sigmoid is steep, and a straight line through it would heed little else."""

LARGEST_RATIO = 10
"""Of a direction's weights to those of the first: with more, the noise on the inputs would drown what varies little."""


@torch.no_grad()
def start_at_components(model: BottleneckModel, x: Tensor) -> None:
    """Set the shortcuts of the nets, where both have one, to principal components.

    The code begins with them, each with the bottleneck's ``spread``, or less where a direction's variance is below a
    hundredth of the first's. A decoder with convolutions begins with the linear map from them that is nearest, by least
    squares, to what the likelihood's mean has to be made of: a linear autoencoder has no better (Baldi & Hornik 1989).
    A dense one does better on held-out data if it finds its own way there, which takes few epochs.

    Parameters
    ----------
    x
        Scaled inputs (n, features), two or more.
    """
    encoder, decoder = model.encoder, model.decoder
    if not (isinstance(encoder, Shortcut) and isinstance(decoder, Shortcut)):
        return
    into, out = encoder.linear, decoder.linear
    assert isinstance(into, nn.Linear)
    assert isinstance(out, nn.Linear)
    mean = x.mean(0)
    directions = model.bottleneck.spread * _components(x - mean, model.prior.latent_dim)
    k, features = directions.shape
    _clear(into)  # a Gaussian's log-variances and a context start at no influence
    into.weight[:k, :features] = directions
    into.bias[:k] = -directions @ mean
    if has_convolutions(decoder):
        codes, target = (x - mean) @ directions.T, _linear_output(model, x)
        _clear(out)
        out.weight[:, :k] = target.T @ codes / codes.square().sum(0)
        out.bias.copy_(target.mean(0))


def _clear(layer: nn.Linear) -> None:
    layer.weight.zero_()
    layer.bias.zero_()


def _components(centred: Tensor, most: int) -> Tensor:
    """Return up to ``most`` principal directions (k, features) of rows (n, features), scaled as codes are to be."""
    n, features = centred.shape
    # In 32 bits it fails on one set of smooth images in forty. SciPy finds the last few alone, torch only all.
    products = (centred @ centred.T if n < features else centred.T @ centred).double()
    last = (max(0, len(products) - most), len(products) - 1)
    squares, vectors = (torch.from_numpy(found).flip(-1) for found in eigh(products.numpy(), subset_by_index=last))
    varied = squares > 1e-6 * squares[:1]
    squares, vectors = squares[varied].float(), vectors[:, varied].float()
    directions = (centred.T @ vectors / squares.sqrt() if n < features else vectors).T
    scaled: Tensor = directions * (n / squares.clamp_min(squares[:1] / LARGEST_RATIO**2)).sqrt()[:, None]
    return scaled


def _linear_output(model: BottleneckModel, x: Tensor) -> Tensor:
    """Return decoder outputs (n, features) whose mean is about ``x``."""
    likelihood = model.likelihood
    straight = isinstance(likelihood, Located) and isinstance(likelihood.link, nn.Identity)
    output: Tensor = x if straight else x.clamp(LEAST_GREY, 1 - LEAST_GREY).logit()
    return output
