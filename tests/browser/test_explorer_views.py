"""The explorer's views as a person uses them: with a mouse, a finger, keys and files."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from browser.explorer_process import PATIENT, changes, drag, let_time_pass, pixels, settle, state
from narrows import load


def test_the_token_leaves_the_address_and_others_are_locked_out(visit, browser):
    page = visit()
    assert "token" not in page.url
    stranger = browser.new_context()
    response = stranger.new_page().goto(page.url, timeout=PATIENT)
    assert response.status == 403
    stranger.close()


def test_a_drag_on_the_plane_shows_what_the_model_decodes(visit, models):
    page = visit()
    decoded = page.locator(".large canvas")
    before = pixels(decoded)
    drag(page, page.locator(".stage"), (0.5, 0.5), (0.3, 0.35), (0.35, 0.6))
    assert changes(page, decoded, before)
    z = [float(value) for value in state(page)["z"].split(",")]
    image = load(models / "Autoencoder-2.safetensors").inverse_transform([z])[0]
    shown = 255 - pixels(decoded)[..., 0].astype(float)
    assert np.corrcoef(shown.ravel(), image.ravel())[0, 1] > 0.999
    assert page.evaluate("performance.getEntriesByName('drag').length") > 0


def test_pointing_at_an_example_shows_it_beside_its_reconstruction(visit):
    page = visit()
    box = page.locator(".stage").bounding_box()
    label = page.locator(".names text").first.bounding_box()
    page.mouse.move(label["x"] + label["width"] / 2, label["y"] + label["height"] / 2)
    page.locator(".pair canvas").nth(1).wait_for()
    assert "class" in page.locator(".beside").inner_text()
    assert page.locator(".ring").get_attribute("visibility") == "visible"
    page.mouse.move(box["x"] + 2, box["y"] + 2)


def test_the_arrow_keys_move_the_code(visit):
    page = visit(z="0,0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    x, y = (float(value) for value in state(page)["z"].split(","))
    assert x > 0
    assert y > x
    page.locator(".stage").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert float(state(page)["z"].split(",")[0]) < x


def test_a_lasso_gives_a_mean_a_count_and_a_table(visit):
    page = visit()
    page.get_by_role("button", name="Lasso").click()
    drag(page, page.locator(".stage"), (0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95), (0.05, 0.1))
    page.locator(".group").wait_for()
    count = int(re.sub(r"\D", "", page.locator(".group h2").inner_text()))
    assert 1000 < count < 1798
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    assert len(rows) == count
    assert rows[0].keys() == {"example", "label", "error", "autoencoder0", "autoencoder1"}
    assert rows[0]["label"] == str(load_digits().target[int(rows[0]["example"])])
    page.get_by_role("button", name="Clear selection").click()
    assert page.locator(".group").count() == 0


def test_a_class_is_taken_without_a_pointer(visit):
    page = visit()
    page.get_by_label("Select a class").select_option("7")
    assert int(re.sub(r"\D", "", page.locator(".group h2").inner_text())) == (load_digits().target == 7).sum()


def test_colours_tiles_and_axes_are_chosen_and_kept_in_the_address(visit):
    page = visit(model="autoencoder-8")
    page.get_by_label("Colour by").select_option("error")
    page.locator(".names text").first.wait_for(state="detached")
    page.get_by_label("Decoded tiles").uncheck()
    page.locator(".tiles").wait_for(state="hidden")
    page.get_by_label("Axes").select_option("units")
    page.get_by_label("Across").select_option("4")
    page.locator(".axis.across", has_text="z5").wait_for()
    found = state(page)
    assert (found["colour"], found["tiles"], found["axes"]) == ("error", "0", "4,1")
    page.reload()
    page.locator(".axis.across", has_text="z5").wait_for()
    assert page.get_by_label("Colour by").input_value() == "error"


def test_a_slider_changes_what_is_decoded(visit):
    page = visit("code", model="autoencoder-8", renew="0")
    decoded = page.locator(".large canvas")
    before = pixels(decoded)
    slider = page.locator(".sliders input").first
    drag(page, slider, (0.5, 0.5), (0.9, 0.5))
    assert changes(page, decoded, before)
    before = pixels(decoded)
    slider.focus()
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    assert changes(page, decoded, before)
    assert len(state(page)["z"].split(",")) == 8


def test_noise_samples_ways_and_sums(visit):
    page = visit("code", model="autoencoder-8", renew="0")
    strips = page.locator(".strip")
    assert [strips.nth(i).locator("canvas").count() for i in range(4)] == [12, 24, 9, 4]
    for strip, button in ((0, 0), (1, 1)):
        before = pixels(strips.nth(strip).locator("canvas").first)
        page.get_by_role("button", name="Again").nth(button).click()
        assert changes(page, strips.nth(strip).locator("canvas").first, before)
    scrubbed = page.locator(".scrub figure canvas")
    before = pixels(scrubbed)
    drag(page, page.locator(".scrub input"), (0.5, 0.5), (0.98, 0.5))
    assert changes(page, scrubbed, before)
    result = strips.nth(3).locator("canvas").last
    before = pixels(result)
    page.get_by_label("plus the mean of").select_option("8")
    assert changes(page, result, before)
    found = state(page)
    assert found["plus"] == "8"
    assert int(found["t"]) > 28


def test_noise_renews_itself_unless_motion_is_unwelcome(visit, page):
    visit("code")
    first = page.locator(".strip canvas").first
    before = pixels(first)
    let_time_pass(page)
    assert not np.array_equal(pixels(first), before)
    page.emulate_media(reduced_motion="reduce")
    visit("code", model="autoencoder-8")
    before = pixels(first)
    let_time_pass(page)
    assert np.array_equal(pixels(first), before)


def test_a_drawing_is_taken_as_a_digit(visit):
    page = visit("input", model="autoencoder-8")
    drag(page, page.locator(".pad"), (0.3, 0.2), (0.7, 0.2), (0.45, 0.8))
    settle(page)  # why a drawing is odd is asked anew with each point of it
    page.locator("figcaption", has_text="centred by mass").wait_for()
    page.locator(".result .strip figcaption", has_text="class 7").nth(1).wait_for()
    assert page.locator(".result .strip figcaption").count() == 5
    page.locator(".why figcaption", has_text="odd pixels").wait_for()
    assert page.locator(".why canvas").count() == 2
    assert len(state(page)["x"]) == 86
    page.keyboard.press("4")
    page.locator(".noise .mended").wait_for()
    assert "x" in state(page)
    page.get_by_role("link", name="Input").click()
    page.locator(".input .result canvas").first.wait_for()
    page.get_by_label("Or an example").fill("12")
    page.keyboard.press("Enter")
    page.locator("figcaption", has_text="Example 12").wait_for()


def picture(kind="PNG"):
    image = Image.new("RGB", (200, 300), "white")
    ImageDraw.Draw(image).line([(60, 60), (150, 60), (90, 250)], "black", 22)
    file = io.BytesIO()
    image.save(file, kind)
    return list(file.getvalue())


GIVE = """(target, [bytes, name, type, kind]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const event = kind === 'paste' ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true })
    : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(visit, kind):
    page = visit("input", model="autoencoder-8")
    page.locator(".pad").evaluate(GIVE, [picture("JPEG"), "seven.jpg", "image/jpeg", kind])
    page.locator("figcaption", has_text="centred by mass").wait_for()
    page.locator(".result .strip figcaption", has_text="class 7").nth(1).wait_for()


