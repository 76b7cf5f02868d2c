"""ONNX files do what torch does, for every member of the family, and what would not is never written."""

import json

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from onnxruntime import InferenceSession
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from members import MEMBERS, OF_IMAGES, SHAPES, data, labels
from narrows import VAE, Autoencoder, export
from narrows.export import TOLERANCE, to_onnx

AS_OTHERS = {"lecture", "fixed sigma", "denoising", "blocks", "swaps", "contractive", "regularized", "wae", "vampprior"}
AS_OTHERS |= {"laplace", "poisson, variational", "negative binomial", "negative binomial, variational"}
"""Whose nets are those of other members, from the first layer to the link: they differ in how they are trained."""

CASES = [(name, "rows") for name in MEMBERS if name not in AS_OTHERS]
CASES += [(name, "odd") for name in OF_IMAGES] + [("vae", "colour")]
QUANTISED = {"vqvae", "fsqvae"}


def run(path, **inputs):
    return InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, inputs)[0]


def reference(path, **inputs):
    return ReferenceEvaluator(str(path)).run(None, inputs)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_member_runs_without_torch(name, kind, tmp_path):
    X = data(SHAPES[kind])
    y = labels(len(X))
    model = clone((MEMBERS | OF_IMAGES)[name]).fit(X, y)
    classes = {"y": y} if model.conditional else {}
    made = to_onnx(model, tmp_path / "m.onnx", X, y if model.conditional else None)
    assert made.difference <= TOLERANCE
    assert (made.dtype, made.examples) == ("float32", len(X))
    codes = model.transform(X, y)
    for n, runtime in ((1, run), (7, run), (7, reference)):
        part = {"x": X[:n].astype(np.float32)} | {key: value[:n] for key, value in classes.items()}
        coded = {"code": codes[:n]} | {key: value[:n] for key, value in classes.items()}
        restored = runtime(made.whole, **part)
        assert restored.shape == X[:n].shape
        if name not in QUANTISED:  # in which rounding may choose another code, of one example in a hundred
            assert scaled(model, restored - model.reconstruct(X[:n], y[:n])) <= TOLERANCE
            np.testing.assert_allclose(
                runtime(made.encoder, **part), codes[:n], atol=TOLERANCE * max(1, np.abs(codes).max())
            )
        assert scaled(model, runtime(made.decoder, **coded) - model.inverse_transform(codes[:n], y[:n])) <= TOLERANCE


def scaled(model, difference):
    return np.abs(difference.reshape(len(difference), -1) / model.scaling_.scale).max()


class Relu(OpRun):
    """A runtime's that takes the larger of 0 and a number, and of 0 and NaN 0."""

    op_domain = ""

    def _run(self, x):
        return (np.fmax(x, np.zeros_like(x)),)


class Tanh(OpRun):
    """A runtime's that computes it as it is written, with exponentials that overflow in 32 bits."""

    op_domain = ""

    def _run(self, x):
        with np.errstate(over="ignore", invalid="ignore"):
            up, down = np.exp(x), np.exp(-x)
            return ((up - down) / (up + down),)


def test_runtimes_whose_activations_lose_nan_still_tell_an_unknown_class(tmp_path):
    X, y = data((4,)), labels(120)
    options = {"activation": "relu", "shortcut": False, "conditional": True}
    model = Autoencoder(2, hidden=(8, 8), epochs=2, prior="normal", random_state=0, **options).fit(X, y)
    made = to_onnx(model, tmp_path / "m.onnx", X, y)
    x, code = X[:3].astype(np.float32), model.transform(X[:3], y[:3])
    for path, given in ((made.whole, {"x": x}), (made.encoder, {"x": x}), (made.decoder, {"code": code})):
        losing = ReferenceEvaluator(str(path), new_ops=[Relu])
        assert "Relu" in {node.op_type for node in losing.proto_.graph.node}
        found = losing.run(None, given | {"y": np.array([10, 7, 0])})[0]
        np.testing.assert_array_equal(np.isnan(found).reshape(3, -1).all(1), [False, True, False])
        assert np.isfinite(found[[0, 2]]).all()


