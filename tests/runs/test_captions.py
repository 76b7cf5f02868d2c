"""What is said beside examples: ranks by their errors, and names of files that are no text."""

import os

import numpy as np
import pytest
from PIL import Image

from narrows.data import scan_images
from narrows.runs.captions import class_name, printable, ranked

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 9, 10, 11, 50])
def test_ranks_are_those_of_the_errors(n):
    errors = RNG.permutation(n).astype(float)
    chosen = ranked(errors)
    assert len({place for _, place in chosen}) == len(chosen) >= min(n, 9)
    ranks = {rank: errors[place] for ranks, place in chosen for rank in ranks.split(", ") if rank != "first"}
    if n > 1:
        assert (ranks["best"], ranks["worst"]) == (0, n - 1)
    if n > 2:
        assert abs(ranks["median"] - (n - 1) / 2) <= 0.5
    if n > 9:
        assert (ranks["2nd best"], ranks["3rd worst"]) == (1, n - 3)
        assert [place for rank, place in chosen if "first" in rank] == [0, 1, 2]


def test_undecodable_names_are_written_in_one_way(tmp_path):
    home = tmp_path / "odd"
    home.mkdir()
    Image.new("L", (4, 4)).save(home / "a.png")
    for name in (b"\xff.png", b"\xfe.png"):
        with open(bytes(home) + b"/" + name, "wb") as file:  # noqa: PTH123, pathlib has no bytes
            file.write((home / "a.png").read_bytes() if name == b"\xff.png" else b"")
    files = scan_images(home)
    assert [printable(os.fsdecode(name)) for name in files.names] == ["a.png", "\\xff.png"]
    assert [printable(file.path) for file in files.rejected] == ["\\xfe.png"]


def test_a_class_that_has_a_name_is_called_by_it():
    labels = (3, np.int64(-1), "7", "astronaut", 2.5)
    assert [class_name(label) for label in labels] == ["class 3", "class -1", "class 7", "astronaut", "2.5"]
