"""The report of a model of a table."""

import re

import numpy as np
import pandas as pd
import pytest

from narrows import Autoencoder
from narrows.data.dataset import Dataset
from narrows.drawing.html import table
from narrows.drawing.tables import DrawnColumn, associations, column_bars, spread_sheet
from narrows.runs.evaluations import evaluate

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    a = RNG.normal(size=160)
    frame = pd.DataFrame(
        {"size": np.exp(a), "kind": np.digitize(a, [-0.5, 0.5]) + 0.0, "b<c": RNG.normal(size=160)}
    ).mask(RNG.random((160, 3)) < 0.1)
    frame = frame.dropna(how="all").reset_index(drop=True)
    model = Autoencoder(2, hidden=(8,), epochs=5, random_state=0, columns={"kind": "category"}).fit(frame[:100])
    folder = tmp_path_factory.mktemp("report") / "run"
    _, files = evaluate(model, Dataset("things", frame), folder, model=folder / "m.safetensors", data="things.csv")
    return files[0].read_text(encoding="utf-8")


def test_it_shows_columns_and_rows(page):
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == [
        "Diagnosis",
        "What was trained on what",
        "Training",
        "Columns",
        "The columns in numbers",
        "Real and generated",
        "What goes with what",
        "A map of the codes",
        "Rows and what comes back",
        "Traversals",
        "New rows",
        "The oddest",
        "Calibration",
        "All numbers",
        "To repeat it",
    ]
    assert "b<c" not in page
    assert "b&lt;c" in page
    assert page.count('<td class="">comes back</td>') == 12


def test_numbers_stand_to_the_right_and_marks_are_seen():
    made = table(["a"], [["-1,000"], ["2nd best"], ["0.5 (0.1 – 0.9)"], ["<"]], [[False], [True], [False], [False]])
    assert re.findall('<td class="(.*?)">(.*?)</td>', made) == [
        ("n", "-1,000"),
        ("odd ", "2nd best"),
        ("n", "0.5 (0.1 – 0.9)"),
        ("", "&lt;"),
    ]


def test_columns_of_every_kind_are_drawn():
    values = RNG.normal(size=50)
    columns = [
        DrawnColumn("real $x$", "real", (), values, values),
        DrawnColumn("positive", "positive", (), np.exp(values), np.exp(values)),
        DrawnColumn("date", "date", (), 18000 + 100 * values, 18000 + values),
        DrawnColumn("count", "count", (), np.arange(50.0) % 3, np.zeros(50)),
        DrawnColumn("constant here", "real", (), np.ones(50), np.ones(50)),
        DrawnColumn("empty here", "real", (), np.full(50, np.nan), values),
        DrawnColumn("many", "category", [f"level {i}" for i in range(9)], np.arange(50.0) % 9, np.zeros(50)),
    ]
    figure = spread_sheet(columns)
    figure.savefig("/dev/null", format="png")
    others = next(ax for ax in figure.axes if ax.get_title() == "many")
    assert [text.get_text() for text in others.get_yticklabels()][-1] == "4 others"
    bars = column_bars(["a", "b"], np.array([0.5, 9.0]), np.array([1.0, 0.0]), "VAE")
    assert [text.get_text() for text in bars.axes[0].texts] == ["0.50", "9.00", "1.00", "0.00"]
    matrix = np.eye(2) + 0.3
    assert len(associations(["a", "b"], matrix, matrix).axes) == 6
