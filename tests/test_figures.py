"""Pictures: nothing but what is asked for is drawn, whatever the shape of the examples."""

import numpy as np
import pytest

from narrows.figures import error_curve, example_rows, image_grid, training_curve

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5,), (4, 6), (4, 6, 1), (4, 6, 2), (4, 6, 3), (4, 6, 4)])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_a_grid_leaves_its_last_places_empty(shape, n):
    figure = image_grid(RNG.random((n, *shape)), (0, 1))
    figure.canvas.draw()
    shown = [bool(ax.images or ax.lines) for ax in figure.axes]
    assert shown == [True] * n + [False] * (len(figure.axes) - n)
    assert [ax.axison for ax in figure.axes] == shown


@pytest.mark.parametrize("shape", [(5,), (4, 6), (4, 6, 3)])
def test_rows_show_each_example_once(shape):
    first, second = RNG.random((2, 3, *shape))
    figure = example_rows([("original", first), ("d = 2", second)], (0, 1))
    assert [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()] == ["original", "d = 2"]
    if len(shape) > 1:
        pictures = [ax.images[0].get_array() for ax in figure.axes]
        np.testing.assert_allclose(pictures, [*first, *second])


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
