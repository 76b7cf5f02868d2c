"""Requests a second and their latency, beside a stock FastAPI handler in the same run: one torch call a request.

wrk (Debian: apt install wrk) asks for one example's code on 8 and on 64 connections, on the machine that serves. Both
servers are uvicorn with the same parser; the stock handler has the same checks, and neither logs requests. Then a
flood of 512 connections: how much the service's memory grows, and how long health takes to answer meanwhile.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from narrows import Autoencoder
from narrows.data import load_data

__all__ = ["main"]

SECONDS = 5

OURS = """
import logging, sys
from narrows.serving import server
def opened(address):
    logging.getLogger("narrows.serving").setLevel(logging.WARNING)
    print(address, flush=True)
server.serve([f"model={sys.argv[1]}"], opened, port=0)
"""

STOCK = """
import io, socket, sys
from typing import Annotated
import numpy as np, torch, uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field, FiniteFloat
from narrows import load
torch.set_num_threads(1)
fitted = load(sys.argv[1]).fitted_
app = FastAPI()
class Question(BaseModel):
    examples: Annotated[list[Annotated[list[Annotated[list[FiniteFloat], Field(min_length=8, max_length=8)]],
        Field(min_length=8, max_length=8)]], Field(min_length=1)]
def encoded(X):
    scaled = torch.from_numpy(fitted.scaling.apply(X.reshape(len(X), -1)))
    with torch.inference_mode():
        return fitted.model.encode(scaled, None).numpy()
if fitted.input_shape == (8, 8):
    @app.post("/models/model/encode")
    async def json(question: Question):
        return {"codes": encoded(np.array(question.examples)).tolist()}
else:
    @app.post("/models/model/encode")
    async def npy(request: Request):
        X = np.load(io.BytesIO(await request.body()), allow_pickle=False)
        if X.shape[1:] != fitted.input_shape or not np.isfinite(X).all():
            raise HTTPException(422)
        stream = io.BytesIO()
        np.save(stream, encoded(X))
        return Response(stream.getvalue(), media_type="application/x-npy")
listener = socket.create_server(("127.0.0.1", 0))
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as uvicorn opens one itself
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([listener])
"""


@contextmanager
def served(script: str, model: Path) -> Iterator[tuple[str, int]]:
    """Give the address and the number of a server's process."""
    process = subprocess.Popen([sys.executable, "-c", script, str(model)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        while script is OURS and get(address, "/health/ready")[0] != 200:
            time.sleep(0.05)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def get(address: str, path: str) -> tuple[int, float]:
    """Return the status of a request and the seconds that it took."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, time.perf_counter() - began


def wrk(address: str, script: Path, connections: int, seconds: int = SECONDS) -> str:
    """Return what wrk says."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", str(script)]
    done = subprocess.run(
        [*command, f"{address}/models/model/encode"], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


def figures(told: str) -> tuple[float, float, int]:
    """Return requests a second, the 99th percentile in milliseconds, and how many were not answered by 200."""
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", told)[0])
    number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", told)[0]
    lost = sum(
        int(found) for line in re.findall(r"(?:Socket errors|Non-2xx).*", told) for found in re.findall(r" (\d+)", line)
    )
    return rate, float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit], lost


def request(folder: Path, name: str, X: np.ndarray) -> Path:
    """Write the script that makes wrk send ``X``, as JSON or as .npy."""
    body, kind = json.dumps({"examples": X.tolist()}).encode(), "application/json"
    if name == "npy":
        stream = io.BytesIO()
        np.save(stream, X)
        body, kind = stream.getvalue(), "application/x-npy"
    path = folder / f"{name}.lua"
    text = "".join(f"\\{byte:03d}" for byte in body)
    path.write_text(
        f'wrk.method = "POST"\nwrk.body = "{text}"\n'
        f'wrk.headers["Content-Type"] = "{kind}"\nwrk.headers["Accept"] = "{kind}"\n'
    )
    return path


def resident(process: int) -> float:
    """Return a process's memory in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def flood(address: str, process: int, script: Path) -> None:
    """Print how much memory grows, and how long health takes, while 512 connections ask."""
    before, took = resident(process), []
    with subprocess.Popen(
        ["wrk", "-t1", "-c512", f"-d{SECONDS}", "-s", str(script), f"{address}/models/model/encode"],
        stdout=subprocess.DEVNULL,
    ) as asking:
        grown = 0.0
        while asking.poll() is None:
            took.append(get(address, "/health/live")[1])
            grown = max(grown, resident(process) - before)
            time.sleep(0.05)
    p50, p99 = 1000 * np.percentile(took, (50, 99))
    print(f"flood: memory + {grown:.0f} MB; health p50 {p50:.0f} ms, p99 {p99:.0f} ms", flush=True)


def main() -> None:
    """Print a row for each model, server and number of connections."""
    if shutil.which("wrk") is None:
        print("wrk is needed: apt install wrk", file=sys.stderr)
        return
    cpu = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print(f"{cpu[0] if cpu else 'unknown processor'}, {os.cpu_count()} cores, wrk beside the server\n")
    digits, images = load_data("digits").X, np.random.default_rng(0).random((64, 28, 28), np.float32)
    print("| model | as | server | connections | requests a second | p99, ms | lost |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for told, kind, X, estimator in (
            ("dense, digits 8×8, d = 8", "JSON", digits, Autoencoder(8, epochs=2, random_state=0)),
            (
                "convolutional, 28×28, d = 8",
                "npy",
                images,
                Autoencoder(8, net="convolutional", epochs=1, random_state=0),
            ),
        ):
            model = folder / f"{kind}.safetensors"
            estimator.fit(X).save(model)
            script = request(folder, kind, X[:1])
            for server, code in (("stock", STOCK), ("narrows", OURS)):
                with served(code, model) as (address, process):
                    wrk(address, script, 8, 1)
                    for connections in (8, 64):
                        rate, p99, lost = figures(wrk(address, script, connections))
                        print(
                            f"| {told} | {kind} | {server} | {connections} | {rate:,.0f} | {p99:.1f} | {lost} |",
                            flush=True,
                        )
                    if server == "narrows":
                        flood(address, process, script)


if __name__ == "__main__":
    main()
