"""What a run says of odd examples."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from narrows import Autoencoder
from narrows.data.dataset import Dataset
from narrows.runs.anomalies import find_anomalies
from narrows.runs.cells import heat_of
from narrows.runs.sections import sections_of


def test_odd_pixels_are_named_and_drawn(tmp_path):
    images = load_digits().images
    model = Autoencoder(8, hidden=(32,), epochs=15, prior="normal", random_state=0).fit(images[:1000])
    new = images[1000:1100].copy()
    new[3, 0, 7] = new[3, 7, 0] = 16
    find_anomalies(model, Dataset("new", new), tmp_path / "out")
    found = pd.read_csv(tmp_path / "out" / "anomalies.csv", dtype=str, keep_default_na=False).set_index("example")
    why = model.explain(new[3:4])
    first, second = found.loc["3", "odd_cells"].split("; ")[:2]
    assert {first, second} == {"0 7", "7 0"}
    assert found.loc["3", "odd_pixels"] == str(why.odd.sum())
    assert float(found.loc["3", "cell_p_values"].split("; ")[0]) == pytest.approx(why.p_values.min(), rel=0.01)
    assert (found["odd_pixels"] == "").sum() == (found["odd"] == "FALSE").sum()
    heat = heat_of(why)[0]
    assert ((heat > 0) == why.odd[0]).all()
    assert heat.max() <= 1
    titles = [section.title for section in sections_of(model, Dataset("new", new), model.evaluate(new, new=True))]
    assert titles[-3:-1] == ["The oddest", "What would be ordinary"]


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


def test_no_more_than_eight_cells_of_a_row_are_named_and_it_is_said_how_many_there_are(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(320, 2)) @ rng.normal(size=(2, 20)) + 0.1 * rng.normal(size=(320, 20))
    rows[300:310] = 5 * rng.normal(size=(10, 20))
    rows[310:315, 3] += 3
    table = pd.DataFrame(rows, columns=[f"c{i}" for i in range(20)])
    model = Autoencoder(2, hidden=(16,), epochs=30, prior="normal", random_state=0).fit(table[:300])
    find_anomalies(model, Dataset("wide", table), tmp_path / "out")
    found = pd.read_csv(tmp_path / "out" / "anomalies.csv").set_index("example")
    counts, why = found["odd_cell_count"], model.explain(table)
    assert counts[found["odd"]].to_dict() == pytest.approx(
        {row: why.changed[row].sum() for row in found.index[found["odd"]]}
    )
    assert counts.max() > 8
    named = found["odd_cells"].dropna().str.split("; ").str.len()
    assert (named == np.minimum(counts[named.index], 8)).all()
    least = why.p_values[305][why.changed[305]].min()
    assert float(found.loc[305, "cell_p_values"].split("; ")[0]) == pytest.approx(least, rel=0.01)
