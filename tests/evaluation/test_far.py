"""Values far from all others are found, those of long tails and of rare events are not, and they spoil no model."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.metrics import roc_auc_score

from narrows import VAE, Autoencoder
from narrows.evaluation.far import far_values, ordinary_range
from narrows.scaling import Scaling

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(500, 6))


def with_far(X, *cells, value=50.0):
    X = X.copy()
    for cell in cells:
        X[cell] = value
    return X


@pytest.mark.parametrize(
    "X",
    [
        load_digits().data,
        load_wine().data,
        load_breast_cancer().data,
        NORMAL,
        RNG.lognormal(size=(2000, 4)),
        RNG.standard_t(3, size=(2000, 4)),
        RNG.poisson(0.1, size=(2000, 4)).astype(float),
        np.eye(50)[RNG.integers(50, size=500)],
        np.ones((100, 2)),
        with_far(NORMAL[:10], (3, 2)),
    ],
    ids=["digits", "wine", "cancer", "normal", "lognormal", "t", "counts", "one-hot", "constant", "too few"],
)
@pytest.mark.parametrize("each", [True, False])
def test_none_is_found_in_ordinary_data(X, each):
    assert ordinary_range(lambda: [X], X.shape[1] if each else 1) is None


@pytest.mark.parametrize("parts", [1, 7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [50.0, -1e9, 1e30])
def test_the_range_of_the_others_is_theirs(value, dtype, parts):
    """However far it is, in however many parts they come, and whatever it would do to sums of squares."""
    X = with_far(NORMAL.astype(dtype), (7, 3), (9, 3), value=value)
    low, high = ordinary_range(lambda: np.array_split(X, parts), 6)
    others = np.delete(X, [7, 9], 0)
    np.testing.assert_array_equal(low, np.where(np.arange(6) == 3, others.min(0), X.min(0)))
    np.testing.assert_array_equal(high, np.where(np.arange(6) == 3, others.max(0), X.max(0)))


def test_pixels_are_compared_with_all_others_and_channels_with_their_own():
    """One white pixel of an edge that is nearly always black is no mistake; one of a dark channel is."""
    images = np.zeros((200, 4, 4, 2))
    images[..., 1:3, 1:3, 0] = RNG.random((200, 2, 2))
    images[3, 0, 0, 0] = 1
    assert ordinary_range(lambda: [images.reshape(200, -1)], 1) is None
    images[..., 1] = 0.01 * RNG.random((200, 4, 4))
    images[5, 2, 2, 1] = 1
    rows = images.reshape(200, -1)
    assert ordinary_range(lambda: [rows], 1) is None
    cells, _ = far_values(rows, 2)
    assert cells.tolist() == [[5, np.ravel_multi_index((2, 2, 1), (4, 4, 2))]]


@pytest.mark.parametrize("shape", [(6,), (3, 2)])
@pytest.mark.parametrize("scaling", ["auto", "global", "feature"])
def test_the_scale_is_that_of_the_others(shape, scaling):
    """But for the cell of the one value, which counts as the most extreme of these."""
    X = NORMAL.reshape(-1, *shape)
    far = with_far(NORMAL, (7, 3)).reshape(-1, *shape)
    found, usual = (Autoencoder(2, epochs=1, scaling=scaling, random_state=0).fit(x).scaling_ for x in (far, X))
    assert found.kind == usual.kind
    np.testing.assert_allclose(found.offset, usual.offset, atol=0.02)
    np.testing.assert_allclose(found.scale, usual.scale, rtol=0.02)


def test_a_single_value_does_not_spoil_a_model():
    """Broken correlations are told as well as without it; it took a fifth of the area under the curve."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=(2, 6))
    w /= np.linalg.norm(w, axis=0)
    X, good, other = (rng.normal(size=(500, 2)) @ w + 0.3 * rng.normal(size=(500, 6)) for _ in range(3))
    broken = np.stack([rng.permutation(column) for column in other.T], 1)
    truth = np.repeat([0, 1], 500)
    usual, spoilt = (
        VAE(2, epochs=20, prior="normal", scaling="feature", random_state=0).fit(x).anomaly_score(np.r_[good, broken])
        for x in (X, with_far(X, (7, 1)))
    )
    assert roc_auc_score(truth, spoilt) > roc_auc_score(truth, usual) - 0.01


