#!/usr/bin/env bash
# rich 15.0.0: importing its styles moves the state of Python's global random numbers.
#
# One would guess that an import leaves them alone, so that a seed set before it means the same as one set after. A style
# takes a number from them for each instance that is made, some at import.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet rich==15.0.0
cd "$folder"
venv/bin/python - <<'END'
import random

random.seed(0)
first = random.random()
random.seed(0)
import rich.style

second = random.random()
print("the first number after random.seed(0):", first, "with the import between them:", second)
assert first != second
END
