"""Checks of arguments: each names the argument and its value, and says what would be right."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "RandomState",
    "check_channels",
    "check_finite",
    "check_given",
    "check_random_state",
    "choice",
    "closest",
    "in_numpy",
    "integer",
    "integers",
    "plain",
    "random_seed",
    "rate",
    "real",
    "real_numbers",
    "refuse_masked",
    "rows_unmasked",
]

RandomState = int | np.random.RandomState | np.random.Generator | None
"""What `random_seed` takes."""

FRAMES_OF = {
    ("pyarrow", "Table"): "to_pandas()",
    ("pyarrow", "RecordBatch"): "to_pandas()",
    ("polars", "LazyFrame"): "collect()",
}
"""What makes data frames of tables that are none."""

LARGEST_VALUE = float(np.finfo(np.float32).max)
"""What the nets' 32-bit floats can hold."""


def integer(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return ``value`` as an int in [low, high].

    Raises
    ------
    TypeError
        If it is not a whole number (``True`` and 2.0 are not).
    ValueError
        If it is outside.
    """
    wanted = f"a whole number of at least {low}" + (f" and at most {high}" if high is not None else "")
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r} must be {wanted}, not {type(value).__name__}")
    number = int(value)
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name}={value!r} must be {wanted}")
    return number


def integers(name: str, value: object, low: int) -> list[int]:
    """Return ``value``, a tuple, list or array, as a list of ints of at least ``low``.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or `integer` refuses one of its numbers.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, tuple | list):
        raise TypeError(f"{name}={value!r} must be a tuple of whole numbers of at least {low}")
    return [integer(name, number, low) for number in value]


def real(name: str, value: object, low: float, high: float = math.inf, *, low_included: bool = True) -> float:
    """Return ``value`` as a finite float in [low, high], or in (low, high] with ``low_included=False``.

    Raises
    ------
    TypeError
        If it is no real number.
    ValueError
        If it is outside, infinite or NaN.
    """
    wanted = f"a finite number {'≥' if low_included else '>'} {low:g}" + (f" and ≤ {high:g}" if high < math.inf else "")
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} must be {wanted}, not {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number) or not low <= number <= high or (number == low and not low_included):
        raise ValueError(f"{name}={value!r} must be {wanted}")
    return number


def rate(name: str, value: object) -> float:
    """Return ``value`` as a float if it is a real number in (0, 1).

    Raises
    ------
    TypeError, ValueError
        If it is anything else.
    """
    number = real(name, value, 0, 1, low_included=False)
    if number == 1:
        raise ValueError(f"{name}={value!r} must be less than 1")
    return number


