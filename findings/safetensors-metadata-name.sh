#!/usr/bin/env bash
# safetensors 0.8.0: a tensor may be called __metadata__ when it is saved; the file can then never be loaded.
#
# One would guess that save refuses the one name that the format reserves, as it refuses data types that it does not
# know. It writes the file, and every reader takes the tensor's entry for the table of strings that stands under that
# name. Names that come from users or from a state dict must be checked by whoever saves them.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet safetensors==0.8.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

data = save({"__metadata__": np.ones(2, np.float32)})
print("saved", data)
try:
    load(data)
except SafetensorError as error:
    print("loaded:", error)
else:
    raise SystemExit("it can be loaded now")
END