@pytest.mark.parametrize("held_out", [True, False])
def test_a_finding_names_its_row_and_column(held_out):
    X = with_far(NORMAL, (7, 3))
    model = Autoencoder(2, epochs=2, prior="normal", random_state=0).fit(NORMAL[100:] if held_out else X[:400])
    evaluation = model.evaluate(X[:100] if held_out else X)
    found = {finding.kind: finding for finding in evaluation.findings}["far value"]
    assert "column 3 in row 7" in found.words
    assert ("seen in training" in found.words) is not held_out
    assert found.figure.startswith("it is 50; the others reach from -")
    assert [(far.row, far.value) for far in evaluation.far] == [(7, pytest.approx(50))]


def test_of_images_it_names_the_pixel():
    X = with_far(NORMAL, (7, 3)).reshape(-1, 3, 2)
    evaluation = Autoencoder(2, epochs=2, prior="normal", random_state=0).fit(X[:400]).evaluate(X)
    assert [far.column for far in evaluation.far] == ["pixel (1, 1)"]


@pytest.mark.parametrize("ratio", [1 / 1000, 1000])
@pytest.mark.parametrize("shape", [(12, 2), (4, 3, 2)])
def test_channels_in_units_of_their_own_have_a_scale_of_their_own(shape, ratio):
    u = RNG.normal(size=(300, 2))
    n = np.prod(shape)
    X = (u @ RNG.normal(size=(2, n)) + 0.01 * RNG.normal(size=(300, n))).reshape(-1, *shape)
    X[..., 0] *= ratio
    model = Autoencoder(3, epochs=100, prior="normal", random_state=0).fit(X[:200])
    axes = tuple(range(X.ndim - 1))
    lost = np.square(X - model.reconstruct(X))[200:].sum(axes)
    assert (lost < 0.1 * np.square(X[200:] - X[200:].mean(axes)).sum(axes)).all()
    ends = [model.scaling_.apply(X[:200]).reshape(X[:200].shape).min(axes), model.scaling_.apply(X[:200]).max()]
    assert np.array_equal(ends[0], [0, 0])
    assert ends[1] == 1


@pytest.mark.parametrize(
    "images",
    [
        load_digits().images,
        (load_digits().images / 16).astype(np.float32),
        RNG.random((50, 8, 8, 3)) * [1, 1, 0.2],
        np.concatenate([RNG.random((50, 8, 8, 3)), np.ones((50, 8, 8, 1))], 3),
    ],
    ids=["digits", "as 32-bit floats", "little blue", "opaque"],
)
def test_pictures_have_one_range(images):
    rows = images.reshape(len(images), -1)
    scaling = Scaling.of_chunks([rows], "auto", shape=images.shape[1:])
    np.testing.assert_array_equal(scaling.offset, rows.min())
    np.testing.assert_array_equal(scaling.scale, rows.max() - rows.min())


def test_a_count_below_zero_is_refused_however_far_it_is():
    X = with_far(RNG.poisson(3, size=(200, 4)).astype(float), (7, 3), value=-999.0)
    with pytest.raises(ValueError, match="X contains -999 in row 7, column 3"):
        Autoencoder(2, likelihood="poisson", epochs=1, random_state=0).fit(X)


def test_columns_of_a_few_grey_images_are_no_channels():
    few = load_digits().images[:40]
    scaling = Scaling.of_chunks([few.reshape(40, -1)], "auto", shape=(8, 8))
    np.testing.assert_array_equal(scaling.scale, 16)
