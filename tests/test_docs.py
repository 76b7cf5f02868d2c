"""What the documents show works as shown, and the style stays what it is meant to be."""

import doctest
import importlib
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = [
    (
        document.relative_to(ROOT).as_posix(),
        "\n".join(re.findall(r"```python\n(.*?)```", document.read_text("utf-8"), re.DOTALL)),
    )
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
]


# The README's are what a newcomer types first; those of the other documents take long.
@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param(name, code, marks=[pytest.mark.slow] if name != "README.md" else [], id=name)
        for name, code in EXAMPLES
        if code
    ],
)
def test_examples_run(name, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, name, "exec"), {})


@pytest.mark.parametrize("module", ["narrows.estimators.deterministic", "narrows.sweeps"])
def test_docstrings_examples_are_true(module):
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted > 0
    assert results.failed == 0


def test_links_in_documents_lead_somewhere():
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_named_model_stands_in_the_readme():
    from narrows.estimators import ESTIMATORS

    text = (ROOT / "README.md").read_text("utf-8")
    for name in ESTIMATORS:
        assert f"| `{name}` |" in text


def test_the_page_of_formats_is_made_of_the_tests_own_list():
    page = runpy.run_path(str(ROOT / "docs" / "make_formats.py"))["page"]()
    assert (ROOT / "docs" / "formats.md").read_text("utf-8") == page, "run docs/make_formats.py"
