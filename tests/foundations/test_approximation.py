import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from narrows.foundations.activations import Activation, identity, relu, sigmoid, step, tanh
from narrows.foundations.approximation import approximate, monomial

TARGETS = {
    "wave": (lambda x: math.sin(3 * x), (-2, 2)),
    "corner": (lambda x: abs(x - 0.3), (-1, 1)),
    "root": (math.sqrt, (0, 9)),
    "Runge": (lambda x: 1 / (1 + x * x), (-5, 5)),
    "cliff": (lambda x: math.tanh(40 * (x - 100.3)), (100, 101)),
    "far": (lambda x: 1e6 * math.cos(x / 1e5), (-1e6, 1e6)),
}


def best_polynomial(result, degree):
    u = np.linspace(-1, 1, len(result.x))
    fit = Polynomial.fit(u, result.target, degree)(u)
    return np.sqrt(np.mean((fit - result.target) ** 2))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("activation", [sigmoid, relu, tanh], ids=lambda a: a.name)
def test_the_error_falls_with_the_width(target, activation):
    result = approximate(*TARGETS[target], activation)
    spread = np.ptp(result.target)
    assert (np.diff(result.rms) <= 1e-12 * spread).all()
    assert result.rms[-1] < 0.01 * spread
    assert result.sup[-1] < 0.1 * spread
    assert result.rms[-1] < 0.5 * result.rms[-3]


@pytest.mark.parametrize("degree", [1, 2, 3, 5, 8, 12])
@pytest.mark.parametrize("target", TARGETS)
def test_a_polynomials_error_stops_at_the_best_polynomials(target, degree):
    widths = (1, degree, degree + 1, 2 * degree + 1, 32, 128)
    result = approximate(*TARGETS[target], monomial(degree), widths=sorted(set(widths)))
    best, spread = best_polynomial(result, degree), np.ptp(result.target)
    assert (result.rms >= best - 1e-12 * spread).all()
    np.testing.assert_allclose(result.rms[result.widths >= 2 * degree + 1], best, rtol=1e-6, atol=1e-12 * spread)
    assert result.dimensions[-1] == degree + 1


def test_a_polynomial_stays_behind_where_the_others_arrive():
    f, interval = TARGETS["cliff"]
    last = {a.name: approximate(f, interval, a).rms[-1] for a in (sigmoid, relu, monomial(5))}
    assert last["x^5"] > 10 * max(last["sigmoid"], last["relu"])


