"""Examples on disk teach and are evaluated on exactly as those in memory, and only what is asked for is read."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from narrows import VAE, Autoencoder, sweep
from narrows.data.on_disk import OnDisk
from narrows.estimators import rows
from narrows.estimators.rows import is_streamed
from narrows.fitted import source
from narrows.scaling import Scaling

OPTIONS = {"hidden": (16,), "epochs": 3, "random_state": 0}


class Watched:
    """A NumPy-like array that is not in memory, such as HDF5's: it wants increasing places, and notes how many."""

    def __init__(self, array):
        self.array, self.most = array, 0
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __len__(self):
        return len(self.array)

    def __getitem__(self, key):
        assert (np.diff(key) > 0).all()
        self.most = max(self.most, len(key))
        return self.array[key]

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("all of it was asked for at once")


@pytest.fixture(scope="module")
def images():
    return (np.random.default_rng(0).random((300, 9, 7, 3)) * 255).astype(np.uint8)


@pytest.fixture
def on_disk(images, tmp_path):
    np.save(tmp_path / "x.npy", images)
    return OnDisk.of_npy(tmp_path / "x.npy")


@pytest.mark.parametrize("model", [Autoencoder(4, **OPTIONS), VAE(4, **OPTIONS, prior="vampprior")], ids=["ae", "vae"])
def test_the_weights_are_the_same_to_the_last_bit(model, images, on_disk):
    y = np.arange(len(images)) % 3
    in_memory, streamed = (model.fit(X, y).model_.state_dict() for X in (images, on_disk))
    for name, tensor in in_memory.items():
        assert torch.equal(tensor, streamed[name]), name


@pytest.mark.parametrize("name", ["transform", "reconstruct", "score_samples", "anomaly_score", "error_map"])
def test_every_method_says_the_same(name, images, on_disk):
    model = Autoencoder(4, **OPTIONS).fit(images)
    np.testing.assert_allclose(getattr(model, name)(on_disk), getattr(model, name)(images), rtol=1e-4, atol=1e-4)


def test_a_sweep_of_examples_on_disk(images, on_disk):
    one, other = (sweep(X, latent_dims=(2,), **OPTIONS | {"random_state": 1}) for X in (images, on_disk))
    assert isinstance(other.X_test, OnDisk)
    assert one.rows[0].test_error == pytest.approx(other.rows[0].test_error, rel=1e-6)
    assert one.rows[0].pca_error == pytest.approx(other.rows[0].pca_error, rel=1e-6)


def test_never_more_than_a_batch_or_a_chunk_is_read(monkeypatch):
    monkeypatch.setattr("narrows.training.examples.NUMBERS_AT_ONCE", 64 * 21)
    monkeypatch.setattr(source, "NUMBERS_AT_ONCE", 64 * 21)
    monkeypatch.setattr("narrows.training.batches.NUMBERS_AT_ONCE", 64 * 21)
    X = Watched(np.random.default_rng(0).random((500, 7, 3)))
    model = Autoencoder(2, **OPTIONS).fit(X)
    model.transform(X), model.anomaly_score(X), model.score_samples(X), model.fit_prior("posterior", X)
    assert X.most == 64


def test_what_is_streamed(tmp_path, monkeypatch):
    array = np.zeros((10, 3))
    np.save(tmp_path / "x.npy", array)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert not any(map(is_streamed, (array, mapped, torch.zeros(10, 3), [[1.0]], np.zeros(3))))
    assert is_streamed(Watched(array))
    monkeypatch.setattr(rows, "MOST_OF_A_FILE", 100)
    assert is_streamed(mapped)
    monkeypatch.setattr(rows, "MOST_IN_MEMORY", 100)
    assert is_streamed(array)
    assert not is_streamed(array.astype(object))


