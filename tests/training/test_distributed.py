"""Several processes against one: the same weights, the same early end, the same after a crash; and how they end."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV

from narrows import (
    IWAE,
    VAE,
    VQVAE,
    WAE,
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    NoisyAutoencoder,
    SparseAutoencoder,
    sweep,
)
from narrows.data import on_disk
from narrows.models.model import Batch
from narrows.models.nets import initialise
from narrows.scaling import Scaling
from narrows.training import starting
from narrows.training.distributed import Processes
from processes import is_alive

RNG = np.random.default_rng(0)
X, IMAGES = RNG.random((101, 6)), RNG.random((45, 16, 16))
OPTIONS = {"epochs": 4, "batch_size": 16, "random_state": 0, "prior": "normal"}

KINDS = {
    "plain": (Autoencoder, {}),
    "masking": (Autoencoder, {"corruption": "masking", "input_noise": 0.4}),
    "pepper": (Autoencoder, {"corruption": "salt-and-pepper", "input_noise": 0.4}),
    "block": (Autoencoder, {"corruption": "block", "input_noise": 0.4}),
    "pairs": (DenoisingAutoencoder, {}),
    "pairs with noise on top": (DenoisingAutoencoder, {"input_noise": 0.2}),
    "noisy": (NoisyAutoencoder, {}),
    "contractive": (ContractiveAutoencoder, {}),
    "vae": (VAE, {"warm_up": 0.5}),
    "iwae": (IWAE, {"k": 3}),
}


def weights(estimator):
    return torch.cat([tensor.flatten() for tensor in estimator.model_.state_dict().values()]).numpy()


def one_of(size, rank):
    return Processes(SimpleNamespace(global_rank=rank, world_size=size), local=size)


@given(n=st.integers(1, 40), size=st.integers(1, 6))
@settings(deadline=None, max_examples=50)
def test_parts_are_a_partition(n, size):
    parts = [one_of(size, rank) for rank in range(size)]
    mine = [(part.share(torch.arange(n)).numpy(), part.weight) for part in parts]
    assert np.concatenate([rows for rows, weight in mine if weight]).tolist() == list(range(n))
    assert all(len(rows) for rows, _ in mine)
    assert max(len(rows) for rows, _ in mine) == -(-n // size)


@pytest.mark.parametrize("kind", KINDS)
@given(n=st.integers(1, 9), size=st.integers(1, 4))
@settings(deadline=None, max_examples=8)
def test_the_mean_over_parts_is_that_of_the_whole_batch(kind, n, size):
    """Loss and gradients, with the noise that one process would draw, also of the draws after it."""
    estimator, options = KINDS[kind]
    estimator = estimator(2, hidden=(5,), **options)
    model = estimator.build((6,), 0, Scaling.fit(X, "global"))
    initialise(model, torch.Generator().manual_seed(0))
    x, objective = torch.from_numpy(X[:n]).float(), estimator.objective()

    def gradients(loss):
        model.zero_grad()
        loss.backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    generators = [torch.Generator().manual_seed(1) for _ in range(size + 1)]
    batch = Batch(x, None, x.flip(1) if kind.startswith("pairs") else None)
    loss = objective(model, batch, generators[-1], 0.25).mean()
    expected = gradients(loss)
    losses, parts = [], []
    for rank in range(size):
        process = one_of(size, rank)
        part = batch.take(process.share(torch.arange(n)))
        losses.append(process.shared(objective)(model, part, generators[rank], 0.25).mean())
        parts.append(gradients(losses[-1]))
    torch.testing.assert_close(torch.stack(losses).mean(), loss)
    torch.testing.assert_close(torch.stack(parts).mean(0), expected, rtol=1e-4, atol=1e-6)
    assert len({torch.rand(1, generator=generator).item() for generator in generators}) == 1


@pytest.mark.parametrize(
    "estimator", [SparseAutoencoder(), WAE(), VQVAE(), VAE(free_bits=0.1)], ids=lambda e: type(e).__name__
)
def test_what_looks_at_a_whole_batch_is_refused(estimator):
    with pytest.raises(ValueError, match=r"devices and nodes must be 1 for .* looks at each batch as a whole"):
        estimator.set_params(devices=2).fit(X)


def test_what_is_missing_is_named(monkeypatch):
    with pytest.raises(ValueError, match="nodes=2 needs MASTER_ADDR, MASTER_PORT, NODE_RANK"):
        Autoencoder(2, nodes=2).fit(X)
    with pytest.raises(ValueError, match="devices=0 must be"):
        Autoencoder(2, devices=0).fit(X)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "lightning_fabric" else found(name))
    with pytest.raises(ValueError, match=re.escape("pip install 'narrows[distributed]'")):
        Autoencoder(2, devices=2).fit(X)


def test_what_cannot_be_sent_is_named():
    class Local(torch.nn.Linear):
        pass

    with pytest.raises(TypeError, match="cannot be sent to another process"):
        Autoencoder(2, devices=2, net=(Local(6, 2), Local(2, 6)), **OPTIONS).fit(X)


def test_one_process_needs_no_fabric(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)  # importing it would be an error
    Autoencoder(2, **OPTIONS).fit(X)


def test_torchrun_must_have_started_as_many(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "a")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(
        ValueError, match="devices=3, nodes=1 does not match what torchrun has started: 2 processes in all"
    ):
        Autoencoder(2, devices=3).fit(X)


@pytest.fixture
def others(monkeypatch):
    """The processes that were started."""
    found, start = [], starting._Other.start
    monkeypatch.setattr(starting._Other, "start", lambda *a: found.append(start(*a)) or found[-1])
    return found


def assert_as_one(several, one):
    """Assert that weights are the same within 1e-5, but for a few whose gradient is rounding alone at first."""
    apart = np.abs(several - one)
    assert (apart > 1e-5).mean() < 1e-4
    assert apart.max() < 1e-3  # Adam makes whole steps of such


@pytest.mark.slow
def test_images_on_disk_of_which_each_process_reads_its_part(monkeypatch, others):
    """Of a file without a name, which is handed on open; rank 0 reads the first half of every batch."""
    monkeypatch.setattr(on_disk, "LARGE", 0)
    images = (IMAGES * 255).astype(np.uint8)
    X = on_disk.collect(iter(images), len(images), images.shape[1:], np.uint8)
    one = VAE(3, **OPTIONS).fit(X)
    read, get = [], on_disk.OnDisk.__getitem__
    monkeypatch.setattr(on_disk.OnDisk, "__getitem__", lambda self, key: read.append(len(key)) or get(self, key))
    two = VAE(3, devices=2, **OPTIONS)
    sizes = []
    for step in two.fit_steps(X):
        sizes += read[-1:] if not step.row else []
        read.clear()
    assert_as_one(weights(two), weights(one))
    assert sizes == [8, 8] * 4  # of batches of 16, 16 and 9
    assert others[0].process.returncode is not None


@pytest.mark.slow
def test_a_process_that_dies_ends_all_with_an_error(others):
    model = Autoencoder(2, devices=2, **OPTIONS)
    steps = model.fit_steps(X)
    next(step for step in steps if step.row)
    others[0].process.kill()
    with pytest.raises(ChildProcessError, match="training in 2 processes: process 1 was killed by signal 9"):
        list(steps)
    assert model.n_iter_ == 1  # what was learned is kept
    assert not torch.distributed.is_initialized()


@pytest.mark.slow
def test_a_process_that_cannot_begin_is_quoted(monkeypatch):
    """Its nets stand in a module that is not there for it."""
    module = ModuleType("only_here")
    exec("import torch\nclass Mine(torch.nn.Linear): pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    with pytest.raises(ChildProcessError, match=r"process 1 ended with code 1: ModuleNotFoundError: .*'only_here'"):
        Autoencoder(2, devices=2, net=(module.Mine(6, 2), module.Mine(2, 6)), **OPTIONS).fit(X)


TORCHRUN = """
import json, os, sys
import numpy as np
from narrows import Autoencoder, VAE
from narrows.training.checkpoint import Checkpoint
X, IMAGES, folder = np.load(sys.argv[1]), np.load(sys.argv[2]), sys.argv[3]
rank, wrote, write = os.environ["RANK"], [], Checkpoint.write
Checkpoint.write = lambda self, *a: wrote.append(1) or write(self, *a)
options = dict(json.loads(sys.argv[4]), devices=2)
early = dict(options, epochs=60, learning_rate=0.1, patience=2)
models = [
    VAE(2, **options).fit(X, checkpoint=folder + "/a"), VAE(3, **options).fit(IMAGES), Autoencoder(2, **early).fit(X),
    Autoencoder(2, **dict(options, random_state=None)).fit(X),
]
for i, model in enumerate(models):
    model.save(f"{folder}/{rank}-{i}.safetensors")
    values = np.concatenate([t.numpy().ravel() for t in model.model_.state_dict().values()])
    np.save(f"{folder}/{rank}-{i}.npy", values)
    open(f"{folder}/{rank}-{i}.epochs", "w").write(str(model.n_iter_))
