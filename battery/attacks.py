"""Hostile clients of the service and of the explorer: slow ones, those that say too much, and those from elsewhere.

Both are real servers in processes of their own. Whether something was read outside of what is served is seen by a
file there whose content no answer may hold.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import random
import re
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from battery.row import ROOT, Row
from narrows import Autoencoder

__all__ = ["rows"]

SLOW, ASKED, TRAVERSALS = 200, 200, 60

LONG, SHORT = 90.0, 12.0
"""Seconds to wait for what is sure to come, however busy the machine, and for what a twin without limits never does."""

SERVED = """
import sys
from pathlib import Path
from narrows.serving import server
models = sorted(map(str, Path(sys.argv[1]).parent.glob("*.safetensors")))
server.serve(models, lambda address: print(address, flush=True), port=0)
"""

EXPLORED = """
import sys
from pathlib import Path
from narrows.web.exploring import explore
explore([Path(sys.argv[1])], "digits", opened=lambda address: print(address, flush=True))
"""

PATIENT = "from narrows.serving import patience; patience.HEADER_SECONDS = 1000\n"
"""What a twin without a deadline does first."""

CARELESS = """
import os
from pathlib import Path
from starlette.responses import Response
from narrows.serving import bodies, guard, service
def leaky(self, request):
    path = Path(os.path.normpath("/static" + request.scope["path"]))
    return Response(path.read_bytes()) if path.is_file() else None
guard.Guard._of_elsewhere = leaky
bodies._check, bodies.MOST_BYTES_AT_ONCE = lambda *_: None, 2**40
service._read = lambda *_: 1 / 0
"""
"""What another twin does first: it lets anybody in, reads any file and any body, and fails at what it cannot read."""

EXAMPLE = load_digits().images[0].tolist()
BODY = json.dumps({"examples": [EXAMPLE]}).encode()
JSON = {"content-type": "application/json"}


@contextmanager
def server(script: str, model: Path) -> Iterator[str]:
    """Give the address that a server prints."""
    command = [sys.executable, "-c", script, str(model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip().removeprefix("http://")
            host = address.partition("/")[0]
            while script is SERVED and ask(host, "GET", "/health/ready")[0] != 200:
                time.sleep(0.05)
            yield address
        finally:
            process.kill()


def ask(
    host: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Return the status and the body of an answer; (0, b"") where the connection was closed without one."""
    with closing(http.client.HTTPConnection(host, timeout=LONG)) as connection:
        try:
            connection.putrequest(method, path, skip_host="host" in (headers or {}))
            for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.read()
        except (ConnectionError, http.client.HTTPException):
            return 0, b""


def ordinary(host: str, path: str = "/health/live") -> float:
    """Return the 99th percentile of ordinary requests' seconds."""
    took = []
    for _ in range(ASKED):
        began = time.perf_counter()
        assert ask(host, "GET", path)[0] in (200, 403)
        took.append(time.perf_counter() - began)
    return float(np.percentile(took, 99))


def slow(host: str, most: float = LONG) -> tuple[float, float, float]:
    """Return ordinary requests' seconds without and beside slow connections, and when the last of these was closed.

    That is infinite if it takes more than ``most`` seconds.
    """
    before = ordinary(host)
    began = time.monotonic()
    many = [socket.create_connection((host.split(":", maxsplit=1)[0], int(host.split(":")[1]))) for _ in range(SLOW)]
    for connection in many:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
    beside = ordinary(host)
    for connection in many:
        connection.settimeout(max(0.01, most - (time.monotonic() - began)))
        try:
            while connection.recv(4096):
                pass
        except TimeoutError:
            began = -math.inf
            break
        except ConnectionError:
            pass
    closed = time.monotonic() - began
    for connection in many:
        connection.close()
    return before, beside, closed


