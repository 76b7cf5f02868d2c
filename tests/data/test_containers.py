"""Files of several arrays: which one is taken, its labels, and what is refused with the way round."""

import struct
import warnings

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from file_formats import CLASSES, FORMATS, ROWS
from narrows.data import DataError, OnDisk, containers, load_data
from narrows.data.image_files import IMAGE_SUFFIXES

SEVERAL = {"first": ROWS, "second": ROWS + 1, "labels": CLASSES}


def save_npz(path):
    np.savez(path, **SEVERAL)


def save_mat(path):
    scipy.io.savemat(path, SEVERAL)


def save_h5(path):
    with pytest.importorskip("h5py").File(path, "w") as file:
        file.update(SEVERAL)


def save_zarr(path):
    group = pytest.importorskip("zarr").open_group(str(path), mode="w")
    for name, array in SEVERAL.items():
        group.create_array(name, data=array)


@pytest.mark.parametrize("save", [save_npz, save_mat, save_h5, save_zarr])
def test_the_array_is_chosen_or_the_candidates_are_listed(tmp_path, save):
    path = tmp_path / f"x.{save.__name__[5:]}"
    save(path)
    with pytest.raises(DataError, match=r"first \(12, 5\), .*second \(12, 5\).*choose the one .* with --key NAME"):
        load_data(path)
    data = load_data(path, key="second")
    np.testing.assert_array_equal(data.X, ROWS + 1)
    assert data.y.tolist() == CLASSES.tolist()
    with pytest.raises(DataError, match=r"key='third' \(--key\) is no array of numbers in .*first"):
        load_data(path, key="third")


LABELLED = ("mat_7_3", "anndata", "hdf5", "zarr", "libsvm", "amat", "cifar", "norb")


@pytest.mark.parametrize("row", [row for row in FORMATS if row.write.__name__ in LABELLED], ids=lambda row: row.name)
def test_labels_come_with_them(tmp_path, row):
    for package in row.writers:
        pytest.importorskip(package)
    row.write(tmp_path / f"x{row.suffix}")
    y = load_data(tmp_path / f"x{row.suffix}").y.tolist()
    words = [f"type {c}" for c in CLASSES]
    assert y in (words if row.write.__name__ == "anndata" else CLASSES.tolist(), list(range(len(y))))


@pytest.mark.parametrize("chunked", [False, True])
def test_large_hdf5_stays_on_disk(tmp_path, monkeypatch, chunked):
    h5py = pytest.importorskip("h5py")
    how = {"chunks": (5, 5), "compression": "gzip"} if chunked else {}
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("X", data=ROWS.astype(">f8"), **how)
    monkeypatch.setattr(containers, "LARGE", 8)
    monkeypatch.setattr("narrows.data.on_disk.LARGE", 8)
    X = load_data(tmp_path / "x.h5").X
    assert isinstance(X, OnDisk)
    np.testing.assert_array_equal(X[:], ROWS)


def test_dsprites_comes_with_its_factors_and_without_its_pickle(tmp_path):
    factors = np.random.default_rng(0).random((6, 3))
    images = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
    np.savez(tmp_path / "d.npz", metadata=np.array({"a": 1}, object), imgs=images, latents_values=factors)
    data = load_data(tmp_path / "d.npz")
    np.testing.assert_array_equal(data.X, images)
    np.testing.assert_array_equal(data.factors, factors)
    assert "metadata" in data.notes[-1]


def test_pickles_are_refused_with_the_way_round(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    np.savez(tmp_path / "b.npz", X=np.array([{}], object))
    (tmp_path / "c.pt").write_bytes(b"\x80\x02.")
    for name in ("a.npy", "b.npz", "c.pt"):
        with pytest.raises(DataError, match=r"pickled objects; reading them may run programs.*np\.savez"):
            load_data(tmp_path / name)


def test_a_single_number_is_none(tmp_path):
    np.save(tmp_path / "a.npy", np.float64(3))
    with pytest.raises(DataError, match=r"holds a single number, 3\.0; rows"):
        load_data(tmp_path / "a.npy")


def test_idx_as_kaggle_names_it_and_emnist_on_its_side(tmp_path):
    for part in ("train", "emnist-test"):
        images, labels = tmp_path / f"{part}-images.idx3-ubyte", tmp_path / f"{part}-labels.idx1-ubyte"
        images.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 2, 2) + bytes(range(8)))
        labels.write_bytes(bytes([0, 0, 8, 1]) + struct.pack(">I", 2) + bytes([4, 9]))
        data = load_data(images)
        assert data.y.tolist() == [4, 9]
        assert bool(data.notes) == part.startswith("emnist")
    assert load_data(tmp_path).y.tolist() == [4, 9] * 2


def test_kaggle_s_archive_holds_each_file_twice(tmp_path):
    images, labels = struct.pack(">4I", 0x803, 2, 1, 1) + b"\7\10", struct.pack(">2I", 0x801, 2) + b"\4\11"
    for kind, content in (("images-idx3", images), ("labels-idx1", labels)):
        for part in ("train", "t10k"):
            name = f"{part}-{kind}-ubyte"
            (tmp_path / name).mkdir()
            (tmp_path / name / name).write_bytes(content)
            (tmp_path / name.replace("-idx", ".idx")).write_bytes(content)
    data = load_data(tmp_path)
    assert data.X.ravel().tolist() == [7, 8] * 2
    assert data.y.tolist() == [4, 9] * 2
    name = "train-images-idx3-ubyte"
    assert load_data(tmp_path / name / name).y.tolist() == [4, 9]


