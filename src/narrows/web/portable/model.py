"""A fitted model as a page without a server computes with it."""

from __future__ import annotations

from dataclasses import dataclass

from narrows.fitted.fitted import Fitted
from narrows.web.portable.codes import PortableBottleneck, PortablePrior, bottleneck_of, prior_of
from narrows.web.portable.likelihoods import PortablePart, parts_of
from narrows.web.portable.nets import Operation, operations
from narrows.web.portable.tables import PortableColumn, PortableTable, columns_of, table_of
from narrows.web.portable.weights import Bits
from narrows.web.rows import Columns

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
    table, columns
        What a model of a table needs besides, else None; and the columns of examples that are rows with names.
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
    bottleneck: PortableBottleneck
    likelihood: list[PortablePart]
    prior: PortablePrior
    table: PortableTable | None
    columns: list[PortableColumn]


def portable(fitted: Fitted, bits: Bits = "float32", columns: Columns | None = None) -> PortableModel:
    """Return a fitted model for a page.

    Parameters
    ----------
    fitted
        The model.
    bits
        What each of the nets' weights takes.
    columns
        Of its examples, if these are rows with names.

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
        parts_of(model.likelihood),
        prior_of(model.prior),
        table_of(fitted),
        [] if columns is None else columns_of(columns),
    )
