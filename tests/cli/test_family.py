"""Every named model through the verbs, in this process: what they write, and how they refuse."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from narrows import latent, load
from narrows.cli.learn import MODELS
from narrows.estimators import ESTIMATORS

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with 200 digits, an image, and a table with a text label."""
    home = tmp_path_factory.mktemp("family")
    digits = load_digits()
    np.savez(home / "some.npz", X=digits.images[:200], y=digits.target[:200])
    np.save(home / "plain.npy", digits.images[:200])
    Image.fromarray(digits.images[0].astype(np.uint8)).save(home / "zero.png")
    rows = np.random.default_rng(0).normal(size=(60, 3)) + np.repeat([[0], [5]], 30, 0)
    lines = [",".join([*map(str, row), "low" if i < 30 else "high"]) for i, row in enumerate(rows)]
    (home / "table.csv").write_text("\n".join(["a,b,c,class", *lines]))
    (home / "rare.csv").write_text("\n".join(["a,label", *(f"{i},common" for i in range(9)), "9,rare", "10,odd"]))
    return home


@pytest.fixture
def narrows(folder, typed):
    """Run a command in the folder and return what it printed: standard output, or the error."""

    def command(*arguments, status=0):
        output, errors = typed(folder, *arguments, status=status)
        return errors if status else output

    return command


@pytest.fixture
def trained(folder, narrows):
    """Return the folder of a model trained with these arguments, once."""

    def train(name, data, *arguments):
        if not (folder / name).exists():
            narrows("train", data, "--out", name, "--epochs", 3, *arguments)
        return name

    return train


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def results(path):
    return json.loads((path / "results.json").read_text())


def test_every_named_model_has_a_name():
    assert set(MODELS.values()) == set(ESTIMATORS)


@pytest.mark.parametrize("name", [*MODELS, "DenoisingAutoencoder", "VQ-VAE"])
def test_every_model_is_trained_and_makes_examples_of_a_class(folder, narrows, name):
    narrows("train", "some.npz", "--model", name, "--epochs", 1, "--out", f"m-{name}", "--option", "hidden=[16]")
    model = load(folder / f"m-{name}" / "model.safetensors")
    kind = MODELS.get(name) or {"DenoisingAutoencoder": "DenoisingAutoencoder", "VQ-VAE": "VQVAE"}[name]
    assert type(model) is ESTIMATORS[kind]
    assert model.hidden == (16,)
    assert model.latent_dim == (64 if name == "sparse" else 8)
    assert results(folder / f"m-{name}")["model"] == kind
    narrows("generate", f"m-{name}", "--n", 5, "--label", 7, "--seed", 2, "--out", f"g-{name}")
    made = np.load(folder / f"g-{name}" / "samples.npy")
    np.testing.assert_array_equal(made, model.sample(5, 7, random_state=2))


def test_options_reach_the_model(folder, narrows):
    arguments = ["--option", "beta=2", "--option", "free-bits=0.1", "--option", "prior=normal", "--option", "sigma=0.5"]
    narrows("sweep", "some.npz", "--model", "vae", "--latent-dims", "1,2", "--epochs", 1, "--out", "opt", *arguments)
    model = load(folder / "opt" / "latent_dim-2.safetensors")
    assert (model.beta, model.free_bits, model.prior, model.sigma) == (2, 0.1, "normal", 0.5)
    assert results(folder / "opt")["options"]["beta"] == 2


def test_labels_that_are_no_classes_are_not_learned(folder, narrows):
    for name, labels in {"quantity": [f"{i / 7:.3f}" for i in range(40)] * 2, "names": range(80)}.items():
        lines = [f"{i % 9},{i % 5},{label}" for i, label in enumerate(labels)]
        (folder / f"{name}.csv").write_text("\n".join(["a,b,y", *lines]))
        narrows("train", f"{name}.csv", "--latent-dim", 1, "--epochs", 1, "--out", f"out-{name}")
        assert load(folder / f"out-{name}" / "model.safetensors").classes_ is None


def test_a_conditional_model_gets_its_labels_everywhere(folder, narrows, trained):
    model = trained("conditional", "some.npz", "--model", "vae", "--conditional", "--latent-dim", 2)
    estimator = load(folder / model / "model.safetensors")
    X, y = np.load(folder / "some.npz").values()
    assert estimator.conditional
    narrows("reconstruct", model, "some.npz", "--out", "conditional-back")
    np.testing.assert_array_equal(
        np.load(folder / "conditional-back" / "reconstructed.npy"), estimator.reconstruct(X, y)
    )
    errors = np.array([float(row["error"]) for row in table(folder / "conditional-back" / "errors.csv")])
    np.testing.assert_allclose(errors, estimator.anomaly_score(X, y, by="reconstruction"))
    assert results(folder / "conditional-back")["mean"] == pytest.approx(errors.mean())
    narrows("encode", model, "some.npz", "--out", "c.csv")  # whose labels come back as text
    narrows("decode", model, "c.csv", "--out", "conditional-decoded")
    decoded = np.load(folder / "conditional-decoded" / "decoded.npy")
    np.testing.assert_allclose(decoded, estimator.reconstruct(X, y), atol=1e-4)
    narrows("generate", "--from", model, "--like", "zero.png", "--label", 0, "--n", 4, "--out", "conditional-like")
    narrows("interpolate", model, "some.npz", "--examples", "3,5", "--out", "conditional-path")
    path = np.load(folder / "conditional-path" / "path.npy")
    np.testing.assert_allclose(path[0], estimator.reconstruct(X[3:4], y[3:4])[0], atol=1e-4)


