"""Layered networks: layers as matrices, and backpropagation written out.

When the hidden units of a feed-forward network stand in layers, each fed by the one before, a layer is one product of
matrices and one activation, which is why such networks are fast. Training fits outputs o to targets t by descending
the lecture's error E = ½ Σᵢ ‖oᵢ − tᵢ‖², a sum over the examples and not their mean. Its gradient comes from one pass
back through the layers (Kelley 1960, Bryson 1962; for networks Rumelhart, Hinton & Williams 1986).

With the p examples as the rows of A⁰ = X, every layer l = 1…L, and ∘ the product entry by entry:

    forward     Zˡ = Aˡ⁻¹ Wˡᵀ + bˡ          Aˡ = φˡ(Zˡ)                    O = Aᴸ
    backward    Δᴸ = (O − T) ∘ φᴸ′(Zᴸ)       Δˡ = (Δˡ⁺¹ Wˡ⁺¹) ∘ φˡ′(Zˡ)
    gradients   ∂E/∂Wˡ = Δˡᵀ Aˡ⁻¹            ∂E/∂bˡ = the sum of Δˡ's rows
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from narrows.foundations.activations import Activation
from narrows.foundations.arguments import Array, finite_array, whole_number
from narrows.foundations.descent import descend

__all__ = ["Backpropagation", "Layer", "LayeredNet", "TrainingStep", "random_net", "squared_error", "train"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One dense layer: φ(W x + b).

    Attributes
    ----------
    W : ndarray of shape (units, inputs)
        A row of weights a unit.
    b : ndarray of shape (units,)
        The biases; −b are the units' thresholds.
    activation : Activation
        φ.

    Raises
    ------
    TypeError, ValueError
        If W or b is not finite, or their shapes do not fit.
    """

    W: Array
    b: Array
    activation: Activation

    def __post_init__(self) -> None:
        W, b = finite_array("W", self.W), finite_array("b", self.b)
        if W.ndim != 2 or b.shape != W.shape[:1]:
            raise ValueError(f"W and b must have shapes (units, inputs) and (units,), got {W.shape} and {b.shape}")
        object.__setattr__(self, "W", W)
        object.__setattr__(self, "b", b)


def squared_error(outputs: ArrayLike, targets: ArrayLike) -> float:
    """The lecture's error E = ½ Σᵢ ‖oᵢ − tᵢ‖², summed over the examples and their outputs.

    Parameters
    ----------
    outputs, targets : array_like of shape (p, outputs)
        oᵢ and tᵢ, a row an example.

    Raises
    ------
    TypeError, ValueError
        If either is not finite, or their shapes differ.
    FloatingPointError
        If E overflows.
    """
    o, t = finite_array("outputs", outputs), finite_array("targets", targets)
    if o.shape != t.shape:
        raise ValueError(f"outputs and targets must have one shape, got {o.shape} and {t.shape}")
    with np.errstate(over="ignore"):
        E = 0.5 * float(np.sum((o - t) ** 2))
    if not np.isfinite(E):
        raise FloatingPointError("the error E overflows")
    return E


