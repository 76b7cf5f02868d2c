import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.svm import SVC

from narrows.foundations.boolean import Separation, separate
from narrows.foundations.perceptron import ThresholdUnit, targets
from narrows.foundations.rules import adaline, convergence, hebb, margin, rosenblatt

LECTURE = ThresholdUnit([0.9, -0.3, -1.7, 0.3], 1.0)
CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
AND, OR, XOR = [0, 0, 0, 1], [0, 1, 1, 1], [0, 1, 1, 0]
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
vectors = st.integers(1, 6).flatmap(lambda d: arrays(np.float64, d, elements=numbers))


@st.composite
def separable(draw):
    """Integer points and the labels that some plane with a gap gives them."""
    d = draw(st.integers(1, 4))
    x = draw(arrays(np.int64, (draw(st.integers(1, 15)), d), elements=st.integers(-5, 5)))
    s = 2 * (x @ draw(arrays(np.int64, d, elements=st.integers(-4, 4)))) - 2 * draw(st.integers(-8, 8)) - 1
    return x, (s > 0).astype(int)


def test_the_lectures_unit():
    x = [1, 0.5, 0, 1]
    assert LECTURE.excitation(x) == pytest.approx(1.05, abs=1e-15)
    assert LECTURE(x) == 1
    assert ThresholdUnit(LECTURE.weights, 1.05)(x) == 1
    assert ThresholdUnit(LECTURE.weights, 1.06)(x) == 0


def test_it_fires_on_its_boundary():
    assert ThresholdUnit([1, 1], 2)([1, 1]) == 1
    assert ThresholdUnit([0, 0], 0)([3, 4]) == 1


@given(vectors, numbers, st.data())
@settings(deadline=None, max_examples=100)
def test_a_batch_is_its_rows(weights, theta, data):
    unit = ThresholdUnit(weights, theta)
    x = data.draw(arrays(np.float64, (5, len(weights)), elements=numbers))
    assert unit(x).tolist() == [int(unit(row)) for row in x]
    assert unit(np.asfortranarray(x)).tolist() == unit(x).tolist()
    assert unit.excitation(x) == pytest.approx(x @ weights, rel=1e-9, abs=0.1)


def test_a_long_row_sums_the_same_alone_and_in_a_batch():
    rng = np.random.default_rng(0)
    unit, x = ThresholdUnit(rng.normal(size=1001), 0.0), rng.normal(size=(20, 1001))
    for layout in (x, np.asfortranarray(x)):
        assert [float(unit.excitation(row)) for row in x] == unit.excitation(layout).tolist()


@given(vectors, numbers)
@settings(deadline=None, max_examples=100)
def test_both_forms_convert_exactly(weights, theta):
    unit = ThresholdUnit(weights, theta)
    assert unit.to_bias()[0] == -theta
    again = ThresholdUnit.from_bias(unit.to_bias())
    assert again.theta == theta
    assert (again.weights == weights).all()


def test_a_unit_does_not_follow_its_arguments():
    weights = np.array([1.0, 2.0])
    unit = ThresholdUnit(weights, 0.5)
    weights[0] = 7
    assert unit.weights.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        unit.weights[0] = 7


@given(vectors, numbers, st.data())
@settings(deadline=None, max_examples=100)
def test_distance_is_to_the_nearest_point_of_the_boundary(weights, theta, data):
    assume(np.linalg.norm(weights) > 1e-3)
    unit = ThresholdUnit(weights, theta)
    x = data.draw(arrays(np.float64, len(weights), elements=numbers))
    distance = float(unit.distance(x))
    foot = x - distance * weights / np.linalg.norm(weights)
    scale = np.abs(weights) @ (np.abs(x) + abs(distance)) + abs(theta)
    assert abs(unit.excitation(foot) - theta) <= 1e-12 * scale + 1e-12
    assert (distance >= 0) == bool(unit(x)) or abs(distance) < 1e-9 * scale
    assert np.linalg.norm(x - foot) == pytest.approx(abs(distance), rel=1e-6, abs=1e-6)


def test_boundary_is_the_lectures_line():
    a, b, c = ThresholdUnit([2, -1], 3).boundary()
    assert (a, b, c) == (2, -1, -3)
    assert ThresholdUnit([1e200, 1e200], 0).distance([1, 1]) == pytest.approx(math.sqrt(2))


