"""Numbers about codes against torch's distributions, scikit-learn, and by construction."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import manifold
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.neighbors import NearestNeighbors
from torch.distributions import Normal, kl_divergence

from narrows.evaluation import codes
from narrows.evaluation.codes import (
    active_units,
    continuity,
    dead_units,
    kl_per_unit,
    neighbour_accuracy,
    probe_accuracy,
    probe_r2,
    trustworthiness,
)


@settings(deadline=None, max_examples=60)
@given(arrays(float, (5, 3), elements=st.floats(-50, 50)), arrays(float, (5, 3), elements=st.floats(-20, 5)))
def test_kl_against_torch(mu, log_sigma):
    sigma = np.exp(log_sigma)
    expected = kl_divergence(Normal(torch.tensor(mu), torch.tensor(sigma)), Normal(0.0, 1.0)).mean(0).numpy()
    np.testing.assert_allclose(kl_per_unit(mu, sigma), expected, rtol=1e-10, atol=1e-10)


def test_kl_of_a_collapsed_unit_is_nothing_and_never_negative():
    sigma = 1 + np.random.default_rng(0).normal(scale=1e-9, size=(1000, 4))
    assert (kl_per_unit(np.zeros_like(sigma), sigma) >= 0).all()
    np.testing.assert_array_equal(kl_per_unit(np.zeros((3, 2)), np.ones((3, 2))), 0)


def test_kl_is_summed_in_64_bits():
    mu, sigma = np.full((100_000, 1), 0.1, np.float32), np.full((100_000, 1), 0.1, np.float32)
    one = kl_per_unit(mu[:1], sigma[:1])
    np.testing.assert_allclose(kl_per_unit(mu, sigma), one, rtol=1e-12)


@pytest.mark.parametrize(
    ("mu", "sigma", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 2)), "sigma be positive"),
        (np.zeros((3, 2)), np.full((3, 2), np.nan), "sigma be positive"),
        (np.full((3, 2), np.inf), np.ones((3, 2)), "mu must be finite"),
        (np.zeros((3, 2)), np.ones((3, 1)), r"sigma \(3, 1\)"),
        (np.zeros((0, 2)), np.ones((0, 2)), "at least one example"),
    ],
)
def test_kl_of_what_is_no_distribution_is_refused(mu, sigma, message):
    with pytest.raises(ValueError, match=message):
        kl_per_unit(mu, sigma)


def test_active_and_dead_units():
    rng = np.random.default_rng(0)
    means = rng.normal(size=(5000, 4)) * [1, 0.2, 0.05, 0]
    assert active_units(means).tolist() == [True, True, False, False]
    assert dead_units(means).tolist() == [False, False, False, True]


def test_active_units_stand_above_a_variance_of_one_hundredth_wherever_their_mean():
    signs = np.tile([[-1.0], [1.0]], (50, 1))
    means = (signs * [0.0999, 0.1001] + 1000).astype(np.float32)
    assert active_units(means).tolist() == [False, True]


@pytest.mark.parametrize("means", [np.zeros(3), np.zeros((0, 3)), np.full((3, 2), np.nan)])
def test_active_units_of_what_is_no_table_of_codes(means):
    with pytest.raises(ValueError, match="means of shape"):
        active_units(means)


# What can be read from a code


def digits_in_two(units=6, n=800):
    digits = load_digits()
    z = PCA(units, svd_solver="full").fit_transform(digits.data)
    return z[:n], digits.target[:n], z[n:], digits.target[n:]


@pytest.mark.parametrize("k", [1, 5, 20])
def test_neighbours_vote_by_definition(k):
    z, y, z_test, y_test = digits_in_two()
    near = NearestNeighbors(n_neighbors=k).fit(z).kneighbors(z_test, return_distance=False)
    votes = [np.bincount(y[nearest], minlength=10).argmax() for nearest in near]
    found = neighbour_accuracy(z, y, z_test, y_test, k=k)
    assert found.value == np.mean(votes == y_test)
    assert found.low < found.value < found.high


def test_neighbours_are_not_disturbed_by_a_unit_that_says_nothing():
    z, y, z_test, y_test = digits_in_two()
    rng = np.random.default_rng(0)
    wider = [np.c_[part, 1e-3 * rng.normal(size=(len(part), 20))] for part in (z, z_test)]
    assert neighbour_accuracy(wider[0], y, wider[1], y_test) == neighbour_accuracy(z, y, z_test, y_test)


def test_probe_is_logistic_regression_in_any_units():
    z, y, z_test, y_test = digits_in_two()
    mean, spread = z.mean(0), z.std(0)
    by_hand = LogisticRegression(max_iter=5000).fit((z - mean) / spread, y)
    found = probe_accuracy(z, y, z_test, y_test)
    assert found.value == pytest.approx(by_hand.score((z_test - mean) / spread, y_test), abs=2 / len(z_test))
    units = np.array([1e-3, 1, 10, 1e3, 5, 1])
    assert probe_accuracy(z * units, y, z_test * units, y_test).value == pytest.approx(found.value, abs=2 / len(z_test))


def test_a_probe_sees_planes_and_neighbours_see_more():
    rng = np.random.default_rng(0)
    z, z_test = rng.uniform(-1, 1, (600, 2)), rng.uniform(-1, 1, (300, 2))
    crossed = [(part.prod(1) > 0).astype(int) for part in (z, z_test)]
    assert probe_accuracy(z, crossed[0], z_test, crossed[1]).high < 0.7
    assert neighbour_accuracy(z, crossed[0], z_test, crossed[1]).low > 0.9
    above = [(part[:, 0] > 0).astype(str) for part in (z, z_test)]
    assert probe_accuracy(z, above[0], z_test, above[1]).low > 0.95


def linear(n, rng):
    """Codes of three numbers and what two of them say of a quantity: 5/6 of its variance."""
    z = rng.normal(size=(n, 3))
    return z, z @ [1, -2, 0] + 4 + rng.normal(size=n)


def test_r2_is_least_squares():
    rng = np.random.default_rng(0)
    (z, t), (z_test, t_test) = linear(300, rng), linear(200, rng)
    weights, *_ = np.linalg.lstsq(np.c_[z, np.ones(300)], t, rcond=None)
    found = probe_r2(z, t, z_test, t_test)
    assert found.value == pytest.approx(r2_score(t_test, np.c_[z_test, np.ones(200)] @ weights))
    assert probe_r2(z, t, z_test, rng.permutation(t_test)).value < 0


def test_intervals_of_r2_hold_what_there_is_to_explain(monkeypatch):
    monkeypatch.setattr("narrows.evaluation.intervals.RESAMPLES", 300)
    rng = np.random.default_rng(0)
    found = [probe_r2(*linear(2000, rng), *linear(200, rng), random_state=i) for i in range(200)]
    assert np.mean([one.low <= 5 / 6 <= one.high for one in found]) >= 0.9


@settings(deadline=None, max_examples=30)
@given(st.integers(12, 60), st.integers(1, 5), st.integers(0, 1000))
def test_trustworthiness_is_scikit_learns(n, k, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    z = x[:, :2] + 0.5 * rng.normal(size=(n, 2))
    assert trustworthiness(x, z, k=k).value == pytest.approx(manifold.trustworthiness(x, z, n_neighbors=k))


def test_continuity_falls_where_a_map_tears_and_trustworthiness_where_it_folds():
    """A ring unrolled to a line is torn at one place; pressed flat, its two halves lie upon each other."""
    angle = np.arange(60.0)[:, None]
    ring = np.hstack([np.cos(angle * np.pi / 30), np.sin(angle * np.pi / 30)]) * [1, 1.001]  # without ties
    torn = manifold.trustworthiness(angle, ring, n_neighbors=2)
    assert continuity(ring, angle, k=2).value == pytest.approx(torn)
    assert torn < trustworthiness(ring, angle, k=2).value
    flat = ring[:, :1] + 1e-6 * angle
    assert trustworthiness(ring, flat, k=2).value < continuity(ring, flat, k=2).value


def test_trustworthiness_of_many_is_of_some():
    x = np.random.default_rng(0).normal(size=(codes.MOST_EXAMPLES + 500, 4))
    found = trustworthiness(x, x[:, :2])
    assert found.value == pytest.approx(manifold.trustworthiness(x, x[:, :2]), abs=0.01)
    assert trustworthiness(x, x).value == 1


@pytest.mark.parametrize("function", [neighbour_accuracy, probe_accuracy, probe_r2])
def test_codes_and_labels_that_do_not_fit(function):
    z, y = np.random.default_rng(0).normal(size=(10, 2)), np.arange(10) % 2
    for bad in (z[:, 0], np.where(z == z[0, 0], np.nan, z), z[:0]):
        with pytest.raises(ValueError, match="codes of shape"):
            function(bad, y[: len(bad)], z, y)
    with pytest.raises(ValueError, match="10 codes, but 9 examples"):
        function(z, y, z, y[:9])
    with pytest.raises(TypeError, match="codes must be real numbers"):
        function(z.astype(str), y, z, y)


def test_nothing_to_learn_is_refused():
    z, y = np.random.default_rng(0).normal(size=(10, 2)), np.zeros(10)
    with pytest.raises(ValueError, match="only the class"):
        probe_accuracy(z, y, z, y)
    with pytest.raises(ValueError, match="t_test is 0 for all"):
        probe_r2(z, y, z, y)
    with pytest.raises(ValueError, match="k=5 must be less than half of the 10"):
        trustworthiness(z, z)
    with pytest.raises(ValueError, match="k=11"):
        neighbour_accuracy(z, y, z, y, k=11)
