#!/usr/bin/env bash
# OpenCV 5.0.0: its networks' tanh of a number from 45 on is NaN, in rows of sixteen numbers or more.
#
# One would guess 1, as of 44 and of any runtime. What is computed at once for several numbers overflows; the few left at
# the end of a row are computed otherwise and are 1, so that the answer depends on the place: a row with the same number
# seventeen times holds both. Softplus of 89 is infinite at every place, sigmoid is right. Seen on an AMD EPYC with
# AVX-512; with AVX2 alone fewer numbers may be computed at once.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet opencv-python-headless==5.0.0.93 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END' 2>/dev/null
import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper
from onnxruntime import InferenceSession


def both(operator, x):
    shape = list(x.shape)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"])], "one", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, "one.onnx")
    net = cv2.dnn.readNetFromONNX("one.onnx")
    net.setInput(x)
    found = net.forward().ravel()
    right = InferenceSession("one.onnx", providers=["CPUExecutionProvider"]).run(None, {"x": x})[0].ravel()
    print(operator, "of", x.ravel()[0], "seventeen times: OpenCV", found, "onnxruntime", right[:1])
    return found, right


for number, wrong in ((44, 0), (45, 16), (1000, 16)):
    found, right = both("Tanh", np.full((1, 17), number, np.float32))
    assert (right == 1).all()
    assert np.isnan(found).sum() == wrong
    assert found[-1] == 1
found, right = both("Softplus", np.full((1, 17), 89, np.float32))
assert np.isinf(found).any()
assert (right == 89).all()
found, right = both("Sigmoid", np.full((1, 17), 89, np.float32))
assert (found == right).all()
END
