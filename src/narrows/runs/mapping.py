"""A map of data: where a model with a code of two numbers puts each example, as a table and a picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from narrows.data.dataset import Dataset
from narrows.drawing.map import draw_points
from narrows.runs.files import by_itself, write_columns, write_figures
from narrows.runs.writing import known_of
from narrows.sweeps import Sweep

__all__ = ["draw_map"]


def draw_map(result: Sweep, dataset: Dataset, folder: Path) -> list[Path]:
    """Write each example's place as ``map.csv`` and ``map.png`` into ``folder``; return the files, the picture first.

    Parameters
    ----------
    result
        With a trained model of two numbers.
    dataset
        That it was made from.
    folder
        That exists.
    """
    model, table = result.models[2], folder / "map.csv"
    with by_itself("the model is saved, but its map was not drawn"):
        places = model.transform(dataset.X)
        columns = {"example": np.arange(len(places))} | known_of(dataset) | {"x": places[:, 0], "y": places[:, 1]}
        write_columns(table, columns, {})
        values = None if dataset.y is not None else model.anomaly_score(dataset.X, by="reconstruction")
        figure = partial(draw_points, places, dataset.y, values, title=f"{dataset.name}: {len(places):,} examples")
        return [*write_figures(folder, {"map": figure}), table]
    return []