def long_body(host: str, path: str, headers: dict[str, str], most: float, *, chunked: bool) -> tuple[int, float, int]:
    """Return the status that answers a body of 225 MB, the seconds, and the MB that were taken from it before."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {225 * 10**6}"
    began, sent = time.monotonic(), 0
    name, port = host.split(":")
    with socket.create_connection((name, int(port)), timeout=most) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{head}{length}\r\n\r\n".encode())
        piece = bytes(10**6)
        try:
            while chunked and sent < 225 and not select.select([connection], [], [], 0)[0]:
                connection.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
                sent += 1
        except (ConnectionError, TimeoutError):
            pass
        try:
            found = connection.recv(4096)
        except (ConnectionError, TimeoutError):
            found = b""
    return int(found.split()[1]) if found else 0, time.monotonic() - began, sent


def traversals(canary: Path, rng: random.Random) -> list[str]:
    """Return spellings of a path from what is served to ``canary``."""
    dots = ["..", "%2e%2e", ".%2e", "%252e%252e", "..%00", "%c0%ae%c0%ae", "....", "..;"]
    slashes = ["/", "%2f", "%5c", "\\", "//", "%252f"]
    starts = ["/static/", "/", "/models/", "/static/shell/", "/static//", "/upload/"]
    inner = [part.strip("/") for part in (str(canary), "etc/passwd")]
    every = [
        start + (dot + slash) * 12 + slash.join(target.split("/"))
        for start in starts for dot in dots for slash in slashes for target in inner
    ]  # fmt: skip
    return [f"/static/{canary}", f"/static/%2f{canary}", f"/{canary}", *rng.sample(every, TRAVERSALS - 3)]


WRONG = {
    "invalid": b"{", "NaN": BODY.replace(b"0.0", b"NaN", 1), "1e999": BODY.replace(b"0.0", b"1e999", 1),
    "ragged": b'{"examples": [[[0],[0,1]]]}', "100,000 deep": b"[" * 100_000, "deep objects": b'{"a":' * 100_000,
    "5,000 digits": BODY.replace(b"0.0", b"1" * 5000, 1), "dimensions": b'{"examples": [[0, 1]]}', "empty": b"",
    "no object": b"[]", "text": BODY.replace(b"0.0", b'"0"', 1), "bytes": bytes(range(256)),
}  # fmt: skip


def elsewhere(host: str, path: str, own: dict[str, str]) -> list[tuple[str, int, tuple[int, ...]]]:
    """Return what comes of requests from elsewhere: told, the status, and which would be right."""

    def asked(**headers: str) -> int:
        return ask(host, "POST", path, BODY, {**JSON, **own, **headers})[0]

    return [
        ("wrong Host", asked(host="evil.example"), (421,)),
        ("no Host", ask(host, "POST", path, BODY, {**JSON, **own, "host": None})[0], (400, 421)),  # type: ignore[dict-item]
        ("foreign Origin", asked(origin="http://evil.example"), (403,)),
        ("null Origin", asked(origin="null"), (403,)),
        ("Origin of a like name", asked(origin=f"http://{host}.evil.example"), (403,)),
    ]


def service(model: Path, canary: Path, share: float) -> Iterator[Row]:
    """Yield what comes of attacks on the service, and on careless ones."""
    with server(SERVED, model) as host:
        yield from _slow_rows("serve", *slow(host))
        rows = list(_service_rows(host, canary, 10_000 * share))
        yield from rows
    # One of these twins is waited for while the other is attacked.
    with server(PATIENT + SERVED, model) as patient, server(CARELESS + SERVED, model) as host:
        with ThreadPoolExecutor(1) as aside:
            closing = aside.submit(slow, patient, SHORT)
            yield _caught_row("serve", list(_service_rows(host, canary, 20, told=False)))
        closed = closing.result()[2]
        told = "all closed" if closed < math.inf else f"not all closed in {SHORT:g} s"
        yield Row("serve: twin without a deadline: caught", told, "not all closed", closed == math.inf)


def _service_rows(host: str, canary: Path, requests: float, *, told: bool = True) -> Iterator[Row]:
    path = "/models/model/encode"
    most = LONG if told else SHORT
    yield from _long_rows("serve", host, path, {"Content-Type": "application/x-npy"}, most)
    statuses = {name: ask(host, "POST", path, body, JSON)[0] for name, body in WRONG.items()}
    wrong = {name: status for name, status in statuses.items() if status not in (400, 422)}
    yield Row("serve: JSON that is wrong", f"{len(statuses)}; others: {wrong or 'none'}", "400 or 422", not wrong)
    text = ask(host, "POST", path, BODY, {"content-type": "text/plain"})[0]
    yield _refused_row("serve", [*elsewhere(host, path, {}), ("type text", text, (415,))])
    yield _traversal_row("serve", host, canary, {})
    yield _fuzz_row(host, round(requests))
    yield _schema_row(host, round(requests), told=told)


def explorer(model: Path, canary: Path) -> Iterator[Row]:
    """Yield what comes of attacks on the explorer, and on a careless one."""
    with server(EXPLORED, model) as address:
        yield from _slow_rows("explore", *slow(address.partition("/")[0]))
        yield from _explorer_rows(address, canary)
    with server(CARELESS + EXPLORED, model) as address:
        yield _caught_row("explore", list(_explorer_rows(address, canary, SHORT)))


def _explorer_rows(address: str, canary: Path, most: float = LONG) -> Iterator[Row]:
    host, _, query = address.partition("/")
    path, own = "/upload?model=model", {"cookie": f"narrows-{host.rpartition(':')[2]}={query.partition('token=')[2]}"}
    yield from _long_rows("explore", host, path, own, most)
    socket = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", **own}
    socket["sec-websocket-key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    missing = ask(host, "GET", "/live", b"", socket)[0]
    found = [("no token", ask(host, "POST", path, BODY)[0], (403,)), ("WebSocket without Origin", missing, (403,))]
    yield _refused_row("explore", [*elsewhere(host, path, own), *found])
    yield _traversal_row("explore", host, canary, own)


def _caught_row(name: str, found: list[Row]) -> Row:
    """Return how many of the rows that a careless server makes are as bad as it is."""
    passed = [row.what for row in found if row.holds and not row.skipped]
    told = f"{sum(not row.holds for row in found)} of {len(found)}{', but not ' * bool(passed)}{'; '.join(passed)}"
    return Row(f"{name}: careless twin: caught by each of these", told, "all", not passed)


def _slow_rows(name: str, before: float, beside: float, closed: float) -> Iterator[Row]:
    yield Row(f"{name}: {SLOW} slow headers closed", f"{closed:.1f} s", "≤ 10 s", closed <= 10, timed=closed < math.inf)
    told, good = f"{1000 * before:.0f} → {1000 * beside:.0f} ms", beside <= 2 * max(before, 0.005)
    yield Row("— p99 of ordinary requests meanwhile", told, "≤ 2 ×, or 10 ms", good, timed=True)


def _long_rows(name: str, host: str, path: str, headers: dict[str, str], most: float) -> Iterator[Row]:
    for chunked in (False, True):
        status, seconds, sent = long_body(host, path, headers, most, chunked=chunked)
        told = f"{status} in {seconds:.1f} s, {sent} MB sent"
        good, kind = status == 413 and sent < 100, "in chunks" if chunked else "told"
        yield Row(f"{name}: 225 MB {kind}", told, "413, ≤ 5 s, < 100 MB", good and seconds <= 5, timed=good)


def _refused_row(name: str, found: list[tuple[str, int, tuple[int, ...]]]) -> Row:
    wrong = [f"{told}: {status}" for told, status, right in found if status not in right]
    return Row(f"{name}: from elsewhere", f"{len(found)}; let in: {', '.join(wrong) or 'none'}", "refused", not wrong)


def _traversal_row(name: str, host: str, canary: Path, own: dict[str, str]) -> Row:
    secret, read = canary.read_bytes(), Counter[int]()
    leaked = 0
    for path in traversals(canary, random.Random(0)):
        status, body = ask(host, "GET", path, b"", own)
        read[status] += 1
        leaked += secret in body or b"root:" in body
    told = f"{sum(read.values())}, leaked {leaked}; {dict(sorted(read.items()))}"
    return Row(f"{name}: spellings of paths outside", told, "0 leak", leaked == 0 and not read[500])


def _fuzz_row(host: str, count: int) -> Row:
    """Ask what the description's schemas allow, and what they do not, at random."""
    rng, statuses = random.Random(0), Counter[int]()
    paths = json.loads(ask(host, "GET", "/openapi.json")[1])["paths"]
    for _ in range(count):
        path = rng.choice(list(paths))
        method = rng.choice([*paths[path], *paths[path], "post", "put", "delete"]).upper()
        headers = {"content-type": rng.choice(["application/json"] * 5 + KINDS)}
        if rng.random() < 0.2:
            headers["accept"] = rng.choice(["*/*", "text/html", ",;,", *KINDS])
        body = json.dumps(_asked(rng)).encode() if rng.random() < 0.9 else rng.randbytes(rng.randrange(200))
        statuses[ask(host, method, path, body, headers)[0]] += 1
    bad = sum(number for status, number in statuses.items() if status == 0 or (status >= 500 and status != 503))
    told = f"{sum(statuses.values()):,}: {dict(sorted(statuses.items()))}"
    return Row("serve: requests at random over the OpenAPI", told, "no 5xx but 503", bad == 0 and statuses[200] > 0)