@given(arrays(np.float64, 2, elements=st.integers(-5, 5)), st.integers(-20, 20))
@settings(deadline=None, max_examples=200)
def test_a_line_is_clipped_to_a_box(weights, theta):
    assume(weights.any())
    unit = ThresholdUnit(weights, theta)
    ends = unit.clip([-1, -2], [3, 2])
    grid = np.array(list(itertools.product([-1, 3], [-2, 2])))
    sides = grid @ weights - theta
    assert len(ends) == (2 if sides.min() < 0 < sides.max() else np.count_nonzero(sides == 0))
    assert ((ends >= [-1, -2]) & (ends <= [3, 2])).all()
    assert np.abs(unit.distance(ends)).max(initial=0) < 1e-12
    on_border = np.isclose(ends, [-1, -2]) | np.isclose(ends, [3, 2])
    assert on_border.any(axis=1).all()


def test_a_plane_cuts_a_cube_in_a_polygon_in_order():
    hexagon = ThresholdUnit([1, 1, 1], 1.5).clip(0, 1)
    sides = np.linalg.norm(hexagon - np.roll(hexagon, 1, axis=0), axis=1)
    assert sides == pytest.approx(np.full(6, math.sqrt(0.5)))
    square = ThresholdUnit([0, 0, 2], 2).clip(0, 1)
    assert np.linalg.norm(square - np.roll(square, 1, axis=0), axis=1) == pytest.approx(np.ones(4))
    assert ThresholdUnit([1, 1, 1], 4).clip(0, 1).shape == (0, 3)
    assert ThresholdUnit([1, 1, 1], 3).clip(0, 1).tolist() == [[1, 1, 1]]


def exact_perceptron(x, labels):
    """The rule in Python's integers, with the bias as a weight: an independent account of the same."""
    w, told = [0] * (len(x[0]) + 1), []
    while True:
        errors = 0
        for row, t in zip(x, labels, strict=True):
            augmented = [1, *row]
            error = t - (sum(a * b for a, b in zip(w, augmented, strict=True)) >= 0)
            w = [a + error * b for a, b in zip(w, augmented, strict=True)]
            errors += abs(error)
            told.append((w, error))
        if not errors:
            return told


@given(separable())
@settings(deadline=None, max_examples=100)
def test_rosenblatts_rule_is_the_rule(example):
    x, labels = example
    steps = list(rosenblatt(x, labels))
    assert [(step.unit.to_bias().tolist(), step.error) for step in steps] == exact_perceptron(
        x.tolist(), labels.tolist()
    )
    assert [step.updated for step in steps] == [step.error != 0 for step in steps]
    assert [step.index for step in steps] == list(range(len(x))) * steps[-1].epoch
    assert not any(step.updated for step in steps[-len(x) :])
    assert steps[-1].unit(x).tolist() == labels.tolist()


@pytest.mark.parametrize("labels", [AND, OR])
def test_rosenblatts_rule_learns_and_and_or(labels):
    assert list(rosenblatt(CORNERS, labels))[-1].unit(CORNERS).tolist() == labels


def test_rosenblatts_rule_never_rests_on_xor():
    epochs = [step.epoch for step in rosenblatt(CORNERS, XOR, epochs=500) if step.updated]
    assert set(epochs) == set(range(1, 501))
    report = convergence(CORNERS, XOR, epochs=50)
    assert (report.converged, report.gamma, report.bound, report.epochs) == (False, 0, math.inf, 50)


def test_the_learning_rate_only_scales_rosenblatts_weights():
    slow, fast = (list(rosenblatt(CORNERS, AND, eta=eta)) for eta in (0.25, 1))
    assert [(4 * a.unit.to_bias()).tolist() for a in slow] == [b.unit.to_bias().tolist() for b in fast]


@given(separable(), st.floats(-3, 3))
@settings(deadline=None, max_examples=150)
def test_updates_stay_below_the_convergence_bound(example, exponent):
    x, labels = example
    report = convergence(x * 10.0**exponent, labels, epochs=3000)
    assert report.gamma > 0
    assert report.bound == pytest.approx((report.radius / report.gamma) ** 2)
    assert report.updates <= report.bound
    assert report.updates == sum(step.updated for step in rosenblatt(x * 10.0**exponent, labels, epochs=3000))
    if report.converged and report.updates:
        # Any separating unit's margin gives a bound, and the greatest margin the least.
        assert margin(x * 10.0**exponent, labels, report.unit) <= report.gamma


