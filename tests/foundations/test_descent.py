import itertools
import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import rosen, rosen_der

from narrows.foundations.descent import contour, descend, from_graph, numeric_gradient
from narrows.foundations.feedforward import Graph, node
from narrows.foundations.primitives import constant


def f(x):
    return (x[0] - 1) ** 2 + (x[1] - 2) ** 2


def gradient(x):
    return 2 * (x - np.array([1.0, 2.0]))


PARABOLOID = Graph(
    ("x", "y"),
    (
        node("1", constant(1)),
        node("2", constant(2)),
        node("x − 1", "subtract", "x", "1"),
        node("y − 2", "subtract", "y", "2"),
        node("(x − 1)²", "square", "x − 1"),
        node("(y − 2)²", "square", "y − 2"),
        node("f", "add", "(x − 1)²", "(y − 2)²"),
    ),
    output="f",
)


@pytest.mark.parametrize(("point", "expected"), [((0, 0), (-2, -4)), ((2, 3), (2, 2)), ((1, 2), (0, 0))])
def test_the_lectures_gradients(point, expected):
    np.testing.assert_allclose(numeric_gradient(f, point), expected, atol=1e-9)
    np.testing.assert_array_equal(from_graph(PARABOLOID)[1](np.array(point, dtype=float)), expected)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("way", [(f, gradient), (f, partial(numeric_gradient, f)), from_graph(PARABOLOID)])
def test_every_gradient_leads_to_the_lectures_minimum(way, momentum):
    *_, last = descend(*way, x0=(0, 0), eta=0.1, n_steps=150, momentum=momentum)
    assert last.index == 150
    np.testing.assert_allclose(last.x, [1, 2], atol=1e-8)
    assert last.value < 1e-15


@given(x=hnp.arrays(np.float64, st.integers(2, 20), elements=st.floats(-3, 3)))
@settings(max_examples=40, deadline=None)
def test_numeric_gradient_is_exact_to_nine_digits_in_any_dimension(x):
    np.testing.assert_allclose(numeric_gradient(rosen, x), rosen_der(x), rtol=1e-6, atol=2e-6)


@given(x=hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, max_side=4), elements=st.floats(-3, 3)))
@settings(max_examples=40, deadline=None)
def test_numeric_gradient_keeps_any_shape(x):
    before = x.copy()
    t = torch.tensor(x, requires_grad=True)
    expected = torch.autograd.grad((torch.sin(t).sum() * torch.exp(t / 3)).sum(), t)[0].numpy()
    result = numeric_gradient(lambda x: (np.sin(x).sum() * np.exp(x / 3)).sum(), x)
    assert result.shape == x.shape
    np.testing.assert_allclose(result, expected, rtol=1e-8, atol=1e-7)
    np.testing.assert_array_equal(x, before)


def test_numeric_gradient_scales_its_step_with_x():
    np.testing.assert_allclose(numeric_gradient(lambda x: x[0] ** 2, [1e9]), [2e9], rtol=1e-9)
    np.testing.assert_allclose(numeric_gradient(lambda x: 3 * x, 0.0), 3.0, rtol=1e-9)


@given(
    x0=hnp.arrays(np.float64, 3, elements=st.floats(-5, 5)),
    eta=st.floats(1e-3, 0.2),
    momentum=st.floats(0, 0.95),
)
@settings(max_examples=25, deadline=None)
def test_the_iterates_are_those_of_torchs_sgd(x0, eta, momentum):
    scales = np.array([1.0, 2.0, 0.3])

    def bowl(x):
        return (scales * x**2).sum() + x[0] * x[1]

    def slope(x):
        return 2 * scales * x + np.array([x[1], x[0], 0.0])

    def bowl_of(t):
        return (torch.tensor(scales) * t**2).sum() + t[0] * t[1]

    parameter = torch.nn.Parameter(torch.tensor(x0))
    optimizer = torch.optim.SGD([parameter], lr=eta, momentum=momentum)
    walk = descend(bowl, slope, x0, eta=eta, n_steps=20, momentum=momentum)
    for step in walk:
        np.testing.assert_allclose(step.x, parameter.detach().numpy(), rtol=1e-9, atol=1e-12)
        loss = bowl_of(parameter)
        assert step.value == pytest.approx(loss.item(), rel=1e-9, abs=1e-12)
        optimizer.zero_grad()
        loss.backward()
        np.testing.assert_allclose(step.gradient, parameter.grad.numpy(), rtol=1e-9, atol=1e-12)
        optimizer.step()


