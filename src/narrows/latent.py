"""What can be done with codes: noise around one, ways between two, walks along a unit, sums of groups, neighbours.

All of it on arrays of codes, as `transform` gives them and `inverse_transform` takes them. The lecture's last slide
(“Úvod do generativních modelů”) decodes an encoded zero again and again with noise in its code: `around`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import RandomState, choice, integer, random_seed, refuse_masked

__all__ = ["analogy", "around", "interpolate", "nearest", "traverse"]

Array = NDArray[np.float64]
SHAPES = ("one number", "(d,)", "(n, d)")


def around(
    z: ArrayLike,
    sigma: ArrayLike,
    n: int,
    random_state: RandomState = None,
) -> Array:
    """Return ``n`` codes z + σ ε, ε ~ N(0, I), (n, d), around the code ``z`` (d,).

    Parameters
    ----------
    z
        One code.
    sigma
        σ ≥ 0, of all units, or of each, (d,), in the code's own units.
    n
        How many, at least 1.
    random_state
        A seed or a NumPy generator; None draws anew at every call.

    Raises
    ------
    TypeError, ValueError
        If ``sigma`` is negative, or of another length than ``z``; if something is not a finite number, or ``n`` not a
        count.

    Examples
    --------
    >>> from narrows import latent
    >>> latent.around([0.0, 1.0], sigma=0.1, n=5, random_state=0).shape
    (5, 2)
    """
    code, spread = _finite("z", z, 1), _finite("sigma", sigma, 0, 1)
    if spread.shape not in ((), code.shape) or (spread < 0).any():
        raise ValueError(f"sigma={sigma!r} must be one finite number ≥ 0, or {len(code)} of them")
    rng = np.random.default_rng(random_seed(random_state))
    noise: Array = rng.standard_normal((integer("n", n, 1), len(code)))
    return code + spread * noise


def interpolate(a: ArrayLike, b: ArrayLike, steps: int, kind: str = "linear") -> Array:
    """Return ``steps`` codes from ``a`` to ``b`` (d,), both included to the last digit, (steps, d).

    Parameters
    ----------
    a, b
        One code each.
    steps
        2 or more.
    kind
        ``"linear"``: on the straight line. ``"spherical"``: the direction turns evenly along the great circle and the
        length changes evenly (Shoemake 1985; White 2016), which suits standard normal codes, of which few are near 0.
        Where both point in one direction, it is the straight line.

    Raises
    ------
    TypeError, ValueError
        If the codes differ in size, or have no great circle: one is 0, or they point in opposite directions; if
        something is no finite number, ``steps`` no count, or ``kind`` unknown.

    Examples
    --------
    >>> from narrows import latent
    >>> latent.interpolate([0.0, 0.0], [1.0, 2.0], steps=3)
    array([[0. , 0. ],
           [0.5, 1. ],
           [1. , 2. ]])
    """
    start, end = _finite("a", a, 1), _finite("b", b, 1)
    if start.shape != end.shape:
        raise ValueError(f"a has {len(start)} units and b {len(end)}; they must have the same number")
    t = np.linspace(0, 1, integer("steps", steps, 2))[:, None]
    way = _straight if choice("kind", kind, ("linear", "spherical")) == "linear" else _great_circle
    path = way(start, end, t)
    path[0], path[-1] = start, end
    return path


def _straight(start: Array, end: Array, t: Array) -> Array:
    return (1 - t) * start + t * end


def _great_circle(start: Array, end: Array, t: Array) -> Array:
    # hypot neither overflows nor underflows where the sum of squares does.
    lengths = math.hypot(*start), math.hypot(*end)
    if min(lengths) == 0:
        raise ValueError("a spherical interpolation needs codes with a direction, but one is 0; take kind='linear'")
    u, v = start / lengths[0], end / lengths[1]
    # From the half angle, which keeps its digits where the cosine loses them.
    angle = 2 * math.atan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
    if angle > math.pi - 1e-6:
        raise ValueError(
            "a and b point in opposite directions, between which there is no shortest path; take kind='linear'"
        )
    if angle < 1e-6:
        return _straight(start, end, t)
    direction = (np.sin((1 - t) * angle) * u + np.sin(t * angle) * v) / math.sin(angle)
    path: Array = ((1 - t) * lengths[0] + t * lengths[1]) * direction
    return path


def traverse(z: ArrayLike, unit: int, values: ArrayLike) -> Array:
    """Return the code ``z`` (d,) with each of ``values`` (k,) in place of its unit number ``unit``, (k, d).

    Raises
    ------
    TypeError, ValueError
        If there is no such unit, or ``z`` or ``values`` are no list of finite numbers.

    Examples
    --------
    >>> from narrows import latent
    >>> latent.traverse([0.0, 5.0], unit=0, values=[-1, 1])
    array([[-1.,  5.],
           [ 1.,  5.]])
    """
    code, new = _finite("z", z, 1), _finite("values", values, 1)
    codes = np.repeat(code[None], len(new), axis=0)
    codes[:, integer("unit", unit, 0, len(code) - 1)] = new
    return codes


def analogy(z: ArrayLike, minus: ArrayLike, plus: ArrayLike) -> Array:
    """Return z − mean(minus) + mean(plus): codes without what one group has in common, and with what another has.

    Parameters
    ----------
    z
        One code (d,), or many (n, d).
    minus, plus
        Codes of the groups, (k, d) and (l, d).

    Raises
    ------
    TypeError, ValueError
        If a group is empty, sizes differ, or something is no finite number.

    Examples
    --------
    >>> from narrows import latent
    >>> latent.analogy([0.0, 0.0], minus=[[1.0, 1.0]], plus=[[1.0, 3.0]])
    array([0., 2.])
    """
    codes, without, with_ = _finite("z", z, 1, 2), _finite("minus", minus, 2), _finite("plus", plus, 2)
    for name, group in (("minus", without), ("plus", with_)):
        if group.shape[1] != codes.shape[-1]:
            raise ValueError(f"{name} has codes of {group.shape[1]} units and z of {codes.shape[-1]}; they must agree")
    moved: Array = codes - without.mean(0) + with_.mean(0)
    return moved


def nearest(codes: ArrayLike, z: ArrayLike, k: int = 5) -> tuple[NDArray[np.int64], Array]:
    """Return the indices and the Euclidean distances, each (m, k), of the ``k`` of ``codes`` nearest to each of ``z``.

    Parameters
    ----------
    codes
        To search among, (n, d).
    z
        To search for, (m, d).
    k
        At most n.

    Raises
    ------
    TypeError, ValueError
        If sizes differ, there are fewer than ``k`` codes, or something is no finite number.

    Examples
    --------
    >>> from narrows import latent
    >>> latent.nearest([[0.0], [2.0], [5.0]], [[4.0]], k=2)
    (array([[2, 1]]), array([[1., 2.]]))
    """
    from sklearn.neighbors import NearestNeighbors

    among, wanted = _finite("codes", codes, 2), _finite("z", z, 2)
    if among.shape[1] != wanted.shape[1]:
        raise ValueError(f"z has codes of {wanted.shape[1]} units and codes of {among.shape[1]}; they must agree")
    # The search takes |a|² − 2ab + |b|², which loses the digits of codes far from 0; so about their mean, and the
    # distances of those found once more.
    center = among.mean(0)
    search = NearestNeighbors(n_neighbors=integer("k", k, 1, len(among))).fit(among - center)
    indices = search.kneighbors(wanted - center, return_distance=False)
    distances = np.linalg.norm(among[indices] - wanted[:, None], axis=2)
    order = distances.argsort(axis=1, kind="stable")
    return np.take_along_axis(indices, order, 1), np.take_along_axis(distances, order, 1)


def _finite(name: str, value: ArrayLike, *dimensions: int) -> Array:
    """Return a copy of ``value``, which must have one of these numbers of dimensions."""
    refuse_masked(name, value)
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}={value!r} must be numbers") from error
    if array.ndim not in dimensions or not array.size:
        wanted = " or ".join(SHAPES[n] for n in dimensions)
        raise ValueError(f"{name} has shape {array.shape}; {wanted} is expected, and not empty")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds {array[~np.isfinite(array)][0]}; finite numbers are expected")
    return array
