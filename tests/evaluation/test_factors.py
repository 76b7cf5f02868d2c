"""MIG and DCI: against their definitions written out, and on codes of which it is known how entangled they are."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.fft import dct
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, mutual_info_score, r2_score

from narrows.data.synthetic import bars, shapes
from narrows.evaluation import factors as module
from narrows.evaluation.factors import dci, mutual_information_gap


@pytest.fixture
def few(monkeypatch):
    """Fewer halves, for tests that look at values only."""
    monkeypatch.setattr(module, "HALVES", 2)


def known(n=3000, seed=0):
    """Two quantities and a kind, independent, and the same as numbers of mean 0 and variance 1."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"size": rng.exponential(size=n), "kind": rng.choice(["a", "b", "c"], n), "place": rng.uniform(size=n)}
    )
    numbers = table.assign(kind=pd.factorize(table["kind"])[0]).to_numpy(float)
    return table, (numbers - numbers.mean(0)) / numbers.std(0)


def turned(z):
    """The same code in other axes: the first factor is spread over all units evenly, the others over most."""
    return dct(z, norm="ortho")


# Mutual information gap


def gap_by_definition(codes, table):
    """Chen et al. 2018, equation 6, by scikit-learn's mutual information of pandas' quantile bins; not extrapolated."""
    units = [pd.qcut(unit, 20, labels=False, duplicates="drop") for unit in np.asarray(codes).T]
    gaps = []
    for name in table:
        v = table[name]
        v = pd.qcut(v, 20, labels=False) if v.dtype == float else pd.factorize(v)[0]
        shared = sorted(mutual_info_score(unit, v) for unit in units)
        gaps.append((shared[-1] - shared[-2]) / mutual_info_score(v, v))
    return np.mean(gaps)


@pytest.mark.parametrize("n", [1000, 4000])
def test_gap_is_its_definition(n):
    table, z = known(n)
    codes = turned(z) + 0.1 * np.random.default_rng(1).normal(size=z.shape)
    bins = np.stack([module._binned(unit) for unit in codes.T], axis=1)
    kinds = np.stack([module._binned(table["size"]), pd.factorize(table["kind"])[0], module._binned(table["place"])], 1)
    assert module._gap(bins, kinds) == pytest.approx(gap_by_definition(codes, table), abs=2e-3)


def test_a_code_that_is_the_factors_has_a_gap_of_one_however_it_is_stretched():
    table, z = known()
    for codes in (z, np.c_[-(z[:, 1] ** 3), np.exp(z[:, 0]), z[:, 2], np.zeros(len(z))]):
        found = mutual_information_gap(codes, table)
        assert found.value == pytest.approx(1, abs=0.01)
        assert found.low <= found.value <= found.high <= 1


def test_gap_of_codes_that_say_the_same_twice_or_nothing_is_zero():
    table, z = known()
    assert mutual_information_gap(np.c_[z, z], table).value == 0
    noise = mutual_information_gap(np.random.default_rng(1).normal(size=z.shape), table)
    assert noise.low == 0
    assert noise.value < 0.003


def test_gap_of_a_turned_code_is_lower():
    table, z = known()
    assert mutual_information_gap(turned(z), table).high < 0.5


def test_intervals_hold_the_gap_of_many_examples_though_few_overestimate_it():
    """Noise hides how little the second unit knows: without extrapolation, 1,000 examples are outside too often."""
    noise = np.random.default_rng(1)

    def codes(z):
        return z + 0.3 * noise.normal(size=z.shape)

    table, z = known(400_000, seed=9)
    truth = gap_by_definition(codes(z), table)
    held = []
    for seed in range(40):
        table, z = known(1000, seed)
        found = mutual_information_gap(codes(z), table, random_state=seed)
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) >= 0.85


# DCI


def dci_by_definition(z, table, seed):
    """Eastwood & Williams 2018, section 3, by loops; the forests are the module's."""
    test, K, D = len(z) // 4, len(table.columns), z.shape[1]
    R, informativeness = np.zeros((D, K)), []
    for j, name in enumerate(table):
        v = table[name].to_numpy()
        kind = RandomForestRegressor if v.dtype == float else RandomForestClassifier
        forest = kind(module.TREES, min_samples_leaf=module.LEAF, max_features=None, random_state=seed)
        answer = forest.fit(z[test:], v[test:]).predict(z[:test])
        R[:, j] = forest.feature_importances_
        if v.dtype == float:
            informativeness.append(r2_score(v[:test], answer))
        else:
            commonest = max(np.mean(v[:test] == name) for name in set(v))
            informativeness.append((accuracy_score(v[:test], answer) - commonest) / (1 - commonest))

    def surprise(shares, base):
        return -sum(p * math.log(p) for p in shares if p > 0) / math.log(base)

    disentanglement = sum((R[i].sum() / R.sum()) * (1 - surprise(R[i] / R[i].sum(), K)) for i in range(D))
    completeness = np.mean([1 - surprise(R[:, j] / R[:, j].sum(), D) for j in range(K)])
    return disentanglement, completeness, np.mean(informativeness)


