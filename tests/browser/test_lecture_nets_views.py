"""Descent, approximation and parameters as a person uses them, compared with what narrows.foundations computes."""

import re

import numpy as np
import pytest

from browser.explorer_process import drag, state
from narrows.foundations.activations import relu
from narrows.foundations.approximation import approximate, monomial
from narrows.web.questions import lecture_nets


def numbers(text):
    """Return the numbers in a text of the page, its minus signs and groups as English writes them."""
    return [float(part) for part in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-").replace(",", ""))]


def cells(page, row):
    return [numbers(text) for text in page.locator(".facts tbody tr").nth(row).locator("td").all_inner_texts()]


def points(path):
    """Return the points of a path of straight lines, (n, 2)."""
    return np.array(re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.get_attribute("d")), float)


def test_the_gradient_of_the_lecture_is_on_the_page(lesson):
    page = lesson("descent", at="0,0", rate="0.1", k="10")
    assert cells(page, 2)[0] == [-2, -4]
    point = np.array([1, 2]) * (1 - 0.8**10)
    np.testing.assert_allclose(cells(page, 0)[1], point, atol=1e-3)
    np.testing.assert_allclose(cells(page, 2)[1], 2 * (point - [1, 2]), atol=1e-3)
    assert "not there yet" in page.locator(".verdict").inner_text()
    lesson("descent", at="2,3", k="0")
    page.locator(".verdict", has_text="At the start").wait_for()
    assert cells(page, 2) == [[2, 2]]


def test_a_contour_is_a_line_on_which_f_is_the_same(lesson):
    page = lesson("descent", f="bowl")
    contours = [points(path) for path in page.locator(".contour").all()]
    assert len(contours) > 8
    # The square is 418 units wide for a side of 6; its corner (−2, 5) is at (34, 8).
    radii = [np.hypot(*((points - [34, 8]) * 6 / 418 + [-2 - 1, -3]).T) for points in contours if len(points)]
    assert all(np.ptp(radius) < 0.03 for radius in radii)
    assert (np.diff([radius.mean() for radius in radii]) > 0.1).all()


def test_the_start_is_dragged_and_moved_by_keys(lesson):
    page = lesson("descent", k="3")
    grip = page.get_by_role("button", name="Start of the descent")
    drag(page, grip, (0.5, 0.5), (4.0, -2.0))
    x, y = map(float, state(page)["at"].split(","))
    assert x > 0.5
    assert y > 0.5
    np.testing.assert_allclose(cells(page, 0)[0], [x, y], atol=1e-3)
    np.testing.assert_allclose(cells(page, 2)[0], [2 * (x - 1), 2 * (y - 2)], atol=2e-3)
    grip.focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert float(state(page)["at"].split(",")[0]) == pytest.approx(x - 0.3, abs=0.01)
    assert grip.evaluate("element => element === document.activeElement")
    page.locator("main").focus()
    page.keyboard.press("ArrowRight")
    assert float(state(page)["at"].split(",")[0]) == pytest.approx(x - 0.24, abs=0.01)


def test_steps_are_made_one_by_one_and_in_a_run_until_it_converges(lesson):
    page = lesson("descent", rate="0.2", k="0")
    page.get_by_role("button", name="Step").click()
    page.get_by_role("button", name="Step").click()
    assert state(page)["k"] == "2"
    np.testing.assert_allclose(cells(page, 0)[1], np.array([1, 2]) * (1 - 0.6**2), atol=1e-3)
    page.get_by_role("button", name="Run").click()
    page.locator(".verdict", has_text="It converges: at step 17").wait_for()
    page.get_by_role("button", name="Run").wait_for()
    np.testing.assert_allclose(cells(page, 0)[1], [1, 2], atol=1e-3)
    assert state(page)["k"] == "17"
    page.get_by_role("button", name="Back to the start").click()
    page.locator(".verdict", has_text="At the start").wait_for()
    assert len(cells(page, 0)) == 1


