"""How the tests run a command: in this process, as a person would type it."""

import io
import math
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from narrows.cli import main, progress
from narrows.runs import anomalies, looking, making, page, using, writing


@pytest.fixture(scope="session")
def typed():
    """Run a command in a folder, check its exit status, and return what it printed: standard output, and the error."""

    def command(folder, *arguments, status=0):
        output, errors = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
            patch.chdir(folder)
            patch.setattr(progress, "PIPE_SECONDS", math.inf)  # a slow machine would have it say more
            patch.setattr(sys, "argv", ["narrows", *map(str, arguments)])
            with pytest.raises(SystemExit) as end:
                main()
        assert end.value.code == status, output.getvalue() + errors.getvalue()
        return output.getvalue(), errors.getvalue()

    return command


@pytest.fixture
def undrawn(monkeypatch):
    """Leave figures empty and pages without any: they have tests of their own, and take most of a command's time."""

    def named(folder, figures):
        files = [folder / f"{name}.png" for name in figures]
        for file in files:
            file.touch()
        return files

    for module in (anomalies, looking, making, using, writing):
        monkeypatch.setattr(module, "write_figures", named)
    monkeypatch.setattr(page, "_shown", lambda _: "")
