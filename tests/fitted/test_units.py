"""Data in other units than those that a model was fitted to are named, by every method, once."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from narrows import VQVAE, Autoencoder, DenoisingAutoencoder, load
from narrows.data.dataset import Dataset
from narrows.estimators import ESTIMATORS
from narrows.runs.opening import warn_of_units

FEW = {"hidden": (4,), "epochs": 1, "prior": "normal", "random_state": 0}
IMAGES = np.random.default_rng(0).random((60, 3, 4))
TABLE = pd.DataFrame(np.random.default_rng(0).normal([70, 1.7, 3e4], [10, 0.1, 1e4], (60, 3)), columns=["kg", "m", "a"])
METHODS = {
    *("transform", "encode_distribution", "sample_code", "reconstruct", "activations", "corrupt"),
    *("score_samples", "score", "anomaly_score", "decision_function", "predict", "error_map"),
}


def said(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in found if "units" in str(warning.message)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m"
    Autoencoder(2, **FEW).fit(IMAGES).save(path)
    return path


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_says_it_once(method, model):
    fitted = load(model)
    assert said(lambda: getattr(fitted, method)(IMAGES)) == []
    (words,) = said(lambda: [getattr(fitted, method)(IMAGES * 255) for _ in range(2)])
    assert words.startswith("X reaches from 0.")
    assert "and the training data from 0.00" in words
    assert words.endswith("of its numbers lie outside that: they may be in other units, or prepared differently")
    assert said(lambda: fitted.transform(IMAGES * 255)) == []
    assert said(lambda: load(model).transform(IMAGES * 255)) == [words]


@pytest.mark.parametrize("kind", ESTIMATORS.values())
def test_every_model_does(kind):
    fitted = kind(2, **FEW).fit(IMAGES)
    assert len(said(lambda: fitted.reconstruct(IMAGES / 255))) == 1
    if kind is VQVAE:
        assert len(said(lambda: clone(fitted).fit(IMAGES).encode_tokens(IMAGES * 3))) == 1


def test_evaluate_says_it_among_its_findings(model):
    fitted = load(model)
    assert said(lambda: fitted.evaluate(IMAGES * 255)) == []
    assert "unlike the training data" in [finding.kind for finding in fitted.evaluate(IMAGES * 255).findings]


def test_what_was_said_of_the_whole_is_not_said_again(model):
    fitted, others = load(model), Dataset("others", IMAGES * 255)
    assert said(lambda: warn_of_units(fitted.fitted_, others))[0].startswith("others reaches")
    assert said(lambda: fitted.transform(others.X)) == []


@pytest.mark.parametrize(
    "some",
    [IMAGES[:1] * 1.2, IMAGES[:1] * 0 + 0.5, IMAGES[:20] * 0.1, IMAGES[:12] * 0, np.where(IMAGES > 0.999, 9, IMAGES)],
    ids=["brighter", "grey", "dark", "black", "odd"],
)
def test_examples_that_are_few_alike_or_odd_are_in_these_units(some, model):
    assert said(lambda: load(model).transform(some)) == []


def test_noise_is_no_other_unit():
    fitted = DenoisingAutoencoder(2, **FEW).fit(IMAGES)
    assert said(lambda: fitted.reconstruct(fitted.corrupt(IMAGES, level=0.3, random_state=0))) == []


def test_a_column_in_other_units_is_named(tmp_path):
    fitted = Autoencoder(2, **FEW).fit(TABLE)
    fitted.save(tmp_path / "m")
    centimetres = TABLE.assign(m=100 * TABLE["m"])
    for model in (fitted, load(tmp_path / "m")):
        assert said(lambda model=model: [model.transform(X) for X in (TABLE, TABLE * 1.2, centimetres[:9])]) == []
        (words,) = said(lambda model=model: model.transform(centimetres))
        assert words.startswith(
            "X, column 'm', reaches from 150.65 to 190.024, and the training data have a mean of 1.7"
        )


def test_a_channel_in_other_units_is_named():
    both = np.stack([IMAGES, 1000 * IMAGES], -1)
    fitted = Autoencoder(2, **FEW).fit(both)
    assert said(lambda: fitted.transform(both)) == []
    (words,) = said(lambda: fitted.transform(both * [1, 1000]))
    assert words.startswith("X reaches from 300.69 to 999501 and the training data from 0.30069 to 999.501; ")
    assert words.endswith("50% of its numbers lie outside that: they may be in other units, or prepared differently")