open(f"{folder}/{rank}.wrote", "w").write(str(len(wrote)))
sys.argv = "narrows train digits --latent-dim 2 --epochs 2 --devices 2 --out".split() + [folder + "/run"]
from narrows.cli import main
main()
"""


@pytest.mark.slow
def test_under_torchrun_all_have_the_same_weights_and_those_of_one_process(tmp_path):
    """One of the two writes and prints, also of the command line."""
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "images.npy", IMAGES)
    (tmp_path / "script.py").write_text(TORCHRUN)
    options = OPTIONS | {"batch_size": 15}  # which two processes share unequally
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [tmp_path / name for name in ("script.py", "x.npy", "images.npy", "")] + [json.dumps(options)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    early = options | {"epochs": 60, "learning_rate": 0.1, "patience": 2}
    alone = [VAE(2, **options).fit(X), VAE(3, **options).fit(IMAGES), Autoencoder(2, **early).fit(X), None]
    for i, one in enumerate(alone):
        first, second = (np.load(tmp_path / f"{rank}-{i}.npy") for rank in (0, 1))
        np.testing.assert_array_equal(first, second)
        if i < 2:
            assert_as_one(first, weights(one))
    epochs = {int((tmp_path / f"{rank}-2.epochs").read_text()) for rank in (0, 1)}
    assert epochs == {alone[2].n_iter_}
    assert epochs < {*range(60)}
    assert [int((tmp_path / f"{rank}.wrote").read_text()) for rank in (0, 1)] == [1, 0]
    assert done.stdout.count("digits: 1,797 examples") == done.stdout.count("Written:") == 1
    assert [path.name for path in tmp_path.glob("run*")] == ["run"]


RESUMED = """
import sys
import numpy as np
from narrows import VAE
from narrows.training.checkpoint import Checkpoint
Checkpoint.due = True
model = VAE(2, **{options}, devices=2)
for step in model.fit_steps(np.load(sys.argv[1]), checkpoint=sys.argv[2]):
    print(step.step, flush=True)
    if step.step == 9:
        sys.stdin.read()  # and is killed meanwhile
