"""Which cells are odd: each given the others against oracles, what is promised of them, and what would be ordinary."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import betabinom, false_discovery_control, multivariate_normal, norm
from sklearn.datasets import load_digits

from narrows import VAE, VQVAE, Autoencoder, load
from narrows.fitted import local_gaussians
from narrows.fitted.cells import _discoveries
from narrows.fitted.local_gaussians import LocalGaussians
from narrows.models.gaps import Gaps


def rows(seed, n, columns=8):
    """Return rows of columns that two numbers say all of, but for some noise."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(2, columns))
    return 50 + 10 * (rng.normal(size=(n, 2)) @ mixing + 0.2 * rng.normal(size=(n, columns)))


def people(seed, n):
    rng = np.random.default_rng(seed)
    age = rng.uniform(18, 80, n).round()
    income = np.exp(6 + age / 20 + 0.2 * rng.normal(size=n)).round(-1)
    table = pd.DataFrame({"id": [f"p{i}" for i in range(n)], "age": age, "income": income})
    table["city"] = np.where(age > 50, "Brno", "Praha")
    table["visits"] = pd.array(rng.poisson(age / 10), "Int64")
    table.loc[rng.random(n) < 0.1, "visits"] = pd.NA
    return table


@pytest.fixture(scope="module")
def model():
    return Autoencoder(2, scaling="feature", epochs=60, random_state=0).fit(rows(0, 800))


@pytest.fixture(scope="module")
def of_people():
    return VAE(3, epochs=40, random_state=0).fit(people(0, 800))


@pytest.mark.parametrize("components", [3, 9])
def test_a_cell_given_others_is_what_gaussians_say(components):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5))
    mixture = LocalGaussians.of(x, rng.dirichlet([0.3] * components, 300))
    covariances = np.linalg.inv(mixture.precisions)
    weights = np.exp(mixture.log_weights + 0.5 * np.linalg.slogdet(covariances)[1])
    hidden = np.array([[1, 3], [3, 0], [2, 4]])
    found, expected = (function(x[:3], None, hidden) for function in (mixture.surprises, mixture.expected))

    def given(k, wanted, others, row):
        slope = covariances[k][np.ix_(wanted, others)] @ np.linalg.inv(covariances[k][np.ix_(others, others)])
        mean = mixture.means[k][wanted] + slope @ (row[others] - mixture.means[k][others])
        return mean, covariances[k][np.ix_(wanted, wanted)] - slope @ covariances[k][np.ix_(others, wanted)]

    def shares(others, row):
        each = [
            w * multivariate_normal(mean[others], covariance[np.ix_(others, others)]).pdf(row[others])
            for w, mean, covariance in zip(weights, mixture.means, covariances, strict=True)
        ]
        return np.array(each) / sum(each)

    for row, out, surprises, filled in zip(x, hidden, found, expected, strict=False):
        seen = [j for j in range(5) if j not in out]
        assert np.isnan(surprises[out]).all()
        for j in seen:
            others = [i for i in seen if i != j]
            below = 0.0
            for k, share in enumerate(shares(others, row)):
                mean, variance = given(k, [j], others, row)
                below += share * norm.cdf(row[j], mean[0], np.sqrt(variance[0, 0]))
            np.testing.assert_allclose(surprises[j], -np.log(2 * min(below, 1 - below)), rtol=1e-6)
        best = int(shares(seen, row).argmax())
        np.testing.assert_allclose(filled, given(best, list(out), seen, row)[0], rtol=1e-6)


@pytest.mark.parametrize("hidden", [0, 1, 4, 11])
def test_the_likeliest_component_is_found_with_kernels_and_without(hidden, monkeypatch):
    rng = np.random.default_rng(hidden)
    x = rng.normal(size=(400, 12)) @ rng.normal(size=(12, 12))
    mixture = LocalGaussians.of(x, rng.dirichlet([0.1] * 20, 400))
    places = np.argsort(rng.random(x.shape), 1)[:, :hidden]
    found = mixture.expected(x, None, places)
    monkeypatch.setattr(local_gaussians, "kernels", lambda: None)
    np.testing.assert_allclose(found, mixture.expected(x, None, places), rtol=1e-6, atol=1e-9)


