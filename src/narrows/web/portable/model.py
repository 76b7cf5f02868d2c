"""A fitted model as a page without a server computes with it."""

from __future__ import annotations

from dataclasses import dataclass

from narrows.fitted.fitted import Fitted
from narrows.web.portable.nets import Operation, operations
from narrows.web.portable.parts import Part, PriorOfPage, Way, bottleneck_of, part_of, prior_of
from narrows.web.portable.weights import Bits

__all__ = ["PortableModel", "portable"]


@dataclass(frozen=True, slots=True)
class PortableModel:
    """What ``static/kernels/model.js`` opens; `narrows.web.wire.pack` makes a frame of it.

    Attributes
    ----------
    kind, shape, latent_dim
        The named model, the shape of an example, and how many numbers a code has.
    classes
        How many the nets are told of; 0 where they are not.
    unit_interval
        Whether scaled training data fill [0, 1].
    offset, scale
        An example's number i is scaled by those at i modulo how many there are.
    encoder, decoder
        What the nets do.
    bottleneck, likelihood, prior
        The other parts.
    """

    kind: str
    shape: tuple[int, ...]
    latent_dim: int
    classes: int
    unit_interval: bool
    offset: list[float]
    scale: list[float]
    encoder: list[Operation]
    decoder: list[Operation]
    bottleneck: Way
    likelihood: list[Part]
    prior: PriorOfPage


def portable(fitted: Fitted, bits: Bits = "float32") -> PortableModel:
    """Return a fitted model for a page.

    Parameters
    ----------
    fitted
        The model.
    bits
        What each of the nets' weights takes.

    Raises
    ------
    ValueError
        If its nets are its user's own.
    """
    model, scaling = fitted.model, fitted.scaling
    groups = scaling.groups(fitted.input_shape)
    return PortableModel(
        fitted.kind,
        fitted.input_shape,
        fitted.latent_dim,
        len(fitted.require_classes()) if fitted.conditional else 0,
        scaling.unit_interval,
        scaling.offset[:groups].tolist(),
        scaling.scale[:groups].tolist(),
        operations(model.encoder, bits),
        operations(model.decoder, bits),
        bottleneck_of(model.bottleneck),
        [part_of(model.likelihood, fitted.features)],
        prior_of(model.prior),
    )
