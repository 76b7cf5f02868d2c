"""ONNX files do what torch does in other runtimes than onnxruntime, by hand: they are large.

They want openvino and opencv-python-headless in the environment, or node and npm; ``-s`` shows the largest differences.
"""

import json
import shutil
import subprocess

import numpy as np
import pytest
from sklearn.base import clone

from members import MEMBERS, OF_IMAGES, SHAPES, data, labels
from narrows.export import TOLERANCE, to_onnx

CASES = [(name, "rows") for name in MEMBERS] + [(name, "odd") for name in OF_IMAGES] + [("vae", "colour")]
UNKNOWN = 99

ON_THE_WEB = """
import * as ort from "onnxruntime-web";
import fs from "fs";
ort.env.wasm.numThreads = 1;
const arrays = {float32: Float32Array, int64: BigInt64Array};
const found = [];
for (const {path, inputs} of JSON.parse(fs.readFileSync("jobs.json"))) {
  const session = await ort.InferenceSession.create(fs.readFileSync(path), {executionProviders: ["wasm"]});
  const given = {};
  for (const [name, {type, values, shape}] of Object.entries(inputs)) {
    const numbers = type === "int64" ? values.map(BigInt) : values;
    given[name] = new ort.Tensor(type, arrays[type].from(numbers), shape);
  }
  const output = (await session.run(given))[session.outputNames[0]];
  found.push({shape: output.dims, values: Array.from(output.data)});
}
fs.writeFileSync("found.json", JSON.stringify(found));  // of NaN it makes null
"""


def openvino(jobs, folder):  # noqa: ARG001 - one signature for all
    runtime = pytest.importorskip("openvino")
    core = runtime.Core()
    # Else in bfloat16 where the processor has it, 2e-3 from torch.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    return [np.array(core.compile_model(str(path), "CPU", exact)(inputs)[0]) for path, inputs in jobs]


def opencv(jobs, folder):  # noqa: ARG001
    cv2 = pytest.importorskip("cv2")
    found = []
    for path, inputs in jobs:
        net = cv2.dnn.readNetFromONNX(str(path))
        for name, values in inputs.items():
            net.setInput(values, name)
        found.append(net.forward())
    return found


def on_the_web(jobs, folder):
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs node and npm")
    (folder / "run.mjs").write_text(ON_THE_WEB)
    subprocess.run(["npm", "install", "--silent", "onnxruntime-web@1.30.0"], cwd=folder, check=True)
    listed = [
        {
            "path": str(path),
            "inputs": {
                name: {"type": str(values.dtype), "values": values.ravel().tolist(), "shape": values.shape}
                for name, values in inputs.items()
            },
        }
        for path, inputs in jobs
    ]
    (folder / "jobs.json").write_text(json.dumps(listed))
    subprocess.run(["node", "run.mjs"], cwd=folder, check=True)
    found = json.loads((folder / "found.json").read_text())
    return [np.array(one["values"], np.float64).reshape(one["shape"]) for one in found]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """Every member's three files with inputs, what torch makes of these, and in which units."""
    folder, made = tmp_path_factory.mktemp("files"), []
    for number, (name, kind) in enumerate(CASES):
        X = data(SHAPES[kind])
        y = labels(len(X))
        model = clone((MEMBERS | OF_IMAGES)[name]).fit(X, y)
        known = y if model.conditional else None
        files = to_onnx(model, folder / f"{number}.onnx", X, known)
        codes, scale = model.transform(X, known), model.scaling_.scale.reshape(X.shape[1:])
        restored, decoded = model.reconstruct(X, known), model.inverse_transform(codes, known)
        x = {"x": X[:7].astype(np.float32)}
        for path, inputs, expected, unit in (
            (files.whole, x, restored, scale),
            (files.encoder, x, codes, max(1.0, np.abs(codes).max())),
            (files.decoder, {"code": codes[:7]}, decoded, scale),
        ):
            given = inputs if known is None else inputs | {"y": y[:7].astype(np.int64)}
            made.append((f"{name}, {kind}, {path.stem}", path, given, expected[:7], unit))
    return made


@pytest.mark.by_hand
@pytest.mark.parametrize("runtime", [openvino, opencv, on_the_web])
def test_other_runtimes_do_what_torch_does(runtime, jobs, tmp_path):
    found = runtime([(path, inputs) for _, path, inputs, _, _ in jobs], tmp_path)
    differences = {
        name: np.abs((output - expected) / unit).max()
        for output, (name, *_, expected, unit) in zip(found, jobs, strict=True)
    }
    worst = max(differences, key=differences.__getitem__)
    print(f"{runtime.__name__}: at most {differences[worst]:.1e} from torch, of {worst}")
    assert {name: value for name, value in differences.items() if not value <= TOLERANCE} == {}

    conditional = [
        (path, {**inputs, "y": np.array([UNKNOWN, *inputs["y"][1:]])})
        for _, path, inputs, _, _ in jobs
        if "y" in inputs
    ]
    for output in runtime(conditional, tmp_path):
        np.testing.assert_array_equal(np.isnan(output).reshape(7, -1).all(1), [True] + 6 * [False])
