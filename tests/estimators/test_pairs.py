"""Learning from pairs: the same examples with noise and without."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import GridSearchCV

from narrows import VAE, Autoencoder, DenoisingAutoencoder, load, sweep
from narrows.data.on_disk import OnDisk
from narrows.estimators import ESTIMATORS
from narrows.estimators.fitting import fit_together
from narrows.sweeps import Sweep
from narrows.training.checkpoint import CheckpointError

FEW = {"hidden": (16,), "epochs": 4, "prior": "normal", "random_state": 0}
CLEAN = np.random.default_rng(0).random((80, 3)) @ np.random.default_rng(1).random((3, 6))
NOISY = CLEAN + np.random.default_rng(2).normal(scale=0.3, size=CLEAN.shape)


def weights(model):
    return torch.cat([tensor.flatten() for tensor in model.model_.state_dict().values()]).numpy()


@pytest.fixture(scope="module")
def fitted():
    return DenoisingAutoencoder(2, **FEW).fit(NOISY, CLEAN)


def test_it_removes_the_noise_of_new_examples(digits):
    """As well as one that draws the same noise anew at every step, but for what that has over one noise an example."""
    noisy = digits + np.random.default_rng(0).normal(scale=0.3 * 16, size=digits.shape)
    options = {"hidden": (128,), "epochs": 40, "prior": "normal", "random_state": 0}
    by_pairs = DenoisingAutoencoder(16, **options).fit(noisy[:1500], digits[:1500])
    by_corruption = DenoisingAutoencoder(16, **options).fit(digits[:1500])
    new, clean = noisy[1500:], digits[1500:]
    one, other = (np.square(model.reconstruct(new) - clean).mean() for model in (by_pairs, by_corruption))
    assert one < 1.4 * other
    assert one < 0.4 * np.square(new - clean).mean()
    assert by_pairs.anomaly_score(new, clean, by="reconstruction").mean() == pytest.approx(one / 16**2, rel=1e-5)
    np.testing.assert_allclose(by_pairs.error_map(new, clean), np.square(by_pairs.reconstruct(new) - clean), rtol=1e-9)


@pytest.mark.parametrize(
    ("X", "options"),
    [(CLEAN, {}), (CLEAN, {"precision": "bfloat16"}), (np.repeat(CLEAN, 64, 1)[:20, :256].reshape(-1, 16, 16), {})],
    ids=["by hand", "automatic", "convolutional"],
)
def test_pairs_without_noise_are_the_clean_examples(X, options):
    """To the last bit: nothing but the corruption is another."""
    options = {"epochs": 3, "prior": "normal", "random_state": 0} | options
    by_pairs = DenoisingAutoencoder(2, **options).fit(X, X)
    plain = DenoisingAutoencoder(2, **options, input_noise=0.0).fit(X)
    np.testing.assert_array_equal(weights(by_pairs), weights(plain))
    assert by_pairs.validation_error_ == plain.validation_error_
    np.testing.assert_array_equal(*(model.reference_.held_out["reconstruction"] for model in (by_pairs, plain)))
    noise_on_top = DenoisingAutoencoder(2, **options, input_noise=0.1)
    np.testing.assert_array_equal(weights(noise_on_top.fit(X, X)), weights(noise_on_top.fit(X)))


def test_what_is_known_afterwards_is_of_the_clean_examples(fitted):
    clean = DenoisingAutoencoder(2, **FEW).fit(CLEAN)
    np.testing.assert_array_equal(fitted.scaling_.offset, clean.scaling_.offset)
    np.testing.assert_array_equal(fitted.reference_.components.axes, clean.reference_.components.axes)
    order = torch.randperm(80, generator=torch.Generator().manual_seed(0))[:8]  # what `fit` holds out
    held_out = np.sort(fitted.reference_.held_out["reconstruction"])
    np.testing.assert_allclose(held_out, np.sort(fitted.anomaly_score(CLEAN[order], by="reconstruction")), rtol=1e-5)
    # All but what the training went by.
    assert fitted.validation_error_[0] == pytest.approx(
        fitted.anomaly_score(NOISY[order], CLEAN[order], by="reconstruction").mean()
    )


def test_scores_of_pairs_compare_with_the_clean_ones(fitted):
    sigma, model = fitted.model_.likelihood.deviation, fitted
    made = model.scaling_.apply(model.reconstruct(NOISY)) - model.scaling_.apply(CLEAN)
    change = np.log(model.scaling_.scale).sum()
    expected = -0.5 * np.square(made / sigma).sum(1) - 6 * np.log(sigma * np.sqrt(2 * np.pi)) - change
    np.testing.assert_allclose(model.score_samples(NOISY, CLEAN), expected, rtol=1e-3)
    assert model.score(NOISY, CLEAN) == pytest.approx(expected.mean(), rel=1e-3)
    np.testing.assert_array_equal(model.transform(NOISY, CLEAN), model.transform(NOISY))
    assert model.anomaly_score(NOISY[:1], CLEAN[:1]).shape == (1,)


def test_searches_choose_by_the_clean_ones():
    grid = {"epochs": [1, 60]}
    search = GridSearchCV(DenoisingAutoencoder(3, hidden=(16,), random_state=0), grid, cv=2).fit(NOISY, CLEAN)
    assert search.best_params_ == {"epochs": 60}


def test_it_knows_both_of_a_pair_again(fitted):
    for seen in (NOISY, CLEAN):
        with pytest.raises(ValueError, match="80 of the 80 examples of X are those that the model was fitted to"):
            fitted.evaluate(seen)
    same = DenoisingAutoencoder(2, **FEW).fit(CLEAN, CLEAN).reference_
    np.testing.assert_array_equal(same.fingerprints, DenoisingAutoencoder(2, **FEW).fit(CLEAN).reference_.fingerprints)


@pytest.mark.parametrize("verb", ["evaluate", "fit_threshold", "fit_prior"])
def test_what_goes_by_examples_alone_says_so(verb, fitted):
    with pytest.raises(ValueError, match=rf"y has the shape of X, \(80, 6\), but {verb} goes by examples X alone"):
        getattr(fitted, verb)(*(["normal"] if verb == "fit_prior" else []), NOISY, CLEAN)


@pytest.mark.parametrize("kind", [kind for kind in ESTIMATORS.values() if kind is not DenoisingAutoencoder])
@pytest.mark.parametrize("shape", [(6,), (3, 2)], ids=str)
def test_other_models_name_the_one_that_learns_from_pairs(kind, shape):
    noisy, clean = (X.reshape(-1, *shape) for X in (NOISY, CLEAN))
    named = rf"y has the shape of X, .*: DenoisingAutoencoder learns from noisy.*; {kind.__name__} takes clean ones"
    with pytest.raises(ValueError, match=named):
        kind(2).fit(noisy, clean)
    with pytest.raises(ValueError, match="DenoisingAutoencoder"):
        sweep(noisy, clean, model=kind.__name__)


@pytest.mark.parametrize(
    ("noisy", "clean", "named"),
    [
        (NOISY[1:], CLEAN, r"X has shape \(79, 6\) and y \(80, 6\); noisy examples X and clean ones y need the same"),
        (NOISY, CLEAN[:, 1:], r"X has shape \(80, 6\) and y \(80, 5\)"),
        (NOISY.reshape(80, 3, 2), CLEAN, r"X has shape \(80, 3, 2\) and y \(80, 6\)"),
        (
            NOISY,
            np.where(CLEAN[3, 4] == CLEAN, np.nan, CLEAN),
            "y has missing values, or columns that are not numbers; of pairs",
        ),
        (np.where(CLEAN[3, 4] == CLEAN, np.nan, NOISY), CLEAN, "X has missing values, or columns that"),
        (NOISY, np.ma.masked_equal(CLEAN, CLEAN[3, 4]), "y has missing values"),
        (
            pd.DataFrame(NOISY),
            pd.DataFrame(CLEAN).astype({2: str}),
            "y has missing values, or columns that are not numbers",
        ),
        (
            pd.DataFrame(NOISY, columns=list("abcdef")),
            pd.DataFrame(CLEAN, columns=list("abdcef")),
            "column 2 is 'c' in X and 'd' in y",
        ),
    ],
    ids=["rows", "columns", "axes", "NaN", "NaN in X", "masked", "text", "names"],
)
def test_what_are_no_pairs_is_named(noisy, clean, named):
    with pytest.raises(ValueError, match=named):
        DenoisingAutoencoder(2, **FEW).fit(noisy, clean)


def test_a_sweep_names_it_before_it_trains():
    for clean, named in (
        (CLEAN[1:], r"y \(79, 6\); noisy"),
        (np.full_like(CLEAN, np.inf), "y contains infinity in 480"),
    ):
        with pytest.raises(ValueError, match=named):
            Sweep(NOISY, clean, model="DenoisingAutoencoder")


def test_labels_have_no_place_beside_them():
    with pytest.raises(
        ValueError, match=r"conditional=True needs y to be the class .* \(80, 6\), holds clean examples"
    ):
        DenoisingAutoencoder(2, conditional=True).fit(NOISY, CLEAN)
    labelled = DenoisingAutoencoder(2, **FEW).fit(CLEAN, np.arange(80) % 2)
    assert labelled.classes_.tolist() == [0, 1]


def test_frames(fitted, tmp_path):
    noisy, clean = (pd.DataFrame(X, columns=list("abcdef")) for X in (NOISY, CLEAN))
    model = DenoisingAutoencoder(2, **FEW).fit(noisy, clean)
    np.testing.assert_array_equal(weights(model), weights(fitted))
    assert [*model.sample(3).columns] == [*"abcdef"]
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").anomaly_score(noisy, clean), model.anomaly_score(noisy, clean))


def test_weights_count_for_both():
    weight = np.tile([0, 1.0], 40)
    half = DenoisingAutoencoder(2, **FEW).fit(NOISY[1::2], CLEAN[1::2])
    np.testing.assert_array_equal(weights(DenoisingAutoencoder(2, **FEW).fit(NOISY, CLEAN, weight)), weights(half))
    weight[1] = 3
    weighted = DenoisingAutoencoder(2, **FEW).fit(NOISY, CLEAN, weight)
    assert np.abs(weights(weighted) - weights(half)).max() > 0.001


def test_on_disk(tmp_path):
    single = [X.astype(np.float32) for X in (NOISY, CLEAN)]
    on_disk = []
    for name, X in zip(("noisy", "clean"), single, strict=True):
        np.save(tmp_path / f"{name}.npy", X)
        on_disk.append(OnDisk.of_npy(tmp_path / f"{name}.npy"))
    in_memory = DenoisingAutoencoder(2, **FEW).fit(*single)
    for noisy, clean in (on_disk, (single[0], on_disk[1]), (on_disk[0], single[1])):
        model = DenoisingAutoencoder(2, **FEW).fit(noisy, clean)
        np.testing.assert_array_equal(weights(model), weights(in_memory))
        np.testing.assert_allclose(model.anomaly_score(noisy, clean), in_memory.anomaly_score(*single), rtol=1e-5)
    np.save(tmp_path / "clean.npy", np.where(CLEAN[3, 4] == CLEAN, np.nan, CLEAN))
    with pytest.raises(ValueError, match="y contains NaN in 1 of 480 values, first in row 3"):
        DenoisingAutoencoder(2, **FEW).fit(NOISY, OnDisk.of_npy(tmp_path / "clean.npy"))


def test_side_by_side_as_alone():
    several = [DenoisingAutoencoder(d, **FEW) for d in (1, 3)]
    for _ in fit_together(several, NOISY, CLEAN):
        pass
    for model in several:
        alone = DenoisingAutoencoder(**model.get_params()).fit(NOISY, CLEAN)
        np.testing.assert_allclose(weights(model), weights(alone), rtol=1e-3, atol=1e-4)


def test_a_sweep_is_evaluated_by_pairs():
    result = sweep(NOISY, CLEAN, model="DenoisingAutoencoder", latent_dims=(1, 3), **FEW | {"random_state": 0})
    noisy, clean = result.X_test, result.y_test
    rows = [int(np.flatnonzero((row == NOISY).all(1))[0]) for row in noisy]
    np.testing.assert_array_equal(clean, CLEAN[rows])
    scaling, components = (getattr(result.models[3], name) for name in ("scaling_", "reference_"))
    seen, target = map(scaling.apply, (noisy, clean))
    assert result.rows[1].test_error == pytest.approx(
        result.models[3].anomaly_score(noisy, clean, by="reconstruction").mean()
    )
    by_pca = np.square(components.components.restored(seen) - target).mean()
    assert result.rows[1].pca_error == pytest.approx(by_pca, rel=1e-5)
    assert result.mean_error == pytest.approx(np.square(components.components.mean - target).mean(), rel=1e-5)


def test_a_checkpoint_is_of_both(tmp_path):
    path, kind = tmp_path / "a.checkpoint", DenoisingAutoencoder(2, **FEW)
    kind.fit(NOISY, CLEAN, checkpoint=path)
    assert list(kind.fit_steps(NOISY, CLEAN, checkpoint=path)) == []
    for pair, named in (((NOISY, CLEAN + 1e-3), "clean examples"), ((NOISY + 1e-3, CLEAN), "data")):
        with pytest.raises(CheckpointError, match=f"the {named} are others"):
            kind.fit(*pair, checkpoint=path)
    with pytest.raises(CheckpointError, match="the clean examples are others"):
        kind.fit(NOISY, checkpoint=path)


def test_any_model_can_be_asked_about_pairs():
    for model in (Autoencoder(2, **FEW).fit(CLEAN), VAE(2, **FEW).fit(CLEAN)):
        expected = np.square(model.scaling_.apply(model.reconstruct(NOISY)) - model.scaling_.apply(CLEAN)).mean(1)
        np.testing.assert_allclose(model.anomaly_score(NOISY, CLEAN, by="reconstruction"), expected, rtol=1e-4)