@given(x0=hnp.arrays(np.float64, 2, elements=st.floats(-100, 100)), eta=st.floats(0.01, 0.99))
@settings(max_examples=40, deadline=None)
def test_a_small_enough_rate_never_climbs(x0, eta):
    """For f with gradients of Lipschitz constant L = 2, every η < 2/L = 1 goes down (or stays)."""
    values = [step.value for step in descend(f, gradient, x0, eta=eta, n_steps=30)]
    assert all(b <= a for a, b in itertools.pairwise(values))


def test_momentum_passes_a_narrow_valley_faster():
    scales = np.array([1.0, 100.0])

    def valley(x):
        return (scales * x**2).sum() / 2

    def slope(x):
        return scales * x

    ends = [
        [step.value for step in descend(valley, slope, (1, 1), eta=0.015, n_steps=100, momentum=momentum)][-1]
        for momentum in (0.0, 0.8)
    ]
    assert ends[1] < ends[0] / 1000


def test_the_walk_is_lazy_and_cannot_be_led_astray():
    calls = []

    def spoiling(x):
        calls.append(x.copy())
        x[:] = 1e6
        return f(calls[-1])

    walk = descend(spoiling, gradient, (0, 0), eta=0.1, n_steps=10**9)
    assert not calls
    for step, honest in zip(walk, descend(f, gradient, (0, 0), eta=0.1, n_steps=5), strict=False):
        np.testing.assert_array_equal(step.x, honest.x)
        step.x[:] = np.nan
        step.gradient[:] = np.nan
        if honest.index == 5:
            break
    assert len(calls) == 6


def test_zero_steps_give_the_start_alone():
    (start,) = descend(f, gradient, (2, 3), eta=0.1, n_steps=0)
    assert (start.index, start.value, start.gradient.tolist()) == (0, 2.0, [2.0, 2.0])


@pytest.mark.parametrize(
    ("function", "slope", "x0"),
    [
        (f, gradient, (0, 0)),
        (*from_graph(PARABOLOID), (0, 0)),
        (lambda x: math.exp(x[0]), lambda x: [-math.exp(x[0])], [1.0]),  # raises OverflowError by itself
        (lambda x: np.exp(-x[0]), lambda _: [-1e308], [0.0]),  # x overflows, f does not
        (lambda _: 0.0, lambda x: -np.sqrt(1e-3 - x), [0.0]),  # only the gradient becomes NaN
    ],
)
def test_divergence_says_where_and_what_to_try(function, slope, x0):
    walk = descend(function, slope, x0, eta=1.5, n_steps=10_000)
    seen = []
    with pytest.raises(FloatingPointError, match="the descent diverged at iterate") as caught:
        seen.extend(step.index for step in walk)
    assert f"at iterate {len(seen)}:" in str(caught.value)
    assert "try a smaller eta, such as 0.15" in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_start_outside_the_domain_is_not_called_divergence():
    with pytest.raises(FloatingPointError, match=r"^f is nan at x = \[-1.0\]$"):
        next(descend(lambda x: np.log(x[0]), lambda x: 1 / x, [-1.0], eta=0.1, n_steps=3))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"eta": 0}, "eta must be above 0, got 0"),
        ({"eta": -0.1}, "eta must be above 0, got -0.1"),
        ({"eta": math.nan}, "eta must be finite, got nan"),
        ({"eta": math.inf}, "eta must be finite, got inf"),
        ({"momentum": 1}, r"momentum must be in \[0, 1\), got 1"),
        ({"momentum": -0.1}, r"momentum must be in \[0, 1\), got -0.1"),
        ({"momentum": math.nan}, "momentum must be finite, got nan"),
        ({"n_steps": -1}, "n_steps must be at least 0, got -1"),
        ({"x0": (0, math.nan)}, "x0 must be finite, got nan"),
    ],
)
def test_bad_arguments_are_refused_at_once(changes, words):
    with pytest.raises(ValueError, match=words):
        descend(**{"f": f, "gradient": gradient, "x0": (0, 0), "eta": 0.1, "n_steps": 3, **changes})


