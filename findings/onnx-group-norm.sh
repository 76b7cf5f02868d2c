#!/usr/bin/env bash
# onnx 1.23.2 and onnxruntime 1.32.0: GroupNormalization of 3,000 and 3,001 is −158 and 158 instead of −1 and 1.
#
# One would guess what InstanceNormalization gives, which is the same thing if each channel is a group, and −1 and 1 is
# what it gives. GroupNormalization takes the variance as the mean of the squares less the square of the mean, which in
# 32 bits is 0 here; the standard defines it so, by other operators, and onnx's reference follows. Levels of 12-bit
# images, years or counts meet this wherever they are normalised before they are scaled.

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


def normalised(operator, x, **attributes):
    one = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("scale", "shift")]
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape), *one]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, x.shape)
    node = helper.make_node(operator, ["x", "scale", "shift"], ["y"], **attributes)
    graph = helper.make_graph([node], "one", given, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    values = {"x": x, "scale": np.ones(1, np.float32), "shift": np.zeros(1, np.float32)}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, values)[0], ReferenceEvaluator(model).run(None, values)[0]
    return [[round(float(y), 2) for y in both.ravel()[:2]] for both in found]


for low in (100, 3000):
    image = (low + np.arange(64) % 2).reshape(1, 1, 8, 8).astype(np.float32)
    group, reference = normalised("GroupNormalization", image, num_groups=1)
    instance, _ = normalised("InstanceNormalization", image)
    print(low, low + 1, "by group", group, "reference", reference, "by instance", instance)
    expected = [-1, 1] if low == 100 else [-158.11, 158.11]
    np.testing.assert_allclose(group, expected)
    np.testing.assert_allclose(reference, expected)
    np.testing.assert_allclose(instance, [-1, 1])
END
