"""Every value that a file holds arrives: each format, written by another program, becomes the numbers listed."""

import os
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from file_formats import FORMATS
from narrows.data import DataError, load_data, scan_images
from narrows.data.image_files import IMAGE_SUFFIXES


@pytest.mark.parametrize("row", FORMATS, ids=[row.name for row in FORMATS])
def test_every_value_arrives(tmp_path, row):
    for package in row.writers:
        pytest.importorskip(package)
    path = tmp_path / f"example{row.suffix}"
    expected = row.write(path)
    X = load_data(path).X
    assert X.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(X, expected)


def test_pages_are_chosen_or_examples_of_their_own(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    pages = np.arange(3 * 8 * 10).reshape(3, 8, 10)
    for kind in (np.uint8, np.int16):  # by Pillow, and by tifffile
        path = tmp_path / f"{kind.__name__}.tif"
        tifffile.imwrite(path, pages.astype(kind)[:, None], photometric="minisblack")
        first = load_data(path)
        np.testing.assert_array_equal(first.X, pages[:1])
        assert "of several pages: the first is read" in first.notes[-1]
        np.testing.assert_array_equal(load_data(path, page=2).X, pages[2:])
        every = load_data(path, page="all")
        np.testing.assert_array_equal(every.X, pages)
        assert [os.fsdecode(name) for name in every.files.names] == [f"{path.name}[{page}]" for page in range(3)]
        with pytest.raises(DataError, match="it has 3 pages, counted from 0; page 3 is none of them"):
            load_data(path, page=3)
    assert load_data(tmp_path / "uint8.tif", size=4, page="all").X.shape == (3, 4, 4)
    with pytest.raises(DataError, match=r"page=1 \(--page\) is for image files"):
        load_data("digits", page=1)


def test_a_tiff_without_a_page_is_damaged(tmp_path):
    (tmp_path / "broken.tif").write_bytes(b"II*\0garbage")
    Image.new("L", (8, 8)).save(tmp_path / "good.png")
    [rejected] = scan_images(tmp_path).rejected
    assert rejected.reason == "it is damaged: no page of it can be found"


def damaged_files(folder):
    """Damaged images of every kind."""
    rng = np.random.default_rng(0)
    for row in FORMATS:
        if not row.suffix.endswith(IMAGE_SUFFIXES) or not all(map(find_spec, row.writers)):
            continue
        path = folder / f"whole{row.suffix}"
        row.write(path)
        whole = path.read_bytes()
        path.unlink()
        name = row.name.replace("/", "")
        (folder / f"{name} empty{row.suffix}").write_bytes(b"")
        (folder / f"{name} half{row.suffix}").write_bytes(whole[: len(whole) // 2])
        for k in range(6):
            broken = bytearray(whole)
            for place in rng.integers(0, min(len(whole), 400), 4):
                broken[place] = rng.integers(256)
            (folder / f"{name} {k}{row.suffix}").write_bytes(broken)


def test_damage_is_never_worse_than_a_line_each(tmp_path, capfd):
    Image.new("L", (8, 8)).save(tmp_path / "good.png")
    damaged_files(tmp_path)
    files = scan_images(tmp_path)
    assert files.rejected
    assert all(each.reason and "\n" not in each.reason for each in files.rejected)
    assert capfd.readouterr().err == ""


def test_pixels_are_limited_before_room_is_made_for_them(tmp_path, monkeypatch):
    for name, package in (("tiff", "tifffile"), ("dicom_ct", "pydicom"), ("nifti", "nibabel")):
        if find_spec(package):
            row = next(row for row in FORMATS if row.write.__name__.startswith(name) and row.extra)
            row.write(tmp_path / f"{name}{row.suffix}")
    Image.new("L", (2, 2)).save(tmp_path / "good.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    rejected = load_data(tmp_path, size=2).files.rejected
    assert rejected
    assert {each.reason for each in rejected} == {"larger than 0 million pixels"}


@pytest.mark.parametrize(
    ("suffix", "package", "extra"),
    [(".tif", "tifffile", "tiff"), (".dcm", "pydicom", "dicom"), (".nii", "nibabel", "nifti")],
)
def test_a_package_that_is_not_there_is_named(tmp_path, monkeypatch, suffix, package, extra):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 4), np.int16))
    (tmp_path / "x.tif").rename(tmp_path / f"x{suffix}")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=rf"which needs {package}: pip install 'narrows\[{extra}\]'"):
        load_data(tmp_path / f"x{suffix}")