def real_numbers(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return ``values`` as an array, of any shape and finite or not.

    Raises
    ------
    TypeError
        If it holds anything but real numbers.
    ValueError
        If some of them are masked.
    """
    refuse_masked(name, values)
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}")
    return array


def refuse_masked(name: str, values: object) -> None:
    """Refuse a masked array, of which nothing else would keep the mask, unless it masks nothing.

    Raises
    ------
    ValueError
        If it, or one of a list, masks some values; the message says how many and where the first is.
    """
    if isinstance(values, list | tuple) and any(isinstance(row, np.ma.MaskedArray) for row in values):
        values = np.ma.asarray(values)
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else np.zeros(0, bool)
    if mask.any():
        first = tuple(map(int, np.argwhere(mask)[0]))
        raise ValueError(
            f"{name} has {mask.sum():,} of {mask.size:,} values masked, first at {first}; "
            "fill them, as with numpy.ma.filled, or leave these examples out"
        )


def rows_unmasked(values: Any) -> Any:
    """Return a masked array of rows (n, features), or a list of them, with NaN for what is masked; any other as it is.

    Cells of a table may be missing, those of an image may not.
    """
    if isinstance(values, list | tuple) and any(isinstance(row, np.ma.MaskedArray) for row in values):
        values = np.ma.asarray(values)
    if not isinstance(values, np.ma.MaskedArray) or values.ndim != 2 or values.dtype.kind not in "buif":
        return values
    if not np.ma.is_masked(values):
        return values.data
    return np.ma.filled(values if values.dtype.kind == "f" else values.astype(np.float64), np.nan)


def in_numpy(values: Any) -> Any:
    """Return a tensor of torch as an array of NumPy's, without its gradient, and any other as it is.

    Numbers of bfloat16, which NumPy does not have, become 32-bit floats.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        return (values.float() if str(values.dtype) == "torch.bfloat16" else values).numpy()
    return np.asarray(values, np.float32) if str(getattr(values, "dtype", "")) == "bfloat16" else values


def check_given(name: str, X: Any) -> None:
    """Refuse what an array of numbers could not tell of: masked values, and columns of a data frame that hold none.

    Raises
    ------
    TypeError
        If it is a table, but neither an array nor a frame of pandas or polars; the message says how to make it one.
    ValueError
        If some are masked, or a column holds dates, texts or others; the message names it.
    """
    library, kind = type(X).__module__.partition(".")[0], type(X).__name__
    if (library, kind) in FRAMES_OF:
        raise TypeError(f"{name} is a {kind} of {library}; give {name}.{FRAMES_OF[library, kind]}")
    refuse_masked(name, X)
    types = getattr(X, "dtypes", None)
    if isinstance(types, list):  # as of polars, whose schema names them
        types = X.schema
    for column, dtype in getattr(types, "items", tuple)():
        if _is_numeric(dtype) or _reads_as_numbers(X[column], dtype):
            continue
        held = f"{dtype}, such as {str(getattr(X[column], 'iloc', X[column])[0])!r}" if len(X) else dtype
        raise ValueError(
            f"{name}, column {column!r} holds {held}, which is not a number; drop it, or turn it into numbers"
        )


def _is_numeric(dtype: Any) -> bool:
    """Say whether it is a type of numbers, of pandas, NumPy or polars."""
    return bool(dtype.is_numeric()) if hasattr(dtype, "is_numeric") else getattr(dtype, "kind", "O") in "buifc"


def _reads_as_numbers(column: Any, dtype: Any) -> bool:
    """Return whether a data frame's column of other things than numbers, such as objects, are numbers all the same."""
    if getattr(dtype, "kind", "O") in "mM":
        return False
    values = np.asarray(column, object)
    if any(isinstance(value, str) for value in values):  # which may write numbers, and mean none, as 00501 does
        return False
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True


def check_channels(name: str, shape: tuple[int, ...]) -> None:
    """Refuse images whose channels seem to come first, as torch has them.

    Raises
    ------
    ValueError
        If ``shape`` (n, …) looks like that.
    """
    if len(shape) == 4 and shape[1] in (1, 3, 4) and min(shape[2:]) > 4:
        raise ValueError(
            f"{name}, of shape {shape}, looks as if its channels came first; images are (n, H, W, C): "
            "np.moveaxis(X, 1, -1) moves them last"
        )


def choice(name: str, value: object, options: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``options``.

    Raises
    ------
    ValueError
        If it is not one of them; the message names the closest.
    """
    options = list(options)
    if not isinstance(value, str) or value not in options:
        known = ", ".join(map(repr, options))
        raise ValueError(f"{name}={value!r} is unknown{closest(value, options)}; use one of {known}")
    return value


def closest(word: object, words: Iterable[str]) -> str:
    """Return ``"; did you mean …?"`` with the one of ``words`` most like ``word``, or nothing if none is."""
    found = difflib.get_close_matches(str(word), list(words), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def random_seed(random_state: RandomState) -> int:
    """Return a seed in [0, 2³²) from whatever a user gives as ``random_state``.

    None takes fresh entropy from the system, so that NumPy's global state is neither read nor changed.

    Raises
    ------
    TypeError, ValueError
        If it is neither None, a whole number in that range, nor one of NumPy's generators.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**32, dtype=np.uint64))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**32))
    return integer("random_state", random_state, 0, 2**32 - 1)


def plain(value: Any) -> Any:
    """Return an option's value in plain types: tuples for arrays and lists, copies of mappings with texts as keys."""
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, tuple | list):
        return tuple(plain(item) for item in value)
    return value.item() if isinstance(value, np.generic) else value


def check_random_state(name: str, value: object) -> None:
    """Refuse what `random_seed` does not take; a generator is not drawn from.

    Raises
    ------
    TypeError, ValueError
        If it is neither None, a whole number in [0, 2³²), nor one of NumPy's generators.
    """
    if value is not None and not isinstance(value, np.random.RandomState | np.random.Generator):
        integer(name, value, 0, 2**32 - 1)


def check_finite(
    rows: NDArray[np.floating],
    names: Sequence[str] | None = None,
    numbers: NDArray[np.int64] | None = None,
    *,
    argument: str = "X",
) -> None:
    """Refuse NaN, infinities and what 32-bit floats cannot hold, and say how many there are and where the first is.

    ``numbers`` (n,) are the rows' in the whole data, where they are some of it; ``argument`` is what they came as.

    Raises
    ------
    ValueError
        If ``rows`` (n, features) hold any.
    """
    # The extremes are NaN if any value is, and take no copy of the rows.
    if rows.max(initial=0) <= LARGEST_VALUE and rows.min(initial=0) >= -LARGEST_VALUE:
        return
    for kind, found in {
        "NaN": np.isnan(rows),
        "infinity": np.isinf(rows),
        f"a value beyond ±{LARGEST_VALUE:.1e}": np.abs(rows) > LARGEST_VALUE,
    }.items():
        if found.any():
            row, column = np.argwhere(found)[0]
            row = row if numbers is None else numbers[row]
            where = f"column {names[column]!r}" if names is not None else f"column {column}"
            raise ValueError(
                f"{argument} contains {kind} in {found.sum()} of {found.size} values, first in row {row}, {where}; "
                "fill or drop them before fitting"
            )
