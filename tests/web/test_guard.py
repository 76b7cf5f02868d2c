"""Nobody but the page itself is answered, and nothing but what was opened is named."""

import http.client
import json
import socket
import threading
from functools import partial

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync import client

from narrows.serving import patience, refusal
from narrows.serving.guard import HEADERS
from narrows.serving.images import MOST_BYTES
from narrows.serving.unforeseen import UNFORESEEN
from narrows.web.server import QUESTIONS
from web.reading_frames import TOKEN, read_frame

connect = partial(client.connect, open_timeout=90)


@pytest.fixture
def get(address):
    """Send a request, by default as the page does, and return the response and its body."""

    def sent(path="/", method="GET", body=None, **headers):
        port = address.rpartition(":")[2]
        usual = {"Cookie": f"narrows-{port}={TOKEN}", "Host": address}
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request(method, path, body, {name: value for name, value in (usual | headers).items() if value})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    return sent


def test_the_token_of_the_address_becomes_a_cookie_and_leaves_the_address(get):
    response, _ = get(f"/?token={TOKEN}", Cookie=None)
    assert (response.status, response.headers["Location"]) == (303, "/")
    cookie = response.headers["Set-Cookie"]
    assert TOKEN in cookie
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()


@pytest.mark.parametrize("path", ["/", "/static/shell/app.js", "/upload?model=plane", "/live", "/nothing"])
@pytest.mark.parametrize("cookie", [None, "narrows-1=a-token", "wrong"])
def test_without_the_token_nothing_is_served(get, address, path, cookie):
    own = f"narrows-{address.rpartition(':')[2]}=not-the-token" if cookie == "wrong" else cookie
    response, body = get(path, Cookie=own)
    assert response.status == 403
    assert b"narrows explore" in body


def test_a_wrong_token_in_the_address_is_refused(get):
    assert get("/?token=another", Cookie=None)[0].status == 403
    assert get("/?token=%E2%82%AC", Cookie=None)[0].status == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1.evil.example"])
def test_another_host_is_refused_even_with_the_token(get, host):
    """A name of theirs that resolves to this machine lets a foreign page send the cookie's request."""
    assert get(Host=host)[0].status == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:1", "file://"])
def test_another_origin_is_refused(get, address, origin):
    assert get(Origin=origin)[0].status == 403
    assert get("/upload?model=plane", "POST", b"x", Origin=origin)[0].status == 403
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://{address}/live", origin=origin, additional_headers=_cookie(address))


def test_a_socket_needs_origin_and_token(address):
    for origin, headers in ((None, _cookie(address)), (f"http://{address}", {})):
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://{address}/live", origin=origin, additional_headers=headers)


def test_the_page_itself_is_answered(get, address):
    response, body = get(Origin=f"http://{address}")
    assert response.status == 200
    assert b"app.js" in body
    with connect(f"ws://{address}/live", origin=f"http://{address}", additional_headers=_cookie(address)) as live:
        live.send(json.dumps({"id": 3, "ask": "models"}))
        assert b'"id":3' in live.recv()
        live.send("no JSON")
        assert b"refused" in live.recv()


@pytest.mark.parametrize("path", ["/", "/static/shell/app.js", "/static/nothing.js", "/docs", "/openapi.json"])
def test_every_response_has_the_headers(get, path):
    for cookie in ({}, {"Cookie": None}):
        response, _ = get(path, **cookie)
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
    policy = HEADERS["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", ["/static/../server.py", "/static/%2e%2e/server.py", "/static//etc/passwd", "/docs"])
def test_only_the_pages_files_are_served(get, path):
    assert get(path)[0].status == 404


def test_scripts_are_served_as_scripts(get):
    assert get("/static/shell/app.js")[0].headers["Content-Type"].startswith("text/javascript")


def test_a_long_upload_is_cut_off(get, monkeypatch):
    monkeypatch.setattr(refusal, "LINGER_SECONDS", 90)  # however slowly it is sent
    response, body = get("/upload?model=plane", "POST", bytes(MOST_BYTES + 1))
    assert response.status == 413
    assert b"MB" in body


def test_a_body_that_is_told_too_long_is_not_waited_for(address):
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        lines = ["POST /upload?model=plane HTTP/1.1", f"Host: {address}", f"Cookie: {_cookie(address)['Cookie']}"]
        connection.sendall("\r\n".join([*lines, f"Content-Length: {225 * 10**6}", "", ""]).encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_slow_headers_are_cut_off(address, monkeypatch):
    """Of a second request, whose time begins with its first byte and not with the connection."""
    host, port = address.split(":")
    lines = f"GET /nothing HTTP/1.1\r\nHost: {address}\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(lines + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 403")
        monkeypatch.setattr(patience, "HEADER_SECONDS", 0.1)
        connection.sendall(lines)
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("model", ["/etc/passwd", "..%2Fplane", "http:%2F%2Fevil.example%2Fm.safetensors", ""])
def test_models_are_named_by_id_alone(get, model):
    response, body = get(f"/upload?model={model}", "POST", b"x")
    assert response.status == 200
    assert b"is not open" in body


def _cookie(address):
    return {"Cookie": f"narrows-{address.rpartition(':')[2]}={TOKEN}"}


def test_what_nobody_has_foreseen_is_500_and_stands_in_the_log_alone(get, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("/srv/models/secret is broken")

    monkeypatch.setattr("narrows.web.server._shared", broken)
    response, body = get("/share")
    assert (response.status, json.loads(body)) == (500, {"error": UNFORESEEN})
    assert '"GET /share" failed' in caplog.text
    assert "RuntimeError: /srv/models/secret is broken" in caplog.text


def test_a_question_that_fails_leaves_the_others_their_answers(address, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("/srv/models/secret is broken")

    monkeypatch.setitem(QUESTIONS, "models", broken)
    with connect(f"ws://{address}/live", origin=f"http://{address}", additional_headers=_cookie(address)) as socket:
        for number, name in enumerate(("models", "nothing", "models")):
            socket.send(json.dumps({"id": number, "ask": name}))
        frames = sorted((read_frame(socket.recv(timeout=60)) for _ in range(3)), key=lambda frame: frame["id"])
        socket.send("[" * 100_000)
        assert "recursion" in read_frame(socket.recv(timeout=60))["refused"]
    assert [frame["refused"] == UNFORESEEN for frame in frames] == [True, False, True]
    assert "question models failed" in caplog.text
    assert "RuntimeError: /srv/models/secret is broken" in caplog.text


def test_orders_are_obeyed_in_their_turn_and_hold_up_no_question(address, monkeypatch):
    obeyed, go = [], threading.Event()

    def steer(_, mode):
        assert mode == "pause" or go.wait(90)
        obeyed.append(mode)
        raise ValueError(mode)

    monkeypatch.setitem(QUESTIONS, "steer", steer)
    with connect(f"ws://{address}/live", origin=f"http://{address}", additional_headers=_cookie(address)) as socket:
        for number, mode in enumerate(("play", "pause")):
            socket.send(json.dumps({"id": number, "ask": "steer", "mode": mode}))
        socket.send(json.dumps({"id": 2, "ask": "models"}))
        assert read_frame(socket.recv(timeout=90))["id"] == 2
        go.set()
        assert [read_frame(socket.recv(timeout=90))["refused"] for _ in range(2)] == ["play", "pause"]
    assert obeyed == ["play", "pause"]
