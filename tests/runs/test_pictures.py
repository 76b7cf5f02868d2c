"""Which rows are written, with the names of their columns, and which are drawn as curves."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from narrows import Autoencoder
from narrows.drawing.curves import error_curve
from narrows.runs.pictures import draw_comparison, draw_odd, draw_rows

RNG = np.random.default_rng(0)


def model_of(columns, *, named=True):
    frame = pd.DataFrame(RNG.normal(size=(30, columns)), columns=[f"column {place}" for place in range(columns)])
    X = frame if named else frame.to_numpy()
    return Autoencoder(2, hidden=(4,), epochs=1, random_state=0).fit(X), X


def words(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


@pytest.mark.parametrize(("columns", "named", "written"), [(4, True, True), (4, False, False), (31, True, False)])
def test_few_numbers_with_names_are_written(columns, named, written):
    model, X = model_of(columns, named=named)
    rows = X[:3]
    labels = [f"example {row}\nclass a" for row in range(3)]
    for figure in (
        draw_comparison(model.fitted_, labels, rows, np.asarray(rows), title=""),
        draw_odd(model.fitted_, rows, np.asarray(rows), title="", labels=labels, heat=np.ones((3, columns))),
        draw_rows(model.fitted_, [("one", rows), ("other", rows)], headings=labels),
    ):
        assert ("column 2" in words(figure)) == written
    assert "column 2" not in words(draw_rows(model.fitted_, [("one", rows)], on_page=True))


def test_a_heading_of_two_lines_stands_in_one():
    model, X = model_of(3)
    labels = words(draw_rows(model.fitted_, [("noisy", X[:2]), ("clean", X[:2])], headings=["a\nb", "c\nd"]))
    assert {"noisy a, b", "noisy c, d", "clean"} <= set(labels)
    assert not any("\n" in label for label in labels)


def test_a_long_unit_stays_on_the_axis():
    unit = "error per cell, relative to the error of the column's mean or frequencies alone"
    figure = error_curve([1, 2], np.ones((2, 2)), np.ones(2), 1.0, unit, "Autoencoder")
    label = figure.axes[0].yaxis.label
    box = label.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    assert box.height <= figure.bbox.height
    assert label.get_text().replace("\n", " ") == f"test error: {unit}"
