"""The documentation's pages in a terminal, and errors that name them."""

from importlib.metadata import version

from narrows.pages import named, title


def test_the_pages_are_listed_and_printed(typed, tmp_path):
    listed = typed(tmp_path, "help")[0]
    for name, page in named().items():
        assert f"{name} " in listed
        assert title(page) in listed
    assert typed(tmp_path, "help", "table")[0] == named()["table"].read_text("utf-8")


def test_errors_name_the_page_that_helps(typed, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"no model")
    cases = {
        ("help", "formats2"): "did you mean 'formats'?",
        ("data", "digist"): "(narrows help formats)",
        ("encode", tmp_path / "model.safetensors", "digits"): "(narrows help reliability)",
        ("anomalies", "--by", "luck"): "(narrows help odd)",
    }
    for arguments, words in cases.items():
        assert words in typed(tmp_path, *arguments, status=2)[1]


def test_the_version_is_that_of_the_distribution(typed, tmp_path):
    assert typed(tmp_path, "--version")[0] == f"narrows {version('narrows')}\n"
