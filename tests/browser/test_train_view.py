"""Training live as a person does it: play, pause, step, steer, go back, keep."""

import os
import re
import signal
import socket
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image

from browser.explorer_process import PATIENT, Cable, changes, go_to, pixels, serving, settle, state, waits_until
from narrows import load
from narrows.data import load_data
from narrows.web.library import Library

STEPS = 26  # an epoch of the digits


@pytest.fixture(scope="module")
def studio():
    """A server without models, at the other end of a cable."""
    listener = socket.create_server(("127.0.0.1", 0))
    cable, library = Cable(listener.getsockname()[1]), Library()
    with serving(library, listener, cable.host):
        yield SimpleNamespace(library=library, cable=cable, address=f"http://{cable.host}/?token=token")
        library.close()
        cable.listener.close()
        cable.pull()  # so that no page asks while the server ends


@pytest.fixture
def training(page, studio):
    """Open the view with a training that has not begun, and wait until it can."""

    def opened(data="digits", kind="Autoencoder", d=2, **given):
        go_to(page, f"{studio.address}#{urlencode({'view': 'train', **given})}", "train")
        page.locator("#train-data").select_option(data)
        page.locator("#train-kind").select_option(kind)
        settle(page)  # what comes with the choice may write into the field
        if page.locator("#train-d").input_value() != str(d):
            page.locator("#train-d").fill(str(d))
            page.keyboard.press("Enter")
        page.locator(".train .reset").click()
        page.locator(".train .play:enabled").wait_for()
        page.locator(".told", has_text=re.compile("not learned|nenaučil")).wait_for()
        return page

    return opened


def steps(page):
    """Return how many steps the page says are taken."""
    found = re.search(r"step ([\d,]+)", page.locator(".told").inner_text())
    return int(found.group(1).replace(",", "")) if found else 0


def beyond(page, count):
    """Wait until the page says that more steps than so many are taken."""
    assert waits_until(page, lambda: steps(page) > count), page.locator(".told").inner_text()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def at_step(page, count):
    page.locator(".told", has_text=f"step {count:,} of").wait_for()
    page.get_by_text("Waiting", exact=True).wait_for()
    settle(page)


def test_it_learns_when_played_and_stops_when_paused(training):
    page = training()
    restored = page.locator(".ten").nth(1).locator("canvas").first
    before = pixels(restored)
    press(page, "Play")
    beyond(page, 30)
    assert changes(page, restored, before)
    press(page, "Pause")
    page.get_by_text("Waiting", exact=True).wait_for()
    count = steps(page)
    press(page, "One step")
    at_step(page, count + 1)
    assert page.locator(".halves .plot:not(.sample) .training").count() == 2  # a line, and its end


def test_steps_and_epochs_are_taken_one_by_one_and_given_up(training):
    page = training()
    for count in (1, 2, 3):
        press(page, "One step")
        at_step(page, count)
    press(page, "One epoch")
    at_step(page, STEPS)
    assert "Epoch 1 of 211" in page.locator(".told").inner_text()
    press(page, "Reset")
    page.locator(".told", has_text="not learned").wait_for()


def test_choices_stand_in_the_address_and_the_training_outlives_the_page(training, page):
    training("moons", "VAE", d=1)
    page.wait_for_function("() => document.querySelectorAll('.scatter .dots').length === 4")  # two of them in the key
    press(page, "Play")
    page.get_by_text("Learning", exact=True).wait_for()
    found = state(page)
    assert (found["data"], found["kind"], found["d"], found["seed"]) == ("moons", "VAE", "1", "0")
    page.reload()
    page.locator("html[data-ready=train]").wait_for()
    page.get_by_text("Learning", exact=True).wait_for()
    beyond(page, steps(page))
    page.keyboard.press("0")
    page.get_by_role("navigation", name="The lecture").wait_for()
    page.get_by_role("link", name="Train live").click()
    page.locator(".view.train").wait_for()
    press(page, "Pause")


def test_two_pages_look_at_the_same(training, page, studio):
    training()
    other = page.context.new_page()
    other.goto(f"{studio.address}#view=train")
    other.locator("html[data-ready=train]").wait_for()
    press(page, "One step")
    other.locator(".told", has_text="step 1 of").wait_for()
    other.get_by_role("button", name="One step").click()
    at_step(page, 2)
    other.close()


def test_beta_and_rate_are_changed_while_it_learns(training, page, studio):
    training(kind="VAE")
    press(page, "One step")
    at_step(page, 1)
    assert "now" in page.locator(".dial", has_text="Learning rate").inner_text()
    page.get_by_label("β of the KL divergence").fill("4")
    page.get_by_label("Learning rate").fill("-2")
    press(page, "One epoch")
    at_step(page, STEPS)
    news = studio.library.lab.watched.news
    assert dict(news.changes) == {1: {"beta": 4.0, "learning_rate": 0.01}}
    page.keyboard.press("p")
    lines = page.get_by_role("dialog").locator("pre").inner_text()
    assert "changes = {1: {'beta': 4.0, 'learning_rate': 0.01}}" in lines
    page.keyboard.press("Escape")
    press(page, "One step")
    at_step(page, STEPS + 1)
    assert page.locator(".dial output").all_inner_texts() == ["0.01", "4"]


