"""Of a folder, only what lies in it is opened: links out of it are refused, pipes and devices are no files."""

import os

import numpy as np
import pandas as pd
import pytest

from narrows import Autoencoder
from narrows.data import DataError, load_data
from narrows.data.links import check_below, inside
from narrows.runs.opening import find_model, results_beside

IDX = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, *range(8)])


def write(folder):
    """Write a file of each kind that a folder of several may hold."""
    folder.mkdir()
    pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 2.0]}).to_parquet(folder / "x.parquet")
    (folder / "train-images-idx3-ubyte").write_bytes(IDX)
    (folder / "train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 0, 1]))
    (folder / "data_batch_1.bin").write_bytes(bytes(3073))
    (folder / "results.json").write_text("{}")
    Autoencoder(1, epochs=1, random_state=0).fit(np.eye(4)).save(folder / "m.safetensors")
    return folder


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("x.parquet", load_data),
        ("train-images-idx3-ubyte", load_data),
        ("train-labels-idx1-ubyte", lambda folder: load_data(folder / "train-images-idx3-ubyte")),
        ("data_batch_1.bin", load_data),
        ("m.safetensors", find_model),
        ("results.json", lambda folder: results_beside(folder / "m.safetensors")),
    ],
)
def test_a_link_out_of_a_folder_is_refused_and_one_within_it_is_not(tmp_path, name, read):
    elsewhere, folder = write(tmp_path / "elsewhere"), tmp_path / "folder"
    folder.mkdir()
    if name == "train-labels-idx1-ubyte":
        (folder / "train-images-idx3-ubyte").write_bytes(IDX)
    (folder / name).symlink_to(elsewhere / name)
    with pytest.raises(DataError, match=f"folder/{name} is a link that leads out of the folder"):
        read(folder)
    (folder / name).unlink()
    (folder / "real").mkdir()
    (folder / "real" / name).write_bytes((elsewhere / name).read_bytes())
    (folder / name).symlink_to(os.path.join("real", name))  # noqa: PTH118 - a link's text
    read(folder)


def test_what_is_no_file_is_left_out_and_a_circle_leads_nowhere(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "file").touch()
    named = [tmp_path / name for name in ("pipe", "round", "file", "missing")]
    assert inside(tmp_path, named) == [tmp_path / "file"]
    os.mkfifo(tmp_path / "results.json")
    assert results_beside(tmp_path / "m.safetensors") == {}
    with pytest.raises(DataError, match="is a link that leads out"):
        inside(tmp_path / "folder", [tmp_path / "round"])


def test_a_folder_that_zarr_reads_by_itself_is_looked_through_first(tmp_path):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "x.zarr"
    elsewhere.write_bytes(bytes(8))
    (folder / "X" / "c").mkdir(parents=True)
    (folder / "zarr.json").write_text("{}")
    (folder / "X" / "c" / "0").symlink_to(elsewhere)
    with pytest.raises(DataError, match=r"x.zarr/X/c/0 is a link that leads out of the folder"):
        load_data(folder)
    (folder / "X" / "c" / "0").unlink()
    (folder / "real").touch()
    (folder / "X" / "c" / "0").symlink_to("../../real")
    check_below(folder)
    os.mkfifo(folder / "X" / "c" / "1")
    with pytest.raises(DataError, match=r"x.zarr/X/c/1 is neither a file nor a folder"):
        load_data(folder)


@pytest.mark.parametrize("suffix", ["h5", "mat", "h5ad"])
@pytest.mark.parametrize("how", ["link", "raw", "virtual"])
def test_what_an_hdf5_file_has_in_others_is_not_read(tmp_path, suffix, how):
    h5py, rows = pytest.importorskip("h5py"), np.arange(12.0).reshape(4, 3)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["X"] = rows
    rows.tofile(tmp_path / "other.bin")
    path = tmp_path / f"x.{suffix}"
    with h5py.File(path, "w", userblock_size=512 if suffix == "mat" else 0) as file:
        if how == "link":
            file["X"] = h5py.ExternalLink("other.h5", "X")
        elif how == "raw":
            file.create_dataset("X", (4, 3), "f8", external=[("other.bin", 0, 96)])
        else:
            layout = h5py.VirtualLayout((4, 3), "f8")
            layout[:] = h5py.VirtualSource("other.h5", "X", (4, 3))
            file.create_virtual_dataset("X", layout)
    with pytest.raises(DataError, match=r"X lies in another file, other\.\w+, which is not opened"):
        load_data(path)


def test_what_an_hdf5_file_joins_of_its_own_is_read(tmp_path):
    h5py, rows = pytest.importorskip("h5py"), np.arange(12.0).reshape(4, 3)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["parts/a"], layout = rows, h5py.VirtualLayout((4, 3), "f8")
        layout[:] = h5py.VirtualSource(".", "parts/a", (4, 3))
        file.create_virtual_dataset("X", layout)
    np.testing.assert_array_equal(load_data(tmp_path / "x.h5").X, rows)
