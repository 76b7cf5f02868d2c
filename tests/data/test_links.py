"""Of a folder, only what lies in it is opened: links out of it are refused, pipes and devices are no files."""

import os

import numpy as np
import pandas as pd
import pytest

from narrows import Autoencoder
from narrows.data import DataError, load_data
from narrows.data.links import inside
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
