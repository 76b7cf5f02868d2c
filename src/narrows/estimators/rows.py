"""What estimators are given, X and its weights, as the rows that a model takes."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from narrows.arguments import check_channels, check_finite, check_given, in_numpy, refuse_masked, rows_unmasked
from narrows.columns.finding import Asked
from narrows.columns.reading import is_frame
from narrows.columns.table import Table, is_plain
from narrows.data.take import take
from narrows.estimators.attributes import FittedAttributes
from narrows.fitted.frame import Frame
from narrows.fitted.source import Source
from narrows.fitted.units import SOME, looked_at, warn_of_units

__all__ = ["Given", "is_streamed", "rows_of", "rows_to_fit", "shape_of", "weights_of"]

IN_MEMORY = ("__array_interface__", "__array_namespace__")
"""One of which an array has that hands out its memory."""

MOST_IN_MEMORY, MOST_OF_A_FILE = 2**30, 2**25
"""Bytes: an array whose copy in 32-bit floats would take more, and a memory-mapped file of more, is streamed."""


def is_streamed(X: Any) -> bool:
    """Say whether ``X`` is read batch by batch: a large array, or one that is not in memory.

    That is whatever has a NumPy dtype, a shape of two axes or more, and rows to index, but hands out no memory of its
    own: `narrows.data.OnDisk`, an HDF5 data set, a Zarr array.
    """
    if isinstance(X, np.memmap):
        return bool(X.nbytes > MOST_OF_A_FILE)
    if isinstance(X, np.ndarray):
        return 4 * X.size > MOST_IN_MEMORY and X.dtype.kind in "buif"
    foreign = hasattr(X, "__array__") and not any(hasattr(X, name) for name in IN_MEMORY)
    return isinstance(getattr(X, "dtype", None), np.dtype) and len(getattr(X, "shape", ())) > 1 and foreign


def _is_data_set(X: Any) -> bool:
    """Say whether ``X`` is a path, or a data set with items to index, as torch's and Hugging Face's, but no array."""
    if isinstance(X, str | os.PathLike):
        return True
    arrays = (*IN_MEMORY, "__array__", "__dataframe__", "toarray")
    indexed = hasattr(X, "__getitem__") and hasattr(X, "__len__") and not isinstance(X, list | tuple)
    return indexed and not any(hasattr(X, name) for name in arrays)


class Given(NamedTuple):
    """What is given to learn from.

    Attributes
    ----------
    source
        Its rows, checked; of a table, the cells of the columns that are learned from.
    feature_names, frame
        The columns' names, and the kind of data frame, if it has any.
    table
        What its columns are, where they are not numbers alone, or some are missing.
    """

    source: Source
    feature_names: tuple[str, ...] | None
    frame: Frame | None
    table: Table | None


def rows_to_fit(
    X: Any,
    name: str,
    columns: Asked = None,
    sample_weight: ArrayLike | None = None,
    *,
    argument: str = "X",
    least: int = 2,
) -> Given:
    """Return ``X`` checked, as rows to learn from.

    Parameters
    ----------
    X
        As given to `fit`.
    name, argument
        Of the estimator, and what ``X`` was given as, for errors.
    columns
        Its option of this name.
    sample_weight
        As given to `fit`: rows of no weight say nothing of a table's columns.
    least
        Examples that there must be.

    Raises
    ------
    TypeError, ValueError
        If nothing can be learned from it.
    """
    if is_frame(X) and not is_plain(X, columns):
        return _table_to_fit(X, name, columns, sample_weight)
    given = _array(X, argument)
    if len(given.shape) == 1:
        raise ValueError(
            f"{argument} has shape {tuple(given.shape)}; rows (n, features) are expected. Reshape your data: "
            f"{argument}[:, None] is examples of one number each, {argument}[None] one example"
        )
    check_channels(argument, tuple(given.shape))
    if is_streamed(given):
        return Given(Source(given, tuple(given.shape), streamed=True, name=argument), None, None, None)
    # scikit-learn writes what it finds out into an estimator, and ours is to stay as it is until the fit has come to
    # something.
    seen = BaseEstimator()
    rows = _checked(seen, given, reset=True, ensure_min_samples=least, estimator=name)
    if len(given.shape) == 2 and (isinstance(columns, Mapping) or np.isnan(rows).any()):
        return _table_to_fit(rows, name, columns, sample_weight)
    names = vars(seen).get("feature_names_in_")
    check_finite(rows, names, argument=argument)
    source = Source(rows, tuple(given.shape), streamed=False, name=argument)
    return Given(source, None if names is None else tuple(names), Frame.of(X), None)


def _table_to_fit(X: Any, name: str, columns: Asked, sample_weight: ArrayLike | None) -> Given:
    if len(X) < 2:
        raise ValueError(f"Found array with {len(X)} sample(s) (shape={X.shape}) while {name} needs a minimum of 2")
    weights = weights_of(sample_weight, len(X))
    counted = X if weights is None else take(X, np.flatnonzero(weights))
    table = Table.of(counted, columns)
    cells = table.cells(X)
    names = tuple(column.name for column in table.columns if isinstance(column.name, str))
    whole = len(names) == len(table.columns)
    return Given(Source(cells, cells.shape, streamed=False), names if whole else None, None, table)


def shape_of(y: Any) -> tuple[int, ...]:
    """Return the shape of whatever is like an array."""
    # NumPy's own `shape` asks the type of y whether it may, which not every array of others allows.
    return tuple(y.shape) if hasattr(y, "shape") else np.asarray(y).shape


def weights_of(sample_weight: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """Return ``sample_weight`` checked, as a number from 0 on for each of ``n`` examples, (n,).

    Raises
    ------
    ValueError
        If it is something else, or gives fewer than two examples any weight.
    """
    if sample_weight is None:
        return None
    refuse_masked("sample_weight", sample_weight)
    sample_weight = in_numpy(sample_weight)
    if (shape := shape_of(sample_weight)) != (n,):
        raise ValueError(f"sample_weight has shape {shape}; one number for each of {n} examples is expected")
    weights: NDArray[np.float64] = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.min() < 0:
        raise ValueError(f"sample_weight is {weights.min():g} in row {weights.argmin()}; weights are 0 or more")
    some = int((weights > 0).sum())
    if some < 2:
        raise ValueError(f"sample_weight is above zero for {some} of {n} examples; two or more are needed")
    return weights


def rows_of(estimator: FittedAttributes, X: Any, *, warn: bool = True) -> Source:
    """Return ``X`` checked, as rows of the form that the fitted ``estimator`` takes.

    Parameters
    ----------
    estimator, X
        It, and what one of its methods was given.
    warn
        Whether to say that X seems to be in other units, where nothing else says it.

    Raises
    ------
    NotFittedError
        If it is not fitted.
    TypeError, ValueError
        If X is of another form.

    Warns
    -----
    UserWarning
        If X is far outside the range of the training data, or covers little of it; once a fitted model.
    """
    source, fitted = _rows_of(estimator, X), estimator.fitted_
    if warn and fitted.table is None:
        warn_of_units(fitted, next(source.chunks())[: looked_at(fitted, len(source))], "X", SOME)
    return source


def _rows_of(estimator: FittedAttributes, X: Any) -> Source:
    fitted = estimator.fitted_
    if fitted.table is not None:
        return _cells_of(estimator, fitted.table, X)
    given = _array(X)
    shape, streamed = tuple(given.shape), is_streamed(given)
    if shape == fitted.input_shape:
        raise ValueError(f"X has shape {shape}, which is that of one example. Reshape your data: did you mean X[None]?")
    if (len(shape) > 2 or streamed) and shape[1:] != fitted.input_shape:
        raise ValueError(f"X holds examples of shape {shape[1:]}, but the model was fitted on {fitted.input_shape}")
    if streamed:
        return Source(given, shape, streamed=True)
    rows = _checked(estimator, given, reset=False)
    check_finite(rows, fitted.feature_names)
    return Source(rows, shape, streamed=False)


def _cells_of(estimator: FittedAttributes, table: Table, X: Any) -> Source:
    """Return the cells of ``X``, of a fitted ``table``."""
    if not is_frame(X):
        given = _array(X)
        if len(given.shape) > 2 or is_streamed(given):
            raise ValueError(f"X has shape {tuple(given.shape)}; rows (n, {len(table.columns)}) in memory are expected")
        X = _checked(estimator, given, reset=False) if table.library == "numpy" else given
    if not len(X):
        raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
    cells = table.cells(X)
    return Source(cells, cells.shape, streamed=False)


def _array(X: Any, argument: str = "X") -> Any:
    """Return ``X`` as something with a shape of at most four axes."""
    if _is_data_set(X):
        raise TypeError(
            f"{argument} is {type(X).__name__}, not an array; give narrows.data.load_data({argument}).X instead"
        )
    X = in_numpy(rows_unmasked(X))
    check_given(argument, X)
    given = X if hasattr(X, "shape") else np.asarray(X)
    if len(given.shape) > 4:
        raise ValueError(
            f"{argument} has shape {tuple(given.shape)}; rows (n, features) or images (n, H, W) or (n, H, W, C) are "
            "expected"
        )
    return given


def _checked(keeper: BaseEstimator, given: Any, **options: Any) -> NDArray[np.floating]:
    """Return ``given`` as rows (n, features), checked by scikit-learn against the columns that ``keeper`` keeps."""
    # Bytes and 16-bit integers fit into 32-bit floats; any others may not.
    dtypes = [np.float32, np.float64] if _is_small(given) else [np.float64, np.float32]
    if len(given.shape) > 2:
        given = np.reshape(np.asarray(given), (given.shape[0], math.prod(given.shape[1:])))
        # Features of images have no names; so of many, and of numbers, there is nothing to check but their shape.
        if len(given) > 1 and given.dtype.kind in "buif" and not options["reset"]:
            numbers: NDArray[np.floating] = given if given.dtype in dtypes else given.astype(dtypes[0])
            return numbers
    rows: NDArray[np.floating] = validate_data(keeper, given, dtype=dtypes, ensure_all_finite=False, **options)
    return rows


def _is_small(X: Any) -> bool:
    dtype = getattr(X, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind in ("b", "u", "i") and dtype.itemsize <= 2
