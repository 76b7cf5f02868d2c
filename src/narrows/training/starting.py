"""Starting the processes that train one model, and ending them.

Whoever calls `fit` is one of them, and sees every step. The others are new interpreters, so that neither a script is
run again, as by starting it once more, nor a process with threads forked; or ``torchrun`` has started all of them.
Lightning Fabric, which joins them, is imported only here.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import mmap
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import torch

from narrows.training.distributed import ALONE, Alone, Processes

if TYPE_CHECKING:
    from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment

__all__ = ["Job", "leads", "together", "work"]

WORK = "from narrows.training.starting import work; work()"

Job = Callable[[Processes], None]
"""What a started process does as one of the processes it is given."""


def leads(devices: int, nodes: int) -> bool:
    """Say whether this process is the one, of all, that writes and prints."""
    if devices * nodes == 1:
        return True
    environment = _environment(devices, nodes)
    return not environment.node_rank() and not environment.local_rank()


@contextmanager
def together(devices: int, nodes: int, job: Job) -> Iterator[Alone | Processes]:
    """Join ``devices`` processes on each of ``nodes`` machines, and part with them at the end.

    Under ``torchrun`` all are there already. Else this one starts those on its machine, which do ``job``; on several
    machines the same is called on each, with ``NODE_RANK``, ``MASTER_ADDR`` and ``MASTER_PORT`` set.

    Raises
    ------
    ValueError
        If Lightning Fabric is not installed, or these are not as many as ``torchrun`` has started.
    TypeError
        If ``job`` cannot be sent to another process.
    ChildProcessError
        If another process has ended; what it said is in the message.
    """
    if devices * nodes == 1:
        yield ALONE
        return
    environment = _environment(devices, nodes)
    if environment.creates_processes_externally:
        yield _join(environment, devices, nodes)
        return
    message, files = _packed(devices, nodes, job)
    others = [_Other.start(rank, files) for rank in range(1, devices)]
    try:
        _give(others, message)
        # A port that is free now may not be so when the others have imported all that they need.
        address = {"MASTER_ADDR": environment.main_address, "MASTER_PORT": str(environment.main_port)}
        _send(others, pickle.dumps(address))
        with _environ(address | {"LOCAL_RANK": "0"}):
            processes = _join(environment, devices, nodes, local=devices)
        yield processes
    except (RuntimeError, ChildProcessError) as error:
        if ended := _ended(others):
            raise ended from error
        raise
    finally:
        for other in others:
            other.end()
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def work() -> None:
    """Do, in a started process, the job that comes through its standard input, and end with whoever sent it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which is for the one that started this
    devices, nodes, job = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    print("ready", flush=True)  # noqa: T201 - which that process waits for
    os.dup2(2, 1)
    os.environ |= pickle.load(sys.stdin.buffer)  # noqa: S301 - the same; where all meet
    threading.Thread(target=_end_with_the_other, daemon=True).start()
    job(_join(_environment(devices, nodes), devices, nodes, local=devices, kept=False))


def _end_with_the_other() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _environment(devices: int, nodes: int) -> ClusterEnvironment:
    """Return who starts the processes, and where they find each other."""
    if importlib.util.find_spec("lightning_fabric") is None:
        raise ValueError(
            f"devices={devices}, nodes={nodes} needs Lightning Fabric, which is not installed: "
            "pip install 'narrows[distributed]'"
        )
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    # Of weights whose axes have one entry, whose strides are as good in either order.
    warnings.filterwarnings("ignore", "Grad strides do not match", UserWarning)
    if TorchElasticEnvironment.detect():
        environment = TorchElasticEnvironment()
        if environment.world_size() != devices * nodes:
            raise ValueError(
                f"devices={devices}, nodes={nodes} does not match what torchrun has started: "
                f"{environment.world_size()} processes in all"
            )
        return environment
    missing = {"NODE_RANK", "MASTER_ADDR", "MASTER_PORT"} - set(os.environ)
    if nodes > 1 and missing:
        raise ValueError(
            f"nodes={nodes} needs {', '.join(sorted(missing))} in the environment of each machine: its number "
            "from 0, and the address and a free port of the first; or use torchrun"
        )
    return LightningEnvironment()


