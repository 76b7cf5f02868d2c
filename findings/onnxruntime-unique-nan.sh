#!/usr/bin/env bash
# onnxruntime 1.32.0: Unique of [nan, 1, nan] is [nan]; the 1 is gone.
#
# One would guess [1, nan] or [1, nan, nan], as NumPy or torch have it: how many NaN are left is a matter of taste, but
# a number can only be lost if it is compared with one of them. Here it is: whatever comes after a NaN may be taken for
# it. The reference that comes with onnx 1.23.2 says [1, nan].

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

model = helper.make_model(
    helper.make_graph(
        [helper.make_node("Unique", ["x"], ["y"])],
        "unique",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None])],
    ),
    opset_imports=[helper.make_opsetid("", 21)],
    ir_version=10,
)
nan = float("nan")
session = onnxruntime.InferenceSession(model.SerializeToString())
for values, expected in (([2, 1, 2], [1, 2]), ([nan, 1, nan], [nan]), ([nan, 3, 1, 2, 1], [nan])):
    x = {"x": np.array(values, np.float32)}
    seen, reference = session.run(None, x)[0], ReferenceEvaluator(model).run(None, x)[0]
    print(values, "onnxruntime", seen.tolist(), "reference", reference.tolist())
    np.testing.assert_equal(seen, np.array(expected, np.float32))
    np.testing.assert_equal(reference, np.unique(x["x"]))
END
