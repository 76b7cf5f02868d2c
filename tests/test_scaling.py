"""Scaling: there and back, and the rule that chooses its kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import StandardScaler

from narrows.scaling import Scaling

tables = arrays(np.float64, st.tuples(st.integers(2, 20), st.integers(1, 6)), elements=st.floats(-1e6, 1e6))


@settings(deadline=None, max_examples=100)
@given(tables, st.sampled_from(["auto", "global", "feature"]))
def test_undo_is_the_inverse_of_apply(X, kind):
    scaling = Scaling.fit(X, kind)
    there = scaling.apply(X)
    assert np.isfinite(there).all()
    # What 32-bit floats can keep of numbers of this size.
    tolerance = 1e-6 * (np.abs(X - scaling.offset) + np.abs(X).max()) + 1e-30
    assert (np.abs(scaling.undo(there) - X) <= tolerance).all()


@settings(deadline=None, max_examples=100)
@given(tables)
def test_global_scaling_fills_the_unit_interval(X):
    scaled = Scaling.fit(X, "global").apply(X)
    assert scaled.min() == 0
    if np.ptp(X) > 0:
        assert scaled.max() == pytest.approx(1)


def test_feature_scaling_is_scikit_learn_s(table):
    scaling = Scaling.fit(table, "feature")
    np.testing.assert_allclose(scaling.apply(table), StandardScaler().fit_transform(table), atol=1e-5)


def test_auto_takes_one_range_for_pixels_and_one_each_for_columns(digits, table):
    assert Scaling.fit(digits.reshape(len(digits), -1), "auto").kind == "global"
    assert Scaling.fit(table, "auto").kind == "feature"
    assert Scaling.fit(np.random.default_rng(0).normal(size=(50, 4)), "auto").kind == "global"
    assert Scaling.fit(np.ones((5, 3)), "auto").kind == "global"


def test_bytes_do_not_wrap_around():
    X = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    np.testing.assert_array_equal(Scaling.fit(X, "global").apply(X), X / 255)