def test_a_run_goes_no_further_than_it_is_known_to_where_answers_are_slow(lesson):
    page = lesson("descent", rate="0.2", k="14")
    page.evaluate(
        "() => { const send = WebSocket.prototype.send;"
        " WebSocket.prototype.send = function (text) { setTimeout(() => send.call(this, text), 700); }; }"
    )
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Run").wait_for()
    assert state(page)["k"] == "17"


@pytest.mark.parametrize(("rate", "said"), [("1", "oscillates"), ("1.05", "diverges"), ("0.95", "zigzags")])
def test_a_rate_that_is_too_large_is_said_in_words(lesson, rate, said):
    page = lesson("descent", rate=rate, k="20")
    assert said in page.locator(".verdict").inner_text()
    # What leaves the square is cut off at its edge.
    way = points(page.locator(".view.descent .plot path.line").first)
    assert way.min() >= 7.9
    assert way.max() <= 452.1


def test_the_rate_is_on_a_logarithmic_slider(lesson):
    page = lesson("descent", rate="0.1")
    page.get_by_label("Learning rate").fill("-2")
    assert state(page)["rate"] == "0.01"
    np.testing.assert_allclose(cells(page, 0)[1], np.array([1, 2]) * (1 - 0.98**10), atol=1e-3)


def test_another_function_has_a_start_and_a_rate_of_its_own(lesson):
    page = lesson("descent", at="3,3", rate="0.5", k="7")
    page.get_by_label("Function f").select_option("valley")
    page.locator(".hint", has_text="curved valley").wait_for()
    assert state(page) == {"view": "descent", "f": "valley"}
    assert cells(page, 0)[0] == [-1.2, 1]
    assert cells(page, 1)[0] == [24.2]


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [{"f": "toString"}, {"at": "zzz"}, {"rate": "-1"}, {"k": "1e9"}, {"at": "1"}])
def test_a_malformed_address_shows_the_usual(lesson, wrong):
    page = lesson("descent", **wrong)
    np.testing.assert_allclose(cells(page, 0), [[0, 0], np.array([1, 2]) * (1 - 0.8**10)], atol=1e-3)


def test_a_wider_net_is_nearer_and_the_page_says_by_how_much(lesson):
    page = lesson("approximation", f="corner", phi="relu", w="4")
    errors = approximate(abs, (-2, 2), relu, widths=range(1, 65)).rms
    np.testing.assert_allclose(cells(page, 1), errors[[3, 63], None], rtol=0.01)
    page.get_by_label("Width (units)").fill("32")
    page.locator(".facts th", has_text="width 32").wait_for()
    np.testing.assert_allclose(cells(page, 1)[0], errors[31], rtol=0.01)
    assert f"{errors[31]:.3g} at width 32" in page.locator(".verdict").inner_text()
    assert state(page)["w"] == "32"


def test_the_error_of_a_polynomial_does_not_fall(lesson):
    page = lesson("approximation", f="bump", w="4")
    page.get_by_label("Activation").select_option("polynomial")
    page.locator(".verdict", has_text="never more than 4").wait_for()
    before = cells(page, 2)
    assert before[0] == before[1]
    page.get_by_label("Polynomial degree").fill("9")
    page.locator(".verdict", has_text="span 5 dimensions and never more than 10").wait_for()
    best = approximate(lambda x: float(np.exp(-4 * x * x)), (-2, 2), monomial(9), widths=(4, 64)).rms
    np.testing.assert_allclose(cells(page, 2), best[:, None], rtol=0.01)


def test_a_jump_is_no_continuous_function(lesson):
    page = lesson("approximation", f="jump", phi="sigmoid", w="64")
    words = page.locator(".verdict").inner_text()
    assert "not continuous" in words
    assert numbers(words)[0] > 0.45


def test_the_width_is_moved_by_arrows_and_marked_in_the_curve(lesson):
    page = lesson("approximation", w="8")
    ring = page.locator(".spot")
    before = float(ring.get_attribute("cx"))
    page.keyboard.press("Shift+ArrowRight")
    page.locator(".facts th", has_text="width 13").wait_for()
    assert float(ring.get_attribute("cx")) > before


