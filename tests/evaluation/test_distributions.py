"""How columns and their pairs are spread, and what trees tell of generated rows."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from narrows.evaluation.boosted import told_from_real, usefulness
from narrows.evaluation.distributions import cut, pairs, spreads

RNG = np.random.default_rng(0)
COLUMNS = [("a", ()), ("b", ()), ("c", ("x", "y", "z"))]


def rows(n, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    return np.stack([a, 0.6 * a + 0.8 * rng.normal(size=n), rng.integers(0, 3, n)], 1)


def test_numbers_are_cut_at_quantiles_and_what_is_frequent_has_a_bin():
    x = np.concatenate([np.zeros(50), np.arange(1, 51)])
    first, second = cut(x, np.array([-1.0, 0.0, 1.0, 1e9, np.nan]), 0, 4)
    assert (first[:50] == 0).all()
    assert (first[50:] > 0).all()
    assert np.bincount(first).tolist() == [50, 25, 25]
    assert second.tolist() == [0, 0, 1, 2, -1]
    levels, _ = cut(np.repeat([0.0, 1, 2, 3], [5, 50, 2, 30]), np.zeros(1), 4, 3)
    assert np.bincount(levels).tolist() == [50, 30, 7]


def test_total_variation_of_levels_is_as_by_hand():
    real = np.repeat([0.0, 1, 2], [50, 30, 20])[:, None]
    made = np.repeat([0.0, 1], [120, 80])[:, None]
    (found,) = spreads(real, made, COLUMNS[2:])
    assert found.distance.value == pytest.approx((abs(0.5 - 0.6) + abs(0.3 - 0.4) + 0.2) / 2)
    assert found.real.tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert found.generated.tolist() == pytest.approx([0.6, 0.4, 0])
    assert (found.rows, found.levels) == ((100, 200), ("x", "y", "z"))
    assert found.by_chance < found.distance.value


def test_like_rows_are_as_far_apart_as_by_chance_and_gaps_do_not_count():
    real, made = rows(1000, 0), rows(1000, 1)
    for found in spreads(real, made, COLUMNS):
        assert found.distance.low < found.by_chance < found.distance.high
    gappy = real.copy()
    gappy[::2, 2] = np.nan
    assert spreads(gappy, made, COLUMNS)[2].real == pytest.approx(np.bincount(real[1::2, 2].astype(int)) / 500)


def test_association_is_that_of_mutual_information():
    real = rows(4000, 0)
    real[::7, 1] = np.nan
    broken = rows(4000, 1)
    broken[:, 1] = RNG.permutation(broken[:, 1])
    found = pairs(real, broken, COLUMNS)
    known = ~np.isnan(real[:, 1])
    first, second = (cut(real[known, j], real[known, j], 0, 20)[0] for j in (0, 1))
    information = mutual_info_score(first, second) - 19**2 / (2 * known.sum())
    assert found.real[0, 1] == pytest.approx(np.sqrt(1 - np.exp(-2 * information)), abs=0.01)
    assert found.real[0, 1] == pytest.approx(0.6, abs=0.06)  # two Gaussians' correlation
    assert found.real[0, 2] < 0.1
    assert found.generated[0, 1] < 0.15
    assert found.difference.value == pytest.approx(np.abs(found.real - found.generated)[np.triu_indices(3, 1)].mean())
    assert found.distance.low > found.by_chance
    assert found.names == ("a", "b", "c")


def test_trees_tell_what_differs_and_nothing_else():
    real, made = rows(300, 0), rows(300, 1)
    turned = made * [1, -1, 1]  # each column is as before, but the second falls where the first rises
    is_level = [False, False, True]
    alike, other = (told_from_real(real, each, is_level) for each in (made, turned))
    assert alike.low < 0.5 < alike.high
    assert other.value > alike.value + 0.1
    y = (real[:, 0] > 0).astype(int)
    learned = (made, (made[:, 0] > 0).astype(int))
    assert usefulness(learned, (real, y), is_level).value > 0.98
    shuffled = np.random.default_rng(0).permutation(learned[1])
    assert usefulness((made, shuffled), (real, y), is_level).value < 0.7
    assert usefulness(learned, (real, y + 1), is_level) is None
