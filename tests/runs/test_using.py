"""A verb's work without the command line, as a notebook calls it."""

import numpy as np
import pandas as pd
import pytest

from narrows import Autoencoder
from narrows.data import Dataset
from narrows.runs import making, using
from narrows.runs.anomalies import find_anomalies


@pytest.fixture(scope="module")
def model():
    X = np.random.default_rng(0).random((60, 5, 5))
    return Autoencoder(2, epochs=1, hidden=(4,), random_state=0).fit(X)


@pytest.fixture
def dataset():
    return Dataset("noise", np.random.default_rng(1).random((12, 5, 5)))


def test_numbers_are_those_of_the_files(model, dataset, tmp_path):
    done = using.reconstruct(model, dataset, tmp_path / "r", files=True)
    errors = pd.read_csv(tmp_path / "r" / "errors.csv")["error"]
    assert (done.numbers["mean"], done.numbers["largest_example"]) == (pytest.approx(errors.mean()), errors.idxmax())
    assert [file.name for file in done.files] == [
        "reconstructions.png",
        "errors.csv",
        "results.json",
        "reconstructed.npy",
        "reconstructed",
    ]
    assert all(file.exists() for file in done.files)


def test_noise_that_is_added_is_measured(model, dataset, tmp_path):
    done = using.denoise(model, dataset, tmp_path / "d", add="gaussian", level=0.2, seed=1)
    noisy = np.load(tmp_path / "d" / "noisy.npy")
    scale = float(model.scaling_.scale[0])
    assert done.numbers["errors"]["noisy"] == pytest.approx(np.square((noisy - dataset.X) / scale).mean(), rel=1e-4)


def test_codes_go_out_and_in(model, dataset, tmp_path):
    done = using.encode(model, dataset, tmp_path / "c.csv")
    codes = pd.read_csv(done.files[0])[list(model.get_feature_names_out())]
    np.testing.assert_allclose(codes, model.transform(dataset.X), rtol=1e-5)
    using.decode(model, Dataset("c", codes.to_numpy()), tmp_path / "back")
    np.testing.assert_allclose(np.load(tmp_path / "back" / "decoded.npy"), model.reconstruct(dataset.X), atol=1e-5)


def test_new_ones_are_made(model, dataset, tmp_path):
    assert making.generate(model, 5, None, tmp_path / "g", seed=3).numbers == {"n": 5, "label": None, "seed": 3}
    np.testing.assert_array_equal(np.load(tmp_path / "g" / "samples.npy"), model.sample(5, random_state=3))
    making.generate_like(model, dataset, 2, 0.0, 3, tmp_path / "like")
    same = np.repeat(model.reconstruct(dataset.X[2:3]), 3, 0)
    np.testing.assert_allclose(np.load(tmp_path / "like" / "samples.npy"), same, atol=1e-6)
    making.interpolate(model, dataset, (3, 5), 4, out=tmp_path / "way")
    ends = np.load(tmp_path / "way" / "path.npy")[[0, -1]]
    np.testing.assert_allclose(ends, model.reconstruct(dataset.X[[3, 5]]), atol=1e-6)


def test_asking_for_another_rate_leaves_the_model_as_it_is(model, dataset, tmp_path):
    done = find_anomalies(model, dataset, tmp_path / "a", false_alarms=0.4)
    assert done.numbers["odd"] == (model.anomaly_score(dataset.X) > done.numbers["threshold"]).sum()
    assert model.false_alarms is None
