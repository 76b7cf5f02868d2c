"""The lecture's pages as a person uses them; they need no model."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browser.explorer_process import drag, state
from narrows.foundations.activations import sigmoid

PAGES = ["perceptron", "boolean", "graph", "descent", "activations", "approximation", "convolution", "parameters"]


def test_the_lecture_is_a_key_away_and_so_are_the_models(visit):
    page = visit()
    page.keyboard.press("0")
    page.locator(".lead .rows").wait_for()
    assert page.get_by_role("navigation", name="The lecture").is_visible()
    assert page.locator("header select").count() == 0
    page.keyboard.press("0")
    page.locator(".view.plane").wait_for()
    assert page.get_by_role("navigation", name="The lecture").count() == 0
    page.get_by_role("link", name="The lecture").click()
    page.locator(".lead .rows").wait_for()


def test_a_row_of_the_lecture_is_an_address(lesson):
    page = lesson("L10")
    page.locator(".view.activations").wait_for()
    assert page.locator(".status", has_text="no view").count() == 0
    assert page.locator(".lead .rows a").all_inner_texts() == ["L10"]
    assert "L10" in page.locator("footer").inner_text()


def test_the_input_of_activations_is_dragged_and_moved_by_keys(lesson):
    page = lesson("activations", at="1", k="2")
    cell = page.locator(".facts tbody tr").nth(1).locator("td").first
    assert cell.inner_text() == f"{float(sigmoid(2.0)):.3g}"
    grip = page.get_by_role("button", name="Input x")
    drag(page, grip, (0.5, 0.5), (-3.0, 0.5))
    x = float(state(page)["at"])
    assert x < 0
    assert float(cell.inner_text()) == pytest.approx(float(sigmoid(2 * x)), rel=0.01)
    grip.focus()
    page.keyboard.press("Shift+ArrowRight")
    assert float(state(page)["at"]) == pytest.approx(x + 0.6, abs=0.02)


def test_a_steeper_sigmoid_is_nearer_to_the_step(lesson):
    page = lesson("activations", at="0.5", k="1")
    cell = page.locator(".facts tbody tr").nth(1).locator("td").first
    before = float(cell.inner_text())
    page.get_by_label("Steepness k").fill("20")
    page.wait_for_function(
        "before => Number(document.querySelectorAll('.facts td')[2].textContent) > before", arg=before
    )
    assert float(cell.inner_text()) == pytest.approx(1, abs=1e-3)
    assert state(page)["k"] == "20"


@pytest.mark.slow
@pytest.mark.parametrize("view", PAGES)
def test_the_python_of_each_page_runs(lesson, view):
    page = lesson(view)
    page.keyboard.press("p")
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    assert len(made) > 3


@pytest.mark.slow
@pytest.mark.parametrize("view", PAGES)
def test_a_page_is_saved_as_svg_and_png(lesson, view):
    page = lesson(view)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.count("<path") > 5
    assert "class=" not in text
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    assert np.asarray(Image.open(download.value.path()).convert("L"), float).std() > 5


@pytest.mark.slow
@pytest.mark.parametrize("view", PAGES)
def test_a_narrow_window_needs_no_scrolling_sideways(lesson, page, view):
    page.set_viewport_size({"width": 390, "height": 844})
    lesson(view, lang="cs")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
@pytest.mark.parametrize("view", PAGES)
def test_axe_finds_no_serious_fault(lesson, axe, view):
    page = lesson(view)
    assert axe(page) == []