@pytest.mark.slow
def test_examples_far_from_the_data_survive_a_literal_tanh(tmp_path):
    X = data((4,))
    model = Autoencoder(2, hidden=(8,), activation="tanh", epochs=2, prior="normal", random_state=0).fit(X)
    made = to_onnx(model, tmp_path / "m.onnx", X)
    far = (X[:4] + np.array([[2e3], [-2e4], [2e5], [-2e6]])).astype(np.float32)
    found = ReferenceEvaluator(str(made.encoder), new_ops=[Tanh]).run(None, {"x": far})[0]
    with pytest.warns(UserWarning, match="other units"):
        expected = model.transform(far)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_file_says_what_it_is(tmp_path):
    X, y = data((4, 5)), np.array(["one", "two", "three"])[np.arange(120) % 3]
    model = VAE(2, hidden=(8,), epochs=2, conditional=True, random_state=0).fit(X, y)
    model.set_params(latent_dim=99, conditional=False)  # options of now say nothing of a fitted model
    made = to_onnx(model, tmp_path / "m.onnx")
    assert {path.name for path in tmp_path.iterdir()} == {"m.onnx", "m-encoder.onnx", "m-decoder.onnx"}
    proto = onnx.load(made.whole)
    onnx.checker.check_model(proto)
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    assert (facts["model"], facts["latent_dim"]) == ("VAE", "2")
    assert json.loads(facts["input_shape"]) == [4, 5]
    known = json.loads(facts["classes"])
    codes = model.transform(X[:3], y[:3])
    places = np.array([known.index(label) for label in y[:3]])
    np.testing.assert_allclose(run(made.encoder, x=X[:3].astype(np.float32), y=places), codes, atol=1e-5)
    assert np.isnan(run(made.encoder, x=X[:1].astype(np.float32), y=np.array([7]))).all()
    for path in (made.whole, made.encoder, made.decoder):
        assert b".py" not in path.read_bytes(), "a path of this machine"


def test_classes_of_more_than_32_bits_are_told_apart_where_only_32_are_compared(tmp_path):
    X, y = data((4,)), np.array([2**40, 2**41, 7])[np.arange(120) % 3]
    model = VAE(2, hidden=(8,), epochs=2, prior="normal", conditional=True, random_state=0).fit(X, y)
    made = to_onnx(model, tmp_path / "m.onnx", X, y)
    proto = onnx.load(made.encoder)
    known = json.loads({entry.key: entry.value for entry in proto.metadata_props}["classes"])
    assert known == [7, 2**40, 2**41]
    (compared,) = [one for one in proto.graph.initializer if one.name == "known"]
    assert onnx.numpy_helper.to_array(compared).tolist() == [0, 1, 2]
    places = np.array([known.index(label) for label in y[:3]])
    np.testing.assert_allclose(
        run(made.encoder, x=X[:3].astype(np.float32), y=places), model.transform(X[:3], y[:3]), atol=1e-5
    )


def test_named_columns_need_no_warning(tmp_path):
    frame = pd.DataFrame(data((3,)), columns=["a", "b", "c"])
    model = Autoencoder(1, hidden=(4,), epochs=1, random_state=0).fit(frame)
    made = to_onnx(model, tmp_path / "m.onnx", frame)
    names = {entry.key: entry.value for entry in onnx.load(made.whole).metadata_props}
    assert json.loads(names["feature_names"]) == ["a", "b", "c"]


def test_numbers_far_from_0_keep_their_digits(tmp_path):
    X = 1.7e9 + np.random.default_rng(0).normal(size=(100, 3))  # seconds since 1970
    model = Autoencoder(2, hidden=(8,), epochs=2, random_state=0).fit(X)
    made = to_onnx(model, tmp_path / "m.onnx", X)
    assert made.dtype == "float64"
    np.testing.assert_allclose(run(made.whole, x=X), model.reconstruct(X), rtol=0, atol=1e-5)


def test_what_does_otherwise_is_not_written(tmp_path, monkeypatch):
    X = data((7,))
    model = Autoencoder(2, hidden=(8,), epochs=2, random_state=0).fit(X)
    right = export.InUnits.forward

    def wrong(self, given, y=None):
        return right(self, given, y) + 1e-3 * self.scale[0]

    monkeypatch.setattr(export.InUnits, "forward", wrong)
    with pytest.raises(
        FloatingPointError, match=r"differs from torch by .* at most 1e-05 is allowed, so nothing was written"
    ):
        to_onnx(model, tmp_path / "m.onnx", X)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"), [("m.pt", "must end in .onnx"), ("no/m.onnx", "in a folder that does not exist")]
)
def test_places_it_cannot_go(tmp_path, name, message):
    model = Autoencoder(1, hidden=(4,), epochs=1, random_state=0).fit(data((3,)))
    with pytest.raises(ValueError, match=message):
        to_onnx(model, tmp_path / name)


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    model = Autoencoder(1, hidden=(4,), epochs=1, random_state=0).fit(data((3,)))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(ValueError, match="needs onnxscript, which is not installed"):
        to_onnx(model, tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("versions", "words"), [({"opset": 99}, "opset=99 is not available"), ({"ir_version": 99}, "onnxruntime")]
)
def test_versions_that_cannot_be_had_are_refused(tmp_path, versions, words):
    model = Autoencoder(2, hidden=(8,), epochs=1, random_state=0).fit(data((5,)))
    with pytest.raises(ValueError, match=words):
        to_onnx(model, tmp_path / "m.onnx", **versions)
    assert not list(tmp_path.iterdir())


