"""Tables larger than memory: every verb says of parts what it says of the whole, and goes on after a kill."""

import json
import os
import random
import signal
import threading
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet as pq

from killing import killed_in_write
from narrows import Autoencoder, load
from narrows.data import load_data
from narrows.data import parts as parts_module
from narrows.data.fingerprints import shares
from narrows.runs import streaming
from narrows.runs.journal import JOURNAL
from narrows.runs.opening import find_model
from narrows.storage import halves
from narrows.sweeps import Sweep

NAMES = ["a", "b", "c", "d"]
VERBS = ("encode", "anomalies", "reconstruct", "denoise", "impute")
CLOSE = {"rtol": 1e-3, "atol": 1e-5}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Batches of 64 rows, and two of them a part."""
    for name, number in {"ROWS": 64, "ALIGNED": 32}.items():
        monkeypatch.setattr(parts_module, name, number)
    for module in (parts_module, streaming):
        monkeypatch.setattr(module, "BATCHES", 2)


@pytest.fixture(params=[1, 2])
def threads(request):
    """How many threads torch, and so a stream, may take."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model of numbers and one of a table, and rows for both."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(500, 4)) @ rng.normal(size=(4, 4)), columns=NAMES)
    Autoencoder(2, hidden=(8,), epochs=3, random_state=0).fit(rows).save(folder / "numbers.safetensors")
    table = rows.assign(city=rng.choice(["Brno", "Praha"], 500), day=pd.Timestamp("2024-01-01"), e=rows["a"].round(2))
    table["day"] += pd.to_timedelta(rng.integers(0, 900, 500), unit="D")
    table = table.mask(rng.random(table.shape) < 0.1)
    Autoencoder(2, hidden=(8,), epochs=3, random_state=0).fit(table).save(folder / "table.safetensors")
    return folder, rows, table


def in_parts(folder, frame, cuts=(0, 200, 205, 500)):
    """Write a folder of Parquet parts, whose row groups have nothing to do with batches."""
    folder.mkdir()
    for number, (first, last) in enumerate(pairwise(cuts)):
        whole = pa.Table.from_pandas(frame[first:last], preserve_index=False)
        pq.write_table(whole, folder / f"{number}.parquet", row_group_size=37)
    (folder / "_metadata.parquet").write_bytes(b"nothing")
    return folder


def read(folder):
    return pd.concat([pd.read_parquet(file) for file in sorted(folder.glob("part-*"))], ignore_index=True)


@pytest.mark.parametrize("kind", ["numbers", "table"])
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("verb", ["encode", "anomalies", "reconstruct", "denoise"])
def test_parts_say_what_the_whole_says(verb, kind, made, typed, tmp_path):
    folder, rows, table = made
    frame, model = (rows if kind == "numbers" else table), folder / f"{kind}.safetensors"
    whole = tmp_path / "whole.parquet"
    frame.to_parquet(whole)
    extra = ["--scores"] if verb == "encode" else []
    one = tmp_path / ("one.csv" if verb == "encode" else "one")
    typed(tmp_path, verb, model, whole, *extra, "--out", one)
    data = in_parts(tmp_path / "data", frame)
    typed(tmp_path, verb, model, data, *extra, "--out", "parts")
    found, results = read(tmp_path / "parts"), json.loads((tmp_path / "parts" / "results.json").read_text("utf-8"))
    assert [(part["of"], part["first"], part["rows"]) for part in results["parts"]] == [
        ("0.parquet", 0, 128),
        ("0.parquet", 128, 72),
        ("1.parquet", 0, 5),
        *(("2.parquet", first, rows) for first, rows in [(0, 128), (128, 128), (256, 39)]),
    ]
    assert results["examples"] == 500
    assert not (tmp_path / "parts" / JOURNAL).exists()
    if verb == "encode":
        pd.testing.assert_frame_equal(found, pd.read_csv(one), check_dtype=False, **CLOSE)
    elif verb == "anomalies":
        told = pd.read_csv(one / "anomalies.csv", keep_default_na=False).sort_values("example", ignore_index=True)
        ours = json.loads((one / "results.json").read_text("utf-8"))
        # A row that was held out itself is as odd as one of those that it is compared with, but for rounding.
        np.testing.assert_allclose(found.pop("p_value"), told.pop("p_value"), atol=1.01 / results["held_out"])
        pd.testing.assert_frame_equal(found, told[found.columns], check_dtype=False, **CLOSE)
        assert results["oddest"][0] == told["score"].idxmax()
        assert (results["odd"], results["threshold"]) == (ours["odd"], ours["threshold"])
    else:
        name = {"reconstruct": "reconstructed", "denoise": "denoised"}[verb]
        told = pd.read_csv(one / f"{name}.csv")
        if verb == "reconstruct":
            errors = found.pop("reconstruction_error")
            np.testing.assert_allclose(errors, pd.read_csv(one / "errors.csv")["error"], **CLOSE)
            assert results["mean"] == pytest.approx(errors.mean())
        if "day" in told:
            told["day"] = pd.to_datetime(told["day"], format="ISO8601")
            found["day"] = found["day"].astype(told["day"].dtype)
        pd.testing.assert_frame_equal(found, told, check_dtype=False, **CLOSE)


