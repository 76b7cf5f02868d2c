"""Files of several arrays: which one is taken, its labels, and what is refused with the way round."""

import struct

import numpy as np
import pytest
import scipy.io

from file_formats import CLASSES, FORMATS, ROWS
from narrows.data import DataError, OnDisk, containers, load_data

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


KINDS = (".h5", ".h5ad", ".mat", ".bin", ".npz", ".libsvm")


@pytest.mark.parametrize("row", [row for row in FORMATS if row.suffix in KINDS], ids=lambda row: row.name)
def test_a_file_that_was_cut_off_is_an_error_in_one_line(tmp_path, row):
    for package in row.writers:
        pytest.importorskip(package)
    path = tmp_path / f"x{row.suffix}"
    row.write(path)
    whole = path.read_bytes()
    for cut in (b"", whole[:7], whole[: len(whole) // 2 + 1]):
        path.write_bytes(cut)
        try:
            said = str(load_data(path).X.shape)
        except DataError as error:
            said = str(error)
        assert "\n" not in said
        assert said.startswith(str(path)) or row.suffix == ".libsvm"  # half of a text is a text