@dataclass(frozen=True, slots=True)
class Backpropagation:
    """What one pass forward and one back tell about a net on p examples.

    Attributes
    ----------
    activations : tuple of ndarray
        A⁰ = X, A¹, …, Aᴸ = O, of shape (p, units) each.
    deltas : tuple of ndarray
        Δ¹, …, Δᴸ, the derivatives of E in the weighted sums Zˡ, of shape (p, units) each.
    error : float
        E = ½ Σᵢ ‖oᵢ − tᵢ‖².
    W, b : tuple of ndarray
        ∂E/∂Wˡ and ∂E/∂bˡ of every layer, in the layer's shapes.
    """

    activations: tuple[Array, ...]
    deltas: tuple[Array, ...]
    error: float
    W: tuple[Array, ...]
    b: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class LayeredNet:
    """Layers, each fed by the one before.

    Raises
    ------
    ValueError
        If there is no layer, or a layer's inputs are not as many as the units before it.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise ValueError("layers must hold at least one layer, got none")
        for number, (before, after) in enumerate(zip(self.layers, self.layers[1:], strict=False), 2):
            if after.W.shape[1] != len(before.b):
                raise ValueError(f"layer {number} takes {after.W.shape[1]} inputs, but {len(before.b)} units feed it")

    def __call__(self, X: ArrayLike) -> Array:
        """The outputs O of shape (p, outputs) for the examples X of shape (p, inputs).

        Raises
        ------
        TypeError, ValueError
            If X is not finite or has another shape.
        FloatingPointError
            If a weighted sum overflows.
        """
        return self._forward(X)[1][-1]

    def backpropagate(self, X: ArrayLike, T: ArrayLike) -> Backpropagation:
        """E and its gradient in every weight, by the formulas at the top of this module.

        Parameters
        ----------
        X : array_like of shape (p, inputs)
        T : array_like of shape (p, outputs)
            The targets.

        Raises
        ------
        TypeError, ValueError
            If X or T is not finite, or has another shape.
        FloatingPointError
            If a weighted sum, the error or the gradient overflows.
        """
        Z, A = self._forward(X)
        error = squared_error(A[-1], T)
        deltas: list[Array] = []
        with np.errstate(over="ignore", invalid="ignore"):
            above = A[-1] - finite_array("T", T)
            for layer, z in zip(self.layers[::-1], Z[::-1], strict=True):
                deltas.insert(0, above * layer.activation.derivative(z))
                above = deltas[0] @ layer.W
            W = tuple(delta.T @ below for delta, below in zip(deltas, A[:-1], strict=True))
            b = tuple(delta.sum(axis=0) for delta in deltas)
        if not all(np.isfinite(array).all() for array in (*W, *b)):
            raise FloatingPointError(f"the gradient overflows where E = {error:g}")
        return Backpropagation(tuple(A), tuple(deltas), error, W, b)

    def _forward(self, X: ArrayLike) -> tuple[list[Array], list[Array]]:
        A, Z, inputs = [finite_array("X", X)], [], self.layers[0].W.shape[1]
        if A[0].ndim != 2 or A[0].shape[1] != inputs:
            raise ValueError(f"X must have shape (examples, {inputs}), got {A[0].shape}")
        for number, layer in enumerate(self.layers, 1):
            with np.errstate(over="ignore", invalid="ignore"):
                Z.append(A[-1] @ layer.W.T + layer.b)
            if not np.isfinite(Z[-1]).all():
                raise FloatingPointError(f"a weighted sum in layer {number} overflows")
            A.append(layer.activation(Z[-1]))
        return Z, A


def random_net(sizes: Sequence[int], activations: Sequence[Activation], seed: int) -> LayeredNet:
    """A net with weights drawn uniformly from ±√(6 / (inputs + units)) and biases 0 (Glorot & Bengio 2010).

    Parameters
    ----------
    sizes : sequence of int ≥ 1
        The number of inputs, then of every layer's units: (2, 3, 1) has 2 inputs, 3 hidden units and 1 output.
    activations : sequence of Activation
        One a layer, so one fewer than ``sizes``.
    seed : int ≥ 0
        The same seed draws the same weights.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number of at least 1 or the seed not one of at least 0, or the lengths do not fit.
    """
    rng = np.random.default_rng(whole_number("seed", seed, 0))
    if len(sizes) != len(activations) + 1 or not activations:
        raise ValueError(f"sizes must be one more than activations, got {len(sizes)} and {len(activations)}")
    sizes = [whole_number("sizes", size, 1) for size in sizes]
    layers = []
    for inputs, units, activation in zip(sizes[:-1], sizes[1:], activations, strict=True):
        limit = np.sqrt(6 / (inputs + units))
        layers.append(Layer(rng.uniform(-limit, limit, (units, inputs)), np.zeros(units), activation))
    return LayeredNet(tuple(layers))


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """A net on its way: how many steps lie behind it, the net, and its error E on the training examples."""

    index: int
    net: LayeredNet
    error: float


def train(
    net: LayeredNet, X: ArrayLike, T: ArrayLike, *, eta: float, n_steps: int, momentum: float = 0.0
) -> Iterator[TrainingStep]:
    """Descend E over all weights and biases at once, every step on all examples.

    Parameters
    ----------
    net : LayeredNet
        Where to start; it stays as it is.
    X, T : array_like of shape (p, inputs) and (p, outputs)
        The examples and their targets.
    eta, n_steps, momentum
        As for `descend`. E is a sum, so twice as many examples want half the rate.

    Returns
    -------
    iterator of TrainingStep
        ``net`` itself and the ``n_steps`` nets after it, each computed when it is asked for.

    Raises
    ------
    TypeError, ValueError
        At once for a bad rate, number of steps or momentum; at the first step for examples that do not fit the net.
    FloatingPointError
        While iterating, if the descent diverges; the message says at which step and what to try.
    """
    ends = np.cumsum([array.size for layer in net.layers for array in (layer.W, layer.b)])

    def net_at(theta: Array) -> LayeredNet:
        arrays = np.split(theta, ends[:-1])
        layers = zip(net.layers, arrays[::2], arrays[1::2], strict=True)
        return LayeredNet(tuple(Layer(W.reshape(layer.W.shape), b, layer.activation) for layer, W, b in layers))

    def error(theta: Array) -> float:
        return squared_error(net_at(theta)(X), T)

    def gradient(theta: Array) -> Array:
        back = net_at(theta).backpropagate(X, T)
        return np.concatenate([array.ravel() for pair in zip(back.W, back.b, strict=True) for array in pair])

    start = np.concatenate([array.ravel() for layer in net.layers for array in (layer.W, layer.b)])
    walk = descend(error, gradient, start, eta=eta, n_steps=n_steps, momentum=momentum)
    return (TrainingStep(step.index, net_at(step.x), step.value) for step in walk)
