"""Models of tables: columns of any kinds, missing cells, and what is done with them."""

import io
import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import trapezoid
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from narrows import IWAE, VAE, Autoencoder, ContractiveAutoencoder, Imputer, load
from narrows.estimators import ESTIMATORS

N = 160
SMALL = {"hidden": (16,), "epochs": 4, "false_alarms": 0.1, "random_state": 0}


def people(n=N):
    """A table whose columns follow from two numbers, with gaps and an identifier."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, n))
    frame = pd.DataFrame(
        {
            "id": [f"p{row}" for row in rng.permutation(n)],
            "age": np.rint(50 + 15 * a).astype(np.int16),
            "income": np.exp(10 + b + 0.1 * rng.normal(size=n)),
            "city": np.where(a > 0.5, "Brno", np.where(a > -0.5, "Praha", "Plzeň")),
            "member": b > 0,
            "visits": rng.poisson(np.exp(0.5 + a)),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.rint(400 + 100 * b), unit="D"),
            "country": "CZ",
            "size": pd.Categorical(
                np.array(list("SML"))[np.digitize(a + b, [-1, 1])], categories=list("SML"), ordered=True
            ),
        }
    )
    frame["income"] = frame["income"].where(rng.random(n) > 0.1)
    frame["city"] = frame["city"].where(rng.random(n) > 0.1)
    frame["since"] = frame["since"].where(rng.random(n) > 0.1)
    return frame


FRAME = people()
KINDS = ["identifier", "whole", "positive", "category", "binary", "count", "date", "constant", "ordered"]


def quick(kind=Autoencoder, **options):
    return kind(3, **{**SMALL, **options})


@pytest.fixture(scope="module", params=["autoencoder", "vae"])
def fitted(request):
    return quick({"autoencoder": Autoencoder, "vae": VAE}[request.param], epochs=30).fit(FRAME)


def test_every_named_model_takes_a_table():
    for name, kind in ESTIMATORS.items():
        model = quick(kind, prior="normal").fit(FRAME)
        assert [column.kind for column in model.table_.columns] == KINDS, name
        assert model.transform(FRAME).shape == (N, 3)
        assert np.isfinite(model.score_samples(FRAME)).all(), name
        assert not model.impute(FRAME).isna().any().any(), name
        assert model.sample(3, random_state=0).shape == (3, 8)
    vamp = quick(VAE, prior="vampprior").fit(FRAME)
    assert np.isfinite(vamp.score_samples(FRAME)).all()


def test_columns_come_back_as_they_went_in(fitted):
    kept = FRAME.drop(columns="id")
    for made in (
        fitted.sample(9, random_state=0),
        fitted.reconstruct(FRAME),
        fitted.inverse_transform(np.zeros((2, 3))),
    ):
        assert made.dtypes.equals(kept.dtypes)
        assert (made["country"] == "CZ").all()
    new = fitted.sample(500, random_state=1, missing=False)
    assert new["age"].between(kept["age"].min(), kept["age"].max()).all()
    assert new["income"].between(kept["income"].min(), kept["income"].max()).all()
    assert new["since"].between(kept["since"].min(), kept["since"].max()).all()
    assert (new["since"] == new["since"].dt.normalize()).all()
    assert set(new["city"]) <= {"Brno", "Praha", "Plzeň"}
    assert (new["visits"] >= 0).all()
    index = FRAME.set_axis(FRAME.index + 7)
    assert (fitted.reconstruct(index).index == index.index).all()


def test_it_is_saved_with_its_columns(fitted):
    file = io.BytesIO()
    fitted.save(file)
    file.seek(0)
    other = load(file)
    assert other.table_ == fitted.table_
    pd.testing.assert_frame_equal(other.sample(9, random_state=0), fitted.sample(9, random_state=0))
    np.testing.assert_array_equal(other.score_samples(FRAME), fitted.score_samples(FRAME))
    np.testing.assert_array_equal(other.predict(FRAME), fitted.predict(FRAME))
    pd.testing.assert_frame_equal(other.impute(FRAME), fitted.impute(FRAME))


def test_the_order_of_columns_at_use_does_not_matter(fitted):
    turned = FRAME[FRAME.columns[::-1]]
    np.testing.assert_array_equal(fitted.score_samples(turned), fitted.score_samples(FRAME))
    pd.testing.assert_frame_equal(fitted.impute(turned)[FRAME.columns], fitted.impute(FRAME))
    without = FRAME.drop(columns=["id", "country"])
    np.testing.assert_array_equal(fitted.transform(without), fitted.transform(FRAME))


def test_cells_that_are_known_stay_as_they_are(fitted):
    filled = fitted.impute(FRAME)
    assert filled.dtypes.equals(FRAME.dtypes)
    assert not filled.isna().any().any()
    for name in FRAME:
        known = FRAME[name].notna()
        pd.testing.assert_series_equal(filled[name][known], FRAME[name][known])
    several = fitted.impute(FRAME, draws=3, random_state=1)
    gaps = FRAME["income"].isna()
    assert len(several) == 3
    assert several[0]["income"][gaps].ne(several[1]["income"][gaps]).mean() > 0.5  # some are at a column's bounds
    pd.testing.assert_series_equal(several[0]["income"][~gaps], FRAME["income"][~gaps])


def test_a_gap_is_filled_from_the_rest_of_its_row():
    frame = people(400)
    model = quick(epochs=60).fit(frame)
    truth = frame.dropna()
    gappy = truth.copy()
    gappy["city"] = gappy["city"].where(np.arange(len(truth)) % 2 == 0)
    filled = model.impute(gappy)
    hidden = gappy["city"].isna()
    assert (filled["city"][hidden] == truth["city"][hidden]).mean() > 0.8  # the most frequent one is right for 0.4


def test_scores_of_cells_add_up_to_that_of_the_row(fitted):
    nats = fitted.error_map(FRAME)
    assert [*nats.columns] == [column.name for column in fitted.table_.modelled]
    np.testing.assert_array_equal(nats.isna(), FRAME[nats.columns].isna())
    if not fitted.model_.bottleneck.draws:
        np.testing.assert_allclose(-nats.sum(axis=1), fitted.score_samples(FRAME), rtol=1e-4)


def test_the_score_of_one_category_is_its_closed_form():
    frame = pd.DataFrame({"city": np.repeat(["a", "b", "c"], [60, 30, 10])})
    model = Autoencoder(1, hidden=(), epochs=1, learning_rate=1e-12, weight_decay=0.0, random_state=0).fit(frame)
    h = model.model_.output(model.model_.encode(torch.tensor([[0.0], [1.0], [2.0]]))).detach().double()
    expected = h.log_softmax(1).diagonal() + math.log1p(-1 / 101)
    levels = pd.DataFrame({"city": ["a", "b", "c"]})
    np.testing.assert_allclose(model.score_samples(levels), expected, rtol=1e-5)
    new = pd.DataFrame({"city": ["never seen"]})
    assert float(model.score_samples(new)[0]) == pytest.approx(-math.log(101), rel=1e-5)
    assert model.anomaly_score(new)[0] > model.anomaly_score(levels).max()


@pytest.mark.parametrize("kind", [VAE, IWAE])
def test_the_bound_of_numbers_with_gaps_is_a_density(kind):
    rng = np.random.default_rng(0)
    X = np.stack([a := rng.normal(3, 2, 300), a + rng.normal(size=300)], 1)
    X[::7, 1] = np.nan
    model = quick(kind, epochs=30, prior="normal").fit(X)
    x = np.linspace(-12, 18, 121)
    marginal = np.exp(model.log_likelihood(np.stack([x, np.full(121, np.nan)], 1), samples=2000).values)
    assert trapezoid(marginal, x) == pytest.approx(1, abs=0.05)


def test_arrays_without_gaps_and_frames_of_floats_are_no_tables(table):
    frame, whole = pd.DataFrame(table, columns=list("abcd")), pd.DataFrame(table).astype(int)
    plain, framed, all_real, of_whole = (
        quick(columns=columns).fit(X)
        for X, columns in ((table, None), (frame, None), (whole, "real"), (whole.to_numpy(), None))
    )
    assert plain.table_ is framed.table_ is all_real.table_ is of_whole.table_ is None
    assert plain.model_.coding is None
    for one, other, X in ((plain, framed, frame), (of_whole, all_real, whole)):
        for name, weights in one.model_.state_dict().items():
            np.testing.assert_array_equal(weights, other.model_.state_dict()[name], err_msg=name)
        np.testing.assert_array_equal(one.transform(X.to_numpy()), other.transform(X))
        np.testing.assert_array_equal(one.score_samples(X.to_numpy()), other.score_samples(X))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_whole_numbers_and_truth_values_in_a_frame_are_columns_of_their_kinds(library):
    rng = np.random.default_rng(0)
    columns = {"visits": rng.poisson(2, 60), "yes": rng.random(60) < 0.4, "x": rng.normal(size=60)}
    frame = pd.DataFrame(columns) if library == "pandas" else pytest.importorskip("polars").DataFrame(columns)
    model = quick().fit(frame)
    assert [column.kind for column in model.table_.columns] == ["count", "binary", "real"]
    assert model.sample(3).dtypes.__str__() == frame.dtypes.__str__()


def test_arrays_with_gaps(table):
    gappy = table.astype(np.float32)
    gappy[::5, 1] = np.nan
    model = quick().fit(gappy)
    assert {column.kind for column in model.table_.columns} == {"real"}
    filled = model.impute(gappy)
    assert filled.dtype == np.float32
    assert not np.isnan(filled).any()
    np.testing.assert_array_equal(filled[~np.isnan(gappy)], gappy[~np.isnan(gappy)])
    for made in (model.reconstruct(gappy), model.error_map(gappy), model.sample(7)):
        assert isinstance(made, np.ndarray)
        assert made.shape[1] == 4
    with pytest.raises(ValueError, match="X has 3 features, but Autoencoder is expecting 4 features"):
        model.transform(gappy[:, :3])
    with pytest.raises(ValueError, match="only missing cells in 1 rows, first in row 0"):
        model.transform(np.full((1, 4), np.nan))
    with pytest.raises(ValueError, match=r"column 2, holds inf in row 0"):
        model.transform([[0.0, 1.0, np.inf, 2.0]])


def test_hiding_cells_does_not_make_an_odd_row_safe():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 1)) + 0.3 * rng.normal(size=(1200, 8))
    model = Autoencoder(1, hidden=(16,), epochs=20, random_state=0, columns={}).fit(X)
    new = rng.normal(size=(400, 1)) + 0.3 * rng.normal(size=(400, 8))
    half = np.where(rng.random(new.shape) < 0.5, np.nan, new)
    half = half[~np.isnan(half).all(1)]
    for by in ("reconstruction", "likelihood"):
        assert abs((model.predict(half, by=by) < 0).mean() - (model.predict(new, by=by) < 0).mean()) < 0.05
    odd = new.copy()
    odd[:, 0] += 4
    assert (model.predict(odd) < 0).mean() > 0.9
    odd[:, 5:] = np.nan
    assert (model.predict(odd) < 0).mean() > 0.9


def test_weights_of_columns():
    equal = quick().fit(FRAME)
    heavy = quick(column_weights={"age": 3.0}).fit(FRAME)
    ratio = heavy.model_.likelihood.weights / equal.model_.likelihood.weights
    assert ratio.tolist() == pytest.approx([3, 1, 1, 1, 1, 1, 1])
    assert quick(VAE).fit(FRAME).model_.likelihood.weights.tolist() == [1] * 7  # or the loss would be no bound
    np.testing.assert_allclose(heavy.score_samples(FRAME[:5]), -heavy.error_map(FRAME[:5]).sum(axis=1), rtol=1e-4)


BAD_OPTIONS = {
    "unknown kind": ({"columns": {"city": "categry"}}, "'categry' for 'city' is not a kind; did you mean 'category'"),
    "one word": ({"columns": "category"}, "columns='category' must be 'real', or kinds by column name"),
    "unknown column": ({"columns": {"town": "real"}}, "columns: X has no column 'town'"),
    "weights": ({"column_weights": {"age": -1.0}}, r"column_weights\['age'\]=-1.0 must be a finite number ≥ 0"),
    "weight of none": ({"column_weights": {"country": 1.0}}, "column_weights: 'country' is not a column that"),
    "likelihood": (
        {"likelihood": "poisson"},
        "likelihood='poisson' is for all features alike, but the columns of a table",
    ),
    "scaling": ({"scaling": "global"}, "scaling='global' is one range for all numbers, but column 'age' is of kind"),
    "net": ({"net": "convolutional"}, "net='convolutional' is for images"),
    "texts are real": ({"columns": "real"}, "column 'id', holds 'p.*' in row 0; a number is expected"),
}


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_options_that_are_not_for_this_table(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        quick(**options).fit(FRAME)


def test_what_is_not_for_tables_is_said(fitted, table):
    with pytest.raises(ValueError, match="features is a net of images or rows of numbers"):
        fitted.evaluate(FRAME, new=True, features=torch.nn.Identity())
    with pytest.raises(ValueError, match="has not learned to fill any"):
        quick().fit(table).impute(table)
    with pytest.raises(ValueError, match=r"1 sample\(s\)"):
        quick().fit(FRAME[:1])


def test_sample_weights_and_labels_go_with_a_table():
    weights = np.arange(N) % 3
    model = quick().fit(FRAME, FRAME["member"].astype(int), sample_weight=weights)
    again = clone(model).fit(FRAME[weights > 0], FRAME["member"].astype(int)[weights > 0], weights[weights > 0])
    np.testing.assert_array_equal(model.transform(FRAME), again.transform(FRAME))
    assert len(model.sample(4, y=1)) == 4
    assert quick(ContractiveAutoencoder, conditional=True).fit(FRAME, weights).transform(FRAME, weights).shape == (N, 3)


def test_polars_in_and_out():
    pl = pytest.importorskip("polars")
    frame = pl.from_pandas(FRAME)
    model = quick().fit(frame)
    kept = frame.drop("id")
    assert model.sample(5, random_state=0).schema == kept.schema
    filled = model.impute(frame)
    assert filled.schema == frame.schema
    assert sum(filled.null_count().row(0)) == 0
    assert isinstance(model.set_output(transform="pandas").sample(5), pd.DataFrame)


def gappy_numbers():
    return pd.DataFrame(np.random.default_rng(1).normal(size=(60, 3)), columns=list("abc")).mask(
        np.eye(60, 3, dtype=bool)
    )


@pytest.mark.parametrize("at_fit", ["pandas", "polars", "numpy"])
@pytest.mark.parametrize("at_use", ["pandas", "polars", "numpy", "Int64", "Float32"])
def test_gaps_are_filled_in_the_type_of_the_frame_at_use(at_fit, at_use):
    pl = pytest.importorskip("polars")
    frame = gappy_numbers()
    forms = {
        "pandas": frame,
        "polars": pl.from_pandas(frame),
        "numpy": frame.to_numpy(),
        "Int64": frame.round().astype("Int64"),
        "Float32": pl.from_pandas(frame).cast(pl.Float32),
    }
    model, given = quick(epochs=1).fit(forms[at_fit]), forms[at_use]
    filled = model.impute(given)
    assert type(filled) is type(given)
    if isinstance(given, pd.DataFrame):
        assert filled.dtypes.equals(given.dtypes)
    elif isinstance(given, pl.DataFrame):
        assert filled.schema == given.schema
    cells, known = np.asarray(filled, np.float64), frame.notna().to_numpy()
    assert np.isfinite(cells).all()
    before = given.to_numpy(np.float64, na_value=np.nan) if at_use == "Int64" else np.asarray(given, np.float64)
    np.testing.assert_array_equal(cells[known], before[known])


def test_a_gap_is_not_left_where_its_level_is_no_category(fitted):
    frame = FRAME.assign(city=pd.Categorical([None, "Ostrava"] * (N // 2)))
    with pytest.raises(ValueError, match=r"column 'city', is to be filled with '.*', which is none of its categories"):
        fitted.impute(frame)


def test_no_rows_and_no_model_are_said(fitted):
    for use in (fitted.transform, fitted.impute, fitted.predict, fitted.error_map):
        with pytest.raises(ValueError, match=r"0 sample\(s\)"):
            use(FRAME[:0])
    with pytest.raises(TypeError, match="must be a model, such as Autoencoder"):
        Imputer(LogisticRegression()).fit(FRAME)


@parametrize_with_checks([Imputer(quick())])
def test_the_imputer_passes_scikit_learns_checks(estimator, check):
    check(estimator)


def test_the_imputer_in_a_pipeline():
    X, y = load_wine(return_X_y=True)
    gappy = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    steps = Imputer(quick(epochs=30), random_state=0), StandardScaler(), LogisticRegression()
    assert make_pipeline(*steps).fit(gappy, y).score(gappy, y) > 0.9
    filled = Imputer(quick()).fit(X).transform(gappy)  # learned where nothing was missing yet
    assert not np.isnan(filled).any()
    drawn = Imputer(quick(), sample_posterior=True).fit(gappy).transform(gappy)
    assert (drawn != filled)[np.isnan(gappy)].mean() > 0.9  # some are at a column's bounds


def test_known_integers_that_no_float_holds_come_back_exactly():
    pl = pytest.importorskip("polars")
    rng = np.random.default_rng(0)
    big = pd.array(2**53 + rng.integers(1, 10**6, 60), dtype="Int64")
    frame = pd.DataFrame({"big": big, "x": rng.normal(size=60), "y": rng.normal(size=60)})
    frame.loc[::7, "big"] = pd.NA
    for given in (frame, frame.convert_dtypes(dtype_backend="pyarrow"), pl.from_pandas(frame)):
        filled = quick(epochs=1, columns={"big": "whole"}).fit(given).impute(given)
        known = frame["big"].notna()
        assert [int(cell) for cell, kept in zip(filled["big"], known, strict=True) if kept] == [
            *map(int, frame["big"][known])
        ]
