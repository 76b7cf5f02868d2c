"""The Plane looked at from near and far, with many points, and with a code of one number."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

from browser.explorer_process import changes, drag, go_to, pixels, served, settle, state
from narrows import Autoencoder
from narrows.data.dataset import Dataset
from narrows.web.entry import Entry
from narrows.web.library import Library
from narrows.web.questions.plane import plane

MANY = 100_000


@pytest.fixture(scope="module")
def library():
    """Models of digits with codes of one number and of two, and one of a hundred thousand rows."""
    bunch = load_digits()
    digits = Dataset("digits", bunch.images[:600], bunch.target[:600])
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, MANY)
    rows = Dataset("rows", rng.normal(size=(MANY, 3)) + 4 * np.eye(3)[kinds], kinds)
    models = [
        ("two", Autoencoder(2, epochs=6, random_state=0).fit(digits.X), digits),
        ("one", Autoencoder(1, epochs=3, random_state=0).fit(digits.X), digits),
        ("many", Autoencoder(2, epochs=1, random_state=0).fit(rows.X[:300]), rows),
    ]
    return Library([Entry(name, model, data, len(data.X), ("data = …",)) for name, model, data in models])


@pytest.fixture(scope="module")
def address(library):
    with served(library) as address:
        yield address


@pytest.fixture
def show(page, address):
    def shown(model="two", **given):
        pairs = "&".join(f"{name}={value}" for name, value in {"view": "plane", "model": model, **given}.items())
        go_to(page, f"{address}#{pairs}", "plane")
        return page

    return shown


def window(page, library, model):
    """Return the factor by which the plane is magnified, and the corners of what is shown, as the address says."""
    given = plane(library, model)
    zoom = [float(number) for number in state(page).get("zoom", "").split(",") if number]
    factor = zoom[0] if zoom else 1
    middle = np.array(zoom[1:]) if zoom else (given.low + given.high) / 2
    half = (given.high - given.low) / factor / 2
    return factor, middle - half, middle + half


def in_view(page, library, model):
    """Return how many examples' codes are in the window that the address tells."""
    _, low, high = window(page, library, model)
    codes = library[model].codes
    return ((codes >= low) & (codes <= high)).all(1).sum()


