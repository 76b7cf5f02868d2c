"""What an estimator was fitted to be, and the attributes that show it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.exceptions import NotFittedError

from narrows.columns.table import Table
from narrows.estimators.options import Options
from narrows.fitted.fitted import Fitted
from narrows.fitted.frame import Dtype, Frame
from narrows.fitted.reference import Reference
from narrows.models.model import BottleneckModel
from narrows.scaling import Scaling

__all__ = ["FittedAttributes"]


class FittedAttributes(Options):
    """An estimator's options, and the one value that its last fit came to; all its attributes only read that."""

    _fitted: Fitted | None = None

    @property
    def fitted_(self) -> Fitted:
        """All that the last fit came to; it stays as it is when options are set, or another fit fails.

        Raises
        ------
        NotFittedError
            If there was none.
        """
        if self._fitted is None:
            raise NotFittedError(f"This {type(self).__name__} instance is not fitted yet. Call 'fit' first.")
        return self._fitted

    @fitted_.setter
    def fitted_(self, fitted: Fitted) -> None:
        self._fitted = fitted

    def __sklearn_is_fitted__(self) -> bool:
        return self._fitted is not None

    @property
    def model_(self) -> BottleneckModel:
        """The nets, with all around them."""
        return self.fitted_.model

    @property
    def scaling_(self) -> Scaling:
        """The scaling of the examples it was fitted to."""
        return self.fitted_.scaling

    @property
    def input_shape_(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.fitted_.input_shape

    @property
    def classes_(self) -> NDArray[np.generic] | None:
        """The labels, sorted, if `fit` had class labels."""
        return self.fitted_.classes

    @property
    def reference_(self) -> Reference:
        """What is kept of the training data, to compare other data with."""
        return self.fitted_.reference

    @property
    def history_(self) -> list[dict[str, float]]:
        """One row per epoch."""
        return [dict(row) for row in self.fitted_.history]

    @property
    def n_iter_(self) -> int:
        """Epochs trained."""
        return len(self.fitted_.history)

    @property
    def seed_(self) -> int:
        """The seed that the weights came from."""
        return self.fitted_.seed

    @property
    def validation_error_(self) -> tuple[float, float] | None:
        """Mean and standard error of the squared error per feature, in scaled units, on what was held out, if any."""
        return self.fitted_.validation_error

    @property
    def n_features_in_(self) -> int:
        """Numbers in an example; for a table, its columns, including those not learned from."""
        fitted = self.fitted_
        return fitted.features if fitted.table is None else len(fitted.table.columns)

    @property
    def table_(self) -> Table | None:
        """What the columns are, where they are not numbers alone: `narrows.columns.table.Table`."""
        return self.fitted_.table

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """The names of the columns.

        Raises
        ------
        AttributeError
            If they had none.
        """
        names = self.fitted_.feature_names
        if names is None:
            raise AttributeError(f"this {type(self).__name__} was fitted to columns without names")
        return np.array(names, dtype=object)

    @property
    def _n_features_out(self) -> int:  # what scikit-learn names the codes' columns by
        return self.fitted_.latent_dim

    def _asked_for(self) -> Literal["default", "pandas", "polars"] | None:
        """Return what `set_output`, or scikit-learn's option ``transform_output``, asks for; None for nothing."""
        asked: Literal["default", "pandas", "polars"] | None = (
            vars(self).get("_sklearn_output_config", {}).get("transform")
        )
        if asked is None and (by_option := get_config()["transform_output"]) != "default":
            asked = by_option
        return asked

    def _of_columns(self, numbers: NDArray[np.floating], like: Any) -> Any:
        """Return ``numbers`` (n, columns) of a table's cells as a frame of the columns learned from, if it was one."""
        table = self.fitted_.table
        assert table is not None
        names = [str(column.name) for column in table.modelled]
        index = like.index if isinstance(like, pd.DataFrame) else None
        made: Any = pd.DataFrame(numbers, columns=names, index=index)
        if table.library == "polars":
            import polars as pl

            made = pl.DataFrame(numbers, schema=names)
        return self._framed(numbers if table.library == "numpy" else made, like)

    def _framed(self, made: Any, like: Any) -> Any:
        """Return ``made``, an array or a data frame of either library, as what is asked for."""
        asked = self._asked_for()
        if asked is None or asked == "default":
            return np.asarray(made) if asked else made
        index = like.index if isinstance(like, pd.DataFrame) else None
        if isinstance(made, np.ndarray):
            names = [*map(str, self.fitted_.feature_names or range(made.shape[1]))]
            made = pd.DataFrame(made, columns=names, index=index)
        if (asked == "pandas") == isinstance(made, pd.DataFrame):
            return made
        columns = {name: made[name].to_list() for name in made.columns}
        if asked == "pandas":
            return pd.DataFrame(columns, index=index)
        import polars as pl

        return pl.DataFrame(columns)

    def _contained(
        self, rows: NDArray[np.floating], like: Any = None, *, frame: Frame | None = None, bounded: bool = False
    ) -> Any:
        """Return examples ``rows`` (n, …) as they are, or, where they are no images, as the data frame asked for.

        That is by `set_output`, or scikit-learn's option ``transform_output``, or else ``frame``. ``like`` is what they
        are made of, whose index a frame of pandas gets. Of a table they are cells, and come back as a frame if it was
        one; ``bounded`` then keeps numbers within what the training data reach.
        """
        fitted = self.fitted_
        if fitted.table is not None:
            return self._framed(fitted.table.filled(rows, like=like, bounded=bounded), like)
        asked = self._asked_for()
        if asked in ("pandas", "polars") and len(fitted.input_shape) == 1:
            usual: Dtype = "float64"
            frame = Frame(asked, (usual,) * fitted.features if fitted.frame is None else fitted.frame.dtypes)
        elif asked is not None:
            frame = None
        return rows if frame is None else frame.filled(rows, fitted.feature_names, like)

    @property
    def unit(self) -> str:
        """What errors measure, in words."""
        return self.fitted_.unit
