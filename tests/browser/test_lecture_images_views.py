"""Convolution, pooling and layers as a person uses them, beside what narrows and torch compute."""

import base64
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

from browser.explorer_process import changes, go_to, pixels, served, settle, state, waits_until
from narrows import Autoencoder, load, recipes
from narrows.foundations.convolution import LECTURE_FILTER, LECTURE_IMAGE, convolve
from narrows.web.library import open_models

MAP = convolve(LECTURE_IMAGE, LECTURE_FILTER)


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


def shown(page, name):
    """What stands in the squares of a grid, row by row, "" for what is empty."""
    return page.get_by_role("group", name=name).locator(".cell text").all_text_contents()


def square(page, grid, row, column):
    return page.get_by_role("group", name=grid).get_by_role("button", name=f"row {row}, column {column}:")


def sums(page):
    return page.locator(".sum p").all_inner_texts()


def filled(page, count):
    """Wait until so many squares of the map are filled, and return them."""
    page.wait_for_function(
        "count => document.querySelectorAll('.sliding > section:last-child .cell:not(.empty)').length === count",
        arg=count,
    )
    return [number(text) for text in shown(page, "The feature map") if text]


def test_the_lectures_patch_is_written_out(lesson):
    page = lesson("L16")
    assert sums(page) == [
        "1 · 1 + 0 · 2 + 1 · 3",
        "+ 0 · 4 + 1 · 5 + 1 · 6",
        "+ 1 · 7 + 0 · 8 + 1 · 9",
        "= 1 + 0 + 3 + 0 + 5 + 6 + 7 + 0 + 9",
        "= 31",
    ]
    assert filled(page, 1) == [31]
    assert "Rows: ⌊(6 + 0 − 3) / 1⌋ + 1 = 4" in page.locator(".sliding .hint").inner_text()
    assert "Columns: ⌊(7 + 0 − 3) / 1⌋ + 1 = 5" in page.locator(".sliding .hint").inner_text()


def test_the_filter_steps_by_buttons_and_keys(lesson):
    page = lesson("convolution")
    page.get_by_role("button", name="Step", exact=True).click()
    assert filled(page, 2) == MAP.ravel()[:2].tolist()
    page.locator("main").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert filled(page, 8) == MAP.ravel()[:8].tolist()
    assert page.locator("h2", has_text="Step 8 of 20: row 2, column 3").count() == 1
    page.get_by_role("button", name="Back", exact=True).click()
    filled(page, 7)
    assert state(page)["at"] == "6"
    page.get_by_role("button", name="Back to the start").click()
    filled(page, 1)


def test_a_place_of_the_map_is_pointed_at_chosen_and_reached_by_arrows(lesson):
    page = lesson("convolution")
    frame = page.get_by_role("group", name="The image").locator(".frame")
    square(page, "The feature map", 2, 3).hover()
    filled(page, 8)
    assert frame.get_attribute("d") == "M80 40h120v120h-120z"
    square(page, "The feature map", 4, 5).click()
    assert filled(page, 20) == MAP.ravel().tolist()
    page.keyboard.press("ArrowUp")
    filled(page, 15)
    page.mouse.move(5, 5)
    page.keyboard.press("ArrowLeft")
    filled(page, 14)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"row 3, column 4: {MAP[2, 3]:.0f}"
    assert sums(page)[-1] == f"= {MAP[2, 3]:.0f}"


def test_it_runs_by_itself_to_the_end(lesson):
    page = lesson("convolution", image="12345:12345:54321", padding="valid")
    page.get_by_role("button", name="Run").click()
    filled(page, 3)
    page.get_by_role("button", name="Run").wait_for()


def test_pixels_are_typed_and_the_keys_of_views_leave_them_alone(lesson):
    page = lesson("convolution")
    square(page, "The image", 1, 1).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("9")
    image = LECTURE_IMAGE.copy()
    image[0, 1] = 9
    page.locator(".sum p", has_text="1 · 1 + 9 · 2").wait_for()
    assert filled(page, 1) == [convolve(image, LECTURE_FILTER)[0, 0]]
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "row 1, column 2: 9"
    page.get_by_label("Pixel 1, 2").fill("4")
    page.locator(".sum p", has_text="1 · 1 + 4 · 2").wait_for()
    assert state(page)["image"].startswith("1410101:")
    page.get_by_label("Rows").fill("3")
    page.get_by_label("Columns").fill("10")
    page.locator("h2", has_text="Step 1 of 8").wait_for()
    assert len(shown(page, "The image")) == 30


def test_weights_are_typed_negated_and_set_to_fractions(lesson):
    page = lesson("convolution")
    square(page, "The filter’s", 1, 1).click()
    page.keyboard.press("-")
    page.locator(".sum p", has_text="1 · (−1) + 0 · 2").wait_for()
    assert filled(page, 1) == [29]
    page.get_by_label("Weight 1, 1").fill("-0.5")
    page.locator(".sum p", has_text="= 29.5").wait_for()
    page.get_by_label("Size").select_option("2")
    page.locator("h2", has_text="Step 1 of 30").wait_for()
    assert state(page)["filter"] == "-0.5,2:4,5"


