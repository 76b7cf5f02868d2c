"""What a mouse does, a finger does too, on a screen as narrow as a telephone's."""

import numpy as np
import pytest

from browser.explorer_process import changes, pixels, settle, state


@pytest.fixture
def touch():
    return True


def swipe(page, element, start, end):
    """Put a finger down at one place, in parts of the element's size, and lift it at another."""
    element.scroll_into_view_if_needed()
    box = None
    while box != (box := element.bounding_box()):  # until what was scrolled stands still
        settle(page)
    session = page.context.new_cdp_session(page)
    steps = np.linspace(start, end, 8)
    for kind, (x, y) in zip(["touchStart", *["touchMove"] * (len(steps) - 1)], steps, strict=True):
        point = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.fixture(autouse=True)
def _narrow(page):
    page.set_viewport_size({"width": 390, "height": 844})


def test_a_finger_drags_the_code_over_the_plane(visit):
    page = visit()
    decoded = page.locator(".large canvas")
    before = pixels(decoded)
    swipe(page, page.locator(".stage"), (0.5, 0.5), (0.3, 0.4))
    assert changes(page, decoded, before)
    x, y = (float(value) for value in state(page)["z"].split(","))
    page.keyboard.press("ArrowRight")
    assert float(state(page)["z"].split(",")[0]) > x
    assert page.evaluate("window.scrollX") == 0
    assert np.isfinite(y)


def test_two_fingers_magnify_and_pan(visit):
    page = visit()
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    settle(page)
    box = stage.bounding_box()
    session = page.context.new_cdp_session(page)
    for kind, apart, middle in (("touchStart", 0.2, 0.5), ("touchMove", 0.3, 0.5), ("touchMove", 0.4, 0.6)):
        fingers = [(middle - apart / 2, 0.5), (middle + apart / 2, 0.5)]
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": i}
            for i, (x, y) in enumerate(fingers)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    zoomed = float(state(page)["zoom"].split(",")[0])
    assert zoomed == pytest.approx(2, rel=0.02)
    swipe(page, stage, (0.5, 0.5), (0.3, 0.4))  # one finger drags the code again
    assert float(state(page)["zoom"].split(",")[0]) == zoomed


def test_a_finger_draws_a_digit(visit):
    page = visit("input", model="autoencoder-8")
    swipe(page, page.locator(".pad"), (0.4, 0.2), (0.5, 0.8))
    page.wait_for_function("() => location.hash.includes('&x=')")
    page.locator(".chain canvas").first.wait_for()
    settle(page)
    drawn = 255 - pixels(page.locator(".chain canvas").first)[..., 0].astype(float)
    rows = (drawn > 64).any(1)
    assert rows.mean() > 0.5  # a stroke from top to bottom


def test_a_finger_drags_the_start_of_a_descent(lesson):
    page = lesson("descent")
    swipe(page, page.get_by_role("button", name="Start of the descent"), (0.5, 0.5), (2.5, -1.0))
    start = [float(value) for value in state(page)["at"].split(",")]
    assert start[0] > 0.2
    assert start[1] > 0.2
