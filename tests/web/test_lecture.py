"""The lecture's pages are answered with what `narrows.foundations` says, also where no model is open."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import rosen, rosen_der

from narrows.web.library import Library
from narrows.web.server import answer
from web.reading_frames import read_frame

TARGETS = {
    "wave": lambda x: np.sin(3 * x),
    "corner": np.abs,
    "bump": lambda x: np.exp(-4 * x**2),
    "jump": lambda x: (x >= 0).astype(float),
}


@pytest.fixture(scope="module")
def ask():
    library = Library()

    def asked(name, **given):
        return SimpleNamespace(**read_frame(answer(library, json.dumps({"id": 1, "ask": name, **given}))))

    return asked


@given(x=st.floats(-6, 6).filter(lambda x: abs(x) > 1e-3), k=st.floats(0.5, 20))
@settings(deadline=None, max_examples=30)
def test_activations_are_torchs_and_their_slopes_autograds(ask, x, k):
    found = ask("activations", x=x, k=k)
    points = torch.tensor(np.append(found.x, x), dtype=torch.float64, requires_grad=True)
    functions = {"sigmoid": lambda v: torch.sigmoid(k * v), "tanh": torch.tanh, "relu": torch.relu}
    for name, function in functions.items():
        i = found.names.index(name)
        values = function(points)
        (slopes,) = torch.autograd.grad(values.sum(), points)
        np.testing.assert_allclose(np.append(found.values[i], found.at[i]), values.detach(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.append(found.slopes[i], found.slope[i]), slopes, rtol=1e-4, atol=1e-5)
    assert found.at[found.names.index("step")] == (x >= 0)


def test_the_corners_are_where_the_lecture_has_them(ask):
    found = ask("activations", x=0)
    assert dict(zip(found.names, found.at, strict=True)) == {"step": 1, "sigmoid": 0.5, "tanh": 0, "relu": 0}
    assert dict(zip(found.names, found.slope, strict=True)) == {"step": 0, "sigmoid": 0.25, "tanh": 1, "relu": 0}
    assert 0 in found.x


@pytest.mark.parametrize(("given", "named"), [({"x": 7}, "x"), ({"x": "a"}, "x"), ({"x": 0, "k": 0}, "k")])
def test_what_is_out_of_range_is_refused_by_name(ask, given, named):
    assert ask("activations", **given).refused.startswith(f"{named}:")


WITHIN = st.floats(-2, 2, allow_subnormal=False)


@given(x=WITHIN, y=WITHIN, rate=st.floats(1e-3, 1.2), steps=st.integers(0, 60))
@settings(deadline=None, max_examples=30)
def test_a_descent_of_the_bowl_has_a_closed_form(ask, x, y, rate, steps):
    """Each step multiplies the distance from (1, 2) by 1 − 2η."""
    found = ask("descent", f="bowl", start=[x, y], rate=rate, steps=steps)
    k = np.arange(len(found.points))[:, None]
    np.testing.assert_allclose(found.points, [1, 2] + (1 - 2 * rate) ** k * [x - 1, y - 2], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.values, np.square(found.points - [1, 2]).sum(axis=1), rtol=1e-4, atol=1e-4)
    assert len(found.points) == steps + 1 or found.verdict in ("converges", "diverges")


@pytest.mark.parametrize(("start", "gradient"), [((0, 0), (-2, -4)), ((2, 3), (2, 2))])
def test_the_gradients_are_the_lectures(ask, start, gradient):
    found = ask("descent", f="bowl", start=start, rate=0.1, steps=0)
    np.testing.assert_allclose(found.gradients, [gradient], rtol=1e-6)


@given(x=WITHIN, y=WITHIN)
@settings(deadline=None, max_examples=20)
def test_the_valley_is_rosenbrocks(ask, x, y):
    found = ask("descent", f="valley", start=[x, y], rate=1e-4, steps=0)
    np.testing.assert_allclose(found.values, [rosen([x, y])], rtol=1e-5)
    np.testing.assert_allclose(found.gradients, [rosen_der([x, y])], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("f", "minimum"), [("bowl", (1, 2)), ("trough", (0, 0)), ("valley", (1, 1)), ("hollows", (-1.0299, 0))]
)
def test_a_surface_is_lowest_at_its_minimum_and_is_what_is_descended(ask, f, minimum):
    found = ask("surface", f=f)
    i, j = np.unravel_index(found.values.argmin(), found.values.shape)
    np.testing.assert_allclose((found.xs[j], found.ys[i]), minimum, atol=0.05)
    for row, column in ((0, 0), (17, 90), (120, 3)):
        start = [float(found.xs[column]), float(found.ys[row])]
        value = ask("descent", f=f, start=start, rate=0.1, steps=0).values[0]
        assert value == pytest.approx(found.values[row, column], rel=1e-5)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"rate": 0.1, "steps": 0}, "starts"),
        ({"rate": 0.1, "steps": 1}, "falls"),
        ({"rate": 0.1, "steps": 10}, "falls"),
        ({"rate": 0.1, "steps": 200}, "converges"),
        ({"rate": 0.95, "steps": 20}, "zigzags"),
        ({"rate": 0.95, "steps": 200}, "converges"),
        ({"rate": 1, "steps": 21}, "oscillates"),
        ({"rate": 1, "steps": 200}, "oscillates"),
        ({"rate": 1.01, "steps": 20}, "diverges"),
        ({"rate": 1.9, "steps": 200}, "diverges"),
        ({"f": "trough", "start": [-2.5, 2], "rate": 0.45, "steps": 10}, "zigzags"),
        ({"f": "trough", "start": [-2.5, 2], "rate": 0.55, "steps": 20}, "diverges"),
        ({"f": "valley", "start": [-1.2, 1], "rate": 0.001, "steps": 200}, "falls"),
        ({"f": "valley", "start": [-1.2, 1], "rate": 0.1, "steps": 200}, "diverges"),
        ({"start": [1, 2], "rate": 1, "steps": 5}, "converges"),
    ],
)
def test_how_a_descent_goes(ask, given, verdict):
    assert ask("descent", **({"f": "bowl", "start": [0, 0]} | given)).verdict == verdict


def test_the_start_decides_in_which_hollow_a_descent_ends(ask):
    left, right = (ask("descent", f="hollows", start=[x, 1], rate=0.1, steps=200) for x in (-0.2, 0.4))
    assert left.verdict == right.verdict == "converges"
    assert left.points[-1, 0] < 0 < right.points[-1, 0]
    assert left.values[-1] < right.values[-1]


@given(degree=st.integers(1, 9), target=st.sampled_from(["wave", "corner", "bump", "jump"]))
@settings(deadline=None, max_examples=12)
def test_a_net_of_polynomials_is_the_best_polynomial_however_wide(ask, degree, target):
    wide = ask("approximation", target=target, activation="polynomial", width=64, degree=degree)
    x = np.linspace(-2, 2, 2001)
    y = TARGETS[target](x)
    rest = y - np.polynomial.Polynomial.fit(x, y, degree)(x)
    np.testing.assert_allclose(wide.rms[2, degree - 1 :], np.sqrt(np.square(rest).mean()), rtol=1e-4)
    assert wide.sup == pytest.approx(np.abs(rest).max(), rel=1e-4)
    assert wide.dimensions == degree + 1


@pytest.mark.parametrize("target", ["wave", "corner", "bump"])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_the_error_falls_with_the_width_unless_the_activation_is_a_polynomial(ask, target, activation):
    found = ask("approximation", target=target, activation=activation, width=64)
    assert (np.diff(found.rms, axis=1) <= 1e-6).all()
    assert (found.rms[:2, -1] < found.rms[:2, 3] / 10).all()
    assert found.rms[2, -1] == pytest.approx(found.rms[2, 3])
    np.testing.assert_allclose(found.target, TARGETS[target](found.x), atol=1e-6)
    assert np.abs(found.fit - found.target).max() <= found.sup + 1e-6 < 0.03


def test_relu_nets_have_no_more_corners_than_units(ask):
    found = ask("approximation", target="wave", activation="relu", width=5)
    bent = np.abs(np.diff(found.fit, 2)) > 1e-4
    assert 3 <= (np.diff(np.flatnonzero(np.append(bent, True))) > 1).sum() <= 5


def test_no_net_of_continuous_units_follows_a_jump(ask):
    for activation in ("sigmoid", "relu", "polynomial"):
        assert ask("approximation", target="jump", activation=activation, width=64).sup > 0.45


@given(
    shape=st.tuples(st.integers(1, 300), st.integers(1, 300), st.integers(1, 4)),
    units=st.integers(1, 10**8),
    filters=st.integers(1, 300),
    kernel=st.integers(1, 15),
)
@settings(deadline=None, max_examples=30)
def test_weights_are_as_many_as_torchs_layers_have(ask, shape, units, filters, kernel):
    sizes = dict(zip(("height", "width", "channels"), shape, strict=True))
    found = ask("parameters", **sizes, units=units, filters=filters, kernel=kernel)
    image = torch.empty(1, *shape, device="meta").flatten(1)
    dense = torch.nn.Linear(image.shape[1], units, bias=False, device="meta")
    convolutional = torch.nn.Conv2d(shape[2], filters, kernel, bias=False, device="meta")
    assert found.inputs == image.numel()
    assert found.dense == dense.weight.numel()
    assert found.convolutional == convolutional.weight.numel()


def test_the_megapixel_needs_the_lectures_nine_million_million_weights(ask):
    found = ask("parameters", height=1000, width=1000, channels=3, units=3 * 10**6, filters=64, kernel=3)
    assert (found.inputs, found.dense, found.convolutional) == (3 * 10**6, 9 * 10**12, 1728)


def test_the_largest_count_is_exact_in_a_browser(ask):
    found = ask("parameters", height=4096, width=4096, channels=4, units=10**8, filters=1, kernel=1)
    assert found.dense == 4096 * 4096 * 4 * 10**8 < 2**53


DESCENT = {"f": "bowl", "start": [0, 0], "rate": 0.1, "steps": 5}
FIT = {"target": "wave", "activation": "relu", "width": 4}
SIZES = {"height": 8, "width": 8, "channels": 1, "units": 4, "filters": 4, "kernel": 3}


@pytest.mark.parametrize(
    ("name", "given", "named"),
    [
        ("surface", {"f": "peak"}, "f"),
        ("descent", DESCENT | {"start": [0, 11]}, "start"),
        ("descent", DESCENT | {"start": [0]}, "start"),
        ("descent", DESCENT | {"rate": 0}, "rate"),
        ("descent", DESCENT | {"steps": 201}, "steps"),
        ("approximation", FIT | {"target": "tan"}, "target"),
        ("approximation", FIT | {"activation": "step"}, "activation"),
        ("approximation", FIT | {"width": 65}, "width"),
        ("approximation", FIT | {"degree": 16}, "degree"),
        ("parameters", SIZES | {"height": 0}, "height"),
        ("parameters", SIZES | {"channels": 5}, "channels"),
        ("parameters", SIZES | {"units": 10**8 + 1}, "units"),
        ("parameters", SIZES | {"kernel": 1.5}, "kernel"),
    ],
)
def test_what_the_pages_do_not_offer_is_refused_by_name(ask, name, given, named):
    assert ask(name, **given).refused.startswith(named)
