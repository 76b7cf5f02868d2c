"""Reconstruction errors against scikit-image and torch, and beside the baselines by construction."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import metrics
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from narrows.evaluation import reconstruction
from narrows.evaluation.baselines import mean_error, pca_error, pca_reconstruction
from narrows.evaluation.calibration import sigma_coverage
from narrows.evaluation.comparison import compared, error_ratio
from narrows.evaluation.intervals import Estimate
from narrows.evaluation.reconstruction import (
    fidelity,
    peak_signal_to_noise,
    squared_errors,
    structural_similarity,
)

SHAPES = [(8, 8), (28, 28), (3, 3), (5, 40), (12, 9), (8, 8, 3), (16, 20, 3), (9, 9, 1)]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


def smooth_images(n, shape, seed=0):
    """Waves of random directions, so that neighbouring pixels are alike, in [0, 1]."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    channels = shape[2] if len(shape) == 3 else 1
    a, b, c = rng.uniform(-0.7, 0.7, (3, n, channels, 1, 1))
    images = np.moveaxis(0.5 + 0.5 * np.sin(a * rows + b * columns + 6 * c), 1, 3)
    return images if len(shape) == 3 else images[..., 0]


def noisy(images, level=0.1, seed=1):
    return images + np.random.default_rng(seed).normal(scale=level, size=images.shape)


@shapes
def test_errors_and_decibels_are_scikit_images(shape):
    x = smooth_images(4, shape)
    y = noisy(x)
    errors = squared_errors(x, y)
    np.testing.assert_allclose(errors, [metrics.mean_squared_error(a, b) for a, b in zip(x, y, strict=True)])
    expected = [metrics.peak_signal_noise_ratio(a, b, data_range=2.5) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(peak_signal_to_noise(errors, 2.5), expected)


@shapes
@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_similarity_is_scikit_images_of_the_mirrored_image(shape, data_range):
    x = data_range * smooth_images(6, shape)
    y = noisy(x, 0.2 * data_range)
    radius = min(5, (min(shape[:2]) - 1) // 2)
    border = [(radius, radius)] * 2 + [(0, 0)] * (len(shape) - 2)

    def theirs(a, b):
        # Its own mean leaves out as much of the border as is added here.
        return metrics.structural_similarity(
            np.pad(a, border, mode="reflect"),
            np.pad(b, border, mode="reflect"),
            data_range=data_range,
            gaussian_weights=True,
            sigma=0.3 * radius,
            use_sample_covariance=False,
            win_size=2 * radius + 1,
            channel_axis=2 if len(shape) == 3 else None,
        )

    expected = [theirs(a, b) for a, b in zip(x, y, strict=True)]
    found = structural_similarity(x, y, data_range)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert found.min() < 0.9


@pytest.mark.parametrize("pixels", [1, 3 * 64, 10_000])
def test_parts_change_nothing(monkeypatch, pixels):
    x = smooth_images(13, (8, 8))
    whole = structural_similarity(x, noisy(x), 1.0)
    monkeypatch.setattr(reconstruction, "NUMBERS_AT_ONCE", pixels)
    np.testing.assert_allclose(structural_similarity(x, noisy(x), 1.0), whole, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 100), st.floats(0.01, 0.5), st.floats(0.01, 1000))
def test_similarity_is_symmetric_bounded_and_without_units(seed, level, scale):
    x = smooth_images(3, (8, 8), seed)
    y = noisy(x, level)
    found = structural_similarity(x, y, 1.0)
    assert (np.abs(found) <= 1 + 1e-6).all()
    np.testing.assert_allclose(structural_similarity(y, x, 1.0), found, atol=1e-5)
    np.testing.assert_allclose(structural_similarity(scale * x, scale * y, scale), found, atol=1e-4)
    np.testing.assert_allclose(structural_similarity(x, x, 1.0), 1, atol=1e-6)


def test_fidelity_of_perfect_reconstructions():
    x = smooth_images(5, (8, 8))
    found = fidelity(x, x, 1.0)
    assert found.error == Estimate(0, 0, 0)
    assert found.psnr == Estimate(math.inf, math.inf, math.inf)
    assert found.ssim.value == pytest.approx(1, abs=1e-6)


def test_decibels_are_of_the_mean_error_and_so_is_their_interval():
    x = load_digits().images[:200]
    y = noisy(x, 2.0)
    y[0] = x[0]  # one perfect example must not make the mean infinite
    found = fidelity(x, y, 16.0)
    assert found.psnr.value == pytest.approx(10 * math.log10(16**2 / found.error.value))
    assert found.psnr.low == pytest.approx(10 * math.log10(16**2 / found.error.high))
    assert found.psnr.high == pytest.approx(10 * math.log10(16**2 / found.error.low))
    assert found.error.low < found.error.value < found.error.high
    assert found.error.value == pytest.approx(torch.nn.functional.mse_loss(torch.tensor(x), torch.tensor(y)).item())
    assert found.ssim.value == pytest.approx(structural_similarity(x, y, 16.0).mean())


def test_rows_have_no_similarity():
    x = np.random.default_rng(0).random((10, 6))
    assert fidelity(x, x + 0.1, 1.0).ssim is None
    assert fidelity(x.reshape(10, 3, 2), x.reshape(10, 3, 2) + 0.1, 1.0).ssim is None


# Baselines


def test_components_are_scikit_learns_and_their_error_theirs():
    X = load_digits().data
    train, test = X[:1000], X[1000:]
    pca = PCA(8, svd_solver="full").fit(train)
    restored = pca_reconstruction(train, test, 8)
    np.testing.assert_allclose(restored, pca.inverse_transform(pca.transform(test)), atol=1e-6)
    assert squared_errors(test, restored).mean() == pytest.approx(pca_error(train, test, 8))


def test_a_model_that_is_the_baseline_is_neither_better_nor_worse():
    images = load_digits().images
    train, test = images[:1000], images[1000:]
    rows = [part.reshape(len(part), -1) for part in (train, test)]
    components = pca_reconstruction(*rows, 8).reshape(test.shape)
    found = compared(test, components, components, train.mean(0), 16.0)
    assert found.model == found.pca
    assert found.over_pca == Estimate(1, 1, 1)
    assert found.pca.error.value == pytest.approx(pca_error(*rows, 8))
    assert found.mean.error.value == pytest.approx(mean_error(*rows))
    assert found.over_mean.value == pytest.approx(pca_error(*rows, 8) / mean_error(*rows))
    assert found.over_mean.high < 1


@pytest.mark.parametrize(("d", "wins"), [(10, True), (6, False)])
def test_more_or_fewer_components_are_told_apart(d, wins):
    images = load_digits().images
    train, test = images[:1000], images[1000:]
    rows = [part.reshape(len(part), -1) for part in (train, test)]
    ours, pca = (pca_reconstruction(*rows, k).reshape(test.shape) for k in (d, 8))
    found = compared(test, ours, pca, train.mean(0), 16.0)
    assert (found.over_pca.high < 1, found.over_pca.low > 1) == (wins, not wins)


def test_pairs_tell_apart_what_their_own_intervals_cannot():
    rng = np.random.default_rng(0)
    difficulty = rng.exponential(size=100)
    better = difficulty * rng.uniform(0.9, 1.0, 100)
    assert error_ratio(better, difficulty).high < 1
    shuffled = rng.permutation(difficulty)
    found = error_ratio(better, shuffled)
    assert found.low < 1 < found.high


def test_no_error_to_compare_with_is_refused():
    with pytest.raises(ValueError, match="all 0"):
        error_ratio([1.0, 2.0], [0.0, 0.0])


# Likelihood's width


@pytest.mark.parametrize("sigma", [0.5, np.linspace(0.1, 2, 12)], ids=["one", "each its own"])
def test_a_gaussians_shares_are_a_gaussians(sigma):
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(3000, 12))
    x = rng.normal(mean, sigma)
    found = sigma_coverage(x, mean, sigma)
    assert found.one.low < 0.6827 < found.one.high
    assert found.two.low < 0.9545 < found.two.high
    assert sigma_coverage(x, mean, 3 * np.asarray(sigma)).one.low > 0.99
    assert sigma_coverage(x, mean, np.asarray(sigma) / 3).one.high < 0.3


