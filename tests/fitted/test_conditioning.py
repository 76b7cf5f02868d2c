"""Rows that meet conditions: against closed forms, and against all rows of which those that don't are thrown away."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import truncnorm

from narrows import FSQVAE, VAE, Autoencoder, load
from narrows.models.priors import flows

N = 900
RNG = np.random.default_rng(5)
A, B = RNG.normal(size=(2, N))
PEOPLE = pd.DataFrame(
    {
        "id": [f"p{row}" for row in range(N)],
        "age": np.rint(50 + 15 * A).astype(np.int16),
        "income": np.exp(10 + B + 0.1 * RNG.normal(size=N)),
        "height": 170 + 5 * A + 5 * B + RNG.normal(size=N),
        "city": np.where(A > 0.5, "Brno", np.where(A > -0.5, "Praha", "Plzeň")),
        "member": B > 0,
        "visits": RNG.poisson(np.exp(0.5 + A)),
        "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.rint(400 + 100 * B), unit="D"),
        "country": "CZ",
        "size": pd.Categorical(
            np.array(list("SML"))[np.digitize(A + B, [-1, 1])], categories=list("SML"), ordered=True
        ),
    }
)
PEOPLE["member"] = PEOPLE["member"].astype("boolean")
PEOPLE.loc[(A > 1) & (RNG.random(N) < 0.8), ["city", "member"]] = None
ENOUGH = 4000


@pytest.fixture(scope="module", params=["vae", "laplace"])
def people(request):
    kind, options = {"vae": (VAE, {}), "laplace": (Autoencoder, {"likelihood": "laplace"})}[request.param]
    model = kind(2, hidden=(16,), epochs=15, random_state=0, **options).fit(PEOPLE)
    return model, model.sample(60_000, random_state=1, missing=False)


def between(low, high):
    return lambda column: column.between(low, high)


CONDITIONS = {
    "level": {"city": ("Brno", lambda c: c == "Brno")},
    "levels": {"city": ({"Brno", "Plzeň"}, lambda c: c != "Praha")},
    "yes": {"member": (True, lambda c: c)},
    "ordered": {"size": (("M", None), lambda c: c != "S")},
    "whole": {"age": (50, lambda c: c == 50)},
    "whole range": {"age": ((30, 40), between(30, 40))},
    "wholes": {"age": ({30, 55, 80}, lambda c: c.isin([30, 55, 80]))},
    "positive range": {"income": ((30_000, 50_000), between(30_000, 50_000))},
    "real range": {"height": ((None, 162.5), lambda c: c <= 162.5)},
    "count": {"visits": (3, lambda c: c == 3)},
    "counts": {"visits": ((1, 4), between(1, 4))},
    "dates": {"since": (("2021-03-01", "2021-05-31"), between("2021-03-01", "2021-05-31"))},
    "several": {
        "city": ("Praha", lambda c: c == "Praha"),
        "height": ((165, 175), between(165, 175)),
        "visits": ({0, 1, 2}, lambda c: c <= 2),
        "country": ("CZ", lambda c: c == "CZ"),
    },
}


def likeness(a, b):
    """How far two tables' means are from each other, in standard errors, at most: of numbers, and of each level."""
    a, b = (pd.get_dummies(frame.assign(since=frame["since"].astype("int64"))).astype(float) for frame in (a, b))
    errors = np.sqrt(a.var() / len(a) + b.var() / len(b))
    return float(((a.mean() - b.mean())[errors > 0] / errors[errors > 0]).abs().max())


@pytest.mark.parametrize("asked", CONDITIONS.values(), ids=CONDITIONS)
def test_they_are_as_those_that_are_left_of_all(people, asked):
    model, everyone = people
    given = {name: wanted for name, (wanted, _) in asked.items()}
    rows = model.sample(ENOUGH, random_state=2, given=given, missing=False)
    met = np.logical_and.reduce([meets(everyone[name]) for name, (_, meets) in asked.items()])
    for name, (_, meets) in asked.items():
        assert meets(rows[name]).all()
    assert met.sum() > 300
    assert rows.dtypes.equals(everyone.dtypes)
    # Codes that were one stay alike for a while, so that rows are worth fewer than they are.
    assert likeness(rows, everyone[met]) < 6


