#!/usr/bin/env bash
# OpenVINO 2026.4.1: NaN becomes 0 in a rectifier, infinity in an exponential, and leaves the rest of a softmax finite.
#
# One would guess that NaN stays NaN, as in onnxruntime and in onnx's reference: it is what a graph has to say that an
# input made no sense. The rectifier's 0 is an ordinary number to all layers after it, and the result a plausible one.
# In sigmoid and tanh it stays. A softmax with a NaN gives NaN at its place and 0 elsewhere, which does not sum to 1.
# Seen on an AMD EPYC with AVX-512, asked for 32-bit floats.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet openvino==2026.4.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import onnx
import openvino
from onnx import TensorProto, helper
from onnxruntime import InferenceSession

x = np.array([[np.nan, 1.0, 2.0, 0.5]], np.float32)
seen = {}
for operator in ("Relu", "Exp", "Softmax", "Sigmoid", "Tanh"):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"])], "one", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, "one.onnx")
    compiled = openvino.Core().compile_model("one.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    seen[operator] = np.array(compiled({"x": x})[0]).ravel()
    right = InferenceSession("one.onnx", providers=["CPUExecutionProvider"]).run(None, {"x": x})[0].ravel()
    print(f"{operator}: OpenVINO {seen[operator]}, onnxruntime {right}")
    assert np.isnan(right[0])

assert seen["Relu"][0] == 0
assert np.isinf(seen["Exp"][0])
assert np.nansum(seen["Softmax"]) == 0
assert np.isnan(seen["Sigmoid"][0])
assert np.isnan(seen["Tanh"][0])
END
