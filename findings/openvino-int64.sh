#!/usr/bin/env bash
# OpenVINO 2026.4.1: 64-bit integers are computed in 32, and come back as 64-bit ones that are wrong.
#
# One would guess that an input and an output of 64-bit integers hold what their type can, or that larger numbers are
# refused. They are cut to their lower 32 bits without a word: 2³¹ comes back as −2³¹, 2⁴⁰ as 0, and 2⁴⁰ equals 2⁴¹, so that
# identifiers of different things are taken for one.

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


def both(operator, out, *inputs):
    names = [f"x{place}" for place in range(len(inputs))]
    given = [helper.make_tensor_value_info(name, TensorProto.INT64, [len(x)]) for name, x in zip(names, inputs)]
    output = helper.make_tensor_value_info("y", out, [len(inputs[0])])
    graph = helper.make_graph([helper.make_node(operator, names, ["y"])], "one", given, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, "one.onnx")
    values = dict(zip(names, (np.array(x, np.int64) for x in inputs)))
    found = np.array(openvino.Core().compile_model("one.onnx", "CPU")(values)[0])
    right = InferenceSession("one.onnx", providers=["CPUExecutionProvider"]).run(None, values)[0]
    print(operator, *inputs, "OpenVINO", found.dtype, found, "onnxruntime", right)
    return found.tolist(), right.tolist()


found, right = both("Identity", TensorProto.INT64, [2**31 - 1, 2**31, 2**40])
assert right == [2**31 - 1, 2**31, 2**40]
assert found == [2**31 - 1, -(2**31), 0]
found, right = both("Equal", TensorProto.BOOL, [2**40, 1], [2**41, 2])
assert right == [False, False]
assert found == [True, False]
END