def linear(noise=0.3):
    """Return a model of three numbers, x = W z + σ ε with z ~ N(0, I), and the covariance of x."""
    rng = np.random.default_rng(0)
    W = np.array([[1.0, 0.2], [0.5, -0.8], [-0.7, 0.6]])
    X = rng.normal(size=(3000, 2)) @ W.T + noise * rng.normal(size=(3000, 3))
    # Of a wider spread than the model's, so that no row is held back by what the training data reach.
    model = VAE(2, hidden=(), prior="normal", columns={}, epochs=1, random_state=0).fit(3 * X)
    fitted = model.fitted_
    with torch.no_grad():
        decoder = fitted.model.decoder[0]
        decoder.weight.copy_(torch.from_numpy(W / fitted.scaling.scale[:, None]))
        decoder.bias.copy_(torch.from_numpy(-fitted.scaling.offset / fitted.scaling.scale))
        fitted.model.likelihood.parts[0].log_sigma.copy_(torch.from_numpy(np.log(noise / fitted.scaling.scale)))
    return model, W @ W.T + noise**2 * np.eye(3)


def test_a_linear_model_gives_the_gaussians_conditional():
    model, S = linear()
    rows = model.sample(ENOUGH, random_state=0, given={0: 1.5, 2: -0.5})
    known, other = [0, 2], [1]
    gain = S[np.ix_(other, known)] @ np.linalg.inv(S[np.ix_(known, known)])
    mean = float((gain @ [1.5, -0.5]).item())
    deviation = math.sqrt(float((S[np.ix_(other, other)] - gain @ S[np.ix_(known, other)]).item()))
    np.testing.assert_allclose(rows[:, 0], 1.5, rtol=1e-6)
    np.testing.assert_allclose(rows[:, 2], -0.5, rtol=1e-6)
    assert rows[:, 1].mean() == pytest.approx(mean, abs=6 * deviation / math.sqrt(ENOUGH))
    assert rows[:, 1].std() == pytest.approx(deviation, rel=0.06)


def test_a_range_that_one_row_in_a_hundred_meets():
    model, S = linear()
    deviation = math.sqrt(S[0, 0])
    low = 2.326 * deviation
    rows = model.sample(ENOUGH, random_state=0, given={0: (low, None)})
    tail = truncnorm(2.326, np.inf, scale=deviation)
    assert rows[:, 0].min() >= low
    assert rows[:, 0].mean() == pytest.approx(tail.mean(), abs=6 * tail.std() / math.sqrt(ENOUGH))
    gain = S[1, 0] / S[0, 0]
    expected = gain * tail.mean()
    variance = S[1, 1] - gain * S[0, 1] + gain**2 * tail.var()
    assert rows[:, 1].mean() == pytest.approx(expected, abs=6 * math.sqrt(variance / ENOUGH))
    assert rows[:, 1].std() == pytest.approx(math.sqrt(variance), rel=0.06)


def test_classes_and_conditions_together():
    labels = np.where(B > 0, "high", "low")
    for options in ({}, {"conditional": True}):
        model = VAE(2, hidden=(16,), epochs=10, random_state=0, **options).fit(PEOPLE, labels)
        rows = model.sample(400, "high", random_state=0, given={"city": "Brno"}, missing=False)
        assert (rows["city"] == "Brno").all()
        assert rows["income"].median() > np.exp(10)
        both = model.sample(400, np.repeat(["low", "high"], 200), random_state=0, given={"age": (40, 60)})
        assert both["age"].between(40, 60).all()
        assert both["income"][:200].median() < both["income"][200:].median()


def test_priors_without_a_density_and_codes_on_a_grid(monkeypatch):
    few = {"hidden": (16,), "epochs": 3, "random_state": 0}
    monkeypatch.setattr(flows, "STEPS", 50)
    for model in (Autoencoder(2, prior="flow-matching", **few), FSQVAE(2, **few)):
        rows = model.fit(PEOPLE).sample(50, random_state=0, given={"age": (45, 60), "city": {"Brno", "Praha"}})
        assert rows["age"].between(45, 60).all()
        assert rows["city"].isin(["Brno", "Praha"]).all()


