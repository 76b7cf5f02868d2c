"""Rates against what they are where they are known, and levels told from other numbers."""

import numpy as np
import pytest

from narrows.evaluation.bits import level_distance
from narrows.evaluation.rates import rate_distortion


def test_a_uniform_code_has_its_bits_and_its_rounding_error():
    """Of a uniform unit, cells of width Δ hold log₂(range / Δ) bits, with the error Δ² / 12."""
    z = np.random.default_rng(0).uniform(-1, 1, (20_000, 2))
    bits, errors = rate_distortion(z, lambda rounded: float(np.square(rounded - z).mean()))
    assert (np.diff(bits) > 0).all()
    assert (np.diff(errors) < 0).all()
    width = z.std() * 2.0**-2
    place = int(np.abs(errors - width**2 / 12).argmin())
    assert errors[place] == pytest.approx(width**2 / 12, rel=0.02)
    assert bits[place] == pytest.approx(2 * np.log2(2 / width), abs=0.2)  # the last cells are cut


def test_few_examples_end_before_their_entropy_is_that_of_their_number():
    z = np.random.default_rng(0).normal(size=(64, 1))
    bits, _ = rate_distortion(z, lambda rounded: float(np.square(rounded - z).mean()))
    assert bits.max() <= np.log2(64) - 2


@pytest.mark.parametrize("rounding", [0, 6e-8], ids=["exactly", "but for rounding"])
def test_a_unit_that_never_changes_costs_nothing(rounding):
    rng = np.random.default_rng(0)
    z = np.column_stack([rng.normal(size=500), 1 + rounding * rng.integers(-2, 3, 500)])
    alone, _ = rate_distortion(z[:, :1], lambda _: 0.0)
    both, _ = rate_distortion(z, lambda _: 0.0)
    np.testing.assert_allclose(alone, both)


@pytest.mark.parametrize(
    ("X", "distance"),
    [
        (np.arange(256), 1),
        (np.arange(256, dtype=np.float32) / 255, 1 / 255),
        ([0, 3, 9], 3),
        ([0.0, 1.0], 1),
        ([5.0, 5.0], None),
        (np.random.default_rng(0).normal(size=100), None),
    ],
)
def test_levels_of_an_even_grid(X, distance):
    found = level_distance(X)
    assert found is None if distance is None else found == pytest.approx(distance, rel=1e-5)
