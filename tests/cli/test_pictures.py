"""The pictures that the verbs write: what stands in them, and single files value by value."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from narrows import VAE, Autoencoder, load
from narrows.data import load_data
from narrows.fitted import levels, units
from narrows.fitted.levels import value_range
from narrows.runs import files, using
from narrows.runs.captions import ranked

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve coloured pictures in two folders, models of them and of grey digits, and of a table."""
    home = tmp_path_factory.mktemp("pictures")
    X = RNG.integers(0, 256, (12, 6, 9, 3), dtype=np.uint8)
    X[0, 0, 0], X[0, 0, 1] = 0, 255
    for i, pixels in enumerate(X):
        path = home / "photos" / ("cats" if i < 6 else "dogs")
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path / f"p{i:02}.png")
    Autoencoder(3, epochs=2, random_state=0).fit(X).save(home / "colour.safetensors")
    grey, y = RNG.random((40, 5, 5)), np.repeat([3, 7], 20)
    np.savez(home / "grey.npz", X=grey, y=y)
    VAE(2, epochs=1, conditional=True, random_state=0).fit(grey, y).save(home / "grey.safetensors")
    Autoencoder(1, epochs=1, random_state=0).fit(RNG.normal(size=(20, 3))).save(home / "rows.safetensors")
    np.save(home / "rows.npy", RNG.normal(size=(20, 3)))
    return home


@pytest.fixture
def narrows(folder, monkeypatch, typed):
    """Run a command in the folder; return the figures that it wrote, by name, or the error."""
    write = files.write_figure

    def command(*arguments, status=0):
        figures = {}

        def listen(path, figure):
            figures[path.name] = figure
            return write(path, figure)

        monkeypatch.setattr(files, "write_figure", listen)
        _, errors = typed(folder, *arguments, status=status)
        return errors if status else figures

    return command


def texts(figure):
    return [text.get_text() for text in figure.texts]


def pixels(path):
    with Image.open(path) as image:
        return image.mode, np.asarray(image)


