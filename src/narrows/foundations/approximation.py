"""What one hidden layer can approximate: the universal approximation theorem, measured.

A net with one hidden layer, G(x) = c₀ + Σⱼ cⱼ φ(aⱼx + bⱼ), comes as close as one likes to any continuous function on a
compact set if it has enough hidden units: Cybenko (1989) proves it for sigmoids, Hornik (1991) for bounded activations,
and Leshno, Lin, Pinkus & Schocken (1993) for every φ that is not a polynomial, and for no other. For if φ is a
polynomial of degree k, then so is G, whatever the width: the hidden layer spans the k + 1 dimensions of those
polynomials and no more.

The theorem says that good weights exist, not how to find them. Here the hidden weights are drawn by chance and only the
outer weights c are the best ones (least squares), so each error is an upper bound of the best error at that width.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.foundations.activations import Activation
from narrows.foundations.arguments import Array, finite_array, finite_number, whole_number

__all__ = ["Approximation", "approximate", "monomial"]


@dataclass(frozen=True, slots=True)
class Approximation:
    """Nets of growing width fitted to one function.

    Attributes
    ----------
    activation : str
        The name of φ.
    widths : ndarray of int, shape (widths,)
        Numbers of hidden units.
    rms, sup : ndarray of shape (widths,)
        The root mean square and the largest absolute value of f − G over the sample ``x``.
    dimensions : ndarray of int, shape (widths,)
        How many of the constant and the hidden units are linearly independent on the sample: at most width + 1, and
        for a polynomial φ of degree k at most k + 1.
    x, target : ndarray of shape (points,)
        The sample, evenly spaced over the interval with its ends, and f there.
    fits : ndarray of shape (widths, points)
        G there, a row a width.
    """

    activation: str
    widths: NDArray[np.intp]
    rms: Array
    sup: Array
    dimensions: NDArray[np.intp]
    x: Array
    target: Array
    fits: Array


def monomial(degree: int) -> Activation:
    """The polynomial activation φ(x) = xᵏ, which the theorem excludes.

    Parameters
    ----------
    degree : int from 1 to 15
        k. From about 16 on float64 cannot tell all k + 1 dimensions apart.

    Raises
    ------
    TypeError, ValueError
        If the degree is not such a number.
    """
    k = whole_number("degree", degree, 1)
    if k > 15:
        raise ValueError(f"degree must be at most 15, got {k}")
    return Activation(f"x^{k}", lambda x: x**k, lambda x: k * x ** (k - 1))


def approximate(
    f: Callable[[float], ArrayLike],
    interval: tuple[float, float],
    activation: Activation,
    *,
    widths: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128),
    seed: int = 0,
) -> Approximation:
    """Fit nets with one hidden layer of each width to f on an interval.

    A net of width w has the first w units of one endless random sequence, so a wider net can do all that a narrower one
    can, and the root mean square error never rises. With u running from −1 to 1 over the interval, unit j = 1, 2, … is
    φ(±sⱼ(u − tⱼ)). The tⱼ fill the interval evenly: steps of the golden ratio from a random start, so that the first w
    leave no gap wider than 4/w. The slopes sⱼ, uniform in [j/4, j], grow with them, so that sigmoids become as steep
    anywhere as a continuous f may require; hence its error falls towards 0 for sigmoids as for ReLU.

    The best outer weights come from making each new unit orthogonal to those before it (Gram–Schmidt, done twice). A
    unit of which less than 10⁻⁸ is left then is a combination of the others up to rounding and is passed over.

    Parameters
    ----------
    f : callable
        From a number to a number; called at one point at a time.
    interval : (a, b) with a < b
    activation : Activation
        φ, such as `sigmoid`, `relu`, or ``monomial(3)``.
    widths : increasing sequence of int ≥ 1
    seed : int ≥ 0
        The same seed draws the same hidden weights, for every activation.

    Raises
    ------
    TypeError, ValueError
        If an argument is not one of the above, f is not a finite number somewhere on the interval, or φ overflows.

    Examples
    --------
    >>> from narrows.foundations.activations import relu
    >>> approximate(abs, (-1, 1), relu, widths=(8, 64)).sup < (0.1, 0.05)
    array([ True,  True])
    """
    ends = finite_array("interval", interval)
    if ends.shape != (2,) or not ends[0] < ends[1]:
        raise ValueError(f"interval must be (a, b) with a < b, got {interval}")
    sizes = [whole_number("widths", width, 1) for width in widths]
    if not sizes or sizes != sorted(set(sizes)):
        raise ValueError(f"widths must be increasing, and at least one, got {widths}")
    u = np.linspace(-1.0, 1.0, max(2001, 8 * sizes[-1] + 1))
    x = ends[0] * ((1 - u) / 2) + ends[1] * ((1 + u) / 2)
    target = _sample(f, x)
    scale = np.abs(target).max() or 1.0
    units = _units(activation, u, sizes[-1], whole_number("seed", seed, 0))
    steps = [step for width, step in enumerate(_projections(target / scale, units), 1) if width in sizes]
    rest = np.array([rest for _, rest in steps])
    return Approximation(
        activation=activation.name,
        widths=np.array(sizes),
        rms=scale * np.sqrt(np.mean(rest**2, axis=1)),
        sup=scale * np.abs(rest).max(axis=1),
        dimensions=np.array([dimension for dimension, _ in steps]),
        x=x,
        target=target,
        fits=target - scale * rest,
    )


def _sample(f: Callable[[float], ArrayLike], x: Array) -> Array:
    values = np.empty_like(x)
    for i, point in enumerate(x.tolist()):
        try:
            with np.errstate(all="ignore"):
                value = f(point)
        except ArithmeticError as error:
            raise ValueError(f"f must be finite on the interval, but f({point:g}) fails: {error}") from error
        values[i] = finite_number(f"f({point:g})", value)
    return values


def _units(activation: Activation, u: Array, width: int, seed: int) -> Iterator[Array]:
    """The hidden units 1, 2, … on the points ``u``, of shape (points,) each."""
    rng = np.random.default_rng(seed)
    golden = (np.sqrt(5) - 1) / 2
    start = rng.uniform()
    for j in range(1, width + 1):
        t = 2 * ((start + j * golden) % 1) - 1
        s = j * rng.uniform(0.25, 1) * rng.choice((-1, 1))
        with np.errstate(over="ignore"):
            unit = activation(s * (u - t))
        if not np.isfinite(unit).all():
            raise ValueError(f"activation {activation.name!r} overflows in hidden unit {j}; try smaller widths")
        yield unit


def _projections(target: Array, units: Iterator[Array]) -> Iterator[tuple[int, Array]]:
    """After each unit, the dimension of the span of the constant and the units so far, and what is left."""
    basis = [np.full_like(target, 1 / np.sqrt(len(target)))]
    rest = target - np.mean(target)
    for unit in units:
        q = _new_direction(unit, np.array(basis))
        if q is not None:
            basis.append(q)
            rest = rest - (q @ rest) * q
        yield len(basis), rest


def _new_direction(unit: Array, basis: Array) -> Array | None:
    """The unit vector along what of ``unit`` is orthogonal to the rows of ``basis``; None if nothing is."""
    largest = np.abs(unit).max()
    if largest == 0:
        return None
    q = unit / largest
    whole = np.linalg.norm(q)
    for _ in range(2):
        q = q - (basis @ q) @ basis
    left = np.linalg.norm(q)
    return q / left if left > 1e-8 * whole else None