def test_radius_and_margin_by_hand():
    # The points −1 and 1 with their constant 1: the hull of (−1, 1) and (1, 1) is nearest to the origin at (0, 1).
    report = convergence([[-1.0], [1.0]], [0, 1])
    assert report.radius == pytest.approx(math.sqrt(2))
    assert report.gamma == pytest.approx(1.0)
    assert report.bound == pytest.approx(2.0)
    assert margin([[-1.0], [1.0]], [0, 1], ThresholdUnit([3], 0)) == pytest.approx(1.0)
    assert margin([[-1.0], [1.0]], [0, 1], ThresholdUnit([-1], 0)) == pytest.approx(-1.0)
    assert margin([[-1.0], [1.0]], [0, 1], ThresholdUnit([1], 0.5)) == pytest.approx(0.5 / math.sqrt(1.25))


@pytest.mark.parametrize("seed", range(8))
def test_the_greatest_margin_lies_between_a_support_vector_machines_two_bounds(seed):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(40, 3)), rng.normal(size=3)
    labels = (x @ w > 0.3).astype(int)
    z = (2 * labels - 1)[:, None] * np.column_stack([np.ones(40), x])
    # With every point mirrored the machine's own intercept is 0, and its margin is that of the convergence theorem.
    machine = SVC(kernel="linear", C=1e10, tol=1e-8).fit(np.vstack([z, -z]), np.repeat([1, -1], 40))
    normal, alpha = machine.coef_[0], np.abs(machine.dual_coef_).sum()
    reached, possible = np.min(z @ normal) / np.linalg.norm(normal), np.linalg.norm(normal) / alpha
    assert possible < 1.01 * reached
    assert reached * (1 - 1e-9) <= margin(x, labels) <= possible * (1 + 1e-9)


@given(arrays(np.int64, (7, 2), elements=st.integers(-2, 2)), st.lists(st.integers(0, 1), min_size=7, max_size=7))
@settings(deadline=None, max_examples=200)
def test_the_greatest_margin_is_0_just_where_no_unit_separates(x, labels):
    assert (margin(x, labels) > 0) == isinstance(separate(x, labels), Separation)


def test_hebbs_rule_adds_examples():
    x = np.array([[1.0, -1.0, 2.0], [0.5, 3.0, 1.0]])
    first, second = hebb(x, [0, 1], eta=2)
    assert first.unit.to_bias().tolist() == [-2, -2, 2, -4]
    assert second.unit.to_bias().tolist() == [0, -1, 8, -2]
    assert (first.index, second.index, second.epoch) == (0, 1, 1)
    assert first.updated
    assert second.updated


def test_hebbs_rule_recalls_orthogonal_inputs():
    x = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    for labels in itertools.product([0, 1], repeat=4):
        *_, last = hebb(x, labels, epochs=3)
        w = last.unit.weights
        assert ((x @ w > 0) == np.array(labels)).all()


def test_adaline_follows_the_gradient_of_its_squared_error():
    x = np.array([[0.2, -0.4], [1.0, 0.3]])
    first, second = itertools.islice(adaline(x, [1, 0], eta=0.1), 2)
    assert (first.error, first.unit.to_bias().tolist()) == (1, pytest.approx([0.1, 0.02, -0.04]))
    error = -1 - (0.1 + 0.02 * 1.0 - 0.04 * 0.3)
    assert second.error == pytest.approx(error)
    assert second.unit.to_bias() == pytest.approx([0.1 + 0.1 * error, 0.02 + 0.1 * error, -0.04 + 0.03 * error])


@pytest.mark.parametrize("labels", [AND, OR, XOR])
def test_adaline_settles_near_least_squares(labels):
    augmented = np.column_stack([np.ones(4), CORNERS])
    least_squares, *_ = np.linalg.lstsq(augmented, 2 * np.array(labels) - 1, rcond=None)
    *_, last = adaline(CORNERS, labels, eta=0.002, epochs=4000)
    assert last.unit.to_bias() == pytest.approx(least_squares, abs=0.01)


@given(arrays(np.float64, (6, 2), elements=st.floats(-1e3, 1e3)), st.floats(0.01, 0.99))
@settings(deadline=None, max_examples=30)
def test_adaline_stays_finite_for_every_permitted_rate(x, share):
    radius = np.sqrt(1 + np.max(np.sum(x**2, axis=1)))
    *_, last = adaline(x, [0, 1, 1, 0, 1, 0], eta=share * 2 / radius**2, epochs=100)
    assert np.isfinite(last.unit.to_bias()).all()
    *_, last = adaline(x, [0, 1, 1, 0, 1, 0], epochs=5)
    assert np.isfinite(last.unit.to_bias()).all()


