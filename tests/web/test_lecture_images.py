"""Convolution and pooling step by step are torch's, and layers are what a forward pass written out by hand makes."""

import base64
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d, pixel_shuffle, silu

from narrows import Autoencoder, recipes
from narrows.data.dataset import Dataset
from narrows.web.entry import Entry
from narrows.web.library import Library
from narrows.web.server import answer
from web.reading_frames import read_frame

MODELS = ["plane", "one", "wide", "denoising", "vae", "conditional", "rows", "colours"]
LECTURE = [[1, 0, 1], [0, 1, 1], [1, 0, 1]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def tables(numbers, least, most):
    sizes = st.tuples(st.integers(least, most), st.integers(least, most))
    return sizes.flatmap(
        lambda size: st.lists(st.lists(numbers, min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0])
    )


IMAGES, FILTERS = tables(st.integers(0, 9), 3, 10), tables(st.integers(-20, 20).map(lambda k: k / 4), 1, 5)


def four(table):
    return torch.tensor(table, dtype=torch.float64)[None, None]


@given(image=IMAGES, filters=FILTERS, stride=st.integers(1, 5), padding=st.sampled_from(["valid", "same", 0, 1, 2, 3]))
@settings(deadline=None, max_examples=60)
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_a_filter_slides_as_torchs_does(ask, image, filters, stride, padding):
    assume(padding != "same" or stride == 1)  # the only “same” that torch has
    margin = 2 * padding if isinstance(padding, int) else 0
    fits = padding == "same" or all(k <= n + margin for k, n in zip(np.shape(filters), np.shape(image), strict=True))
    found = ask("convolution", image=image, filters=filters, stride=stride, padding=padding)
    if not fits:
        assert found.refused.startswith("filters")
        return
    want = conv2d(four(image), four(filters), stride=stride, padding=padding)[0, 0].numpy()
    np.testing.assert_array_equal(found.values, want)
    np.testing.assert_array_equal(found.products.sum((1, 2)).reshape(want.shape), want)
    np.testing.assert_array_equal(found.patches * np.array(filters), found.products)
    around = np.pad(image, [(a, b) for a, b in zip(found.before, found.after, strict=True)])
    for (row, column), patch in zip(found.corners + found.before, found.patches, strict=True):
        np.testing.assert_array_equal(around[row : row + len(patch), column : column + len(patch[0])], patch)
    sizes = [
        n + p + q - k for n, p, q, k in zip(np.shape(image), found.before, found.after, np.shape(filters), strict=True)
    ]
    assert found.values.shape == tuple(size // stride + 1 for size in sizes)


@given(image=IMAGES, window=st.integers(1, 3), stride=st.none() | st.integers(1, 5), padding=st.integers(0, 1))
@settings(deadline=None, max_examples=40)
def test_a_window_pools_as_torchs_does(ask, image, window, stride, padding):
    assume(2 * padding <= window)  # torch allows no more
    x = four(image)
    for kind, pool in (("max", max_pool2d), ("average", avg_pool2d)):
        found = ask("pooling", image=image, window=window, kind=kind, stride=stride, padding=padding)
        want = pool(x, window, stride, padding)[0, 0].numpy()
        np.testing.assert_allclose(found.values, want, rtol=1e-6)
        np.testing.assert_allclose(
            found.patches.max((1, 2)) if kind == "max" else found.sums / window**2, want.ravel(), rtol=1e-6
        )


def test_the_lectures_numbers(ask):
    image, filters = LECTURE
    found = ask("convolution", image=image, filters=filters)
    assert found.values.tolist() == [[31]]
    assert found.products.ravel().tolist() == [1, 0, 3, 0, 5, 6, 7, 0, 9]
    window = [[9, 2, 3], [1, 5, 7], [4, 2, 6]]
    assert ask("pooling", image=window, window=3).values.tolist() == [[9]]
    mean = ask("pooling", image=window, window=3, kind="average")
    assert mean.sums.tolist() == [39]
    assert mean.values[0, 0] == pytest.approx(39 / 9)


def test_each_pattern_can_be_slid_over(ask):
    found = ask("patterns")
    images = {name: [[int(pixel) for pixel in row] for row in text.split(":")] for name, text in found.images}
    filters = {
        name: [[float(weight) for weight in row.split(",")] for row in text.split(":")] for name, text in found.filters
    }
    assert np.array(images["lecture"])[:3, :3].tolist() == LECTURE[0]
    assert np.array(images["pooling"])[:3, :3].sum() == 39
    assert np.abs(np.array(images["digit"]) - load_digits().images[3] * 9 / 16).max() <= 0.5
    for image in images.values():
        assert ask("convolution", image=image, filters=filters["identity"], padding="same").values.tolist() == image
    assert np.sum(filters["blur"]) == pytest.approx(1)
    flat = ask("convolution", image=[[5] * 4] * 4, filters=filters["edge"]).values
    assert not flat.any()
    assert ask("convolution", image=images["edge"], filters=filters["edge"]).values.max() == 4 * 7


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("convolution", {"image": [[1, 2], [3, 4]]}, "image"),
        ("convolution", {"image": [[1, 2, 10]] * 3}, "image.0.2"),
        ("convolution", {"image": [[1, 2, 3], [1, 2, 3], [1, 2, 3, 4]]}, "x must be a regular array"),
        ("convolution", {"filters": [[1e9]]}, "filters.0.0"),
        ("convolution", {"filters": [[1] * 5] * 5}, "filters of (5, 5)"),
        ("convolution", {"stride": 0}, "stride"),
        ("convolution", {"padding": "full"}, "padding"),
        ("pooling", {"window": 0}, "window"),
        ("pooling", {"window": 2, "padding": 2}, "padding=2"),
        ("pooling", {"window": 2, "kind": "median"}, "kind"),
    ],
)
def test_what_cannot_slide_is_refused_by_name(ask, name, given, said):
    usual = {"image": LECTURE[0], **({"filters": LECTURE[1]} if name == "convolution" else {})}
    assert ask(name, **{**usual, **given}).refused.startswith(said)


