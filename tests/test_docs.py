"""What the documents show works as shown, and the style stays what it is meant to be."""

import doctest
import hashlib
import importlib
import json
import operator
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

import narrows
from narrows.cli import VERBS, app
from narrows.pages import Helped, named

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
EXAMPLES = [
    (
        document.relative_to(ROOT).as_posix(),
        "\n".join(re.findall(r"```python\n(.*?)```", document.read_text("utf-8"), re.DOTALL)),
    )
    for document in [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "docs").glob("learn/*.md")),
    ]
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


def homes():
    """The modules that public names are from, with those of `narrows.latent`."""
    found = {getattr(narrows, name).__module__ for name in narrows.__all__ if name not in ("latent", "recipes")}
    return sorted({*found, "narrows.latent", "narrows.recipes"})


@pytest.mark.parametrize("module", homes())
def test_docstrings_examples_are_true(module):
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted > 0
    assert results.failed == 0


def test_links_in_documents_lead_somewhere():
    for document in DOCUMENTS:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", document.read_text("utf-8")):
            file = document.parent / target if target else document
            assert file.exists(), f"{document.name}: {target}"
            assert not anchor or anchor in anchors(file), f"{document.name}: {target}#{anchor}"


def anchors(document):
    """What GitHub and MyST call the headings of a document."""
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def typed():
    """Each command of ours that a document shows, as it is typed."""
    for document in DOCUMENTS:
        for block in re.findall(r"```sh\n(.*?)```", document.read_text("utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["narrows"]:
                    yield pytest.param(words[1:], id=f"{document.name}: {line.partition('#')[0].strip()}")


@pytest.mark.parametrize("words", list(typed()))
def test_commands_that_are_shown_are_understood(words):
    verb, *rest = words[: words.index("|")] if "|" in words else words
    typer.main.get_command(app).commands[verb].make_context(verb, rest)


def test_the_page_of_commands_is_made_of_the_command_line():
    page = runpy.run_path(str(ROOT / "docs" / "make_commands.py"))["page"]()
    assert (ROOT / "docs" / "commands.md").read_text("utf-8") == page, "run docs/make_commands.py"


BENCHMARKS = (ROOT / "benchmarks" / "__main__.py").read_text("utf-8")
CODE = r"```python\n.*?```"
CHAPTERS = sorted((ROOT / "docs" / "learn").glob("*.md"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_each_chapter_of_the_lecture_is_there_in_czech_and_not_stale(chapter):
    english = chapter.read_text("utf-8")
    czech = (ROOT / "docs" / "cs" / chapter.name).read_text("utf-8")
    digest = hashlib.sha256(english.encode()).hexdigest()[:12]
    assert czech.startswith(f"% of {digest}\n"), (
        f"translate what has changed, and write '% of {digest}' on the first line"
    )
    for same in (r"!\[[^\]]*\]\(([^)]+)\)", r"^(#+) ", r"<summary>", r"^\$\$.*?\$\$"):
        assert found(same, english) == found(same, czech)
    assert [*map(uncommented, found(CODE, english))] == [*map(uncommented, found(CODE, czech))]


def found(pattern, text):
    return re.findall(pattern, text, re.DOTALL | re.MULTILINE)


def uncommented(code):
    """Code without its comments, which are in the page's language."""
    return re.sub(r" *#.*", "", code)


@pytest.mark.parametrize("chapter", [one for one in CHAPTERS if one.stem != "index"], ids=lambda path: path.stem)
def test_each_chapter_has_code_a_figure_a_page_to_play_with_and_three_exercises(chapter):
    text = chapter.read_text("utf-8")
    assert "```python" in text
    assert re.search(r"!\[[^\]]+\]\(\.\./pictures/learn-", text)
    assert re.search(r"narrows explore.*#view=", text, re.DOTALL)
    assert text.count("<summary>") == 3
    assert text.count("\n## ") >= 3


def test_verbs_and_errors_name_pages_that_there_are():
    errors, kinds = [], [Helped]
    while kinds:
        kinds += (found := kinds.pop().__subclasses__())
        errors += found
    assert narrows.ModelFileError in errors
    assert {*VERBS.values(), *(error.page for error in errors)} <= named().keys()


@pytest.mark.parametrize("name", [*narrows.__all__, *(f"latent.{name}" for name in narrows.latent.__all__)])
def test_every_public_name_has_an_example(name):
    if name != "latent":
        assert ">>> " in operator.attrgetter(name)(narrows).__doc__


def test_every_public_name_stands_in_the_reference():
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert [name for name in narrows.__all__ if not re.search(rf"narrows\.(\w+\.)*{name}\b", text)] == []


def test_every_named_model_stands_in_the_readme():
    from narrows.estimators import ESTIMATORS

    text = (ROOT / "README.md").read_text("utf-8")
    for name in ESTIMATORS:
        assert f"| `{name}` |" in text


def test_the_page_of_formats_is_made_of_the_tests_own_list():
    page = runpy.run_path(str(ROOT / "docs" / "make_formats.py"))["page"]()
    assert (ROOT / "docs" / "formats.md").read_text("utf-8") == page, "run docs/make_formats.py"


def steps():
    """What docs/add-a-model.md says to do: the file, the line after which ("" at its end), and what to put there."""
    text = (ROOT / "docs" / "add-a-model.md").read_text("utf-8")
    put = r"(?:[Ii]n|end of)\s+`(\S+\.py)`(?:, after `([^`]+)`)?:\n\n```py\n(.*?)```"
    found = re.findall(put, text, re.DOTALL)
    assert len(found) == text.count("```py\n")
    return found


@pytest.mark.slow
def test_the_recipe_for_a_model_makes_one_that_obeys_the_laws(tmp_path):
    for folder in ("src", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line, code in steps():
        path = tmp_path / file
        text = path.read_text("utf-8")
        if not line:
            text = f"{text}\n\n{code}"
        else:
            assert text.count(f"\n{line}\n") == 1, (file, line)
            text = text.replace(f"\n{line}\n", f"\n{line}\n{code}")
        path.write_text(text, "utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    train = ["train", "digits", "--model", "decorrelated", "--epochs", "1", "--out", "run"]
    for command in (["pytest", "-q", "tests/test_laws.py", "-k", "decorrelated"], ["narrows", *train]):
        run = [sys.executable, "-m", *command]
        done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert " passed" in done.stdout or (tmp_path / "run").exists()


def test_the_picture_of_the_architecture_shows_every_part():
    script = runpy.run_path(str(ROOT / "docs" / "make_architecture.py"))
    assert script["imports"]().keys() == script["SAYS"].keys()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_benchmarks_that_are_named_are_some(document):
    known = {"against", *re.findall(r'^ +"(.+)": \w+\.main', BENCHMARKS, re.MULTILINE)}
    text = document.read_text("utf-8")
    assert {*re.findall(r"`(?:[A-Z_]+=\S+ )?(?:python3 dev.py )?bench ([a-z-]+)", text)} <= known


def test_the_citation_and_the_distribution_are_of_one_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


@pytest.mark.parametrize("notebook", sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_kept_without_what_came_of_them(notebook):
    """The site's building runs them (docs/conf.py)."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


def test_every_picture_is_made_by_a_script_and_shown():
    scripts = [*(ROOT / "docs").glob("make_*.py"), ROOT / "benchmarks" / "growth.py"]
    made = "".join(script.read_text("utf-8") for script in scripts)
    shown = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    for picture in (ROOT / "docs" / "pictures").iterdir():
        series, _, name = picture.stem.partition("-")
        assert picture.stem in made or (f"{series}-{{name}}" in made and f'"{name}"' in made), picture.name
        assert f"pictures/{picture.name}" in shown, picture.name
