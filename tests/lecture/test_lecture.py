"""Every row has a page whose numbers are the lecture's, whose figure is drawn, and which the command line finds."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from narrows.cli import app
from narrows.lecture.index import index_page
from narrows.lecture.page import decimal
from narrows.lecture.pages import MAKERS, make_page
from narrows.lecture.rows import ROWS, Row, find

NUMBERS = [*range(1, 12), *range(13, 19)]


@pytest.fixture(scope="module")
def pages():
    return {row.number: make_page(row) for row in ROWS}


def facts(page):
    return {fact.name: fact.value for fact in page.facts}


def test_the_rows_are_the_lectures():
    assert [row.number for row in ROWS] == NUMBERS
    assert set(MAKERS) == {row.topic for row in ROWS}
    names = [name for row in ROWS for name in (row.topic, *row.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "number"),
    [("L5", 5), ("l5", 5), ("5", 5), ("xor", 5), (" XOR ", 5), ("boolean", 5), ("hebb", 2), ("padding", 18)],
)
def test_a_row_is_found_by_number_or_topic(name, number):
    assert find(name).number == number


@pytest.mark.parametrize(
    ("name", "closest"), [("convolutoin", "convolution"), ("poling", "pooling"), ("percptron", "perceptron")]
)
def test_an_unknown_topic_is_an_error_with_the_closest(name, closest):
    with pytest.raises(ValueError, match=f"TOPIC '{name}' is unknown; did you mean '{closest}"):
        find(name)


@pytest.mark.parametrize("name", ["L12", "12", "0", "", "L19"])
def test_rows_without_a_page_are_unknown(name):
    with pytest.raises(ValueError, match="is unknown"):
        find(name)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_page_is_whole(pages, number):
    page = pages[number]
    assert page.row.number == number
    assert len(page.text) > 100
    assert page.alt
    assert len(page.facts) == len({fact.name for fact in page.facts}) >= 3
    assert all(isinstance(fact.value, bool | int | float | str | tuple) for fact in page.facts)
    assert isinstance(page.figure, Figure)
    assert sum(ax.has_data() or bool(ax.texts) for ax in page.figure.get_axes()) >= 1
    json.dumps([fact.value for fact in page.facts], allow_nan=False)


CHECKS = {
    1: {"wᵀx": 1.05, "output at θ = 1.05": 1, "output at θ = 1.06": 0},
    2: {"Rosenblatt's rule stops": True, "updates within the bound": True, "stops on XOR within 100 passes": False},
    3: {"c = −θ": True},
    4: {
        "converted back, exactly the same": True,
        "random inputs tried": 10_000,
        "of them with the same output": 10_000,
    },
    5: {
        "AND right on all inputs": True,
        "OR right on all inputs": True,
        "of the 4 functions of n = 1 inputs, one unit computes": 4,
        "of the 16 functions of n = 2 inputs, one unit computes": 14,
        "of the 256 functions of n = 3 inputs, one unit computes": 104,
        "of the 65,536 functions of n = 4 inputs, one unit computes": 1882,
    },
    6: {
        "hidden units for XOR": 2,
        "outputs of XOR for 00, 01, 10, 11": (0, 1, 1, 0),
        "outputs of XNOR for 00, 01, 10, 11": (1, 0, 0, 1),
        "of all 256 functions of three inputs, networks get right": 256,
    },
    8: {"E is their sum": True},
    9: {
        "∇f(0, 0)": (-2, -4),
        "∇f(2, 3)": (2, 2),
        "∇f(0, 0), by small differences": (-2, -4),
        "the minimum, as the best walk finds it": (1, 2),
    },
    10: {"σ(0)": 0.5, "ReLU′(0)": 0, "σ(−1000), σ(1000)": (0, 1)},
    11: {"rounded, it is XOR": True},
    13: {"x^3 no better with 128 units than with 4": True, "independent functions of 128 units, x^3": 4},
    14: {"that is 3XY": True, "and back, exactly the same": True, "numbers of a megapixel in RGB": 3 * 10**6},
    15: {"weights from 3·10⁶ inputs to as many units": 9 * 10**12},
    16: {
        "first patch": "101 / 011 / 101",
        "filter": "123 / 456 / 789",
        "their sum": 31,
        "step by step, the same": True,
    },
    17: {"first window": "923 / 157 / 426", "its maximum": 9, "its sum": 39, "its mean": 39 / 9},
    18: {
        "result, 'same', stride 1": (7, 7),
        "result, 'valid', stride 2": (3, 3),
        "convolving gives these sizes": True,
        "'same' keeps the size at stride 1, for images to 40 and kernels to 11": True,
    },
}


@pytest.mark.parametrize("number", CHECKS)
def test_the_numbers_are_the_lectures(pages, number):
    told = facts(pages[number])
    for name, value in CHECKS[number].items():
        assert told[name] == pytest.approx(value, abs=1e-6), name


def test_the_proof_for_xor_is_the_lectures(pages):
    *demands, total = facts(pages[5])["no unit for XOR, since"].split("\n")
    assert {line.split("    ")[0] for line in demands} == {"0 < θ", "w1 ≥ θ", "w2 ≥ θ", "w1 + w2 < θ"}
    assert total.endswith("0 < 0: a contradiction")


def test_the_errors_fall_where_they_should(pages):
    approximation, learning, graph = (facts(pages[number]) for number in (13, 11, 7))
    for activation in ("sigmoid", "relu"):
        first, last = approximation[f"error of {activation} with 1 and with 128 units"]
        assert last < first / 100
    assert learning["E after 2,000 steps"] < learning["E at the start"] / 100
    assert graph["largest difference of the two"] < 1e-8
    assert "f1 → f2 → f1" in graph["a graph with a cycle"]


def test_claims_hold_when_what_they_are_about_changes(monkeypatch):
    """A number that is printed comes from the computation: another image gives another sum."""
    from narrows.lecture import windows

    monkeypatch.setattr(windows, "LECTURE_IMAGE", windows.LECTURE_IMAGE * 2)
    assert facts(windows.convolution(find("L16")))["their sum"] == 62


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "yes"), (9 * 10**12, "9,000,000,000,000"), (-0.5, "−0.5"), (1.05, "1.05"), ((1, (2.0, 3)), "(1, (2, 3))")],
)
def test_values_are_written_for_people(value, shown):
    assert decimal(value) == shown


class Links(HTMLParser):
    """What a page refers to, its images without a text, and its tags that were not closed."""

    def __init__(self):
        super().__init__()
        self.files, self.anchors, self.ids, self.silent, self.tags = set(), set(), set(), [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in {"meta", "img"}:
            self.tags.append(tag)
        self.ids |= {given["id"]} if "id" in given else set()
        if tag == "img" and not given.get("alt"):
            self.silent.append(given)
        for target in (given.get("src"), given.get("href")):
            if target:
                (self.anchors if target.startswith("#") else self.files).add(target.removeprefix("#"))

    def handle_endtag(self, tag):
        assert self.tags.pop() == tag


def test_the_index_escapes_what_it_is_given(pages):
    odd = Row(1, "a", "<b>&", "")
    html = index_page([type(pages[1])(odd, "x < y & z", pages[1].facts, pages[1].figure, 'a "b"')])
    assert "x &lt; y &amp; z" in html
    assert "&lt;b&gt;&amp;" in html
    assert 'alt="a &quot;b&quot;"' in html


@pytest.mark.slow
def test_all_writes_an_index_that_refers_to_what_is_there(tmp_path):
    folder = tmp_path / "all"
    result = CliRunner().invoke(app, ["lecture", "--all", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    html = (folder / "index.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(html)
    assert links.tags == []
    assert links.silent == []
    assert links.files == {f"{row.stem}.png" for row in ROWS}
    assert all((folder / name).stat().st_size > 5000 for name in links.files)
    assert links.anchors == links.ids == {row.label for row in ROWS}
    assert "<script" not in html
    assert re.search(r"https?://", html) is None
    told = json.loads((folder / "lecture.json").read_text(encoding="utf-8"))
    assert [row["row"] for row in told] == [row.label for row in ROWS]
    for line in result.output.partition("Written:\n")[2].split("\n"):
        assert Path(line.strip() or folder).exists()


def test_one_row_is_said_and_drawn(tmp_path):
    result = CliRunner().invoke(app, ["lecture", "xor", "--out", str(tmp_path / "xor")])
    assert result.exit_code == 0, result.output
    assert "1,882" in result.output
    assert "0 < 0: a contradiction" in result.output
    assert {path.name for path in (tmp_path / "xor").iterdir()} == {"L05-boolean.png", "lecture.json"}


def test_without_a_topic_the_rows_are_listed():
    result = CliRunner().invoke(app, ["lecture"])
    assert result.exit_code == 0
    listed = [line.split() for line in result.output.split("\n") if re.match(r" *L\d", line)]
    assert [(words[0], words[1]) for words in listed] == [(row.label, row.topic) for row in ROWS]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["convolutoin"], "'convolutoin' is unknown; did you mean 'convolution'?"),
        (["L12"], "'L12' is unknown"),
        (["xor", "--all"], "'xor' and --all exclude each other"),
        (["--out", "somewhere"], "--out somewhere needs a TOPIC, or --all"),
        (["xor", "--out", "full"], "--out full already exists"),
    ],
)
def test_bad_arguments_end_in_one_line_and_status_2(tmp_path, arguments, says):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    command = [sys.executable, "-m", "narrows", "lecture", *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("narrows: error: ")
    assert result.stderr.count("\n") == 1
    assert says in result.stderr


def test_listing_loads_nothing_heavy_and_pages_load_no_torch():
    for code, absent in (
        ("rows", ("torch", "scipy", "matplotlib")),
        ("pages", ("torch", "sklearn", "matplotlib.pyplot")),
    ):
        script = f"import sys, narrows.lecture.{code}; print([m for m in {absent} if m in sys.modules])"
        output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        assert output.strip() == "[]"


def test_drawing_changes_no_global_state(pages):
    before = dict(mpl.rcParams)
    for page in pages.values():
        page.figure.canvas.draw()
    assert dict(mpl.rcParams) == before
