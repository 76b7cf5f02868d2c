"""How the tests run a command: in this process, as a person would type it."""

import sys

import pytest

from narrows.cli import main


@pytest.fixture
def typed(monkeypatch, capsys):
    """Run a command in a folder, check its exit status, and return what it printed: standard output, and the error."""

    def command(folder, *arguments, status=0):
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            patch.setattr(sys, "argv", ["narrows", *map(str, arguments)])
            with pytest.raises(SystemExit) as end:
                main()
        output, errors = capsys.readouterr()
        assert end.value.code == status, output + errors
        return output, errors

    return command
