"""narrows share lecture: the lecture's pages in one file, with its own models or with those that are named."""

import re

import pytest
from sklearn.datasets import load_digits

from narrows import Autoencoder
from narrows.web import lecture_models

LESSONS = "perceptron boolean graph descent activations approximation convolution parameters layers plane"


@pytest.fixture
def briefly(monkeypatch):
    """Let the lecture's recipe end after an epoch."""
    monkeypatch.setattr(lecture_models.recipes, "LECTURE", lecture_models.recipes.LECTURE | {"epochs": 1})


@pytest.mark.usefixtures("briefly")
def test_the_lectures_own_models_are_the_best_of_some(tmp_path, typed):
    output, _ = typed(tmp_path, "share", "lecture", "--out", tmp_path / "lecture.html")
    assert "Training the lecture's autoencoders of the digits, d = 1, 2, 4, 8, 16: each 5 times" in output
    assert "the lecture's pages, Autoencoder (d = 1)" in output
    assert "1,797 of the 1,797 examples of digits" in output
    page = (tmp_path / "lecture.html").read_text(encoding="utf-8")
    assert re.search('data-views="(.*?)"', page)[1].startswith(LESSONS)
    assert not re.search(r"\bimport\s*[({]|^export ", page[page.index('<script type="module">') :], re.MULTILINE)
    kept = list(lecture_models.lecture_models())
    assert [entry.fitted.latent_dim for entry in kept] == [1, 2, 4, 8, 16]
    made = {}
    exec("\n".join(kept[1].python), made)
    assert made["model"].get_params() == kept[1].estimator.get_params()


def test_named_models_stand_in_their_place(tmp_path, typed):
    Autoencoder(3, epochs=1, random_state=0).fit(load_digits().images).save(tmp_path / "mine.safetensors")
    out = tmp_path / "lecture.html"
    output, _ = typed(tmp_path, "share", "lecture", tmp_path / "mine.safetensors", "--data", "digits", "--out", out)
    assert "the lecture's pages, Autoencoder (d = 3)" in output
    assert f'data-views="{LESSONS}' in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", [("--data", "digits"), ("--examples", "5"), ("--no-data",)])
def test_options_about_examples_need_a_model(tmp_path, typed, option):
    _, error = typed(tmp_path, "share", "lecture", "--out", tmp_path / "lecture.html", *option, status=2)
    assert f"{' '.join(option)} needs a RUN_OR_MODEL after lecture" in error
