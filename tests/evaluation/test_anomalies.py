"""Thresholds and p-values keep what they promise; areas are scikit-learn's and by counting pairs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from narrows.evaluation.anomalies import calibration_curve, p_values, roc_auc, steadied_threshold, threshold
from narrows.evaluation.summary import Surprise

scores = st.lists(st.integers(-5, 5), min_size=1, max_size=60)
rates = st.sampled_from([0.01, 0.05, 0.1, 1 / 3, 0.5, 0.9])


@settings(deadline=None, max_examples=200)
@given(scores, scores, rates)
def test_above_the_threshold_is_to_have_a_p_value_of_at_most_the_rate(held_out, new, rate):
    needed = math.ceil(1 / rate - 1 - 1e-9)
    if len(held_out) < needed:
        with pytest.raises(ValueError, match=rf"needs {needed:,} held-out scores or more, not {len(held_out)}"):
            threshold(held_out, rate)
    else:
        odd = np.asarray(new) > threshold(held_out, rate)
        np.testing.assert_array_equal(odd, p_values(new, held_out) <= rate + 1e-12)


@settings(deadline=None, max_examples=100)
@given(scores, scores)
def test_p_values_are_their_definition(held_out, new):
    expected = [(1 + sum(h >= s for h in held_out)) / (len(held_out) + 1) for s in new]
    np.testing.assert_allclose(p_values(new, held_out), expected)


@pytest.mark.parametrize(("n", "rate"), [(19, 0.05), (99, 0.05), (30, 0.1), (7, 0.5)])
def test_false_alarms_are_as_many_as_promised(n, rate):
    """Exactly 1 − ⌈(n + 1)(1 − α)⌉ / (n + 1), whatever the distribution."""
    rng = np.random.default_rng(0)
    alarms = np.mean([rng.standard_cauchy() > threshold(rng.standard_cauchy(n), rate) for _ in range(6000)])
    exact = 1 - math.ceil((n + 1) * (1 - rate) - 1e-9) / (n + 1)
    assert rate - 1 / (n + 1) < exact <= rate + 1e-12
    assert alarms == pytest.approx(exact, abs=3 * math.sqrt(exact * (1 - exact) / 6000))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1000), st.integers(20, 300))
def test_threshold_is_numpys_higher_quantile(seed, n):
    held_out = np.random.default_rng(seed).normal(size=n)
    infinite = np.append(held_out, np.inf)  # the new one, at its worst
    assert threshold(held_out, 0.05) == np.quantile(infinite, 0.95, method="inverted_cdf")


def test_rounding_asks_for_no_further_example():
    assert threshold(np.arange(19.0), 0.05) == 18  # 20 · (1 − 0.05) is a little more than 19 in floating point
    assert threshold(np.arange(9.0), 0.1) == 8


@pytest.mark.parametrize(("shift", "least", "most"), [(0.0, 0.045, 0.055), (2.0, 0.035, 0.045), (-2.0, 0.055, 0.062)])
def test_others_steady_a_threshold_and_move_it_by_a_fifth_at_most(shift, least, most):
    rng, exact, steadied = np.random.default_rng(0), [], []
    for _ in range(1000):
        held_out = rng.normal(size=199)
        score, promised = steadied_threshold(held_out, rng.normal(size=2000) + shift)
        assert promised == 12 / 200
        exact.append(stats.norm.sf(threshold(held_out)))
        steadied.append(stats.norm.sf(score))
    assert least < np.mean(steadied) < most
    assert shift or np.std(steadied) < 0.7 * np.std(exact)
    assert steadied_threshold(held_out, []) == (threshold(held_out), 0.05)


# Calibration


def test_calibration_curve_is_the_two_samples_kolmogorov_statistic():
    rng = np.random.default_rng(0)
    held_out, ordinary, odd = rng.normal(size=400), rng.normal(size=300), rng.normal(0.5, 1, 300)
    for new in (ordinary, odd):
        curve = calibration_curve(new, held_out)
        gap = np.abs(curve.observed - curve.nominal).max()
        test = stats.ks_2samp(new, held_out, method="asymp")
        assert gap == pytest.approx(test.statistic, abs=1 / 401)
        assert (gap > curve.band) == (test.pvalue < 0.05)
    assert curve.observed[100] > curve.nominal[100]  # odder: more are called odd than should be


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # SciPy's p-value overflows where the sets are equal
@settings(deadline=None, max_examples=50)
@given(scores, scores)
def test_how_far_two_sets_of_scores_are_apart_is_scipys(new, held_out):
    surprise = Surprise(np.array(new, float), np.array(held_out, float), None, 0.0)
    assert surprise.distance == pytest.approx(stats.ks_2samp(new, held_out, method="asymp").statistic)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.4])
def test_how_often_they_are_so_by_chance_is_nearly_scipys_exact_value(shift):
    rng = np.random.default_rng(0)
    surprise = Surprise(rng.normal(shift, 1, 360), rng.normal(size=290), None, 0.0)
    exact = stats.ks_2samp(surprise.scores, surprise.held_out, method="exact")
    assert surprise.p_value == pytest.approx(exact.pvalue, rel=0.25)


def test_ordinary_curves_stay_within_their_band_in_95_of_100_cases():
    rng = np.random.default_rng(0)

    def within():
        curve = calibration_curve(rng.exponential(size=200), rng.exponential(size=300))
        return (np.abs(curve.observed - curve.nominal) <= curve.band).all()

    assert 0.925 <= np.mean([within() for _ in range(600)]) <= 0.98


def test_a_curve_starts_at_nothing_and_ends_at_all():
    curve = calibration_curve([1.0, 2.0, 2.0], [0.0, 1.0, 2.0, 3.0])
    np.testing.assert_allclose(curve.nominal, [0, 0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(curve.observed, [0, 0, 0, 2 / 3, 1, 1])


# Areas


@settings(deadline=None, max_examples=30)
@given(scores, scores)
def test_area_is_scikit_learns_and_by_counting(ordinary, odd):
    found = roc_auc(ordinary, odd)
    labels = np.repeat([0, 1], [len(ordinary), len(odd)])
    assert found.value == pytest.approx(roc_auc_score(labels, ordinary + odd))
    pairs = [(o > n) + (o == n) / 2 for o in odd for n in ordinary]
    assert found.value == pytest.approx(np.mean(pairs))
    assert 0 <= found.low <= found.high <= 1


def test_interval_of_the_area_is_delongs():
    """DeLong et al. 1988: the variance of the placements of both kinds among each other."""
    rng = np.random.default_rng(0)
    ordinary, odd = rng.normal(size=300), rng.normal(1, 1, 120)
    wins = odd[:, None] > ordinary
    error = math.sqrt(wins.mean(1).var(ddof=1) / 120 + wins.mean(0).var(ddof=1) / 300)
    found = roc_auc(ordinary, odd)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.07)


def test_intervals_of_areas_hold_the_truth_in_95_of_100_cases(monkeypatch):
    monkeypatch.setattr("narrows.evaluation.intervals.RESAMPLES", 300)
    rng = np.random.default_rng(0)
    truth = stats.norm.cdf(1 / math.sqrt(2))

    def held(i):
        found = roc_auc(rng.normal(size=100), rng.normal(1, 1, 50), random_state=i)
        return found.low <= truth <= found.high

    assert 0.91 <= np.mean([held(i) for i in range(300)]) <= 0.98


# What is refused


@pytest.mark.parametrize("rate", [0, 1, -0.1, 1.5, math.nan])
def test_rates_that_are_none(rate):
    with pytest.raises(ValueError, match="false_alarms"):
        threshold(np.arange(100.0), rate)


@pytest.mark.parametrize("bad", [np.zeros((2, 2)), np.zeros(0), np.array([0.0, np.nan])])
@pytest.mark.parametrize(
    "function", [lambda s: threshold(s, 0.5), lambda s: p_values(s, [1.0]), lambda s: roc_auc(s, [1.0])]
)
def test_scores_that_are_none(function, bad):
    with pytest.raises(ValueError, match=r"must be finite scores \(n,\)"):
        function(bad)


def test_scores_that_are_words():
    with pytest.raises(TypeError, match="held_out must hold real numbers"):
        p_values([1.0], ["a"])