def test_what_is_far_out_is_surprising_without_end():
    """By logarithms alone: of the standard normal distribution, −log of twice what is above 10, 100 and 10,000."""
    x = np.random.default_rng(0).normal(size=(5000, 1))
    mixture = LocalGaussians.of((x - x.mean()) / x.std(), np.ones((5000, 1)))
    far, none = np.array([[-3.0], [5.0], [10.0], [-100.0], [1e4]]), np.zeros((5, 0), np.int64)
    variance = 1 / mixture.precisions[0, 0, 0]
    expected = -np.log(2) - norm.logsf(np.abs(far) / np.sqrt(variance))
    np.testing.assert_allclose(mixture.surprises(far, None, none), expected, rtol=1e-6)


def test_discoveries_are_those_of_benjamini_and_hochberg():
    p = np.random.default_rng(0).uniform(size=(200, 30)) ** 3
    np.testing.assert_array_equal(_discoveries(-np.log(p), 0.1), false_discovery_control(p, axis=1) <= 0.1)


def test_a_gap_has_the_probability_of_its_regression(of_people):
    gaps = Gaps(of_people.fitted_.table.modelled, 2)
    gaps.weights.copy_(torch.tensor([[1.0, -2.0, 0.0]]))
    gaps.bias.fill_(0.5)
    z, missing = torch.tensor([[0.3, 0.1], [1.0, 2.0]]), torch.tensor([[False] * 4, [False] * 3 + [True]])
    chance = 1 / (1 + np.exp(-(z.numpy() @ [1.0, -2.0] + 0.5)))
    expected = np.log([1 - chance[0], chance[1]])
    np.testing.assert_allclose(gaps.log_chance(z, missing)[:, 3], expected, rtol=1e-5)


def test_a_missing_cell_is_compared_with_those_of_rows_that_were_held_out(of_people):
    cells = of_people.fitted_.cells
    none = np.isnan(cells.gaps).all(0)
    assert none.any()
    assert not none.all()
    k, surprise = len(cells.gaps), np.full((1, 4), 3.0)
    for place, own in enumerate(cells.gaps.T):
        ordinary = own[~np.isnan(own)]
        most = ordinary.max() if len(ordinary) else np.log(k + 1)
        as_odd = (ordinary >= 3.0).sum()
        expected = (1 + as_odd) / (k + 1) * np.exp(-max(0.0, 3.0 - most))
        assert np.exp(-cells.against_gaps(surprise)[0, place]) == pytest.approx(expected, rel=1e-3)
    new = people(3, 2000)
    found = of_people.explain(new)
    missing = new[list(found.columns)].isna().to_numpy()
    for rate in (0.02, 0.1):
        assert ((found.p_values <= rate) & missing).mean(0).max() < rate + 0.04


def test_a_level_that_is_new_is_odd_by_its_stated_probability(of_people):
    found = of_people.explain(people(1, 20).assign(city="Atlantis"))
    city = next(column for column in of_people.table_.columns if column.name == "city")
    place = found.columns.index("city")
    assert (found.p_values[:, place] <= city.unseen * (1 + 1e-6)).all()
    assert found.odd[:, place].all()
    assert set(found.ordinary["city"]) <= {"Brno", "Praha"}


