import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from narrows.foundations.activations import (
    ACTIVATIONS,
    Activation,
    identity,
    relu,
    sigmoid,
    step,
    tanh,
)

ALL = list(ACTIVATIONS.values())
ORACLES = {
    "step": lambda x: (x >= 0).to(x.dtype),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "identity": lambda x: x * 1.0,
}
arrays = hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3), elements=st.floats(-50, 50))


def test_the_lectures_numbers():
    assert sigmoid(0) == 0.5
    assert relu.derivative(0) == 0.0
    assert step(0) == 1.0
    assert step(-1e-300) == 0.0
    assert sigmoid.derivative(0) == 0.25
    assert tanh.derivative(0) == 1.0
    np.testing.assert_array_equal(relu([-2.0, 0.0, 3.0]), [0.0, 0.0, 3.0])


def test_every_name_finds_its_activation():
    assert set(ACTIVATIONS) == set(ORACLES)
    assert all(ACTIVATIONS[name].name == name for name in ACTIVATIONS)
    with pytest.raises(TypeError):
        ACTIVATIONS["relu"] = step
    with pytest.raises(AttributeError):
        relu.name = "other"


@pytest.mark.parametrize("activation", ALL, ids=lambda a: a.name)
@pytest.mark.parametrize("size", [1000.0, 1.7e308])
def test_no_overflow_and_no_warning_far_out(activation, size):
    x = np.array([-size, size])
    with warnings.catch_warnings(), np.errstate(over="raise", divide="raise", invalid="raise"):
        warnings.simplefilter("error")
        y, slope = activation(x), activation.derivative(x)
    far_values = {"step": [0, 1], "sigmoid": [0, 1], "tanh": [-1, 1], "relu": [0, size], "identity": [-size, size]}
    far_slopes = {"step": [0, 0], "sigmoid": [0, 0], "tanh": [0, 0], "relu": [0, 1], "identity": [1, 1]}
    np.testing.assert_array_equal(y, far_values[activation.name])
    np.testing.assert_array_equal(slope, far_slopes[activation.name])


@pytest.mark.parametrize("activation", ALL, ids=lambda a: a.name)
@given(x=arrays)
@settings(deadline=None)
def test_values_and_derivatives_are_torchs(activation, x):
    t = torch.tensor(x, requires_grad=True)
    y = ORACLES[activation.name](t)
    np.testing.assert_allclose(activation(x), y.detach().numpy(), rtol=1e-14, atol=1e-300)
    expected = torch.autograd.grad(y.sum(), t)[0].numpy() if y.requires_grad else np.zeros_like(x)
    np.testing.assert_allclose(activation.derivative(x), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", ALL, ids=lambda a: a.name)
@given(x=arrays)
@settings(deadline=None)
def test_shape_and_dtype_are_kept_and_the_input_is_left_alone(activation, x):
    before = x.copy()
    for y in (activation(x), activation.derivative(x), activation(x.astype(np.float32)), activation(x.astype(int))):
        assert y.shape == x.shape
        assert y.dtype == np.float64
    y = activation(x)
    y += 1.0
    np.testing.assert_array_equal(x, before)


@given(x=st.floats(0, 300))
@settings(deadline=None)
def test_slopes_keep_their_relative_precision_in_the_tails(x):
    np.testing.assert_allclose(sigmoid.derivative(x), np.exp(-x) / np.square(1 + np.exp(-x)), rtol=1e-13)
    np.testing.assert_allclose(tanh.derivative(x), 1 / np.square(np.cosh(x)), rtol=1e-13)
    for activation in (sigmoid, tanh):
        assert activation.derivative(x) == activation.derivative(-x)


@given(x=arrays)
@settings(deadline=None)
def test_the_sigmoid_smooths_the_step(x):
    away = np.where(np.abs(x) < 1e-3, 1.0, x)
    np.testing.assert_allclose(sigmoid(1e5 * away), step(away), atol=1e-12)
    np.testing.assert_allclose(sigmoid(x) + sigmoid(-x), 1.0, rtol=1e-15)


def test_empty_arrays_and_exact_numbers_are_numbers():
    assert sigmoid(np.empty((0, 3))).shape == (0, 3)
    assert identity([Fraction(1, 4), True, 2]).tolist() == [0.25, 1.0, 2.0]


@pytest.mark.parametrize("activation", ALL, ids=lambda a: a.name)
@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (np.nan, ValueError, "x must be finite, got nan"),
        ([1.0, -np.inf], ValueError, "x must be finite, got -inf"),
        ([[1.0], [1.0, 2.0]], ValueError, "x must be a regular array"),
        (10**400, ValueError, "x must fit into float64"),
        ("1.5", TypeError, "x must hold real numbers, got '1.5'"),
        ([1j], TypeError, "x must hold real numbers"),
        ([None], ValueError, "x must be finite, got nan"),
        ([object()], TypeError, "x must hold real numbers"),
        (np.array(["2024-10-29"], dtype="datetime64[D]"), TypeError, "x must hold real numbers"),
    ],
)
def test_what_is_not_a_finite_number_is_refused(activation, bad, error, words):
    for function in (activation, activation.derivative):
        with pytest.raises(error, match=words):
            function(bad)


def test_an_own_activation_works_like_ours():
    swish = Activation("swish", lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid.derivative(x))
    t = torch.linspace(-3, 3, 13, dtype=torch.float64, requires_grad=True)
    y = torch.nn.functional.silu(t)
    np.testing.assert_allclose(swish(t.detach().numpy()), y.detach().numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(swish.derivative(t.detach().numpy()), torch.autograd.grad(y.sum(), t)[0], rtol=1e-12)


def test_an_own_activation_must_keep_the_shape():
    total = Activation("total", np.sum, np.ones_like)
    assert total.derivative([1.0, 2.0]).tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match=r"total must keep the shape \(2,\) of x, got \(\)"):
        total([1.0, 2.0])