def test_padding_is_drawn_and_stride_skips(lesson):
    page = lesson("convolution")
    page.get_by_label("Padding").select_option("same")
    page.locator("h2", has_text="Step 1 of 42").wait_for()
    assert page.locator(".padding").count() == 8 * 9 - 6 * 7
    assert page.get_by_role("group", name="The image").locator(".frame").get_attribute("d").startswith("M-40 -40")
    page.get_by_label("Stride").select_option("2")
    page.locator("h2", has_text="Step 1 of 12").wait_for()
    square(page, "The feature map", 3, 4).click()
    found = filled(page, 12)
    assert found == convolve(LECTURE_IMAGE, LECTURE_FILTER, stride=2, padding="same").ravel().tolist()


def test_pooling_has_the_lectures_maximum_and_mean(lesson):
    page = lesson("convolution")
    page.get_by_label("What slides").select_option("max")
    page.locator(".sum p", has_text="max(9, 2, 3, 1, 5, 7, 4, 2, 6)").wait_for()
    assert sums(page)[-1] == "= 9"
    assert page.get_by_role("group", name="The filter’s").count() == 0
    page.get_by_label("What slides").select_option("mean")
    page.locator(".sum p", has_text="= 39 / 9").wait_for()
    assert sums(page)[-1] == "= 4.33"
    page.get_by_label("Padding").select_option("3")
    page.get_by_role("alert").get_by_text("padding=3").wait_for()
    assert page.get_by_role("group", name="The feature map").count() == 0
    page.get_by_label("Padding").select_option("2")
    page.get_by_role("group", name="The feature map").wait_for()
    assert page.get_by_role("alert").inner_text() == ""


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["", "12", "123:12:123", "12x:123:123", "1" * 11 + ":111:111"])
def test_an_image_that_makes_no_sense_is_the_lectures(lesson, wrong):
    page = lesson("convolution", image=wrong, filter="1,a:2", stride="0", padding="full", at="-1")
    assert shown(page, "The image") == [str(pixel) for pixel in LECTURE_IMAGE.ravel()]
    assert filled(page, 1) == [31]


def test_a_preset_is_taken(lesson):
    page = lesson("convolution", at="3")
    page.get_by_label("Preset").first.select_option(label="a digit")
    page.locator("h2", has_text="Step 1 of 36").wait_for()
    digit = np.rint(load_digits().images[3] * 9 / 16).astype(int)
    assert shown(page, "The image") == [str(pixel) for pixel in digit.ravel()]
    page.get_by_label("Preset").last.select_option(label="identity")
    settle(page)
    square(page, "The feature map", 6, 6).click()
    settle(page)
    assert filled(page, 36) == digit[1:-1, 1:-1].ravel().tolist()


@pytest.mark.parametrize("mode", ["max", "mean"])
def test_the_python_of_pooling_runs(lesson, mode):
    page = lesson("convolution", mode=mode, at="3")
    page.keyboard.press("p")
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    assert made["value"] == made["pooled"].ravel()[3]


# --- Layers ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """An explorer of a dense net by the lecture's recipe, with a unit killed, and of one with convolutions."""
    folder = tmp_path_factory.mktemp("shapes")
    X = np.kron(load_digits().images[:200], np.ones((2, 2)))
    np.save(folder / "data.npy", X)
    lecture = Autoencoder(4, random_state=0, prior="normal", **{**recipes.LECTURE, "epochs": 2}).fit(X)
    lecture.model_.encoder[0].weight.data[3], lecture.model_.encoder[0].bias.data[3] = 0, -1
    lecture.save(folder / "lecture.safetensors")
    Autoencoder(3, random_state=0, prior="normal", epochs=1).fit(X).save(folder / "maps.safetensors")
    library = open_models([folder / "lecture.safetensors", folder / "maps.safetensors"], str(folder / "data.npy"))
    with served(library) as address:
        yield address, folder, X


@pytest.fixture
def opened(page, shapes):
    """Open the layers of one of these, and return the page with its model and data."""
    address, folder, X = shapes

    def open_(model, **state):
        ids = {"lecture": "autoencoder-4", "maps": "autoencoder-3"}
        pairs = "&".join(f"{name}={value}" for name, value in {"view": "layers", "model": ids[model], **state}.items())
        go_to(page, f"{address}#{pairs}", "layers")
        return page, load(folder / f"{model}.safetensors"), X

    return open_


def names(page):
    return page.locator(".layers-strip strong").all_inner_texts()


def told(page):
    """The numbers of the chosen layer; those of dead units are 0."""
    return [number(text.replace("dead", "0")) for text in page.locator(".numbers li > :last-child").all_inner_texts()]


def wait_for_numbers(page, values):
    """Wait until the chosen layer's numbers are these."""

    def there():
        found = told(page)[: len(values)]
        return len(found) == len(values) and np.allclose(found, values, atol=0.006)

    assert waits_until(page, there), (told(page), values)


