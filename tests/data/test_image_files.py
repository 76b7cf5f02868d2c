"""Image files of every kind become bytes by documented rules, and what cannot be read is listed with its reason."""

import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from narrows.data import DataError, OnDisk, load_data, scan_images
from narrows.data import on_disk as disk
from narrows.data.image_files import image_names, upright_size
from narrows.data.links import LEADS_OUT

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)


def save(path, image, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **how)
    return path


def palette(image):
    return Image.fromarray(image).convert("P", palette=Image.Palette.ADAPTIVE, colors=32)


@pytest.mark.parametrize("suffix", ["png", "webp", "bmp", "tiff", "gif", "jpg"])
@pytest.mark.parametrize("colour", [False, True])
def test_every_format_gives_the_pixels_back(tmp_path, suffix, colour):
    pixels = NOISE if colour else NOISE[..., 0]
    image = palette(NOISE) if suffix == "gif" and colour else Image.fromarray(pixels)
    save(tmp_path / f"x.{suffix}", image, **({"lossless": True} if suffix == "webp" else {}))
    X = load_data(tmp_path / f"x.{suffix}").X
    if suffix == "jpg":  # lossy, so what Pillow itself makes of it
        with Image.open(tmp_path / "x.jpg") as opened:
            pixels = np.asarray(opened)
    elif suffix in ("webp", "gif") and not colour:  # it knows only colour, or palettes
        pixels = np.stack([pixels] * 3, axis=-1)
    assert X.dtype == np.uint8
    np.testing.assert_array_equal(X[0], pixels)


