"""A net with linear shortcuts starts as PCA, and weights of many inputs learn more slowly."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from narrows import VAE, Autoencoder
from narrows.models.nets import Shortcut
from narrows.models.start import start_at_components
from narrows.scaling import Scaling
from narrows.training.general import rates


def started(shape, d, X, kind=Autoencoder, scaling="feature", classes=0, net="convolutional"):
    scaled = Scaling.fit(X.reshape(len(X), -1), scaling)
    x = torch.from_numpy(scaled.apply(X))
    model = kind(d, net=net, hidden=(8,)).build(shape, classes, scaled)
    start_at_components(model, x)
    model.encoder.deep, model.decoder.deep = Zero(model.encoder.linear), Zero(model.decoder.linear)
    return model, x


class Zero(nn.Module):
    """Nothing, in the shape of what stands beside it."""

    def __init__(self, linear):
        super().__init__()
        self.outputs = linear.out_features

    def forward(self, x):
        return x.new_zeros(*x.shape[:-1], self.outputs)


@pytest.mark.parametrize(("n", "shape"), [(200, (8, 9)), (12, (9, 8, 2))], ids=["many rows", "many features"])
@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_without_its_deep_part_it_is_scikit_learns_pca(n, shape, kind):
    factors = np.random.default_rng(0).normal(size=(n, 3)) * [5, 3, 2]
    X = (factors @ np.random.default_rng(1).normal(size=(3, np.prod(shape)))).reshape(n, *shape)
    X += 0.1 * np.random.default_rng(2).normal(size=X.shape)
    model, x = started(shape, 3, X, kind)
    pca = PCA(3).fit(x.numpy())
    expected = pca.inverse_transform(pca.transform(x.numpy()))
    codes = model.encode(x).detach()
    np.testing.assert_allclose(codes.std(0, correction=0), 1, rtol=1e-3)
    np.testing.assert_allclose(model.decode(codes).detach(), expected, atol=1e-3)


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_a_class_has_no_influence_at_first(kind):
    X = np.random.default_rng(0).normal(size=(50, 4, 5))
    model, x = started((4, 5), 2, X, kind, classes=3)
    codes = [model.encode(x, torch.eye(3)[c].expand(50, -1)) for c in range(3)]
    torch.testing.assert_close(codes[0], codes[2])


def test_fewer_examples_than_units_leave_units_at_zero():
    X = np.random.default_rng(0).normal(size=(4, 5, 5))
    model, x = started((5, 5), 6, X)
    codes = model.encode(x)
    assert (codes.abs().amax(0) > 1e-3).sum() == 3
    assert torch.isfinite(model.decode(codes)).all()


def test_a_sigmoid_is_met_by_the_logit():
    X = np.random.default_rng(0).random((200, 8, 8))
    model, x = started((8, 8), 64, X, scaling="global")
    assert (model.decode(model.encode(x)) - x).abs().mean() < 0.04


@pytest.mark.parametrize("net", ["dense", "convolutional"])
def test_what_varies_little_is_not_made_much_of(net):
    deviations = np.geomspace(1, 1e-3, 4)
    rows = np.random.default_rng(0).normal(size=(2000, 4)) * deviations
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(64, 64))).Q[:4]
    model, x = started((8, 8), 4, (rows @ basis).reshape(-1, 8, 8), scaling="global", net=net)
    wanted = np.minimum(1, 10 * deviations)
    np.testing.assert_allclose(model.encode(x).detach().std(0), wanted, rtol=0.1)


def test_a_dense_decoder_starts_as_drawn():
    X = np.random.default_rng(0).normal(size=(50, 6))
    scaling = Scaling.fit(X, "feature")
    model = Autoencoder(2, hidden=(8,)).build((6,), 0, scaling)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    start_at_components(model, torch.from_numpy(scaling.apply(X)))
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"encoder.linear.weight", "encoder.linear.bias"}


def test_weights_of_many_inputs_move_more_slowly():
    scaling = Scaling.fit(np.random.default_rng(0).random((5, 64 * 64)), "global")
    model = Autoencoder(2, net="convolutional").build((64, 64), 0, scaling)
    parts = rates(model)
    assert set(parts) == set(model.parameters())
    assert isinstance(model.encoder, Shortcut)
    assert parts[model.encoder.linear.weight] == 1 / 4
    assert parts[model.decoder.linear.weight] == 1


@pytest.mark.parametrize("copies", [1, 2, 8])
def test_columns_that_are_copies_of_others_leave_all_weights_finite(copies):
    few = np.random.default_rng(copies).normal(size=(100, 8, 8 // copies))
    X = np.tile(few, (1, 1, copies))
    model, x = started((8, 8), 64, X)
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    np.testing.assert_allclose(model.decode(model.encode(x)).detach(), x, atol=1e-3)