def test_generate_like_decodes_a_code_with_noise(folder, narrows, trained):
    model = trained("noisy", "some.npz", "--model", "noisy")
    estimator = load(folder / model / "model.safetensors")
    X = np.load(folder / "plain.npy")
    arguments = ["--like", "plain.npy", "--example", 3, "--noise", 0.25, "--n", 7, "--seed", 1]
    printed = narrows("generate", "--from", model, *arguments, "--out", "like")
    assert "the original, its reconstruction" in printed
    code = estimator.transform(X[3:4])[0]
    expected = estimator.inverse_transform(latent.around(code, 0.25, 7, random_state=1))
    np.testing.assert_array_equal(np.load(folder / "like" / "samples.npy"), expected)
    written = results(folder / "like")
    assert (written["noise"], written["example"], written["code"]) == (0.25, 3, code.tolist())
    narrows("generate", model, "--like", "zero.png", "--noise", 0, "--n", 1, "--out", "still")
    still = np.load(folder / "still" / "samples.npy")
    np.testing.assert_allclose(still, estimator.reconstruct(np.asarray(Image.open(folder / "zero.png"))[None]))


@pytest.mark.parametrize("kind", ["gaussian", "masking", "salt-and-pepper", "block"])
def test_denoise_measures_the_error_before_and_after(folder, narrows, trained, kind):
    model = trained("denoising", "some.npz", "--model", "denoising")
    estimator = load(folder / model / "model.safetensors")
    X = np.load(folder / "plain.npy")
    arguments = ["--add", kind, "--level", 0.4, "--seed", 5, "--out", f"clean-{kind}"]
    printed = narrows("denoise", model, "plain.npy", *arguments)
    noisy = estimator.corrupt(X, corruption=kind, level=0.4, random_state=5)
    np.testing.assert_array_equal(np.load(folder / f"clean-{kind}" / "noisy.npy"), noisy)
    denoised = np.load(folder / f"clean-{kind}" / "denoised.npy")
    np.testing.assert_array_equal(denoised, estimator.reconstruct(noisy))
    means = results(folder / f"clean-{kind}")["errors"]
    for name, examples in (("noisy", noisy), ("denoised", denoised)):
        assert means[name] == pytest.approx(np.square((examples - X) / 16).mean(), rel=1e-5)
        rows = table(folder / f"clean-{kind}" / "errors.csv")
        assert np.mean([float(row[name]) for row in rows]) == pytest.approx(means[name])
        assert f"{name} {means[name]:.4f}" in printed


def test_denoise_without_add_takes_the_data_as_they_are(folder, narrows, trained):
    model = trained("denoising", "some.npz", "--model", "denoising")
    narrows("denoise", model, "plain.npy", "--out", "as-they-are")
    written = {file.name for file in (folder / "as-they-are").iterdir()}
    assert written == {"denoised.npy", "denoised.png", "results.json"}


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_interpolate_goes_from_one_to_the_other(folder, narrows, trained, kind):
    model = trained("denoising", "some.npz", "--model", "denoising")
    arguments = ["--examples", "4,2", "--steps", 5, "--kind", kind, "--out", f"way-{kind}"]
    narrows("interpolate", model, "plain.npy", *arguments)
    estimator = load(folder / model / "model.safetensors")
    X = np.load(folder / "plain.npy")
    path = np.load(folder / f"way-{kind}" / "path.npy")
    np.testing.assert_allclose(path[[0, -1]], estimator.reconstruct(X[[4, 2]]), atol=1e-4)
    codes = np.array([list(map(float, row.values())) for row in table(folder / f"way-{kind}" / "codes.csv")])
    np.testing.assert_allclose(codes, latent.interpolate(*estimator.transform(X[[4, 2]]), 5, kind))