def test_an_autoencoder_has_no_beta(training):
    page = training()
    assert page.get_by_label("β of the KL divergence").is_hidden()


def test_one_goes_back_to_earlier_epochs(training, page):
    training()
    for epoch in (1, 2, 3):
        press(page, "One epoch")
        at_step(page, epoch * STEPS)
    restored = page.locator(".ten").nth(1).locator("canvas").first
    now, curve = pixels(restored), page.locator(".line.training").first.get_attribute("d")
    slider = page.get_by_label("Go back to")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert changes(page, restored, now)
    assert state(page)["at"] == "1"
    assert slider.get_attribute("aria-valuetext") == "epoch 1"
    shown = pixels(restored)
    page.reload()
    page.locator("html[data-ready=train]").wait_for()
    page.locator(".field.slider", has_text="epoch 1").wait_for()
    settle(page)
    assert np.array_equal(pixels(restored), shown)
    page.evaluate("() => { location.hash = location.hash.replace('at=1', 'at=77'); }")
    assert changes(page, restored, shown)
    page.get_by_label("Go back to").fill("1")
    assert changes(page, restored, now)
    page.get_by_label("Go back to").fill("4")
    assert changes(page, restored, shown)
    assert np.array_equal(pixels(restored), now)
    assert page.locator(".line.training").first.get_attribute("d") == curve


def test_a_model_is_kept_as_a_file_and_opened(training, page, tmp_path):
    training(d=3)
    for epoch in (1, 2):
        press(page, "One epoch")
        at_step(page, epoch * STEPS)
    page.get_by_label("Go back to").fill("1")
    settle(page)
    restored = page.locator(".ten").nth(1).locator("canvas").nth(4)
    shown = 255 - pixels(restored)[..., 0].astype(float)
    with page.expect_download() as download:
        press(page, "Keep this model")
    assert download.value.suggested_filename == "autoencoder-3-epoch-1.safetensors"
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    model = load(path)
    four = load_data("digits").X[load_data("digits").y == 4]
    likeness = [np.corrcoef(shown.ravel(), image.ravel())[0, 1] for image in model.reconstruct(four)]
    assert max(likeness) > 0.999
    press(page, "Open it")
    page.locator(".view.plane .stage").wait_for()
    assert state(page)["model"].startswith("autoencoder-3-epoch-1")


def test_a_process_that_is_killed_is_told_of(training, page, studio):
    training()
    press(page, "One step")
    at_step(page, 1)
    os.kill(studio.library.lab._process.pid, signal.SIGKILL)
    page.locator(".stand .warn", has_text="has ended").wait_for()
    assert page.get_by_role("button", name="Play").is_disabled()
    press(page, "Reset")
    page.locator(".train .play:enabled").wait_for()
    press(page, "One step")
    at_step(page, 1)


def test_training_goes_on_while_the_connection_is_lost(training, page, studio):
    page.expected_errors = ("WebSocket", "net::ERR")
    training()
    press(page, "Play")
    page.get_by_text("Learning", exact=True).wait_for()
    studio.cable.pull()
    page.locator(".status", has_text="connection is lost").wait_for()
    before = studio.library.lab.watched.news.step
    assert waits_until(page, lambda: studio.library.lab.watched.news.step > before)
    meanwhile = studio.library.lab.watched.news.step
    studio.cable.plug()
    page.locator("html:not(.lost)").wait_for()  # by itself
    beyond(page, meanwhile)
    press(page, "Pause")


@pytest.mark.slow
def test_the_python_trains_the_same_model(training, page, studio):
    training("moons", "VAE", d=1)
    page.get_by_label("As fast as possible").check()
    press(page, "Play")
    page.get_by_text("Done", exact=True).wait_for(timeout=5 * PATIENT)  # for a whole training
    page.keyboard.press("p")
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    losses = [row["loss"] for row in studio.library.lab.watched.news.rows]
    assert [row["loss"] for row in made["model"].history_] == pytest.approx(losses)


def test_words_are_czech_and_nothing_is_wider_than_a_phone(training, page):
    page.set_viewport_size({"width": 390, "height": 844})
    training(lang="cs")
    page.get_by_role("heading", name="Učení naživo").wait_for()
    page.get_by_role("button", name="Jedna epocha").click()
    page.locator(".told", has_text="Epocha 1 z 211, krok 26").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="Train live").wait_for()


@pytest.mark.slow
def test_the_view_is_saved_as_svg_and_png(training, page):
    training()
    press(page, "One epoch")
    at_step(page, STEPS)
    with page.expect_download() as download:
        press(page, "Save as SVG")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.count("<image") == 20
    assert "class=" not in text
    with page.expect_download() as download:
        press(page, "Save as PNG")
    assert np.asarray(Image.open(download.value.path()).convert("L"), float).std() > 5


@pytest.mark.slow
@pytest.mark.parametrize("data", ["digits", "moons"])
def test_axe_finds_no_serious_fault(training, page, axe, data):
    training(data, "VAE")
    press(page, "One step")
    at_step(page, 1)
    assert axe(page) == []
