"""The page around the views as a person uses it: keys, words, themes, files to keep, a cable that comes loose."""

import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browser.explorer_process import VIEWS, Cable, Explorer, changes, pixels, serving, settle, state
from narrows.web.library import open_models


def test_keys_lead_everywhere(visit):
    page = visit()
    for i, view in enumerate(VIEWS[:-1], 1):  # the last would be evaluated
        page.keyboard.press(str(i))
        page.locator(f".view.{view}").wait_for()
    page.keyboard.press("]")
    page.locator(".compare").wait_for()
    assert state(page)["model"] == "autoencoder-8"
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    page.keyboard.press("d")
    page.locator("html[data-theme=dark]").wait_for()


def test_a_key_is_heard_at_once_after_a_dialog_was_closed(visit):
    page = visit()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.evaluate("""() => {
      const inside = document.querySelector('dialog button'); // which has the focus until the next frame
      inside.closest('dialog').close();
      inside.dispatchEvent(new KeyboardEvent('keydown', { key: 'd', bubbles: true }));
    }""")
    page.locator("html[data-theme=dark]").wait_for()


def test_the_language_is_switched_and_switched_back(visit):
    page = visit()
    page.get_by_role("button", name="Česky").click()
    page.get_by_role("heading", name="Rovina").wait_for()
    assert page.locator("html").get_attribute("lang") == "cs"
    assert state(page)["lang"] == "cs"
    page.keyboard.press("2")
    page.get_by_role("heading", name="Šum v kódu").wait_for()
    page.keyboard.press("l")
    page.get_by_role("heading", name="Noise in the code").wait_for()


def test_teacher_mode_enlarges_and_hides_controls(visit):
    page = visit()
    size = "parseFloat(getComputedStyle(document.body).fontSize)"
    before = page.evaluate(size)
    page.get_by_role("button", name="Teacher mode").click()
    page.locator("html.teach").wait_for()
    assert page.evaluate(size) > 1.25 * before
    assert page.get_by_label("Colour by").is_hidden()
    page.keyboard.press("Escape")
    page.get_by_label("Colour by").wait_for()


def test_the_python_that_is_shown_makes_the_image_that_is_shown(visit):
    page = visit(z="1,-0.5")
    page.get_by_role("button", name="Show the Python").click()
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    shown = 255 - pixels(page.locator(".large canvas"))[..., 0].astype(float)
    assert np.corrcoef(shown.ravel(), made["image"].ravel())[0, 1] > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("view", ["code", "input", "noise", "compare"])
@pytest.mark.parametrize("model", ["autoencoder-8", "vae-2"])
def test_the_python_of_each_view_runs(visit, view, model):
    page = visit(view, model=model, example=4, renew="0")
    page.keyboard.press("p")
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    assert len(made) > 3


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_saved_as_svg_and_png(visit, view):
    page = visit(view, model="autoencoder-8", renew="0")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert text.count("<image") >= 1
    assert "<text" in text
    assert "class=" not in text
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    image = np.asarray(Image.open(download.value.path()).convert("L"), float)
    assert image.shape[1] > 1000
    assert image.std() > 5


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_a_narrow_window_needs_no_scrolling_sideways(visit, page, view):
    """In Czech, whose words are the longer ones."""
    page.set_viewport_size({"width": 390, "height": 844})
    visit(view, model="autoencoder-8", lang="cs")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_conditional_model_is_asked_for_a_class(visit):
    page = visit("code", model="vae-2", z="0,0", renew="0")
    decoded = page.locator(".large canvas")
    before = pixels(decoded)
    page.locator("header select").nth(1).select_option("1")
    assert changes(page, decoded, before)


def test_an_address_that_names_nothing_says_so(visit, page):
    visit()
    page.evaluate("location.hash = '#view=nowhere&model=none&z=a,b'")
    page.locator(".status", has_text="no view or model").wait_for()
    page.locator(".stage").wait_for()


@pytest.fixture
def cable(models):
    """A server of one model, at the other end of a cable that can be pulled out."""
    listener = socket.create_server(("127.0.0.1", 0))
    cable = Cable(listener.getsockname()[1])
    library = open_models([models / "Autoencoder-2.safetensors"], "digits")
    with serving(library, listener, cable.host):
        yield cable
        cable.listener.close()
        cable.pull()  # so that no page asks while the server ends


def test_a_lost_connection_is_told_of_and_comes_back(page, cable):
    """What was asked in the meantime is answered afterwards."""
    page.expected_errors = ("WebSocket", "net::ERR")  # files may be on their way
    page.goto(f"http://{cable.host}/?token=token", wait_until="networkidle")
    page.locator("html[data-ready=plane]").wait_for()
    settle(page)
    decoded = page.locator(".large canvas")
    before = pixels(decoded)
    cable.pull()
    page.locator(".status", has_text="connection is lost").wait_for()
    page.keyboard.press("Shift+ArrowRight")
    settle(page)
    assert np.array_equal(pixels(decoded), before)
    cable.plug()
    page.evaluate("document.querySelector('.status button')?.click()")  # unless it has come back by itself
    page.locator("html:not(.lost)").wait_for()
    assert changes(page, decoded, before)
    assert page.locator(".status", has_text="lost").count() == 0


@pytest.mark.slow
def test_the_digits_are_ready_without_a_word(page):
    running = Explorer()
    try:
        page.goto(running.address)
        page.locator(".sheet.empty progress, .stage").first.wait_for()
        page.locator(".stage").wait_for()
        page.locator(".status progress").wait_for()
    finally:
        page.expected_errors = ("WebSocket",)
        running.stop()


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_serious_fault(visit, axe, view):
    page = visit(view, model="autoencoder-8")
    assert axe(page) == []
