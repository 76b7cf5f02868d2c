"""The verb data: what it says of any data, on the screen and in its folder."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from narrows import load
from narrows.data import DataError, Dataset, load_data
from narrows.data.description import NUMBERS_AT_ONCE, describe
from narrows.fitted.levels import as_bytes, value_range


@pytest.fixture
def narrows(tmp_path, monkeypatch, typed):
    """Run a command in a folder of its own, on a terminal of 80 columns; return what it printed, or the error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def command(*arguments, status=0):
        output, errors = typed(tmp_path, *arguments, status=status)
        assert all(len(line) <= 80 for line in output.splitlines())
        return errors if status else output

    return command


@pytest.fixture
def texts(monkeypatch):
    """What the figures say that are written."""
    said = []
    from narrows.runs import files

    write = files.write_figure

    def listen(path, figure):
        said.extend(text.get_text() for text in figure.texts)
        return write(path, figure)

    monkeypatch.setattr(files, "write_figure", listen)
    return said


def written(folder):
    return json.loads((folder / "data.json").read_text())


def images(folder, sizes):
    for i, (label, size) in enumerate(sizes):
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.new("RGB" if i % 2 else "L", size, 10 * i if i % 2 == 0 else (10 * i, 0, 255)).save(
            folder / label / f"{i}.png"
        )


def test_digits(narrows, tmp_path, texts):
    printed = narrows("data", "digits", "--out", "out")
    assert "8×8 pixels (width × height), grey" in printed
    assert "3 of the 64 values are the same in every example" in printed  # scikit-learn's own description says so
    assert "narrows train digits" in printed
    found = written(tmp_path / "out")
    assert (found["shape"], found["low"], found["high"], found["missing"]) == ([1797, 8, 8], 0, 16, 0)
    assert found["labels"] == {str(i): int(n) for i, n in enumerate(np.bincount(load_digits().target))}
    assert texts[0] == "digits: 1,797 images of 8×8, 10 classes"
    assert "3\n183 images" in texts


def test_a_folder_of_mixed_sizes_is_described_and_told_what_to_type(narrows, tmp_path):
    images(tmp_path / "photos", [("a", (40, 30)), ("a", (20, 20)), ("b", (20, 20)), ("b", (24, 32))])
    (tmp_path / "photos" / "a" / "empty.png").write_bytes(b"")
    printed = narrows("data", "photos", "--out", "out")
    assert "20×20 (2)" in printed
    assert "empty.png" in printed
    found = written(tmp_path / "out")
    sizes = {(size["width"], size["height"]): size["images"] for size in found["files"]["sizes"]}
    assert sizes == {(40, 30): 1, (20, 20): 2, (24, 32): 1}
    assert found["files"]["modes"] == {"L": 2, "RGB": 2}
    assert found["files"]["rejected"] == [{"path": "a/empty.png", "reason": "empty"}]
    assert (found["sizes_differ"], found["shape"], found["labels"]) == (True, [4], {"a": 2, "b": 2})
    command = next(line for line in printed.splitlines() if "narrows train photos --size" in line)
    side = int(command.split("--size")[1].split()[0])
    narrows("data", "photos", "--size", side, "--fit", "pad", "--out", "fitted")
    assert written(tmp_path / "fitted")["shape"] == [4, side, side, 3]
    assert "empty.png" in narrows("data", "photos", "--size", side, "--strict", status=2)


def test_a_table_with_holes(narrows, tmp_path, texts):
    (tmp_path / "t.csv").write_text("a,b,c,class\n1,5,,x\n3,5,,y\n,5,,x\n")
    printed = narrows("data", "t.csv", "--out", "out")
    assert "left out: always 5" in printed
    found = ["1 (1), 3 (1)", "left out: always 5", "left out: no cell holds a value"]
    numbers = [
        {"name": "a", "low": 1, "high": 3, "mean": 2, "missing": 1, "infinite": 0, "kind": "binary"},
        {"name": "b", "low": 5, "high": 5, "mean": 5, "missing": 0, "infinite": 0, "kind": "constant"},
        {"name": "c", "low": None, "high": None, "mean": None, "missing": 3, "infinite": 0, "kind": "empty"},
    ]
    assert written(tmp_path / "out")["columns"] == [one | {"found": f} for one, f in zip(numbers, found, strict=True)]
    assert written(tmp_path / "out")["labels"] == {"x": 2, "y": 1}
    assert {"a", "b", "c"} <= set(texts)


