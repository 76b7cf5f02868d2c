"""What the service answers is what the model's own methods say, whatever it is asked as."""

from importlib.metadata import version
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from serving.conftest import DIGITS, people

JSON, NPY, PNG = "application/json", "application/x-npy", "image/png"


def npy(array):
    stream = BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def close(found, wanted):
    np.testing.assert_allclose(np.array(found, float), wanted, rtol=0, atol=1e-5 * max(1, np.abs(wanted).max()))


def ask(client, path, answer=JSON, **body):
    response = client.post(f"/models/{path}", json=body, headers={"accept": answer})
    assert response.status_code == 200, response.text
    return response.json() if answer == JSON else response.content


def test_each_verb_answers_what_the_model_says(client, models):
    model, X = models["digits"].estimator, DIGITS[:5]
    codes = model.transform(X)
    close(ask(client, "digits/encode", examples=X.tolist())["codes"], codes)
    close(ask(client, "digits/decode", codes=codes.tolist())["examples"], model.inverse_transform(codes))
    for verb in ("reconstruct", "denoise"):
        close(ask(client, f"digits/{verb}", examples=X.tolist())["examples"], model.reconstruct(X))
    close(ask(client, "digits/score", examples=X.tolist())["scores"], model.score_samples(X))
    close(ask(client, "digits/sample", n=3, seed=7)["examples"], model.sample(3, random_state=7))
    assert len(client.post("/models/digits/sample").json()["examples"]) == 1
    found = ask(client, "digits/anomalies", examples=X.tolist())
    close(found["anomaly_scores"], model.anomaly_score(X))
    assert found["odd"] == (model.predict(X) == -1).tolist()
    assert found["threshold"] == model.anomaly_threshold()


def test_arrays_and_images_come_and_go_as_files(client, models):
    model, X = models["digits"].estimator, DIGITS[:3].astype(np.uint8)
    for array in (X, X.astype(">f8"), np.asfortranarray(X)):
        response = client.post(
            "/models/digits/reconstruct", content=npy(array), headers={"content-type": NPY, "accept": NPY}
        )
        close(np.load(BytesIO(response.content)), model.reconstruct(X))
    stream = BytesIO()
    levels = (DIGITS[0] * 255 / 16).round().astype(np.uint8)
    Image.fromarray(levels).save(stream, "PNG")
    digit = levels[None] / 255 * 16
    one = client.post("/models/digits/encode", content=stream.getvalue(), headers={"content-type": PNG})
    close(one.json()["codes"], model.transform(digit))
    files = [("images", ("a.png", stream.getvalue(), PNG))] * 2
    close(client.post("/models/digits/encode", files=files).json()["codes"], model.transform(digit[[0, 0]]))
    drawn = Image.open(BytesIO(ask(client, "colours/sample", PNG, n=1, seed=0)))
    assert (drawn.format, drawn.size, drawn.mode) == ("PNG", (8, 8), "RGB")


def test_a_conditional_model_takes_labels(client, models):
    model, X, labels = models["classes"].estimator, DIGITS[:2], [3, 5]
    wanted = model.transform(X, labels)
    close(ask(client, "classes/encode", examples=X.tolist(), labels=labels)["codes"], wanted)
    close(ask(client, "classes/encode", examples=X.tolist(), labels=["3", "5"])["codes"], wanted)
    response = client.post(
        "/models/classes/encode?label=3&label=5", content=npy(X), headers={"content-type": NPY, "accept": JSON}
    )
    close(response.json()["codes"], wanted)
    close(ask(client, "classes/sample", n=2, label=4, seed=1)["examples"], model.sample(2, 4, random_state=1))
    for labels, told in (([], "at least 1"), ([1, 2, 3], "3 labels for 2"), ([77], "'77'")):
        response = client.post("/models/classes/encode", json={"examples": X.tolist(), "labels": labels})
        assert response.status_code == 422
        assert told in response.json()["error"]


def test_columns_with_names_are_records(client, models):
    model = models["columns"].estimator
    rows = pd.DataFrame([[0.1, 0.2, 0.3], [1.0, -1.0, 0.5]], columns=["a", "b", "c"])
    mixed = rows[["c", "a", "b"]].to_dict("records")
    close(ask(client, "columns/encode", examples=mixed)["codes"], model.transform(rows))
    found = ask(client, "columns/reconstruct", examples=mixed)["examples"]
    close(pd.DataFrame(found)[["a", "b", "c"]], model.reconstruct(rows))
    assert list(ask(client, "columns/sample", n=2)["examples"][0]) == ["a", "b", "c"]


