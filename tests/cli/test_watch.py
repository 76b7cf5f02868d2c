"""A watch of what comes: an alarm soon after a change and none before, the same after a kill, and bad lines named."""

import io
import json
import os
import signal
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from narrows import Autoencoder
from narrows.data import following
from narrows.runs.watching import STATE, watch

ORDINARY = 1000


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A model of a table, and its file, in which a column moves by 3 σ after 1,000 rows."""
    folder = tmp_path_factory.mktemp("rows")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2200, 2)) @ rng.normal(size=(2, 6)) + 0.3 * rng.normal(size=(2200, 6))
    Autoencoder(2, epochs=20, random_state=0).fit(pd.DataFrame(X[:1000], columns=list("abcdef"))).save(
        folder / "model.safetensors"
    )
    X[2000:, 2] += 3 * X[:1000, 2].std()
    pd.DataFrame(X[1000:], columns=list("abcdef")).to_csv(folder / "rows.csv", index=False)
    return folder


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Some dozen rows are read at a time."""
    monkeypatch.setattr(following, "BYTES", 2**12)


def test_a_moved_column_ends_it_with_a_status_of_its_own(rows, typed, tmp_path):
    output, _ = typed(tmp_path, "watch", rows / "model.safetensors", rows / "rows.csv", status=3)
    found = watch(rows / "model.safetensors", str(rows / "rows.csv"))
    assert ORDINARY <= found.alarm < ORDINARY + 50
    assert found.alarm + 1 == found.examples
    assert found.where == f"line {found.alarm + 2:,}"
    assert abs(found.since - ORDINARY) <= 10
    assert found.log_capital >= found.enough == pytest.approx(np.log(1e4))
    assert f"Alarm at example {found.alarm:,}, counted from 0 ({found.where}): the evidence" in output


def test_nothing_new_is_no_alarm(rows, typed, tmp_path):
    lines = (rows / "rows.csv").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "ordinary.csv").write_text("".join(lines[:901]).rstrip("\n"), encoding="utf-8")
    output, _ = typed(tmp_path, "watch", rows / "model.safetensors", "ordinary.csv")
    assert output.startswith("900 examples, no alarm: the evidence of a change is ")


def watch_and_die(arguments, pieces):
    """Watch in a child that is killed as soon as so many pieces are done, and say whether it was."""
    child = os.fork()
    if child == 0:
        left = iter(range(pieces - 1))
        watch(*arguments, told=lambda *_: next(left, None) is None and os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_killed_watch_goes_on_to_the_same_alarm(rows, typed, tmp_path):
    arguments = rows / "model.safetensors", str(rows / "rows.csv")
    whole = watch(*arguments, tmp_path / "whole")
    killed = 0
    while watch_and_die((*arguments, tmp_path / "cut"), 8):
        killed += 1
    assert killed > 2
    assert (tmp_path / "cut" / STATE).read_bytes() == (tmp_path / "whole" / STATE).read_bytes()
    assert watch(*arguments, tmp_path / "cut") == whole  # an alarm stays
    lines = (rows / "rows.csv").read_text("utf-8").splitlines(keepends=True)
    growing = tmp_path / "rows.csv"
    for count in (1, 300, 301, len(lines)):
        growing.write_text("".join(lines[:count]), encoding="utf-8")
        found = watch(arguments[0], str(growing), tmp_path / "grown")
    assert found[3:] == whole[3:]
    growing.write_text("a", encoding="utf-8")
    _, error = typed(
        tmp_path, "watch", rows / "model.safetensors", growing, "--by", "likelihood", "--out", "grown", status=2
    )
    assert "holds the state of another watch: its by was 'auto' and is 'likelihood' now" in error


def test_a_file_is_followed_while_it_grows(rows, tmp_path):
    lines = (rows / "rows.csv").read_text("utf-8").splitlines(keepends=True)
    growing, looked = tmp_path / "rows.csv", threading.Event()
    growing.write_text("".join(lines[:500]) + lines[500][:7], encoding="utf-8")

    def grow():
        looked.wait()
        with growing.open("a", encoding="utf-8") as file:
            file.write(lines[500][7:] + "".join(lines[501:]))

    writer = threading.Thread(target=grow)
    writer.start()
    told = lambda n, _: looked.set() if n == 499 else None  # noqa: E731
    found = watch(rows / "model.safetensors", str(growing), every=0.01, told=told)
    writer.join()
    assert found[3:] == watch(rows / "model.safetensors", str(rows / "rows.csv"))[3:]


def test_lines_come_on_standard_input_and_the_heading_again(rows, tmp_path, monkeypatch):
    lines = (rows / "rows.csv").read_bytes().splitlines(keepends=True)
    for some in (lines[:700], [lines[0], *lines[700:]]):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"".join(some))))
        found = watch(rows / "model.safetensors", "-", tmp_path / "out")
    assert found[3:] == watch(rows / "model.safetensors", str(rows / "rows.csv"))[3:]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1,2,3", "line 500 has 3 cells; the first line has 6"),
        ("1,2,\xff,4,5,6", "line 500 is not in UTF-8"),
        ("1,2,x,4,5,6", "column 'c' holds 'x' in line 500"),
        ("1,2,,4,5,6", "line 500: X contains NaN"),
    ],
)
def test_a_bad_line_is_named_and_the_watch_goes_on_once_it_is_mended(line, words, rows, typed, tmp_path):
    lines = (rows / "rows.csv").read_text("utf-8").splitlines()
    (tmp_path / "rows.csv").write_text("\n".join([*lines[:499], line, *lines[500:]]), encoding="latin-1")
    command = ("watch", rows / "model.safetensors", "rows.csv", "--out", "out")
    _, error = typed(tmp_path, *command, status=2)
    assert words in error
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    typed(tmp_path, *command, status=3)
    assert json.loads((tmp_path / "out" / STATE).read_text("utf-8"))["martingale"]["n"] > ORDINARY


