"""Errors of a table's columns, each in its own terms."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error, root_mean_squared_error

from narrows.evaluation.columns import column_errors

RNG = np.random.default_rng(0)


def test_each_column_has_its_own_measure():
    cells = np.stack([RNG.normal(size=300), RNG.lognormal(size=300), RNG.integers(0, 3, 300)], 1).astype(float)
    cells[::4] = np.nan
    known = ~np.isnan(cells[:, 0])
    model, pca = cells + 0.1 * RNG.normal(size=(2, 300, 3))
    model[:, 2] = RNG.integers(0, 3, 300)
    columns = [
        ("a", "real", "root mean squared error", ""),
        ("b", "positive", "mean absolute error", ""),
        ("c", "category", "share wrong", ""),
        ("d", "real", "root mean squared error", "days"),
    ]
    cells, model, pca = (np.column_stack([each, np.full(300, np.nan)]) for each in (cells, model, pca))
    a, b, c = column_errors(columns, cells, model, pca, np.where(np.isnan(cells), np.nan, 0.5))  # of d nothing is known
    truth, made = cells[known], model[known]
    assert a.model.value == pytest.approx(root_mean_squared_error(truth[:, 0], made[:, 0]))
    assert a.usual.value == pytest.approx(truth[:, 0].std())
    assert a.model.low < a.model.value < a.model.high
    assert b.model.value == pytest.approx(mean_absolute_error(truth[:, 1], made[:, 1]))
    assert b.usual.value == pytest.approx(np.abs(truth[:, 1] - np.median(truth[:, 1])).mean())
    assert c.model.value == pytest.approx(1 - accuracy_score(truth[:, 2], made[:, 2]))
    assert c.usual.value == pytest.approx(1 - np.bincount(truth[:, 2].astype(int)).max() / known.sum())
    assert (a.constant, b.constant, c.constant) == ("mean", "median", "most frequent")
    assert a.lost.value == 0.5
    assert a.cells == known.sum()
    assert a.over_usual[0] == pytest.approx(a.model.value / a.usual.value)


def test_a_level_that_was_never_seen_is_no_value_for_all():
    cells = np.array([[np.inf], [np.inf], [np.inf], [1.0], [1.0], [0.0]])
    made = np.ones_like(cells)
    [one] = column_errors([("a", "category", "share wrong", "")], cells, made, made, np.ones_like(cells))
    assert one.usual.value == pytest.approx(4 / 6)
    assert one.model.value == pytest.approx(4 / 6)


def test_an_error_where_one_value_makes_none_is_infinitely_worse():
    cells = np.zeros((5, 1))
    [one] = column_errors([("a", "binary", "share wrong", "")], cells, np.eye(5, 1), cells, np.ones_like(cells))
    assert (one.usual.value, one.over_usual) == (0, (np.inf, 1))
