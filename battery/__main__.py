"""Run the battery, or the parts named: ``python3 dev.py battery [--bounded] [PART ...]``.

Prints a table of figure against target, and ends with 1 if a target is missed. Each part is a process of its own, so
that a crash is a row and not the end. ``--bounded`` does a fiftieth of the work, as CI does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from battery.row import Row

PARTS = ("model_files", "attacks", "kills", "commands", "determinism")
LONG = "mutants"
"""The part that says nothing in a fiftieth of its time, and is left out then unless it is named."""

BOUNDED = 0.02
"""Share of the work that is done where time is short."""


def run(part: str, share: float) -> bool:
    """Print the rows of a part; return whether all hold, but for those that are timed where there is little time."""
    holds = True
    for row in import_module(f"battery.{part}").rows(share):
        print(row, flush=True)
        holds = holds and (row.holds or (row.timed and share < 1))
    return holds


def main(arguments: list[str]) -> int:
    """Run what ``arguments`` name."""
    if arguments[:1] == ["--part"]:
        return 0 if run(arguments[1], float(arguments[2])) else 3
    bounded = "--bounded" in arguments
    parts = [name for name in arguments if name != "--bounded"] or [*PARTS, *([] if bounded else [LONG])]
    unknown = set(parts) - {*PARTS, LONG}
    if unknown:
        print(f"no part {', '.join(sorted(unknown))}; there are {', '.join((*PARTS, LONG))}", file=sys.stderr)
        return 2
    print("| what | figure | target | holds |\n|---|---|---|---|", flush=True)

    def tried(part: str) -> bool:
        command = [sys.executable, "-m", "battery", "--part", part, str(BOUNDED if bounded else 1)]
        stdout = subprocess.PIPE if bounded else None
        done = subprocess.run(command, check=False, stdout=stdout, stderr=subprocess.PIPE, text=True)
        print(done.stderr, end="", file=sys.stderr, flush=True)
        print(done.stdout or "", end="", flush=True)
        if done.returncode not in (0, 3):
            last = (done.stderr.splitlines() or [""])[-1]
            print(Row(part, f"ended with {done.returncode}: {last}", "to its end", holds=False), flush=True)
        return done.returncode == 0

    # What is timed counts only where all the work is done, and then nothing else may run beside it.
    with ThreadPoolExecutor(os.cpu_count() if bounded else 1) as pool:
        return int(not all([*pool.map(tried, parts)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
