"""The bet against exchangeability: p-values that are uniform, no alarm without a drift, and soon one with it."""

import json

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.datasets import load_digits

from narrows import Autoencoder
from narrows.evaluation.martingale import ConformalMartingale, bets


def test_p_values_are_uniform_and_tell_nothing_of_the_next():
    rng = np.random.default_rng(0)
    first = []
    for seed in range(1500):
        watch = ConformalMartingale(rng.exponential(size=20), random_state=seed)
        first.append([watch._p_value(score) for score in rng.exponential(size=3)])
    p = np.array(first)
    assert all(kstest(p[:, place], "uniform").pvalue > 0.001 for place in range(3))
    assert np.abs(np.corrcoef(p.T) - np.eye(3)).max() < 0.1


def test_scores_that_are_equal_are_as_good_as_any():
    watch = ConformalMartingale(np.zeros(50), random_state=0)
    watch.update(np.zeros(2000))
    assert watch.alarm is None


def test_bets_are_fair():
    p = (np.arange(200_000) + 0.5) / 200_000
    np.testing.assert_allclose(bets(p).mean(0), 1, atol=0.25)
    for power, column in zip((0.3, 0.6), (2, 3), strict=True):
        np.testing.assert_allclose(bets(p)[:, column], power * p ** (power - 1))


def test_digits_that_lie_on_their_side_raise_an_alarm_and_no_others_do():
    images = np.random.default_rng(0).permutation(load_digits().images)
    model = Autoencoder(8, epochs=15, random_state=0).fit(images[:600])
    watch = ConformalMartingale(model.fitted_.held_out("auto"))
    watch.update(model.anomaly_score(images[600:1600]))
    assert watch.alarm is None
    watch.update(model.anomaly_score(np.rot90(images[1600:], axes=(1, 2))))
    assert 1000 <= watch.alarm < 1050


def test_a_moved_column_raises_an_alarm():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2600, 2)) @ rng.normal(size=(2, 6)) + 0.3 * rng.normal(size=(2600, 6))
    model = Autoencoder(2, epochs=20, random_state=0).fit(X[:1000])
    watch = ConformalMartingale(model.fitted_.held_out("auto"))
    watch.update(model.anomaly_score(X[1000:2000]))
    assert watch.alarm is None
    X[2000:, 2] += 3 * X[:1000, 2].std()
    watch.update(model.anomaly_score(X[2000:]))
    assert 1000 <= watch.alarm < 1050
    assert abs(watch.since - 1000) < 20


def test_it_goes_on_from_its_state_as_if_nothing_had_been():
    rng = np.random.default_rng(1)
    held_out, scores = rng.normal(size=100), rng.normal(size=400)
    whole = ConformalMartingale(held_out)
    expected = whole.update(scores)
    half = ConformalMartingale(held_out)
    half.update(scores[:150])
    again = ConformalMartingale.of_state(json.loads(json.dumps(half.state())))
    np.testing.assert_array_equal(again.update(scores[150:]), expected[150:])
    assert again.state() == whole.state()


@pytest.mark.parametrize("change", [{"counts": [1]}, {"n": 3}, {"shares": [1.0]}, {"alarm": 99}, {"since": 99}])
def test_a_state_that_cannot_be_is_refused(change):
    state = ConformalMartingale(np.arange(20.0)).state()
    with pytest.raises(ValueError, match="its"):
        ConformalMartingale.of_state({**state, **change})


def test_too_few_held_out_scores_are_refused():
    with pytest.raises(ValueError, match="held_out holds 3 scores"):
        ConformalMartingale([1.0, 2.0, 3.0])
