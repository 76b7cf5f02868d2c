"""What a run leaves on the disk is whole, or not there."""

import numpy as np
import pytest

from narrows.runs.files import write_chunks


def test_an_array_that_is_not_all_written_is_removed(tmp_path):
    with pytest.raises(ValueError, match="announces"):
        write_chunks(tmp_path / "x.npy", iter([np.zeros((2, 3))]), 4)
    assert not list(tmp_path.iterdir())
