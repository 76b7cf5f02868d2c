"""Curves show the numbers that they are drawn from."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from narrows.drawing.curves import code_maps, error_curve, training_curve


def test_curves_show_their_numbers():
    figure = error_curve(
        [1, 4], np.array([[0.2, 0.01], [0.1, 0.01]]), np.array([0.3, 0.05]), 0.4, "squared error", "VAE"
    )
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {"0.2000", "0.1000", "predicting the mean"} <= texts
    row = {"epoch": 1, "loss": 3.0, "learning_rate": 0.1, "seconds": 1.0}
    assert len(training_curve([row]).axes[0].lines) == 1
    history = [row | {"epoch": i, "validation_loss": loss} for i, loss in enumerate((3.0, 1.0, 2.0), 1)]
    labels = [line.get_label() for line in training_curve(history).axes[0].lines]
    assert labels == ["training", "validation", "kept: epoch 2"]


def test_losses_below_one_are_written_as_numbers_are():
    history = [{"epoch": 1, "loss": 2.5}, {"epoch": 2, "loss": 0.55}]
    figure = training_curve(history)
    FigureCanvasAgg(figure).draw()
    axis = figure.axes[0].yaxis
    told = {label.get_text() for label in (*axis.get_ticklabels(), *axis.get_ticklabels(minor=True))} - {""}
    assert {"0.6", "1", "2"} <= told
    assert not any("e" in text for text in told)
    assert all(place == round(place) for place in figure.axes[0].get_xticks())  # there is no epoch 2.5


def test_classes_are_named_as_they_are():
    """Neither formulas nor names that Matplotlib would leave out, and none so long that no room is left for the map."""
    kinds = np.array(["$x", "_hidden", "a$b$c", r"\frac{", "a name that goes on and on and on"])
    points = np.random.default_rng(0).normal(size=(10, 2))
    figure = code_maps([("the code", points)], np.repeat(kinds, 2), np.zeros(10))
    FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert set(names) == {"$x", "_hidden", "a$b$c", r"\frac{", "a name that go…and on and on"}
    map_, of_figure = figure.axes[0].get_window_extent(), figure.bbox
    assert map_.width > of_figure.width / 3
    assert legend.get_window_extent().x1 <= of_figure.x1