def test_a_bad_number_is_told_by_its_place_in_all(monkeypatch):
    monkeypatch.setattr(source, "NUMBERS_AT_ONCE", 30)
    X = np.ones((100, 3))
    X[77, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN in 1 of .* first in row 77, column 1"):
        Autoencoder(2).fit(Watched(X))


def test_another_shape_is_refused(images, on_disk):
    model = Autoencoder(4, **OPTIONS).fit(images[:, :8])
    with pytest.raises(ValueError, match=r"of shape \(9, 7, 3\), but the model was fitted on \(8, 7, 3\)"):
        model.transform(on_disk)


@pytest.mark.parametrize("kind", ["global", "feature", "auto"])
def test_parts_are_scaled_as_the_whole(kind):
    X = np.random.default_rng(0).normal(5, [1, 10, 100], (1000, 3))
    whole, parts = Scaling.fit(X, kind), Scaling.of_chunks(np.array_split(X, 7), kind)
    assert whole.kind == parts.kind
    np.testing.assert_allclose(parts.offset, whole.offset)
    np.testing.assert_allclose(parts.scale, whole.scale)


def test_images_of_sixteen_pixels_get_convolutions_unless_told_otherwise():
    def has_convolutions(shape, **options):
        X = np.random.default_rng(0).random((20, *shape))
        model = Autoencoder(2, epochs=1, **options).fit(X)
        return any(isinstance(layer, nn.Conv2d) for layer in model.model_.modules())

    assert has_convolutions((16, 17))
    assert has_convolutions((8, 9), net="convolutional")
    assert not has_convolutions((15, 40, 3))
    assert not has_convolutions((300,))
    assert not has_convolutions((16, 17), hidden=(8,))
    assert not has_convolutions((16, 17), net="dense")


def test_nets_that_do_not_fit_are_refused():
    X = np.random.default_rng(0).random((20, 6))
    encoder, decoder = nn.Linear(6, 2), nn.Linear(2, 6)
    with pytest.raises(ValueError, match="net='convolutional' is for images"):
        Autoencoder(2, net="convolutional").fit(X)
    with pytest.raises(ValueError, match=r"net: the encoder returned \(2, 2\) for 2 examples; \(n, 3\) is expected"):
        Autoencoder(3, net=(encoder, decoder)).fit(X)
    with pytest.raises(ValueError, match="net: the decoder returned 5 numbers per code; examples have 6"):
        Autoencoder(2, net=(encoder, nn.Linear(2, 5))).fit(X)
    with pytest.raises(TypeError, match="must be one of auto, dense, convolutional, or a pair of torch modules"):
        Autoencoder(2, net=encoder).fit(X)
    with pytest.raises(ValueError, match="net='dens' is unknown; did you mean 'dense'"):
        Autoencoder(2, net="dens").fit(X)


def test_own_nets_keep_their_weights_and_are_not_changed():
    X = np.random.default_rng(0).random((20, 6))
    encoder, decoder = nn.Linear(6, 2), nn.Linear(2, 6)
    before = encoder.weight.clone()
    model = Autoencoder(2, net=(encoder, decoder), epochs=1, learning_rate=1e-9, random_state=0).fit(X)
    torch.testing.assert_close(model.model_.encoder.net.weight, before, atol=1e-6, rtol=1e-6)
    assert torch.equal(encoder.weight, before)


def test_a_file_with_own_nets_asks_for_them(tmp_path):
    from narrows import load

    X = np.random.default_rng(0).random((20, 6))
    nets = nn.Linear(6, 2), nn.Linear(2, 6)
    Autoencoder(2, net=nets, epochs=1).fit(X).save(tmp_path / "own")
    with pytest.raises(ValueError, match=r"were its user's own; give them: load\(file, net=\(encoder, decoder\)\)"):
        load(tmp_path / "own")
    Autoencoder(2, epochs=1).fit(X).save(tmp_path / "ours")
    with pytest.raises(ValueError, match="the nets of this model are narrows' own"):
        load(tmp_path / "ours", net=nets)


def test_nets_that_cannot_take_what_they_are_given_are_named():
    X = np.random.default_rng(0).random((20, 6))
    with pytest.raises(ValueError, match=r"net: the encoder cannot take 2 of the examples: .*shapes"):
        Autoencoder(2, net=(nn.Linear(5, 2), nn.Linear(2, 6))).fit(X)
    with pytest.raises(ValueError, match="net: the decoder cannot take 2 codes"):
        Autoencoder(2, net=(nn.Linear(6, 2), nn.Linear(3, 6))).fit(X)
    images = np.random.default_rng(0).random((20, 2, 3))
    rows = nn.Sequential(nn.Flatten(), nn.Linear(6, 2)), nn.Linear(2, 6)
    with pytest.raises(ValueError, match=r"does not return images \(n, C, H, W\)"):
        Autoencoder(2, net=rows).fit(images)


@pytest.mark.parametrize("X", ["photos", {"image": 1}, TensorDataset(torch.zeros(5, 3))], ids=["path", "dict", "torch"])
def test_a_data_set_is_told_from_an_array(X):
    with pytest.raises(TypeError, match=r"load_data"):
        Autoencoder(2).fit(X)


def test_bytes_take_32_bits():
    X = (np.random.default_rng(0).random((20, 4, 4)) * 255).astype(np.uint8)
    model = Autoencoder(2, **OPTIONS)
    assert model.fit(X).reconstruct(X).dtype == np.float32
    np.testing.assert_array_equal(model.transform(X), model.transform(X.astype(np.float64)))
