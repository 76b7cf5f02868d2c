"""The report as a person opens it: a file, without a network, on a screen, a phone and paper."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from browser.explorer_process import PATIENT
from narrows import Autoencoder
from narrows.data.dataset import Dataset
from narrows.runs.evaluations import facts, write_evaluation
from narrows.runs.sections import sections_of


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    X = load_digits().images[np.random.default_rng(0).permutation(1797)]
    model = Autoencoder(3, epochs=4, random_state=0).fit(X[:600])
    dataset = Dataset("digits <&> more", X[600:700])
    python = "from narrows import load  # " + "a long line " * 20
    evaluation = model.evaluate(dataset.X)
    sections = sections_of(model, dataset, evaluation)
    page, _ = write_evaluation(folder, evaluation, sections, title="A <model>", about=facts(model), python=python)
    return page


@pytest.fixture
def opened(browser, report):
    """Open the page in a context of its own, in which nothing but the file may be asked for."""
    contexts, asked = [], []

    def open_it(**options):
        contexts.append(browser.new_context(offline=True, **options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: asked.append(request.url.split(":")[0]))
        page.on("console", lambda told: asked.append(told.text))
        page.goto(report.as_uri(), timeout=PATIENT)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert set(asked) <= {"file", "data"}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_every_picture_is_there(opened, width, scheme):
    page = opened(viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.locator("h1").inner_text() == "A <model>"
    assert page.locator("h2").first.inner_text() == "Diagnosis"
    assert page.locator(".card.bad").count() >= 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 300 && image.alt)")
    assert page.locator("img").count() == 8
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(255, 255, 255)") == (scheme == "light")


def test_it_prints_black_on_white(opened):
    page = opened(color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf()[:5] == b"%PDF-"
