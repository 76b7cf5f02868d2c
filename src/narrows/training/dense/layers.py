"""K equal dense nets side by side, forward and backward by hand.

Small nets cost their framework's overhead, not their arithmetic: here a layer of all K is one product of matrices, its
gradient two, over arrays that are set up once. A bias is the weight of one more input, which is always 1 (the lecture,
“Úvod do generativních modelů”, on the perceptron's threshold).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from narrows.models.nets import Shortcut

__all__ = ["DERIVED", "Net", "PackedLayer", "Passes", "linear_layers"]

aten = torch.ops.aten
relu_backward, silu, silu_backward = aten.threshold_backward.grad_input, aten.silu.out, aten.silu_backward.grad_input
tanh_backward, sigmoid_backward = aten.tanh_backward.grad_input, aten.sigmoid_backward.grad_input


def _same(h: Tensor, *, out: Tensor) -> None:
    out.copy_(h)


def _passed(g: Tensor, h: Tensor, a: Tensor, *, grad_input: Tensor) -> None:  # noqa: ARG001 - one signature for all
    grad_input.copy_(g)


DERIVED: dict[type[nn.Module], tuple[Callable[..., object], Callable[..., object]]] = {
    nn.Identity: (_same, _passed),
    nn.ReLU: (
        lambda h, out: torch.clamp_min(h, 0, out=out),
        lambda g, h, _, grad_input: relu_backward(g, h, 0, grad_input=grad_input),
    ),
    nn.SiLU: (silu, lambda g, h, _, grad_input: silu_backward(g, h, grad_input=grad_input)),
    # Its kernels can write neither into part of an array nor over their own arguments.
    nn.GELU: (
        lambda h, out: out.copy_(nn.functional.gelu(h)),
        lambda g, h, _, grad_input: grad_input.copy_(aten.gelu_backward(g, h)),
    ),
    nn.Tanh: (torch.tanh, lambda g, _, a, grad_input: tanh_backward(g, a, grad_input=grad_input)),
    nn.Sigmoid: (torch.sigmoid, lambda g, _, a, grad_input: sigmoid_backward(g, a, grad_input=grad_input)),
}
"""Of each activation a = f(h): (h, out) ↦ a, and (∂E/∂a, h, a, grad_input) ↦ ∂E/∂h."""


def linear_layers(net: nn.Module) -> tuple[list[nn.Linear], nn.Linear | None, type[nn.Module]] | None:
    """Return a dense net's layers, its linear shortcut if it has one, and its activation; None of any other net."""
    shortcut, deep = (net.linear, net.deep) if type(net) is Shortcut else (None, net)
    if type(deep) is not nn.Sequential:
        return None
    linears, activations = list(deep)[::2], {type(layer) for layer in list(deep)[1::2]}
    everyone = linears if shortcut is None else [*linears, shortcut]
    if len(deep) % 2 == 0 or any(type(layer) is not nn.Linear or layer.bias is None for layer in everyone):
        return None
    if len(activations) > 1 or not activations <= set(DERIVED):
        return None
    return linears, shortcut, next(iter(activations), nn.Identity)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """A linear layer of each of K models, of sizes (inputs, outputs) that hold the largest of them.

    Attributes
    ----------
    linears
        K of them; smaller ones have weights of 0 for the inputs and outputs that they lack.
    inputs, outputs
        Of the largest.
    parts
        In how many equal parts the outputs stand, each filled up by itself: 2 for μ and log σ².
    rate
        The fraction of the learning rate that its weights have.
    """

    linears: Sequence[nn.Linear]
    inputs: int
    outputs: int
    parts: int
    rate: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """(K, inputs + 1, outputs), the last row the biases."""
        return len(self.linears), self.inputs + 1, self.outputs

    def views(self, weights: Tensor, model: int) -> tuple[Tensor, Tensor]:
        """Return one model's own weights (inputs, parts, outputs) and biases (parts, outputs) in ``weights``."""
        linear = self.linears[model]
        mine = weights[model].view(self.inputs + 1, self.parts, -1)[:, :, : linear.out_features // self.parts]
        return mine[: linear.in_features], mine[-1]

    def read(self, weights: Tensor) -> None:
        """Set ``weights`` to the models' own."""
        weights.zero_()
        for model, linear in enumerate(self.linears):
            weight, bias = self.views(weights, model)
            weight.copy_(linear.weight.T.reshape(weight.shape))
            bias.copy_(linear.bias.view(bias.shape))

    def write(self, weights: Tensor) -> None:
        """Set the models' own to ``weights``."""
        for model, linear in enumerate(self.linears):
            weight, bias = self.views(weights, model)
            linear.weight.copy_(weight.reshape(linear.weight.T.shape).T)
            linear.bias.copy_(bias.reshape(-1))


@dataclass(frozen=True, slots=True)
class Net:
    """One of the two nets of K models.

    Attributes
    ----------
    layers
        In their order; last the linear shortcut, if there is one.
    shortcut
        Whether there is.
    activation, last
        Between two layers, and after the last.
    """

    layers: Sequence[PackedLayer]
    shortcut: bool
    activation: type[nn.Module]
    last: type[nn.Module]

    @classmethod
    def of(cls, nets: Sequence[nn.Module], rates: Mapping[Tensor, float], parts: int, last: type[nn.Module]) -> Self:
        """Return that of ``nets``.

        Parameters
        ----------
        nets
            Of the K models.
        rates
            Each parameter's fraction of the learning rate.
        parts
            Of the outputs, as in `PackedLayer`.
        last
            The activation after them, which is not theirs.
        """
        found = [layers for layers in map(linear_layers, nets) if layers]
        columns = zip(*([*deep, *([shortcut] if shortcut else [])] for deep, shortcut, _ in found), strict=True)
        deep, shortcut, activation = found[0]
        ends = {len(deep) - 1, len(deep)}
        layers = [
            PackedLayer(
                linears,
                max(linear.in_features for linear in linears),
                max(linear.out_features for linear in linears),
                parts if index in ends else 1,
                rates[linears[0].weight],
            )
            for index, linears in enumerate(columns)
        ]
        return cls(layers, shortcut is not None, activation, last)

    def of_some(self, models: Sequence[int]) -> Self:
        """Return that of some of the models, whose layers are as large as before."""
        layers = [replace(layer, linears=[layer.linears[model] for model in models]) for layer in self.layers]
        return replace(self, layers=layers)


class Passes:
    """Forward and backward through a `Net` of K models, for batches of one size.

    Parameters
    ----------
    net
        The layers of all K models.
    weights, gradients
        Of its layers, each (K, inputs + 1, outputs).
    examples
        In a batch.

    Attributes
    ----------
    inputs
        (K, examples, inputs), where those of `forward` can be, so that it need not copy them.
    """

    def __init__(self, net: Net, weights: Sequence[Tensor], gradients: Sequence[Tensor], examples: int) -> None:
        self.weights, self.gradients, like = weights, gradients, weights[0]
        (self.activate, self.derive), self.last = DERIVED[net.activation], net.last
        self.shortcut = net.shortcut
        self.deep = range(len(weights) - net.shortcut)
        # The layers' inputs, each with the 1 that the bias weighs, what the products come to, and gradients of both.
        deep = [weights[index] for index in self.deep]
        self.ones = [like.new_ones(len(w), examples, w.shape[1]) for w in deep]
        self.a = [ones[:, :, :-1] for ones in self.ones]
        self.h = [like.new_empty(len(w), examples, w.shape[2]) for w in deep]
        self.g = [like.new_empty(len(w), examples, w.shape[1] - 1) for w in deep]
        # Views made once: transposes, to multiply by backwards.
        self.weights_t = [w[:, :-1].transpose(1, 2) for w in weights]
        self.ones_t = [ones.transpose(1, 2) for ones in self.ones]
        self.inputs, h = self.a[0], self.h[-1]
        self.outputs = h if self.last is nn.Identity else torch.empty_like(h)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (K, examples, outputs) of ``x``, until the next call."""
        if x is not self.inputs:
            self.inputs.copy_(x)
        for index in self.deep:
            if index:
                self.activate(self.h[index - 1], out=self.a[index])
            torch.bmm(self.ones[index], self.weights[index], out=self.h[index])
        if self.shortcut:
            self.h[-1].baddbmm_(self.ones[0], self.weights[-1])
        if self.last is not nn.Identity:
            DERIVED[self.last][0](self.h[-1], out=self.outputs)
        return self.outputs

    def backward(self, gradient: Tensor, *, inputs: bool) -> Tensor:
        """Set the weights' gradients by that of the outputs, and return that of the inputs if so wanted.

        The former becomes that of what is activated last.
        """
        if self.last is not nn.Identity:
            DERIVED[self.last][1](gradient, self.h[-1], self.outputs, grad_input=gradient)
        g = gradient
        for index in reversed(self.deep):
            torch.bmm(self.ones_t[index], g, out=self.gradients[index])
            if index or inputs:
                torch.bmm(g, self.weights_t[index], out=self.g[index])
            if index:
                g = self.h[index - 1]  # which is not needed again
                self.derive(self.g[index], g, self.a[index], grad_input=g)
        if self.shortcut:
            torch.bmm(self.ones_t[0], gradient, out=self.gradients[-1])
            if inputs:
                self.g[0].baddbmm_(gradient, self.weights_t[-1])
        return self.g[0]
