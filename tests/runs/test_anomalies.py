"""What a run says of odd examples."""

import numpy as np
import pandas as pd
import pytest

from narrows import Autoencoder
from narrows.data.dataset import Dataset
from narrows.runs.anomalies import find_anomalies


@pytest.mark.parametrize("side", [None, "kind"])
def test_of_data_with_odd_ones_as_many_are_called_odd_and_it_says_why(tmp_path, side):
    rng = np.random.default_rng(0)
    planes = rng.normal(size=(2, 2, 6))
    sound = rng.normal(size=(270, 2)) @ planes[0] + 0.1 * rng.normal(size=(270, 6))
    rows = pd.DataFrame(np.r_[sound, 3 * rng.normal(size=(30, 2)) @ planes[1]], columns=list("abcdef"))
    if side is not None:
        rows[side] = np.where(rows["a"] > 0, "left", "right")
    model = Autoencoder(2, hidden=(32,), epochs=60, prior="normal", contamination=0.1, random_state=0).fit(rows)
    done = find_anomalies(model, Dataset("mixed", rows), tmp_path / "out")
    found = pd.read_csv(tmp_path / "out" / "anomalies.csv")
    assert done.numbers["odd"] == found["odd"].sum() == 30
    assert done.numbers["contamination"] == 0.1
    assert found["odd_cells"][found["odd"]].notna().mean() > 0.5
    assert found["odd_cells"][~found["odd"]].isna().all()
