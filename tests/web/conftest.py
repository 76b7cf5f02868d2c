"""A library of small models of several kinds, and a server of it in a thread."""

import itertools
import json
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import uvicorn
from sklearn.datasets import load_digits

from narrows import VAE, Autoencoder, DenoisingAutoencoder
from narrows.data.dataset import Dataset
from narrows.web.entry import Entry
from narrows.web.library import Library
from narrows.web.server import answer, config_of, create_app
from outside import program
from web.reading_frames import SHARED, TOKEN, arrays, read_frame


@pytest.fixture(scope="session")
def library(table):
    """Models of digits, plain ones and a conditional one; of rows; and of small colour images by convolutions."""
    bunch = load_digits()
    digits = Dataset("digits", bunch.images[:400], bunch.target[:400])
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (40, 1, 1, 3), dtype=np.uint8) + np.zeros((40, 16, 16, 3), np.uint8)
    made = [
        ("plane", Autoencoder(2, epochs=15, random_state=0), digits),
        ("one", Autoencoder(1, epochs=4, random_state=0), digits),
        ("wide", Autoencoder(5, epochs=8, random_state=0), digits),
        ("denoising", DenoisingAutoencoder(5, epochs=8, random_state=0), digits),
        ("vae", VAE(3, epochs=8, random_state=0), digits),
        ("conditional", VAE(2, epochs=4, random_state=0, conditional=True), digits),
        ("rows", Autoencoder(2, epochs=4, random_state=0), Dataset("table", table)),
        ("colours", Autoencoder(3, epochs=1, random_state=0), Dataset("colours", colours)),
    ]
    return Library(
        [
            Entry(name, model.fit(data.X, data.y if model.conditional else None), data, len(data.X), ("data = …",))
            for name, model, data in made
        ]
    )


@pytest.fixture(scope="session")
def ask(library):
    """Ask a question as the page does, and return the answer's parts as attributes."""

    def asked(name, **given):
        return SimpleNamespace(**read_frame(answer(library, json.dumps({"id": 7, "ask": name, **given}))))

    return asked


@pytest.fixture(scope="session")
def address(library):
    """The host and port of a running server."""
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    app = create_app(library, TOKEN, frozenset({host}))
    config = config_of(app)
    config.timeout_keep_alive = 90  # however long a test takes to ask again
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield host
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def asked_of():
    """Ask a page's own scripts."""
    command = [program("node"), Path(__file__).with_name("shared_page.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        numbers = itertools.count()

        def opened(html):
            number, (_, answers, shared) = next(numbers), SHARED.search(html).groups()
            process.stdin.write(json.dumps({"shared": shared, "answers": answers}) + "\n")

            def asked(name, **given):
                process.stdin.write(json.dumps({"page": number, "ask": name, **given}) + "\n")
                process.stdin.flush()
                return json.loads(process.stdout.readline(), object_hook=arrays)

            return asked

        yield opened
        process.stdin.close()
