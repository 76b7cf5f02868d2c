"""A saved model as a function of rows, for engines that bring the data to many processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from narrows.arguments import choice
from narrows.columns.reading import is_frame
from narrows.data.arrow import frame_of
from narrows.data.tables import label_column
from narrows.estimators import load
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.rows import rows_of
from narrows.estimators.targets import examples_of
from narrows.fitted.fitted import Fitted
from narrows.training.own_state import in_own_state
from narrows.training.processor import limited_threads

if TYPE_CHECKING:  # it is installed where it is needed
    import pyarrow as pa  # type: ignore[import-untyped]

__all__ = ["OUTPUTS", "Scorer", "columns_of", "errors_of", "known_columns", "names_known"]

OUTPUTS = ("codes", "anomaly_score", "score_samples", "reconstruction_error", "odd")
"""What can be said of each row."""

MODELS = 4
"""Of which a process holds one each, however many scorers it is sent."""

Columns = dict[str, NDArray[Any]]


class Scorer:
    """A saved model as a function of rows: what Dask, Ray, Spark or a loop calls on each part of a large table.

    Only the path is sent to a process, which reads the model at its first call, keeps it, and takes one thread. What
    comes back has a row for each row that came in, in the same order, and the same kind: a data frame of pandas (with
    its index) or polars, a dict of arrays, a RecordBatch or a Table of Arrow. Columns that the model does not know are
    left out of account. A conditional model takes its classes from a column called ``label``, ``labels``, ``class``,
    ``target`` or ``y``.

    Parameters
    ----------
    path
        Of a model file, the same for all processes.
    outputs
        Which columns come back: ``"codes"``, ``"anomaly_score"`` and ``"score_samples"`` as the methods ``transform``,
        ``anomaly_score`` and ``score_samples`` give them; ``"reconstruction_error"``, the error of each row in the unit
        of the model; ``"odd"``, whether ``predict`` calls it so.

    Raises
    ------
    TypeError, ValueError
        If ``outputs`` names none, or anything else.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from narrows import Autoencoder, Scorer
    >>> X = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    >>> path = tempfile.mkdtemp() + '/model.safetensors'
    >>> Autoencoder(latent_dim=2, epochs=2, random_state=0).fit(X).save(path)
    >>> scored = Scorer(path)({f'x{i}': X[:4, i] for i in range(3)})
    >>> {name: column.shape for name, column in scored.items()}
    {'autoencoder0': (4,), 'autoencoder1': (4,), 'anomaly_score': (4,)}
    """

    def __init__(self, path: str | os.PathLike[str], outputs: Sequence[str] = ("codes", "anomaly_score")) -> None:
        if isinstance(outputs, str) or not outputs:
            raise TypeError(f"outputs={outputs!r} must be a sequence of {', '.join(OUTPUTS)}, such as ('codes',)")
        self.path = str(Path(path).absolute())
        self.outputs = tuple(choice("outputs", output, OUTPUTS) for output in outputs)

    def __repr__(self) -> str:
        return f"Scorer({self.path!r}, outputs={self.outputs!r})"

    @property
    def estimator(self) -> BottleneckEstimator:
        """The model, as `narrows.load` returns it, read once a process.

        Raises
        ------
        FileNotFoundError
            If this machine has no such file; the message names both.
        ModelFileError
            If it is no whole model.
        """
        try:
            found = Path(self.path).stat()
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"the model {self.path} is not on {socket.gethostname()}, where process {os.getpid()} needs it; put it "
                "there, or on a disk that all workers see"
            ) from error
        return _read(self.path, found.st_mtime_ns, found.st_size)

    @property
    def schema(self) -> pa.Schema:
        """The columns that come back, by name and type, as Arrow has it."""
        import pyarrow as pa

        return pa.schema([(name, pa.from_numpy_dtype(array.dtype)) for name, array in self._none().items()])

    def _none(self) -> Columns:
        """Return the columns of no rows."""
        single, types = np.zeros(0, np.float32), {"anomaly_score": np.float64, "reconstruction_error": np.float64}
        columns: Columns = {}
        for output in self.outputs:
            names = self.estimator.get_feature_names_out() if output == "codes" else [output]
            dtype = np.bool_ if output == "odd" else types.get(output, single.dtype)
            columns |= {str(name): single.astype(dtype) for name in names}
        return columns

    def __call__(self, rows: Any) -> Any:
        """Return the outputs for ``rows``, in a container of the same kind.

        Raises
        ------
        TypeError, ValueError
            If they are no such container, or not like what the model was fitted to.
        """
        if isinstance(rows, pd.DataFrame):
            return pd.DataFrame(self._columns(rows), index=rows.index)
        if is_frame(rows):
            import polars as pl

            return pl.DataFrame(self._columns(rows))
        if isinstance(rows, dict):
            return self._columns(_examples(rows))
        if not type(rows).__module__.startswith("pyarrow"):
            raise TypeError(
                f"rows is {type(rows).__name__}; a data frame, a dict of arrays, or a RecordBatch or Table of Arrow is "
                "expected"
            )
        import pyarrow as pa

        whole = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
        return type(rows).from_pydict(self._columns(frame_of("rows", whole)), schema=self.schema)

    def _columns(self, rows: Any) -> Columns:
        if not len(rows):
            return self._none()
        estimator = self.estimator
        with limited_threads(1):
            return columns_of(estimator, *_split(estimator, rows), self.outputs)


@lru_cache(MODELS)
def _read(path: str, changed: int, size: int) -> BottleneckEstimator:  # noqa: ARG001 - another file is read anew
    return load(path)


def _examples(columns: dict[str, Any]) -> Any:
    """Return what is given by column as a frame or, where one of them holds whole examples, as these."""
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    whole = next((array for array in arrays.values() if array.ndim > 1), None)
    return pd.DataFrame(arrays) if whole is None else whole


def _split(estimator: BottleneckEstimator, rows: Any) -> tuple[Any, Any]:
    """Return those columns of ``rows`` that the model takes, and the classes, if it is conditional."""
    fitted, y = estimator.fitted_, None
    if is_frame(rows) and fitted.conditional:
        names = [str(name) for name in rows.columns]
        label = label_column(names, dict.fromkeys(names_known(fitted) or (), ""))
        if label is not None:
            y = np.asarray(rows[rows.columns[label]])
            rows = _chosen(rows, [place for place in range(len(names)) if place != label])
    return known_columns(fitted, rows), y


def known_columns(fitted: Fitted, X: Any) -> Any:
    """Return the columns of ``X`` that the model knows, in its order if all are there; an array if it knows no names.

    What is no data frame stays as it is.
    """
    if not is_frame(X):
        return X
    known = names_known(fitted)
    if known is None:
        return np.asarray(X)
    names = [str(name) for name in X.columns]
    kept = [place for place, name in enumerate(names) if name in known]
    if len(kept) == len(known):
        kept.sort(key=lambda place: known.index(names[place]))
    return _chosen(X, kept)


def names_known(fitted: Fitted) -> tuple[str, ...] | None:
    """Return the names of the columns that a model knows, or None if it was fitted to columns without any."""
    if fitted.table is None:
        return fitted.feature_names
    return None if fitted.table.library == "numpy" else tuple(str(one.name) for one in fitted.table.columns)


def _chosen(frame: Any, places: list[int]) -> Any:
    return frame.iloc[:, places] if isinstance(frame, pd.DataFrame) else frame[:, places]


def columns_of(estimator: BottleneckEstimator, X: Any, y: Any, outputs: Sequence[str]) -> Columns:
    """Return what ``estimator`` says of ``X`` and its labels ``y``, by the columns' names, (n,) each.

    Parameters
    ----------
    estimator, X, y
        As its methods take them.
    outputs
        Of `OUTPUTS`.
    """
    columns: Columns = {}
    for output in outputs:
        if output == "codes":
            codes = estimator.transform(X, y)
            columns |= dict(zip(map(str, estimator.get_feature_names_out()), np.asarray(codes).T, strict=True))
        elif output == "odd":
            columns[output] = estimator.predict(X, y) == -1
        elif output == "reconstruction_error":
            columns[output] = errors_of(estimator, X, y)
        else:
            columns[output] = getattr(estimator, output)(X, y)
    return columns


@in_own_state
def errors_of(estimator: BottleneckEstimator, X: Any, y: Any) -> NDArray[np.float64]:
    """Return the error of each example, (n,), in the unit that the model has."""
    fitted = estimator.fitted_
    if fitted.table is None:
        return estimator.anomaly_score(X, y, by="reconstruction")
    found: NDArray[np.float64] = fitted.on(estimator.device).errors(
        examples_of(fitted, rows_of(estimator, X), y if fitted.conditional else None)
    )
    return found
