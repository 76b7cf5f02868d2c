"""scikit-learn's manners: its own checks, all of them, and life in pipelines, searches and data frames."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone, is_outlier_detector
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from narrows import Autoencoder, OutlierDetector, load, recipes
from narrows.estimators import ESTIMATORS

LECTURE = Autoencoder(**recipes.LECTURE | {"validation_fraction": 0.1, "epochs": 1})


EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "it compares repeated rows with weights to the last digits, which "
    "no training that shuffles can give",
    "check_outliers_train": "decision_function is no translation of score_samples, which are nats an example; all else "
    "that it looks at stands in test_it_is_an_outlier_detector",
}


# Few epochs: the checks fit hundreds of times, and what they look at doesn't depend on how long.
@pytest.mark.filterwarnings("ignore:false_alarms=0.05 needs 19 examples")  # which scikit-learn's sets do not hold
@parametrize_with_checks(
    [LECTURE, *(kind(epochs=1, prior="normal") for kind in ESTIMATORS.values())],
    expected_failed_checks=lambda _: EXPECTED,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_pipeline_classifies_from_the_code(digits):
    from sklearn.datasets import load_digits

    y = load_digits().target[:600]
    X = digits[:600].reshape(600, -1)
    model = make_pipeline(Autoencoder(8, epochs=40, random_state=0), KNeighborsClassifier())
    assert cross_val_score(model, X, y, cv=3).mean() > 0.8  # chance is 0.1


# Half is held out, which the small sets of the checks need for a threshold.
@pytest.mark.filterwarnings("ignore:false_alarms=0.05 needs 19 examples")
@parametrize_with_checks(
    [OutlierDetector(Autoencoder(epochs=1, prior="normal", validation_fraction=0.5), random_state=0)]
)
def test_the_detector_passes_all_of_scikit_learn_s_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X reaches")  # as odd ones do
def test_it_stands_in_the_place_of_an_isolation_forest(table):
    odd = table[:20] + 8 * table.std(0)
    for detector in (IsolationForest(random_state=0), OutlierDetector(Autoencoder(2, epochs=40), random_state=0)):
        model = make_pipeline(StandardScaler(), detector).fit(table)
        decisions = model.decision_function(np.r_[table, odd])
        np.testing.assert_array_equal(model.predict(np.r_[table, odd]), np.where(decisions < 0, -1, 1))
        np.testing.assert_allclose(decisions, model.score_samples(np.r_[table, odd]) - model[-1].offset_)
        assert (decisions[300:] < 0).all()
        assert (decisions[:300] < 0).mean() < 0.3


def test_it_is_an_outlier_detector(table):
    assert is_outlier_detector(Autoencoder())
    assert is_outlier_detector(make_pipeline(StandardScaler(), Autoencoder()))
    model = Autoencoder(2, epochs=5, random_state=0)
    odd = model.fit_predict(table)
    assert odd.dtype.kind == "i"
    assert set(odd) == {-1, 1}
    np.testing.assert_array_equal(odd, clone(model).fit(table).predict(table))
    np.testing.assert_array_equal(odd, np.where(model.decision_function(table) >= 0, 1, -1))
    assert model.decision_function(table).dtype == np.float64
    for question in (model.predict, model.decision_function, model.score_samples):
        with pytest.raises(ValueError, match="features"):
            question(table.T)


def test_grid_search_maximises_the_log_density(digits):
    X = digits[:300].reshape(300, -1)
    search = GridSearchCV(Autoencoder(epochs=30, random_state=0), {"latent_dim": np.array([1, 8])}, cv=2).fit(X)
    assert search.best_params_ == {"latent_dim": 8}
    narrow, wide = search.cv_results_["mean_test_score"]
    assert wide > narrow + 10  # nats


def test_data_frames_in_and_out(table, tmp_path):
    frame = pd.DataFrame(table, columns=["a", "b", "c", "d"], index=np.arange(300) + 7)
    model = Autoencoder(2, epochs=5, random_state=0).set_output(transform="pandas").fit(frame)
    codes = model.transform(frame)
    assert list(codes.columns) == ["autoencoder0", "autoencoder1"]
    assert (codes.index == frame.index).all()
    assert isinstance(model.set_output(transform="default").transform(frame), np.ndarray)
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame.rename(columns={"a": "z"}))
    model.save(tmp_path / "m")
    assert list(load(tmp_path / "m").feature_names_in_) == ["a", "b", "c", "d"]


def test_a_model_of_data_frames_makes_data_frames(table, tmp_path):
    types = {"a": np.float32, "b": np.float64, "c": np.float32, "d": np.float64}
    frame = pd.DataFrame(table, columns=[*types]).round().astype(types)
    frame.index = [f"row {place}" for place in range(len(frame))]
    fitted = Autoencoder(2, epochs=5, random_state=0).fit(frame)
    fitted.save(tmp_path / "m")
    for model in (fitted, load(tmp_path / "m"), clone(fitted).fit(frame)):
        made, codes = model.sample(5, random_state=0), model.transform(frame)
        assert isinstance(codes, np.ndarray)  # as of any transformer
        back = model.inverse_transform(pd.DataFrame(codes, index=frame.index))
        assert made.dtypes.tolist() == back.dtypes.tolist() == [np.float32, np.float64, np.float32, np.float64]
        assert [*made.columns] == [*back.columns] == [*frame.columns]
        assert (back.index == frame.index).all()
        np.testing.assert_allclose(back, model.reconstruct(frame), rtol=1e-5)
        for verb in (model.reconstruct, model.error_map, model.corrupt):
            assert isinstance(verb(frame), np.ndarray)
        model.set_output(transform="default")
        assert isinstance(model.sample(5), np.ndarray)
        assert isinstance(model.inverse_transform(codes), np.ndarray)


def test_set_output_decides(table, digits):
    frame = pd.DataFrame(table, columns=["a", "b", "c", "d"], index=np.arange(300) + 7)
    model = Autoencoder(2, epochs=2, random_state=0).fit(table)
    assert isinstance(model.sample(5), np.ndarray)
    asked = Autoencoder(2, epochs=2, random_state=0).set_output(transform="pandas").fit(frame)
    for verb in (asked.reconstruct, asked.error_map, asked.corrupt):
        assert [*verb(frame).columns] == ["a", "b", "c", "d"]
        assert (verb(frame).index == frame.index).all()
    with config_context(transform_output="pandas"):
        assert isinstance(model.sample(5), pd.DataFrame)
        images = Autoencoder(2, epochs=2, random_state=0).fit(digits[:60])
        assert images.sample(5).shape == images.reconstruct(digits[:5]).shape == (5, 8, 8)  # which no frame can hold


def test_polars_too(table, tmp_path):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(table, schema=["a", "b", "c", "d"]).with_columns(pl.col("a").cast(pl.Float32))
    fitted = Autoencoder(2, epochs=2, random_state=0).fit(frame)
    fitted.save(tmp_path / "m")
    for model in (fitted, load(tmp_path / "m")):
        for made in (model.sample(5), model.inverse_transform(np.zeros((5, 2)))):
            assert made.schema == pl.Schema({"a": pl.Float32, "b": pl.Float64, "c": pl.Float64, "d": pl.Float64})
        assert isinstance(model.reconstruct(frame), np.ndarray)
        assert isinstance(model.set_output(transform="polars").reconstruct(frame), pl.DataFrame)
        assert isinstance(model.set_output(transform="pandas").sample(5), pd.DataFrame)


def test_columns_of_polars_that_are_no_numbers_are_named():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": np.arange(8.0), "b": [True, False] * 4, "c": range(8)})
    model = Autoencoder(2, hidden=(4,), epochs=1, prior="normal", columns="real").fit(frame)
    for other in (pl.lit(dt.date(2020, 1, 2)), pl.lit("2020-01-02"), pl.lit("2020-01-02", pl.Categorical)):
        with pytest.raises(ValueError, match=r"^X, column 'c' holds .*, such as '2020-01-02', which is not a number"):
            model.transform(frame.with_columns(other.alias("c")))


def test_rows_of_a_scaled_pipeline(table):
    scores = make_pipeline(StandardScaler(), Autoencoder(2, epochs=20, random_state=0)).fit(table).score(table)
    assert np.isfinite(scores)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outputs_have_the_input_s_type(digits, dtype):
    X = digits[:60].astype(dtype)
    model = Autoencoder(2, epochs=2, random_state=0).fit(X)
    assert model.reconstruct(X).dtype == model.error_map(X).dtype == dtype
    assert model.transform(X).dtype == np.float32


def test_bytes_and_lists_are_taken(digits):
    X = digits[:60]
    model = Autoencoder(2, epochs=2, random_state=0).fit(X)
    np.testing.assert_array_equal(model.transform(X.astype(np.uint8)), model.transform(X))
    np.testing.assert_array_equal(model.transform(X.tolist()), model.transform(X))


def test_clone_keeps_every_option():
    model = Autoencoder(5, hidden=(7,), epochs=9)
    assert clone(model).get_params() == model.get_params()


def test_pca_is_an_oracle_for_the_linear_autoencoder(digits):
    """Baldi & Hornik 1989: the best linear autoencoder spans the principal components' space."""
    X = digits[:500].reshape(500, -1) / 16
    options = {"hidden": (), "scaling": "feature", "input_noise": 0.0, "weight_decay": 0.0, "validation_fraction": 0.0}
    model = Autoencoder(4, **options, epochs=400, learning_rate=0.01, random_state=0).fit(X)
    scaled = (X - model.scaling_.offset) / model.scaling_.scale
    pca = PCA(4, svd_solver="full").fit(scaled)
    best = np.square(scaled - pca.inverse_transform(pca.transform(scaled))).mean()
    assert best <= model.anomaly_score(X, by="reconstruction").mean() <= 1.002 * best
