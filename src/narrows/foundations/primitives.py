"""Primitive functions f₁, f₂, … with their partial derivatives: what the nodes of a feed-forward network apply.

The lecture “Úvod do generativních modelů” composes one function F(x, y, z) of them; see `feedforward`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from narrows.foundations.activations import ACTIVATIONS
from narrows.foundations.arguments import Array, finite_number

__all__ = ["PRIMITIVES", "Primitive", "constant", "power"]


@dataclass(frozen=True, slots=True)
class Primitive:
    """A function of zero or more numbers with its partial derivatives.

    Parameters
    ----------
    name : str
        How a drawing labels it.
    function : callable
        Takes as many arrays of one shape as it has arguments and works on each entry by itself.
    partials : tuple of callable
        One an argument: with the same arguments, the derivative of ``function`` in that one.

    Examples
    --------
    >>> import numpy as np
    >>> norm = Primitive("norm", np.hypot, (lambda x, y: x / np.hypot(x, y), lambda x, y: y / np.hypot(x, y)))
    """

    name: str
    function: Callable[..., ArrayLike]
    partials: tuple[Callable[..., ArrayLike], ...]


def constant(value: float) -> Primitive:
    """The primitive without arguments whose value is always ``value``.

    Raises
    ------
    TypeError, ValueError
        If the value is not a finite number.
    """
    c = finite_number("value", value)
    return Primitive(f"{c:g}", lambda: c, ())


def power(exponent: float) -> Primitive:
    """The primitive x ↦ xᵖ for a fixed real exponent p, with derivative p·xᵖ⁻¹.

    Raises
    ------
    TypeError, ValueError
        If the exponent is not a finite number.
    """
    p = finite_number("exponent", exponent)
    # x⁰ is 1 at x = 0 too, where p·xᵖ⁻¹ would read 0·∞.
    return Primitive(f"power {p:g}", lambda x: x**p, ((lambda x: p * x ** (p - 1)) if p else np.zeros_like,))


def _one(*_: Array) -> float:
    return 1.0


def _larger(x: Array, y: Array) -> Array:
    # Where both are equal the maximum has no derivative; half for each is the symmetric choice, and torch's.
    return np.asarray((x > y) + (x == y) / 2)


PRIMITIVES: Mapping[str, Primitive] = MappingProxyType(
    {
        primitive.name: primitive
        for primitive in (
            Primitive("add", np.add, (_one, _one)),
            Primitive("subtract", np.subtract, (_one, lambda *_: -1.0)),
            Primitive("multiply", np.multiply, (lambda _, y: y, lambda x, _: x)),
            Primitive("divide", np.divide, (lambda _, y: 1 / y, lambda x, y: -x / y / y)),
            Primitive("maximum", np.maximum, (_larger, lambda x, y: _larger(y, x))),
            Primitive("negate", np.negative, (lambda _: -1.0,)),
            Primitive("square", np.square, (lambda x: 2 * x,)),
            Primitive("sqrt", np.sqrt, (lambda x: 0.5 / np.sqrt(x),)),
            Primitive("exp", np.exp, (np.exp,)),
            Primitive("log", np.log, (np.reciprocal,)),
            Primitive("sin", np.sin, (np.cos,)),
            Primitive("cos", np.cos, (lambda x: -np.sin(x),)),
            *(Primitive(a.name, a.function, (a.slope,)) for a in ACTIVATIONS.values()),
        )
    }
)
"""The primitives by name: those listed above and the activation functions."""
