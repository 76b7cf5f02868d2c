#!/usr/bin/env bash
# torch 2.13.0, onnxscript 0.7.2: torch.onnx.export(opset_version=99) writes a file of opset 18, and says nothing.
#
# One would guess an error, or the version that was asked for. A version that is too old, such as 5, ends in 18 as well,
# after a line in the log that a conversion "may not be successful"; the call ends normally either way. Whoever checks
# nothing ships a file that the runtime it was made for cannot read.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import contextlib
import io
import logging

import onnx
import torch

logging.disable(logging.WARNING)

found = {}
for asked in (5, 17, 99):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(torch.nn.Linear(2, 1), (torch.zeros(1, 2),), "m.onnx", opset_version=asked)
    found[asked] = {one.domain: one.version for one in onnx.load("m.onnx").opset_import}[""]
    print("asked for", asked, "written", found[asked])

assert found[5] == found[99] == 18, found
assert found[17] == 17, found
END
