"""Where the training of a net with a linear shortcut starts: at principal components, which a random start may miss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from narrows.components import Components
from narrows.models.model import BottleneckModel
from narrows.models.nets import Shortcut, has_convolutions

__all__ = ["start_at_components"]

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
    components = Components.of(x.numpy(), model.prior.latent_dim)
    mean, axes = torch.from_numpy(components.mean), torch.from_numpy(components.axes)
    deviations = ((x - mean) @ axes.T).square().mean(0).sqrt()
    scales = model.bottleneck.spread / deviations.clamp_min(deviations[:1] / LARGEST_RATIO)
    directions = scales[:, None] * axes
    k, features = directions.shape
    _clear(into)  # a Gaussian's log-variances and a context start at no influence
    into.weight[:k, :features] = directions
    into.bias[:k] = -directions @ mean
    if has_convolutions(decoder):
        codes, target = (x - mean) @ directions.T, model.likelihood.output_for(x)
        _clear(out)
        out.weight[:, :k] = target.T @ codes / codes.square().sum(0).clamp_min(torch.finfo(codes.dtype).tiny)
        out.bias.copy_(target.mean(0))


def _clear(layer: nn.Linear) -> None:
    layer.weight.zero_()
    layer.bias.zero_()