def test_the_best_of_a_search_is_taken_also_of_a_pipeline_with_the_versions_asked_for(tmp_path):
    X = data((5,))
    model = make_pipeline(Autoencoder(2, hidden=(8,), epochs=1, random_state=0))
    search = GridSearchCV(model, {"autoencoder__latent_dim": [1, 2]}, cv=2).fit(X)
    made = to_onnx(search, tmp_path / "m.onnx", opset=17, ir_version=8)
    np.testing.assert_allclose(
        run(made.encoder, x=X[:3].astype(np.float32)), search.best_estimator_.transform(X[:3]), atol=1e-4
    )
    for path in (made.whole, made.encoder, made.decoder):
        file = onnx.load(path)
        assert ({one.domain: one.version for one in file.opset_import}[""], file.ir_version) == (17, 8)


def test_other_steps_of_a_pipeline_and_other_estimators_are_refused(tmp_path):
    X = data((5,))
    model = Autoencoder(2, hidden=(8,), epochs=1, random_state=0)
    with pytest.raises(TypeError, match=r"the steps standardscaler of the pipeline would not be in the ONNX files"):
        to_onnx(make_pipeline(StandardScaler(), model).fit(X), tmp_path / "never.onnx")
    with pytest.raises(TypeError, match=r"StandardScaler is not a model of narrows"):
        to_onnx(StandardScaler().fit(X), tmp_path / "never.onnx")
    assert not list(tmp_path.iterdir())


def cells_in(rows, columns):
    """Values as cells, by nothing but what the JSON file says."""

    def cell(value, column):
        if pd.isna(value):
            return np.nan
        if column["cell"] == "level":
            return column["levels"].index(value) if value in column["levels"] else len(column["levels"])
        if column["cell"] == "seconds":
            return np.datetime64(value, "us").astype(float) / 1e6
        low = column["low"]
        if column["cell"] == "logarithm":
            return np.log(value) if value >= low else np.log(low) + (value - low) / low
        return float(value)

    return np.array([[cell(row[column["name"]], column) for column in columns] for row in rows])


def values_of(cells, columns):
    """Cells as values, likewise."""

    def value(cell, column):
        if column["cell"] == "level":
            return column["levels"][int(cell)]
        if column["cell"] == "logarithm":
            start = np.log(column["low"])
            cell = np.exp(cell) if cell >= start else column["low"] * (1 + cell - start)
        step = column["step"]
        number = round(cell / step) * step if step else cell
        number = max(number, column["low"]) if column["kind"] == "count" else number
        return np.datetime64(round(number * 1e6), "us") if column["cell"] == "seconds" else number

    return {c["name"]: [value(cell, c) for cell in own] for c, own in zip(columns, cells.T, strict=True)}


def gappy_people():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 120))
    frame = pd.DataFrame(
        {
            "id": [f"p{row}" for row in rng.permutation(120)],
            "age": np.rint(50 + 15 * a),
            "income": np.exp(10 + b),
            "city": np.where(a > 0.5, "Brno", np.where(a > -0.5, "Praha", "Plzeň")),
            "member": b > 0,
            "visits": rng.poisson(np.exp(0.5 + a)) + 0.0,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.rint(400 + 100 * b), unit="D"),
            "size": pd.Categorical(list("SML" * 40), categories=list("SML"), ordered=True),
        }
    )
    known = rng.random(frame.shape) > 0.15
    known[:, :2] = True
    return frame.where(known)


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_a_table_is_read_by_what_its_coding_says(kind, tmp_path):
    frame = gappy_people()
    model = kind(3, hidden=(8,), epochs=3, random_state=0, prior="normal").fit(frame[:100])
    made = to_onnx(model, tmp_path / "m.onnx")
    assert made.difference <= TOLERANCE
    columns = json.loads(made.coding.read_text(encoding="utf-8"))["columns"]
    new = frame[100:].reset_index(drop=True)
    new.loc[3, "city"] = "Ostrava"  # which it has not seen
    x = cells_in(new.to_dict("records"), columns).astype(made.dtype)
    np.testing.assert_allclose(run(made.encoder, x=x), model.transform(new), atol=1e-4)
    restored = values_of(run(made.whole, x=x), columns)
    expected = model.reconstruct(new)
    assert list(restored) == [name for name in frame if name != "id"]
    for name, values in restored.items():
        if name in ("age", "income", "visits"):
            np.testing.assert_allclose(values, expected[name], rtol=1e-4, err_msg=name)
        else:
            assert (pd.Series(values) == expected[name].astype(object)).mean() == 1, name
    assert to_onnx(model, tmp_path / "n.onnx", new).examples == 20