np.save(sys.argv[3], np.concatenate([t.numpy().ravel() for t in model.model_.state_dict().values()]))
"""


@pytest.mark.slow
def test_killed_and_gone_on_with_it_ends_the_same(tmp_path):
    """A script without a guard; the first process is killed, and the other ends with it."""
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "script.py").write_text(RESUMED.format(options=OPTIONS))
    command = [
        sys.executable,
        tmp_path / "script.py",
        tmp_path / "x.npy",
        tmp_path / "checkpoint",
        tmp_path / "out.npy",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert "9\n" in process.stdout
        (other,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    until = time.monotonic() + 90
    while is_alive(other):
        assert time.monotonic() < until
        time.sleep(0.05)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout.split()[0]) == 10
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), weights(VAE(2, **OPTIONS, devices=2).fit(X)))


@pytest.mark.slow
def test_ctrl_c_ends_all_and_keeps_what_was_learned(tmp_path):
    command = [sys.executable, "-m", "narrows", "train", "digits", "--devices", "2", "--epochs", "500"]
    command += ["--out", str(tmp_path / "run"), "--option", "prior=normal"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as p:
        for line in p.stderr:
            if "epoch 1/500" not in line and "epoch " in line:
                break
        os.killpg(p.pid, signal.SIGINT)  # as a terminal does, to all
        said = p.stderr.read()
    assert p.returncode == 130
    assert "Interrupted: what was trained until then is kept" in said
    assert "Traceback" not in said
    assert (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.slow
def test_grid_search_and_sweeps_in_processes_find_the_same():
    grid = {"latent_dim": [1, 2], "input_noise": [0.0, 0.1]}
    searches = [
        GridSearchCV(Autoencoder(hidden=(5,), **OPTIONS), grid, cv=2, n_jobs=n_jobs).fit(X) for n_jobs in (1, 2)
    ]
    first, second = (search.cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_array_equal(first, second)
    assert len(set(first)) == 4
    np.testing.assert_array_equal(*(weights(search.best_estimator_) for search in searches))
    options = {"hidden": (5,), "epochs": 2}
    many = Parallel(n_jobs=2)(delayed(sweep)(X, latent_dims=(d,), **options) for d in (1, 2))
    for d, result in zip((1, 2), many, strict=True):
        here = sweep(X, latent_dims=(d,), **options)
        np.testing.assert_array_equal(weights(result.models[d]), weights(here.models[d]))
