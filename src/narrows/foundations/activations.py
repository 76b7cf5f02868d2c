"""Activation functions: what a unit does with its weighted sum.

The lecture's threshold unit jumps from 0 to 1, and a jump has no useful derivative, so it cannot be trained by descent.
The lecture's way out is to smooth the jump: the sigmoid σ(x) = 1/(1 + e⁻ˣ). Since about 2010 the rectified linear unit
max(0, x) has taken over (Nair & Hinton 2010); it has a kink at 0, where its derivative is declared to be 0.

>>> sigmoid(0.0), relu.derivative([-1.0, 0.0, 2.0])
(array(0.5), array([0., 0., 1.]))
"""

import operator
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Array",
    "finite_array",
    "finite_number",
    "identity",
    "relu",
    "sigmoid",
    "step",
    "tanh",
    "whole_number",
]

Array: TypeAlias = NDArray[np.float64]


def finite_array(name: str, value: ArrayLike) -> Array:
    """Return ``value`` as a new float64 array of the same shape, refusing whatever is not a finite real number.

    Parameters
    ----------
    name : str
        What to call the value in an error.
    value : array_like of any shape
        Booleans, integers, fractions and floats are numbers; text and complex numbers are not.

    Raises
    ------
    TypeError
        If the entries are not real numbers.
    ValueError
        If the rows are ragged, or an entry is NaN, infinite or too large for a float64.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a regular array of numbers, got {reprlib.repr(value)}") from error
    if array.dtype.kind not in "biufO":
        raise TypeError(f"{name} must hold real numbers, got {reprlib.repr(value)}")
    try:
        with np.errstate(over="ignore"):
            numbers = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold real numbers, got {reprlib.repr(value)}") from error
    except OverflowError as error:
        raise ValueError(f"{name} must fit into float64, got {reprlib.repr(value)}") from error
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} must be finite, got {numbers[~np.isfinite(numbers)][0]}")
    return numbers


def finite_number(name: str, value: ArrayLike) -> float:
    """Return ``value`` as a float, refusing whatever is not one finite real number.

    Raises
    ------
    TypeError
        If it is not a real number, or an array of several.
    ValueError
        If it is NaN, infinite or too large for a float64.
    """
    number = finite_array(name, value)
    if number.shape != ():
        raise TypeError(f"{name} must be one number, got {reprlib.repr(value)}")
    return float(number)


def whole_number(name: str, value: SupportsIndex, least: int) -> int:
    """Return ``value`` as an int, refusing whatever is not a whole number of at least ``least``.

    Raises
    ------
    TypeError
        If it is not an integer (3.0 is not).
    ValueError
        If it is below ``least``.
    """
    try:
        number = operator.index(value)
    except TypeError as error:
        raise TypeError(f"{name} must be a whole number, got {value!r}") from error
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return number


@dataclass(frozen=True, slots=True)
class Activation:
    """A function φ: ℝ → ℝ, applied to each entry of an array, with its derivative φ′.

    Parameters
    ----------
    name : str
        How tables, pictures and errors call it.
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
