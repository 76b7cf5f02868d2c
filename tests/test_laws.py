"""Laws that every named model obeys, whatever its parts. A new model is one more row in MEMBERS."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from narrows import Autoencoder, load, recipes
from narrows.estimators import ESTIMATORS

MEMBERS = {
    "autoencoder": Autoencoder(3, epochs=4, random_state=0),
    "lecture": Autoencoder(3, **{**recipes.LECTURE, "epochs": 4}, random_state=0),
    "linear": Autoencoder(3, hidden=(), epochs=4, random_state=0),
    "deep": Autoencoder(3, hidden=(32, 16, 8), activation="tanh", epochs=4, random_state=0),
    "per feature": Autoencoder(3, scaling="feature", hidden=(16,), epochs=4, random_state=0),
}

SHAPES = {"rows": (7,), "grey": (6, 5), "colour": (4, 5, 3)}


def data(shape, n=120):
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(n, 3)) @ rng.normal(size=(3, int(np.prod(shape))))
    return (np.tanh(factors) * 100 + 128).reshape(n, *shape)


@pytest.fixture(scope="module", params=[(name, kind) for name in MEMBERS for kind in SHAPES], ids="/".join)
def member(request):
    name, kind = request.param
    X = data(SHAPES[kind])
    return clone(MEMBERS[name]).fit(X), X


def test_every_public_model_is_a_member():
    assert {type(model) for model in MEMBERS.values()} == set(ESTIMATORS.values())


def test_shapes_and_finiteness(member):
    model, X = member
    codes, n = model.transform(X), len(X)
    assert codes.shape == (n, 3)
    for outputs in (model.reconstruct(X), model.error_map(X), model.inverse_transform(codes)):
        assert outputs.shape == X.shape
        assert np.isfinite(outputs).all()
    assert model.sample(5, random_state=0).shape == (5, *X.shape[1:])
    for scores in (model.score_samples(X), model.anomaly_score(X)):
        assert scores.shape == (n,)
        assert np.isfinite(scores).all()


def test_reconstruct_is_decode_after_encode(member):
    model, X = member
    np.testing.assert_array_equal(model.reconstruct(X), model.inverse_transform(model.transform(X)))


def test_error_map_is_the_squared_difference(member):
    model, X = member
    np.testing.assert_allclose(model.error_map(X), (X - model.reconstruct(X)) ** 2)


def test_anomaly_score_is_the_scaled_mean_of_the_error_map(member):
    model, X = member
    scale = model.scaling_.scale.reshape(X.shape[1:])
    expected = (model.error_map(X) / scale**2).reshape(len(X), -1).mean(1)
    np.testing.assert_allclose(model.anomaly_score(X), expected, rtol=1e-4, atol=1e-9)


def test_encode_is_deterministic(member):
    model, X = member
    np.testing.assert_array_equal(model.transform(X), model.transform(X))


def test_an_example_does_not_depend_on_the_others(member):
    model, X = member
    alone = np.concatenate([model.transform(X[i : i + 1]) for i in range(10)])
    np.testing.assert_allclose(alone, model.transform(X)[:10], rtol=1e-4, atol=1e-5)


def test_save_and_load_is_exact(member, tmp_path):
    model, X = member
    model.save(tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    assert type(again) is type(model)
    assert again.get_params() == model.get_params()
    assert again.history_ == model.history_
    assert (again.n_iter_, again.seed_, again.validation_error_) == (
        model.n_iter_,
        model.seed_,
        model.validation_error_,
    )
    for method in ("transform", "reconstruct", "score_samples", "anomaly_score", "error_map"):
        np.testing.assert_array_equal(getattr(again, method)(X), getattr(model, method)(X))
    np.testing.assert_array_equal(again.sample(9, random_state=3), model.sample(9, random_state=3))
    again.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()


def test_pickle_is_exact(member):
    model, X = member
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(X), model.transform(X))


def test_samples_follow_the_seed(member):
    model, _ = member
    np.testing.assert_array_equal(model.sample(6, random_state=1), model.sample(6, random_state=1))
    assert not np.array_equal(model.sample(6, random_state=1), model.sample(6, random_state=2))
    assert not np.array_equal(model.sample(6), model.sample(6))


def test_every_parameter_gets_a_gradient(member):
    model, X = member
    net = pickle.loads(pickle.dumps(model.model_))
    x = torch.from_numpy(model.scaling_.apply(X.reshape(len(X), -1)))
    net.loss(x, x).sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def test_the_same_seed_gives_the_same_weights(member):
    model, X = member
    again = clone(model).fit(X)
    for name, tensor in model.model_.state_dict().items():
        assert torch.equal(tensor, again.model_.state_dict()[name]), name


def test_another_seed_gives_other_weights(member):
    model, X = member
    other = clone(model).set_params(random_state=1).fit(X)
    assert not np.array_equal(other.transform(X), model.transform(X))


def test_refitting_starts_anew(member):
    model, X = member
    again = clone(model).fit(X * 3 + 1).fit(X)
    np.testing.assert_array_equal(again.transform(X), model.transform(X))


def test_history_has_a_row_an_epoch(member):
    model, _ = member
    assert [row["epoch"] for row in model.history_] == list(range(1, model.n_iter_ + 1))
    assert all(np.isfinite(list(row.values())).all() for row in model.history_)


@pytest.mark.parametrize("model", MEMBERS.values(), ids=MEMBERS.keys())
def test_nothing_works_before_fit(model, tmp_path):
    X = data((7,))
    calls = [
        lambda: model.transform(X),
        lambda: model.reconstruct(X),
        lambda: model.score_samples(X),
        model.sample,
    ]
    calls += [lambda: model.inverse_transform(X[:, :3]), lambda: model.save(tmp_path / "m"), lambda: model.error_map(X)]
    for call in calls:
        with pytest.raises(NotFittedError):
            call()


@pytest.mark.parametrize("model", MEMBERS.values(), ids=MEMBERS.keys())
def test_global_random_states_are_neither_read_nor_changed(model):
    X = data((7,))
    np.random.seed(0)  # noqa: NPY002 - the very state that must not matter
    torch.manual_seed(0)
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    first = clone(model).fit(X)
    first.sample(3)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    np.testing.assert_array_equal(clone(model).fit(X).transform(X), first.transform(X))
