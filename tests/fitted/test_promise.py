"""Ordinary examples are called odd as seldom as promised, on many splits of one table."""

import numpy as np
import pytest
from scipy.stats import betabinom

from narrows import Autoencoder


@pytest.mark.slow
def test_the_promise_holds_on_every_split_and_on_average():
    """m new ordinary examples, by the r-th highest of n held-out scores: beta-binomial of m, r and n + 1 − r."""
    rng = np.random.default_rng(0)
    rates = []
    for seed in range(20):
        X = np.exp(0.5 * rng.normal(size=(3000, 3)) @ rng.normal(size=(3, 6))) + 0.1 * rng.normal(size=(3000, 6))
        model = Autoencoder(2, epochs=20, random_state=seed).fit(X[:2000])
        n, m = len(model.fitted_.held_out("auto")), 1000
        called = int((model.predict(X[2000:]) < 0).sum())
        low, high = betabinom(m, int(0.05 * (n + 1)), n + 1 - int(0.05 * (n + 1))).interval(0.999)
        assert low <= called <= high
        rates.append(called / m)
    assert 0.04 <= np.mean(rates) <= 0.06