def test_what_is_not_read_is_named(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "complex.tif", np.zeros((4, 4), np.complex64))
    tifffile.imwrite(tmp_path / "cmyk.tif", np.zeros((4, 4, 4), np.uint16), photometric="separated")
    tifffile.imwrite(tmp_path / "nan.tif", np.array([[np.nan, 1], [2, 3]], np.float32))
    tifffile.imwrite(tmp_path / "volume.tif", np.zeros((16, 16, 16), np.uint8), volumetric=True, tile=(16, 16, 16))
    (tmp_path / "render.exr").write_bytes(b"v/1\1")
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(20))
    Image.new("L", (4, 4)).save(tmp_path / "good.png")
    reasons = {each.path: each.reason for each in load_data(tmp_path).files.rejected}
    assert reasons["complex.tif"].startswith("a TIFF of complex64")
    assert reasons["cmyk.tif"] == "a TIFF of SEPARATED colours in 16 bits; convert it to RGB"
    assert reasons["nan.tif"] == "NaN or infinite in 1 of its 4 values; replace them beforehand"
    assert reasons["volume.tif"].startswith("a TIFF of uint8 with the axes ZYX")
    assert reasons["render.exr"] == "an image of the kind EXR, which is not read; convert it to PNG or TIFF"
    if not find_spec("pillow_heif"):
        assert reasons["phone.heic"] == "an HEIC image; Pillow reads it after pip install pillow-heif"


@pytest.mark.parametrize(
    ("shape", "gaps", "how"),  # tiles are filled up at the edge; of a pixel in colour some channels may have a value
    [
        ((100, 70), [(3, 4), (99, 69)], {"photometric": "minisblack"}),
        ((100, 70), [(3, 4), (99, 69)], {"photometric": "minisblack", "tile": (64, 64)}),
        ((100, 70, 3), [(3, 4), (5, 6, 1)], {"photometric": "rgb"}),
        ((3, 100, 70), [(0, 3, 4), (1, 5, 6)], {"photometric": "rgb", "planarconfig": "separate"}),
    ],
)
def test_pixels_that_lerc_keeps_no_value_of_are_not_read_as_0(tmp_path, shape, gaps, how):
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("imagecodecs")
    whole = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    tifffile.imwrite(tmp_path / "whole.tif", whole, compression="lerc", **how)
    read = load_data(tmp_path / "whole.tif").X[0]
    np.testing.assert_array_equal(read, np.moveaxis(whole, 0, -1) if shape[0] == 3 else whole)
    for gap in gaps:
        whole[gap] = np.nan
    tifffile.imwrite(tmp_path / "gaps.tif", whole, compression="lerc", **how)
    with pytest.raises(DataError, match="without a value in 2 of its pixels; fill them beforehand"):
        load_data(tmp_path / "gaps.tif")


def test_32_bits_in_jpeg_2000_are_not_read_as_others(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("imagecodecs")
    labels = np.arange(4096).reshape(64, 64) % 5
    tifffile.imwrite(tmp_path / "16.tif", (10_000 * labels).astype(np.uint16), compression="jpeg2000")
    np.testing.assert_array_equal(load_data(tmp_path / "16.tif").X[0], 10_000 * labels)
    tifffile.imwrite(tmp_path / "32.tif", (100_000_000 * labels).astype(np.uint32), compression="jpeg2000")
    with pytest.raises(DataError, match="32-bit integers in JPEG 2000"):
        load_data(tmp_path / "32.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_in_memory_are_turned_upright_too(tmp_path, orientation):
    levels = np.arange(80, dtype=np.uint8).reshape(8, 10)
    exif = Image.Exif()
    exif[274] = orientation
    for suffix in ("jpg", "png", "webp"):
        path = tmp_path / f"{orientation}.{suffix}"
        Image.fromarray(levels).save(path, exif=exif)
        with Image.open(path) as image:
            X = load_data([image]).X
        np.testing.assert_array_equal(X, load_data(path).X)


def test_channels_are_kept_and_scaled(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    for name, channels in (("a", 5), ("b", 5)):
        image = np.stack([np.full((12, 16), 1000 * i) for i in range(channels)], -1).astype(np.uint16)
        tifffile.imwrite(tmp_path / f"{name}.tif", image, photometric="minisblack", planarconfig="contig")
    for given in ({"size": 6}, {"like": (6, 6, 5)}, {"size": 6, "fit": "pad"}):
        X = load_data(tmp_path, **given).X
        assert X.shape == (2, 6, 6, 5)
        assert X[0, 3, 3].tolist() == [0, 1000, 2000, 3000, 4000]
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((12, 16, 3), np.uint16), photometric="rgb")
    with pytest.raises(DataError, match="images have 5 and 3 channels"):
        load_data(tmp_path)
