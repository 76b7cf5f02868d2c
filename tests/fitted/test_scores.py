"""Log-densities against integrals and SciPy's distributions, and how odd rows are by them."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm

from narrows import VAE, Autoencoder
from narrows.estimators.rows import rows_of
from narrows.estimators.targets import examples_of
from narrows.fitted import scores
from narrows.fitted.scores import cell_costs, check_possible, held_out_scores, log_density, oddness
from narrows.models.likelihoods import Poisson
from narrows.training.examples import Examples

RNG = np.random.default_rng(0)
ROWS = RNG.normal([50, -3, 0], [10, 1, 0.1], (60, 3))
UNIT = RNG.random((60, 4))
FEW = {"hidden": (4,), "epochs": 3, "random_state": 0}


@pytest.fixture(scope="module")
def drawn():
    """A variational model whose code is one number, so that what its bound is of can be integrated."""
    return VAE(1, prior="normal", scaling="feature", sigma=1.0, likelihood="gaussian", **FEW).fit(ROWS)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    a = rng.normal(size=200)
    frame = pd.DataFrame({"a": a, "b": 7 * a + rng.normal(size=200), "c": np.where(a > 0, "x", "y")})
    frame["visits"] = rng.poisson(np.exp(0.3 * a))
    return frame.mask(rng.random(frame.shape) < 0.1)


@pytest.fixture(scope="module", params=[Autoencoder, VAE])
def of_table(request, table):
    return request.param(2, prior="normal", **FEW).fit(table)


def read(model, X):
    """Return a model's nets, its scaling, and data as these see them."""
    return model.fitted_.on("cpu"), model.scaling_, examples_of(model.fitted_, rows_of(model, X, warn=False), None)


# Log-densities


def test_a_deterministic_codes_density_is_that_of_scipys_gaussian_in_the_datas_units():
    model = Autoencoder(1, scaling="feature", sigma=0.5, likelihood="gaussian", **FEW).fit(ROWS)
    expected = norm.logpdf(ROWS, model.reconstruct(ROWS), 0.5 * model.scaling_.scale).sum(1)
    np.testing.assert_allclose(model.score_samples(ROWS), expected, rtol=1e-4)


def test_the_bound_comes_to_the_integral_over_the_code(drawn):
    few = ROWS[[0, 1, 2, 6, 7]]
    z = np.linspace(-8, 8, 4001)
    each = norm.logpdf(few[:, None], drawn.inverse_transform(z[:, None]), drawn.scaling_.scale).sum(2)
    expected = logsumexp(each + norm.logpdf(z), axis=1) + math.log(z[1] - z[0])
    np.testing.assert_allclose(drawn.log_likelihood(few, samples=20_000).values, expected, atol=0.04)


def test_the_same_noise_for_all_drawn_by_the_seed_in_pieces_that_memory_holds(drawn, monkeypatch):
    given = read(drawn, np.repeat(ROWS[:1], 40, 0))
    whole = log_density(*given, 32, seed=5)
    np.testing.assert_allclose(whole, whole[0], rtol=1e-6)
    assert abs(whole[0] - log_density(*given, 32, seed=6)[0]) > 1e-4
    codes = []
    output = type(drawn.model_).output
    monkeypatch.setattr(scores, "MOST_NUMBERS", 40 * 4 * 5)  # of the widest layer, of five codes an example
    monkeypatch.setattr(type(drawn.model_), "output", lambda *own: (codes.append(len(own[1])), output(*own))[1])
    np.testing.assert_allclose(log_density(*given, 32, seed=5), whole, rtol=1e-6)
    assert codes == [5, 5, 5, 5, 5, 5, 2]
    monkeypatch.setattr(scores, "MOST_NUMBERS", 1)  # less than one code takes
    np.testing.assert_allclose(log_density(*given, 32, seed=5), whole, rtol=1e-6)


@pytest.mark.parametrize("prior", ["posterior", "vampprior"])
def test_the_likelihoods_memory_does_not_grow_with_the_components(prior, monkeypatch):
    """Each piece of codes, times the components that every code is held against, is at most what is allowed."""
    X = np.random.default_rng(0).normal(size=(300, 3))
    model = VAE(2, hidden=(8,), epochs=2, prior=prior, random_state=0).fit(X)
    monkeypatch.setattr(scores, "MOST_NUMBERS", 2**18)
    largest = []
    original = type(model.model_.prior).class_log_probs

    def watched(self, z):
        largest.append(z[..., 0].numel() * self.components)
        return original(self, z)

    monkeypatch.setattr(type(model.model_.prior), "class_log_probs", watched)
    model.log_likelihood(X, samples=500)
    assert 2**17 < max(largest) <= 2**18


