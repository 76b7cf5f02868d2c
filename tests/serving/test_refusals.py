"""What is refused, with which status, in one line, before anything is computed."""

import json
from functools import partial
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from narrows import VAE
from narrows.serving.app import create_app
from narrows.serving.bodies import MOST_JSON_BYTES
from narrows.serving.guard import HEADERS
from narrows.serving.images import MOST_BYTES
from narrows.serving.served import Served
from narrows.serving.server import serve
from narrows.serving.service import Service
from narrows.serving.unforeseen import UNFORESEEN
from serving.conftest import DIGITS, until

ROW = "[" + ",".join(["[0,0,0,0,0,0,0,0]"] * 8) + "]"
NPY = "application/x-npy"
TOKEN = "a-token-of-many-letters"


def asked(number="0", row=ROW):
    return f'{{"examples": [{row.replace("[0,", f"[{number},", 1)}]}}'


def npy(array):
    stream = BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "EOF"),
        ("{", "EOF"),
        ("[" * 100_000, "recursion"),
        (asked("NaN"), "finite"),
        (asked("1e999"), "finite"),
        (asked("-Infinity"), "finite"),
        (asked("1" * 5000), ""),
        (asked("1e300"), "3.4e+38"),
        (asked('"1"'), "valid number"),
        (asked("null"), "valid number"),
        (asked("[0]"), "valid number"),
        (asked(row="[[0,0],[0]]"), "at least 8 items"),
        ('{"examples": []}', "at least 1 item"),
        ("{}", "body lacks 'examples'"),
        ('{"codes": [[0,0,0,0]]}', "lacks 'examples'"),
        (asked()[:-1] + ', "label": 3}', "has 'label'"),
        ("[]", "object"),
        ("\xff", ""),
    ],
)
def test_json_that_is_not_what_is_asked_for(client, body, told):
    headers = {"content-type": "application/json"}
    response = client.post("/models/digits/encode", content=body.encode("latin-1"), headers=headers)
    assert response.status_code in (400, 422)
    error = response.json()["error"]
    assert told in error
    assert "\n" not in error


@pytest.mark.parametrize(
    ("array", "status"),
    [
        (np.zeros((2, 8, 7)), 422),
        (np.zeros((8, 8)), 422),
        (np.zeros((0, 8, 8)), 422),
        (np.full((1, 8, 8), np.nan), 422),
        (np.full((1, 8, 8), 1e300), 422),
        (np.zeros((1, 8, 8), complex), 422),
        (np.zeros((1, 8, 8), object), 422),
        (np.zeros((2**17, 8, 8), np.uint8)[:, :, :], 413),
    ],
)
def test_arrays_that_do_not_fit(client, array, status):
    response = client.post("/models/digits/encode", content=npy(array), headers={"content-type": NPY})
    assert response.status_code == status, response.text


def test_a_header_that_lies_allocates_nothing(client):
    whole = npy(np.zeros((3, 8, 8)))
    for body in (
        whole[:-1],
        whole[:40],
        b"\x93NUMPY\x01\x00\xff\xff",
        whole.replace(b"(3, 8", b"(9, 8"),
        b"PK\x03\x04",
    ):
        response = client.post("/models/digits/encode", content=body, headers={"content-type": NPY})
        assert response.status_code == 400, response.text


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("digits/encode", {"content-type": "text/plain"}, asked(), 415),
        ("digits/encode", {}, asked(), 415),
        ("digits/encode", {"content-type": "image/png"}, "no image", 422),
        ("digits/encode", {"content-type": "multipart/form-data; boundary=x"}, "--x\r\n\r\n", 400),
        ("people/encode", {"content-type": NPY}, "x", 415),
        ("people/encode", {"content-type": "image/png"}, "x", 415),
        ("digits/decode", {"content-type": "image/png"}, "x", 415),
        ("digits/encode", {"content-type": "application/json", "accept": "text/html"}, asked(), 406),
        ("digits/encode", {"content-type": "application/json", "accept": "image/png"}, asked(), 406),
        ("digits/sample", {"content-type": "application/json"}, '{"n": 1000000000}', 422),
        ("digits/sample", {"content-type": "application/json"}, '{"n": 1, "label": 3}', 422),
        ("digits/sample", {"content-type": "application/json", "accept": "image/png"}, '{"n": 2}', 406),
        ("digits/sample", {"content-type": "application/json"}, '{"n": 5000}', 413),
        ("../../etc/passwd", {}, "", 404),
        ("%2e%2e/%2e%2e/etc/passwd", {}, "", 404),
        ("nobody/encode", {}, "", 404),
    ],
)
def test_other_types_and_paths(client, path, headers, body, status):
    response = client.post(f"/models/{path}", content=body, headers=headers)
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}


