"""What an image file holds arrives as numbers, by one rule a mode: written by other programs and by hand."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from narrows.data import DataError, load_data
from narrows.data.pixels import image_bytes, image_numbers

NOISE = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)


def save(path, image, **how):
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **how)
    return path


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("1", (2, 2), 1), 255),
        (Image.new("L", (2, 2), 77), 77),
        (Image.new("LA", (2, 2), (50, 255)), [50, 50, 50]),
        (Image.new("LA", (2, 2), (0, 51)), [204, 204, 204]),  # a fifth of black on white
        (Image.new("RGBA", (2, 2), (255, 0, 0, 102)), [255, 153, 153]),
        (Image.new("RGBA", (2, 2), (9, 8, 7, 255)), [9, 8, 7]),
        (Image.new("CMYK", (2, 2), (255, 0, 0, 0)), [0, 255, 255]),
        (Image.new("YCbCr", (2, 2), (120, 128, 128)), [120, 120, 120]),
        (Image.new("HSV", (2, 2), (0, 255, 255)), [255, 0, 0]),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else str(value),
)
def test_each_mode_by_value(image, expected):
    assert image_bytes(image)[0, 0].tolist() == expected
    np.testing.assert_array_equal(image_numbers(image), image_bytes(image))


@pytest.mark.parametrize(
    ("mode", "number", "byte"),
    [
        ("I;16", 257 * 40 + 128, 40),
        ("I;16", 200, 1),
        ("I", 200, 1),
        ("I", 257 * 41 - 128, 41),
        ("F", 0.2, 51),
        ("F", 1.0, 255),
    ],
)
def test_numbers_and_bytes_of_deep_modes(mode, number, byte):
    image = Image.new(mode, (2, 2), number)
    assert image_bytes(image)[0, 0] == byte
    assert image_numbers(image)[0, 0] == np.float32(number)
    assert image_numbers(image).dtype == (np.float32 if mode == "F" else np.uint16)


@pytest.mark.parametrize(
    "image",
    [
        Image.new("F", (2, 2), 1.01),
        Image.new("F", (2, 2), -0.01),
        Image.new("F", (2, 2), float("nan")),
        Image.new("I", (2, 2), -1),
        Image.new("I", (2, 2), 65536),
        Image.new("La", (2, 2)),
    ],
    ids=lambda image: image.mode,
)
def test_what_has_no_rule_is_refused(image):
    with pytest.raises(ValueError, match=r"values go from|NaN or infinite|conversion from La"):
        image_bytes(image)


@pytest.mark.parametrize("most", [5, 1023, 4095, 65535])
def test_numbers_of_more_than_eight_bits_are_kept(tmp_path, most):
    levels = np.linspace(0, most, 60).round().astype(np.uint16).reshape(6, 10)
    tifffile.imwrite(tmp_path / "a.tiff", levels, photometric="minisblack")
    tifffile.imwrite(tmp_path / "b.tif", levels, photometric="minisblack", compression="zlib", byteorder="<")
    (tmp_path / "c.png").write_bytes(png(levels[..., None]))
    (tmp_path / "d.pgm").write_bytes(f"P5 10 6 {max(most, 256)}\n".encode() + levels.astype(">u2").tobytes())
    save(tmp_path / "e.png", levels)
    data = load_data(tmp_path)
    assert data.X.dtype == np.uint16
    np.testing.assert_array_equal(data.X, [levels] * 5)
    assert data.notes == (f"5 images of numbers other than bytes: from 0 to {most:,}, kept as they are",)


def png(pixels):
    """A PNG of 16 bits a channel, (H, W, C), as its specification says."""
    height, width, channels = pixels.shape
    lines = [line.astype(">u2").tobytes() for line in pixels]
    return png_of((width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels]), lines)


def png_of(head, lines, key=b""):
    """A PNG of (width, height, bits, colour type), as its specification says; ``key`` is what it marks transparent."""
    parts = {b"IHDR": struct.pack(">IIBBBBB", *head, 0, 0, 0)} | ({b"tRNS": key} if key else {})
    parts |= {b"IDAT": zlib.compress(b"".join(b"\0" + line for line in lines)), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts.items()
    )


@pytest.mark.parametrize(
    ("head", "line", "key", "expected"),
    [
        ((4, 1, 16, 0), struct.pack(">4H", 0, 1234, 4660, 65535), struct.pack(">H", 4660), [0, 1234, 65535, 65535]),
        ((4, 1, 2, 0), bytes([0b00_01_10_11]), struct.pack(">H", 1), [[0] * 3, [255] * 3, [170] * 3, [255] * 3]),
        ((2, 1, 4, 0), bytes([0x73]), struct.pack(">H", 7), [[255] * 3, [51] * 3]),
        (
            (2, 1, 16, 2),
            struct.pack(">6H", 0x1234, 0x5678, 0x9ABC, 0x3412, 0x7812, 0xBC12),
            struct.pack(">3H", 0x1234, 0x5678, 0x9ABC),
            [[255] * 3, [0x34, 0x78, 0xBC]],
        ),
    ],
    ids=["16-bit grey", "2-bit grey", "4-bit grey", "16-bit colour"],
)
def test_the_transparent_colour_of_a_png_becomes_white_and_no_other_does(tmp_path, head, line, key, expected):
    (tmp_path / "a.png").write_bytes(png_of(head, [line], key))
    assert load_data(tmp_path / "a.png").X[0, 0].tolist() == expected


def test_bytes_among_sixteen_bits_and_colours_among_these(tmp_path):
    levels = np.array([[0, 300, 4095]], np.uint16)
    save(tmp_path / "b.png", levels)
    for name in ("a.png", "c.png"):
        save(tmp_path / name, np.array([[0, 1, 255]], np.uint8))
    data = load_data(tmp_path)
    assert data.X.tolist() == [[[0, 257, 65535]], levels.tolist(), [[0, 257, 65535]]]
    assert data.notes[0].endswith("kept as they are; those of the others are multiplied by 257")
    save(tmp_path / "d.png", np.array([[[1, 2, 3]] * 3], np.uint8))
    X = load_data(tmp_path).X
    assert X[3, 0, 0].tolist() == [257, 514, 771]
    assert X[1, 0].tolist() == [[level] * 3 for level in levels[0]]


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_that_colours_lose_bits_is_said(tmp_path, channels):
    (tmp_path / "a.png").write_bytes(png(np.full((4, 4, channels), 1000)))
    save(tmp_path / "b.png", Image.new("RGB", (4, 4)))
    (tmp_path / "c.ppm").write_bytes(b"P6 4 4 65535\n" + bytes(96))
    (tmp_path / "d.ppm").write_bytes(b"P6 4 4 255\n" + bytes(48))
    assert load_data(tmp_path).notes == ("2 images of 16 bits a channel: the upper 8 are read, the others are lost",)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_numbers_of_more_than_eight_bits_are_scaled_as_such(tmp_path, fit):
    save(tmp_path / "x.tiff", np.full((20, 30), 1234, np.uint16))
    X = load_data(tmp_path / "x.tiff", size=5, fit=fit).X
    assert X.dtype == np.uint16
    assert np.unique(X).tolist() in ([1234], [0, 1234])
    edges = np.zeros((20, 20), np.uint16)
    edges[:, 10:] = 65535
    save(tmp_path / "edges.tiff", edges)
    X = load_data(tmp_path / "edges.tiff", size=7, fit=fit).X[0]
    assert X[:, 0].tolist() + X[:, -1].tolist() == [0] * 7 + [65535] * 7  # what overshoots stays within 16 bits


def test_floating_point_numbers_are_kept(tmp_path):
    values = np.array([[-1000.5, 0, 3071.25]], np.float32)
    tifffile.imwrite(tmp_path / "a.tiff", values)
    data = load_data(tmp_path)
    assert data.X.dtype == np.float32
    np.testing.assert_array_equal(data.X, [values])
    assert "from -1,000.5 to 3,071.25" in data.notes[0]
    save(tmp_path / "b.png", np.zeros((1, 3), np.uint8))
    with pytest.raises(DataError, match="some images hold whole numbers, others floating-point ones"):
        load_data(tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["L", "I;16", "F", "RGBA", "CMYK"])
def test_tiffs_of_every_kind_are_turned_upright(tmp_path, kind, orientation):
    flat = np.arange(24).reshape(4, 6)
    colours = np.stack([flat * 3, flat * 5, flat * 7, np.full_like(flat, 255)], -1).astype(np.uint8)
    pixels, how = {
        "L": (flat.astype(np.uint8), {"photometric": "minisblack"}),
        "I;16": (flat.astype(np.uint16) * 999, {"photometric": "minisblack"}),
        "F": (flat.astype(np.float32), {"photometric": "minisblack"}),
        "RGBA": (colours, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        "CMYK": (colours, {"photometric": "separated"}),
    }[kind]
    tifffile.imwrite(tmp_path / "plain.tiff", pixels, **how)
    tifffile.imwrite(tmp_path / "turned.tiff", pixels, extratags=[(274, "H", 1, orientation, True)], **how)
    plain = load_data(tmp_path / "plain.tiff").X[0]
    expected = {
        1: plain,
        2: plain[:, ::-1],
        3: plain[::-1, ::-1],
        4: plain[::-1],
        5: plain.swapaxes(0, 1),
        6: np.rot90(plain, -1),
        7: plain[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(plain),
    }[orientation]
    np.testing.assert_array_equal(load_data(tmp_path / "turned.tiff").X[0], expected)


def test_portable_maps(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5\n# by hand\n3 1 255\n" + bytes([0, 7, 255]))
    (tmp_path / "b.ppm").write_bytes(b"P6 3 1 255\n" + bytes(range(9)))
    (tmp_path / "c.pbm").write_bytes(b"P1 3 1 0 1 0\n")
    (tmp_path / "d.pnm").write_bytes(b"P2 3 1 5 0 1 5\n")
    assert load_data(tmp_path).X[..., 0].tolist() == [[[0, 7, 255]], [[0, 3, 6]], [[255, 0, 255]], [[0, 51, 255]]]


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_a_model_s_channels_are_an_image_s(tmp_path, channels):
    save(tmp_path / "a.png", NOISE)
    save(tmp_path / "b.png", NOISE[..., 0])
    for source in (tmp_path, [Image.fromarray(NOISE), Image.fromarray(NOISE[..., 0])]):
        X = load_data(source, like=(6, 5, *channels)).X
        assert X.shape == (2, 6, 5, *channels)
        np.testing.assert_array_equal(X[1].reshape(6, 5, -1)[..., 0], NOISE[..., 0])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400), st.integers(1, 400), st.integers(1, 40), st.integers(1, 40), st.sampled_from(["crop", "pad"])
)
def test_any_size_fits_any_box(width, height, box_width, box_height, fit):
    pixels = image_bytes(Image.new("L", (width, height), 200), (box_width, box_height), fit)
    assert pixels.shape == (box_height, box_width)
    if fit == "crop":
        assert (pixels == 200).all()
    else:
        assert 200 in pixels


def test_a_level_is_the_same_whatever_else_is_in_its_image(tmp_path):
    for name, brightest in (("dark.tiff", 200), ("bright.tiff", 65535)):
        save(tmp_path / name, np.array([[0, 200, brightest]], np.int32))
    assert load_data(tmp_path).X.tolist() == [[[0, 200, 65535]], [[0, 200, 200]]]
    save(tmp_path / "deeper.tiff", np.full((1, 3), 70000, np.int32))
    assert load_data(tmp_path).X[2].tolist() == [[70000] * 3]
