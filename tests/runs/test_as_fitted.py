"""Whatever is written, drawn or shown of a model is of the model as it was fitted, whatever its options are now."""

import json
from pathlib import Path

import numpy as np
import pytest

from narrows import VAE
from narrows.data.dataset import Dataset
from narrows.runs import anomalies, evaluations, making, using, writing
from narrows.sweeps import Sweep
from narrows.web.entry import Entry
from narrows.web.library import Library
from narrows.web.server import answer

X = np.random.default_rng(0).random((60, 3, 3))
Y = np.arange(60) % 2
DATA = Dataset("noise", X, Y)

RUNS = {
    "report": lambda model, out: evaluations.evaluate(model, fresh(), out, model=Path("m"), data="noise"),
    "reconstruct": lambda model, out: using.reconstruct(model, DATA, out, files=True),
    "denoise": lambda model, out: using.denoise(model, DATA, out, add="gaussian"),
    "decode": lambda model, out: using.decode(model, Dataset("codes", np.ones((3, 2)), Y[:3]), out),
    "encode": lambda model, out: using.encode(model, DATA, out.with_suffix(".csv"), scores=True),
    "generate": lambda model, out: making.generate(model, 3, out=out),
    "generate a class": lambda model, out: making.generate(model, 3, "1", out=out),
    "like": lambda model, out: making.generate_like(model, DATA, n=3, out=out),
    "interpolate": lambda model, out: making.interpolate(model, DATA, steps=3, out=out),
    "anomalies": lambda model, out: anomalies.find_anomalies(model, DATA, out, false_alarms=0.2),
}

QUESTIONS = {
    "models": {},
    "plane": {},
    "group": {"rows": [1, 2]},
    "compare": {},
    "look": {"given": {"example": 1}},
    "noise": {"given": {"example": 1}},
    "units": {},
    "samples": {"n": 3, "label": "1"},
    "decode": {"codes": [[0.5, 1.0]], "label": "1"},
    "layers": {"given": {"example": 1}},
}


def fresh():
    return Dataset("noise", X + 0.01, Y)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("conditional", [False, True])
def test_options_of_now_change_nothing_that_is_made_of_a_fitted_model(conditional, tmp_path):
    model = VAE(2, hidden=(4,), epochs=1, conditional=conditional, random_state=0).fit(X, Y)
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        folder.mkdir()
        for name, write in RUNS.items():
            write(model, folder / name)
        library = Library([Entry("m", model, DATA, 60, ())])
        for name, given in QUESTIONS.items():
            question = {"id": 1, "ask": name} | ({} if name == "models" else {"model": "m"}) | given
            (folder / f"{name}.answer").write_bytes(answer(library, json.dumps(question)))
        model.set_params(latent_dim=99, conditional=not conditional, hidden=(7,), epochs=99, scaling="feature")
    one, other = contents(before), contents(after)
    assert len(one) > 40
    assert one.keys() == other.keys()
    assert [str(name) for name in one if one[name] != other[name]] == []


@pytest.mark.slow
def test_nor_of_a_sweep(tmp_path):
    result = Sweep(X, Y, model="VAE", latent_dims=(1, 2), hidden=(4,), epochs=1, conditional=True)
    for _ in result.run():
        pass
    for folder in (tmp_path / "before", tmp_path / "after"):
        folder.mkdir()
        writing.write_run(result, DATA, folder)
        evaluations.evaluate_run(result, DATA, folder)
        for model in result.models.values():
            model.set_params(latent_dim=99, conditional=False, epochs=99)
    one, other = contents(tmp_path / "before"), contents(tmp_path / "after")
    assert [str(name) for name in one if one[name] != other[name]] == []
