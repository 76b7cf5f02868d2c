"""Which examples are odd to a model, in its folder: a table and a sheet, the oddest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from narrows.data.dataset import Dataset
from narrows.data.take import take
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.anomalies import p_values
from narrows.runs.captions import captions
from narrows.runs.files import write_columns, write_figure, write_json
from narrows.runs.pictures import draw_odd
from narrows.runs.writing import known_of

__all__ = ["write_anomalies"]

Array = NDArray[Any]

ODDEST = 36
"""Examples on a sheet of odd ones."""


def write_anomalies(
    folder: Path, estimator: BottleneckEstimator, dataset: Dataset, by: str
) -> tuple[Array, list[Path]]:
    """Write which examples are odd, the oddest first, as a table and a sheet; return `predict`'s answers and the files.

    Parameters
    ----------
    folder
        That exists.
    estimator, dataset
        A model, and examples for it.
    by
        As of `anomaly_score`.
    """
    scores = estimator.anomaly_score(dataset.X, dataset.y, by=by)
    threshold, held_out = estimator.anomaly_threshold(by), estimator.reference_.held_out[by]
    odd = np.where(scores > threshold, -1, 1)
    order = np.argsort(-scores, kind="stable")
    known = {name: values[order] for name, values in known_of(dataset).items()}
    columns = {
        "example": order,
        "score": scores[order],
        "p_value": p_values(scores, held_out)[order],
        "odd": odd[order] < 0,
    }
    files = [write_columns(folder / "anomalies.csv", columns, known)]
    shown = order[:ODDEST]
    X = take(dataset.X, shown)
    labels = [
        f"{'odd ' if odd[place] < 0 else ''}{scores[place]:.3g}\n{caption.splitlines()[-1]}"
        for place, caption in zip(shown, captions(dataset, shown), strict=True)
    ]
    title = (
        f"The oddest of {dataset.name} to {type(estimator).__name__}, by {by}, with their errors in orange; odd are "
        f"scores above {threshold:.3g}, which at most {estimator.false_alarms:.3g} of ordinary examples reach"
    )
    y = dataset.y[shown] if dataset.y is not None and estimator.conditional else None
    figure = draw_odd(estimator, X, estimator.reconstruct(X, y), title=title, labels=labels)
    files.insert(0, write_figure(folder / "anomalies.png", figure))
    numbers = {
        "examples": len(scores),
        "by": by,
        "false_alarms": estimator.false_alarms,
        "threshold": threshold,
        "held_out": len(held_out),
        "odd": int((odd < 0).sum()),
    }
    return odd, [*files, write_json(folder / "results.json", numbers)]