def test_a_folder_of_cifar_s_batches_is_one_set(tmp_path):
    row = next(row for row in FORMATS if row.write.__name__ == "cifar")
    for name in ("test_batch", "data_batch_2", "data_batch_1"):
        expected = row.write(tmp_path / f"{name}.bin")
    data = load_data(tmp_path)
    np.testing.assert_array_equal(data.X, [*expected] * 3)
    assert data.y.tolist() == [0, 1, 2, 3] * 3


def test_scipy_s_sparse_rows_become_dense(tmp_path):
    for make in (scipy.sparse.csr_matrix, scipy.sparse.csc_matrix):
        scipy.sparse.save_npz(tmp_path / "x.npz", make(ROWS))
        np.testing.assert_array_equal(load_data(tmp_path / "x.npz").X, ROWS)
    (tmp_path / "wide.libsvm").write_text("1 2000000000:1\n")
    with pytest.raises(DataError, match=r"rows of 2,000,000,000 numbers; at most 4,194,304 are read"):
        load_data(tmp_path / "wide.libsvm")


def test_what_holds_no_array_says_so(tmp_path):
    scipy.io.savemat(tmp_path / "x.mat", {"data": {"X": ROWS}, "z": ROWS + 1j})
    with pytest.raises(DataError, match="holds no array of real numbers by itself; save rows"):
        load_data(tmp_path / "x.mat")
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02}.")
    with pytest.raises(DataError, match="pickled objects"):
        load_data(tmp_path / "data_batch_1")


def write_parquet(path):
    table = {"v": ROWS.tolist(), "label": CLASSES.tolist()}
    pytest.importorskip("pyarrow.parquet").write_table(pytest.importorskip("pyarrow").table(table), path)


FILES = [(row.name, row.suffix, row.write, row.writers) for row in FORMATS if not row.suffix.endswith(IMAGE_SUFFIXES)]


@pytest.mark.parametrize(
    ("suffix", "write", "writers"),
    [
        *(pytest.param(*row, id=name) for name, *row in FILES),
        pytest.param(".parquet", write_parquet, ["pyarrow"], id="Parquet"),
    ],
)
def test_a_damaged_file_is_an_error_in_one_line(tmp_path, suffix, write, writers):
    for package in writers:
        pytest.importorskip(package)
    path, rng = tmp_path / f"x{suffix}", np.random.default_rng(0)
    write(path)
    files = sorted(file for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())
    for k in range(24):
        file = files[k % len(files)]
        whole = file.read_bytes()
        broken = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 400), 1 + k % 4):
            broken[place] = rng.integers(256)
        cut = k % 3 == 0 or write.__name__ == "mat"  # of other damage SciPy's reader of these may end the process
        file.write_bytes(whole[: k * len(whole) // 24] if cut else broken)
        try:
            with warnings.catch_warnings(action="ignore"):
                said = str(load_data(path).X.shape)
        except DataError as error:
            said = str(error)
        assert "\n" not in said
        file.write_bytes(whole)


def test_an_empty_matrix_of_matlab_is_no_labels(tmp_path):
    """As hdf5storage 0.2.2 writes it, and MATLAB itself: what the dataset holds is the matrix's shape."""
    with pytest.importorskip("h5py").File(tmp_path / "x.mat", "w", userblock_size=512) as file:
        file["X"] = ROWS[:2].T
        file["y"] = np.array([0, 0], np.uint64)
        file["y"].attrs.update(MATLAB_class=np.bytes_("double"), MATLAB_empty=np.uint8(1))
    data = load_data(tmp_path / "x.mat")
    assert data.y is None
    np.testing.assert_array_equal(data.X, ROWS[:2])
    with pytest.raises(DataError, match="those are X"):
        load_data(tmp_path / "x.mat", key="y")


def test_a_matlab_file_that_ends_its_reader_is_one_line(tmp_path, monkeypatch):
    scipy.io.savemat(tmp_path / "x.mat", {"file": ROWS, "names": ROWS + 1})
    (tmp_path / "dies.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    np.testing.assert_array_equal(load_data(tmp_path / "x.mat", key="names").X, ROWS + 1)
    monkeypatch.setattr("narrows.data.matlab.__file__", str(tmp_path / "dies.py"))
    with pytest.raises(
        DataError, match=r"x\.mat cannot be read as a MATLAB file: it is damaged, and SciPy fails on it"
    ):
        load_data(tmp_path / "x.mat")


def test_of_a_damaged_matlab_file_the_reason_is_said(tmp_path):
    scipy.io.savemat(tmp_path / "x.mat", {"X": ROWS})
    whole = (tmp_path / "x.mat").read_bytes()
    (tmp_path / "x.mat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"x\.mat cannot be read as a MATLAB file: \w.*") as error:
        load_data(tmp_path / "x.mat")
    assert "\n" not in str(error.value)