def test_the_layers_of_a_dense_net_stand_in_their_order(opened):
    page, model, X = opened("lecture", example=7)
    assert names(page) == ["Input", "Encoder 1", "Code", "Decoder 1", "Output"]
    words = page.locator(".layers-strip figcaption").all_inner_texts()
    assert "16 × 16" in words[0]
    assert "Linear, ReLU" in words[1]
    assert f"{256 * 32 + 32:,} parameters" in words[1]
    assert "4 units" in words[2]
    wait_for_numbers(page, model.transform(X[7:8])[0])
    total = sum(p.numel() for p in model.model_.parameters())
    assert f"{total:,} parameters in all" in page.locator(".key").inner_text()


def test_a_dead_unit_is_crossed_out_and_named(opened):
    page, model, X = opened("lecture", layer=1)
    values = model.activations(X)[1].values.numpy()
    dead = ~values.any(0)
    assert dead[3]
    assert page.locator(".numbers li").nth(3).inner_text().split() == ["4", "dead"]
    assert page.locator(".numbers .warn", has_text="dead").count() == dead.sum()
    crosses = page.locator(".layers-strip .still").first.get_attribute("d")
    assert len(re.findall("M", crosses)) == dead.sum()
    assert f"{dead.sum()} dead" in page.locator(".layers-strip figcaption").nth(1).inner_text()


def test_examples_and_layers_are_stepped_through(opened):
    page, model, X = opened("lecture")
    canvases = page.locator(".layers-strip canvas")
    before = pixels(canvases.first)
    page.get_by_role("button", name="Next example").click()
    assert changes(page, canvases.first, before)
    wait_for_numbers(page, model.transform(X[1:2])[0])
    page.locator("main").focus()
    page.keyboard.press("ArrowUp")
    wait_for_numbers(page, model.transform(X[2:3])[0])
    page.keyboard.press("ArrowLeft")
    wait_for_numbers(page, model.activations(X[2:3])[1].values[0].numpy())
    page.get_by_role("button", name="Output:").click()
    wait_for_numbers(page, model.scaling_.apply(model.reconstruct(X[2:3]))[0].ravel()[:64])
    assert state(page) == {"view": "layers", "model": "autoencoder-4", "example": "2", "layer": "4"}
    page.get_by_label("Example", exact=True).fill("999")
    page.keyboard.press("Enter")
    wait_for_numbers(page, model.scaling_.apply(model.reconstruct(X[-1:]))[0].ravel()[:64])
    assert page.get_by_label("Example", exact=True).input_value() == "199"


def test_feature_maps_are_pictures(opened):
    page, model, X = opened("maps", layer=1)
    layers = model.activations(X[:1])
    assert len(names(page)) == len(layers)
    words = page.locator(".layers-strip figcaption").nth(1).inner_text()
    assert "16 maps, 8\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}8" in words
    values = layers[1].values[0].numpy()
    maps = page.locator(".maps canvas")
    assert maps.count() == 16
    for i in (0, 9):
        picture = pixels(maps.nth(i))[..., :3].astype(float).sum(2)  # Cividis grows lighter all the way
        assert picture.shape == (8, 8)
        assert np.corrcoef(picture.ravel(), values[i].ravel())[0, 1] > 0.95
    page.get_by_role("button", name="Code:").click()
    wait_for_numbers(page, model.transform(X[:1])[0])


def test_a_drawing_is_carried_over(visit):
    drawn = np.zeros((8, 8), np.uint8)
    drawn[:, 3:5] = 255
    page = visit("layers", model="autoencoder-8", x=base64.urlsafe_b64encode(drawn.tobytes()).decode().rstrip("="))
    picture = pixels(page.locator(".layers-strip canvas").first)[..., 0].astype(float)
    assert np.corrcoef(picture.ravel(), drawn.ravel())[0, 1] == pytest.approx(-1)
    assert page.get_by_label("Example", exact=True).input_value() == ""
    page.get_by_role("button", name="Next example").click()
    page.wait_for_function("() => document.querySelector('input[type=number]').value === '0'")
    assert "x" not in state(page)


@pytest.mark.parametrize("model", ["autoencoder-8", "vae-2"])
def test_the_python_of_layers_runs(visit, model):
    page = visit("layers", model=model, example=4)
    page.keyboard.press("p")
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    page.get_by_role("button", name="Close").click()
    np.testing.assert_allclose(told(page), made["values"], atol=0.006)


def test_layers_are_saved_as_svg(visit, tmp_path):
    page = visit("layers", model="autoencoder-8")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").click()
    download.value.save_as(tmp_path / "layers.svg")
    text = (tmp_path / "layers.svg").read_text(encoding="utf-8")
    assert text.count("<path") > 8
    assert text.count("<image") == 2
    assert "Encoder 1" in text


def test_layers_need_no_scrolling_sideways(opened, page):
    page.set_viewport_size({"width": 390, "height": 844})
    for model in ("lecture", "maps"):
        opened(model, lang="cs", layer=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_axe_finds_no_serious_fault_in_layers(opened, axe):
    page, _, _ = opened("lecture", layer=1)
    assert axe(page) == []