def test_functions_of_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"f must have shape \(\), got \(2,\) at x = \[0.0, 0.0\]"):
        next(descend(lambda x: x, gradient, (0, 0), eta=0.1, n_steps=3))
    with pytest.raises(ValueError, match=r"the gradient must have shape \(2,\), got \(\) at x = \[0.0, 0.0\]"):
        next(descend(f, f, (0, 0), eta=0.1, n_steps=3))
    with pytest.raises(TypeError, match=r"n_steps must be a whole number, got 3\.0"):
        descend(f, gradient, (0, 0), eta=0.1, n_steps=3.0)
    with pytest.raises(TypeError, match="eta must be one number, got"):
        descend(f, gradient, (0, 0), eta=[0.1, 0.2], n_steps=3)
    with pytest.raises(TypeError, match="eta must hold real numbers"):
        descend(f, gradient, (0, 0), eta="0.1", n_steps=3)
    with pytest.raises(ValueError, match=r"x must hold a number for each of x, y, got shape \(3,\)"):
        next(descend(*from_graph(PARABOLOID), (0, 0, 0), eta=0.1, n_steps=3))
    with pytest.raises(FloatingPointError, match=r"f is too steep in coordinate \(0,\) at x = \[0\.0\]"):
        numeric_gradient(lambda x: 1.5e308 * np.sign(x[0]), [0.0])
    with pytest.raises(FloatingPointError, match="f is nan at x"):
        numeric_gradient(lambda x: np.log(x[0]), [0.0])


def test_a_contour_holds_the_path_and_the_values_around_it():
    path = [step.x for step in descend(f, gradient, (0, 0), eta=0.1, n_steps=30)]
    picture = contour(f, path, resolution=21)
    assert picture.values.shape == (21, 21)
    for i, j in ((0, 0), (3, 17), (20, 4)):
        assert picture.values[i, j] == f((picture.xs[j], picture.ys[i]))
    low, high = picture.path.min(axis=0), picture.path.max(axis=0)
    assert picture.xs[0] < low[0] < high[0] < picture.xs[-1]
    assert picture.ys[0] < low[1] < high[1] < picture.ys[-1]
    np.testing.assert_array_equal(picture.path, path)


def test_a_contours_window():
    picture = contour(f, [(1, 2)], resolution=3)
    np.testing.assert_array_equal(picture.xs, [0, 1, 2])
    np.testing.assert_array_equal(picture.ys, [1, 2, 3])
    assert contour(f, [(1e17, 0)], resolution=3).xs[0] < 1e17
    picture = contour(f, [(1, 2)], limits=((-1, 3), (0, 8)), resolution=5)
    np.testing.assert_array_equal(picture.xs, [-1, 0, 1, 2, 3])
    np.testing.assert_array_equal(picture.ys, [0, 2, 4, 6, 8])
    assert np.unravel_index(picture.values.argmin(), (5, 5)) == (1, 2)


def test_a_contour_is_blank_where_the_function_is_not():
    graph = Graph(("x", "y"), (node("l", "log", "x"), node("f", "add", "l", "y")), output="f")
    picture = contour(from_graph(graph)[0], [(0, 0)], resolution=3)
    np.testing.assert_array_equal(np.isnan(picture.values), [[True, True, False]] * 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"path": np.empty((0, 2))}, r"path must have shape \(points, 2\) with at least one point, got \(0, 2\)"),
        ({"path": [(1, 2, 3)]}, r"got \(1, 3\)"),
        ({"path": [(1, math.inf)]}, "path must be finite, got inf"),
        ({"path": [(1, 2)], "limits": ((3, 1), (0, 1))}, "limits must be .* with min < max"),
        ({"path": [(1, 2)], "limits": (0, 1)}, "limits must be"),
        ({"path": [(1, 2)], "resolution": 1}, "resolution must be at least 2, got 1"),
    ],
)
def test_bad_contours_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        contour(f, **arguments)