def _join(environment: ClusterEnvironment, devices: int, nodes: int, *, local: int = 1, kept: bool = True) -> Processes:
    from lightning_fabric import Fabric
    from lightning_fabric.strategies.ddp import DDPStrategy

    threads = torch.get_num_threads()
    strategy = DDPStrategy(cluster_environment=environment)
    fabric = Fabric(accelerator="cpu", devices=devices, num_nodes=nodes, strategy=strategy)
    with _environ({"OMP_NUM_THREADS": str(threads)}):  # or Fabric would choose it
        fabric.launch()
    return Processes(fabric, local, kept)


@contextmanager
def _environ(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment inside."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@dataclass(frozen=True, slots=True)
class _Other:
    """A process started here, and a file with what it says if it fails."""

    process: subprocess.Popen[bytes]
    said: IO[bytes]

    @classmethod
    def start(cls, rank: int, files: Sequence[int]) -> _Other:
        own = {"LOCAL_RANK": str(rank), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        process = subprocess.Popen(  # noqa: S603 - this interpreter, and a line written above
            [sys.executable, "-c", WORK],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={**os.environ, **own},
            pass_fds=files,
        )
        return cls(process, said)

    def end(self) -> None:
        """Kill it: what it knows, the first process knows."""
        self.process.kill()
        with suppress(BrokenPipeError), self.process:
            pass
        self.said.close()


def _give(others: Sequence[_Other], message: bytes) -> None:
    """Send all the ``message``, and wait until they have read it."""
    _send(others, message)
    for other in others:
        assert other.process.stdout is not None
        if other.process.stdout.readline() != b"ready\n":
            raise ChildProcessError("another process of this training could not start")


def _send(others: Sequence[_Other], message: bytes) -> None:
    for other in others:
        assert other.process.stdin is not None
        with suppress(BrokenPipeError):  # of one that has ended, as is seen next
            other.process.stdin.write(message)
            other.process.stdin.flush()


def _packed(devices: int, nodes: int, job: Job) -> tuple[bytes, list[int]]:
    """Return the message to the other processes, and the open files that they need."""
    message = io.BytesIO()
    pickler = _Pickler(message)
    try:
        pickler.dump((devices, nodes, job))
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise TypeError(
            f"devices={devices}: the data or an option cannot be sent to another process ({error}); "
            "take arrays, .npy files or folders of images, and nets whose classes are defined in a module"
        ) from error
    return message.getvalue(), pickler.files  # a view would be in the way when both are collected


def _ended(others: Sequence[_Other]) -> ChildProcessError | None:
    """Return an error that says which of the ``others`` have ended, and how; None if none has."""
    endings = []
    for number, other in enumerate(others, 1):
        with suppress(subprocess.TimeoutExpired):
            code = other.process.wait(timeout=3)
            other.said.seek(0)
            lines = other.said.read().decode(errors="replace").strip().splitlines()
            how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            endings.append(f"process {number} {how}" + (f": {lines[-1]}" if lines else ""))
    return ChildProcessError(f"training in {len(others) + 1} processes: {'; '.join(endings)}") if endings else None


class _Pickler(pickle.Pickler):
    """Hands on files, not what is in them: open ones by their numbers, which `files` lists, mapped arrays by path."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.files: list[int] = []

    def reducer_override(self, thing: Any) -> Any:
        """Return how ``thing`` is made again."""
        if isinstance(thing, np.memmap) and isinstance(thing.base, mmap.mmap) and thing.filename:
            order = "C" if thing.flags.c_contiguous else "F"
            return np.memmap, (thing.filename, thing.dtype, "r", thing.offset, thing.shape, order)
        if not isinstance(thing, type) and callable(getattr(thing, "fileno", None)):
            self.files.append(thing.fileno())
            return _opened, (type(thing), thing.fileno())
        return NotImplemented


def _opened(kind: Callable[[IO[bytes]], Any], number: int) -> Any:
    return kind(os.fdopen(number, "rb"))
