"""A fitted model keeps what it was built with: for every model and every option, whatever is set afterwards."""

import dataclasses

import numpy as np
import pytest
from sklearn.base import clone
from torch import nn

from narrows import VAE, Autoencoder, load
from narrows.estimators import ESTIMATORS
from narrows.estimators.allowed import checks_of

X = np.random.default_rng(0).normal(size=(40, 4))
Y = np.arange(40) % 2

OTHER = {
    "latent_dim": 4,
    "net": (nn.Linear(4, 4), nn.Linear(4, 4)),
    "hidden": (3, 3),
    "activation": "tanh",
    "shortcut": False,
    "likelihood": "laplace",
    "sigma": 0.5,
    "prior": "normal",
    "conditional": True,
    "scaling": "global",
    "corruption": "masking",
    "input_noise": 0.1,
    "code_activation": "tanh",
}
"""What options may be set to that nets depend on; any other is doubled, or nonsense."""

MODELS = {name: kind(2, hidden=(4,), epochs=1, random_state=0) for name, kind in ESTIMATORS.items()}
MODELS["conditional"] = VAE(2, hidden=(4,), epochs=1, conditional=True, random_state=0)


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    return clone(MODELS[request.param]).fit(X, Y)


def answers(model):
    """What it makes of data."""
    codes, y = model.transform(X, Y), Y
    numbers = [codes, model.reconstruct(X, y), model.inverse_transform(codes, y), model.sample(5, random_state=0)]
    numbers += [model.score_samples(X, y), model.anomaly_score(X, y), model.error_map(X, y)]
    return [*numbers, model.corrupt(X, random_state=0), model.predict(X, y)]


@pytest.mark.filterwarnings("ignore:false_alarms=0.05 needs 19")
def test_set_afterwards_no_option_changes_it(fitted, tmp_path):
    fitted.save(tmp_path / "before")
    before = (tmp_path / "before").read_bytes()
    expected, model = answers(fitted), fitted
    for name, value in model.get_params().items():
        if name in ("device", "false_alarms"):
            continue
        model.set_params(**{name: OTHER.get(name, "nonsense")})
        for one, other in zip(answers(model), expected, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)
        model.save(tmp_path / "after")
        assert (tmp_path / "after").read_bytes() == before, name
        model.set_params(**{name: value})
    again = load(tmp_path / "after")
    for one, other in zip(answers(again), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_evaluation_is_of_the_model_as_it_was_fitted():
    model, new = VAE(4, hidden=(4,), epochs=1, random_state=0).fit(X, Y), X + 0.01
    before = model.evaluate(new, Y).numbers()
    model.set_params(latent_dim=2, conditional=True, activation="tanh", scaling="global", prior="normal")
    assert model.evaluate(new, Y).numbers() == before
    assert model.get_feature_names_out().tolist() == ["vae0", "vae1", "vae2", "vae3"]


def test_the_rate_of_false_alarms_can_be_set_and_is_saved(tmp_path):
    model = Autoencoder(2, hidden=(4,), epochs=1, validation_fraction=0.5, random_state=0).fit(X)
    usual = model.set_params(false_alarms=0.2).anomaly_threshold()
    model.set_params(activation="nonsense").save(tmp_path / "m")
    assert load(tmp_path / "m").false_alarms == 0.2
    assert load(tmp_path / "m").anomaly_threshold() == usual
    with pytest.raises(ValueError, match="false_alarms=2"):
        model.set_params(false_alarms=2).save(tmp_path / "m")
    assert load(tmp_path / "m").false_alarms == 0.2


@pytest.mark.parametrize("kind", ESTIMATORS.values())
def test_every_option_says_what_it_may_be(kind):
    names = {field.name for field in dataclasses.fields(kind)}
    assert set(checks_of(kind)) == names
    for name in names:
        with pytest.raises((TypeError, ValueError), match=f"^{name}=<"):
            kind(**{name: object()}).fit(X)


@pytest.mark.parametrize("hidden", [np.array([8, 8]), [8, 8], (np.int64(8), 8.0 and 8)], ids=str)
def test_widths_come_in_any_list_of_whole_numbers(hidden, tmp_path):
    model = Autoencoder(2, hidden=hidden, input_noise=np.array([0.3, 0.05]), epochs=1, random_state=0).fit(X)
    usual = Autoencoder(2, hidden=(8, 8), epochs=1, random_state=0).fit(X)
    np.testing.assert_array_equal(model.transform(X), usual.transform(X))
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").hidden == (8, 8)
    assert clone(model).fit(X).model_.encoder is not model.model_.encoder
    with pytest.raises((TypeError, ValueError), match=r"hidden=8.5 must be a whole number"):
        Autoencoder(2, hidden=np.array([8.5])).fit(X)


def test_one_example_is_told_from_many():
    rows, images = Autoencoder(2, epochs=1).fit(X), Autoencoder(2, epochs=1).fit(X.reshape(40, 2, 2))
    colour = Autoencoder(2, epochs=1).fit(np.random.default_rng(0).random((40, 2, 3, 3)))
    for model, one in ((rows, X[0]), (images, X[0].reshape(2, 2)), (colour, np.zeros((2, 3, 3)))):
        with pytest.raises(ValueError, match=r"that of one example. Reshape your data: did you mean X\[None\]\?"):
            model.transform(one)
        assert model.transform(one[None]).shape == (1, 2)
