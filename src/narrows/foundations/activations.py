"""Activation functions: what a unit does with its weighted sum.

The lecture's threshold unit jumps from 0 to 1, and a jump has no useful derivative, so it cannot be trained by descent.
The lecture's way out is to smooth the jump: the sigmoid σ(x) = 1/(1 + e⁻ˣ). Since about 2010 the rectified linear unit
max(0, x) has taken over (Nair & Hinton 2010); it has a kink at 0, where its derivative is declared to be 0.

>>> sigmoid(0.0), relu.derivative([-1.0, 0.0, 2.0])
(array(0.5), array([0., 0., 1.]))
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from narrows.foundations.arguments import Array, finite_array

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "identity",
    "relu",
    "sigmoid",
    "step",
    "tanh",
]


@dataclass(frozen=True, slots=True)
class Activation:
    """A function φ: ℝ → ℝ, applied to each entry of an array, with its derivative φ′.

    Parameters
    ----------
    name : str
        What tables, figures and errors call it.
    function, slope : callable
        φ and φ′, from a finite float64 array to one of the same shape.

    Examples
    --------
    >>> softsign = Activation("softsign", lambda x: x / (1 + abs(x)), lambda x: (1 + abs(x)) ** -2.0)
    >>> softsign([-1.0, 0.0, 3.0])
    array([-0.5 ,  0.  ,  0.75])
    """

    name: str
    function: Callable[[Array], Array]
    slope: Callable[[Array], Array]

    def __call__(self, x: ArrayLike) -> Array:
        """φ(x) for x of any shape, in that shape.

        Raises
        ------
        TypeError, ValueError
            If x does not hold finite real numbers, or ``function`` does not keep its shape.
        """
        return self._entry_by_entry(self.function, finite_array("x", x))

    def derivative(self, x: ArrayLike) -> Array:
        """φ′(x) for x of any shape, in that shape.

        Raises
        ------
        TypeError, ValueError
            If x does not hold finite real numbers, or ``slope`` does not keep its shape.
        """
        return self._entry_by_entry(self.slope, finite_array("x", x))

    def _entry_by_entry(self, function: Callable[[Array], Array], x: Array) -> Array:
        y = np.asarray(function(x), dtype=np.float64)
        if y.shape != x.shape:
            raise ValueError(f"{self.name} must keep the shape {x.shape} of x, got {y.shape}")
        return y


def _sigmoid_slope(x: Array) -> Array:
    # σ(x)σ(−x) rather than σ(x)(1 − σ(x)), which rounds to 0 from x = 37 on.
    return np.multiply(expit(x), expit(-x))


def _tanh_slope(x: Array) -> Array:
    # 1/cosh² through e^−|x|: cosh itself overflows at 710, and 1 − tanh² rounds to 0 from x = 19 on.
    a = np.exp(-np.abs(x))
    return np.square(2.0 * a / (1.0 + a * a))


step = Activation("step", lambda x: np.heaviside(x, 1.0), np.zeros_like)
"""1 if x ≥ 0, else 0 (McCulloch & Pitts 1943). Its derivative is 0, at the jump by declaration."""

sigmoid = Activation("sigmoid", expit, _sigmoid_slope)
"""σ(x) = 1/(1 + e⁻ˣ), the smoothed step; σ′ = σ(1 − σ)."""

tanh = Activation("tanh", np.tanh, _tanh_slope)
"""tanh x = 2σ(2x) − 1, the sigmoid centred on 0; tanh′ = 1 − tanh²."""

relu = Activation("relu", lambda x: np.maximum(x, 0.0), lambda x: np.heaviside(x, 0.0))
"""max(0, x), with derivative 0 at 0 (Nair & Hinton 2010)."""

identity = Activation("identity", np.copy, np.ones_like)
"""x itself: a unit that only sums, as on the output of a net for regression."""

ACTIVATIONS: Mapping[str, Activation] = MappingProxyType({a.name: a for a in (step, sigmoid, tanh, relu, identity)})
"""The activations above by name."""
