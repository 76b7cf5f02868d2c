"""Laws that every named model obeys, whatever its parts. A new model is one more row in tests/members.py."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from members import CASES, MEMBERS, OF_IMAGES, ROUNDING, SHAPES, WITH_EVERY_PRIOR, data, labels, own_nets, spacings
from narrows import load
from narrows.estimators import ESTIMATORS
from narrows.estimators.fitting import learned_prior
from narrows.models.model import Batch
from narrows.models.priors import PRIORS
from narrows.models.priors.base import StandardNormal
from narrows.training.examples import Examples


@pytest.fixture(scope="module", params=CASES, ids="/".join)
def member(request):
    name, kind = request.param
    X = data(SHAPES[kind])
    y = labels(len(X))
    return clone((MEMBERS | OF_IMAGES)[name]).fit(X, y), X, y


def test_every_public_model_is_a_member():
    assert {type(model) for model in MEMBERS.values()} == set(ESTIMATORS.values())


def test_shapes_and_finiteness(member):
    model, X, y = member
    codes, n = model.transform(X, y), len(X)
    assert codes.shape == (n, model.latent_dim)
    for outputs in (model.reconstruct(X, y), model.error_map(X, y), model.inverse_transform(codes, y)):
        assert outputs.shape == X.shape
        assert np.isfinite(outputs).all()
    of_a_class = (
        [] if type(model.model_.prior) is StandardNormal else [model.sample(5, y=20), model.sample(2, y=[0, 10])]
    )
    for samples in (model.sample(5, random_state=0), *of_a_class):
        assert samples.shape[1:] == X.shape[1:]
        assert np.isfinite(samples).all()
    for scores in (model.score_samples(X, y), model.anomaly_score(X, y)):
        assert scores.shape == (n,)
        assert np.isfinite(scores).all()


def test_reconstruct_is_decode_after_encode(member):
    model, X, y = member
    np.testing.assert_array_equal(model.reconstruct(X, y), model.inverse_transform(model.transform(X, y), y))


def test_error_map_is_the_squared_difference(member):
    model, X, y = member
    np.testing.assert_allclose(model.error_map(X, y), (X - model.reconstruct(X, y)) ** 2)


def test_anomaly_score_is_the_scaled_mean_of_the_error_map(member):
    model, X, y = member
    scale = model.scaling_.scale.reshape(X.shape[1:])
    expected = (model.error_map(X, y) / scale**2).reshape(len(X), -1).mean(1)
    np.testing.assert_allclose(model.anomaly_score(X, y, by="reconstruction"), expected, rtol=1e-4, atol=1e-9)


def test_encode_is_deterministic(member):
    model, X, y = member
    np.testing.assert_array_equal(model.transform(X, y), model.transform(X, y))


@pytest.mark.parametrize("method", ["transform", "reconstruct", "score_samples", "anomaly_score"])
def test_an_example_alone_or_in_any_row_of_a_batch_is_the_same_but_for_rounding(member, method):
    model, X, y = member
    ask = getattr(model, method)
    whole = ask(X, y)
    assert spacings(np.concatenate([ask(X[i : i + 1], y[i : i + 1]) for i in range(5)]), whole[:5]) < ROUNDING
    assert spacings(np.concatenate([ask(X[i : i + 12], y[i : i + 12]) for i in (0, 12, 24)]), whole[:36]) < ROUNDING
    assert spacings(ask(np.repeat(X[:1], 40, 0), np.repeat(y[:1], 40)), whole[:1]) < ROUNDING


def test_save_and_load_is_exact(member, tmp_path):
    model, X, y = member
    model.save(tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors", net=None if isinstance(model.net, str) else own_nets())
    assert type(again) is type(model)
    same = ({name: value for name, value in m.get_params().items() if name != "net"} for m in (again, model))
    assert next(same) == next(same)
    assert again.history_ == model.history_
    assert (again.n_iter_, again.seed_, again.validation_error_) == (
        model.n_iter_,
        model.seed_,
        model.validation_error_,
    )
    for method in ("transform", "reconstruct", "score_samples", "anomaly_score", "error_map"):
        np.testing.assert_array_equal(getattr(again, method)(X, y), getattr(model, method)(X, y))
    np.testing.assert_array_equal(again.sample(9, random_state=3), model.sample(9, random_state=3))
    again.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()


def test_pickle_is_exact(member):
    model, X, y = member
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(X, y), model.transform(X, y))


def test_samples_follow_the_seed(member):
    model, *_ = member
    np.testing.assert_array_equal(model.sample(6, random_state=1), model.sample(6, random_state=1))
    assert not np.array_equal(model.sample(6, random_state=1), model.sample(6, random_state=2))
    assert not np.array_equal(model.sample(6), model.sample(6))


def test_every_parameter_gets_a_gradient(member):
    model, X, y = member
    net = pickle.loads(pickle.dumps(model.model_))
    x = torch.from_numpy(model.scaling_.apply(X.reshape(len(X), -1)))
    context = torch.eye(3)[y // 10] if model.conditional else None
    generator = torch.Generator().manual_seed(0)
    if model.prior == "vampprior":
        net.prior = learned_prior(net, Examples.of(x, context), generator)
    for parameter in net.parameters():
        parameter.requires_grad_()
    model.objective()(net, Batch(x, context), generator, 1.0).sum().backward()
    missing = {name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum()}
    assert missing == set()


def test_encode_distribution_and_sample_code(member):
    model, X, y = member
    mu, sigma = model.encode_distribution(X, y)
    np.testing.assert_array_equal(mu, model.transform(X, y))
    assert (sigma >= 0).all()
    drawn = np.stack([model.sample_code(X[:8], y[:8], random_state=i) for i in range(300)])
    np.testing.assert_array_equal(model.sample_code(X, y, random_state=1), model.sample_code(X, y, random_state=1))
    np.testing.assert_allclose(drawn.mean(0), mu[:8], rtol=1e-4, atol=5 * sigma[:8].max() / np.sqrt(300) + 1e-4)
    np.testing.assert_allclose(drawn.std(0), sigma[:8], rtol=0.25, atol=1e-4)


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("member", WITH_EVERY_PRIOR, ids="/".join, indirect=True)
def test_every_prior_serves_every_kind_of_code(member, prior, tmp_path, monkeypatch):
    model, X, y = member
    if prior.startswith("flow"):
        monkeypatch.setattr("narrows.models.priors.flows.STEPS", 5)
    model = pickle.loads(pickle.dumps(model)).fit_prior(prior, X, y)
    samples = model.sample(6, y=10 if model.conditional or prior != "normal" else None, random_state=0)
    assert samples.shape == (6, *X.shape[1:])
    assert np.isfinite(samples).all()
    model.save(tmp_path / "m")
    again = load(tmp_path / "m", net=None if isinstance(model.net, str) else own_nets())
    np.testing.assert_array_equal(again.sample(6, random_state=0), model.sample(6, random_state=0))


def test_the_same_seed_gives_the_same_weights(member):
    model, X, y = member
    again = clone(model).fit(X, y)
    for name, tensor in model.model_.state_dict().items():
        assert torch.equal(tensor, again.model_.state_dict()[name]), name


def test_another_seed_gives_other_weights(member):
    model, X, y = member
    other = clone(model).set_params(random_state=1).fit(X, y)
    assert not np.array_equal(other.transform(X, y), model.transform(X, y))


def test_refitting_starts_anew(member):
    model, X, y = member
    again = clone(model).fit(X * 3 + 1, y).fit(X, y)
    np.testing.assert_array_equal(again.transform(X, y), model.transform(X, y))


def test_history_has_a_row_an_epoch(member):
    model, *_ = member
    assert [row["epoch"] for row in model.history_] == list(range(1, model.n_iter_ + 1))
    assert all(np.isfinite(list(row.values())).all() for row in model.history_)


@pytest.mark.parametrize("model", MEMBERS.values(), ids=MEMBERS.keys())
def test_nothing_works_before_fit(model, tmp_path):
    X = data((7,))
    y = labels(len(X))
    calls = [
        lambda: model.transform(X, y),
        lambda: model.reconstruct(X, y),
        lambda: model.score_samples(X, y),
        model.sample,
    ]
    calls += [
        lambda: model.inverse_transform(X[:, :3]),
        lambda: model.save(tmp_path / "m"),
        lambda: model.error_map(X, y),
    ]
    for call in calls:
        with pytest.raises(NotFittedError):
            call()


@pytest.mark.parametrize("model", MEMBERS.values(), ids=MEMBERS.keys())
def test_global_random_states_are_neither_read_nor_changed(model):
    X = data((7,))
    y = labels(len(X))
    np.random.seed(0)  # noqa: NPY002 - the very state that must not matter
    torch.manual_seed(0)
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    first = clone(model).fit(X, y)
    first.sample(3)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    np.testing.assert_array_equal(clone(model).fit(X, y).transform(X, y), first.transform(X, y))
