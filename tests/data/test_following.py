"""Lines as they come are those of the whole file, wherever it was read up to before."""

import pandas as pd
import pytest

from narrows.data import following, load_data
from narrows.data.following import Following

TEXT = 'text;x\n"one\nand two";1,5\nthree;2\n\n"a ""long"" one, longer than what is read at a time";3,25\n'


@pytest.mark.parametrize("size", [1, 16, 2**16])
@pytest.mark.parametrize("unfinished", [False, True])
def test_a_cell_may_hold_the_end_of_a_line_and_a_line_may_be_long(size, unfinished, tmp_path, monkeypatch):
    monkeypatch.setattr(following, "BYTES", size)
    path = tmp_path / "a.csv"
    path.write_text(TEXT.rstrip("\n") if unfinished else TEXT, encoding="utf-8-sig")
    found, place, types = [], {}, {"text": "text", "x": "number"}
    while news := next(Following(str(path), types=types).news(place), None):
        found.append(news.dataset.X)
        place = news.place
    pd.testing.assert_frame_equal(pd.concat(found, ignore_index=True), load_data(path, types=types).X)
    assert place["rows"] == 3


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has 4 bytes, of which 9 were read before"):
        next(Following(str(tmp_path / "a.csv")).news({"bytes": 9}))