def test_gaps_are_filled_in_parts_and_nothing_else_changes(made, typed, tmp_path):
    folder, _, table = made
    data = in_parts(tmp_path / "data", table)
    output, _ = typed(tmp_path, "impute", folder / "table.safetensors", data, "--out", "filled")
    filled = read(tmp_path / "filled")
    assert not filled.isna().to_numpy().any()
    pd.testing.assert_frame_equal(filled.where(table.notna()), table, check_dtype=False)
    assert f"{table.isna().to_numpy().sum():,} of {table.isna().to_numpy().sum():,} missing cells" in output


def test_a_large_text_file_too_and_its_lines_stay_as_they_are(made, typed, tmp_path, monkeypatch):
    folder, _, table = made
    lines = table.to_csv(index=False, na_rep="?", date_format="%Y-%m-%d").splitlines(keepends=True)
    text = "".join(line.replace("Brno", '"Brno"') for line in lines)
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    monkeypatch.setattr("narrows.data.sources.LARGE", 1)
    typed(tmp_path, "impute", folder / "table.safetensors", "t.csv", "--missing", "?", "--out", "filled")
    files = sorted((tmp_path / "filled").glob("part-*.csv"))
    assert len(files) == 4
    after = [line for file in files for line in file.read_text("utf-8").splitlines(keepends=True)[1:]]
    for old, new in zip(text.splitlines(keepends=True)[1:], after, strict=True):
        cells = zip(old.rstrip("\n").split(","), new.rstrip("\n").split(","), strict=True)
        assert all(one == other or (one == "?" and other != "?") for one, other in cells)
    typed(tmp_path, "encode", folder / "table.safetensors", "t.csv", "--missing", "?", "--out", "codes")
    monkeypatch.undo()
    typed(tmp_path, "encode", folder / "table.safetensors", "t.csv", "--missing", "?", "--out", "one.csv")
    np.testing.assert_allclose(read(tmp_path / "codes"), pd.read_csv(tmp_path / "one.csv"), **CLOSE)


