"""narrows export, and the lines that it says to run."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from narrows import VAE, Autoencoder


@pytest.fixture
def ran(tmp_path, typed, monkeypatch):
    """Export a model, run the lines that are printed, and return what was printed and the names that they bind."""

    def run(model, *arguments):
        model.save(tmp_path / "m.safetensors")
        output, _ = typed(tmp_path, "export", "m.safetensors", "m.onnx", *arguments)
        lines = output.partition("To run it:")[2].partition("Written:")[0].splitlines()
        names = {}
        monkeypatch.chdir(tmp_path)
        exec("\n".join(line[2:] for line in lines), names)
        return output, names

    return run


@pytest.mark.slow
def test_the_printed_lines_run(ran):
    X = load_digits().images
    model = Autoencoder(4, hidden=(16,), epochs=2, random_state=0).fit(X)
    output, names = ran(model, "--data", "digits")
    assert "from torch, in scaled units, on 256 examples of digits" in output
    blank = np.zeros((1, 8, 8))
    np.testing.assert_allclose(names["restored"], model.reconstruct(blank), atol=1e-3)
    np.testing.assert_allclose(names["code"], model.transform(blank), atol=1e-4)
    np.testing.assert_allclose(names["decoded"], names["restored"], atol=1e-4)


@pytest.mark.slow
def test_a_conditional_model_wants_classes(ran):
    X, y = load_digits(return_X_y=True)
    output, names = ran(VAE(4, hidden=(16,), epochs=1, conditional=True, random_state=0).fit(X, y))
    assert "on 256 examples drawn from the model's prior" in output
    assert names["restored"].shape == (1, 64)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_run_of_a_named_set_is_compared_on_that(tmp_path, typed):
    typed(tmp_path, "train", "digits", "--epochs", "1", "--latent-dim", "2", "--out", "run")
    output, _ = typed(tmp_path, "export", "run", "m.onnx")
    assert "on 256 examples of digits" in output


def test_nothing_is_replaced_and_other_endings_are_one_line(tmp_path, typed):
    Autoencoder(1, hidden=(4,), epochs=1, random_state=0).fit(np.eye(4)).save(tmp_path / "m.safetensors")
    _, errors = typed(tmp_path, "export", "m.safetensors", "m.pt", status=2)
    assert "must end in .onnx" in errors
    (tmp_path / "m-encoder.onnx").write_text("mine")
    _, errors = typed(tmp_path, "export", "m.safetensors", "m.onnx", status=2)
    assert errors == "narrows: error: m-encoder.onnx already exists; name a new file (narrows help deploy)\n"
    assert not (tmp_path / "m.onnx").exists()
