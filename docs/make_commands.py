"""Write docs/commands.md from the command line itself: ``.venv/bin/python docs/make_commands.py``."""

from pathlib import Path
from typing import Any

import typer

from narrows.cli import VERBS, app

BEFORE = """# The commands

Made by `docs/make_commands.py` from what each `narrows VERB --help` says. Whatever a command prints, it also writes as
CSV or JSON. Bad input ends in one line that names the page that helps, and exit status 2; Ctrl-C keeps what has been
trained so far.
"""


def _default(parameter: Any) -> str:
    """Return what holds where the option is not given; nothing for what is then simply not done."""
    shown, default = parameter.show_default, parameter.default
    if isinstance(shown, str):
        return f" Default: {shown}."
    return f" Default: {default}." if shown and default not in (None, False, (), []) else ""


def _row(parameter: Any) -> str:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    takes = "" if getattr(parameter, "is_flag", False) else f" {parameter.metavar or parameter.name.upper()}"
    shown = takes.strip() if parameter.param_type_name == "argument" else names + takes
    return f"| `{shown}` | {parameter.help or ''}{_default(parameter)} |".replace("N|all", "N\\|all")


def page() -> str:
    """Return the whole page."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group's
    text = BEFORE
    for (name, command), about in zip(commands.items(), VERBS.values(), strict=True):
        arguments = [one.metavar or one.name for one in command.params if one.param_type_name == "argument"]
        usage = " ".join(["narrows", name, *arguments, "[OPTIONS]"])
        rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
        text += f"\n## {name}\n\n`{usage}`\n\n{command.help} More: [{about}]({about}.md).\n\n"
        text += "\n".join(["| option | what |", "|---|---|", *rows]) + "\n" if rows else ""
    return text


if __name__ == "__main__":
    (Path(__file__).parent / "commands.md").write_text(page(), "utf-8")
