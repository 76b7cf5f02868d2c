"""What the command line names is opened, with data to show it with; nothing else is."""

import json
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

import narrows.web.library
from narrows import load
from narrows.cli import main
from narrows.data.errors import DataError
from narrows.web.library import Library, open_models


@pytest.fixture
def run(tmp_path, library):
    """A run folder of two models of the digits, as `narrows sweep` leaves one."""
    for name in ("plane", "one"):
        estimator = library[name].estimator
        estimator.save(tmp_path / f"latent_dim-{estimator.latent_dim}.safetensors")
    row = {"latent_dim": 2, "test_error": 0.03, "test_error_se": 0.001, "pca_error": 0.05}
    write(tmp_path, {"data": {"name": "digits", "shape": [1797, 8, 8]}, "rows": [row]})
    return tmp_path


def write(folder, results):
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


def test_a_run_remembers_a_set_of_ours_and_its_errors(run):
    one, two = open_models([run])
    assert (one.estimator.latent_dim, two.estimator.latent_dim) == (1, 2)
    assert two.dataset.name == "digits"
    assert two.classes == list("0123456789")
    assert two.measured == (0.03, 0.001, "test", 0.05)
    assert one.measured.subset == "validation"
    assert one.dataset.X is not None
    assert len(one.X) == 1797
    assert not one.from_prior


@pytest.mark.parametrize(
    "results",
    [
        {},
        [],
        {"data": None},
        {"data": {"name": "digits", "shape": [50, 8, 8]}},
        {"data": {"name": "my-own", "shape": [1797, 8, 8]}},
    ],
)
def test_other_data_are_not_guessed(run, results):
    """Also a file of the same name as a set of ours, which has another shape."""
    write(run, results)
    assert all(entry.from_prior and entry.dataset.name == "samples" for entry in open_models([run]))


def test_named_data_are_shown_at_most_so_many(run, tmp_path):
    np.savez(tmp_path / "own.npz", X=load_digits().images, y=load_digits().target)
    entry = next(iter(open_models([run], str(tmp_path / "own.npz"), 100)))
    assert (len(entry.X), entry.total, entry.dataset.name) == (100, 1797, "own")
    rows = [np.flatnonzero((load_digits().images == x).all((1, 2)))[0] for x in entry.X]
    np.testing.assert_array_equal(entry.dataset.y, load_digits().target[rows])


def test_the_python_lines_make_the_same_model(run, monkeypatch):
    monkeypatch.chdir(run)
    entry = list(open_models([run]))[1]
    made = {}
    exec("\n".join(entry.python), made)
    np.testing.assert_array_equal(made["model"].transform(made["data"].X), entry.codes)


def test_the_digits_are_trained_one_by_one(monkeypatch):
    monkeypatch.setattr(narrows.web.library, "DIGITS", (("Autoencoder", 2, 1), ("VAE", 2, 1)))
    library = Library()
    assert not library.progress.done
    library.train_digits()
    library._thread.join()
    assert library.progress.done
    assert not library.progress.error
    first, second = library
    assert (first.id, second.id) == ("autoencoder-2", "vae-2")
    assert first.measured.subset == "test"
    assert library.kin(first) == [first, second]
    made = {}
    exec("\n".join(first.python), made)
    np.testing.assert_array_equal(made["model"].transform(made["data"].X), first.codes)


def test_training_can_be_stopped_and_says_what_fails(monkeypatch):
    monkeypatch.setattr(narrows.web.library, "DIGITS", (("Autoencoder", 2, 500),))
    library = Library()
    library.train_digits()
    library.close()
    assert not list(library)
    monkeypatch.setattr(narrows.web.library, "DIGITS", (("Autoencoder", -1, 1),))
    library = Library()
    library.train_digits()
    library._thread.join()
    assert "-1" in library.progress.error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.safetensors"], "MODEL nothing.safetensors does not exist"),
        (["."], "without a model"),
        (["--data", "digits"], "needs a MODEL"),
        (["model.safetensors", "--data", "moons"], "takes (8, 8)"),
        (["model.safetensors", "--data", "no-such"], "no-such"),
        (["not-a-model.safetensors"], "not-a-model"),
        (["--port", "many"], "whole number"),
    ],
)
def test_the_command_line_refuses_in_one_line(tmp_path, monkeypatch, capsys, library, arguments, said):
    monkeypatch.chdir(tmp_path)
    if "." not in arguments:
        library["plane"].estimator.save("model.safetensors")
        (tmp_path / "not-a-model.safetensors").write_bytes(b"nothing")
    monkeypatch.setattr(sys, "argv", ["narrows", "explore", "--no-browser", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    told = capsys.readouterr().err
    assert end.value.code == 2
    assert said in " ".join(told.split())
    assert "Traceback" not in told


def test_a_conditional_model_needs_labels_that_it_knows(tmp_path, library):
    library["conditional"].estimator.save(tmp_path / "model.safetensors")
    np.save(tmp_path / "unlabelled.npy", load_digits().images)
    with pytest.raises(DataError, match="no labels"):
        open_models([tmp_path], str(tmp_path / "unlabelled.npy"))
    assert load(tmp_path / "model.safetensors").conditional


def test_a_model_without_data_shows_its_own_samples(tmp_path, library):
    for name in ("plane", "conditional", "rows"):
        library[name].estimator.save(tmp_path / f"{name}.safetensors")
    opened = open_models([tmp_path])
    assert sorted(entry.id for entry in opened) == ["autoencoder-2", "autoencoder-2-2", "vae-2"]
    for entry in opened:
        assert entry.from_prior
        assert len(entry.X) == 1000
        assert np.isfinite(entry.errors).all()
