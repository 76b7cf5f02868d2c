#!/usr/bin/env bash
# onnxruntime 1.32.0: the mean of a few million 32-bit numbers may be off by a hundredth of itself.
#
# One would guess the mean to six digits, as torch has it. The numbers are added up in 32 bits, one after the other;
# once the sum is large each is rounded to its last place, and always the same way where they are alike. So the global
# average of a dark image of 16 million pixels is about 1 % too bright, and the means of columns of a million numbers
# near 1,000 are nearly 1 % too high. Where the numbers vary about as much as they are large nothing is seen. Seen on
# an AMD EPYC with AVX-512; elsewhere more sums may run side by side, and the errors be others.

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


def excess(operator, x, **attributes):
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"], **attributes)],
        "one",
        [given],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return float(session.run(None, {"x": x})[0].ravel()[0] / x.mean(dtype=np.float64) - 1)


rng = np.random.default_rng(0)
dark = (rng.integers(0, 60, (1, 1, 4000, 4000)) / 255).astype(np.float32)
columns = np.full((1_000_000, 3), 1000.1, np.float32)
varied = rng.random((1, 1, 4000, 4000), dtype=np.float32)
seen = {
    "global average of a dark image": excess("GlobalAveragePool", dark),
    "mean of a million numbers near 1,000": excess("ReduceMean", columns, axes=[0]),
    "global average of all levels of grey": excess("GlobalAveragePool", varied),
}
for name, off in seen.items():
    print(f"{name}: {off:+.5%} off")

assert all(abs(off) > 0.004 for off in list(seen.values())[:2])
assert abs(list(seen.values())[2]) < 1e-4
END