def _schema_row(host: str, count: int, *, told: bool) -> Row:
    """Ask what schemathesis derives from the description, where it is installed."""
    what, target = "serve: schemathesis over the OpenAPI", "no 5xx, all as described"
    if find_spec("schemathesis") is None:
        return Row(what, "not tried: not installed (pip install 'narrows[battery]')", target, holds=True, skipped=True)
    operations = sum(map(len, json.loads(ask(host, "GET", "/openapi.json")[1])["paths"].values()))
    each = max(1, count // operations)
    # What a schema cannot say, such as which bytes are an image, is refused though it fits the schema.
    options = ["--seed", "0", "--continue-on-failure", "--no-shrink", "--exclude-checks", "positive_data_acceptance"]
    options += ["--request-timeout", str(LONG), "--suppress-health-check", "too_slow"]
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://{host}/openapi.json", "-n", str(each)]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, check=False)
    cases = re.search(r"([\d,]+) generated, (.*)", done.stdout)
    if told and done.returncode:
        print(done.stdout[-5000:], file=sys.stderr)
    return Row(what, cases[0] if cases else done.stdout[-200:], target, cases is not None and done.returncode == 0)


KINDS = ["application/x-npy", "image/png", "x", "multipart/form-data; boundary=a"]


def _asked(rng: random.Random) -> dict[str, object]:
    """Return a body of which half is right."""
    codes = [[rng.gauss(0, 3) for _ in range(4)]]
    right: dict[str, object] = {"examples": [EXAMPLE] * rng.randrange(1, 3), "codes": codes, "n": 1, "seed": 0}
    names = rng.choice([["examples"], ["codes"], ["n", "seed"], rng.sample([*right, "label", "labels", "x"], 2)])
    return {name: right.get(name) if rng.random() < 0.7 else _value(rng) for name in names}


def _value(rng: random.Random, depth: int = 0) -> object:
    kind = rng.randrange(7 if depth < 3 else 5)
    if kind == 5:
        return [_value(rng, depth + 1) for _ in range(rng.choice([0, 1, 4, 8]))]
    if kind == 6:
        return {"x": _value(rng, depth + 1)}
    return [None, True, rng.randrange(-9, 10**6), rng.gauss(0, 1e30), "\ud800é"[kind % 2 :]][kind]


def rows(share: float) -> Iterator[Row]:
    """Yield what comes of attacks on both servers, and on a service without a deadline for headers."""
    from people import model_of_people, people

    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory() as name:
        model, canary = Path(name) / "model.safetensors", Path(name) / "canary"
        canary.write_text(secrets.token_hex(16))
        Autoencoder(4, epochs=2, random_state=0).fit(load_digits().images).save(model)
        model_of_people(people()).save(model.with_name("table.safetensors"))
        yield from service(model, canary, share)
        yield from explorer(model, canary)
