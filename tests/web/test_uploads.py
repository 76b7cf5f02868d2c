"""Images of all sorts become inputs as the training data are; what is none is refused before it is decoded."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from skimage.data import astronaut

from narrows.data.errors import DataError
from narrows.serving.images import MOST_BYTES, read_image
from narrows.web.uploads import ink_of, prepare


def as_file(image, kind="PNG", **options):
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def zero(library):
    """An example, large, as bytes on black, with room around it."""
    level = np.rint(library["plane"].X[0] / 16 * 255).astype(np.uint8)
    return np.pad(np.kron(level, np.ones((16, 16), np.uint8)), 64)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.4, 1.6), st.integers(-40, 40), st.integers(-40, 40), st.booleans())
def test_ink_lands_where_the_datas_ink_is(library, zero, scale, right, down, dark_on_light):
    entry = library["plane"]
    moved = Image.fromarray(np.roll(zero, (down, right), (0, 1))).resize([round(256 * scale)] * 2)
    image = ImageOps.invert(moved) if dark_on_light else moved
    found = prepare(read_image(as_file(image)), entry)
    assert found.shape == (1, 8, 8)
    assert found.max() == pytest.approx(16, abs=0.5)
    usual = prepare(Image.fromarray(zero), entry)
    assert np.corrcoef(found.ravel(), usual.ravel())[0, 1] > 0.9
    score = entry.estimator.anomaly_score(found)[0]
    assert score < 2 * entry.odd


def test_a_datas_own_example_comes_back_nearly_as_it_was(library, zero):
    entry = library["plane"]
    found = prepare(Image.fromarray(zero), entry)
    assert np.corrcoef(found.ravel(), entry.X[0].ravel())[0, 1] > 0.9


def test_colour_photographs_are_cropped_and_keep_their_colours(library):
    entry = library["colours"]
    assert ink_of(entry) is None
    found = prepare(Image.fromarray(astronaut()), entry)
    small = np.asarray(Image.fromarray(astronaut()).resize((16, 16), Image.Resampling.LANCZOS))
    low, high = entry.X.min(), entry.X.max()
    wanted = low + small / 255.0 * (high - low)
    assert np.abs(found[0] - wanted).mean() < 2
    assert all(np.corrcoef(found[0, ..., c].ravel(), wanted[..., c].ravel())[0, 1] > 0.99 for c in range(3))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
def test_the_usual_formats_are_read(library, zero, kind):
    assert prepare(read_image(as_file(Image.fromarray(zero), kind)), library["plane"]).max() > 12


def test_a_turned_photograph_is_read_upright():
    image = Image.new("L", (30, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_image(as_file(image, exif=exif)).size == (10, 30)


def huge_png(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [b"IHDR" + head, b"IDAT" + zlib.compress(b"")]
    parts = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not a complete image"),
        (b"hello", "not a complete image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a complete image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a complete image"),
        (as_file(Image.new("L", (9, 9)), "PCX"), "not a complete image"),
        (as_file(Image.fromarray(astronaut()))[:2000], "not a complete image"),
        (huge_png(6000, 6000), "too large"),
        (huge_png(60000, 60000), "too large"),
        (bytes(MOST_BYTES + 1), "MB"),
    ],
    ids=["empty", "text", "eps", "svg", "pcx", "truncated", "large", "bomb", "long"],
)
def test_what_is_no_picture_is_refused(body, said):
    with pytest.raises(DataError, match=said):
        read_image(body)


def test_an_empty_drawing_is_refused(library):
    with pytest.raises(DataError, match="empty"):
        prepare(Image.new("RGB", (280, 280), "#f1eee5"), library["plane"])


def test_a_model_of_rows_takes_no_pictures(library):
    with pytest.raises(DataError, match="takes no images"):
        prepare(Image.new("L", (9, 9)), library["rows"])
