"""dev.py: its commands, its environment, and what it passes on; pip itself is replaced by a note of what was asked."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def dev(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    asked = []

    def create(path, *, with_pip, clear):
        asked.append(f"venv clear={clear}")
        assert with_pip
        for old in path.glob(".installed-*"):
            old.unlink()
        python_in(module, path)

    def run(command, **options):
        said = " ".join(str(part).replace(str(ROOT), ".").replace(str(tmp_path), "~") for part in command[1:])
        asked.append(said)
        module.resolved = options.get("input", "").splitlines() or module.resolved
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "LOWEST", tmp_path / ".venv-lowest")
    monkeypatch.setattr(module.venv, "create", create)
    monkeypatch.setattr(module.subprocess, "run", run)
    module.asked, module.resolved = asked, []
    return module


def python_in(dev, environment):
    """Put something where an environment's interpreter would stand."""
    dev.python_of(environment).parent.mkdir(parents=True, exist_ok=True)
    dev.python_of(environment).touch()


PIP = "-m pip install --quiet --constraint"


def test_the_first_command_builds_and_installs_and_the_second_does_not(dev):
    assert dev.main(["demo"]) == 0
    assert dev.asked == ["venv clear=True", f"{PIP} ./constraints.txt --editable .", "-m narrows sweep digits"]
    dev.asked.clear()
    assert dev.main(["demo", "--epochs", "3"]) == 0
    assert dev.asked == ["-m narrows sweep digits --epochs 3"]


def test_an_extra_is_added_to_what_is_there(dev):
    dev.main(["demo"])
    dev.asked.clear()
    dev.main(["test", "-k", "laws"])
    assert dev.asked == [
        f"{PIP} ./constraints.txt --editable .[test]",
        f"-m pytest {' '.join(dev.IN_PARALLEL)} -k laws",
    ]


def test_the_laws_run_with_the_lowest_versions_in_an_environment_of_their_own(dev):
    """Which uv resolves, but for what constraints.txt decides: torch."""
    dev.main(["test", "--lowest"])
    built, uv, resolution, installation, tests = dev.asked
    assert (built, uv) == ("venv clear=True", "-m pip install --quiet uv")
    assert "--resolution lowest-direct" in resolution
    assert resolution.endswith("--constraint ./constraints.txt --output-file ~/.venv-lowest/lowest.txt -")
    assert {"numpy>=1.26", "pytest>=8"} <= {*dev.resolved}
    assert not [line for line in dev.resolved if dev.name_of(line) == "torch"]
    assert installation == f"{PIP} ~/.venv-lowest/lowest.txt --editable .[test]"
    assert "tests/test_laws.py" in tests
    dev.asked.clear()
    dev.main(["test", "--lowest", "tests/test_scaling.py"])
    assert dev.asked == [f"-m pytest {' '.join(dev.IN_PARALLEL)} -W ignore::DeprecationWarning tests/test_scaling.py"]
    dev.main(["demo"])
    assert dev.asked[1:3] == ["venv clear=True", f"{PIP} ./constraints.txt --editable ."]


def test_a_half_built_environment_is_made_anew(dev):
    python_in(dev, dev.VENV)
    dev.main(["test"])
    assert dev.asked[:2] == ["venv clear=True", f"{PIP} ./constraints.txt --editable .[test]"]


def test_a_failed_installation_is_not_taken_for_a_whole_one(dev, monkeypatch, capsys):
    def fail(command, **_):
        raise subprocess.CalledProcessError(1, command)

    with monkeypatch.context() as patch:
        patch.setattr(dev.subprocess, "run", fail)
        assert dev.main(["demo"]) == 1
    assert "could not prepare" in capsys.readouterr().err
    dev.asked.clear()
    dev.main(["demo"])
    assert dev.asked[0] == "venv clear=True"


def test_other_kernels_are_compiled_in_the_environment_there_is(dev, monkeypatch, tmp_path):
    dev.main(["demo"])
    dev.asked.clear()
    (tmp_path / "kernels.c").write_text("int best(void) { return 0; }")
    monkeypatch.setattr(dev, "KERNELS", [tmp_path / "kernels.c"])
    dev.main(["demo"])
    assert dev.asked == [f"{PIP} ./constraints.txt --editable .", "-m narrows sweep digits"]


def test_another_python_or_other_constraints_install_again(dev, monkeypatch, tmp_path):
    dev.main(["demo"])
    (tmp_path / "constraints.txt").write_text("torch<2.13\n")
    for place, name, value in ((dev, "CONSTRAINTS", tmp_path / "constraints.txt"), (sys, "version", "another Python")):
        dev.asked.clear()
        monkeypatch.setattr(place, name, value)
        dev.main(["demo"])
        assert dev.asked[0] == "venv clear=True"


def test_a_failing_tool_s_status_is_passed_on(dev, monkeypatch):
    dev.main(["lint"])
    monkeypatch.setattr(dev.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 3))
    assert dev.main(["lint"]) == 3


def test_lint_checks_the_scripts_where_there_is_npx(dev, monkeypatch):
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/bin/{name}")
    assert dev.main(["lint"]) == 0
    scripts = [line for line in dev.asked if "web/static" in line]
    assert [line.split()[2].split("@")[0] for line in scripts] == ["prettier", "eslint"]
    dev.asked.clear()
    assert dev.main(["demo"]) == 0
    assert dev.asked == ["-m narrows sweep digits"]


def test_lint_says_what_it_leaves_out_without_npx_and_fails_in_ci(dev, monkeypatch, capsys):
    monkeypatch.setattr(dev.shutil, "which", lambda _: None)
    monkeypatch.delenv("NARROWS_REQUIRE_BROWSER", raising=False)
    assert dev.main(["lint"]) == 0
    assert not [line for line in dev.asked if "web/static" in line]
    assert "not checked: npx is not installed" in capsys.readouterr().err
    monkeypatch.setenv("NARROWS_REQUIRE_BROWSER", "1")
    run = dev.subprocess.run

    def without_npx(command, **given):
        if command[0] == "npx":
            raise FileNotFoundError(command[0])
        return run(command, **given)

    monkeypatch.setattr(dev.subprocess, "run", without_npx)
    assert dev.main(["lint"]) == 1
    assert "npx is not installed" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "status"), [([], 0), (["--help"], 0), (["deploy"], 2)])
def test_help(dev, capsys, arguments, status):
    assert dev.main(arguments) == status
    assert "python3 dev.py demo" in capsys.readouterr().out


def test_dev_uses_the_standard_library_only():
    import ast

    for node in ast.walk(ast.parse((ROOT / "dev.py").read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)