def test_few_ordinary_rows_have_an_odd_cell_and_a_changed_cell_is_named(model):
    ordinary = model.explain(rows(1, 1000))
    n = len(model.fitted_.cells.largest)
    assert ordinary.odd.any(1).sum() <= betabinom(1000, int(0.05 * (n + 1)), n + 1 - int(0.05 * (n + 1))).ppf(0.999)
    assert abs((ordinary.p_values < 0.1).mean() - 0.1) < 0.03
    changed = rows(2, 300)
    places = np.random.default_rng(0).integers(8, size=300)
    changed[np.arange(300), places] += 40
    found = model.explain(changed)
    assert (found.p_values.argmin(1) == places).mean() > 0.97
    assert found.odd[np.arange(300), places].mean() > 0.97
    others = found.odd.sum(1) - found.odd[np.arange(300), places]
    assert (others / np.maximum(found.odd.sum(1), 1)).mean() < 0.1
    near = found.ordinary[np.arange(300), places] - rows(2, 300)[np.arange(300), places]
    assert np.median(np.abs(near)) < 6
    np.testing.assert_array_equal(found.ordinary[~found.changed], changed[~found.changed])
    assert found.is_ordinary.all()
    assert (model.predict(found.ordinary) == 1).all()
    assert "instead of" in found.sentences[0]
    assert str(found).count("\n") == 299


def test_of_two_cells_that_contradict_each_other_neither_is_called_odd():
    """Twins that differ: either may be wrong, if no other column says which; a third like them does say it."""
    rng = np.random.default_rng(0)
    same, others = rng.normal(size=(1200, 1)), rng.normal(size=(1200, 3))
    for copies, odd in ((2, 0), (3, 1)):
        X = np.hstack([same + 0.05 * rng.normal(size=(1200, copies)), others])
        fitted = Autoencoder(4, scaling="feature", epochs=60, random_state=0).fit(X[:1000]).fitted_
        x = fitted.scaling.apply(X[1000:1100]).astype(np.float64)
        x[:, 0] = np.where(x[:, 0] > 0, -1.0, 1.0)
        found = fitted.cells.odd(x, None, 0.05)
        assert (np.exp(-found.surprise.max(1)) < 1e-3).mean() > 0.9
        assert abs(found.odd[:, 0].mean() - odd) < 0.1
        assert found.odd[:, 1].mean() < 0.2


def test_one_cell_alone_is_as_surprising_as_among_all(model, of_people):
    x = model.scaling_.apply(rows(1, 40)).astype(np.float64)
    table = of_people.fitted_
    cells = table.scaling.apply(table.table.cells(people(1, 40))).astype(np.float64)
    for given, each in ((model.fitted_.cells.given, x), (table.cells.given, cells)):
        hidden, own = np.repeat([[2]], 40, 0), np.arange(40) % 2
        whole = given.surprises(each, None, hidden)[np.arange(40), own]
        np.testing.assert_allclose(given.surprise_at(own, each, None, hidden), whole, rtol=1e-4)


def test_the_nearest_ordinary_example_is_ordinary_by_the_score_that_is_asked_for(model):
    changed = rows(2, 40)
    changed[:, 3] += 40
    for by in ("reconstruction", "likelihood"):
        found = model.explain(changed, by=by)
        assert found.is_ordinary.mean() > 0.9
        assert (model.predict(found.ordinary, by=by)[found.is_ordinary] == 1).all()
    with pytest.raises(ValueError, match="by='nothing'"):
        model.explain(changed, by="nothing")


def test_the_rate_of_false_discoveries_is_the_models_own(model):
    stricter = load_copy(model).set_params(false_alarms=0.02)
    assert stricter.explain(rows(1, 1000)).odd.sum() < model.explain(rows(1, 1000)).odd.sum()


def load_copy(model):
    copy = Autoencoder(**model.get_params())
    copy.fitted_ = model.fitted_
    return copy


