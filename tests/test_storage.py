"""A model file is whole and unchanged, or it is refused with one clear error; writing never leaves half a file."""

import hashlib
import io
import json
import os
import stat
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as save_foreign

from narrows import VAE, Autoencoder, ModelFileError, load, storage
from narrows.storage import read_model, write_atomically, write_model

FUZZ = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    X = np.random.default_rng(0).uniform(size=(40, 5))
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    Autoencoder(2, hidden=(4,), epochs=2, random_state=0).fit(X).save(path)
    return path


def refused(tmp_path, data, message=None):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@FUZZ
@given(data=st.data())
def test_any_changed_byte_is_noticed(saved, tmp_path, data):
    good = saved.read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[place]))
    refused(tmp_path, good[:place] + bytes([other]) + good[place + 1 :])


@FUZZ
@given(data=st.data())
def test_any_truncation_or_addition_is_noticed(saved, tmp_path, data):
    good = saved.read_bytes()
    cut = data.draw(st.integers(0, len(good) - 1))
    refused(tmp_path, good[:cut])
    refused(tmp_path, good + data.draw(st.binary(min_size=1, max_size=50)))


@FUZZ
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(tmp_path, data):
    refused(tmp_path, data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "truncated, or a file of another kind"),
        (b"\x80\x04\x95 a pickle, say, of some length", "truncated, or a file of another kind"),
        (struct.pack("<Q", 2**62) + b"x" * 50, "truncated, or a file of another kind"),
        (struct.pack("<Q", 20) + b"x" * 19, "truncated, or a file of another kind"),
        (struct.pack("<Q", 0), "truncated, or a file of another kind"),
        (struct.pack("<Q", 1) + b"{", "header is damaged"),
        (struct.pack("<Q", 20) + b"[" * 20 + b"x" * 50, "header is damaged, or was written by another program"),
        (struct.pack("<Q", 10**5) + b"[" * 10**5, "header is damaged"),
        (save_foreign({"w": np.zeros(3, np.float32)}), "header is damaged, or was written by another program"),
        (save_foreign({"w": np.zeros(3, np.float32)}, {"narrows": "{}"}), "[Ff]ield required"),
        (save_foreign({"w": np.zeros(3, bool)}, {"narrows": "{}"}), "[Ff]ield required"),
        (save_foreign({"w": np.zeros(3, np.int8)}, {"narrows": "{}"}), "of types that no model has"),
        (save_foreign({"w": np.zeros((1,) * 5, np.float32)}, {"narrows": "{}"}), "of types that no model has"),
    ],
    ids=str,
)
def test_foreign_files(tmp_path, data, message):
    refused(tmp_path, data, message)


def test_limits_are_checked_before_reading(saved, tmp_path, monkeypatch):
    length = int.from_bytes(saved.read_bytes()[:8], "little")
    monkeypatch.setattr(storage, "LARGEST_HEADER", length - 1)
    refused(tmp_path, saved.read_bytes(), "its header of .* is longer than the .* allowed")
    monkeypatch.setattr(storage, "LARGEST_HEADER", length)
    monkeypatch.setattr(storage, "LARGEST_FILE", saved.stat().st_size)
    load(saved)
    monkeypatch.setattr(storage, "LARGEST_FILE", saved.stat().st_size - 1)
    refused(tmp_path, saved.read_bytes(), r"its [\d,]+ bytes are more than the [\d,]+ allowed")
    with pytest.raises(ModelFileError, match=r"it has more than the [\d,]+ bytes allowed"):
        load(io.BytesIO(saved.read_bytes()))


def test_as_many_tensors_as_are_allowed_and_no_more(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "MOST_TENSORS", len(read_model(saved)[1]))
    load(saved)
    monkeypatch.setattr(storage, "MOST_TENSORS", len(read_model(saved)[1]) - 1)
    refused(tmp_path, saved.read_bytes(), "too many tensors")


def test_as_many_items_as_are_allowed_and_no_more(saved, tmp_path, monkeypatch):
    data = saved.read_bytes()
    header = data[8 : 8 + int.from_bytes(data[:8], "little")]
    items = sum(map(header.count, (b"[", b"{", b",")))
    monkeypatch.setattr(storage, "MOST_ITEMS", items)
    load(saved)
    monkeypatch.setattr(storage, "MOST_ITEMS", items - 1)
    refused(tmp_path, data, "items allowed")


