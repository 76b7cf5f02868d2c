"""A shared page from disk: without a server, without a request to anywhere, each view as the explorer shows it."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from browser.explorer_process import changes, drag, go_to, pixels, settle, state
from narrows import VAE
from narrows.data.dataset import Dataset
from narrows.web import sharing
from narrows.web.entry import Entry
from narrows.web.library import Library, open_models
from narrows.web.sharing import share, thinned

VIEWS = ["plane", "code", "input", "noise", "compare", "check"]


@pytest.fixture(scope="module")
def file(models, tmp_path_factory):
    """The models of the explorer's tests as one file."""
    files = sorted(models.iterdir(), key=lambda path: (path.name != "Autoencoder-2.safetensors", path.name))
    path = tmp_path_factory.mktemp("shared") / "models.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "MOST_EXACT", 2**30)  # weights of 32 bits
        path.write_text(share(thinned(open_models(files, "digits"))), encoding="utf-8")
    return path


@pytest.fixture
def opened(page, file):
    """Open a view of the file, offline; whatever is asked for but the file is a fault."""
    asked = []

    def hear(request):
        if page.url.startswith("file:"):
            asked.append(request.url)

    def visited(view="plane", path=file, **given):
        pairs = "&".join(f"{name}={value}" for name, value in {"view": view, **given}.items())
        page.goto("about:blank")
        page.context.set_offline(True)
        go_to(page, f"{path.as_uri()}#{pairs}", view)
        page.context.set_offline(False)
        return page

    page.on("request", hear)
    yield visited
    page.remove_listener("request", hear)
    assert [url for url in asked if not url.startswith(("data:", "blob:", "about:", "file:"))] == []


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_shows_what_the_explorers_shows(opened, visit, view):
    """Pixel for pixel but for one level, of each canvas whose numbers chance has no part in."""
    given = {"model": "autoencoder-8", "example": 4, "renew": 0, "lang": "en", "theme": "light"}
    chosen = {
        "code": ".top canvas",
        "noise": "figure canvas >> nth=0",
        "check": ".three canvas",
        "plane": ".large canvas",
        "input": ".result > .chain canvas.pixels",
    }
    shown = opened(view, **given)
    words = shown.locator("main h1").inner_text()
    found = [pixels(canvas) for canvas in shown.locator(f"main {chosen.get(view, 'canvas.pixels')}").all()[:12]]
    shown.goto("about:blank")
    there = visit(view, **given)
    assert there.locator("main h1").inner_text() == words
    expected = [pixels(canvas) for canvas in there.locator(f"main {chosen.get(view, 'canvas.pixels')}").all()[:12]]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 2


def test_a_drag_decodes_and_the_address_follows(opened):
    page = opened("plane", model="autoencoder-2")
    decoded = page.locator(".large canvas")
    before = pixels(decoded)
    drag(page, page.locator(".stage"), (0.5, 0.5), (0.3, 0.6))
    assert changes(page, decoded, before)
    assert len(state(page)["z"].split(",")) == 2


def test_a_drawing_is_coded_and_a_dropped_file_too(opened):
    page = opened("input", model="autoencoder-8")
    box = page.locator(".pad canvas").bounding_box()
    page.mouse.move(box["x"] + 140, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 220, steps=8)
    page.mouse.up()
    page.locator(".result", has_text="cropped").wait_for()
    settle(page)
    drawn = pixels(page.locator(".result canvas.pixels").first)
    ink = 255 - drawn[..., 0].astype(int)
    assert ink[:, 2:6].sum() > 4 * (ink[:, :2].sum() + ink[:, 6:].sum())  # a stroke, upright in the middle
    icon = [{"name": "<b>.png", "mimeType": "image/png", "buffer": png()}]
    page.locator("input[type=file]").set_input_files(icon)
    page.wait_for_function("() => !document.querySelector('.give [role=status]').textContent")
    page.locator("input[type=file]").set_input_files([{"name": "x.png", "mimeType": "image/png", "buffer": b"no"}])
    page.locator(".give [role=status]", has_text="can’t be used").wait_for()


def png():
    image = np.zeros((40, 40), np.uint8)
    image[18:22, 5:35] = 255
    Image.fromarray(image).save(held := BytesIO(), "png")
    return held.getvalue()


def test_czech_teacher_mode_and_saving_work_from_disk(opened):
    page = opened("code", model="vae-2", lang="cs", renew=0)
    assert page.locator("html").get_attribute("lang") == "cs"
    assert page.locator("#share").count() == 0
    assert page.locator("#to-train").count() == 0
    with page.expect_download() as download:
        page.locator("#png").click()
    assert download.value.suggested_filename.endswith(".png")


def test_hostile_names_are_shown_as_text(opened, tmp_path):
    rng = np.random.default_rng(0)
    names = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>"]
    frame = pd.DataFrame({names[0]: rng.choice(["<b>a</b>", "c"], 90), "n": rng.normal(size=90)})
    model = VAE(2, epochs=2, random_state=0).fit(frame)
    library = Library([Entry("rows", model, Dataset("<i>", frame, rng.choice(names, 90)), 90, ())])
    path = tmp_path / "<b>&#.html"
    path.write_text(share(thinned(library)), encoding="utf-8")
    page = opened("row", path=path)
    assert page.get_by_text(names[0]).count() >= 1
    page = opened("plane", path=path)
    assert page.locator("main img, main script, main i, main b").count() == 0


def test_the_explorer_gives_the_file_after_saying_what_is_in_it(visit):
    page = visit("plane")
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share as one file")
    dialog.get_by_text("1,797 of the 1,797 examples of digits").wait_for()
    dialog.get_by_label("Without examples").check()
    dialog.get_by_text("1,000 samples").first.wait_for()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Save the page").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert 'id="shared"' in text


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_serious_fault_and_a_phone_scrolls_one_way(opened, axe, view):
    page = opened(view, model="autoencoder-8", renew=0)
    assert axe(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page = opened(view, model="autoencoder-8", lang="cs", renew=0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