def test_the_megapixel_of_the_lecture(lesson):
    page = lesson("parameters", height="8", width="8", channels="1", units="5")
    page.get_by_role("button", name="megapixel").click()
    page.locator(".formula", has_text="1,000 × 1,000 × 3 = 3,000,000").wait_for()
    assert page.locator(".formula").nth(1).inner_text() == "3,000,000 × 3,000,000 = 9,000,000,000,000"
    assert page.locator(".formula").nth(2).inner_text() == "64 × 3 × 3 × 3 = 1,728"
    assert page.locator(".facts tbody td").all_inner_texts() == ["9\u00a0·\u00a010¹²", "36,000 GB", "1,728", "6.91 kB"]
    assert "5,208,333,333 times" in page.locator(".verdict").inner_text()
    widths = [float(bar.get_attribute("width")) for bar in page.locator(".bar").all()]
    np.testing.assert_allclose(np.array(widths) / widths[1], np.log([3e6, 9e12, 1728]) / np.log(9e12), rtol=1e-3)


def test_numbers_are_written_as_czech_writes_them(lesson):
    page = lesson("parameters", lang="cs")
    text = page.locator(".formula").nth(1).inner_text()
    assert text.replace("\u00a0", " ") == "3 000 000 × 3 000 000 = 9 000 000 000 000"


def test_sizes_are_typed_and_a_wrong_one_is_said(lesson):
    page = lesson("parameters")
    height = page.get_by_label("Height")
    height.fill("20")
    height.press("Enter")
    page.locator(".formula", has_text="20 × 1,000 × 3 = 60,000").wait_for()
    assert state(page)["height"] == "20"
    height.fill("5000")
    height.press("Enter")
    alert = page.get_by_role("alert")
    assert alert.inner_text() == "Height must be a whole number from 1 to 4,096, not 5000."
    assert height.get_attribute("aria-invalid") == "true"
    assert state(page)["height"] == "20"
    height.fill("30")
    height.press("Enter")
    page.locator(".formula", has_text="30 × 1,000").wait_for()
    assert alert.inner_text() == ""


def test_a_small_image_may_need_more_weights_to_convolve(lesson):
    page = lesson("parameters")
    page.get_by_role("button", name="A digit of 8 × 8").click()
    page.locator(".formula", has_text="32 × 64 = 2,048").wait_for()
    page.get_by_label("Filter’s side").fill("15")
    page.get_by_label("Filter’s side").press("Enter")
    page.locator(".verdict", has_text="1.76 times as many").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(lecture_nets.HILLS))
def test_the_python_descends_the_same_function(lesson, name):
    page = lesson("descent", f=name, at="0.5,-0.25", k="3", rate="0.001")
    page.keyboard.press("p")
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    f = lecture_nets.HILLS[name][0]
    for x in np.random.default_rng(0).normal(size=(5, 2)):
        assert made["f"](x) == pytest.approx(f(x))
    page.keyboard.press("Escape")
    np.testing.assert_allclose(cells(page, 0)[1], made["steps"][-1].x, atol=1e-3)


def test_the_python_of_a_lost_descent_stops_where_the_page_does(lesson):
    page = lesson("descent", f="valley", rate="1", k="200")
    page.keyboard.press("p")
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    assert len(made["steps"]) < 5
    assert made["steps"][-1].value > lecture_nets.FAR


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(lecture_nets.TARGETS))
@pytest.mark.parametrize("phi", ["sigmoid", "polynomial"])
def test_the_python_approximates_the_same_function(lesson, name, phi):
    page = lesson("approximation", f=name, phi=phi, w="9", k="5")
    page.keyboard.press("p")
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    for x in (-1.7, 0.0, 0.3):
        assert made["f"](x) == pytest.approx(lecture_nets.TARGETS[name](x))
    page.keyboard.press("Escape")
    np.testing.assert_allclose(cells(page, 0 if phi == "sigmoid" else 2)[0], made["rms"], rtol=0.01)