def test_a_folder_of_parts_into_which_more_come(rows, tmp_path):
    frame = pd.read_csv(rows / "rows.csv")
    for number, begin in enumerate(range(0, 1200, 300)):
        frame[begin : begin + 300].to_parquet(tmp_path / f"{number}.parquet", index=False)
        found = watch(rows / "model.safetensors", str(tmp_path), tmp_path / "out")
    assert found.where == f"3.parquet, row {found.alarm - 900}"
    assert found[3] == watch(rows / "model.safetensors", str(rows / "rows.csv"))[3]


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """A model of digits, and a folder of images, the last of which lie on their side."""
    folder = tmp_path_factory.mktemp("images")
    images = (np.random.default_rng(0).permutation(load_digits().images) * 255 / 16).round().astype(np.uint8)
    Autoencoder(8, epochs=15, random_state=0).fit(images[:600]).save(folder / "model.safetensors")
    images = np.concatenate([images[600:800], np.rot90(images[800:900], axes=(1, 2))])
    (folder / "images").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / "images" / f"{number:04}.png")
    return folder


def test_digits_on_their_side_among_images(turned, typed, tmp_path):
    model, images = turned / "model.safetensors", turned / "images"
    output, _ = typed(tmp_path, "watch", model, images, "--out", "out", status=3)
    alarm = watch(model, str(images)).alarm
    assert 200 <= alarm < 250
    assert f"Alarm at example {alarm}, counted from 0 ({alarm:04}.png)" in output


def test_an_empty_folder_is_waited_at_and_what_is_done_may_go(turned, tmp_path):
    images, seen = tmp_path / "images", []
    images.mkdir()

    def come(number):
        aside = tmp_path / "aside.png"
        aside.write_bytes((turned / "images" / f"000{number}.png").read_bytes())
        os.utime(aside, (0, 0))
        aside.rename(images / f"{number}.png")

    def told(n, _):
        seen.append(n)
        (images / f"{n}.png").unlink()
        come(n + 1)
        if n == 3:
            raise KeyboardInterrupt

    threading.Timer(0.1, come, [1]).start()
    with pytest.raises(KeyboardInterrupt):
        watch(turned / "model.safetensors", str(images), every=0.01, told=told)
    assert seen == [1, 2, 3]


def test_images_that_come_too_late_or_are_damaged_are_named(turned, typed, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for number in (1, 2):
        (images / f"{number}.png").write_bytes((turned / "images" / f"000{number}.png").read_bytes())
    typed(tmp_path, "watch", turned / "model.safetensors", images, "--out", "out")
    (images / "3.png").write_bytes(b"no image")
    _, error = typed(tmp_path, "watch", turned / "model.safetensors", images, "--out", "out", status=2)
    assert "3.png" in error
    (images / "0.png").write_bytes((images / "1.png").read_bytes())
    _, error = typed(tmp_path, "watch", turned / "model.safetensors", images, "--out", "out", status=2)
    assert "has new files that sort before 2.png, which is done" in error


def test_what_cannot_be_watched_is_refused(rows, typed, tmp_path):
    X = pd.read_csv(rows / "rows.csv")
    Autoencoder(2, epochs=1, validation_fraction=0, random_state=0).fit(X).save(tmp_path / "none.safetensors")
    _, error = typed(tmp_path, "watch", "none.safetensors", rows / "rows.csv", status=2)
    assert "MODEL none.safetensors knows 0 scores of ordinary examples held out in training" in error
    _, error = typed(tmp_path, "watch", rows / "model.safetensors", tmp_path / "none.safetensors", status=2)
    assert "none.safetensors must be a .csv or .tsv file, a folder of Parquet parts, as" in error
    _, error = typed(tmp_path, "watch", rows / "model.safetensors", rows / "rows.csv", "--every", 2, status=2)
    assert "--every 2 has no effect without --follow" in error
    _, error = typed(tmp_path, "watch", rows / "model.safetensors", "digits", status=2)
    assert "DATA digits does not exist" in error
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / STATE).write_text("{}", encoding="utf-8")
    _, error = typed(tmp_path, "watch", rows / "model.safetensors", rows / "rows.csv", "--out", "out", status=2)
    assert "is no state of a watch" in error