def test_values_beyond_bounds_count_as_the_ends_and_are_counted():
    model = Autoencoder(2, likelihood="continuous-bernoulli", **FEW).fit(UNIT * 5)
    beyond = UNIT[:10] * 5
    beyond[3, 1], beyond[4, 2], beyond[9, 0] = 7, -1, 100
    within = np.clip(beyond, model.scaling_.undo(np.zeros(4))[0], model.scaling_.undo(np.ones(4))[0])
    with warnings.catch_warnings(action="ignore"):  # of units, too
        expected = model.score_samples(within)
    given = read(model, beyond)
    with pytest.warns(UserWarning, match="^3 of 40 values are outside .* ContinuousBernoulli"):
        found = log_density(*given, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_probabilities_do_not_change_with_the_unit_and_densities_do():
    model = Autoencoder(2, likelihood="bernoulli", **FEW).fit(255 * np.round(UNIT))
    p = np.clip(model.reconstruct(255 * np.round(UNIT)) / 255, 1e-7, 1 - 1e-7)
    expected = np.log(np.where(UNIT > 0.5, p, 1 - p)).sum(1)
    np.testing.assert_allclose(model.score_samples(255 * np.round(UNIT)), expected, rtol=1e-3)


def test_examples_of_numbers_are_odd_by_their_error_or_their_density(drawn):
    given = read(drawn, ROWS)
    errors = np.square(drawn.scaling_.apply(ROWS) - drawn.scaling_.apply(drawn.reconstruct(ROWS))).mean(1)
    np.testing.assert_allclose(oddness(*given, "reconstruction"), errors, rtol=1e-4)
    np.testing.assert_allclose(oddness(*given, "likelihood"), -drawn.score_samples(ROWS), rtol=1e-6)


# What has no probability


def test_a_value_that_is_none_is_named_by_its_row_and_column():
    counts = RNG.poisson(4, (30, 3)).astype(float)
    model = Autoencoder(1, likelihood="poisson", **FEW).fit(counts)
    counts[20, 2], counts[21, 0] = -2, -7
    with pytest.raises(ValueError, match=r"contains -2 in row 20, column 2; a Poisson likelihood is for counts"):
        model.score_samples(counts)
    some = Examples.of(torch.from_numpy(model.scaling_.apply(counts)), None).subset(torch.arange(19, 30))
    with pytest.raises(ValueError, match=r"-2 in row 20, column 'c'; "):
        check_possible(model.model_.likelihood, model.scaling_, some, ["a", "b", "c"])


def test_files_are_not_read_for_a_likelihood_of_any_number(drawn):
    examples = Examples(lambda rows: pytest.fail(f"{rows} were read"), torch.arange(3), 3, None)
    check_possible(drawn.model_.likelihood, drawn.scaling_, examples)
    with pytest.raises(pytest.fail.Exception, match="were read"):
        check_possible(Poisson.for_data(drawn.scaling_), drawn.scaling_, examples)


# A table's rows


def test_what_cells_cost_adds_up_to_the_density_and_is_none_where_they_are_missing(table):
    model = Autoencoder(2, **FEW).fit(table)
    nats = model.error_map(table).to_numpy()
    np.testing.assert_array_equal(np.isnan(nats), table.isna().to_numpy())
    np.testing.assert_allclose(np.nansum(nats, 1), -model.score_samples(table), rtol=1e-5)


def test_other_units_make_densities_others_and_oddness_the_same(table, of_table):
    grams = table.assign(a=1000 * table["a"])
    other = type(of_table)(2, prior="normal", **FEW).fit(grams)
    change = np.where(table["a"].isna(), 0, math.log(1000))
    np.testing.assert_allclose(of_table.score_samples(table) - other.score_samples(grams), change, atol=1e-3)
    for by in ("reconstruction", "likelihood"):
        scored = of_table.anomaly_score(table, by=by)
        np.testing.assert_allclose(scored, other.anomaly_score(grams, by=by), rtol=1e-3, atol=1e-3)


def test_rows_are_odd_by_what_they_cost_above_ordinary_ones_with_the_same_cells(table, of_table):
    (passes, scaling, examples), likelihood = read(of_table, table), of_table.model_.likelihood
    costs = cell_costs(passes, examples)
    known = (~np.isnan(costs)).astype(float)
    usual, spread = known @ likelihood.usual_cost.numpy(), known @ likelihood.spread.numpy()
    found = oddness(passes, scaling, examples, "reconstruction")
    np.testing.assert_allclose(found, (np.nansum(costs, 1) - usual) / np.sqrt(spread), rtol=1e-5)
    density = log_density(passes, scaling, examples, 16)
    change = scores._changes(likelihood, scaling, examples).sum(1)
    rest = float(likelihood.rest) * known.mean(1)
    found = oddness(passes, scaling, examples, "likelihood")
    np.testing.assert_allclose(found, (-density - change - usual - rest) / np.sqrt(spread), rtol=1e-5)


def test_ordinary_rows_are_the_measure(table, of_table, monkeypatch):
    """Mean and variance of each cell's cost, and what the code costs besides, are those of the rows held out."""
    likelihood = of_table.model_.likelihood
    passes, scaling, examples = read(of_table, table)
    scores.calibrate_cells(passes, examples)
    scores.calibrate_rest(passes, examples)
    costs = cell_costs(passes, examples)
    np.testing.assert_allclose(likelihood.usual_cost.numpy(), np.nanmean(costs, 0), rtol=1e-5)
    np.testing.assert_allclose(likelihood.spread.numpy(), np.nanvar(costs, 0), rtol=1e-4)
    if type(of_table) is VAE:
        found, known = oddness(passes, scaling, examples, "likelihood"), ~np.isnan(costs)
        weight = np.sqrt(known @ likelihood.spread.numpy()) / known.mean(1)
        assert (found * weight).mean() == pytest.approx(0, abs=1e-3)
    else:
        assert likelihood.rest == 0  # a code that is not drawn costs nothing
    same = np.resize(costs[0], (5, costs.shape[1])) * (1 + np.linspace(-1e-5, 1e-5, 5)[:, None])
    monkeypatch.setattr(scores, "cell_costs", lambda *_: same)
    scores.calibrate_cells(passes, examples)  # a column that costs the same, but for rounding, is measured in nats
    np.testing.assert_array_equal(likelihood.spread.numpy(), 1)


def test_a_column_that_no_ordinary_row_has_costs_nothing(table, of_table):
    passes, _, examples = read(of_table, table)
    cells = torch.cat([batch.x for batch in examples.chunks(len(table))])
    cells[:, 1] = math.nan
    scores.calibrate_cells(passes, Examples.of(cells, None, examples.features))
    assert (passes.model.likelihood.usual_cost[1], passes.model.likelihood.spread[1]) == (0, 1)


def test_rows_are_calibrated_also_where_the_prior_has_no_density(table, monkeypatch):
    monkeypatch.setattr("narrows.models.priors.flows.STEPS", 10)
    model = VAE(2, prior="flow-matching", **FEW).fit(table)
    assert model.model_.likelihood.rest == 0
    assert model.anomaly_score(table, by="reconstruction").mean() == pytest.approx(0, abs=0.3)


def test_what_is_no_table_is_not_calibrated(drawn):
    before = {name: tensor.clone() for name, tensor in drawn.model_.state_dict().items()}
    passes, _, examples = read(drawn, ROWS)
    scores.calibrate_cells(passes, examples)
    scores.calibrate_rest(passes, examples)
    assert all(torch.equal(before[name], tensor) for name, tensor in drawn.model_.state_dict().items())


# Those that were held out


def test_held_out_scores_are_of_each_kind_that_there_is(drawn, of_table, table, monkeypatch):
    errors = RNG.random(60)
    assert held_out_scores(*read(drawn, ROWS)[:2], Examples.of(torch.zeros(0, 3), None), errors[:0]) == {}
    monkeypatch.setattr(scores, "MOST_HELD_OUT", 50)
    found = held_out_scores(*read(drawn, ROWS), errors)
    assert found["reconstruction"] is errors
    np.testing.assert_allclose(found["likelihood"], -drawn.score_samples(ROWS[:50]), rtol=1e-5)
    found = held_out_scores(*read(of_table, table), errors)
    for by, rows in {"reconstruction": table, "likelihood": table[:50]}.items():
        np.testing.assert_allclose(found[by], of_table.anomaly_score(rows, by=by), rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(scores, "oddness", lambda *_: np.array([1.0, math.inf]))
    assert set(held_out_scores(*read(drawn, ROWS), errors)) == {"reconstruction"}


def test_a_prior_without_a_density_leaves_drawn_codes_none(monkeypatch):
    monkeypatch.setattr("narrows.models.priors.flows.STEPS", 10)
    kinds = {
        kind: set(kind(1, prior="flow-matching", **FEW).fit(ROWS).reference_.held_out) for kind in (Autoencoder, VAE)
    }
    assert kinds[Autoencoder] - kinds[VAE] == {"likelihood"}
