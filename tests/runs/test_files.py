"""What a run leaves on the disk is whole, or not there."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from narrows.runs.files import write_chunks, write_columns


def test_an_array_that_is_not_all_written_is_removed(tmp_path):
    with pytest.raises(ValueError, match="announces"):
        write_chunks(tmp_path / "x.npy", iter([np.zeros((2, 3))]), 4)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("labels", [["007", "NA", 'a,"b', "true"], [7, 1, 0, 2], [True, False, True, True]])
def test_codes_labels_and_file_names_go_back_into_other_libraries(tmp_path, labels):
    numbers = {"code0": np.array([0.1, np.nan, -1e-30, 3e38], np.float32), "score": np.arange(4) / 7}
    texts = {"label": np.array(labels), "file": np.array(["ž, 1.png", "NA/2.png", "3\u2028.png", "'4'.png"])}
    for suffix, readers in (("parquet", (pd.read_parquet, pl.read_parquet)), ("csv", (pl.read_csv,))):
        path = write_columns(tmp_path / f"x.{suffix}", numbers, texts)
        for read in readers:
            columns = {name: read(path)[name].to_list() for name in ("label", "file")}
            assert columns == {"label": labels, "file": texts["file"].tolist()}
            codes = np.array(read(path)["code0"].to_list(), np.float32)
            np.testing.assert_array_equal(codes, numbers["code0"])
    assert pd.read_parquet(tmp_path / "x.parquet").dtypes["code0"] == np.float32
    table = pd.read_csv(tmp_path / "x.csv", dtype={"label": str}, keep_default_na=False)
    written = [str(label).upper() if isinstance(label, bool) else str(label) for label in labels]  # as R has them
    assert table["label"].tolist() == written