def test_a_header_of_very_many_tensors_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(storage.json, "loads", None)
    text = b"{" + b",".join(b'"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % n for n in range(10**5)) + b"}"
    refused(tmp_path, struct.pack("<Q", len(text)) + text, "more than the 524,288 items allowed")


def rewritten(saved, path, *, tensors=None, **changes):
    """Write a file whose digest is right but whose contents were changed by somebody who knows the format."""
    metadata, arrays = read_model(saved)
    write_model(path, metadata.model_copy(update=changes), arrays if tensors is None else tensors(arrays))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"estimator": "os.system"}, "estimator='os.system' is unknown"),
        ({"estimator": "narrows.estimators.Autoencoder"}, "is unknown; .*use one of .Autoencoder."),
        ({"estimator": "__class__"}, "is unknown"),
        ({"parameters": {"latent_dim": 2, "command": "rm"}}, "no option 'command'"),
        ({"parameters": {"latent_dim": 10**9}}, "at most 4096"),
        ({"parameters": {"latent_dim": 2, "random_state": -1}}, "random_state=-1"),
        ({"history": []}, "history cannot come from a fitted model"),
        ({"feature_names": ["a"]}, "names 1 features, but has 5"),
        ({"parameters": {"latent_dim": 3}}, "size mismatch"),
        ({"parameters": {"hidden": [2**40]}}, "parameters; at most .* are allowed"),
        ({"parameters": {"hidden": [1] * 1000}}, "at most 100"),
        ({"parameters": {"activation": "nn.Module"}}, "activation='nn.Module' is unknown"),
        ({"input_shape": [10**6, 10**6, 10**6]}, "features"),
        ({"input_shape": [6]}, "scaling is for"),
        ({"components": 10**12}, "size mismatch|memory|too large|Storage size"),
        ({"components": 0}, "components: .* greater than or equal to 1"),
        ({"seed": -1}, "seed: .* greater than or equal to 0"),
        ({"input_shape": []}, "input_shape: .* at least 1 item"),
        ({"input_shape": [5, 1, 1, 1]}, "input_shape: .* at most 3 items"),
        ({"classes": []}, "classes.* at least 1 item"),
        ({"validation_error": [1.0]}, "validation_error: .* at least 2 items"),
        ({"validation_error": [1.0] * 3}, "validation_error: .* at most 2 items"),
    ],
    ids=str,
)
def test_a_well_signed_file_that_makes_no_model(saved, tmp_path, changes, message):
    path = rewritten(saved, tmp_path / "m", **changes)
    with pytest.raises(ModelFileError, match=message):
        load(path)


def test_a_well_signed_file_that_says_more_or_in_other_types(saved, tmp_path):
    metadata, arrays = read_model(saved)

    class Others(storage.Metadata):
        command: str = "rm"
        components: str

    class Extra(storage.Metadata):
        command: str = "rm"

    known = metadata.model_dump()
    write_model(tmp_path / "m", Extra(**known), arrays)
    with pytest.raises(ModelFileError, match="command: Extra inputs are not permitted"):
        load(tmp_path / "m")
    write_model(tmp_path / "m", Others(**known | {"components": str(metadata.components)}), arrays)
    with pytest.raises(ModelFileError, match="components: Input should be a valid integer"):
        load(tmp_path / "m")


def test_the_digest_is_that_of_the_file_with_zeros_in_its_place(saved):
    data, digest = saved.read_bytes(), read_model(saved)[0].sha256.encode()
    assert data.count(digest) == 1
    assert hashlib.sha256(data.replace(digest, b"0" * 64)).hexdigest().encode() == digest


def test_the_smallest_model_and_a_name_like_the_digests_place(tmp_path):
    X = pd.DataFrame({"0" * 64: np.random.default_rng(0).uniform(size=40)})
    VAE(1, hidden=(2,), epochs=1, prior="normal", random_state=0).fit(X, np.zeros(40)).save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert list(again.feature_names_in_) == ["0" * 64]
    metadata = read_model(tmp_path / "m")[0]
    assert (metadata.input_shape, metadata.components, metadata.classes) == ([1], 1, again.fitted_.classes.tolist())


