"""Corruptions do what their names say, as often as they are told, and the same for the same seed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows import Autoencoder
from narrows.models.corruptions import CORRUPTIONS, Corruption

SHAPE = (6, 5, 2)
FEATURES = 60


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def corrupted(kind, level, *, n=4000, shape=SHAPE, seed=0, extremes=(0.0, 1.0)):
    """A grey 0.5 everywhere, corrupted: whatever is 0 or 1 afterwards was changed."""
    x = torch.full((n, int(np.prod(shape))), 0.5)
    return Corruption(kind, level, level, shape, extremes)(x, seeded(seed), 0.0)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_level_zero_changes_nothing(kind):
    x = torch.rand(20, FEATURES, generator=seeded())
    corruption = Corruption(kind, 0.0, 0.0, SHAPE)
    assert torch.equal(corruption(x, seeded(), 0.5), x)
    assert torch.equal(CORRUPTIONS[kind].function(x, 0.0, seeded(), corruption), x)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_same_seed_gives_the_same_and_the_next_draw_another(kind):
    x = torch.rand(20, FEATURES, generator=seeded())
    before, corruption = x.clone(), Corruption(kind, 0.4, 0.4, SHAPE)
    generator = seeded(1)
    first, second = corruption(x, generator, 0.0), corruption(x, generator, 0.0)
    assert torch.equal(first, corruption(x, seeded(1), 0.0))
    assert not torch.equal(first, second)
    assert torch.equal(x, before)
    assert first.shape == x.shape
    assert first.dtype == x.dtype


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 1), st.integers(0, 1000))
def test_masking_and_salt_and_pepper_change_the_expected_part(level, seed):
    total = 4000 * FEATURES
    slack = 5 * np.sqrt(level * (1 - level) / total) + 1e-6
    masked = corrupted("masking", level, seed=seed)
    assert set(masked.unique().tolist()) <= {0.0, 0.5}
    assert (masked == 0).double().mean().item() == pytest.approx(level, abs=slack)
    salted = corrupted("salt-and-pepper", level, seed=seed, extremes=(-2.0, 3.0))
    assert set(salted.unique().tolist()) <= {-2.0, 0.5, 3.0}
    for value in (-2.0, 3.0):
        part = (salted == value).double().mean().item()
        assert part == pytest.approx(level / 2, abs=5 * np.sqrt(level / 2 / total))


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 10), st.integers(0, 1000))
def test_gaussian_noise_has_its_standard_deviation_and_no_bias(level, seed):
    noise = (corrupted("gaussian", level, seed=seed) - 0.5).double()
    assert noise.std().item() == pytest.approx(level, rel=0.01)
    assert abs(noise.mean().item()) < 5 * level / np.sqrt(noise.numel())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=3), st.floats(0.01, 1), st.integers(0, 1000))
def test_a_block_is_one_rectangle_of_its_size_through_all_channels(shape, level, seed):
    shape = tuple(shape)
    x = corrupted("block", level, n=10, shape=shape, seed=seed).reshape(10, *shape)
    covered = (x == 0).numpy()
    assert (x.numpy()[~covered] == 0.5).all()
    sides = tuple(min(side, max(1, round(level * side))) for side in shape[:2])
    for example in covered:
        flat = example if example.ndim < 3 else example.any(2)
        if example.ndim == 3:
            np.testing.assert_array_equal(example, np.repeat(flat[:, :, None], shape[2], 2))
        places = np.argwhere(flat)
        extent = places.max(0) - places.min(0) + 1
        assert tuple(extent) == sides
        assert len(places) == np.prod(sides)


def test_blocks_lie_everywhere_alike():
    covered = (corrupted("block", 0.5, n=30_000, shape=(4, 4)) == 0).double().reshape(-1, 4, 4)
    # Of the three places along a side, 1, 2, 2 and 1 cover its four pixels.
    side = np.array([1, 2, 2, 1]) / 3
    np.testing.assert_allclose(covered.mean(0).numpy(), np.outer(side, side), atol=0.02)


@pytest.mark.parametrize("level", [0.3, 1.0])
def test_a_swap_takes_a_columns_values_from_other_rows(level):
    """Where all values differ, a row keeps its own where it is not chosen, or chosen with itself."""
    n = 2000
    x = torch.arange(n * 5.0).reshape(n, 5)
    swapped = Corruption("swap", level, level, (5,))(x, seeded(), 0.0)
    assert torch.equal(swapped % 5, x % 5)  # each value is still one of its column
    kept, chance = (swapped == x).double(), 1 - level + level / n
    slack = 5 * np.sqrt(chance * (1 - chance) / n) + 1 / n
    np.testing.assert_allclose(kept.mean(0).numpy(), chance, atol=slack)
    rows = swapped // 5
    assert rows.std().item() == pytest.approx(n / np.sqrt(12), rel=0.05)
    assert ((rows[:, 0] != rows[:, 1]) & (kept[:, :2] == 0).all(1)).double().sum() > level**2 * n * 0.8
    assert torch.equal(Corruption("swap", 1.0, 1.0, (5,))(x[:1], seeded(), 0.0), x[:1])


def test_a_swap_is_for_one_process(digits):
    with pytest.raises(ValueError, match="devices and nodes must be 1 for corruption='swap'"):
        Autoencoder(2, corruption="swap", input_noise=0.1, devices=2).fit(digits[:20])


def test_the_level_goes_linearly_from_the_first_to_the_last():
    x = torch.zeros(2000, FEATURES)
    for progress, level in ((0.0, 0.8), (0.25, 0.6), (1.0, 0.0)):
        noise = Corruption("gaussian", 0.8, 0.0, SHAPE)(x, seeded(), progress)
        assert noise.std().item() == pytest.approx(level, abs=0.01)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_through_an_estimator_in_the_datas_units(kind, fitted, digits):
    X = digits[:50]
    once = fitted.corrupt(X, corruption=kind, level=0.5, random_state=3)
    assert once.shape == X.shape
    np.testing.assert_array_equal(once, fitted.corrupt(X, corruption=kind, level=0.5, random_state=3))
    assert not np.array_equal(once, fitted.corrupt(X, corruption=kind, level=0.5, random_state=4))
    np.testing.assert_allclose(fitted.corrupt(X, corruption=kind, level=0.0), X, atol=1e-5)
    if kind != "gaussian":
        assert once.min() >= 0
        assert once.max() <= 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"corruption": "salt"}, "corruption='salt'"),
        ({"level": -0.1}, "level=-0.1"),
        ({"corruption": "masking", "level": 1.5}, "level=1.5"),
        ({"level": float("nan")}, "level=nan"),
    ],
)
def test_bad_levels_and_kinds(options, message, fitted, digits):
    with pytest.raises(ValueError, match=message):
        fitted.corrupt(digits[:2], **options)


@pytest.mark.parametrize("level", [1.2, (0.5, 1.01), -0.5, (0.1, 0.2, 0.3)])
def test_bad_noise_in_training(level, digits):
    with pytest.raises(ValueError, match="input_noise"):
        Autoencoder(2, corruption="block", input_noise=level).fit(digits[:20])
