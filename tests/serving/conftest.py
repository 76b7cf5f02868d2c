"""Small models of several kinds, served: within the process, and by a real server in a thread."""

import threading
import time

import numpy as np
import pandas as pd
import pytest
import uvicorn
from sklearn.datasets import load_digits
from starlette.testclient import TestClient

from narrows import VAE, Autoencoder
from narrows.serving.app import create_app
from narrows.serving.served import Served
from narrows.serving.server import config_of, listen
from narrows.serving.service import Service

DIGITS = load_digits().images[:300]


def people(n=120):
    """A table of several kinds of columns, with gaps."""
    rng = np.random.default_rng(0)
    age = rng.integers(18, 80, n).astype(float)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.1, np.nan, age),
            "city": rng.choice(["Brno", "Praha", "Plzeň"], n),
            "height in cm": rng.normal(170, 8, n).round(1),
            "member": rng.random(n) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, n), unit="D"),
        }
    )
    frame.loc[rng.random(n) < 0.1, "city"] = None
    return frame


@pytest.fixture(scope="session")
def models():
    """A plain model of images, a conditional one, one of columns with names, one of a mixed table, one of colours."""
    target = load_digits().target[:300]
    rng = np.random.default_rng(0)
    columns = pd.DataFrame(rng.normal(size=(80, 3)), columns=["a", "b", "c"])
    colours = rng.random((40, 8, 8, 3))
    made = {
        "digits": Autoencoder(4, epochs=3, random_state=0).fit(DIGITS),
        "classes": VAE(2, epochs=2, conditional=True, random_state=0).fit(DIGITS, target),
        "columns": Autoencoder(2, epochs=2, random_state=0).fit(columns),
        "people": VAE(2, epochs=2, random_state=0).fit(people()),
        "colours": Autoencoder(2, epochs=1, random_state=0).fit(colours),
    }
    return {name: Served(name, model) for name, model in made.items()}


@pytest.fixture(scope="session")
def client(models):
    """A client of all models, warm."""
    service = Service(list(models.values()))
    with TestClient(create_app(service, frozenset({"testserver"})), raise_server_exceptions=False) as client:
        until(lambda: service.ready)
        yield client


@pytest.fixture(scope="session")
def running(models):
    """A real server: its service, its host and port, and uvicorn's."""
    service = Service([models["digits"], models["people"]])
    listener, address, hosts = listen("127.0.0.1", 0)
    config = config_of(service, hosts)
    config.timeout_keep_alive = 90  # however long a test takes to ask again
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until(lambda: service.ready)
    yield service, address.removeprefix("http://"), server
    server.should_exit = True
    thread.join()


def until(holds):
    """Wait for an event, which is sure to come; a minute and a half means that it does not."""
    end = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def _no_lingering(monkeypatch):
    """What follows a refusal is dropped for a second; here a twentieth is enough."""
    monkeypatch.setattr("narrows.serving.refusal.LINGER_SECONDS", 0.05)