def test_any_two_numbers_are_classes():
    for labels in ([0, 1, 1], [-1, 1, 1], [False, True, True], [3, 7.5, 7.5], np.array([0, 1, 1], dtype=np.uint8)):
        assert targets(labels, 3).tolist() == [0, 1, 1]
    assert targets([1, 1]).tolist() == [1, 1]
    assert targets([True]).tolist() == [1]
    assert targets([-1, -1]).tolist() == [0, 0]
    assert targets([0]).tolist() == [0]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: ThresholdUnit([1, math.nan], 0), r"weights must be finite, got nan at index \(1,\)"),
        (lambda: ThresholdUnit([1, 2], math.inf), "theta must be finite, got inf"),
        (lambda: ThresholdUnit([[1, 2]], 0), r"got \(1, 2\)"),
        (lambda: ThresholdUnit([], 0), r"got \(0,\)"),
        (lambda: ThresholdUnit([1], [0]), r"theta must have shapes .* got \(1,\) and \(1,\)"),
        (lambda: ThresholdUnit(["a"], 0), "weights must be numbers.*'a'"),
        (lambda: ThresholdUnit.from_bias([1]), r"w must hold a bias .*\(1,\)"),
        (lambda: LECTURE([1, 2, 3]), r"x must have shape .* d = 4, got \(3,\)"),
        (lambda: LECTURE([[[1, 2, 3, 4]]]), r"got \(1, 1, 4\)"),
        (lambda: LECTURE([1, 2, 3, math.nan]), "x must be finite, got nan"),
        (lambda: ThresholdUnit([0, 0], 1).distance([1, 1]), "weights are all 0"),
        (lambda: ThresholdUnit([0, 0], 1).boundary(), "weights are all 0"),
        (lambda: LECTURE.clip(0, 1), "weights must be 2 or 3 .* got 4"),
        (lambda: ThresholdUnit([1, 1], 1).clip(1, [2, 0]), r"low must be below high"),
        (lambda: ThresholdUnit([1, 1], 1).clip(0, [2, math.nan]), "^high must be finite, got nan"),
        (
            lambda: rosenblatt([[1], [1, 2]], [0, 1]),
            r"X must be numbers in a rectangular table, got \[\[1\], \[1, 2\]\]",
        ),
        (lambda: rosenblatt([1, 2], [0, 1]), r"X must have shape .* got \(2,\)"),
        (lambda: rosenblatt([[1], [math.inf]], [0, 1]), r"X must be finite, got inf at index \(1, 0\)"),
        (lambda: rosenblatt([[1], [2]], [0, 1, 1]), r"labels must be one class per point.* got shape \(3,\)"),
        (lambda: rosenblatt([[1], [2], [3]], [0, 1, 2]), r"labels must be of two classes.*\[0.0, 1.0, 2.0\]"),
        (lambda: rosenblatt([[1]], [7]), r"labels must be of two classes.*7"),
        (lambda: rosenblatt([[1]], [math.nan]), "labels must be finite"),
        (lambda: rosenblatt([[1]], ["yes"]), "labels must be numbers.*yes"),
        (lambda: rosenblatt([[1]], [1], eta=0), "eta must be positive and finite, got 0"),
        (lambda: hebb([[1]], [1], eta=-1), "eta must be positive and finite, got -1"),
        (lambda: hebb([[1]], [1], epochs=0), "epochs must be a whole number .* got 0"),
        (lambda: hebb([[1]], [1], epochs=1.5), "epochs must be a whole number .* got 1.5"),
        (lambda: adaline([[1]], [1], eta=1.0), "eta must be below 2/R² = 1 .* got 1.0"),
        (lambda: adaline([[0]], [1], eta=2.0), "eta must be below 2/R² = 2 .* got 2.0"),
        (lambda: adaline([[1]], [1], eta=-1.0), "eta must be positive"),
        (lambda: margin([[1]], [1], ThresholdUnit([0], 0)), "unit must not have weights and threshold 0"),
        (lambda: margin([[1]], [1], ThresholdUnit([1, 2], 0)), "x must have shape"),
        (lambda: targets([]), r"labels must be one class per point.*got shape \(0,\)"),
    ],
)
def test_bad_input_is_named_at_the_call(call, match):
    with pytest.raises(ValueError, match=match):
        call()
