"""Odd or ordinary, and how good: what a fitted estimator says of data, and what it knows again."""

import json
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.decomposition import PCA
from torch import nn

from narrows import VAE, Autoencoder, load
from narrows.data.fingerprints import fingerprints
from narrows.data.on_disk import OnDisk
from narrows.evaluation.anomalies import threshold
from narrows.evaluation.intervals import Estimate


def surface(seed, n):
    rng = np.random.default_rng(seed)
    w = np.random.default_rng(9).normal(size=(2, 8))
    return np.sin(2 * rng.uniform(-1, 1, (n, 2)) @ w) + 0.05 * rng.normal(size=(n, 8))


@pytest.fixture(scope="module")
def data():
    return surface(0, 600)


@pytest.fixture(scope="module")
def model(data):
    return Autoencoder(2, epochs=60, random_state=0).fit(data)


@pytest.fixture(scope="module")
def variational(data):
    return VAE(2, epochs=40, random_state=0).fit(data, np.arange(600) % 3)


# Odd or ordinary


@pytest.mark.parametrize("by", ["auto", "reconstruction", "likelihood"])
def test_ordinary_examples_are_seldom_called_odd_and_others_often(model, variational, by):
    new = surface(1, 4000)
    for one in (model, variational):
        # The rate varies by √(0.05 · 0.95 / 60) with the 60 that were held out.
        assert (one.predict(new, by=by) == -1).mean() < 0.05 + 3 * 0.029
        assert (one.predict(new + 1.5 * np.sign(new), by=by) == -1).mean() > 0.9


@pytest.mark.parametrize("by", ["auto", "reconstruction", "likelihood"])
def test_decisions_follow_from_scores_and_the_threshold(model, by):
    new = surface(2, 50)
    scores, limit = model.anomaly_score(new, by=by), model.anomaly_threshold(by)
    np.testing.assert_array_equal(model.decision_function(new, by=by), limit - scores)
    np.testing.assert_array_equal(model.predict(new, by=by), np.where(scores > limit, -1, 1))


def test_odd_by_likelihood_is_minus_the_log_density(variational, data):
    np.testing.assert_allclose(
        variational.anomaly_score(data, by="likelihood"), -variational.score_samples(data), rtol=1e-6
    )


def test_the_threshold_is_of_the_held_out_and_of_the_rate_that_is_asked_for(model):
    held_out = model.reference_.held_out["reconstruction"]
    assert len(held_out) == 60
    assert np.mean(held_out) == pytest.approx(model.validation_error_[0])
    model.set_params(false_alarms=0.2)
    assert model.anomaly_threshold("reconstruction") == pytest.approx(threshold(held_out, 0.2), rel=2e-5)
    model.set_params(false_alarms=0.05)
    assert model.anomaly_threshold("reconstruction") == pytest.approx(threshold(held_out, 0.05), rel=2e-5)


def test_the_threshold_is_saved_with_the_model(variational, data, tmp_path):
    variational.save(tmp_path / "m")
    again = load(tmp_path / "m")
    for by in ("reconstruction", "likelihood"):
        assert again.anomaly_threshold(by) == variational.anomaly_threshold(by)
        np.testing.assert_array_equal(again.predict(data, by=by), variational.predict(data, by=by))
    assert (again.reference_.occurrences([data]) == 1).all()


def test_too_few_held_out_are_said_and_none_refused(data):
    few = Autoencoder(2, epochs=2, random_state=0).fit(data[:60])
    with pytest.warns(UserWarning, match="false_alarms=0.05 needs 19 examples .* but there are 6"):
        assert few.anomaly_threshold() == pytest.approx(few.fitted_.held_out("auto").max(), rel=2e-5)
    none = Autoencoder(2, epochs=2, validation_fraction=0.0, random_state=0).fit(data[:60])
    with pytest.raises(ValueError, match="fit held nothing out"):
        none.predict(data)
    none.fit_threshold(data[60:])
    assert len(none.reference_.held_out["likelihood"]) == 540
    assert (none.predict(data[60:]) == -1).mean() == pytest.approx(0.05, abs=0.005)
    with pytest.raises(ValueError, match="60 of the 600 examples of X were given to fit"):
        none.fit_threshold(data)


