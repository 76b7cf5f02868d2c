"""Intervals of comparisons hold what many pairs of sets come to; copies are counted."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from narrows.evaluation import likeness as module
from narrows.evaluation.copying import copying
from narrows.evaluation.generation import frechet_distance, precision_recall, told_apart, two_sample_accuracy
from narrows.evaluation.intervals import half_samples
from narrows.evaluation.likeness import likeness


def normal(n, features, seed=0, shift=0.0, scale=1.0):
    return np.random.default_rng(seed).normal(shift, scale, (n, features))


# Likeness


def test_values_are_those_of_the_same_sets():
    real, generated = normal(120, 4), normal(120, 4, seed=1, shift=0.3)
    found = likeness(real, generated)
    order = np.random.default_rng(0)
    a, b = (part[order.choice(120, 120, replace=False)] for part in (real, generated))
    expected = precision_recall(a, b)
    for name in ("precision", "recall", "density", "coverage"):
        assert getattr(found, name).value == getattr(expected, name)
    same = two_sample_accuracy(a, b, random_state=0)  # but for the order in which the classifier sees the examples
    assert found.two_sample_accuracy.value == pytest.approx(same, abs=0.03)


def test_unequal_sets_are_compared_at_equal_numbers(monkeypatch):
    monkeypatch.setattr(module, "MOST_EXAMPLES", 50)
    seen = []

    def spy(kernel, seed):
        seen.append(kernel.shape)
        return told_apart(kernel, seed)

    monkeypatch.setattr(module, "told_apart", spy)
    likeness(normal(300, 3), normal(80, 3, seed=1))
    assert set(seen) == {(100, 100), (50, 50)}


def test_frechet_distance_of_endless_examples_is_within_where_that_of_few_is_not():
    """|μ₁ − μ₂|² + Σ (σ₁ − σ₂)² = 8 · (0.1² + 0.1²) = 0.16; few examples alone add about as much again."""
    held, plain = [], []
    for seed in range(60):
        x, y = normal(300, 8, seed), normal(300, 8, 1000 + seed, shift=0.1, scale=1.1)
        (found,) = half_samples(
            lambda i, j, x=x, y=y: [frechet_distance(x[i], y[j])], 300, 300, extrapolate=True, random_state=seed
        )
        held.append(found.low <= 0.16 <= found.high)
        plain.append(frechet_distance(x, y))
    assert np.mean(held) >= 0.88
    assert np.mean(plain) > 0.25


def test_intervals_hold_what_other_sets_come_to():
    """The truth is the mean over many pairs of sets of the same size."""
    pairs = [(normal(120, 3, 2 * i), normal(120, 3, 2 * i + 1, shift=0.5)) for i in range(40)]
    truth = np.mean([[(r := precision_recall(*p)).precision, r.recall, r.density, r.coverage] for p in pairs], axis=0)

    def held(pair):
        def measured(i, j):
            found = precision_recall(pair[0][i], pair[1][j])
            return [found.precision, found.recall, found.density, found.coverage]

        return [e.low <= t <= e.high for e, t in zip(half_samples(measured, 120, 120, halves=10), truth, strict=True)]

    assert np.mean([held(pair) for pair in pairs], axis=0).min() >= 0.85


def test_equal_sets_differ_by_nothing():
    x = normal(100, 3)
    assert likeness(x, x).frechet_distance.low == 0
    assert likeness(x, x).coverage.value == 1


def test_too_few_to_compare():
    with pytest.raises(ValueError, match="at least 20 examples"):
        likeness(normal(19, 2), normal(50, 2))


# Copying


def test_nearer_is_its_definition():
    s, x, y = normal(50, 3, 2), normal(40, 3), normal(20, 3, 1)
    found = copying(s, x, y)
    assert found.nearer.value == np.mean(cdist(s, x).min(1) < cdist(s, y).min(1))
    assert found.expected == pytest.approx(40 / 60)
    assert found.excess.value == pytest.approx((found.nearer.value - 2 / 3) / (1 / 3))


def test_intervals_hold_the_part_that_is_copied():
    def held(seed, part):
        rng = np.random.default_rng(seed)
        x, y, s = (rng.normal(size=(n, 6)) for n in (200, 100, 400))
        copied = rng.random(400) < part
        s[copied] = x[rng.integers(200, size=copied.sum())]
        found = copying(s, x, y, random_state=seed).excess
        return found.low <= part <= found.high

    for part in (0.0, 0.3):
        assert np.mean([held(seed, part) for seed in range(50)]) >= 0.88


def test_all_copies_are_found_and_smooth_samples_not_accused():
    """Samples nearer to the centre are nearer to training examples than held-out ones are, and yet no copies."""
    x, y = normal(400, 10), normal(200, 10, 1)
    rng = np.random.default_rng(3)
    assert copying(x[rng.integers(400, size=300)] + 1e-3, x, y).excess.low == 1
    smooth = copying(normal(500, 10, 2, scale=0.6), x, y)
    assert np.median(cdist(normal(500, 10, 2, scale=0.6), x).min(1)) < np.median(cdist(y, x).min(1))
    assert smooth.excess.low < 0 < smooth.excess.high


def test_examples_on_both_sides_count_for_neither():
    x = normal(30, 2)
    found = copying(x, x, x)
    assert found.excess.value == pytest.approx(0)
    assert found.expected == 0.5


def test_samples_that_are_all_alike_prove_little():
    x, y = normal(50, 2), normal(50, 2, 1)
    found = copying(np.repeat(x[:1], 100, axis=0), x, y).excess
    assert found.value == 1
    assert found.low == 0


def test_sets_that_do_not_fit():
    with pytest.raises(ValueError, match="numbers of features"):
        copying(normal(5, 2), normal(5, 2), normal(5, 3))
    with pytest.raises(ValueError, match="held_out has shape"):
        copying(normal(5, 2), normal(5, 2), np.zeros((0, 2)))