@given(
    coefficients=st.lists(st.floats(-3, 3), min_size=4, max_size=4),
    wave=st.floats(0, 12),
    a=st.floats(-10, 10),
    length=st.floats(0.1, 20),
    seed=st.integers(0, 1000),
)
@settings(max_examples=15, deadline=None)
def test_laws_for_any_function_interval_and_seed(coefficients, wave, a, length, seed):
    def f(u):
        return np.polyval(coefficients, u) + np.sin(wave * u)

    def moved(x):
        return 7 * f(2 * (x - a) / length - 1)

    widths = (1, 2, 3, 5, 10, 20, 40)
    for activation in (sigmoid, relu, monomial(3)):
        result = approximate(f, (-1, 1), activation, widths=widths, seed=seed)
        assert (np.diff(result.rms) <= 1e-12).all()
        assert (result.rms <= result.sup * (1 + 1e-12)).all()
        assert (result.dimensions <= np.array(widths) + 1).all()
        errors = result.fits - result.target
        np.testing.assert_allclose(np.sqrt(np.mean(errors**2, axis=1)), result.rms, atol=1e-12)
        np.testing.assert_allclose(np.abs(errors).max(axis=1), result.sup, atol=1e-12)
        elsewhere = approximate(moved, (a, a + length), activation, widths=widths, seed=seed)
        np.testing.assert_allclose(elsewhere.rms, 7 * result.rms, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation", [relu, sigmoid], ids=lambda a: a.name)
def test_the_fit_is_the_least_squares_fit_of_the_units(activation):
    result = approximate(math.exp, (-1, 1), activation, widths=(10,), seed=3)
    rng = np.random.default_rng(3)
    start, columns = rng.uniform(), [np.ones_like(result.x)]
    for j in range(1, 11):
        s = j * rng.uniform(0.25, 1) * rng.choice((-1, 1))
        columns.append(activation(s * (result.x - (2 * ((start + j * (math.sqrt(5) - 1) / 2) % 1) - 1))))
    phi = np.column_stack(columns)
    c = np.linalg.lstsq(phi, result.target)[0]
    np.testing.assert_allclose(result.fits[0], phi @ c, atol=1e-8)
    assert result.dimensions.tolist() == [np.linalg.matrix_rank(phi)]


def test_the_seed_decides():
    one, same, other = (approximate(math.sin, (0, 6), sigmoid, widths=(4, 9), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.fits, same.fits)
    assert (one.rms != other.rms).all()


def test_the_data_for_the_two_pictures():
    result = approximate(math.sin, (0, 6), sigmoid, widths=(4, 9))
    assert result.activation == "sigmoid"
    assert result.x[[0, -1]].tolist() == [0, 6]
    assert result.target.shape == result.x.shape
    assert result.fits.shape == (2, len(result.x))
    assert result.rms.shape == result.sup.shape == result.dimensions.shape == result.widths.shape == (2,)


def test_widths_double_and_there_are_eight_points_a_unit():
    result = approximate(lambda _: 0.0, (0, 1), step)
    assert result.widths.tolist() == [1, 2, 4, 8, 16, 32, 64, 128]
    assert len(result.x) == 2001
    assert len(approximate(lambda _: 0.0, (0, 1), step, widths=(300,)).x) == 2401
    assert monomial(15)([2.0]).tolist() == [2.0**15]


def test_the_function_is_asked_once_a_point_and_each_unit_once():
    asked, units = [], []
    counted = Activation("counted", lambda x: units.append(len(x)) or sigmoid(x), np.zeros_like)
    result = approximate(lambda x: asked.append(x) or math.sin(x), (0, 6), counted)
    assert asked == result.x.tolist()
    assert units == [len(result.x)] * 128


@pytest.mark.parametrize(
    "activation", [identity, Activation("zero", np.zeros_like, np.zeros_like)], ids=lambda a: a.name
)
def test_degenerate_activations_span_what_they_span(activation):
    result = approximate(lambda x: 2 * x + 1, (0, 1), activation)
    assert (result.dimensions == (2 if activation is identity else 1)).all()
    assert result.rms[-1] == pytest.approx(0.0 if activation is identity else 1 / math.sqrt(3), rel=1e-2, abs=1e-12)


def test_what_is_in_the_span_is_met_exactly():
    assert approximate(lambda _: 5.0, (0, 1), sigmoid, widths=(1,)).sup == pytest.approx(0, abs=1e-14)
    assert approximate(lambda _: 0.0, (0, 1), sigmoid, widths=(1,)).sup == 0
    assert approximate(lambda x: x**3 - x, (-3, 8), monomial(3), widths=(10,)).sup == pytest.approx(0, abs=1e-9)


def test_an_interval_may_be_as_long_as_float64_allows():
    long = approximate(lambda x: math.sin(x / 5e307), (-1.5e308, 1.5e308), sigmoid, widths=(32,))
    assert long.rms == pytest.approx(approximate(lambda x: math.sin(3 * x), (-1, 1), sigmoid, widths=(32,)).rms)


def test_steps_approximate_too_and_huge_values_do_not_overflow():
    assert approximate(math.sin, (0, 6), step, widths=(128,)).sup < 0.1
    huge = approximate(lambda x: 1e200 * math.sin(x), (0, 6), relu, widths=(64,))
    assert huge.rms[0] == pytest.approx(1e200 * approximate(math.sin, (0, 6), relu, widths=(64,)).rms[0], rel=1e-9)


def test_monomials_are_activations_with_their_derivatives():
    cube = monomial(3)
    np.testing.assert_array_equal(cube([-2.0, 0.0, 3.0]), [-8, 0, 27])
    np.testing.assert_array_equal(cube.derivative([-2.0, 0.0, 3.0]), [12, 0, 27])
    assert monomial(1).derivative(0.0) == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"interval": (1, 1)}, r"interval must be \(a, b\) with a < b, got \(1, 1\)"),
        ({"interval": (2, 1)}, "interval must be"),
        ({"interval": (1, 2, 3)}, "interval must be"),
        ({"interval": (0, math.inf)}, "interval must be finite, got inf"),
        ({"widths": ()}, "widths must be increasing, and at least one"),
        ({"widths": (4, 2)}, r"widths must be increasing, and at least one, got \(4, 2\)"),
        ({"widths": (2, 2)}, "widths must be increasing"),
        ({"widths": (0, 2)}, "widths must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"f": lambda x: 1 / x}, r"f must be finite on the interval, but f\(0\) fails: .*division by zero"),
        ({"f": np.log}, r"f\(0\) must be finite, got -inf"),
        ({"activation": Activation("e", np.exp, np.exp), "widths": (1000,)}, "activation 'e' overflows in hidden unit"),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        approximate(**{"f": math.sin, "interval": (0, 1), "activation": sigmoid, **arguments})


def test_wrong_types_and_degrees_are_named():
    with pytest.raises(TypeError, match=r"f\(0\) must be one number, got"):
        approximate(lambda x: [x, x], (0, 1), sigmoid)
    with pytest.raises(TypeError, match=r"widths must be a whole number, got 2\.5"):
        approximate(math.sin, (0, 1), sigmoid, widths=(1, 2.5))
    with pytest.raises(ValueError, match="degree must be at least 1, got 0"):
        monomial(0)
    with pytest.raises(ValueError, match="degree must be at most 15, got 16"):
        monomial(16)