# --- Layers ---------------------------------------------------------------------------


def scaled(entry, n=2):
    return torch.from_numpy(entry.estimator.scaling_.apply(entry.X[:n]))


def dense_by_hand(module, x, activation):
    """The outputs of a chain of linear layers, each after its activation but the last."""
    weights = [layer for layer in module if isinstance(layer, torch.nn.Linear)]
    outputs = []
    for layer in weights:
        x = x @ layer.weight.T + layer.bias
        x = x if layer is weights[-1] else activation(x)
        outputs.append(x)
    return outputs


def same(found, want):
    assert [layer.values.shape for layer in found] == [values.shape for values in want]
    for layer, values in zip(found, want, strict=True):
        np.testing.assert_allclose(layer.values, values.detach(), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_dense_layers_are_matrix_products_by_hand(library):
    entry = library["plane"]
    model, x = entry.estimator.model_, scaled(entry)
    *up, h = dense_by_hand(model.encoder.deep, x, silu)
    z = h + x @ model.encoder.linear.weight.T + model.encoder.linear.bias
    *down, h = dense_by_hand(model.decoder.deep, z, silu)
    output = torch.sigmoid(h + z @ model.decoder.linear.weight.T + model.decoder.linear.bias)
    found = entry.estimator.activations(entry.X[:2])
    same(found, [x, *up, z, *down, output])
    assert [layer.part for layer in found] == ["input", *["encoder"] * 3, "code", *["decoder"] * 3, "output"]
    assert [layer.kind for layer in found[1:]] == [
        *["Linear, SiLU"] * 3,
        "Linear",
        *["Linear, SiLU"] * 3,
        "Linear, Sigmoid",
    ]


def convolved(x, layer, stride=1):
    return conv2d(x, layer.weight, layer.bias, stride=stride, padding=1)


def residual_by_hand(x, block):
    """What comes between and after its two convolutions."""
    _, first, _, second = block.layers
    middle = silu(convolved(silu(x), first))
    return middle, x + convolved(middle, second)


@torch.no_grad()
def test_convolutional_layers_are_convolutions_by_hand(library):
    entry = library["colours"]
    model, rows = entry.estimator.model_, scaled(entry)
    encoder, decoder = model.encoder.deep.net, model.decoder.deep.net
    x, up, down = rows.reshape(-1, 16, 16, 3).movedim(3, 1), [], []
    for strided, block, _ in encoder.stages:
        y = convolved(x, strided, stride=2)
        middle, x = residual_by_hand(y, block)
        x = silu(x)
        up += [silu(y), middle, x]
    hidden, h = dense_by_hand(encoder.head, x.movedim(1, 3).flatten(1), silu)
    z = h + model.encoder.linear(rows)
    first, h = dense_by_hand(decoder.head, z, silu)
    y = h.unflatten(1, x.movedim(1, 3).shape[1:]).movedim(3, 1)
    for block, _, enlarging, _ in reversed(decoder.stages):
        down.append(silu(y))
        middle, y = residual_by_hand(y, block)
        down += [middle, silu(y)]
        y = pixel_shuffle(convolved(down[-1], enlarging), 2)
    output = torch.sigmoid(y.movedim(1, 3).flatten(1) + model.decoder.linear(z))
    found = entry.estimator.activations(entry.X[:2])
    same(found, [rows, *up, hidden, z, first, *down, output])


@pytest.mark.parametrize("model", MODELS)
def test_layers_end_in_the_code_and_in_the_reconstruction(ask, library, model):
    entry = library[model]
    estimator, x = entry.estimator, entry.X[3:4]
    y = None if entry.y is None else entry.y[3:4]
    found = ask("layers", model=model, given={"example": 3})
    parts = [layer["part"] for layer in found.layers]
    code = found.layers[parts.index("code")]
    np.testing.assert_allclose(code["values"], estimator.transform(x, y)[0], rtol=1e-4, atol=1e-5)
    restored = estimator.scaling_.apply(estimator.reconstruct(x, y)).ravel()
    np.testing.assert_allclose(found.layers[-1]["values"], restored[:64], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(
        found.layers[0]["values"], estimator.scaling_.apply(x).ravel()[:64].astype(np.float32)
    )
    np.testing.assert_array_equal(found.original, entry.levels(x))
    np.testing.assert_array_equal(found.restored, entry.levels(estimator.reconstruct(x, y)))
    own = {id(p): p.numel() for p in estimator.model_.parameters()}
    for parameter in estimator.model_.prior.parameters():  # draws new codes, and is no layer
        del own[id(parameter)]
    assert sum(layer["parameters"] for layer in found.layers) == sum(own.values())
    for layer, whole in zip(found.layers, estimator.activations(x, y), strict=True):
        assert layer["most"] == pytest.approx(float(whole.values.abs().max()))
        assert len(layer["values"]) == min(64, len(whole.values[0]))
    assert not any(module._forward_hooks for module in estimator.model_.modules())


def test_large_feature_maps_are_sent_in_part():
    rng = np.random.default_rng(0)
    data = Dataset("large", rng.integers(0, 256, (4, 128, 128), dtype=np.uint8))
    model = Autoencoder(2, epochs=1, random_state=0, hidden=(8,), net="convolutional").fit(data.X)
    library = Library([Entry("large", model, data, 4, ())])
    found = read_frame(
        answer(library, json.dumps({"id": 1, "ask": "layers", "model": "large", "given": {"example": 0}}))
    )
    first = found["layers"][1]
    assert first["shape"] == [8, 64, 64]
    assert all(np.prod(layer["values"].shape) <= 2**16 for layer in found["layers"])
    assert all(len(layer["values"]) <= 64 for layer in found["layers"])


def test_a_drawing_goes_through_the_layers(ask):
    drawn = np.arange(64, dtype=np.uint8) * 4
    found = ask("layers", model="plane", given={"pixels": base64.b64encode(drawn.tobytes()).decode()})
    np.testing.assert_allclose(found.layers[0]["values"], drawn / 255, atol=1e-6)
    assert "64" in ask("layers", model="plane", given={"pixels": "AAAA"}).refused


@torch.no_grad()
def test_dead_units_are_those_that_are_never_above_0():
    digits = Dataset("digits", load_digits().images[:150])
    model = Autoencoder(4, random_state=0, **{**recipes.LECTURE, "epochs": 3}).fit(digits.X)
    first = model.model_.encoder[0]
    first.weight[5], first.bias[5] = 0, -1  # killed
    x = torch.from_numpy(model.scaling_.apply(digits.X))
    alive = (x @ first.weight.T + first.bias > 0).any(0).numpy()
    library = Library([Entry("lecture", model, digits, 150, ())])
    found = read_frame(
        answer(library, json.dumps({"id": 1, "ask": "layers", "model": "lecture", "given": {"example": 0}}))
    )
    layer = SimpleNamespace(**found["layers"][1])
    np.testing.assert_array_equal(layer.dead.astype(bool), ~alive)
    assert layer.dead[5]
    assert layer.count == (~alive).sum()
    assert found["examples"] == 150
    assert not found["layers"][0]["dead"].any()  # pixels at the border are no units