def test_missing_and_surplus_tensors(saved, tmp_path):
    # By name: a file's tensors come in any order, and scores of held-out examples may be missing.
    fewer = rewritten(
        saved, tmp_path / "a", tensors=lambda arrays: {k: v for k, v in arrays.items() if k != min(arrays)}
    )
    more = rewritten(saved, tmp_path / "b", tensors=lambda arrays: arrays | {"model.extra": np.zeros(1, np.float32)})
    for path in (fewer, more):
        with pytest.raises(ModelFileError, match="parts that do not make a model"):
            load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a | {"model.prior.weights": np.full_like(a["model.prior.weights"], np.nan)}, "NaN or infinities"),
        (
            lambda a: a | {"scaling.scale": np.zeros_like(a["scaling.scale"])},
            "its scaling cannot come from a fitted model",
        ),
        (lambda a: {k: v.astype(np.float64) for k, v in a.items()}, "not 32-bit floats"),
    ],
    ids=["NaN", "zero scale", "64 bits"],
)
def test_well_signed_tensors_that_no_model_has(saved, tmp_path, change, message):
    with pytest.raises(ModelFileError, match=message):
        load(rewritten(saved, tmp_path / "m", tensors=change))


def test_a_file_of_a_later_format_says_so(saved, tmp_path):
    with pytest.raises(ModelFileError, match="format"):
        load(rewritten(saved, tmp_path / "m", format=6))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")


def test_any_safetensors_reader_can_open_it(saved):
    from safetensors import safe_open

    with safe_open(saved, "np") as file:
        metadata = json.loads(file.metadata()["narrows"])
        assert metadata["estimator"] == "Autoencoder"
        assert metadata["parameters"]["hidden"] == [4]
        assert "scaling.offset" in file.keys()  # noqa: SIM118 - safe_open is no mapping


@pytest.mark.parametrize(("umask", "mode"), [(0o027, 0o640), (0, 0o666)])
def test_the_mode_is_the_umask_s(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "f", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == mode


def test_a_link_is_followed_and_its_target_keeps_its_mode(tmp_path):
    target, link = tmp_path / "far" / "target", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to("far/target")
    for data in (b"first", b"second"):  # at first the link leads nowhere, as `open` takes it
        write_atomically(link, data)
        assert link.is_symlink()
        assert target.read_bytes() == data
        if data == b"first":
            target.chmod(0o640)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["far", "link", "target"]


def test_what_is_private_is_so_on_the_way_and_nothing_stays_open(tmp_path, monkeypatch):
    path, modes, chmod = tmp_path / "f", [], Path.chmod
    write_atomically(path, b"old")
    path.chmod(0o600)

    def watched(self, mode):
        modes.append(stat.S_IMODE(self.stat().st_mode))
        chmod(self, mode)

    monkeypatch.setattr(Path, "chmod", watched)
    write_atomically(path, b"new")
    assert modes == [0o600]
    assert not [file for file in map(os.path.realpath, Path("/dev/fd").iterdir()) if str(tmp_path.resolve()) in file]


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_read_only_file_is_not_overwritten(tmp_path, through_a_link):
    path, link = tmp_path / "f", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o444)
    link.symlink_to(path)
    named = link if through_a_link else path
    with pytest.raises(PermissionError) as caught:
        write_atomically(named, b"new")
    assert caught.value.filename == str(named)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("length", [241, 242, 255])
def test_names_as_long_as_they_may_be(tmp_path, length):
    write_atomically(tmp_path / ("f" * length), b"x")
    assert [len(path.name) for path in tmp_path.iterdir()] == [length]


