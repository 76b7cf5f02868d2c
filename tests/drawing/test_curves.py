"""Curves show the numbers that they are drawn from."""

import numpy as np

from narrows.drawing.curves import error_curve, training_curve


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