def test_another_prior_takes_its_threshold_anew(variational, data):
    other, y = deepcopy(variational), np.arange(600) % 3
    other.fit_prior("normal", data, y)
    with pytest.raises(ValueError, match="by='likelihood' has no threshold"):
        other.predict(data, by="likelihood")
    assert set(other.predict(surface(3, 200), by="reconstruction")) <= {-1, 1}
    other.fit_threshold(surface(3, 200))
    assert (other.predict(surface(4, 500), by="likelihood") == -1).mean() < 0.12
    other.fit_prior("flow-matching", data, y)  # which knows no density
    assert "likelihood" not in other.fit_threshold(surface(3, 40)).reference_.held_out


@pytest.mark.parametrize(
    ("options", "message"), [({"false_alarms": 0}, "false_alarms=0"), ({"false_alarms": 1}, "less")]
)
def test_rates_that_are_none(data, options, message):
    with pytest.raises(ValueError, match=message):
        Autoencoder(2, **options).fit(data)


def test_other_kinds_of_odd_are_refused(model, data):
    with pytest.raises(ValueError, match=r"by='reconstructions' .*reconstruction"):
        model.predict(data, by="reconstructions")


# What is known again

P = (0.5, 0.3, 0.1, 0.07, 0.03)

ROWS = arrays.arrays(np.float32, (5, 3), elements=st.floats(-100, 100, width=32))


@given(ROWS)
@settings(deadline=None)
def test_equal_rows_have_equal_fingerprints_and_others_have_not(X):
    (one, exact), (other, _) = fingerprints([X]), fingerprints([X[:2], X[2:].astype(np.float64)])
    np.testing.assert_array_equal(one, other)
    assert not len(exact)
    rows = np.unique(X + np.float32(0), axis=0)
    assert len(np.unique(one)) == len(rows)


def test_bytes_are_the_same_numbers_and_large_images_are_told_apart():
    levels = np.random.default_rng(0).integers(0, 256, (20, 10_000), dtype=np.uint8)
    np.testing.assert_array_equal(fingerprints([levels])[0], fingerprints([levels.astype(float)])[0])
    assert len(np.unique(fingerprints([levels])[0])) == 20


def test_unix_times_are_told_apart(tmp_path):
    times = 1.7e9 + 60.0 * np.arange(300)[:, None]  # 32-bit floats are 128 s apart there
    model = Autoencoder(1, epochs=2, random_state=0).fit(times[::3])
    model.save(tmp_path / "m")
    for one in (model, load(tmp_path / "m")):
        assert one.evaluate(times).learnt == 100
        assert one.evaluate(times[1::3]).repeated == 0
        # Rounded since, they are still recognised, and in whole numbers they are the same.
        assert (one.reference_.occurrences([times[::3].astype(np.float32)]) > 0).all()
        np.testing.assert_array_equal(one.reference_.occurrences([times.astype(np.int64)]) > 0, np.arange(300) % 3 == 0)


def test_new_rows_of_categories_are_evaluated_on_and_repeats_counted():
    rng = np.random.default_rng(0)
    seen, new = (np.hstack([np.eye(5)[rng.choice(5, n, p=P)] for _ in range(3)]) for n in (400, 100))
    model = Autoencoder(2, epochs=2, random_state=0).fit(seen)
    found = model.evaluate(new)
    equal = (new[:, None] == seen).all(2).any(1).sum()
    assert (found.learnt, len(found.places), found.repeated) == (0, 100, equal)
    assert equal > 90
    model.fit_threshold(new)


def test_whoever_says_that_examples_are_new_is_believed(model, data):
    found = model.evaluate(data[:50], new=True)
    assert (found.learnt, len(found.places), found.repeated) == (0, 50, 50)
    other = deepcopy(model).fit_threshold(data[:50], new=True)
    assert len(other.reference_.held_out["reconstruction"]) == 50


def test_what_was_seen_in_training_is_not_evaluated_on(model, data):
    found = model.evaluate(np.concatenate([data[:300], surface(5, 80)]))
    assert (found.given, found.learnt, found.repeated) == (380, 300, 0)
    np.testing.assert_array_equal(np.sort(found.places), np.arange(300, 380))
    alone = model.evaluate(surface(5, 80), X_train=data[:300])
    assert alone.comparison.model.error.value == pytest.approx(found.comparison.model.error.value)
    assert alone.copying is not None
    assert model.evaluate(surface(5, 80)).copying is None
    with pytest.raises(ValueError, match="600 of the 600 examples of X are those that the model was fitted to"):
        model.evaluate(data)
    assert model.evaluate(data[:40], X_train=data).repeated == 40