@pytest.mark.usefixtures("few")
def test_dci_is_its_definition():
    table, z = known(800)
    codes = turned(z) + 0.2 * np.random.default_rng(1).normal(size=z.shape)
    found = dci(codes, table, random_state=3)
    order = np.random.default_rng(3).permutation(800)
    expected = dci_by_definition(codes[order], table.iloc[order], 3)
    values = found.disentanglement.value, found.completeness.value, found.informativeness.value
    assert values == pytest.approx(expected, abs=1e-9)


@pytest.mark.usefixtures("few")
def test_dci_of_codes_of_which_it_is_known():
    table, z = known(1500)
    noise = np.random.default_rng(1).normal(size=z.shape)
    same, doubled, rotated, none = (dci(c, table) for c in (np.c_[z, noise], np.c_[z, z], turned(z), noise))
    for found in (same.disentanglement, same.completeness, same.informativeness):
        assert found.value == pytest.approx(1, abs=0.01)
    assert doubled.disentanglement.value > 0.99  # each unit is for one factor
    assert doubled.completeness.value < 0.8  # but factors need two
    assert max(rotated.disentanglement.value, rotated.completeness.value) < 0.75
    assert rotated.informativeness.value > 0.8  # all is there, in no unit of its own
    assert max(none.disentanglement.value, none.completeness.value) < 0.1
    assert none.informativeness.value < 0.05


def test_intervals_of_dci_are_within_bounds_and_about_their_values():
    table, z = known(600)
    found = dci(turned(z), table)
    for part in (found.disentanglement, found.completeness, found.informativeness):
        assert 0 <= part.low < part.value < part.high <= 1


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("make", [shapes, bars])
def test_the_projects_own_sets_can_be_asked(make):
    data = make(600, size=8)
    codes = data.X.reshape(600, -1)[:, ::7].astype(float)
    assert 0 <= mutual_information_gap(codes, data.factors).value < 1
    assert 0 < dci(codes, data.factors).informativeness.value < 1


# What is refused


@pytest.mark.parametrize("function", [mutual_information_gap, dci])
@pytest.mark.parametrize(
    ("codes", "table", "error", "message"),
    [
        (np.zeros((50, 2)), {"a": [1]}, TypeError, "must be a DataFrame"),
        (np.zeros((50, 2)), pd.DataFrame({"a": range(40)}), ValueError, "of the n=40 examples"),
        (np.full((50, 2), np.nan), pd.DataFrame({"a": range(50)}), ValueError, "must be finite"),
        (np.array([["x", "y"]] * 50), pd.DataFrame({"a": range(50)}), TypeError, "codes must be real numbers"),
        (np.zeros((50, 2)), pd.DataFrame({"a": [None, *range(49)]}), ValueError, "missing values"),
        (np.zeros((50, 2)), pd.DataFrame({"a": [1] * 50, "b": ["x"] * 50}), ValueError, r"\['a', 'b'\] changes"),
    ],
)
def test_what_are_no_codes_or_factors(function, codes, table, error, message):
    with pytest.raises(error, match=message):
        function(codes, table)


def test_one_unit_has_no_gap_few_examples_no_halves_and_one_factor_no_dci():
    table, z = known(100)
    with pytest.raises(ValueError, match="two units or more"):
        mutual_information_gap(z[:, :1], table)
    with pytest.raises(ValueError, match="40 examples or more"):
        mutual_information_gap(z[:39], table[:39])
    with pytest.raises(ValueError, match="only one column that varies"):
        dci(z, table[["size"]])


def test_a_factor_that_hardly_changes_is_refused():
    table, z = known(100)
    seldom = table.assign(rare=np.arange(100) == 0)
    with pytest.raises(ValueError, match="not finite in"):
        dci(z, seldom)
    with pytest.raises(ValueError, match="not finite in"):
        mutual_information_gap(z, seldom)
