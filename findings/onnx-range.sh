#!/usr/bin/env bash
# onnxruntime 1.32.0 and OpenVINO 2026.4.1: the numbers of a range are added up, and drift away from their places.
#
# One would guess start + i × step, as the operator's definition says in so many words and as torch and NumPy compute
# it. Both runtimes add the step to the number before: in 32 bits the last of 0, 0.1, 0.2 … is off by about one step
# before 1,000 and by hundreds before 100,000, and not alike in the two; OpenVINO is as far off in 64 bits. Times and
# positions that a model makes itself are better multiplied: a range of whole numbers times the step.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import openvino
from onnx import helper
from onnxruntime import InferenceSession


def last(limit, step, kind):
    values = {name: np.array(x, kind) for name, x in (("start", 0), ("limit", limit), ("step", step))}
    type_ = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    given = [helper.make_tensor_value_info(name, type_, []) for name in values]
    output = helper.make_tensor_value_info("y", type_, [None])
    graph = helper.make_graph([helper.make_node("Range", list(values), ["y"])], "one", given, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()
    first = InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, values)[0]
    core = openvino.Core()
    second = core.compile_model(core.read_model(model), "CPU")(values)[0]
    right = np.arange(len(first)) * values["step"].astype(np.float64)
    assert len(second) == len(first) == round(limit / step)
    found = [abs(float(x[-1]) - right[-1]) for x in (first, second)]
    print(
        f"{np.dtype(kind)}, 0 to {limit:,} by {step}: onnxruntime's last is off by {found[0]:.2g}, "
        f"OpenVINO's by {found[1]:.2g}"
    )
    return found


assert min(last(1000, 0.1, np.float32)) > 0.05
assert min(last(100_000, 0.1, np.float32)) > 500
runtime, vino = last(100_000, 0.1, np.float64)
assert runtime < 1e-5
assert vino > 500
END
