"""Bits per dimension: against entropies known in closed form, and independent of the units."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from narrows.evaluation.bits import bits_per_dimension, dequantised


@settings(deadline=None, max_examples=60)
@given(st.floats(-1e4, 1e4), st.integers(1, 1000), st.floats(1e-3, 1e3))
def test_units_do_not_matter(log_density, features, scale):
    """x ↦ x · scale takes log p to log p − D log scale, and the step with it."""
    first = bits_per_dimension(log_density, features, step=1 / 255)
    scaled = bits_per_dimension(log_density - features * math.log(scale), features, step=scale / 255)
    assert scaled == pytest.approx(first, rel=1e-9, abs=1e-9)


def test_uniform_levels_cost_their_logarithm():
    """256 equally likely levels: 8 bits each, whether their density is that of 0 to 255 or of [0, 1]."""
    assert bits_per_dimension(-12 * math.log(256), 12) == pytest.approx(8)
    assert bits_per_dimension(-12 * math.log(256 / 255), 12, step=1 / 255) == pytest.approx(8)


def test_a_log_probability_is_only_divided():
    assert bits_per_dimension(np.log([0.5, 0.25]) * 10, 10) == pytest.approx([1, 2])


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_on_dequantised_levels_it_is_no_less_than_their_entropy(scale):
    """Theis et al. 2016: for any density; equal where it is flat in each cell. On bare levels a sharp one cheats."""
    rng = np.random.default_rng(0)
    probabilities = stats.binom(10, 0.3).pmf(np.arange(11))
    levels = rng.choice(11, size=(200_000, 1), p=probabilities).astype(float)
    entropy = stats.entropy(probabilities, base=2)
    noisy = dequantised(levels)
    flat = bits_per_dimension(np.log(probabilities[np.rint(noisy).astype(int)]), 1)
    assert flat.mean() == pytest.approx(entropy, abs=0.01)
    smooth = bits_per_dimension(stats.norm(3, scale).logpdf(noisy), 1)
    assert smooth.mean() > entropy
    spikes = np.log(probabilities[levels.astype(int)]) + stats.norm(0, 1e-3).logpdf(0)
    assert bits_per_dimension(spikes, 1).mean() < 0


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([0.25, 1.0, 16.0]))
def test_noise_stays_within_its_cell(seed, step):
    levels = step * np.random.default_rng(seed).integers(0, 17, (5, 4))
    noisy = dequantised(levels, step=step, random_state=seed)
    np.testing.assert_array_equal(np.rint(noisy / step) * step, levels)
    assert (noisy != levels).all()


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match="features=0"):
        bits_per_dimension(1.0, 0)
    for step in (0.0, -1.0, math.inf):
        with pytest.raises(ValueError, match="step"):
            bits_per_dimension(1.0, 3, step=step)
        with pytest.raises(ValueError, match="step"):
            dequantised([1.0], step=step)