def test_a_picture_is_chosen_as_a_file_and_a_bad_one_refused(visit):
    page = visit("input", model="autoencoder-8")
    chosen = page.locator("input[type=file]")
    chosen.set_input_files({"name": "seven.png", "mimeType": "image/png", "buffer": bytes(picture())})
    page.locator("figcaption", has_text="centred by mass").wait_for()
    settle(page)
    shown = pixels(page.locator(".chain canvas").first)
    chosen.set_input_files({"name": "bad.png", "mimeType": "image/png", "buffer": b"<svg onload='alert(1)'/>"})
    page.locator(".give [role=status]", has_text="can’t be used").wait_for()
    assert np.array_equal(pixels(page.locator(".chain canvas").first), shown)
    chosen.set_input_files({"name": "long.png", "mimeType": "image/png", "buffer": bytes(9 * 2**20)})
    page.locator(".give [role=status]", has_text="9 MB").wait_for()


def test_models_mend_the_same_noise_side_by_side(visit):
    page = visit("noise", model="autoencoder-8", example=3)
    assert page.locator(".mended figure").count() == 6
    noisy = page.locator(".mended canvas").nth(1)
    for change in (
        lambda: page.get_by_label("Kind").select_option("block"),
        lambda: drag(page, page.locator(".noise input[type=range]"), (0.3, 0.5), (0.8, 0.5)),
        lambda: page.get_by_role("button", name="Again").click(),
    ):
        before = pixels(noisy)
        change()
        assert changes(page, noisy, before)
    found = state(page)
    assert found["noise"] == "block"
    assert float(found["level"]) > 0.6
    assert page.locator(".best").count() == 1


def test_a_point_of_the_curve_opens_its_model(visit):
    page = visit("compare", model="autoencoder-8")
    assert page.locator("tbody tr").count() == 10
    tops = (
        page.locator("tbody tr")
        .nth(3)
        .locator("canvas")
        .evaluate_all("all => all.map(c => c.getBoundingClientRect().y)")
    )
    assert len(tops) == 3
    assert np.ptp(tops) < 0.5  # the original stands as high as what comes back of it
    page.locator(".dot").first.click()
    page.locator("html[data-ready=plane]").wait_for()
    assert state(page)["model"] == "autoencoder-2"
    page.go_back()
    page.locator(".curve").wait_for()
    page.locator(".cell").nth(5).click()
    page.locator(".input .result").wait_for()
    assert state(page)["example"] == "2"
    page.keyboard.press("5")
    page.locator(".dot").first.focus()
    page.keyboard.press("Enter")
    page.locator(".stage").wait_for()
