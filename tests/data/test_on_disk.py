"""Arrays on disk read like arrays in memory, leave nothing in memory, and say so if there is no room."""

import pickle
import shutil
import threading
import zipfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.data import DataError, OnDisk, load_data
from narrows.data import arrays as readers
from narrows.data import on_disk as disk
from narrows.data.on_disk import collect, temporary_file

RNG = np.random.default_rng(0)


@pytest.fixture
def small(monkeypatch):
    """Whatever is above 100 bytes is large."""
    for module in (disk, readers):
        monkeypatch.setattr(module, "LARGE", 100)


def stored(X):
    file = temporary_file(X.nbytes)
    np.save(file, X)
    file.flush()
    return OnDisk.of_npy(file)


KEYS = st.one_of(
    st.integers(-20, 19),
    st.slices(20),
    st.lists(st.integers(-20, 19), max_size=30).map(lambda places: np.array(places, np.int64)),
    st.lists(st.booleans(), min_size=20, max_size=20).map(np.array),
)


@settings(max_examples=80, deadline=None)
@given(KEYS, st.permutations(range(20)), st.sampled_from(["u1", "<f8", ">i2"]))
def test_indexing_is_numpy_s(key, order, dtype):
    X = RNG.integers(0, 100, (20, 3, 2)).astype(dtype)
    ours = stored(X)
    assert (ours.shape, ours.dtype, ours.ndim, ours.nbytes, len(ours)) == (X.shape, X.dtype, 3, X.nbytes, 20)
    np.testing.assert_array_equal(ours[key], X[key])
    part = ours.select(np.array(order)).select(np.arange(20))
    np.testing.assert_array_equal(part[key], X[order][key])
    half = ours.select(np.array(order[:5]))
    assert half.shape == (5, 3, 2)
    assert half.nbytes == X[:5].nbytes
    np.testing.assert_array_equal(np.asarray(half, np.float32), X[order[:5]])


def test_what_is_read_is_a_copy_and_iteration_ends():
    X = np.arange(12.0).reshape(4, 3)
    ours = stored(X)
    for key in (0, slice(2), np.array([1])):
        part = ours[key]
        part[:] = -1
        assert type(part) is np.ndarray
    np.testing.assert_array_equal(list(ours), X)
    with pytest.raises(IndexError):
        ours[4]
    with pytest.raises(ValueError, match="without a copy"):
        ours.__array__(copy=False)  # as NumPy 2 asks; to NumPy 1 it meant “where needed”


def test_the_file_stays_open_for_parts_of_it_and_closes_with_the_last():
    file = temporary_file(100)
    np.save(file, np.arange(10)[:, None])
    file.flush()
    part = OnDisk.of_npy(file).select(np.array([3]))
    assert part[0].tolist() == [3]
    del part
    assert file.closed


@pytest.mark.usefixtures("small")
def test_collecting_in_memory_and_on_disk():
    X = RNG.normal(size=(7, 5)).astype(np.float32)
    few = collect(iter(X[:3]), 5, (5,), np.float32)
    many = collect(iter(X), 9, (5,), np.float32)
    assert isinstance(few, np.ndarray)
    assert isinstance(many, OnDisk)
    np.testing.assert_array_equal(few, X[:3])
    np.testing.assert_array_equal(many[:], X)
    for count in (7, 2):
        with pytest.raises(ValueError, match="example"):
            collect(iter([*X, X[0, :4]]), count, (5,), np.float32)


@pytest.mark.usefixtures("small")
def test_collecting_that_fails_leaves_no_file_open():
    def broken():
        yield np.zeros(50)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):  # an open file's warning would fail the test
        collect(broken(), 10, (50,), float)


def test_no_room_says_how_much_is_needed_and_what_to_set(monkeypatch, tmp_path):
    usage = namedtuple("usage", "free")  # noqa: PYI024, shutil's own has two more
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1234))
    with pytest.raises(DataError, match=rf"take 40,000,000 bytes of disk but {tmp_path} has 1,234 free; set TMPDIR"):
        collect(iter([]), 10**7, (4,), np.uint8)
    monkeypatch.undo()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    with pytest.raises(DataError, match="none: No such file or directory; set TMPDIR to a folder with 5 bytes free"):
        temporary_file(5)


