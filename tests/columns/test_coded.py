"""Columns as numbers of equal weight."""

import numpy as np
import pandas as pd
import pytest

from narrows.columns.coded import Coded
from narrows.columns.table import Table
from narrows.components import Components

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=200),
        "city": RNG.choice(["a", "b", "c"], 200, p=[0.6, 0.3, 0.1]),
        "size": pd.Categorical(RNG.choice(list("SML"), 200), categories=list("SML"), ordered=True),
        "yes": RNG.random(200) < 0.2,
    }
)
TABLE = Table.of(FRAME, None)
CELLS = TABLE.cells(FRAME)
X = np.where([True, False, False, False], (CELLS - CELLS.mean(0)) / CELLS.std(0), CELLS)


def test_columns_vary_by_one_each_about_their_mean():
    coded = Coded(TABLE.modelled)
    numbers = coded.numbers(X)
    assert numbers.shape == (200, coded.width) == (200, 1 + 3 + 1 + 2)
    np.testing.assert_allclose(numbers.mean(0), 0, atol=1e-6)
    variances = np.add.reduceat(numbers.var(0), coded.starts[:-1])
    np.testing.assert_allclose(variances, 1, rtol=1e-5)
    np.testing.assert_allclose(coded.errors(X, np.zeros_like(numbers)).mean(0), 1, rtol=1e-5)


def test_they_come_back_and_gaps_are_the_mean():
    coded = Coded(TABLE.modelled)
    gappy = X.copy()
    gappy[::3, 1] = gappy[::5, 0] = np.nan
    numbers = coded.numbers(gappy)
    assert not numbers[::3, 1:4].any()
    whole = Components.of(coded.numbers(X), coded.width).restored(coded.numbers(X))
    np.testing.assert_allclose(coded.cells(whole), X, atol=1e-5)
    errors = coded.errors(gappy, numbers)
    np.testing.assert_array_equal(np.isnan(errors), np.isnan(gappy))
    assert np.nanmax(errors) < 1e-9


def test_a_new_level_is_an_error_of_its_own():
    coded = Coded(TABLE.modelled)
    new = X[:1].copy()
    new[0, 1] = 3  # of three levels
    shares = FRAME["city"].value_counts(normalize=True)
    error = coded.errors(new, np.zeros((1, coded.width)))[0, 1]
    assert error == pytest.approx(((shares**2).sum() + 1) / (1 - (shares**2).sum()))
