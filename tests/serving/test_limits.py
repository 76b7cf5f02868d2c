"""A real server's limits on headers, bodies and time; and its end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest

from narrows.serving import bodies, patience
from narrows.serving.images import MOST_BYTES
from serving.conftest import DIGITS, until

BODY = json.dumps({"examples": DIGITS[:1].tolist()})


@pytest.fixture
def dial(running):
    """Open a connection, which is closed at the end."""
    opened = []

    def dialled(start=b""):
        host, port = running[1].split(":")
        connection = socket.create_connection((host, int(port)), timeout=90)
        opened.append(connection)
        connection.sendall(start)
        return connection

    yield dialled
    for connection in opened:
        connection.close()


def said(connection):
    """All that is answered until the connection is closed: the status, or nothing, and the rest."""
    found = b""
    while piece := _received(connection):
        found += piece
    return (int(found.split()[1]) if found else None), found


def _received(connection):
    try:
        return connection.recv(2**16)
    except ConnectionResetError:
        return b""


def head(address, length, path="/models/digits/encode", kind="application/json"):
    lines = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\n"
    return f"{lines}{length}\r\n\r\n".encode()


def ask(address, body=BODY, path="/models/digits/encode"):
    connection = http.client.HTTPConnection(address, timeout=90)
    connection.request("POST", path, body, {"content-type": "application/json"})
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


def health(address, path="/health/live"):
    with closing(http.client.HTTPConnection(address, timeout=90)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def is_alive(address):
    return health(address) == 200


def test_many_requests_on_one_connection(running):
    connection = http.client.HTTPConnection(running[1], timeout=90)
    for path in ("/health/live", "/models", "/nothing", "/health/ready"):
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.read()
        assert response.status == (404 if path == "/nothing" else 200)
        connection.request("POST", "/models/digits/encode", BODY, {"content-type": "application/json"})
        response = connection.getresponse()
        assert "codes" in json.loads(response.read())
    connection.close()


def test_a_header_in_pieces_and_requests_in_one_packet(running, dial):
    whole = head(running[1], f"Content-Length: {len(BODY)}\r\nConnection: close") + BODY.encode()
    connection = dial()
    for start in range(0, len(whole), 37):
        connection.sendall(whole[start : start + 37])
    assert said(connection)[0] == 200
    status, found = said(dial(whole.replace(b"Connection: close", b"X-Other: 1") + whole))
    assert status == 200
    assert found.count(b"HTTP/1.1 200") == 2


def test_a_long_header_is_431(running, dial):
    fill = b"X-Fill: " + b"x" * patience.MOST_HEADER_BYTES
    for start in (b"GET / HTTP/1.1\r\n" + fill, b"GET / HTTP/1.1\r\n" + fill + b"\r\n\r\n", b"GET /" + fill):
        status, found = said(dial(start))
        assert status == 431
        assert b"error" in found
    assert is_alive(running[1])


def test_slow_headers_are_cut_off(running, dial, monkeypatch):
    """The second on a connection has its time from its first byte on, so that no pause of ours can come before it."""
    whole = f"GET /health/live HTTP/1.1\r\nHost: {running[1]}\r\n\r\n".encode()
    many = [dial(whole) for _ in range(100)]
    for connection in many:
        assert connection.recv(2**16).startswith(b"HTTP/1.1 200")
    refused = running[0].metrics.refused
    before = refused[408]
    with monkeypatch.context() as patch:
        patch.setattr(patience, "HEADER_SECONDS", 0.2)
        assert said(dial())[0] is None  # who has said nothing is told nothing
        for connection in many:
            connection.sendall(whole[:-2])
        assert {said(connection)[0] for connection in many} == {408}
    assert is_alive(running[1])
    assert refused[408] == before + 101


def test_slow_bodies_are_408(running, dial, monkeypatch):
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)
    assert said(dial(head(running[1], "Content-Length: 1000") + b"{"))[0] == 408
    assert said(dial(head(running[1], "Transfer-Encoding: chunked") + b"1\r\n{\r\n"))[0] == 408


@pytest.mark.parametrize("chunked", [False, True])
def test_long_bodies_are_413_before_they_are_read(running, dial, monkeypatch, chunked):
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {225 * 10**6}"
    connection = dial(head(running[1], length, kind="application/x-npy"))
    if chunked:
        monkeypatch.setattr("narrows.serving.refusal.LINGER_SECONDS", 90)  # however slowly the rest is sent
        size = MOST_BYTES // 8
        for _ in range(9):
            connection.sendall(b"%x\r\n" % size + bytes(size) + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
    assert said(connection)[0] == 413
    until(lambda: running[0].bodies.bytes == 0)


def test_who_does_not_read_is_cut_off(running, dial, monkeypatch):
    monkeypatch.setattr(patience, "WRITE_SECONDS", 0.1)
    connections = running[2].server_state.connections
    until(lambda: not connections)
    wish = b'{"n": 1000}'
    connection = dial()
    until(lambda: connections)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asked = head(running[1], f"Content-Length: {len(wish)}", "/models/digits/sample") + wish
    connection.sendall(asked * 20)
    until(lambda: not connections)


def test_who_goes_frees_the_place(running, dial):
    service, address, _ = running
    go = threading.Event()
    service.batcher._pool.submit(go.wait, 90)
    try:
        asked = head(address, f"Content-Length: {len(BODY)}", "/models/digits/score")
        connection = dial(asked + BODY.encode())
        until(lambda: service.batcher.waiting == 1)
        connection.close()
        until(lambda: service.batcher.waiting == 0)
    finally:
        go.set()
    assert ask(address)[0] == 200


def test_a_flood_loses_nothing_and_leaves_health(running, monkeypatch):
    """Each is answered, or told to try again; what is answered is right; what is asked of health meanwhile is, too."""
    service, address, _ = running
    monkeypatch.setattr("narrows.serving.batching.MOST_WAITING", 4)
    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda _: ask(address), range(300)))
        assert is_alive(address)
    statuses = {status for status, _ in found}
    assert statuses <= {200, 503}
    assert 200 in statuses
    wanted = service.models["digits"].estimator.transform(DIGITS[:1])
    for status, answer in found:
        if status == 200:
            np.testing.assert_allclose(answer["codes"], wanted, atol=1e-4)
    until(lambda: (service.batcher.waiting, service.bodies.bytes) == (0, 0))


SLOW = """
import sys
from narrows.serving import batching, served, server
batching.ANSWER_SECONDS = server.ANSWER_SECONDS = 90
held = served._scored
def slow(*given):
    print("computing", flush=True)
    sys.stdin.readline()
    return held(*given)
def opened(address):
    served._scored = slow
    print(address, flush=True)
server.serve([sys.argv[1]], opened, port=0)
"""


def test_sigterm_finishes_what_is_in_flight(models, tmp_path):
    """Scores are computed in the thread, so that the server can close its door meanwhile."""
    path = tmp_path / "digits.safetensors"
    models["digits"].estimator.save(path)
    command = [sys.executable, "-c", SLOW, str(path)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        address = process.stdout.readline().strip().removeprefix("http://")
        assert process.stdout.readline() == "computing\n"  # it is being warmed
        process.stdin.write("\n")
        process.stdin.flush()
        until(lambda: health(address, "/health/ready") == 200)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(ask, address, path="/models/digits/score")
            assert process.stdout.readline() == "computing\n"
            process.send_signal(signal.SIGTERM)
            until(lambda: not _listens(address))
            process.stdin.write("\n")
            process.stdin.flush()
            status, found = answer.result(90)
        assert status == 200
        assert len(found["scores"]) == 1
        assert process.wait(90) == -signal.SIGTERM
        log = process.stderr.read()
        assert '"POST /models/digits/score" 200' in log
        assert "Traceback" not in log
    finally:
        process.kill()
        process.communicate()


def _listens(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
