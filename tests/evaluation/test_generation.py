"""Comparisons of generated with real examples, against definitions written out, closed forms and SciPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import sqrtm
from sklearn.datasets import load_digits

from narrows.evaluation import generation
from narrows.evaluation.generation import (
    PrecisionRecall,
    frechet_distance,
    nearest_distances,
    precision_recall,
    two_sample_accuracy,
)

COMPARISONS = {
    "precision_recall": lambda real, generated: precision_recall(real, generated, k=1),
    "frechet_distance": frechet_distance,
    "two_sample_accuracy": lambda real, generated: two_sample_accuracy(real, generated, random_state=0),
    "nearest_distances": lambda real, generated: nearest_distances(generated, real),
}
every_comparison = pytest.mark.parametrize("compare", COMPARISONS.values(), ids=COMPARISONS)


def whole_numbers(n, features):
    """Small whole numbers: their distances and sums are exact, and ties abound."""
    return arrays(np.int64, (n, features), elements=st.integers(-3, 3))


@st.composite
def two_sets(draw, *, least=2):
    sizes = st.integers(least, 12)
    features = draw(st.integers(1, 4))
    return draw(whole_numbers(draw(sizes), features)), draw(whole_numbers(draw(sizes), features))


def normal(n, features, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, size=(n, features))


# Precision, recall, density, coverage


def definition(real, generated, k):
    """Equations 1 and 2 of Kynkäänniemi et al. and 4 and 5 of Naeem et al. with open balls, by loops."""

    def squared(a, b):
        return sum((int(i) - int(j)) ** 2 for i, j in zip(a, b, strict=True))

    def radii(rows):
        return [sorted(squared(a, b) for j, b in enumerate(rows) if j != i)[k - 1] for i, a in enumerate(rows)]

    real_balls, generated_balls = (list(zip(rows, radii(rows), strict=True)) for rows in (real, generated))
    within = [[squared(centre, y) < radius for centre, radius in real_balls] for y in generated]
    return PrecisionRecall(
        precision=np.mean([any(balls) for balls in within]),
        recall=np.mean([any(squared(centre, x) < radius for centre, radius in generated_balls) for x in real]),
        density=np.mean([sum(balls) for balls in within]) / k,
        coverage=np.mean([any(balls) for balls in zip(*within, strict=True)]),
    )


def assert_equal(found, expected):
    for name in PrecisionRecall.__slots__:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-12), name


@settings(max_examples=150, deadline=None)
@given(two_sets(), st.data())
def test_precision_recall_is_its_definition(sets, data):
    real, generated = sets
    k = data.draw(st.integers(1, min(len(real), len(generated)) - 1))
    assert_equal(precision_recall(real, generated, k=k), definition(real, generated, k))


@pytest.mark.parametrize("block", [1, 30, 100])
def test_blocks_change_nothing(monkeypatch, block):
    real, generated = normal(23, 3), normal(17, 3, seed=1, shift=0.5)
    whole = precision_recall(real, generated, k=3)
    monkeypatch.setattr(generation, "DISTANCES_AT_ONCE", block)
    assert precision_recall(real, generated, k=3) == whole


@settings(max_examples=50, deadline=None)
@given(two_sets(), st.integers(-1000, 1000), st.sampled_from([0.25, 2.0, 64.0]), st.randoms(use_true_random=False))
def test_precision_recall_does_not_depend_on_place_scale_or_order(sets, shift, scale, random):
    real, generated = sets
    columns = list(range(real.shape[1]))
    random.shuffle(columns)
    moved = [random.sample(list((rows * scale + shift)[:, columns]), len(rows)) for rows in sets]
    assert precision_recall(*moved, k=1) == precision_recall(real, generated, k=1)


def test_precision_and_recall_change_places_with_the_sets():
    real, generated = normal(60, 2), normal(50, 2, seed=1, shift=1.0)
    there, back = precision_recall(real, generated), precision_recall(generated, real)
    assert (there.precision, there.recall) == (back.recall, back.precision)
    assert there.precision != there.recall


def test_copies_of_the_real_examples_are_perfect():
    x = normal(100, 8)
    assert_equal(precision_recall(x, x), PrecisionRecall(precision=1, recall=1, density=1, coverage=1))


def test_distant_sets_have_nothing_in_common():
    found = precision_recall(normal(50, 4), normal(40, 4, shift=1e6))
    assert found == PrecisionRecall(precision=0, recall=0, density=0, coverage=0)


def test_coverage_of_equal_distributions_is_the_papers():
    """E[coverage] = 1 − (n−1)…(n−k) / (n+m−1)…(n+m−k) (Naeem et al. 2020, lemma 2)."""
    n, m, k = 800, 600, 2
    expected = 1 - math.prod((n - i) / (n + m - i) for i in range(1, k + 1))
    assert precision_recall(normal(n, 5), normal(m, 5, seed=1), k=k).coverage == pytest.approx(expected, abs=0.05)


def test_a_missing_kind_lowers_recall_and_coverage_only():
    real = np.concatenate([normal(200, 3), normal(200, 3, seed=1, shift=50)])
    found = precision_recall(real, normal(400, 3, seed=2))
    assert found.precision > 0.9
    assert found.density > 0.9
    assert 0.4 < found.recall <= 0.5
    assert 0.4 < found.coverage <= 0.5


def test_an_outlier_spoils_precision_but_not_density():
    """Figure 2 of Naeem et al.: the ball of one outlier takes in everything."""
    real = np.concatenate([normal(200, 3), np.full((1, 3), 200.0)])
    found = precision_recall(real, normal(200, 3, seed=1, shift=100))
    assert found.precision == 1
    assert found.density == pytest.approx(1 / 5)
    assert found.coverage == pytest.approx(1 / 201)


@pytest.mark.parametrize("k", [4, 7])
def test_k_must_be_less_than_both_numbers(k):
    with pytest.raises(ValueError, match=rf"k={k} must be less than .* real has 9, generated 4"):
        precision_recall(normal(9, 2), normal(4, 2), k=k)


@pytest.mark.parametrize(("k", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)])
def test_k_must_be_a_whole_number_from_1(k, error):
    with pytest.raises(error, match=f"k={k}"):
        precision_recall(normal(9, 2), normal(9, 2), k=k)


# Fréchet distance


@pytest.mark.parametrize(("n", "m", "features"), [(50, 80, 6), (300, 40, 3), (9, 30, 20), (5, 4, 12)])
def test_frechet_distance_is_the_formula(n, m, features):
    mixing = normal(features, features, seed=2)
    x, y = normal(n, features) @ mixing, normal(m, features, seed=1, shift=0.3)
    C, D = np.cov(x.T), np.cov(y.T)
    # Both covariances may be singular, where SciPy's root of their product is not to be trusted; this form is.
    root = sqrtm(C + 1e-13 * np.eye(features)).real
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ D @ root), 0, None)).sum()
    expected = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(C) + np.trace(D) - 2 * cross
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-4)
    if min(n, m) > features:
        product = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(C + D - 2 * sqrtm(C @ D)).real
        assert frechet_distance(x, y) == pytest.approx(product, rel=1e-10)


@settings(max_examples=100, deadline=None)
@given(whole_numbers(7, 1), whole_numbers(5, 1))
def test_frechet_distance_of_one_feature(x, y):
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert frechet_distance(x, y) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(two_sets(), st.integers(-100, 100), st.integers(0, 10))
def test_frechet_distance_is_a_distance_that_turning_and_moving_keep(sets, shift, seed):
    x, y = sets
    distance = frechet_distance(x, y)
    assert distance >= 0
    assert frechet_distance(y, x) == pytest.approx(distance, abs=1e-10)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-20)
    turn, _ = np.linalg.qr(normal(x.shape[1], x.shape[1], seed))
    assert frechet_distance(x @ turn + shift, y @ turn + shift) == pytest.approx(distance, abs=1e-10)
    assert frechet_distance(3 * x, 3 * y) == pytest.approx(9 * distance, abs=1e-10)
    assert frechet_distance(x, x + shift) == pytest.approx(x.shape[1] * shift**2, abs=1e-10)


def test_frechet_distance_sees_differences_far_below_the_covariances():
    x = normal(200, 10)
    assert frechet_distance(x, x * (1 + 1e-9)) == pytest.approx(
        1e-18 * (np.trace(np.cov(x.T)) + np.square(x.mean(0)).sum()), rel=1e-5
    )


# Two-sample classifier


def test_equal_distributions_cannot_be_told_apart():
    assert two_sample_accuracy(normal(400, 5), normal(400, 5, seed=1), random_state=0) == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize(
    ("generated", "least"),
    [
        (normal(300, 5, seed=1, shift=10), 1.0),  # another mean
        (3 * normal(300, 5, seed=1), 0.85),  # another variance only
        (normal(300, 1, seed=1) @ np.ones((1, 5)), 0.9),  # the same mean and variances, another covariance
        (np.sign(normal(300, 5, seed=1)), 0.8),  # the same mean and covariance, another shape
        (np.zeros((300, 5)), 0.9),  # one example again and again
    ],
    ids=["mean", "variance", "covariance", "shape", "collapsed"],
)
def test_different_distributions_are_told_apart(generated, least):
    assert two_sample_accuracy(normal(300, 5), generated, random_state=0) >= least


def test_copies_are_below_chance():
    x = normal(200, 5)
    assert two_sample_accuracy(x, x, random_state=0) < 0.3


def test_unequal_sets_do_not_help_the_classifier():
    """Always answering with the larger set would be right in 9 of 10 cases."""
    accuracy = two_sample_accuracy(normal(900, 5), normal(100, 5, seed=1), random_state=0)
    assert accuracy == pytest.approx(0.5, abs=0.12)


def test_at_most_so_many_are_taken(monkeypatch):
    monkeypatch.setattr(generation, "MOST_EXAMPLES", 10)
    accuracy = two_sample_accuracy(normal(500, 5), normal(500, 5, seed=1), random_state=0)
    assert accuracy * 20 == pytest.approx(round(accuracy * 20))


def test_accuracy_depends_on_the_seed_alone():
    x, y = normal(60, 3), normal(80, 3, seed=1)
    accuracies = [two_sample_accuracy(x, y, random_state=seed) for seed in range(6)]
    assert accuracies == [two_sample_accuracy(x, y, random_state=seed) for seed in range(6)]
    assert len(set(accuracies)) > 1
    by_generator = [two_sample_accuracy(x, y, random_state=np.random.default_rng(3)) for _ in range(2)]
    assert by_generator[0] == by_generator[1]
    with pytest.raises(TypeError, match="random_state"):
        two_sample_accuracy(x, y, random_state="three")


# Nearest distances


@settings(max_examples=100, deadline=None)
@given(two_sets(least=1), st.sampled_from([0, -7, 10**9]))
def test_nearest_distances_are_the_least(sets, shift):
    generated, training = sets
    expected = [min(math.dist(x, y) for y in training) for x in generated]
    assert nearest_distances(generated + shift, training + shift) == pytest.approx(expected, abs=1e-12)


def test_copies_have_distance_zero_and_others_do_not():
    training = load_digits().data[:500]
    generated = np.concatenate([training[[7, 300]], training[[7]] + 0.5])
    assert nearest_distances(generated, training).tolist() == [0, 0, pytest.approx(4)]


# Bad input


@every_comparison
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
@pytest.mark.parametrize("which", [0, 1])
def test_values_must_be_finite(compare, bad, which):
    sets = [normal(8, 3), normal(8, 3, seed=1)]
    sets[which][4, 2] = bad
    with pytest.raises(ValueError, match=r"(real|generated|training) holds .* in row 4, column 2"):
        compare(*sets)


@every_comparison
@pytest.mark.parametrize("shape", [(0, 3), (8, 0), (8,), (8, 3, 1), ()])
@pytest.mark.parametrize("which", [0, 1])
def test_sets_must_be_matrices_of_some_examples(compare, shape, which):
    sets = [normal(8, 3), normal(8, 3, seed=1)]
    sets[which] = np.zeros(shape)
    with pytest.raises(ValueError, match=r"has shape \(.*it must be \(examples, features\)"):
        compare(*sets)


@every_comparison
def test_widths_must_agree(compare):
    with pytest.raises(ValueError, match=r"numbers of features must be equal, not .*(3|4).*(3|4)"):
        compare(normal(8, 3), normal(8, 4))


@every_comparison
@pytest.mark.parametrize("words", [[["a", "b"]] * 8, np.full((8, 3), 1j), np.full((8, 3), None)])
def test_values_must_be_real_numbers(compare, words):
    with pytest.raises(TypeError, match="must hold real numbers"):
        compare(words, normal(8, 3))


@pytest.mark.parametrize(
    ("name", "least"), [("precision_recall", 2), ("frechet_distance", 2), ("two_sample_accuracy", 5)]
)
def test_too_few_examples(name, least):
    COMPARISONS[name](normal(least, 3), normal(least, 3, seed=1))
    with pytest.raises(ValueError, match=f"generated has shape .* at least {least} examples"):
        COMPARISONS[name](normal(least, 3), normal(least - 1, 3))


@every_comparison
def test_lists_float32_and_whole_numbers_are_taken_and_left_as_they_are(compare):
    real, generated = np.arange(24).reshape(8, 3) % 7, np.arange(24).reshape(8, 3) % 5
    before = real.copy(), generated.copy()
    expected = compare(real.astype(np.float64), generated.astype(np.float64))
    for form in (np.asarray, np.float32, np.ndarray.tolist, np.uint8):
        found = compare(form(real), form(generated))
        assert np.array_equal(found, expected) if isinstance(found, np.ndarray) else found == expected
    assert np.array_equal(real, before[0])
    assert np.array_equal(generated, before[1])
