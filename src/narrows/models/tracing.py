"""The layers of a model, each with what it makes of examples: from the input over the code to the output (L20, L23)."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from narrows.models.model import Batch, BottleneckModel
from narrows.models.nets import Shortcut

__all__ = ["TracedLayer", "trace", "twin"]


class TracedLayer(NamedTuple):
    """A module with weights, with all that follows it before the next one.

    Attributes
    ----------
    part
        ``"input"``, ``"encoder"``, ``"code"``, ``"decoder"`` or ``"output"``.
    kind
        The modules' names, such as ``"Linear, ReLU"``.
    values
        What comes out, (n, units), or feature maps (n, channels, h, w); of the input, the input.
    parameters
        Weights and biases; those of a shortcut, or of a likelihood's σ, count at the code or the output, where it ends.
    """

    part: str
    kind: str
    values: Tensor
    parameters: int


@torch.no_grad()
def trace(model: BottleneckModel, batch: Batch) -> list[TracedLayer]:
    """Return the layers for the examples of ``batch``; the code is the mean of q(z | x), the output that of p(x | z).

    A user's own net shows as much as its modules do: functions that are called between them count with the next.
    """
    copied = twin(model)
    up = _noted("encoder", copied.encoder, copied.bottleneck)
    down = _noted("decoder", copied.decoder, copied.likelihood)
    z = copied.encode(*batch.seen)
    output = copied.decode(z, batch.context)
    code = _end("code", z, up, model.encoder, model.bottleneck)
    last = _end("output", output, down, model.decoder, model.likelihood)
    return [TracedLayer("input", "", model.coded(batch.seen[0]), 0), *up[:-1], code, *down[:-1], last]


def twin(model: BottleneckModel) -> BottleneckModel:
    """Return a copy that shares the weights, to put hooks on: other threads may be using the model itself."""
    tensors = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, tensors)


def _noted(part: str, *nets: nn.Module) -> list[TracedLayer]:
    """Return a list to which the layers of ``nets`` come as they are called; of a shortcut, its deep ones."""
    found: list[TracedLayer] = []

    def note(module: nn.Module, _: object, values: Tensor) -> None:
        own, name = _parameters(module), type(module).__name__
        if own:
            found.append(TracedLayer(part, name, values, own))
        elif found and not isinstance(module, nn.Identity):
            found[-1] = found[-1]._replace(kind=f"{found[-1].kind}, {name}", values=values)

    for net in nets:
        for module in (net.deep if isinstance(net, Shortcut) else net).modules():
            if not any(module.children()):
                module.register_forward_hook(note)
    return found


def _end(part: str, values: Tensor, found: list[TracedLayer], *parts: nn.Module) -> TracedLayer:
    """Return the last layer of ``found``, whose ``values`` are what the bottleneck or the likelihood makes of it."""
    kind = found[-1].kind if found else ""
    own = sum(map(_parameters, parts)) - sum(layer.parameters for layer in found[:-1])
    return TracedLayer(part, kind, values, own)


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