def test_in_other_forms_it_is_known_too(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (120, 5, 6), dtype=np.uint8)
    np.save(tmp_path / "X.npy", images)
    on_disk = OnDisk.of_npy(tmp_path / "X.npy")
    for seen in (images, on_disk):
        model = Autoencoder(2, epochs=2, random_state=0).fit(seen[:80])
        for given_to_it in (images, images.astype(np.float64), on_disk):
            assert model.evaluate(given_to_it).learnt == 80
    frame = pd.DataFrame(surface(0, 100), columns=list("abcdefgh"))
    model = Autoencoder(2, epochs=2, random_state=0).fit(frame[:60])
    assert model.evaluate(frame).learnt == 60


# How good


def test_errors_stand_beside_scikit_learns_components(model, data):
    new = surface(6, 300)
    found = model.evaluate(new)
    scaled, seen = model.scaling_.apply(new), model.scaling_.apply(data)
    pca = PCA(2).fit(seen)
    expected = np.square(scaled - pca.inverse_transform(pca.transform(scaled))).mean()
    assert found.comparison.pca.error.value == pytest.approx(expected, rel=1e-3)
    assert found.comparison.model.error.value == pytest.approx(
        model.anomaly_score(new, by="reconstruction").mean(), rel=1e-5
    )
    assert found.comparison.mean.error.value == pytest.approx(np.square(scaled - seen.mean(0)).mean(), rel=1e-4)
    assert found.learnt_pca_error == pytest.approx(expected, rel=0.2)
    assert found.density.log_density.value == pytest.approx(model.score_samples(new).mean(), rel=1e-5)


def test_the_scale_of_deviations_is_the_likelihoods(data):
    model = Autoencoder(2, epochs=60, likelihood="gaussian", sigma=0.5, random_state=0).fit(data)
    found = model.evaluate(surface(7, 300))
    assert found.density.deviation == pytest.approx(np.sqrt(found.comparison.model.error.value) / 0.5, rel=1e-5)
    assert found.density.coverage.one.value > 0.99


def test_labels_and_factors_are_looked_for_in_the_code(variational, data):
    y, factors = np.arange(600) % 3, pd.DataFrame({"a": data[:, 0], "b": data[:, 1]})
    new = surface(8, 200)
    found = variational.evaluate(
        np.concatenate([data[:200], new]),
        np.r_[y[:200], np.where(new[:, 0] > 0, 1, 0)],
        factors=pd.concat([factors[:200], pd.DataFrame({"a": new[:, 0], "b": new[:, 1]})]),
        samples=20,
    )
    assert found.codes.neighbour_accuracy.high < 0.75  # the training's labels were by chance
    assert found.codes.mutual_information_gap is not None
    assert found.codes.dci.informativeness.value > 0.3
    assert found.codes.kl.shape == (2,)
    assert found.codes.trustworthiness.value > 0.8
    assert found.codes.continuity.value > 0.8
    assert found.density.importance_sampled.value >= found.density.log_density.value - 0.1
    by_itself = variational.evaluate(new, new[:, 0] > 0)
    assert by_itself.codes.neighbour_accuracy.value > 0.8
    assert variational.evaluate(new, new[:, 0]).codes.neighbour_accuracy is None  # a quantity


def test_bits_need_levels(model):
    assert model.evaluate(surface(9, 100)).density.bits is None
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 16, (500, 4)).astype(float)
    of_levels = Autoencoder(1, epochs=5, random_state=0).fit(noise).evaluate(rng.integers(0, 16, (300, 4)))
    assert of_levels.density.bits.value > 3.9  # no code of equally frequent levels is shorter than four bits each
    shifted = Autoencoder(1, epochs=5, random_state=0).fit(noise / 15).evaluate(rng.integers(0, 16, (300, 4)) / 15)
    assert shifted.density.bits.value == pytest.approx(of_levels.density.bits.value, abs=0.05)


def test_a_given_net_makes_the_features(model):
    new = surface(10, 100)
    linear = nn.Linear(8, 3)
    found = model.evaluate(new, features=linear)
    assert found.generation.frechet_distance != model.evaluate(new).generation.frechet_distance


def test_numbers_are_a_table_with_units(variational, data):
    found = variational.evaluate(surface(11, 100), X_train=data)
    names = [number.name for number in found.numbers()]
    assert len(set(names)) == len(names) > 15
    for number in found.numbers():
        assert isinstance(number.estimate, Estimate)
        assert number.estimate.low <= number.estimate.value <= number.estimate.high
        assert number.unit
        assert number.better in ("", "lower", "higher")
    assert json.dumps([number.estimate.value for number in found.numbers()])


def test_the_same_seed_says_the_same(model):
    one, other = (model.evaluate(surface(12, 100), random_state=1).numbers() for _ in range(2))
    assert one == other
