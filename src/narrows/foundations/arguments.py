"""Checks of arguments: each names the argument and its value, and says what would be right."""

import reprlib
from collections.abc import Mapping
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Array",
    "array_laid_out",
    "array_of_shape",
    "finite_array",
    "finite_number",
    "finite_values",
    "regular_array",
    "whole_number",
    "whole_pair",
]

Array: TypeAlias = NDArray[np.float64]


def regular_array(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return ``value`` as a new array of its own dtype, in row-major order, so that no reshaping aliases the caller's.

    Parameters
    ----------
    name : str
        What to call the value in an error, here and below.
    value : array_like of any shape and dtype

    Raises
    ------
    ValueError
        If the rows are ragged, or a number is NaN or infinite.
    """
    array = np.array(_regular(name, value), order="C")
    if array.dtype.kind in "fc":
        _refuse_infinite(name, array)
    return array


def finite_array(name: str, value: ArrayLike) -> Array:
    """Return ``value`` as a new float64 array of the same shape, refusing whatever is not a finite real number.

    Parameters
    ----------
    name : str
    value : array_like of any shape
        Booleans, integers, fractions and floats are numbers; text and complex numbers are not.

    Raises
    ------
    TypeError
        If the entries are not real numbers.
    ValueError
        If the rows are ragged, or an entry is NaN, infinite or too large for a float64.
    """
    array = _regular(name, value)
    if array.dtype.kind not in "biufO":
        raise TypeError(f"{name} must hold real numbers, got {reprlib.repr(value)}")
    try:
        with np.errstate(over="ignore"):
            numbers = array.astype(np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold real numbers, got {reprlib.repr(value)}") from error
    except OverflowError as error:
        raise ValueError(f"{name} must fit into float64, got {reprlib.repr(value)}") from error
    _refuse_infinite(name, numbers)
    return numbers


def array_laid_out(name: str, value: ArrayLike, layouts: Mapping[int, str]) -> Array:
    """Return ``value`` as `finite_array` does, laid out in one of the ways named by their numbers of axes.

    Raises
    ------
    TypeError, ValueError
        As in `finite_array`, and if there is no layout with that number of axes, or an axis is of length 0.
    """
    x = finite_array(name, value)
    if x.ndim not in layouts or x.size == 0:
        raise ValueError(f"{name} has shape {x.shape}: must be {' or '.join(layouts.values())}, no axis of length 0")
    return x


def array_of_shape(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Return ``value`` as `finite_array` does, refusing every shape but ``shape``.

    Raises
    ------
    TypeError, ValueError
        As in `finite_array`, and if the shape is another.
    """
    x = finite_array(name, value)
    if x.shape != shape:
        raise ValueError(f"{name} has shape {x.shape}: must be {shape}")
    return x


def finite_values(name: str, value: ArrayLike) -> Array:
    """Return ``value`` as a float64 array, itself where it is one: for what is checked at every step of a loop.

    Raises
    ------
    ValueError
        If it is not made of finite numbers; also, unlike in `finite_array`, if it is not made of numbers.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be numbers in a rectangular table, got {reprlib.repr(value)}") from error
    _refuse_infinite(name, array)
    return array


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


def whole_number(name: str, value: object, least: int) -> int:
    """Return ``value`` as an int, which no product overflows, refusing what is not a whole number from ``least``.

    Raises
    ------
    TypeError
        If it is not an integer (3.0 and True are not).
    ValueError
        If it is below ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def whole_pair(name: str, value: object, least: int) -> tuple[int, int]:
    """Return the whole numbers for rows and for columns, given both or one for both.

    Raises
    ------
    TypeError, ValueError
        As in `whole_number`, and if there are not one or two.
    """
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name} must be one whole number, or two (for rows, for columns), got {value!r}")
    return whole_number(name, pair[0], least), whole_number(name, pair[1], least)


def _regular(name: str, value: ArrayLike) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a regular array, got {reprlib.repr(value)}") from error


def _refuse_infinite(name: str, array: NDArray[Any]) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        index = tuple(np.argwhere(~finite)[0].tolist())
        raise ValueError(f"{name} must be finite, got {array[index]}" + (f" at index {index}" if index else ""))