def test_palettes_with_and_without_a_transparent_colour(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    save(tmp_path / "plain.png", image)
    save(tmp_path / "clear.png", image, transparency=1)
    save(tmp_path / "half.png", image, transparency=bytes([255, 102]))
    X = load_data(tmp_path).X
    assert X[0].tolist() == [[[255, 0, 0], [255, 255, 255]]]
    assert X[1].tolist() == [[[255, 0, 0], [153, 153, 255]]]
    assert X[2].tolist() == [[[255, 0, 0], [0, 0, 255]]]


def test_animations_give_their_first_frame(tmp_path):
    red, blue = Image.new("RGB", (4, 4), "red"), Image.new("RGB", (4, 4), "blue")
    for name in ("a.gif", "b.png", "c.webp", "d.tiff"):
        save(tmp_path / name, red, save_all=True, append_images=[blue], **({"lossless": True} if "w" in name else {}))
    data = load_data(tmp_path)
    assert (data.X == [255, 0, 0]).all()
    assert len(data.X) == 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_exif_orientation(tmp_path, orientation, suffix):
    big = np.kron(NOISE, np.ones((16, 16, 1), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"x.{suffix}", big, exif=exif)
    with Image.open(path) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    data = load_data(path)
    np.testing.assert_array_equal(data.X[0], expected)
    upright = expected.shape[1::-1]
    assert data.files.sizes == {upright: 1}
    assert upright_size(os.fsencode(path)) == upright
    assert scan_images(path).sizes == {upright: 1}  # decoded at a part of its size
    small = load_data(path, size=6).X[0].astype(float)
    reference = np.asarray(ImageOps.fit(Image.fromarray(expected), (6, 6), Image.Resampling.LANCZOS)).astype(float)
    assert np.abs(small - reference).mean() < 6


@pytest.mark.parametrize("shape", [(1200, 900), (900, 1200), (700, 700)])
def test_large_jpegs_scaled_while_decoding_are_near_those_that_are_not(tmp_path, shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    waves = (127 + 60 * np.sin(rows / 50) + 60 * np.cos(columns / 35)).astype(np.uint8)
    path = save(tmp_path / "x.jpg", np.stack([waves, waves[::-1], waves[:, ::-1]], axis=-1), quality=95)
    with Image.open(path) as opened:
        reference = ImageOps.fit(opened.convert("RGB"), (64, 64), Image.Resampling.LANCZOS)
        padded = ImageOps.pad(opened.convert("RGB"), (64, 64), Image.Resampling.LANCZOS)
    data = load_data(path, size=64)
    assert np.abs(data.X[0].astype(int) - np.asarray(reference)).max() <= 6
    assert data.files.sizes == {shape[::-1]: 1}
    difference = np.abs(load_data(path, size=64, fit="pad").X[0].astype(int) - np.asarray(padded))
    assert np.median(difference) <= 2


def test_crop_takes_the_middle_and_pad_the_whole(tmp_path):
    thirds = np.repeat(np.array([10, 100, 250], np.uint8), 8)[None].repeat(8, 0)  # three squares beside each other
    path = save(tmp_path / "x.png", thirds)
    assert (load_data(path, size=8).X == 100).all()
    whole = load_data(path, size=24, fit="pad").X[0]
    np.testing.assert_array_equal(whole[8:16], thirds)
    assert not whole[:8].any()
    assert not whole[16:].any()
    assert load_data(path, like=(8, 24), fit="pad").X.tolist() == [thirds.tolist()]
    with pytest.raises(ValueError, match=r"fit='stretch' is unknown.*'crop', 'pad'"):
        load_data(path, fit="stretch")


def test_mixed_sizes_are_listed_and_the_way_out_is_said(tmp_path):
    for k in range(7):
        for copy in range(7 - k):
            save(tmp_path / f"{k}{copy}.png", Image.new("L", (100 + k, 90)))
    with pytest.raises(
        DataError, match=r"100×90 \(7\), 101×90 \(6\), .*104×90 \(3\) and 2 more sizes; .*--size 64 --fit"
    ):
        load_data(tmp_path)
    found = scan_images(tmp_path)
    assert found.sizes == {(100 + k, 90): 7 - k for k in range(7)}
    assert load_data(tmp_path, size=16, fit="pad").X.shape == (28, 16, 16)


def test_mixed_sizes_are_found_before_anything_is_decoded(tmp_path, monkeypatch):
    save(tmp_path / "a.png", Image.new("L", (20, 10)))
    save(tmp_path / "b.png", Image.new("L", (10, 20)))
    monkeypatch.setattr(disk, "LARGE", 0)
    monkeypatch.setattr(disk, "temporary_file", None)  # room for all at the first one's size may be too much to ask
    with pytest.raises(DataError, match="differ in size"):
        load_data(tmp_path)


def test_an_orientation_after_the_pixels_is_honoured(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
    path = save(tmp_path / "a.png", NOISE)
    whole = path.read_bytes()
    path.write_bytes(whole[:-12] + chunk + whole[-12:])  # before the end's mark
    np.testing.assert_array_equal(load_data(path).X[0], np.rot90(NOISE, -1))
    save(tmp_path / "b.png", NOISE)
    with pytest.raises(DataError, match="sizes other than their headers say"):
        load_data(tmp_path)


def test_grey_before_colour_and_after_it(tmp_path):
    for names in (["a", "b", "c"], ["c", "a", "b"]):
        for name, image in zip(names, (NOISE[..., 0], NOISE[..., 1], NOISE), strict=True):
            save(tmp_path / f"{name}.png", image)
        data = load_data(tmp_path)
        assert data.X.shape == (3, 6, 5, 3)
        by_name = {os.fsdecode(name): x for name, x in zip(data.files.names, data.X, strict=True)}
        np.testing.assert_array_equal(by_name[f"{names[2]}.png"], NOISE)
        np.testing.assert_array_equal(by_name[f"{names[0]}.png"], NOISE[..., [0, 0, 0]])
        assert data.files.modes == {"L": 2, "RGB": 1}


def damaged(folder):
    """A folder with two good images and one of each kind of bad ones."""
    big = np.kron(NOISE, np.ones((12, 12, 1), np.uint8)) ^ RNG.integers(0, 16, (72, 60, 3), dtype=np.uint8)
    save(folder / "good.png", big)
    save(folder / "really_a_jpeg.png", big, format="JPEG")
    for suffix in ("png", "jpg", "webp", "tiff", "gif"):
        path = save(folder / f"truncated.{suffix}", big)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("not an image at all")
    (folder / "script.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    return big


def test_bad_files_are_listed(tmp_path):
    good = damaged(tmp_path)
    data = load_data(tmp_path)
    assert [os.fsdecode(name) for name in data.files.names] == ["good.png", "really_a_jpeg.png"]
    assert len(data.X) == 2
    np.testing.assert_array_equal(data.X[0], good)
    reasons = {each.path: each.reason for each in data.files.rejected}
    assert len(reasons) == 9
    assert reasons["empty.png"] == "empty"
    assert reasons["text.png"] == reasons["script.jpg"] == "not an image"
    assert reasons["gone.png"] == "No such file or directory"
    assert reasons["truncated.png"] == reasons["truncated.jpg"] == "truncated"
    assert scan_images(tmp_path).rejected == data.files.rejected


def test_strict_refuses_them(tmp_path):
    damaged(tmp_path)
    for read in (lambda: load_data(tmp_path, strict=True), lambda: scan_images(tmp_path, strict=True)):
        with pytest.raises(DataError, match=r"empty\.png cannot be read as an image: empty; nor can 8 more of 11\n"):
            read()


def test_nothing_but_bad_files(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").write_text("text")
    for read in (load_data, scan_images):
        with pytest.raises(DataError, match=r"a\.png cannot be read as an image: empty; nor can 1 more of 2"):
            read(tmp_path)


@pytest.mark.parametrize(("limit", "kept"), [(100, 1), (2000, 2)])
def test_huge_images_are_passed_over_without_a_warning(tmp_path, monkeypatch, limit, kept):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # 3,600 pixels are more than this, but not than twice 2,000
    save(tmp_path / "huge.png", Image.new("L", (60, 60)))
    save(tmp_path / "small.png", Image.new("L", (8, 8)))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        data = load_data(tmp_path, size=8)
    assert len(data.X) == kept
    assert not seen
    assert [each.path for each in data.files.rejected] == ["huge.png"][: 2 - kept]


@pytest.mark.parametrize("suffix", ["png", "jpeg", "webp", "tiff", "bmp", "gif"])
def test_damage_anywhere_is_never_worse_than_a_rejection(tmp_path, suffix):
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.kron(NOISE, np.ones((4, 4, 1), np.uint8))).save(
        buffer, suffix, **({} if suffix in ("bmp", "gif") else {"exif": exif})
    )
    whole = buffer.getvalue()
    save(tmp_path / "good.png", Image.new("RGB", (8, 8)))
    for k in range(40):
        broken = bytearray(whole)
        for place in RNG.integers(0, min(len(whole), 400), 3):
            broken[place] = RNG.integers(256)
        (tmp_path / f"{k}.{suffix}").write_bytes(broken)
    data = load_data(tmp_path, size=8)
    assert len(data.X) + len(data.files.rejected) == 41
    assert all(each.reason for each in data.files.rejected)


def test_an_image_with_damaged_exif_is_read(tmp_path):
    save(tmp_path / "x.jpg", NOISE, exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert load_data(tmp_path / "x.jpg").X.shape == (1, 6, 5, 3)


def test_hidden_files_and_links_in_a_circle(tmp_path):
    save(tmp_path / "cats" / "a.png", NOISE)
    save(tmp_path / "dogs" / "b.PNG", NOISE, format="PNG")
    for hidden in ("cats/._a.png", ".thumbs/c.png", "__MACOSX/d.png"):
        save(tmp_path / hidden, NOISE)
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "dogs" / "circle").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "again").symlink_to(tmp_path / "cats", target_is_directory=True)
    data = load_data(tmp_path)
    assert data.files.names.tolist() == [b"cats/a.png", b"dogs/b.PNG"]
    assert data.y.tolist() == data.files.labels.tolist() == ["cats", "dogs"]
    assert not data.files.rejected


def test_links_out_of_the_folder_are_listed_and_never_opened(tmp_path):
    """Who gives a folder of images to be learned from gives what is in it, and no more of the disk than that."""
    elsewhere, folder = save(tmp_path / "elsewhere" / "e.png", NOISE), tmp_path / "images"
    save(folder / "a.png", NOISE)
    (folder / "b.png").symlink_to("a.png")
    (folder / "by.png").symlink_to(elsewhere)
    (folder / "up").symlink_to("..", target_is_directory=True)
    (folder / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "named").symlink_to(folder)
    for named in (folder, tmp_path / "named"):
        data = load_data(named)
        assert data.files.names.tolist() == [b"a.png", b"b.png"]
        assert [each.path for each in data.files.rejected] == ["by.png", "up", "zero.png"]
        assert {each.reason for each in data.files.rejected} == {LEADS_OUT}
        assert scan_images(named).rejected == data.files.rejected
    (folder / "b.png").unlink()
    (folder / "a.png").unlink()
    with pytest.raises(DataError, match=r"images/by\.png is a link that leads out of the folder"):
        load_data(folder)
    with pytest.raises(DataError, match=r"images/by\.png is a link that leads out of the folder"):
        image_names(folder)
    assert load_data(folder / "by.png").X.shape == (1, 6, 5, 3)  # which is what was named


def test_names_of_any_letters(tmp_path):
    save(tmp_path / "čísla" / "č 1.png", NOISE)
    save(tmp_path / "x.png", NOISE)
    data = load_data(tmp_path)
    assert [os.fsdecode(name) for name in data.files.names] == ["x.png", "čísla/č 1.png"]
    assert data.y.tolist() == [".", "čísla"]


def test_many_images_stay_on_disk_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "LARGE", 100)
    for k in range(40):
        save(tmp_path / f"{k:02d}.png", np.full((4, 4), k, np.uint8))
    (tmp_path / "07.png").write_bytes(b"")
    data = load_data(tmp_path)
    assert isinstance(data.X, OnDisk)
    assert data.X.shape == (39, 4, 4)
    assert data.X[:][:, 0, 0].tolist() == [k for k in range(40) if k != 7]
    save(tmp_path / "39.png", NOISE[:4, :4])
    assert load_data(tmp_path).X.shape == (39, 4, 4, 3)


@pytest.mark.parametrize("name", ["a.jfif", "a.jpe", "a.JPE", "a.apng"])
def test_other_suffixes_of_jpeg_and_png(tmp_path, name):
    save(tmp_path / name, NOISE, format="PNG" if "png" in name else "JPEG")
    assert load_data(tmp_path).X.shape == load_data(tmp_path / name).X.shape == (1, 6, 5, 3)


def test_reading_tells_how_far_it_is(tmp_path):
    for k in range(5):
        save(tmp_path / f"{k}.png", NOISE)
    for size, passes in ((None, 2), (4, 1)):
        told = []
        load_data(tmp_path, size=size, progress=lambda *numbers, told=told: told.append(numbers))
        assert told == [(done, 5) for done in range(6)] * passes
