"""Codes in, codes out: each function against its definition."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from narrows import latent

codes = arrays(np.float64, 4, elements=st.floats(-100, 100))


def test_around_has_the_center_and_the_spread_it_was_asked_for():
    z = np.array([1.0, -2.0, 3.0])
    drawn = latent.around(z, [0.1, 1.0, 0.0], 20_000, random_state=0)
    np.testing.assert_allclose(drawn.mean(0), z, atol=0.03)
    np.testing.assert_allclose(drawn.std(0), [0.1, 1.0, 0.0], rtol=0.02)
    np.testing.assert_array_equal(drawn, latent.around(z, [0.1, 1.0, 0.0], 20_000, random_state=0))


@settings(deadline=None, max_examples=60)
@given(codes, codes, st.integers(2, 20))
def test_a_linear_way_has_even_steps_and_both_ends(a, b, steps):
    way = latent.interpolate(a, b, steps)
    np.testing.assert_array_equal(way[[0, -1]], [a, b])
    np.testing.assert_allclose(np.diff(way, axis=0), np.tile((b - a) / (steps - 1), (steps - 1, 1)), atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(codes, codes, st.integers(3, 20))
def test_a_spherical_way_turns_evenly(a, b, steps):
    norms = np.linalg.norm(a), np.linalg.norm(b)
    assume(min(norms) > 1e-3)
    assume(np.linalg.norm(a / norms[0] + b / norms[1]) > 1e-3)
    way = latent.interpolate(a, b, steps, "spherical")
    np.testing.assert_array_equal(way[[0, -1]], [a, b])
    lengths = np.linalg.norm(way, axis=1)
    np.testing.assert_allclose(lengths, np.linspace(*norms, steps), rtol=1e-6)
    unit = way / lengths[:, None]
    chords = np.linalg.norm(np.diff(unit, axis=0), axis=1)
    np.testing.assert_allclose(chords, chords.mean(), atol=1e-5)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [([0, 0], [1, 0], "one is 0"), ([1, 0], [-2, 0], "opposite"), ([1, 0], [1, 0, 0], "the same number")],
)
def test_ways_that_are_none(a, b, message):
    with pytest.raises(ValueError, match=message):
        latent.interpolate(a, b, 5, "spherical")


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_a_spherical_way_against_the_rotation(scale):
    angle = np.linspace(0, 2, 9)
    way = latent.interpolate([scale, 0], [scale * np.cos(2), scale * np.sin(2)], 9, "spherical")
    np.testing.assert_allclose(way / scale, np.column_stack([np.cos(angle), np.sin(angle)]), atol=1e-14)


def test_a_spherical_way_in_one_direction_is_straight():
    np.testing.assert_allclose(latent.interpolate([1, 2], [3, 6], 3, "spherical"), [[1, 2], [2, 4], [3, 6]])
    np.testing.assert_array_equal(latent.interpolate([1, 2], [1, 2], 3, "spherical"), [[1, 2]] * 3)


@pytest.mark.parametrize("gap", [1e-5, 1e-7, np.pi - 1e-4])
def test_a_spherical_way_keeps_its_digits_where_the_angle_is_extreme(gap):
    middle = latent.interpolate([1, 0], [np.cos(gap), np.sin(gap)], 3, "spherical")[1]
    np.testing.assert_allclose(middle, [np.cos(gap / 2), np.sin(gap / 2)], atol=1e-11)


def test_traverse_moves_one_unit_only():
    np.testing.assert_array_equal(latent.traverse([1, 2, 3], 1, [7, 8]), [[1, 7, 3], [1, 8, 3]])
    with pytest.raises(ValueError, match="unit=3"):
        latent.traverse([1, 2, 3], 3, [0])


def test_analogy_is_the_parallelogram():
    rng = np.random.default_rng(0)
    minus, plus, z = rng.normal(size=(5, 3)), rng.normal(size=(7, 3)), rng.normal(size=(2, 3))
    np.testing.assert_allclose(latent.analogy(z, minus, plus) - z, np.tile(plus.mean(0) - minus.mean(0), (2, 1)))
    np.testing.assert_allclose(latent.analogy(latent.analogy(z, minus, plus), plus, minus), z)
    with pytest.raises(ValueError, match="minus"):
        latent.analogy(z, np.empty((0, 3)), plus)


def test_nearest_against_brute_force():
    rng = np.random.default_rng(0)
    among, wanted = rng.normal(size=(50, 3)), rng.normal(size=(4, 3))
    places, distances = latent.nearest(among, wanted, 3)
    every = np.linalg.norm(wanted[:, None] - among, axis=2)
    np.testing.assert_array_equal(places, every.argsort(axis=1)[:, :3])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :3])
    with pytest.raises(ValueError, match="k=51"):
        latent.nearest(among, wanted, 51)


@pytest.mark.parametrize("offset", [0, 1e6])
def test_nearest_keeps_its_digits_far_from_zero_and_in_many_units(offset):
    rng = np.random.default_rng(0)
    among = rng.normal(size=(300, 32)) + offset
    places, distances = latent.nearest(among, among[:9], 2)
    np.testing.assert_array_equal(places[:, 0], np.arange(9))
    np.testing.assert_array_equal(distances[:, 0], 0)
    every = np.sort(np.linalg.norm(among[:9, None] - among, axis=2), axis=1)
    np.testing.assert_allclose(distances, every[:, :2], rtol=1e-12)


def test_a_generator_goes_on_and_none_draws_anew():
    generator = np.random.default_rng(0)
    pairs = [[latent.around([0.0], 1, 3, state) for _ in range(2)] for state in (generator, None)]
    assert all((first != second).all() for first, second in pairs)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: latent.around([[1.0]], 1, 2), ValueError, r"z has shape \(1, 1\); \(d,\) is expected"),
        (lambda: latent.around([1.0], 1, 0), ValueError, "n=0"),
        (lambda: latent.around(["one"], 1, 2), TypeError, r"z=\['one'\] must be numbers"),
        (lambda: latent.interpolate([1.0], [np.inf], 2), ValueError, "b holds inf"),
        (lambda: latent.interpolate([1.0], [2.0], 1), ValueError, "steps=1"),
        (lambda: latent.interpolate([1.0], [2.0], 2, "spheric"), ValueError, "did you mean 'spherical'"),
        (lambda: latent.traverse([1.0], 0, []), ValueError, "values has shape"),
        (lambda: latent.traverse([1.0], 0.0, [1]), TypeError, "unit=0.0"),
        (lambda: latent.analogy(3.0, [[1.0]], [[1.0]]), ValueError, "z has shape"),
        (lambda: latent.analogy([1.0], [[1.0]], [[1.0, 2.0]]), ValueError, "plus has codes of 2 units and z of 1"),
        (lambda: latent.nearest([[1.0]], [[1.0, 2.0]], 1), ValueError, "z has codes of 2 units and codes of 1"),
        (lambda: latent.nearest([[1.0]], [[np.nan]], 1), ValueError, "z holds nan"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("sigma", [-1, np.nan, [1, 2]])
def test_a_spread_that_is_none(sigma):
    with pytest.raises(ValueError, match="sigma"):
        latent.around([1.0, 2.0, 3.0], sigma, 2)
