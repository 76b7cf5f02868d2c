"""Numbers about codes against torch's distributions and by construction."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.distributions import Normal, kl_divergence

from narrows.evaluation.codes import active_units, dead_units, kl_per_unit


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
