#!/usr/bin/env bash
# onnxruntime 1.32.0: the mean of no numbers is 0.
#
# One would guess NaN, as in torch, NumPy and onnx's reference, or an error: the largest of none is −∞ in the same runtime,
# so it does think of this case. Who takes the mean of the cells that are known, or of a batch that came out empty, gets
# a number that looks measured.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'END'
import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from onnxruntime import InferenceSession

seen = {}
for operator in ("ReduceMean", "ReduceMax"):
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3]),
        helper.make_tensor_value_info("axes", TensorProto.INT64, [1]),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    node = helper.make_node(operator, ["x", "axes"], ["y"], keepdims=0)
    graph = helper.make_graph([node], "one", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    given = {"x": np.zeros((0, 3), np.float32), "axes": np.array([0])}
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    seen[operator] = session.run(None, given)[0], ReferenceEvaluator(model).run(None, given)[0]
    print(operator, "of none: onnxruntime", seen[operator][0], "onnx's reference", seen[operator][1])

assert (seen["ReduceMean"][0] == 0).all()
assert np.isnan(seen["ReduceMean"][1]).all()
assert np.isneginf(seen["ReduceMax"][0]).all()
END
