"""Are generated rows of a table told from real ones, and of what use are they to learn from? Boosted trees say.

Trees take columns of any kind and missing cells as they are, and are the sharpest that there is on tables of this size
(Grinsztajn, Oyallon & Varoquaux, “Why do tree-based models still outperform deep learning on tabular data?”, 2022).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from narrows.arguments import RandomState, random_seed
from narrows.evaluation.intervals import Estimate, half_samples

__all__ = ["told_from_real", "usefulness"]

Cells = NDArray[np.floating]

MOST_ROWS, MOST_TO_LEARN_FROM = 2000, 10_000
"""Rows of each kind that are to be told apart, and rows that are learned from."""

FOLDS, HALVES, ROUNDS = 3, 8, 60
"""Of the cross-validation; how often the area is measured again for its interval; and trees."""

MOST_LEVELS = 255
"""Of a column, as scikit-learn's trees take them: the others, the rarest, are one."""


def told_from_real(real: Cells, generated: Cells, levels: ArrayLike, *, random_state: RandomState = 0) -> Estimate:
    """Return the area under the ROC curve of real against generated rows: ½ if trees cannot tell them apart.

    Cross-validated, on as many real as generated rows (the classifier two-sample test, Lopez-Paz & Oquab 2017). The
    interval is from random halves of both.

    Parameters
    ----------
    real, generated
        Cells (n, columns) and (m, columns), 20 rows or more; NaN where missing, and of levels their places.
    levels
        Whether each column's cells are levels, (columns,).
    random_state
        Of the rows, the folds and the trees.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    seed = random_seed(random_state)
    rng = np.random.default_rng(seed)
    size = min(len(real), len(generated), MOST_ROWS)
    a, b = (each[rng.choice(len(each), size, replace=False)] for each in (real, generated))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)

    def area(rows: NDArray[np.int64], others: NDArray[np.int64]) -> list[float]:
        both, is_real = np.concatenate([a[rows], b[others]]), np.repeat([1, 0], [len(rows), len(others)])
        found = cross_val_predict(_trees(levels, seed), _few(both, levels), is_real, cv=folds, method="predict_proba")
        return [float(roc_auc_score(is_real, found[:, 1]))]

    return half_samples(area, size, size, halves=HALVES, bounds=(0, 1), random_state=seed)[0]


def usefulness(
    learned: tuple[Cells, NDArray[Any]],
    real: tuple[Cells, NDArray[Any]],
    levels: ArrayLike,
    *,
    random_state: RandomState = 0,
) -> Estimate | None:
    """Return how well trees that learn from rows tell the classes of others: the area under the ROC curve.

    Of more than two classes it is the mean of each against all others. None where a class is missing among those to
    learn from, or only one is to be told.

    Parameters
    ----------
    learned, real
        Cells, as in `told_from_real`, and classes, to learn from and to be told.
    levels, random_state
        As in `told_from_real`.
    """
    from sklearn.metrics import roc_auc_score

    classes, seed = np.unique(real[1]), random_seed(random_state)
    if len(classes) < 2 or not np.isin(classes, learned[1]).all():
        return None
    rows, labels = (each[:MOST_TO_LEARN_FROM] for each in learned)
    trees = _trees(levels, seed).fit(_few(rows, levels), labels)
    found = trees.predict_proba(_few(real[0], levels))
    scores = [(real[1] == each, found[:, np.searchsorted(trees.classes_, each)]) for each in classes]

    def area(rows: NDArray[np.int64]) -> list[float]:
        areas = [roc_auc_score(own[rows], score[rows]) for own, score in scores if 0 < own[rows].sum() < len(rows)]
        return [float(np.mean(areas))]

    return half_samples(area, len(real[1]), bounds=(0, 1), random_state=seed)[0]


def _trees(levels: ArrayLike, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # it takes half a second, and few things need it

    return HistGradientBoostingClassifier(
        max_iter=ROUNDS, categorical_features=np.asarray(levels, bool), early_stopping=False, random_state=seed
    )


def _few(cells: Cells, levels: ArrayLike) -> Cells:
    """Return cells with no more levels than trees take."""
    return np.where(np.asarray(levels, bool), np.minimum(cells, MOST_LEVELS - 1), cells)
