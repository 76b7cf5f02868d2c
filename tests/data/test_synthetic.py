"""Synthetic sets show what their factors say, and the factors are drawn as promised; checked by moments and SciPy."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path
from scipy import ndimage, stats
from scipy.spatial import KDTree
from sklearn.datasets import make_moons

from narrows.data import synthetic
from narrows.data.synthetic import SYNTHETIC, bars, moons, rings, shapes

# The areas at scale 1. A heart is a square of side 2r with two half discs of radius r, its tip at distance 1 from its
# centre of mass: √2 r from the square's centre, which is 0.44307 r lower than the centre of mass.
AREAS = {"square": 2, "ellipse": math.pi / 2, "heart": (4 + math.pi) / (math.sqrt(2) + 0.44307) ** 2}
PERIODS = {"square": math.pi / 2, "ellipse": math.pi, "heart": 2 * math.pi}

factors = st.tuples(
    st.sampled_from(list(AREAS)),
    st.floats(0.25, 0.75),
    st.floats(0.25, 0.75),
    st.floats(0.125, 0.25),
    st.floats(0, 2 * math.pi),
)
of_any = settings(max_examples=80, deadline=None)


def draw(*rows, size=32):
    return synthetic._drawn(pd.DataFrame(rows, columns=["shape", "x", "y", "scale", "rotation"]), size)


def outline(shape):
    """The polygon of a shape at scale 1 around its centre of mass, counter-clockwise, with the second axis upwards."""
    t = np.linspace(0, 2 * math.pi, 721)
    if shape == "square":
        return np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) / math.sqrt(2)
    if shape == "ellipse":
        return np.stack([np.cos(t), np.sin(t) / 2], axis=1)
    half = t[:361] - math.pi / 4
    right = np.stack([np.cos(half), np.sin(half)], axis=1) + math.sqrt(1 / 2)
    heart = np.concatenate([right, right[::-1] * [-1, 1], [[0, -math.sqrt(2)]]])
    following = np.roll(heart, -1, axis=0)
    cross = heart[:, 0] * following[:, 1] - heart[:, 1] * following[:, 0]
    heart -= ((heart + following) * cross[:, None]).sum(0) / (3 * cross.sum())
    return heart / np.hypot(*heart.T).max()


@of_any
@given(row=factors, size=st.integers(16, 48))
def test_area_and_centre_of_mass_are_the_formulas(row, size):
    shape, x, y, scale, _ = row
    image = draw(row, size=size)[0] / 255
    assert image.sum() == pytest.approx(AREAS[shape] * (scale * size) ** 2, abs=0.6, rel=0.02)
    down, right = ndimage.center_of_mass(image)
    assert right + 0.5 == pytest.approx(x * size, abs=0.06)
    assert down + 0.5 == pytest.approx(y * size, abs=0.06)


@pytest.mark.parametrize("shape", AREAS)
@pytest.mark.parametrize("size", [8, 21, 32])
def test_grey_is_the_covered_part_of_a_pixel(shape, size):
    fine = (np.arange(size * 16) + 0.5) / 16
    points = np.stack(np.meshgrid(fine, fine), axis=-1).reshape(-1, 2)
    for x, y, scale, rotation in [(0.5, 0.5, 0.25, 0.1), (0.31, 0.62, 0.19, 0.4), (0.75, 0.25, 0.25, 2.5)]:
        turn = np.exp(1j * rotation) * (outline(shape) @ [1, 1j]) * scale * size
        corners = np.stack([x * size + turn.real, y * size - turn.imag], axis=1)
        covered = Path(corners).contains_points(points).reshape(size, 16, size, 16).mean((1, 3))
        image = draw((shape, x, y, scale, rotation), size=size)[0] / 255
        assert np.abs(image - covered).max() < 0.08
        assert np.abs(image - covered).mean() < 0.03 / size


@of_any
@given(row=factors)
def test_a_shape_turned_by_its_period_is_the_same_and_by_half_of_it_is_not(row):
    *others, rotation = row
    period = PERIODS[row[0]]
    still, turned, half = draw(row, (*others, rotation + period), (*others, rotation + period / 2)).astype(int)
    assert np.abs(still - turned).max() <= 1
    assert np.abs(still - half).max() > 20


@of_any
@given(rotation=st.floats(0, math.pi), scale=st.floats(0.15, 0.25))
def test_an_ellipse_lies_along_its_rotation(rotation, scale):
    image = draw(("ellipse", 0.5, 0.5, scale, rotation))[0].astype(float)
    right = np.arange(32) - 15.5
    up = -right[:, None]
    xx, yy, xy = ((image * product).sum() for product in (right**2, up**2, right * up))
    long = np.arctan2(2 * xy, xx - yy) / 2
    assert math.remainder(long - rotation, math.pi) == pytest.approx(0, abs=0.03)


def test_a_heart_stands_on_its_tip_and_turns_counter_clockwise():
    upright, quarter = draw(("heart", 0.5, 0.5, 0.25, 0), ("heart", 0.5, 0.5, 0.25, math.pi / 2)).astype(int)
    assert (upright[:16] > 0).any(0).sum() > (upright[20:] > 0).any(0).sum()
    np.testing.assert_allclose(upright, upright[:, ::-1], atol=1)
    np.testing.assert_allclose(quarter, np.rot90(upright), atol=1)


@pytest.mark.parametrize("shape", AREAS)
def test_shapes_in_the_corners_are_whole(shape):
    for x, y, turn in itertools.product([0.25, 0.75], [0.25, 0.75], np.linspace(0, 2 * math.pi, 9)):
        image, middle = draw((shape, x, y, 0.25, turn), (shape, 0.5, 0.5, 0.25, turn)).astype(int)
        np.testing.assert_allclose(image, np.roll(middle, (round(32 * y - 16), round(32 * x - 16)), (0, 1)), atol=1)


def test_the_images_are_those_of_the_factors():
    data = shapes(700, size=20, random_state=5)
    assert data.X.shape == (700, 20, 20)
    assert data.X.dtype == np.uint8
    assert data.y.tolist() == data.factors["shape"].tolist()
    one_by_one = np.concatenate([draw(row, size=20) for row in data.factors.itertuples(index=False)])
    np.testing.assert_array_equal(data.X, one_by_one)


SHAPES = shapes(4000, size=8, random_state=1).factors
CONTINUOUS = {
    "x": SHAPES.x * 2 - 0.5,
    "y": SHAPES.y * 2 - 0.5,
    "scale": SHAPES.scale * 8 - 1,
    "rotation": SHAPES.rotation / SHAPES["shape"].map(PERIODS),
    "ring": rings(4000, random_state=1).factors.angle / (2 * math.pi),
    "moon": moons(4000, random_state=1).factors.angle / math.pi,
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_factor_is_uniform(name):
    assert CONTINUOUS[name].between(0, 1).all()
    assert stats.kstest(CONTINUOUS[name], "uniform").pvalue > 0.01


@pytest.mark.parametrize("kind", ["square", "ellipse", "heart"])
@pytest.mark.parametrize("name", ["x", "y", "scale", "rotation"])
def test_a_factor_is_the_same_for_each_shape(name, kind):
    assert stats.kstest(CONTINUOUS[name][SHAPES["shape"] == kind], "uniform").pvalue > 0.005


@pytest.mark.parametrize("pair", list(itertools.combinations(["x", "y", "scale", "rotation"], 2)), ids="-".join)
def test_two_factors_are_independent(pair):
    cells, _, _ = np.histogram2d(*(CONTINUOUS[name] for name in pair), bins=5, range=[[0, 1]] * 2)
    assert stats.chisquare(cells.ravel()).pvalue > 0.005


@pytest.mark.parametrize(
    ("labels", "kinds"),
    [(SHAPES["shape"], 3), (bars(4000).y, 2), (rings(4000).y, 3), (moons(4000).y, 2)],
    ids=SYNTHETIC,
)
def test_labels_are_equally_frequent(labels, kinds):
    _, counts = np.unique(labels, return_counts=True)
    assert len(counts) == kinds
    assert stats.chisquare(counts).pvalue > 0.01


@of_any
@given(size=st.integers(2, 20), seed=st.integers(0, 2**32 - 1))
def test_every_image_of_bars_is_constant_along_its_lines(size, seed):
    data = bars(30, size=size, random_state=seed)
    assert set(np.unique(data.X)) <= {0, 255}
    lines = data.factors.drop(columns="orientation").to_numpy()
    assert lines.shape == (30, size)
    assert data.factors["orientation"].tolist() == data.y.tolist()
    for image, orientation, line in zip(data.X, data.y, lines, strict=True):
        in_rows = {"rows": image, "columns": image.T}[orientation]
        np.testing.assert_array_equal(in_rows, np.repeat(255 * line[:, None], size, axis=1))


def test_lines_of_bars_are_fair_and_independent():
    data = bars(4000, size=4)
    code = (data.y == "rows") * 16 + data.factors.drop(columns="orientation").to_numpy() @ [8, 4, 2, 1]
    assert stats.chisquare(np.bincount(code, minlength=32)).pvalue > 0.01


def test_bars_of_one_colour_are_drawn_twice_as_often_as_each_other_image():
    data = bars(8000, size=3, random_state=0)
    seen, counts = np.unique(data.X.reshape(-1, 9), axis=0, return_counts=True)
    assert len(seen) == 2 * 2**3 - 2
    weights = np.where(np.ptp(seen, axis=1) == 0, 2, 1) / 16
    assert stats.chisquare(counts, 8000 * weights).pvalue > 0.01


def test_points_without_noise_are_on_their_rings():
    data = rings(500, noise=0)
    np.testing.assert_allclose(np.hypot(*data.X.T), data.y + 1)
    angle = np.arctan2(*data.X.T[::-1]) % (2 * math.pi)
    np.testing.assert_allclose(angle, data.factors["angle"])
    assert data.factors["ring"].tolist() == data.y.tolist()


def test_points_without_noise_are_on_the_moons_of_scikit_learn():
    data = moons(500, noise=0)
    assert data.factors["moon"].tolist() == data.y.tolist()
    X, y = make_moons(20_000, shuffle=False)
    distance, nearest = KDTree(X).query(data.X)
    assert distance.max() < 1e-3
    np.testing.assert_array_equal(y[nearest], data.y)
    _, place = KDTree(X).query(data.X[data.y == 1])
    np.testing.assert_allclose((place - 10_000) / 9_999 * math.pi, data.factors["angle"][data.y == 1], atol=1e-3)


@pytest.mark.parametrize("points", [rings, moons])
def test_the_noise_has_its_standard_deviation_in_both_coordinates(points):
    noise = points(20_000, noise=0.3).X - points(20_000, noise=0).X
    np.testing.assert_allclose(noise.std(0), 0.3, rtol=0.02)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.02
    assert stats.kstest(noise.ravel() / 0.3, "norm").pvalue > 0.01


@pytest.mark.parametrize("name", SYNTHETIC)
def test_one_seed_gives_one_set(name):
    draw_set = {"shapes": shapes, "bars": bars, "rings": rings, "moons": moons}[name]
    first, again, other = draw_set(50, random_state=3), draw_set(50, random_state=3), draw_set(50, random_state=4)
    np.testing.assert_array_equal(first.X, again.X)
    pd.testing.assert_frame_equal(first.factors, again.factors)
    assert not np.array_equal(first.X, other.X)


@pytest.mark.parametrize(("name", "shape"), [("shapes", (5000, 32, 32)), ("bars", (5000, 16, 16))])
def test_named_sets_of_images(name, shape):
    assert SYNTHETIC[name]().X.shape == shape


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_named_set_is_whole(name):
    data = SYNTHETIC[name]()
    assert data.name == name
    assert len(data.X) == len(data.y) == len(data.factors)
    assert data.factors.notna().all(axis=None)


@pytest.mark.parametrize("draw_set", SYNTHETIC.values(), ids=SYNTHETIC)
def test_one_example_is_enough(draw_set):
    data = draw_set(1)
    assert len(data.X) == len(data.y) == len(data.factors) == 1


@pytest.mark.parametrize("draw_set", SYNTHETIC.values(), ids=SYNTHETIC)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0}, ValueError, "n=0 must be a whole number of at least 1"),
        ({"n": 10.0}, TypeError, r"n=10\.0 must be"),
        ({"random_state": -1}, ValueError, "random_state=-1 must be"),
        ({"random_state": "a"}, TypeError, "random_state='a' must be"),
    ],
)
def test_what_no_set_takes(draw_set, arguments, error, message):
    with pytest.raises(error, match=message):
        draw_set(**arguments)


@pytest.mark.parametrize(
    ("draw_set", "arguments", "message"),
    [
        (shapes, {"size": 7}, "size=7 must be a whole number of at least 8"),
        (shapes, {"size": 1025}, "size=1025 must be"),
        (bars, {"size": 1}, "size=1 must be a whole number of at least 2"),
        (rings, {"noise": -0.1}, "noise=-0.1 must be"),
        (rings, {"noise": math.nan}, "noise=nan must be"),
        (moons, {"noise": math.inf}, "noise=inf must be"),
    ],
)
def test_what_a_set_does_not_take(draw_set, arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_set(5, **arguments)
