#!/usr/bin/env bash
# onnxruntime 1.32.0: `ReduceSum` and `ReduceProd` of 64-bit integers are exact to 53 bits only.
#
# One would guess integer arithmetic, which `Add`, `Mul` and `ReduceMax` of the same type use. Sums and products along an axis are
# computed in floating point: 2⁶⁰ + 1 + 3 loses the 4, the product of 2⁵³ + 1 and 1 is even, and one too large for the
# type is the largest number of it instead of wrapping around.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
from onnx import TensorProto, helper
from onnxruntime import InferenceSession


def computed(operator, *inputs):
    names = [f"x{place}" for place in range(len(inputs))]
    given = [helper.make_tensor_value_info(name, TensorProto.INT64, [len(x)]) for name, x in zip(names, inputs)]
    output = helper.make_tensor_value_info("y", TensorProto.INT64, None)
    graph = helper.make_graph([helper.make_node(operator, names, ["y"])], "one", given, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = dict(zip(names, (np.array(x, np.int64) for x in inputs)))
    found = int(session.run(None, values)[0].ravel()[0])
    print(operator, *inputs, "=", found)
    return found


assert computed("ReduceSum", [2**60, 1, 3]) == 2**60
assert computed("ReduceProd", [2**53 + 1, 1]) == 2**53
assert computed("ReduceProd", [2**40, 2**40]) == 2**63 - 1
assert computed("Add", [2**60 + 1], [3]) == 2**60 + 4
assert computed("Mul", [2**53 + 1], [1]) == 2**53 + 1
assert computed("Mul", [2**40], [2**40]) == 0
assert computed("ReduceMax", [2**60, 2**60 + 1]) == 2**60 + 1
END