def records(frame):
    """A frame as JSON, as a client would write it."""
    cells = frame.assign(since=frame["since"].dt.strftime("%Y-%m-%d")).astype(object)
    return cells.where(frame.notna(), None).to_dict("records")


def test_tables_with_gaps_are_records_with_null(client, models):
    model, rows = models["people"].estimator, people().iloc[:12]
    assert rows.isna().any().any()
    close(ask(client, "people/encode", examples=records(rows))["codes"], model.transform(rows))
    close(ask(client, "people/anomalies", examples=records(rows))["anomaly_scores"], model.anomaly_score(rows))
    filled = ask(client, "people/impute", examples=records(rows))["examples"]
    wanted = model.impute(rows)
    assert all(value is not None for record in filled for value in record.values())
    assert [record["city"] for record in filled] == wanted["city"].tolist()
    close([record["age"] for record in filled], wanted["age"])
    assert [record["since"][:10] for record in filled] == wanted["since"].dt.strftime("%Y-%m-%d").tolist()
    restored = ask(client, "people/reconstruct", examples=records(rows))["examples"]
    close([record["height in cm"] for record in restored], model.reconstruct(rows)["height in cm"])
    drawn = ask(client, "people/sample", n=3, seed=0)["examples"]
    assert [record["city"] for record in drawn] == model.sample(3, random_state=0)["city"].tolist()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"agee": 3}, "examples.0 has 'agee'"),
        ({"age": ...}, "examples.0 lacks 'age'"),
        ({"age": "old"}, "examples.0.age"),
        ({"age": True}, "examples.0.age"),
        ({"city": 3}, "examples.0.city"),
        ({"since": "yesterday"}, "examples.0.since is 'yesterday'"),
        (dict.fromkeys(["age", "city", "height in cm", "member", "since"]), "only missing cells"),
    ],
)
def test_what_is_wrong_with_a_record_is_named(client, change, told):
    record = records(people().iloc[3:4])[0] | change
    record = {name: value for name, value in record.items() if value is not ...}
    response = client.post("/models/people/encode", json={"examples": [record]})
    assert response.status_code == 422
    assert told in response.json()["error"]


def test_models_health_and_metrics_say_what_there_is(client):
    told = {model["name"]: model for model in client.get("/models").json()["models"]}
    assert told["digits"]["input_shape"] == [8, 8]
    assert told["people"]["columns"] == list(people())
    assert "impute" in told["people"]["verbs"]
    assert "impute" not in told["digits"]["verbs"]
    assert client.post("/models/digits/impute", json={}).status_code == 404
    assert client.get("/health/live").status_code == client.get("/health/ready").status_code == 200
    before = client.get("/metrics").text
    ask(client, "digits/encode", examples=DIGITS[:2].tolist())
    after = client.get("/metrics").text

    def count(text):
        line = 'narrows_examples_total{model="digits",verb="encode"} '
        return sum(float(found.removeprefix(line)) for found in text.splitlines() if found.startswith(line))

    assert count(after) == count(before) + 2
    assert 'le="+Inf"' in after


def test_metrics_are_what_prometheus_reads(client):
    """Its own parser is the oracle; of a histogram it says that the buckets add up, and end with all."""
    parser = pytest.importorskip("prometheus_client.parser")
    ask(client, "digits/encode", examples=DIGITS[:1].tolist())
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in parser.text_string_to_metric_families(response.text)}
    kinds = {name: family.type for name, family in families.items()}
    assert kinds["narrows_requests"] == kinds["narrows_examples"] == kinds["narrows_batches"] == "counter"
    assert (kinds["narrows_request_seconds"], kinds["narrows_ready"]) == ("histogram", "gauge")
    assert all(family.documentation for family in families.values())
    asked = [sample for sample in families["narrows_requests"].samples if sample.labels["verb"] == "encode"]
    assert {"model": "digits", "verb": "encode", "status": "200"} in [sample.labels for sample in asked]
    samples = families["narrows_request_seconds"].samples
    buckets = [sample.value for sample in samples if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert [buckets[-1]] == [sample.value for sample in samples if sample.name.endswith("_count")]


def test_the_description_has_each_path_with_its_own_shapes(client):
    document = client.get("/openapi.json").json()
    assert document["info"]["version"] == version("narrows")
    paths = document["paths"]
    body = paths["/models/digits/encode"]["post"]["requestBody"]["content"][JSON]["schema"]
    image = body["properties"]["examples"]["items"]
    assert (image["minItems"], image["items"]["maxItems"]) == (8, 8)
    record = paths["/models/people/impute"]["post"]["requestBody"]["content"][JSON]["schema"]
    assert set(record["properties"]["examples"]["items"]["required"]) == set(people())