def test_a_tables_numbers_levels_and_gaps_are_explained_in_its_own_types(of_people, tmp_path):
    new = people(1, 60)
    new.loc[0, "income"] = 310_000.0
    new.loc[1, "income"] = np.nan
    new.loc[2, "city"] = "Praha" if new.loc[2, "city"] == "Brno" else "Brno"
    new.loc[3, "age"] = 7.0
    found = of_people.explain(new)
    assert found.columns == ("age", "income", "city", "visits")
    assert (found.p_values[[0, 1, 3], [1, 1, 0]] < 0.01).all()
    assert found.p_values[2, 2] < 0.1
    assert "income" in found.sentences[0]
    assert "310,000" in found.sentences[0]
    assert "instead of a missing cell" in found.sentences[1]
    assert found.ordinary.dtypes.equals(new.dtypes)
    assert found.ordinary["id"].equals(new["id"])
    assert 500 < found.ordinary.loc[0, "income"] < 30_000
    some = ~found.changed[:, 3]
    assert found.ordinary["visits"][some].equals(new["visits"][some])
    assert (of_people.predict(found.ordinary)[found.is_ordinary] == 1).all()
    of_people.save(tmp_path / "people.safetensors")
    again = load(tmp_path / "people.safetensors").explain(new)
    np.testing.assert_array_equal(again.p_values, found.p_values)
    assert again.sentences == found.sentences


def test_a_row_that_is_ordinary_but_for_a_cell_is_not_said_to_become_it(of_people):
    new = people(1, 400)
    found, ordinary = of_people.explain(new), of_people.predict(new) == 1
    changed = np.asarray(found.changed).any(1)
    np.testing.assert_array_equal(found.was_ordinary, ordinary)
    assert (ordinary & changed).any()
    for said, was, new_cells in zip(found.sentences, ordinary, changed, strict=True):
        assert said.startswith("ordinary") == was
        assert (said == "ordinary") == (was and not new_cells)


def test_pixels_have_p_values_too(tmp_path):
    images = load_digits().images
    model = Autoencoder(8, epochs=15, random_state=0).fit(images[:1200])
    new = images[1200:1260].copy()
    new[0, 0, 0] = 16
    found = model.explain(new)
    assert found.p_values.shape == found.odd.shape == new.shape
    assert found.odd[0, 0, 0]
    assert found.odd.mean() < 0.02
    assert found.ordinary[0, 0, 0] < 4
    assert (model.predict(found.ordinary)[found.is_ordinary] == 1).all()
    model.save(tmp_path / "digits.safetensors")
    np.testing.assert_array_equal(load(tmp_path / "digits.safetensors").explain(new).odd, found.odd)


@pytest.mark.parametrize("kind", [VQVAE, VAE])
def test_other_codes_and_priors_explain_as_well(kind):
    options = {"latent_dim": 2, "prior": "normal"} if kind is VAE else {"latent_dim": 4}
    model = kind(**options, scaling="feature", epochs=20, random_state=0).fit(rows(0, 300))
    new = rows(1, 50)
    new[0, 3] += 60
    assert model.explain(new).p_values[0].argmin() == 3


def test_a_conditional_model_needs_the_classes():
    X, y = rows(0, 300), np.arange(300) % 2
    model = Autoencoder(2, conditional=True, epochs=5, random_state=0).fit(X, y)
    assert model.explain(X[:5], y[:5]).p_values.shape == (5, 8)
    with pytest.raises(ValueError, match="y is needed"):
        model.explain(X[:5])


def test_without_held_out_examples_it_says_so():
    model = Autoencoder(2, epochs=2, validation_fraction=0, random_state=0).fit(rows(0, 50))
    with pytest.raises(ValueError, match="has no threshold"):
        model.explain(rows(1, 5))


def test_what_would_be_ordinary_names_no_level_that_stays_as_it_is():
    rng = np.random.default_rng(1)
    price = rng.lognormal(4, size=400)
    rows = pd.DataFrame({"price": price, "weight": price * rng.normal(1, 0.1, 400) / 10})
    rows["boxed"], rows["city"] = rng.choice(["yes", "no"], 400), rng.choice(["Brno", "Wien", "Praha"], 400)
    model = Autoencoder(2, hidden=(16,), epochs=20, prior="normal", false_alarms=0.2, random_state=1).fit(rows)
    why = model.explain(rows)
    assert why.changed.any(0).all()
    assert (why.ordinary.to_numpy()[why.changed] != rows.to_numpy()[why.changed]).all()
    assert (why.ordinary.to_numpy()[~why.changed] == rows.to_numpy()[~why.changed]).all()
