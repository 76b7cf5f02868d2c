"""What an evaluation says of a table, and finds wrong with it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from narrows import VAE, Autoencoder
from narrows.columns.table import Table
from narrows.evaluation.diagnosis import diagnosed
from narrows.models.likelihoods.levels import BinaryLevels, Categorical, Ordinal

N = 500


def people(n=N, seed=0):
    """Two numbers behind six columns, and one that goes with nothing."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n))
    frame = pd.DataFrame(
        {
            "age": np.rint(50 + 15 * a),
            "income": np.exp(10 + b),
            "city": np.where(a > 0.5, "Brno", np.where(a > -0.5, "Praha", "Plzeň")),
            "member": b > 0,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.rint(400 + 100 * b), unit="D"),
            "noise": rng.normal(size=n),
        }
    )
    return frame.mask(rng.random(frame.shape) < 0.05)


FRAME = people()
LABELS = (FRAME["member"] == True).astype(int)  # noqa: E712 - some are missing


@pytest.fixture(scope="module")
def model():
    return Autoencoder(2, hidden=(32,), epochs=60, random_state=0).fit(FRAME[:350], LABELS[:350])


@pytest.fixture(scope="module")
def found(model):
    return model.evaluate(FRAME, LABELS)


def test_errors_are_in_each_columns_unit(model, found):
    test = FRAME.iloc[found.places]
    made = model.reconstruct(test)
    columns = {column.name: column for column in found.table.columns}
    assert list(columns) == list(FRAME)
    known = test["age"].notna()
    error = np.sqrt(((made["age"] - test["age"])[known] ** 2).mean())
    assert columns["age"].model.value == pytest.approx(error, rel=1e-5)
    assert columns["age"].usual.value == pytest.approx(test["age"].std(ddof=0))
    days = (made["since"] - test["since"]).dt.total_seconds() / 86400
    assert columns["since"].model.value == pytest.approx(np.sqrt((days**2).mean()), rel=1e-5)
    assert columns["since"].unit == "days"
    known = test["city"].notna()
    assert columns["city"].model.value == pytest.approx((made["city"] != test["city"])[known].mean())
    assert columns["income"].model.value == pytest.approx((made["income"] - test["income"]).abs().mean(), rel=1e-4)
    assert found.comparison.mean.error.value == pytest.approx(1, abs=0.25)
    assert found.comparison.model.error.value < found.comparison.pca.error.value < 1
    assert found.learnt == 350
    names = [number.name for number in found.numbers()]
    assert {"age", "spread of city", "spread of pairs", "told from real rows", "classes by generated rows"} <= {*names}


def test_generated_rows_are_held_against_real_ones(found):
    assert found.table.told.value < 0.95
    assert found.table.by_real.value > 0.9
    assert found.table.by_generated.value > 0.7
    assert found.table.pairs.real[0, 2] > 0.5
    assert all(spread.distance.value < 0.5 for spread in found.table.spreads)
    assert found.copying is not None
    assert found.generation is not None


def test_a_column_that_goes_with_nothing_is_not_learned(found):
    (finding,) = [finding for finding in found.findings if finding.kind == "column not learned"]
    assert "column 'noise'" in finding.words
    others = tuple(column for column in found.table.columns if column.name != "noise")
    without = diagnosed(replace(found, table=replace(found.table, columns=others))).findings
    assert "column not learned" not in {finding.kind for finding in without}


def test_a_level_that_vanishes_is_found(found):
    spread = next(one for one in found.table.spreads if one.name == "city")
    without = replace(spread, generated=np.array([0.0, 0.5, 0.5]))
    gone = diagnosed(replace(found, table=replace(found.table, spreads=(without,)))).findings
    (finding,) = [finding for finding in gone if finding.kind == "level vanishes"]
    assert f"{spread.levels[0]!r} of column 'city'" in finding.words
    assert "level vanishes" not in {finding.kind for finding in found.findings}


def test_a_far_date_is_named_as_it_is_written(model):
    slip = FRAME[350:].copy()
    slip.loc[slip.index[4], "since"] = pd.Timestamp("1900-01-01")
    far = model.evaluate(slip, new=True).far
    assert (far[0].row, far[0].column, far[0].value) == (4, "column 'since'", "1900-01-01")


def test_a_vae_of_one_column_is_evaluated():
    X = np.random.default_rng(0).normal(size=(120, 1))
    e = VAE(1, hidden=(4,), epochs=2, random_state=0, columns={}).fit(X[:80]).evaluate(X[80:], samples=20)
    assert e.table.pairs is None
    assert e.table.by_real is None
    assert e.density.importance_sampled is not None
    few = VAE(1, hidden=(4,), epochs=2, random_state=0, columns={}).fit(X[:80]).evaluate(X[80:90])
    assert few.table.spreads == ()


def test_errors_of_levels_are_briers_relative_to_the_shares():
    levels = pd.DataFrame({"c": np.repeat(list("abc"), [60, 30, 10])})
    columns = Table.of(levels, None).modelled
    h, x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    p = h.double().softmax(1).numpy()
    expected = ((p - np.vstack([np.eye(3), np.zeros(3)])) ** 2).sum(1) + np.eye(4)[3]
    spread = 1 - (0.6**2 + 0.3**2 + 0.1**2)
    np.testing.assert_allclose(Categorical(columns).error_terms(x, h)[:, 0], expected / spread, rtol=1e-6)
    usual = Categorical(columns).usual().expand(100, 3)
    places = torch.from_numpy(np.repeat([0.0, 1, 2], [60, 30, 10]))[:, None]
    assert Categorical(columns).error_terms(places, usual).mean().item() == pytest.approx(1, rel=1e-5)
    two = Table.of(pd.DataFrame({"c": [True, False, False, False]}), None).modelled
    terms = BinaryLevels(two).error_terms(torch.tensor([[1.0]]), torch.tensor([[0.7]]))
    assert terms.item() == pytest.approx(2 * (1 - 1 / (1 + np.exp(-0.7))) ** 2 / (1 - (0.25**2 + 0.75**2)), rel=1e-5)


def test_errors_of_ordered_levels_are_in_places():
    sizes = pd.DataFrame({"s": pd.Categorical(list("SSMML"), categories=list("SML"), ordered=True)})
    ordinal = Ordinal(Table.of(sizes, None).modelled)
    h = torch.tensor([[0.4]])
    mean = ordinal.log_levels(h).exp()[0, 0] @ torch.arange(3.0)
    variance = np.var([0, 0, 1, 1, 2])
    assert ordinal.error_terms(torch.tensor([[2.0]]), h).item() == pytest.approx((2 - mean.item()) ** 2 / variance)


def test_cells_are_corrupted_by_kind(model):
    cells = FRAME[:60].dropna()
    masked = model.corrupt(cells, corruption="masking", level=0.5, random_state=0)
    assert masked.dtypes["city"] == cells.dtypes["city"]
    assert 0.3 < masked.isna().to_numpy().mean() < 0.7
    known = masked["age"].notna()
    np.testing.assert_array_equal(masked["age"][known], cells["age"][known])
    noisy = model.corrupt(cells, level=0.5, random_state=0)
    assert (noisy["city"] == cells["city"]).all()
    assert (noisy["age"] != cells["age"]).mean() > 0.5
    swapped = model.corrupt(cells, corruption="swap", level=1.0, random_state=0)
    assert set(swapped["city"]) <= set(cells["city"])