def test_what_was_taken_for_what_is_said_here_and_at_training(narrows, typed, tmp_path):
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(12, 3))).assign(y=list("ab") * 6).to_csv(tmp_path / "t.csv")
    said = ["columns' names: 0, 1, 2, y", "left out", "'y' was taken for the labels; rename it to learn from it"]
    printed = narrows("data", "t.csv", "--out", "out")
    notes = written(tmp_path / "out")["notes"]
    assert len(notes) == 3
    trained, _ = typed(tmp_path, "train", "t.csv", "--epochs", "1", "--latent-dim", "1", "--out", "run")
    for one, note in zip(said, notes, strict=True):
        for text in (note, " ".join(printed.split()), " ".join(trained.split())):
            assert one in text


def test_sixteen_bits_and_masks_are_shown_on_their_own_range(narrows, tmp_path):
    levels = np.array([[0, 4095], [4095, 0]] * 4, np.uint16).repeat(4, 1)
    for name, pixels in (("deep", levels), ("masks", (levels // 819).astype(np.uint8))):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "a.png")
        printed = narrows("data", name, "--out", f"{name}-out")
        with Image.open(tmp_path / f"{name}-out" / "contact-sheet.png") as sheet:
            image = np.asarray(sheet.convert("L"))
        height, width = image.shape
        assert np.ptp(image[height // 3 : -height // 4, width // 3 : -width // 3]) > 200, name
        assert ("from 0 to 4,095, kept as they are" in " ".join(printed.split())) == (name == "deep")


def test_names_do_not_run_off_a_narrow_terminal(narrows, tmp_path):
    images(tmp_path / "p", [(f"[red]label {i} " + "long " * 10, (9, 9)) for i in range(30)])
    printed = narrows("data", "p", "--out", "out")
    assert "[red]label 1 " in printed
    assert "and 10 more" in printed
    assert len(written(tmp_path / "out")["labels"]) == 30


@pytest.mark.parametrize("arguments", [["none"], ["digits", "--size", "0"], ["digits", "--fit", "stretch"], ["empty"]])
def test_bad_input_writes_nothing(narrows, tmp_path, arguments):
    (tmp_path / "empty").mkdir()
    assert narrows("data", *arguments, status=2).count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("scale", [1.0, 1e306])
def test_parts_add_up_to_the_whole(scale):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3 * NUMBERS_AT_ONCE // 1000 + 7, 1000)) * scale
    X[rng.random(X.shape) < 0.1] = np.nan
    X[5, 5], X[:, 7] = np.inf, 2.0
    found = describe(Dataset("big", X))
    X[5, 5] = np.nan
    for i in (0, 5, 7, 999):
        column = found.columns[i]
        assert column.low == np.nanmin(X[:, i])
        assert column.high == np.nanmax(X[:, i])
        assert column.mean == pytest.approx(np.nanmean(X[:, i] / scale) * scale, abs=1e-12 * scale)
    assert found.missing == np.isnan(X).sum() - 1
    assert (found.infinite, found.constant) == (1, 1)


def test_classes_of_unequal_size_share_a_contact_sheet(tmp_path, narrows):
    for name, count in (("a", 3), ("b", 5)):
        (tmp_path / "uneven" / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(np.full((8, 8), 20 * i, np.uint8)).save(tmp_path / "uneven" / name / f"{i}.png")
    narrows("data", "uneven", "--out", "out")
    assert json.loads((tmp_path / "out" / "data.json").read_text())
    with Image.open(tmp_path / "out" / "contact-sheet.png") as sheet:
        assert np.ptp(np.asarray(sheet.convert("L"))) > 200


def test_a_broken_file_does_not_make_sizes_differ(tmp_path, narrows):
    (tmp_path / "sound").mkdir()
    for i in range(5):
        Image.fromarray(np.full((20, 20), 40 * i, np.uint8)).save(tmp_path / "sound" / f"{i}.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 40), np.uint8)).save(tmp_path / "sound" / "z.png")
    whole = (tmp_path / "sound" / "z.png").read_bytes()
    (tmp_path / "sound" / "z.png").write_bytes(whole[:200])
    assert " 1 file " in narrows("data", "sound", "--out", "out") + " "
    data = load_data(tmp_path / "sound")
    assert data.X.shape == (5, 20, 20)
    assert [file.path for file in data.files.rejected] == ["z.png"]


def test_arrays_of_no_examples_or_complex_numbers_are_refused_and_truth_values_are_not():
    with pytest.raises(DataError, match=r"holds no examples: its shape is \(0, 3\)"):
        Dataset("x", np.zeros((0, 3)))
    with pytest.raises(DataError, match="complex128"):
        Dataset("x", np.zeros((2, 3), complex))
    assert Dataset("x", np.zeros((2, 3), bool)).X.shape == (2, 3)


def test_a_contact_sheet_tells_files_of_one_stem_apart(narrows, tmp_path, texts):
    images(tmp_path / "p", [(".", (9, 9))] * 2)
    Image.new("L", (9, 9)).save(tmp_path / "p" / "1.tif")
    narrows("data", "p", "--out", "out")
    assert texts[1:] == ["0", "1.png", "1.tif"]


def test_advice_for_too_few_and_for_too_large(narrows, tmp_path):
    images(tmp_path / "few", [(".", (9, 9))])
    assert "at least 4 examples are needed" in narrows("data", "few").replace("\n", " ")
    images(tmp_path / "large", [(".", (300, 40))] * 4)
    printed = narrows("data", "large")
    assert "narrows train large --size 64" in printed
    assert "narrows train large --size 128\n" in narrows("data", "large", "--size", "128")
    np.save(tmp_path / "large.npy", np.zeros((4, 257, 2)))
    printed = narrows("data", "large.npy")
    assert "scaling them to, say, 64×64 is quicker" in printed
    assert "--size" not in printed


def test_what_is_read_is_shown_at_once(tmp_path, monkeypatch, capsys, typed):
    from narrows.cli import progress

    now = iter(np.arange(1000) * 2.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(now)))  # other threads have their own
    with progress.reading("p") as tell:
        for done in range(9):
            tell(done, 1234)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "reading p: 0 of 1,234 files"
    assert 2 <= len(lines) <= 5
    monkeypatch.undo()
    images(tmp_path / "p", [(".", (9, 9))] * 5)
    assert typed(tmp_path, "data", "p")[1] == "reading p: 0 of 5 files\n"


def test_a_range_is_what_all_that_follows_shows(tmp_path, narrows, typed):
    levels = np.random.default_rng(0).integers(100, 1000, (40, 8, 8)).astype(np.uint16)
    levels[0, 0, 0] = 65535  # a hot pixel
    (tmp_path / "deep").mkdir()
    for i, image in enumerate(levels):
        Image.fromarray(image).save(tmp_path / "deep" / f"{i:02}.png")
    printed = narrows("data", "deep", "--range", "0,4095")
    assert "Black is 0 and white is 4,095" in printed
    assert "narrows train deep --range=0,4095" in printed
    command = ("train", "deep", "--range", "0,4095", "--epochs", "2", "--latent-dim", "2", "--out", "run")
    printed, _ = typed(tmp_path, *command, status=0)
    assert "from 100 to 65,535, kept as they are" in printed
    assert "Black is 0 and white is 4,095" in printed
    fitted = load(next((tmp_path / "run").glob("*.safetensors"))).fitted_
    assert value_range(fitted.scaling) == (0, 4095)
    assert as_bytes(fitted, levels)[0, 0, 0] == 255
    np.testing.assert_array_equal(as_bytes(fitted, levels[1:]), np.rint(levels[1:] / 4095 * 255))
    for wrong in ("4095", "5,1", "a,b", "0,inf"):
        assert f"--range '{wrong}' must be LOW,HIGH" in narrows("train", "deep", "--range", wrong, status=2)
    assert "exclude each other" in narrows("train", "deep", "--range", "0,1", "--recipe", "lecture", status=2)


def test_pages_are_examples_on_the_command_line(tmp_path, narrows):
    first, *others = map(Image.fromarray, np.arange(3 * 8 * 10, dtype=np.uint8).reshape(3, 8, 10))
    first.save(tmp_path / "stack.tiff", save_all=True, append_images=others)
    for page, n in (("all", "3"), ("2", "1")):
        printed = narrows("data", "stack.tiff", "--page", page)
        assert re.search(rf"examples +{n}\s", printed)
    assert "'x' is not a whole number" in narrows("data", "stack.tiff", "--page", "x", status=2)


@pytest.mark.usefixtures("undrawn")
def test_a_run_remembers_which_array_and_which_page_its_data_were(tmp_path, typed):
    X = np.random.default_rng(0).random((40, 4, 4)).astype("f4")
    np.savez(tmp_path / "many.npz", first=X, second=1 - X)
    typed(tmp_path, "train", "many.npz", "--key", "second", "--epochs", 1, "--latent-dim", 2, "--out", "run")
    output, _ = typed(tmp_path, "encode", "run", "many.npz", "--out", "codes.csv")
    assert "40 codes of 2 numbers" in output
    assert "load_data('many', key='second')" in (tmp_path / "run" / "report.html").read_text("utf-8").replace(
        "&#x27;", "'"
    )
    (tmp_path / "scans").mkdir()
    for i in range(12):
        pages = [Image.fromarray((255 * X[3 * i + page]).astype(np.uint8)) for page in range(3)]
        pages[0].save(tmp_path / "scans" / f"{i:02}.tif", save_all=True, append_images=pages[1:])
    typed(tmp_path, "train", "scans", "--page", "all", "--epochs", 1, "--latent-dim", 2, "--out", "of-scans")
    assert "36 codes of 2 numbers" in typed(tmp_path, "encode", "of-scans", "scans", "--out", "more.csv")[0]