@pytest.mark.parametrize("name", ["f" * 256, "none/f", "folder", "file/f"])
def test_what_cannot_be_written_is_named(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="f") as caught:
        write_atomically(tmp_path / name, b"x")
    assert caught.value.filename == str(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"  # and not /dev/null, which a mistake here would replace
    os.mkfifo(pipe)
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as back:
        write_atomically(pipe, b"x")
        assert back.read(9) == b"x"
    assert pipe.is_fifo()


def test_a_folder_is_refused_with_the_file_to_name(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"is a folder; name the model in it, such as .*model\.safetensors$"):
        load(tmp_path)


def test_pipes_and_devices_are_never_opened(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(ModelFileError, match=f"{path} is not a model file .*: it is a pipe or a device"):
            load(path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "f"
    write_atomically(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync", fail) if step == "fsync" else (Path, "replace", fail)))
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_data_is_synced_before_it_is_moved_and_the_folder_after(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: (events.append("dir" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file"), fsync(fd))
    )
    monkeypatch.setattr(Path, "replace", lambda self, to: (events.append("move"), replace(self, to)))
    write_atomically(tmp_path / "f", b"x")
    assert events == ["file", "move", "dir"]


def test_the_same_seed_gives_the_same_file_here_and_in_a_fresh_process(tmp_path, monkeypatch):
    code = (
        "import sys; from dataclasses import replace;"
        "from sklearn.datasets import load_digits; from narrows import Autoencoder;"
        "ae = Autoencoder(3, epochs=3, random_state=7).fit(load_digits().images[:200]);"
        "rows = tuple({k: v for k, v in row.items() if k != 'seconds'} for row in ae.history_);"
        "ae.fitted_ = replace(ae.fitted_, history=rows); ae.save(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "there"], check=True)
    monkeypatch.setattr(sys, "argv", ["-c", tmp_path / "here"])
    exec(code, {})
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()


def test_saving_works_through_a_relative_path(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load(saved).save("here.safetensors")
    assert load("here.safetensors").latent_dim == 2


def test_saving_into_no_folder_names_it(saved, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(saved).save(tmp_path / "nowhere" / "m")


def test_a_generator_as_random_state_is_saved_as_the_seed_it_gave(tmp_path):
    X = np.random.default_rng(0).uniform(size=(20, 3))
    model = Autoencoder(1, epochs=1, random_state=np.random.default_rng(5)).fit(X)
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").random_state == model.seed_
    again = Autoencoder(1, epochs=1, random_state=model.seed_).fit(X)
    np.testing.assert_array_equal(again.transform(X), model.transform(X))


@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_model_goes_through_a_pipe(saved, buffering):
    """Which cannot be sought in, and takes and gives a part at a time."""
    source, sink = os.pipe()
    model = load(saved)
    with os.fdopen(sink, "wb", buffering) as out, os.fdopen(source, "rb", buffering) as back:
        writing = threading.Thread(target=lambda: (model.save(out), out.close()))
        writing.start()
        again = load(back)
        writing.join()
        assert not back.closed
    X = np.random.default_rng(1).uniform(size=(10, 5))
    np.testing.assert_array_equal(again.transform(X), model.transform(X))


class Dribbling(io.RawIOBase):
    """A file that takes and gives three bytes at a time."""

    def __init__(self, data=b""):
        self.data, self.at = bytearray(data), 0

    def read(self, most=-1):
        piece = bytes(self.data[self.at : self.at + min(most, 3)])
        self.at += len(piece)
        return piece

    def write(self, data):
        self.data += data[:3]
        return len(data[:3])


class Silent:
    """What writes as a file does, and does not say how much."""

    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data


def test_files_that_take_and_give_a_part_and_those_that_do_not_say_how_much(saved):
    model, whole = load(saved), saved.read_bytes()
    for file in (Dribbling(), Silent()):
        model.save(file)
        assert file.data == whole
    assert load(Dribbling(whole)).get_params() == model.get_params()


def test_a_file_that_accepts_nothing_now_is_refused(saved, monkeypatch):
    monkeypatch.setattr(Dribbling, "write", lambda *_: None)
    with pytest.raises(BlockingIOError, match="Dribbling accepts no bytes now; a model needs a file that blocks"):
        load(saved).save(Dribbling())


def test_a_model_stands_in_an_open_file_from_where_it_is(saved):
    file = io.BytesIO(b"before")
    file.seek(6)
    load(saved).save(file)
    assert file.getvalue()[6:] == saved.read_bytes()
    file.seek(6)
    assert load(file).get_params() == load(saved).get_params()
    with pytest.raises(ModelFileError, match="BytesIO is not a model file"):
        load(file)  # which is at its end
    with pytest.raises(ModelFileError, match="SHA-256"):
        load(io.BytesIO(saved.read_bytes()[:-1]))


def test_open_files_of_text_are_refused(saved, tmp_path):
    with pytest.raises(TypeError, match="open as text"):
        load(io.StringIO("text"))
    with (
        (tmp_path / "t").open("w") as file,
        pytest.raises(TypeError, match="t is open as text; a model needs a binary"),
    ):
        load(saved).save(file)