def bytes_of(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("verb", VERBS)
def test_however_many_threads_there_are_the_bytes_are_the_same(verb, made, tmp_path):
    folder, _, table = made
    arguments, found = (folder / "table.safetensors", str(in_parts(tmp_path / "data", table))), []
    before = torch.get_num_threads()
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        told = []
        getattr(streaming, verb)(*arguments, tmp_path / str(count), told=told.append)
        assert (torch.get_num_threads(), told) == (count, [64, 128, 192, 200, 205, 269, 333, 397, 461, 500])
        found.append(bytes_of(tmp_path / str(count)))
    torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


@pytest.mark.usefixtures("threads")
def test_an_error_in_the_middle_names_the_rows_and_what_is_before_stays(made, tmp_path):
    folder, rows, _ = made
    model, data, out = folder / "numbers.safetensors", in_parts(tmp_path / "data", rows), tmp_path / "out"
    streaming.encode(model, str(data), tmp_path / "whole", told=lambda _: None)
    wrong = rows[205:500].copy()
    wrong.loc[205 + 130, "b"] = np.inf
    wrong.to_parquet(data / "2.parquet", index=False)
    with pytest.raises(ValueError, match=r"2\.parquet, rows 128 to 191: X contains infinity.* in row 2, column 'b'"):
        streaming.encode(model, str(data), out, told=lambda _: None)
    whole, left = bytes_of(tmp_path / "whole"), bytes_of(out)
    names = [f"part-{number:05}.parquet" for number in range(4)]
    assert sorted(left) == [JOURNAL, *names]
    assert all(left[name] == whole[name] for name in names)


@pytest.mark.usefixtures("threads")
def test_interrupted_it_ends_at_once_and_goes_on_later(made, tmp_path):
    folder, rows, _ = made
    arguments = folder / "numbers.safetensors", str(in_parts(tmp_path / "data", rows))
    streaming.encode(*arguments, tmp_path / "whole", told=lambda _: None)

    threads_before = set(threading.enumerate())

    def told(n):
        if n > 333:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        streaming.encode(*arguments, tmp_path / "out", told=told)
    assert len(list((tmp_path / "out").glob("part-*"))) == 4
    assert set(threading.enumerate()) <= threads_before
    streaming.encode(*arguments, tmp_path / "out", told=lambda _: None)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")


def encode_and_die(arguments, batches):
    """Encode in a child that is killed as soon as so many batches are done, and say whether it was."""
    child = os.fork()
    if child == 0:
        left = iter(range(batches - 1))
        streaming.encode(*arguments, told=lambda _: next(left, None) is None and os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.usefixtures("threads")
def test_a_killed_stream_goes_on_to_the_same_bytes_and_repeats_no_part(made, tmp_path):
    folder, rows, _ = made
    data, model = in_parts(tmp_path / "data", rows, (0, 200, 205, 500)), folder / "numbers.safetensors"
    streaming.encode(model, str(data), tmp_path / "whole", told=lambda _: None)
    out, chance, written = tmp_path / "killed", random.Random(0), {}
    while encode_and_die((model, str(data), out), chance.randint(2, 4)):
        now = {file.name: file.stat().st_mtime_ns for file in out.glob("part-*")}
        assert written.items() <= now.items()
        written = now
    assert len(written) > 2
    assert bytes_of(out) == bytes_of(tmp_path / "whole")
    assert all((out / name).stat().st_mtime_ns == moment for name, moment in written.items())


class Killed(BaseException):
    pass


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("moment", ["before the part", "in the journal", "before the move"])
def test_cut_off_at_any_moment_it_ends_the_same(moment, made, tmp_path, monkeypatch):
    folder, rows, _ = made
    arguments = folder / "numbers.safetensors", str(in_parts(tmp_path / "data", rows))
    streaming.encode(*arguments, tmp_path / "whole", told=lambda _: None)
    out = tmp_path / "cut"

    def cut(*_):
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "before the part":
            patch.setattr(streaming, "columns_of", cut)
        elif moment == "before the move":
            patch.setattr(type(out), "replace", lambda path, to: cut() if "part-" in to.name else path.rename(to))
        else:
            patch.setattr("narrows.runs.journal.json.dumps", lambda value: cut() if "part" in value else "{}")
        with pytest.raises(Killed):
            streaming.encode(*arguments, out, told=lambda _: None)
    journal = out / JOURNAL
    if moment == "in the journal":
        journal.write_text(json.dumps({}) + '\n{"part": "part-00', encoding="utf-8")
        with pytest.raises(ValueError, match="holds parts of another run: its verb was null and is"):
            streaming.encode(*arguments, out, told=lambda _: None)
        for file in out.iterdir():
            file.unlink()
    streaming.encode(*arguments, out, told=lambda _: None)
    assert bytes_of(out) == bytes_of(tmp_path / "whole")


def test_killed_in_the_very_first_write_it_begins_again(made, tmp_path):
    folder, rows, _ = made
    arguments = folder / "numbers.safetensors", str(in_parts(tmp_path / "data", rows))
    (out := tmp_path / "out").mkdir()
    killed_in_write(out / JOURNAL)
    streaming.encode(*arguments, out, told=lambda _: None)
    streaming.encode(*arguments, tmp_path / "whole", told=lambda _: None)
    assert bytes_of(out) == bytes_of(tmp_path / "whole")
    assert not halves(out)


def test_another_command_does_not_go_on_with_parts(made, typed, tmp_path):
    folder, rows, _ = made
    data = in_parts(tmp_path / "data", rows)
    streaming.encode(folder / "numbers.safetensors", str(data), tmp_path / "out", told=lambda _: None)
    _, error = typed(tmp_path, "encode", folder / "numbers.safetensors", data, "--out", "out", status=2)
    assert "already exists and is not empty" in error
    _, error = typed(tmp_path, "denoise", folder / "numbers.safetensors", data, "--add", "gaussian", status=2)
    assert f"--add is for data that memory can hold, and {data} is read and written in parts" in error
    _, error = typed(tmp_path, "encode", folder / "numbers.safetensors", data, "--out", "codes.csv", status=2)
    assert "--out codes.csv must be a folder" in error


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="b"), "1.parquet has no column 'b', which 0.parquet has"),
        (lambda frame: frame.assign(z=1), "1.parquet has a column 'z', which 0.parquet has not"),
        (lambda frame: frame.assign(a="x"), "1.parquet, column 'a' is of type large_string, but of type double in 0"),
    ],
)
def test_a_part_that_is_not_like_the_others_is_named(change, words, made, tmp_path):
    folder, rows, _ = made
    data = in_parts(tmp_path / "data", rows)
    change(rows[200:205]).to_parquet(data / "1.parquet", index=False)
    with pytest.raises(ValueError, match=words):
        streaming.encode(folder / "numbers.safetensors", str(data), tmp_path / "out", told=lambda _: None)
    assert not (tmp_path / "out").exists()


