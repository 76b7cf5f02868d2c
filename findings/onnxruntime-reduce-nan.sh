#!/usr/bin/env bash
# onnxruntime 1.32.0: the largest of numbers with a NaN is NaN if the NaN comes first, and an ordinary number otherwise.
#
# One would guess NaN, as of `Max`, of a sum and of a mean in the same runtime, and as in onnx's reference. `ReduceMax` and
# `ReduceMin` compare each number with the largest so far, and no comparison with NaN holds: one at any other place is
# passed over. Along rows of seventy numbers even a NaN in the first place is lost.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from onnxruntime import InferenceSession


def reduced(operator, x, axis=0):
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape),
        helper.make_tensor_value_info("axes", TensorProto.INT64, [1]),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    node = helper.make_node(operator, ["x", "axes"], ["y"], keepdims=0)
    graph = helper.make_graph([node], "one", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    given = {"x": x, "axes": np.array([axis])}
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found, right = session.run(None, given)[0], ReferenceEvaluator(model).run(None, given)[0]
    assert np.isnan(right).all()
    return found


nan, seen = float("nan"), {}
for place in range(3):
    numbers = np.insert(np.array([1, 3], np.float32), place, nan)
    for operator in ("ReduceMax", "ReduceMin", "ReduceSum", "ReduceMean"):
        seen[operator, place] = float(reduced(operator, numbers))
    print(numbers, {operator: value for (operator, at), value in seen.items() if at == place})
rows = np.ones((2, 70), np.float32)
rows[0, 33] = rows[1, 0] = nan
wide = reduced("ReduceMax", rows, axis=1)
print("rows of seventy, NaN at 33 and at 0:", wide)

for (operator, place), value in seen.items():
    lost = operator in ("ReduceMax", "ReduceMin") and place > 0
    assert np.isnan(value) != lost, (operator, place)
assert (wide == 1).all()
END
