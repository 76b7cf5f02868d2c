"""What people get wrong: an error that names the argument and what would be right, or a documented conversion."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
import sklearn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from narrows import FSQVAE, VAE, VQVAE, Autoencoder, ModelFileError, latent, load, sweep
from narrows.arguments import check_finite
from narrows.estimators import ESTIMATORS
from narrows.evaluation import bits, reconstruction

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(40, 6))


def quick(**options):
    return Autoencoder(**{"latent_dim": 2, "epochs": 2, "hidden": (8,), "random_state": 0, **options})


def with_values(*values):
    bad = X.copy()
    bad.flat[: len(values)] = values
    return bad


BAD_DATA = {
    "empty": (np.empty((0, 6)), ValueError, r"0 sample\(s\)"),
    "no features": (np.empty((5, 0)), ValueError, r"0 feature\(s\)"),
    "one row": (X[:1], ValueError, r"1 sample\(s\).*minimum of 2"),
    "1-D": (X[0], ValueError, r"^X has shape \(6,\); rows .* Reshape your data: .* X\[None\] one example$"),
    "a number": (3.0, ValueError, "Expected 2D array, got scalar array"),
    "5-D": (np.zeros((3, 2, 2, 2, 2)), ValueError, r"X has shape \(3, 2, 2, 2, 2\); rows .* or images"),
    "NaN in images": (
        with_values(np.nan, np.nan).reshape(40, 2, 3),
        ValueError,
        "NaN in 2 of 240 values, first in row 0",
    ),
    "NaN beside infinity": (with_values(np.nan, np.inf), ValueError, "column 1, holds inf in row 0"),
    "a row of NaN": (with_values(*[np.nan] * 6), ValueError, "only missing cells in 1 rows, first in row 0"),
    "infinity": (with_values(1, np.inf), ValueError, "infinity in 1 of 240 values, first in row 0, column 1"),
    "minus infinity": (with_values(-np.inf), ValueError, "infinity in 1 of 240"),
    "1e39": (with_values(1e39), ValueError, r"a value beyond ±3.4e\+38 in 1 of 240 values"),
    "strings": (np.array([["a", "b"], ["c", "d"]]), ValueError, "could not convert string to float: .*'a'"),
    "complex": (X + 1j, ValueError, "Complex data not supported"),
    "sparse": (scipy.sparse.csr_array(X), TypeError, "[Ss]parse data was passed"),
    "a table of pyarrow": (pa.table({"a": [1, 2]}), TypeError, r"X is a Table of pyarrow; give X\.to_pandas\(\)"),
    "ragged": ([[1.0, 2.0], [3.0]], ValueError, "inhomogeneous"),
    "masked images": (
        np.ma.masked_equal(with_values(7.0, 7.0), 7.0).reshape(40, 2, 3),
        ValueError,
        r"2 of 240 values masked, first at \(0, 0, 0\)",
    ),
    "channels first": (np.zeros((5, 3, 16, 16)), ValueError, r"X, of shape \(5, 3, 16, 16\), .*channels came first"),
    "one channel first": (np.zeros((5, 1, 28, 28), np.uint8), ValueError, r"np\.moveaxis\(X, 1, -1\)"),
    "one value a column": (
        pd.DataFrame({"when": pd.Timestamp("2024-05-01"), "city": ["Brno"] * 9}),
        ValueError,
        "no column to learn from: when: constant, .*; city: constant, always 'Brno'",
    ),
    "lists": (pd.DataFrame({"a": X[:, 0], "b": [[1]] * 40}), TypeError, r"column 'b', holds mixed .*'\[1\]'"),
    "NaN in a row of a frame": (
        pd.DataFrame(with_values(*[np.nan] * 6), columns=list("abcdef")),
        ValueError,
        "only missing cells in 1 rows",
    ),
}


@pytest.mark.parametrize(("bad", "error", "message"), BAD_DATA.values(), ids=BAD_DATA.keys())
def test_bad_data_at_fit(bad, error, message):
    model = quick()
    with pytest.raises(error, match=message):
        model.fit(bad)
    assert not hasattr(model, "model_")


def test_masks_are_refused_wherever_arrays_enter_and_empty_ones_are_not():
    masked = np.ma.masked_equal(with_values(7.0), 7.0)
    conditional = VAE(2, hidden=(4,), epochs=1, conditional=True).fit(X, np.arange(len(X)) % 2)
    model, tokens = quick().fit(np.ma.array(X)), VQVAE(2, hidden=(4,), epochs=1).fit(X)
    calls = [
        lambda values: quick().fit(X, values[:, 0]),
        lambda values: quick().fit(X, None, values[:, 0]),
        lambda values: VAE(2, hidden=(4,), epochs=1, conditional=True).fit(X, values[:, 0]),
        lambda values: conditional.transform(X, values[:, 0]),
        lambda values: model.evaluate(X + 1e-3, values[:, 0]),
        lambda values: sweep(X, values[:, 0], latent_dims=(1,)),
        lambda values: tokens.decode_tokens(values[:, :2]),
        lambda values: model.transform(values.reshape(40, 2, 3)),
        lambda Z: model.inverse_transform(Z[:, :2]),
        lambda Z: latent.nearest(Z, Z),
        lambda values: sweep(values.reshape(40, 2, 3), latent_dims=(1,)),
        lambda values: reconstruction.fidelity(values, values, 1.0),
        bits.level_distance,
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r" 1 of (240|80|40) values masked, first at \(0,( 0)*,?( 0)?\)"):
            call(masked)
    np.testing.assert_array_equal(model.transform(np.ma.array(X)), model.transform(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_masked_cells_of_a_table_are_missing_ones(dtype):
    values = (with_values(7.0) * 100).astype(dtype)
    masked = np.ma.masked_equal(values, values[0, 0])
    gaps = masked.filled(0).astype(np.result_type(dtype, np.float32))
    gaps[masked.mask] = np.nan
    model, expected = quick().fit(masked), quick().fit(gaps)
    np.testing.assert_array_equal(model.impute(masked), expected.impute(gaps))
    np.testing.assert_array_equal(quick().fit([*masked]).transform(masked), expected.transform(gaps))


@pytest.mark.parametrize("dispatch", [False, True])
def test_tensors_are_taken_for_what_they_hold(dispatch, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # which scikit-learn wants to see, and scipy was to see when imported
    rows = torch.tensor(X, dtype=torch.float32)
    half = rows.to(torch.bfloat16)
    with sklearn.config_context(array_api_dispatch=dispatch):
        for tensor in (rows, rows.clone().requires_grad_(), rows.double(), half, half.clone().requires_grad_()):
            array = tensor.detach().float().numpy()
            model = quick().fit(tensor, sample_weight=torch.ones(40))
            expected = quick().fit(array, sample_weight=np.ones(40))
            np.testing.assert_array_equal(model.transform(tensor), expected.transform(array))
            codes = torch.tensor(expected.transform(array), requires_grad=True)
            np.testing.assert_array_equal(model.inverse_transform(codes), expected.inverse_transform(codes.detach()))


def test_a_frame_s_columns_of_objects_may_hold_numbers():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    objects = frame.astype({"b": object})
    np.testing.assert_array_equal(quick().fit(objects).transform(objects), quick().fit(frame).transform(frame))


@pytest.mark.parametrize("method", ["transform", "reconstruct", "score_samples", "anomaly_score", "error_map", "score"])
def test_bad_data_after_fit(method):
    call = getattr(quick().fit(X), method)
    with pytest.raises(ValueError, match="X has 5 features, but Autoencoder is expecting 6 features"):
        call(X[:, :5])
    with pytest.raises(ValueError, match=r"X holds examples of shape \(2, 3\), but the model was fitted on \(6,\)"):
        call(X.reshape(40, 2, 3))
    with pytest.raises(ValueError, match="NaN in 1 of 240 values"):
        call(with_values(np.nan))
    with pytest.raises(ValueError, match=r"X has shape \(6,\), which is that of one example.* did you mean X\[None\]"):
        call(X[0])


@pytest.mark.filterwarnings("ignore:X reaches from .* may be in other units")
@pytest.mark.parametrize("method", ["transform", "reconstruct", "anomaly_score", "error_map"])
def test_an_example_beyond_32_bits_is_named(method):
    model = quick().fit(X * 1e-3)
    with pytest.raises(ValueError, match=r"1 examples \(the first is row 0\) are so far from the training data"):
        getattr(model, method)(with_values(3e38))


def test_renamed_and_reordered_columns():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = quick().fit(frame)
    with pytest.raises(ValueError, match="should match"):
        model.transform(frame.rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match="same order"):
        model.transform(frame[list("fedcba")])


@pytest.mark.parametrize(
    ("codes", "message"),
    [(np.zeros((3, 3)), "Z has 3 columns, .* latent_dim=2"), (np.zeros(2), "Expected 2D"), ([[np.nan, 0]], "NaN")],
)
def test_bad_codes(codes, message):
    with pytest.raises(ValueError, match=message):
        quick().fit(X).inverse_transform(codes)


@pytest.mark.parametrize("kind", ESTIMATORS.values())
def test_no_code_stands_for_nan(kind):
    model, refused = kind(2, epochs=1, hidden=(8,), scaling="feature", random_state=0).fit(X), 0
    for far in (3e38, 1e38, 1e300):
        codes = np.array([[0.0, 0.0], [far, -far]])
        with np.errstate(over="ignore"):
            decoded = model.fitted_.on("cpu").decoded(torch.tensor(codes.astype(np.float32)), None)
        if np.isfinite(decoded).all():
            assert np.isfinite(model.inverse_transform(codes)).all()
            continue
        refused += 1
        with pytest.raises(ValueError, match=r"^1 codes \(the first is row 1\) are so far from those of the training"):
            model.inverse_transform(codes)
    assert refused or kind in (FSQVAE, VQVAE)  # of which the nearest codes that there can be are taken


@pytest.mark.parametrize("n", [0, -1, 2.5, True, "3", None])
def test_bad_number_of_samples(n):
    with pytest.raises((TypeError, ValueError), match=f"n_samples={n!r} must be a whole number"):
        quick().fit(X).sample(n)


BAD_OPTIONS = [
    ({"latent_dim": 0}, "latent_dim=0 must be a whole number of at least 1"),
    ({"latent_dim": -1}, "latent_dim=-1 must be"),
    ({"latent_dim": 2.5}, "latent_dim=2.5 must be a whole number"),
    ({"latent_dim": True}, "latent_dim=True must be a whole number"),
    ({"latent_dim": "8"}, "latent_dim='8' must be a whole number"),
    ({"latent_dim": 10**9}, "latent_dim=1000000000 must be a whole number of at least 1 and at most 4096"),
    ({"hidden": (10**6, 10**6)}, "units take .* parameters; at most .* are allowed"),
    ({"hidden": 32}, "hidden=32 must be a tuple of whole numbers"),
    ({"hidden": "ab"}, "hidden='ab' must be a tuple"),
    ({"hidden": (8, 0)}, "hidden=0 must be a whole number of at least 1"),
    ({"activation": "rellu"}, "activation='rellu' is unknown; did you mean 'relu'"),
    ({"code_activation": None}, "code_activation=None is unknown"),
    ({"scaling": "minmax"}, "scaling='minmax' is unknown; use one of 'auto', 'global', 'feature'"),
    ({"schedule": "one_cycle"}, "schedule='one_cycle' is unknown; did you mean 'one-cycle'"),
    ({"shortcut": "yes"}, "shortcut='yes' must be True or False"),
    ({"learning_rate": 0}, "learning_rate=0 must be a finite number > 0"),
    ({"learning_rate": float("nan")}, "learning_rate=nan must be a finite number > 0"),
    ({"learning_rate": float("inf")}, "learning_rate=inf must be"),
    ({"learning_rate": "fast"}, "learning_rate='fast' must be"),
    ({"weight_decay": -1}, "weight_decay=-1 must be a finite number ≥ 0"),
    ({"input_noise": -0.1}, "input_noise=-0.1 must be"),
    ({"input_noise": (0.1, -0.1)}, "input_noise=-0.1 must be"),
    ({"input_noise": (0.1, 0.1, 0.1)}, "must be one number, or a pair"),
    ({"input_noise": "much"}, "input_noise='much' must be"),
    ({"batch_size": 0}, "batch_size=0 must be"),
    ({"epochs": 0}, "epochs=0 must be"),
    ({"epochs": "many"}, "epochs='many' must be"),
    ({"patience": 0}, "patience=0 must be"),
    ({"validation_fraction": 1}, "validation_fraction=1 must be a finite number ≥ 0 and ≤ 0.9"),
    ({"random_state": -1}, "random_state=-1 must be"),
    ({"random_state": "seed"}, "random_state='seed' must be"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS, ids=str)
def test_bad_options_are_named_at_fit(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        quick(**options).fit(X)


def test_an_unknown_option_names_the_closest():
    with pytest.raises(TypeError, match="Autoencoder has no option 'latnet_dim'; did you mean 'latent_dim'"):
        Autoencoder(latnet_dim=3)
    with pytest.raises(ValueError, match="Invalid parameter 'latnet_dim'"):
        quick().set_params(latnet_dim=3)


# --- Documented conversions -----------------------------------------------------------


def test_a_batch_larger_than_the_data_takes_all_of_it():
    model = quick(batch_size=10_000, validation_fraction=0.0)
    steps = list(model.fit_steps(X))
    assert len(steps) == 2  # one an epoch


def test_constant_columns_come_back_nearly_as_they_were(table):
    constant = table.copy()
    constant[:, 2] = 7.0
    model = Autoencoder(2, epochs=100, random_state=0).fit(constant)
    assert model.scaling_.scale[2] == 1
    assert np.sqrt(np.square(model.reconstruct(constant)[:, 2] - 7.0).mean()) < 0.1


def test_wholly_constant_data():
    X = np.full((20, 3), 5.0)
    model = quick().fit(X)
    assert np.isfinite(model.reconstruct(X)).all()
    assert np.isfinite(model.sample(4)).all()


def test_an_outlier_of_1e30_is_learned_around():
    X = with_values(1e30)
    model = quick().fit(X)
    assert model.scaling_.scale.max() < 100
    for outputs in (model.reconstruct(X), model.anomaly_score(X), model.score_samples(X)[1:]):
        assert np.isfinite(outputs).all()
    assert model.score_samples(X)[0] == -np.inf  # which 32 bits have for −1e59 nats
    assert model.anomaly_score(X).argmax() == 0


def test_columns_of_unlike_ranges_are_scaled_one_by_one():
    from sklearn.datasets import load_iris

    assert quick().fit(load_iris().data).scaling_.kind == "feature"


def test_a_failed_fit_leaves_it_unfitted():
    model = quick(hidden=(10**6, 10**6))
    with pytest.raises(ValueError, match="parameters"):
        model.fit(X)
    with pytest.raises(NotFittedError):
        model.transform(X)


def test_two_rows_are_enough_and_hold_none_out():
    model = quick().fit(X[:2])
    assert model.validation_error_ is None
    assert "validation_loss" not in model.history_[0]


def test_numpy_numbers_are_numbers():
    model = quick(latent_dim=np.int64(3), learning_rate=np.float32(0.01), epochs=np.int32(2)).fit(X)
    assert model.transform(X).shape == (40, 3)


@pytest.mark.parametrize("state", [np.random.RandomState(3), np.random.default_rng(3)], ids=type)
def test_a_generator_as_random_state_moves_on(state):
    model = quick(random_state=state)
    first, second = model.fit(X).transform(X), model.fit(X).transform(X)
    assert not np.array_equal(first, second)


def test_divergence_is_an_error_and_keeps_the_best_weights():
    model = quick(learning_rate=1e30, schedule="constant", epochs=30, scaling="feature", activation="relu")
    with pytest.raises(FloatingPointError, match=r"diverged in epoch .* try a learning_rate well below 1e"):
        model.fit(X)
    if model.__sklearn_is_fitted__():
        assert all(p.isfinite().all() for p in model.model_.parameters())


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf, 1e39]), min_size=12, max_size=12))
def test_check_finite_counts_the_first_kind_it_names(values):
    rows = np.array(values).reshape(3, 4)
    counts = {"NaN": np.isnan(rows).sum(), "infinity": np.isinf(rows).sum(), "a value beyond": (rows == 1e39).sum()}
    named = next((f"{kind}" for kind, count in counts.items() if count), None)
    if named is None:
        check_finite(rows)
    else:
        with pytest.raises(ValueError, match=f"X contains {named}.* in {counts[named]} of 12 values"):
            check_finite(rows)


def test_a_flow_without_zuko_is_refused_before_the_training(monkeypatch, tmp_path):
    fitted = quick().fit(X)
    monkeypatch.setattr("narrows.models.priors.flows.STEPS", 5)
    fitted.fit_prior("flow", X).save(tmp_path / "m")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    model = quick(prior="flow")
    with pytest.raises(ValueError, match=r"needs zuko, which is not installed: pip install 'narrows\[flows\]'"):
        model.fit(X)
    assert not hasattr(model, "model_")
    with pytest.raises(ModelFileError, match="needs zuko"):
        load(tmp_path / "m")
