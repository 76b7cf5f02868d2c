"""Debian's chromium, driven as a person would, at an explorer that runs as a process of its own.

Without the browser these tests are skipped; NARROWS_REQUIRE_BROWSER=1 forbids that. Whatever a test does, the page may
write no error to the console, and ask nobody but this machine.
"""

import shutil
import socket
import subprocess
from urllib.parse import urlsplit

import pytest
from sklearn.datasets import load_digits

from browser.explorer_process import COUNTING, Explorer, missing, serving
from narrows import VAE, Autoencoder, DenoisingAutoencoder, NoisyAutoencoder
from narrows.web.library import Library

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder of models of the digits, trained for little longer than a second each."""
    folder = tmp_path_factory.mktemp("models")
    X, y = load_digits().images, load_digits().target
    for model in (Autoencoder(2, epochs=12), Autoencoder(8, epochs=10), DenoisingAutoencoder(8, epochs=6)):
        model.set_params(random_state=0, prior="normal").fit(X).save(
            folder / f"{type(model).__name__}-{model.latent_dim}.safetensors"
        )
    for model in (NoisyAutoencoder(8, epochs=4), VAE(8, epochs=4), VAE(2, epochs=4, conditional=True)):
        name = f"{type(model).__name__}-{model.latent_dim}.safetensors"
        model.set_params(random_state=0, prior="normal").fit(X, y).save(folder / name)
    return folder


@pytest.fixture(scope="session")
def explorer(models):
    files = sorted(models.iterdir(), key=lambda file: (file.name != "Autoencoder-2.safetensors", file.name))
    running = Explorer(*files, "--data", "digits")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        missing("chromium is not installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def touch():
    """Whether the page's screen is touched; a module of tests may say so."""
    return False


@pytest.fixture
def page(browser, touch):
    """A new page of 1280 by 900; at the end its console must be clean, and its requests local."""
    viewport = {"width": 1280, "height": 900}
    context = browser.new_context(viewport=viewport, locale="en-GB", accept_downloads=True, has_touch=touch)
    context.set_default_timeout(10_000)
    context.add_init_script(COUNTING)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, wrong = context.new_page(), []
    page.expected_errors = ()
    ours = "willReadFrequently"  # chromium's advice to whoever reads canvases often, as these tests do
    page.on("console", lambda told: wrong.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if not _is_local(request.url) else None)
    page.on("websocket", lambda socket: wrong.append(socket.url) if not _is_local(socket.url) else None)
    yield page
    context.close()
    assert [text for text in wrong if not any(part in text for part in (ours, *page.expected_errors))] == []


def _is_local(url):
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob") or parts.hostname == "127.0.0.1"


@pytest.fixture
def visit(page, explorer):
    """Open a view of the explorer, by its address, and wait until it is ready."""

    def visited(view="plane", **state):
        pairs = "&".join(f"{name}={value}" for name, value in {"view": view, **state}.items())
        page.goto(f"{explorer.address}#{pairs}")
        page.locator(f"html[data-ready={view}]").wait_for()
        return page

    return visited


@pytest.fixture(scope="session")
def bare():
    """The address of an explorer that has no model, and none in training."""
    listener = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    with serving(Library(), listener, host):
        yield f"http://{host}/?token=token"


@pytest.fixture
def lesson(page, bare):
    def opened(view, **state):
        pairs = "&".join(f"{name}={value}" for name, value in {"view": view, **state}.items())
        page.goto(f"{bare}#{pairs}")
        page.locator("html[data-ready]").wait_for()
        return page

    return opened


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """What axe-core, fetched from npm's registry once, finds wrong with a page that is serious."""
    folder = tmp_path_factory.getbasetemp().parent / "narrows-axe"
    source = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "axe-core@4"]
        try:
            fetched = subprocess.run(install, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            fetched = False
        if not fetched:
            missing("axe-core cannot be fetched")
    script = source.read_text(encoding="utf-8")

    def faults(page):
        page.evaluate(script + ";0")
        found = page.evaluate("axe.run().then((result) => result.violations)")
        return [
            (fault["id"], [node["html"] for node in fault["nodes"]][:3])
            for fault in found
            if fault["impact"] in ("serious", "critical")
        ]

    return faults