def test_pixels_that_never_change_raise_the_shares():
    x = np.concatenate([np.random.default_rng(0).normal(size=(500, 4)), np.zeros((500, 4))], axis=1)
    assert sigma_coverage(x, np.zeros_like(x), math.sqrt(0.5)).one.low > 0.7


# What is refused


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), ValueError, r"X \(2, 3\) and restored \(2, 4\)"),
        (np.zeros(3), np.zeros(3), ValueError, r"one shape \(n, …\)"),
        (np.zeros((0, 3)), np.zeros((0, 3)), ValueError, "at least one example"),
        (np.zeros((2, 3)), np.full((2, 3), np.nan), ValueError, "restored holds 6 values"),
        (np.array([["a"]]), np.zeros((1, 1)), TypeError, "X must hold real numbers"),
    ],
)
def test_what_are_no_reconstructions(x, y, error, message):
    with pytest.raises(error, match=message):
        squared_errors(x, y)


def test_other_arguments_that_do_not_fit():
    x = smooth_images(3, (8, 8))
    with pytest.raises(ValueError, match="3 pixels or more a side"):
        structural_similarity(x[:, :2], x[:, :2], 1.0)
    with pytest.raises(ValueError, match="data_range=0"):
        structural_similarity(x, x, 0)
    with pytest.raises(ValueError, match="data_range=-1"):
        peak_signal_to_noise([1.0], -1)
    with pytest.raises(ValueError, match=r"X \(3, 8, 8\) and restored \(3, 7, 8\)"):
        compared(x, x[:, :7], x, x[0], 1.0)
    for sigma in (0.0, np.ones(3), math.nan):
        with pytest.raises(ValueError, match="sigma of shape"):
            sigma_coverage(x, x, sigma)