def test_a_body_is_refused_by_its_length_alone_and_by_what_comes(client):
    json_type = {"content-type": "application/json"}
    for headers, most in ((json_type, MOST_JSON_BYTES), ({"content-type": NPY}, MOST_BYTES)):
        told = client.post("/models/digits/encode", content=b"", headers=headers | {"content-length": str(most + 1)})
        came = client.post("/models/digits/encode", content=(bytes(most // 4) for _ in range(5)), headers=headers)
        assert (told.status_code, came.status_code) == (413, 413)
        assert "MB" in told.json()["error"]
        assert told.headers["connection"] == "close"


def test_errors_of_a_model_are_said_without_a_path(client):
    far = json.loads(asked("3e38"))
    response = client.post("/models/digits/encode", json=far)
    assert response.status_code in (200, 422)
    codes = client.post("/models/digits/decode", json={"codes": [[3e38] * 4]})
    assert codes.status_code == 422
    assert "overflows" in codes.json()["error"]
    assert "/" not in codes.json()["error"]


def test_what_nobody_has_foreseen_is_500_and_stands_in_the_log_alone(client, models, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("/srv/models/secret is broken")

    model = models["digits"].fitted.model
    monkeypatch.setattr(model, "encode", broken)
    monkeypatch.setattr(model, "posterior", broken)
    monkeypatch.setattr("narrows.serving.app._told", broken)
    for ask in (
        partial(client.post, "/models/digits/encode", json={"examples": DIGITS[:1].tolist()}),
        partial(client.post, "/models/digits/score", json={"examples": DIGITS[:1].tolist()}),
        partial(client.get, "/models"),
    ):
        caplog.clear()
        response = ask()
        assert (response.status_code, response.json()) == (500, {"error": UNFORESEEN})
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
        assert f'{response.request.url.path}" failed' in caplog.text
        assert caplog.text.count("RuntimeError: /srv/models/secret is broken") == 1
    assert client.post("/models/digits/sample", json={}).status_code == 200


def test_who_may_ask(client):
    assert client.get("/models", headers={"host": "evil.example"}).status_code == 421
    for origin in ("http://evil.example", "null"):
        assert client.get("/models", headers={"origin": origin}).status_code == 403
    response = client.get("/models", headers={"origin": "http://testserver"})
    assert response.status_code == 200
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_a_token_is_needed_for_all_but_health(models):
    app = create_app(Service([models["digits"]]), frozenset({"testserver"}), TOKEN)
    with TestClient(app) as client:
        assert client.get("/health/live").status_code == 200
        for given in (None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"):
            headers = {} if given is None else {"authorization": given.encode("latin-1")}
            for path in ("/models", "/metrics", "/openapi.json", "/nothing"):
                response = client.get(path, headers=headers)
                assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
        assert client.get("/models", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_models_and_tokens_that_cannot_be_served(models, tmp_path):
    path = tmp_path / "my model.safetensors"
    models["digits"].estimator.save(path)
    for given, told in (
        ([path], "digits="),
        ([f"a={path}", f"a={path}"], "called 'a' already"),
        ([tmp_path / "none"], "does not exist"),
        ([f"../x={path}"], "cannot be part of an address"),
    ):
        with pytest.raises(ValueError, match=told):
            serve(list(map(str, given)))
    with pytest.raises(ValueError, match="16 characters"):
        serve([f"a={path}"], token="short")


def test_until_it_is_warm_it_is_alive_and_not_ready(models):
    service = Service([models["digits"]])
    with TestClient(create_app(service, frozenset({"testserver"}))) as client:
        until(lambda: service.ready)
        service.ready = False
        assert client.get("/health/live").status_code == 200
        for response in (client.get("/health/ready"), client.post("/models/digits/sample", json={})):
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")


def test_it_is_ready_where_zero_is_far_from_the_data():
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(40), unit="min")
    model = VAE(2, epochs=1, random_state=0).fit(pd.DataFrame({"at": times, "x": np.arange(40.0) % 7 + 0.5}))
    service = Service([Served("times", model)])
    with TestClient(create_app(service, frozenset({"testserver"}))) as client:
        until(lambda: service.ready)
        assert (
            client.post("/models/times/encode", json={"examples": [{"at": "2024-01-01", "x": 1.5}]}).status_code == 200
        )


def test_what_cannot_be_warmed_is_said_and_the_rest_is_served(models, monkeypatch, caplog):
    def refused(_):
        raise OverflowError("it overflows")

    monkeypatch.setattr(Served, "warm", refused)
    service = Service([models["digits"]])
    with TestClient(create_app(service, frozenset({"testserver"}))):
        until(lambda: service.ready)
    assert "digits could not be warmed" in caplog.text
    assert "OverflowError: it overflows" in caplog.text


def test_the_log_has_no_bodies(client, caplog):
    with caplog.at_level("INFO", "narrows.serving"):
        client.post("/models/digits/encode?label=secret", content=asked("12345"), headers={"content-type": NPY})
        client.post("/models/digits/encode", json={"examples": DIGITS[:1].tolist()})
    assert '"POST /models/digits/encode" 400' in caplog.text
    assert '"POST /models/digits/encode" 200' in caplog.text
    assert "12345" not in caplog.text
    assert "secret" not in caplog.text