def test_conditions_that_few_codes_or_none_support():
    model, _ = linear(noise=0.02)
    with pytest.warns(UserWarning, match=r"given: 0=3.2; .* \(an effective sample size of 1\.\d\)"):
        model.sample(20, random_state=0, given={0: 3.2, 1: 1.2, 2: -1.9})
    with pytest.raises(ValueError, match=r"given: 0=2.0; given: 1=2.5; given: 2=2.5: no code of .* supports this"):
        model.sample(20, random_state=0, given={0: 2.0, 1: 2.5, 2: 2.5})


def test_gaps_come_as_they_do_in_the_data(people):
    model, everyone = people
    assert not everyone.isna().any().any()
    rows = model.sample(8000, random_state=3)
    city, member = rows["city"].isna(), rows["member"].isna()
    assert (city == member).mean() > 0.97  # they are missing together
    assert city.mean() == pytest.approx(PEOPLE["city"].isna().mean(), abs=0.04)
    assert rows["age"][city].mean() > rows["age"][~city].mean() + 10  # of the old
    assert not rows.drop(columns=["city", "member"]).isna().any().any()
    given = model.sample(500, random_state=3, given={"city": "Brno"})
    assert not given["city"].isna().any()


def test_the_same_seed_gives_the_same_rows_also_after_saving(people, tmp_path):
    model, _ = people
    model.save(tmp_path / "model.safetensors")
    given = {"city": {"Brno", "Plzeň"}, "age": (30, 60)}
    rows = [one.sample(20, random_state=4, given=given) for one in (model, model, load(tmp_path / "model.safetensors"))]
    for other in rows[1:]:
        pd.testing.assert_frame_equal(rows[0], other)


BAD = {
    "no column": ({"town": "Brno"}, "given: the table has no column 'town'"),
    "near column": ({"cty": "Brno"}, "no column 'cty'; did you mean 'city'?"),
    "level": (
        {"city": "Brmo"},
        "'Brmo' is not one of the column's levels, 'Brno', 'Plzeň', 'Praha'; did you mean 'Brno'?",
    ),
    "range of levels": ({"city": ("Brno", "Praha")}, "is a range, but the column's levels have no order"),
    "no levels": ({"city": set()}, "is empty: no level is in it"),
    "turned": ({"age": (40, 30)}, r"given: age=\(40, 30\) is an empty range; its first end must be at most its last"),
    "turned levels": ({"size": ("L", "S")}, "is empty: no level is in it"),
    "between": ({"age": (39.2, 39.8)}, "is an empty range: the column has no value between its ends"),
    "beyond": ({"age": (500, 600)}, "cannot be met: the training data reach from"),
    "far": ({"since": "1999-01-01"}, "cannot be met: the training data reach from 20.*-.*-.* to 20"),
    "part": ({"visits": 2.5}, "the column holds whole numbers"),
    "no date": ({"since": "soon"}, "'soon' is not a date, such as 2024-12-31"),
    "no number": ({"age": "old"}, "'old' is not a number"),
    "three ends": ({"age": (1, 2, 3)}, "has 3 ends; a range has two"),
    "identifier": ({"id": "p1"}, "given: id='p1' cannot be met: the column is an identifier, which is left out"),
    "constant": ({"country": "SK"}, "given: country='SK' cannot be met: the column was always 'CZ'"),
    "no mapping": (3, "given=3 must be conditions by column name"),
}


@pytest.mark.parametrize(("given", "message"), BAD.values(), ids=BAD)
def test_conditions_that_cannot_be(people, given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        people[0].sample(3, given=given)


def test_conditions_are_for_tables(table):
    model = Autoencoder(2, hidden=(8,), epochs=2, random_state=0).fit(table)
    with pytest.raises(ValueError, match="given is for tables"):
        model.sample(3, given={0: 1.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.sample(3, missing=False)