def test_threads_read_at_once():
    X = np.arange(4000).reshape(1000, 4)
    ours, wrong = stored(X), []

    def read(seed):
        draws = np.random.default_rng(seed).integers(0, 1000, (100, 8))
        wrong.extend(seed for places in draws if not (ours[places] == X[places]).all())

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's count of pages")
def test_what_was_read_does_not_stay_in_memory():
    def pages():
        return int(Path("/proc/self/statm").read_text().split()[1])

    many = collect((np.full(2**16, k % 251, np.uint8) for k in range(1024)), 1024, (2**16,), np.uint8)  # 64 MB
    before = pages()
    total = sum(int(many[start : start + 16].max()) for start in range(0, 1024, 16))
    assert total > 0
    assert (pages() - before) * 4096 < 2**23


def test_places_all_over_a_file_are_read_some_at_a_time(monkeypatch):
    X = np.arange(3000).reshape(1000, 3)
    ours, lengths = stored(X), []
    read = OnDisk._read
    monkeypatch.setattr(OnDisk, "_read", lambda self, at: lengths.append(len(at)) or read(self, at))
    places = RNG.integers(-1000, 1000, 4 * disk.SCATTERED + 1)
    np.testing.assert_array_equal(ours[places], X[places])
    assert lengths == [disk.SCATTERED] * 4 + [1]
    half = ours.select(np.arange(0, 1000, 2))
    np.testing.assert_array_equal(half[:], X[::2])
    np.testing.assert_array_equal(half[np.arange(500) % 3 == 0], X[::2][np.arange(500) % 3 == 0])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.usefixtures("small")
def test_large_members_of_an_archive(tmp_path, save):
    X, y = RNG.normal(size=(30, 4)), np.arange(30)
    save(tmp_path / "x.npz", X=X, y=y)
    data = load_data(tmp_path / "x.npz")
    assert isinstance(data.X, OnDisk)
    np.testing.assert_array_equal(data.X[:], X)
    np.testing.assert_array_equal(data.y, y)
    save(tmp_path / "f.npz", X=np.asfortranarray(X))
    np.testing.assert_array_equal(load_data(tmp_path / "f.npz").X, X)


@pytest.mark.usefixtures("small")
def test_large_arrays_are_mapped(tmp_path, monkeypatch):
    X = RNG.normal(size=(30, 4, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", X)
    monkeypatch.chdir(tmp_path)
    data = load_data("x.npy")
    monkeypatch.chdir("/")  # it finds the file still
    assert isinstance(data.X, OnDisk)
    np.testing.assert_array_equal(data.X[:], X)
    np.save(tmp_path / "f.npy", np.asfortranarray(X))
    in_memory = load_data(tmp_path / "f.npy").X
    assert isinstance(in_memory, np.ndarray)
    np.testing.assert_array_equal(in_memory, X)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
@pytest.mark.usefixtures("small")
def test_large_files_that_are_cut_or_hold_other_things(tmp_path, name):
    path = tmp_path / name
    save = np.save if name == "x.npy" else lambda path, X: np.savez(path, X=X)
    save(path, RNG.normal(size=(300, 4)))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match="is not a"):
        load_data(path)
    save(path, np.array([{"a": 1}] * 300))
    with pytest.raises(DataError, match="holds pickled objects; reading them may run programs"):
        load_data(path)
    path.write_bytes(b"text " * 100)
    with pytest.raises(DataError, match="is not a"):
        load_data(path)


@pytest.mark.usefixtures("small")
def test_a_member_with_wrong_bytes(tmp_path):
    np.savez(tmp_path / "x.npz", X=np.zeros((300, 4)))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[3000] = 1
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(DataError, match="CRC"):
        load_data(tmp_path / "x.npz")
    with zipfile.ZipFile(tmp_path / "cut.npz", "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY broken" * 20)
    with pytest.raises(DataError, match="is not a file of arrays"):
        load_data(tmp_path / "cut.npz")


def test_pickling_a_temporary_file_says_what_to_do(tmp_path):
    X = np.arange(12.0).reshape(4, 3)
    with pytest.raises(TypeError, match=r"temporary file cannot be pickled.*np\.save.*load that path"):
        pickle.dumps(stored(X))
    np.save(tmp_path / "x.npy", X)
    again = pickle.loads(pickle.dumps(OnDisk.of_npy(tmp_path / "x.npy")))
    np.testing.assert_array_equal(again[:], X)