def test_a_part_that_is_damaged_or_changes_is_named(made, tmp_path):
    folder, rows, _ = made
    model, data = folder / "numbers.safetensors", in_parts(tmp_path / "data", rows)
    wrong = rows[200:205].copy()
    wrong.loc[202, "a"] = np.nan
    wrong.to_parquet(data / "1.parquet", index=False)
    with pytest.raises(
        ValueError, match=r"1\.parquet, rows 0 to 4: X contains NaN in 1 of 20 values, first in row 2, column 'a'"
    ):
        streaming.encode(model, str(data), tmp_path / "out", told=lambda _: None)
    rows[200:205].to_parquet(data / "1.parquet", index=False)
    with pytest.raises(ValueError, match="holds parts of another run: its data was"):
        streaming.encode(model, str(data), tmp_path / "out", told=lambda _: None)
    with pytest.raises(ValueError, match=r"2\.parquet has changed since the run began"):
        streaming.encode(model, str(data), tmp_path / "new", told=lambda n: os.utime(data / "2.parquet", (n, n)))
    (data / "2.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"2\.parquet is not a Parquet file that can be read"):
        streaming.encode(model, str(data), tmp_path / "other", told=lambda _: None)


def test_a_folder_of_parts_is_data_like_any_other(made, tmp_path):
    _, rows, table = made
    assert load_data(in_parts(tmp_path / "numbers", rows)).X.equals(rows)
    dataset = load_data(in_parts(tmp_path / "table", table.assign(label=np.arange(500) % 2)))
    pd.testing.assert_frame_equal(dataset.X, table, check_dtype=False)
    assert (dataset.name, len(dataset.y)) == ("table", 500)


@pytest.mark.usefixtures("undrawn")
def test_parts_larger_than_memory_are_trained_on(made, typed, tmp_path, monkeypatch):
    _, rows, _ = made
    data = in_parts(tmp_path / "data", rows.assign(label=1))
    monkeypatch.setattr(parts_module, "MOST_IN_MEMORY", 1)
    train = ("train", data, "--latent-dim", 2, "--epochs", 2, "--option", "hidden=[8]", "--out", "run")
    output, _ = typed(tmp_path, *train)
    assert "Column 'label' holds labels, which are not learned from in parts" in output
    share = shares(rows.to_numpy())
    told = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))["data"]
    assert (told["shape"], told["train"], told["test"]) == ([500, 4], (share >= 0.2).sum(), (share < 0.2).sum())
    model = load(find_model(tmp_path / "run"))
    # What the sweep holds out, and of the rest a tenth.
    np.testing.assert_array_equal(model.reference_.occurrences([rows.to_numpy()]), share >= 0.28)
    X, y = load_data(data).X, None
    with pytest.raises(TypeError, match="can only be read in order"):
        Sweep(X, y, latent_dims=(2,)).X_train[:5]
    monkeypatch.undo()
    typed(tmp_path, "evaluate", tmp_path / "run", data)


@pytest.mark.usefixtures("undrawn")
def test_a_table_larger_than_memory_is_trained_on_and_goes_through_every_verb(made, typed, tmp_path, monkeypatch):
    _, _, table = made
    table = table.assign(id=[f"i{row}" for row in range(len(table))])
    data = in_parts(tmp_path / "data", table)
    monkeypatch.setattr(parts_module, "MOST_IN_MEMORY", 1)
    output, _ = typed(tmp_path, "data", data)
    assert "2 levels: " in output or "binary" in output
    options = ("--latent-dim", 2, "--epochs", 2, "--option", "hidden=[8]", "--out", "run")
    output, _ = typed(tmp_path, "train", data, *options)
    assert "identifier" in output
    told = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))["data"]
    assert told["train"] + told["test"] == 500
    monkeypatch.undo()
    for verb in ("encode", "anomalies", "denoise", "reconstruct", "impute"):
        typed(tmp_path, verb, tmp_path / "run", data, "--out", verb)
        assert len(read(tmp_path / verb)) == 500
    filled = read(tmp_path / "impute")
    assert not filled.isna().to_numpy().any()
    pd.testing.assert_frame_equal(filled.where(table.notna()), table, check_dtype=False)