def test_reconstruct_shows_the_best_the_median_and_the_worst(folder, narrows):
    figure = narrows("reconstruct", "colour.safetensors", "photos", "--files", "--out", "back")["reconstructions.png"]
    model = load(folder / "colour.safetensors")
    X = np.stack([pixels(path)[1] for path in sorted((folder / "photos").rglob("*.png"))])
    errors = model.anomaly_score(X, by="reconstruction")
    order = np.argsort(errors)
    said = texts(figure)
    assert said[0].startswith("photos through the 3 numbers of an Autoencoder; over all 12: mean error ")
    chosen = ranked(errors)
    for rank, place in chosen:
        group = "cats" if place < 6 else "dogs"
        expected = [
            rank,
            f"example {place}",
            f"class {group}",
            f"{group}/p{place:02}.png",
            f"error {errors[place]:.4f}",
        ]
        assert any(said[i : i + 5] == expected for i in range(len(said)))
    restored = model.reconstruct(X)
    low, high = value_range(model.scaling_)
    line = [place for _, place in chosen].index(order[-1])
    images = [image for ax in figure.axes for image in ax.images]
    shown = [image.get_array() for image in images[3 * line : 3 * line + 3]]
    np.testing.assert_allclose(shown[0], X[order[-1]] / 255)
    np.testing.assert_allclose(shown[1], np.clip((restored[order[-1]] - low) / (high - low), 0, 1), atol=1e-6)
    assert shown[2].mean() == pytest.approx(errors[order[-1]], rel=1e-4)  # the map's mean is the error beside it
    with (folder / "back" / "errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[7] == {"example": "7", "label": "dogs", "file": "dogs/p07.png", "error": str(errors[7])}


def test_single_files_hold_a_pixel_a_value(folder, narrows):
    narrows("reconstruct", "colour.safetensors", "photos", "--files", "--out", "single")
    restored = np.load(folder / "single" / "reconstructed.npy")
    files = sorted((folder / "single" / "reconstructed").iterdir())
    assert [file.name for file in files] == [f"{i:04}.png" for i in range(12)]
    for file, example in zip(files, restored, strict=True):
        mode, values = pixels(file)
        assert mode == "RGB"
        np.testing.assert_array_equal(values, np.rint(np.clip(example, 0, 255)))
    narrows("generate", "grey.safetensors", "--n", 3, "--files", "--out", "new")
    model, made = load(folder / "grey.safetensors"), np.load(folder / "new" / "samples.npy")
    low, high = value_range(model.scaling_)
    for i in range(3):
        mode, values = pixels(folder / "new" / "samples" / f"{i:04}.png")
        assert mode == "L"
        np.testing.assert_allclose(values, np.clip((made[i] - low) / (high - low), 0, 1) * 255, atol=0.51)


def test_a_conditional_sample_says_its_class(folder, narrows):
    said = texts(narrows("generate", "grey.safetensors", "--n", 30, "--seed", 4, "--out", "thirty")["samples.png"])
    labels = json.loads((folder / "thirty" / "results.json").read_text())["labels"]
    assert said == ["New examples from the prior of a VAE", *(f"class {label}" for label in labels)]
    assert set(labels) == {3, 7}
    expected = load(folder / "grey.safetensors").sample(30, labels, random_state=4)
    np.testing.assert_array_equal(np.load(folder / "thirty" / "samples.npy"), expected)
    said = texts(narrows("generate", "grey.safetensors", "--n", 101, "--label", 7, "--out", "many")["samples.png"])
    assert " ".join(said).replace("\n", " ") == "New examples of class 7 from the prior of a VAE, the first 100 of 101"


def test_denoise_interpolate_decode_and_like_say_what_they_show(narrows):
    figure = narrows("denoise", "grey.safetensors", "grey.npz", "--add", "masking", "--out", "clean")["denoised.png"]
    said = texts(figure)
    assert said[0].startswith("grey with masking noise, level 0.3, denoised by a VAE (mean")
    assert said[1] == "example 0\nclass 3"
    assert [line.split("\n")[0] for line in said[-3:]] == ["original", "noisy", "denoised"]
    figure = narrows("interpolate", "colour.safetensors", "photos", "--steps", 3, "--examples", "1,4", "--out", "way")
    assert texts(figure["path.png"])[1:-1] == ["example 1", "0%", "50%", "100%", "example 4"]
    figure = narrows("interpolate", "colour.safetensors", "photos", "--steps", 300, "--out", "long")["path.png"]
    assert len(figure.axes[0].images) == 100
    narrows("encode", "grey.safetensors", "grey.npz", "--out", "codes.csv")
    said = texts(narrows("decode", "grey.safetensors", "codes.csv", "--files", "--out", "decoded")["decoded.png"])
    assert said == ["codes decoded by a VAE", *["class 3"] * 20, *["class 7"] * 20]
    figure = narrows("generate", "colour.safetensors", "--like", "photos", "--n", 4, "--out", "like")["samples.png"]
    assert texts(figure)[1:] == ["original", "decoded", "new 0", "new 1"]


def test_files_of_rows_are_refused(folder, narrows):
    for verb in ("reconstruct", "denoise", "interpolate"):
        assert "--files is for images" in narrows(verb, "rows.safetensors", "rows.npy", "--files", status=2)
    assert "--files is for images" in narrows("generate", "rows.safetensors", "--files", status=2)
    assert not (folder / "runs").exists()


def test_images_on_disk_are_reconstructed_in_parts(folder, monkeypatch):
    from narrows.data.on_disk import OnDisk

    model, (X, y) = load(folder / "grey.safetensors"), np.load(folder / "grey.npz").values()
    np.save(folder / "X.npy", X)
    monkeypatch.setattr(using, "NUMBERS_AT_ONCE", 7 * 25)
    (folder / "parts").mkdir()
    restored, path = using.reconstruct_into(folder / "parts", "all", model, OnDisk.of_npy(folder / "X.npy"), y)
    assert isinstance(restored, OnDisk)
    np.testing.assert_allclose(np.load(path), model.reconstruct(X, y), atol=1e-6)


@pytest.mark.parametrize("suffix", ["csv", "npy", "parquet"])
@pytest.mark.parametrize("scores", [[], ["--scores"]], ids=["codes", "with scores"])
def test_decode_reads_what_encode_writes(folder, narrows, suffix, scores, tmp_path):
    codes, out = tmp_path / f"codes.{suffix}", tmp_path / "out"
    narrows("encode", "colour.safetensors", "photos", "--out", codes, *scores)
    narrows("decode", "colour.safetensors", codes, "--out", out)
    model = load(folder / "colour.safetensors")
    expected = model.reconstruct(load_data(folder / "photos").X)
    np.testing.assert_allclose(np.load(out / "decoded.npy"), expected, rtol=1e-4, atol=1e-3)


@pytest.fixture
def on_disk(monkeypatch):
    """Files of arrays stay on disk, nobody asks for all of one, and parts have at most ten examples of 5×5 or 3."""
    from narrows.data import OnDisk, arrays

    def all_at_once(*_):
        raise AssertionError("all examples were asked for at once")

    monkeypatch.setattr(arrays, "LARGE", 0)
    monkeypatch.setattr(using, "NUMBERS_AT_ONCE", 250)
    monkeypatch.setattr(units, "NUMBERS_LOOKED_AT", 250)
    monkeypatch.setattr(levels, "NUMBERS_AT_ONCE", 250)
    monkeypatch.setattr(OnDisk, "__array__", all_at_once)
    taken, read = [], OnDisk.__getitem__
    monkeypatch.setattr(
        OnDisk, "__getitem__", lambda self, key: (found := read(self, key), taken.append(len(np.atleast_1d(found))))[0]
    )
    return taken


@pytest.mark.parametrize("add", [[], ["--add", "gaussian", "--seed", 5]], ids=["as they are", "noisy"])
def test_images_on_disk_are_denoised_in_parts(folder, narrows, tmp_path, on_disk, add):
    X = np.load(folder / "grey.npz")["X"]
    np.save(tmp_path / "x.npy", X)
    plain = VAE(2, epochs=1, random_state=0).fit(X)
    plain.save(tmp_path / "plain.safetensors")
    on_disk.clear()
    figure = narrows("denoise", tmp_path / "plain.safetensors", tmp_path / "x.npy", *add, "--out", tmp_path / "out")
    assert max(on_disk) == 10
    assert len(figure["denoised.png"].axes[0].images) == 10 * (3 if add else 2)
    noisy = np.load(tmp_path / "out" / "noisy.npy") if add else X
    np.testing.assert_allclose(np.load(tmp_path / "out" / "denoised.npy"), plain.reconstruct(noisy), atol=1e-6)
    if not add:
        return
    noise = (noisy - X) / (X.max() - X.min())
    assert noise.std() == pytest.approx(0.3, rel=0.1)
    assert np.abs(np.corrcoef(noise.reshape(4, -1)) - np.eye(4)).max() < 0.3  # no part repeats another's noise
    with (tmp_path / "out" / "errors.csv").open(newline="") as file:
        errors = [float(row["noisy"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(errors, np.square(noise).mean((1, 2)), rtol=1e-4)
    narrows("denoise", tmp_path / "plain.safetensors", tmp_path / "x.npy", *add, "--out", tmp_path / "again")
    np.testing.assert_array_equal(np.load(tmp_path / "again" / "noisy.npy"), noisy)


@pytest.mark.usefixtures("on_disk")
def test_rows_on_disk_come_back_as_an_array(folder, narrows, tmp_path):
    rows = folder / "rows.npy"
    for verb, name in (("reconstruct", "reconstructed"), ("denoise", "denoised")):
        narrows(verb, "rows.safetensors", rows, "--out", tmp_path / verb)
        expected = load(folder / "rows.safetensors").reconstruct(np.load(rows))
        np.testing.assert_allclose(np.load(tmp_path / verb / f"{name}.npy"), expected, atol=1e-5)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_labels_of_codes_stay_the_text_that_they_are(narrows, tmp_path, suffix):
    X, y = RNG.random((20, 5, 5)), np.repeat(["01", "NA"], 10)
    np.savez(tmp_path / "x.npz", X=X, y=y)
    model = VAE(2, epochs=1, conditional=True, random_state=0).fit(X, y)
    model.save(tmp_path / "m.safetensors")
    narrows("encode", tmp_path / "m.safetensors", tmp_path / "x.npz", "--out", tmp_path / f"c.{suffix}", "--scores")
    narrows("decode", tmp_path / "m.safetensors", tmp_path / f"c.{suffix}", "--out", tmp_path / "out")
    np.testing.assert_allclose(np.load(tmp_path / "out" / "decoded.npy"), model.reconstruct(X, y), atol=1e-5)


def test_parquet_without_pyarrow_says_so(narrows, tmp_path, monkeypatch):
    (tmp_path / "c.parquet").write_bytes(b"")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "needs pyarrow" in narrows("decode", "grey.safetensors", tmp_path / "c.parquet", status=2)


def test_a_padded_model_s_images_are_padded_when_asked(folder, narrows, tmp_path):
    narrows("encode", "grey.safetensors", "grey.npz", "--fit", "pad", "--out", tmp_path / "c.csv")
    X = load_data(folder / "photos", size=6, fit="pad").X
    model = Autoencoder(2, epochs=1, random_state=0).fit(X)
    model.save(tmp_path / "m.safetensors")
    narrows("encode", tmp_path / "m.safetensors", "photos", "--fit", "pad", "--out", tmp_path / "c.npy")
    np.testing.assert_allclose(np.load(tmp_path / "c.npy"), model.transform(X), atol=1e-5)
    like = ("generate", tmp_path / "m.safetensors", "--like", "photos", "--noise", "0", "--n", 2, "--fit", "pad")
    narrows(*like, "--out", tmp_path / "like")
    np.testing.assert_allclose(
        np.load(tmp_path / "like" / "samples.npy"), np.repeat(model.reconstruct(X[:1]), 2, 0), atol=1e-3
    )
    narrows("interpolate", tmp_path / "m.safetensors", "photos", "--fit", "pad", "--out", tmp_path / "way")
    ends = np.load(tmp_path / "way" / "path.npy")[[0, -1]]
    np.testing.assert_allclose(ends, model.reconstruct(X[:2]), atol=1e-3)
    errors = narrows("generate", tmp_path / "m.safetensors", "--fit", "pad", status=2)
    assert "--fit pad has no effect without --like" in errors


@pytest.mark.filterwarnings("default")
def test_a_model_of_grey_images_says_that_it_does_not_see_colours_and_which_files_are_passed_over(tmp_path, typed):
    X = RNG.integers(0, 256, (6, 8, 8), dtype=np.uint8)
    Autoencoder(2, epochs=1, random_state=0).fit(X).save(tmp_path / "grey.safetensors")
    for i, pixels in enumerate(X):
        tinted = np.repeat(pixels[..., None], 3, 2) // 2
        Image.fromarray(tinted).save(tmp_path / f"p{i}.jpg")
    _, errors = typed(tmp_path, "encode", "grey.safetensors", ".", "--out", "grey.csv")
    assert "warning" not in errors  # of grey that was saved as colours nothing is lost
    Image.fromarray(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "red.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "red.png").read_bytes()[:60])
    _, errors = typed(tmp_path, "encode", "grey.safetensors", ".", "--out", "all.csv")
    assert "1 image in colours, which were made grey" in errors
    assert "1 file passed over: cut.png (truncated)" in errors
    assert len(pd.read_csv(tmp_path / "all.csv")) == 7


def test_codes_come_as_a_file_or_in_a_new_folder(tmp_path, typed):
    np.save(tmp_path / "x.npy", X := RNG.normal(size=(12, 4)))
    model = Autoencoder(2, epochs=1, random_state=0).fit(X)
    model.save(tmp_path / "m.safetensors")
    (tmp_path / "empty.d").mkdir()
    for out in ("new/codes", "empty.d"):
        output, _ = typed(tmp_path, "encode", "m.safetensors", "x.npy", "--out", out)
        assert f"{out}/codes.csv" in output
        np.testing.assert_allclose(pd.read_csv(tmp_path / out / "codes.csv"), model.transform(X), rtol=1e-5)
    _, error = typed(tmp_path, "encode", "m.safetensors", "x.npy", "--out", "empty.d", status=2)
    assert "--out empty.d already exists and is not empty" in error
    _, error = typed(tmp_path, "encode", "m.safetensors", "x.npy", "--out", "codes.txt", status=2)
    assert "must end in .csv or .npy or .parquet" in error