def counts(page):
    """Return the numbers that are said below the plane."""
    settle(page)
    return [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", page.locator(".note").inner_text())]


def drawn_on(page, canvas):
    """Return how opaque a large canvas is, in a hundred parts of its width and height, from the upper left corner."""
    alphas = page.locator(canvas).evaluate("""canvas => {
      const small = Object.assign(document.createElement('canvas'), { width: 100, height: 100 });
      const drawing = small.getContext('2d');
      drawing.drawImage(canvas, 0, 0, 100, 100);
      return Array.from(drawing.getImageData(0, 0, 100, 100).data.filter((_, i) => i % 4 === 3));
    }""")
    return np.reshape(alphas, (100, 100)).astype(float)


def wheel(page, by, at=(0.5, 0.5)):
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"])
    page.mouse.wheel(0, by)
    settle(page)


def test_the_wheel_magnifies_about_the_pointer(show, library):
    page = show()
    _, low, high = window(page, library, "two")
    before = low + [0.25, 0.75] * (high - low)  # a quarter from the left, and from above
    wheel(page, -500, at=(0.25, 0.25))
    factor, low, high = window(page, library, "two")
    assert factor == pytest.approx(np.exp(0.75), rel=1e-3)
    np.testing.assert_allclose(low + [0.25, 0.75] * (high - low), before, atol=2e-3 * (high - low).max())
    wheel(page, 500, at=(0.25, 0.25))
    assert window(page, library, "two")[0] == pytest.approx(1, abs=1e-3)


def test_the_wheel_scrolls_the_page_where_there_is_no_more_to_show(show, page):
    page.set_viewport_size({"width": 1280, "height": 500})
    show()
    for _ in range(20):
        wheel(page, 600, at=(0.5, 0.1))
        if page.evaluate("window.scrollY"):
            break
    assert page.evaluate("window.scrollY") > 0
    assert page.locator(".outside").is_hidden()  # everything is in view


def test_keys_and_buttons_magnify_and_go_back(show, library):
    page = show()
    page.locator(".stage").focus()
    page.keyboard.press("+")
    page.get_by_role("button", name="Zoom in").click()
    assert window(page, library, "two")[0] == pytest.approx(1.4**2, rel=1e-3)
    page.keyboard.press("-")
    assert window(page, library, "two")[0] == pytest.approx(1.4, rel=1e-3)
    page.keyboard.press("r")
    assert "zoom" not in state(page)
    wheel(page, -500)
    page.locator(".stage").dblclick(position={"x": 40, "y": 40})
    assert "zoom" not in state(page)


def test_what_is_shown_follows_the_code_that_arrow_keys_move(show, library):
    page = show(z="0,0", zoom="20,0,0")
    _, before, _ = window(page, library, "two")
    for _ in range(14):
        page.keyboard.press("Shift+ArrowRight")
        settle(page)
    x, _ = (float(value) for value in state(page)["z"].split(","))
    _, low, high = window(page, library, "two")
    assert low[0] > before[0]
    assert low[0] < x < high[0]


def test_a_hand_pans_with_shift(show, library):
    page = show(zoom="4,0,0")
    _, low, high = window(page, library, "two")
    code = state(page).get("z")
    page.keyboard.down("Shift")
    drag(page, page.locator(".stage"), (0.5, 0.5), (0.6, 0.3))
    page.keyboard.up("Shift")
    _, to, _ = window(page, library, "two")
    np.testing.assert_allclose(to - low, [-0.1, -0.2] * (high - low), atol=5e-3 * (high - low).max())
    assert state(page).get("z") == code


def test_what_is_shown_is_in_the_address(show, library):
    page = show(zoom="5,1,-1")
    tiles = drawn_on(page, ".tiles")
    factor, low, high = window(page, library, "two")
    assert factor == 5
    np.testing.assert_allclose((low + high) / 2, [1, -1])
    count = int(re.sub(r"\D", "", page.locator(".outside").inner_text()))
    assert count == 600 - in_view(page, library, "two")
    page.locator(".outside").click()
    settle(page)
    assert page.locator(".outside").is_hidden()
    assert not np.array_equal(drawn_on(page, ".tiles"), tiles)
    assert in_view(page, library, "two") == 600
    show(zoom="-1,nonsense")
    assert "error" not in page.locator(".status").inner_text()


def test_tiles_are_finer_from_near(show):
    """A tile is at most as large on the page as one of twice the size would be."""
    page = show()
    asked = []

    def hear(text):  # list.append itself is none of the functions that playwright takes
        asked.append(text)

    page.once("websocket", lambda socket: socket.on("framesent", hear))
    page.reload()
    page.locator("html[data-ready=plane]").wait_for()
    settle(page)
    for _ in range(4):
        wheel(page, -400)
    blocks = [
        re.search(r'"side":(\d+),"low":\[([^,]*),.*?"high":\[([^,]*),', text) for text in asked if "tiles" in text
    ]
    sizes = [(float(found[3]) - float(found[2])) / int(found[1]) for found in blocks]
    assert len(set(np.round(sizes, 6))) >= 3
    assert all(18 / np.sqrt(2) <= int(found[1]) <= 18 * np.sqrt(2) + 3 for found in blocks)


def test_a_hundred_thousand_points_are_a_density_and_near_to_points(show, library):
    page = show("many")
    assert counts(page) == [in_view(page, library, "many")]
    opacity = drawn_on(page, ".cloud")
    codes = library["many"].codes
    _, low, high = window(page, library, "many")
    places = (codes - low) / (high - low)
    places = places[((places > 0) & (places < 1)).all(1)]
    height, width = opacity.shape
    seen = opacity[((1 - places[:, 1]) * height).astype(int), (places[:, 0] * width).astype(int)]
    assert seen.mean() > 1.5 * opacity.mean()  # dark is where the points are
    settle(page)
    middle = codes[np.argmin(np.linalg.norm(codes - np.median(codes, 0), axis=1))]
    factor = 1
    while in_view(page, library, "many") > 5000:
        factor *= 2
        page = show("many", zoom=f"{factor},{middle[0]},{middle[1]}")
    drawn, inside = counts(page)
    assert inside == in_view(page, library, "many")
    assert 400 < drawn < inside
    wheel(page, -1500)
    wheel(page, -1500)
    assert in_view(page, library, "many") < 400
    assert counts(page) == []  # all are drawn


def test_a_lasso_takes_what_is_not_drawn_as_well(show, library):
    page = show("many", zoom="6,0,0")
    page.get_by_role("button", name="Lasso").click()
    drag(page, page.locator(".stage"), (0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.2))
    page.locator(".group").wait_for()
    count = int(re.sub(r"\D", "", page.locator(".group h2").inner_text()))
    _, low, high = window(page, library, "many")
    codes = library["many"].codes
    inside = ((codes > low + 0.2 * (high - low)) & (codes < high - 0.2 * (high - low))).all(1).sum()
    assert count == pytest.approx(inside, rel=0.05)


def test_one_number_is_a_line(show, library):
    page = show("one")
    assert page.locator(".groups .name").all_text_contents() == list("0123456789")
    decoded = page.locator(".large canvas")
    before = pixels(decoded)
    drag(page, page.locator(".stage"), (0.3, 0.5), (0.7, 0.6))
    assert changes(page, decoded, before)
    _, low, high = window(page, library, "one")
    assert float(state(page)["z"]) == pytest.approx((low + 0.7 * (high - low))[0], abs=0.01 * (high - low)[0])
    before = float(state(page)["z"])
    page.keyboard.press("ArrowUp")  # there is no up
    page.keyboard.press("ArrowLeft")
    assert float(state(page)["z"]) < before
    wheel(page, -500)
    factor, low, high = window(page, library, "one")
    assert factor == pytest.approx(np.exp(0.75), rel=1e-3)
    label = library["one"].labels
    codes = library["one"].codes[:, 0]
    for i, rug in enumerate(page.locator(".groups .rug").all()):
        own = codes[(label == i) & (codes >= low[0]) & (codes <= high[0])]
        marks = np.unique(np.floor((own - low[0]) / (high[0] - low[0]) * 1000 + 0.5))
        drawn = re.findall(r"M(\d+) [\d.]+v", rug.get_attribute("d"))
        assert len(drawn) == pytest.approx(len(marks), abs=2)


def test_a_range_of_the_line_is_selected(show, library):
    page = show("one")
    page.get_by_role("button", name="Lasso").click()
    drag(page, page.locator(".stage"), (0.25, 0.5), (0.75, 0.5))
    page.locator(".group").wait_for()
    _, low, high = window(page, library, "one")
    codes = library["one"].codes[:, 0]
    inside = (np.abs((codes - low[0]) / (high[0] - low[0]) - 0.5) < 0.25).sum()
    assert int(re.sub(r"\D", "", page.locator(".group h2").inner_text())) == pytest.approx(inside, abs=4)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["one", "two", "many"])
def test_axe_finds_no_serious_fault(show, axe, model):
    assert axe(show(model)) == []


@pytest.mark.slow
@pytest.mark.parametrize("model", ["one", "two"])
def test_a_narrow_window_needs_no_scrolling_sideways(show, page, model):
    page.set_viewport_size({"width": 390, "height": 844})
    show(model, lang="cs")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