def test_tables_go_through_every_verb(folder, narrows, trained):
    model = trained("table", "table.csv", "--latent-dim", 1, "--model", "rae", "--conditional")
    narrows("denoise", model, "table.csv", "--add", "gaussian", "--out", "table-clean")
    assert list(table(folder / "table-clean" / "denoised.csv")[0]) == ["a", "b", "c"]
    narrows("interpolate", model, "table.csv", "--out", "table-way")
    assert len(table(folder / "table-way" / "path.csv")) == 9
    narrows("generate", model, "--like", "table.csv", "--n", 4, "--out", "table-like")
    assert len(table(folder / "table-like" / "samples.csv")) == 4
    narrows("generate", model, "--label", "high", "--n", 3, "--out", "table-new")
    assert len(table(folder / "table-new" / "samples.csv")) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "some.npz", "--option", "beta=1"], "Autoencoder has no option 'beta'"),
        (["train", "some.npz", "--model", "vae", "--option", "beta=x"], "beta='x' must be a finite number"),
        (["train", "some.npz", "--model", "vae", "--option", "beta"], "--option 'beta' must be KEY=VALUE"),
        (["train", "some.npz", "--model", "vae", "--option", "=3"], "must be KEY=VALUE"),
        (["train", "some.npz", "--option", "test_size=0.5"], "has no option 'test_size'"),
        (["train", "some.npz", "--option", "latent-dim=5"], "an option of its own, --latent-dim"),
        (["train", "some.npz", "--option", "hidden={}"], "hidden={} must be a tuple"),
        (["train", "some.npz", "--model", "vae", "--recipe", "lecture"], "code_activation, which VAE does not have"),
        (["train", "plain.npy", "--conditional"], "conditional=True needs y"),
        (["train", "rare.csv", "--conditional"], "two examples or more of each class"),
        (["generate"], "MODEL or by --from MODEL; neither is given"),
        (["generate", "plain", "--from", "plain"], "plain and --from plain are both given"),
        (["generate", "plain", "--noise", "0.5"], "--noise 0.5 has no effect without --like"),
        (["generate", "plain", "--example", "0"], "--example 0 has no effect without --like"),
        (["generate", "plain", "--like", "plain.npy", "--example", "200"], "counted from 0 to 199"),
        (["generate", "plain", "--like", "plain.npy", "--noise", "-1"], "error: --noise=-1.0 must be"),
        (["generate", "plain", "--n", "0"], "error: --n=0 must be"),
        (["generate", "plain", "--like", "plain.npy", "--noise", "x"], "'x' is not a number"),
        (["generate", "plain", "--like", "plain.npy", "--label", "7"], "--label 7 has no effect here"),
        (["generate", "plain", "--label", "7"], "trained without classes"),
        (["generate", "labelled", "--label", "17"], "label '17' is not a class that the model knows"),
        (["reconstruct", "labelled", "plain.npy"], "DATA plain.npy has no labels, and MODEL labelled, which is condit"),
        (["denoise", "plain", "plain.npy", "--add", "gausian"], "did you mean 'gaussian'"),
        (["denoise", "plain", "plain.npy", "--level", "0.2"], "--level 0.2 has no effect without --add"),
        (["denoise", "plain", "plain.npy", "--add", "masking", "--level", "2"], "level=2.0 must be"),
        (["interpolate", "plain", "plain.npy", "--examples", "1"], "--examples '1' names 1; two are expected"),
        (["interpolate", "plain", "plain.npy", "--examples", "0,-1"], "--examples -1"),
        (["interpolate", "plain", "plain.npy", "--steps", "1"], "steps=1 must be"),
        (["interpolate", "plain", "plain.npy", "--kind", "round"], "kind='round' is unknown"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_status_2(folder, narrows, trained, arguments, message):
    trained("plain", "plain.npy")
    trained("labelled", "some.npz", "--conditional")
    errors = narrows(*arguments, status=2)
    assert message in errors
    assert errors.startswith("narrows: error: ")
    assert errors.count("\n") == 1
    assert not (folder / "runs").exists()


def test_help_lists_the_models(narrows):
    printed = narrows("train", "--help")
    assert all(name in printed for name in MODELS)


def test_the_next_commands_say_what_was_said(folder, narrows):
    for i in range(8):
        (folder / "tall" / str(i % 2)).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 256, (12, 9), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "tall" / str(i % 2) / f"{i}.png")
    chosen = ["--model", "vae", "--option", "beta=2", "--option", "hidden=[8, 4]", "--option", "net=dense"]
    scaled = ["--size", "8", "--fit", "pad"]
    printed = narrows("train", "tall", *scaled, *chosen, "--conditional", "--epochs", 1, "--out", "next")
    commands = [line.split("  #")[0].split() for line in printed.splitlines() if "  #" in line]
    by_verb = {line[line.index("next/model.safetensors") - 1]: line for line in commands if "sweep" not in line}
    assert by_verb["reconstruct"][-3:] == ["tall", "--fit", "pad"]
    sweep = next(line for line in commands if "sweep" in line)
    expected = "sweep tall --size 8 --fit pad --model vae --option beta=2 --option 'hidden=[8, 4]' --option net=dense"
    assert " ".join(sweep).endswith(f"{expected} --conditional")
    printed = narrows("train", "plain.npy", "--epochs", 1, "--out", "no-options")
    assert (
        next(line for line in printed.splitlines() if " sweep " in line)
        .split("  #")[0]
        .rstrip()
        .endswith("sweep plain.npy")
    )


def test_large_images_are_trained_with_a_word_of_advice(folder, narrows):
    np.save(folder / "large.npy", np.random.default_rng(0).random((8, 260, 2)))
    printed = narrows("train", "large.npy", "--option", "net=dense", "--latent-dim", 1, "--epochs", 1, "--out", "large")
    assert "more than 256 pixels a side take long; scaling them to, say, 64×64 is quicker" in printed
