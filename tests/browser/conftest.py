"""Debian's chromium, driven as a person would, at an explorer that answers from a thread.

Without the browser these tests are skipped; NARROWS_REQUIRE_BROWSER=1 forbids that. Whatever a test does, the page may
write no error to the console, and ask nobody but this machine.
"""

import shutil
from urllib.parse import urlsplit

import pytest
from sklearn.datasets import load_digits

from browser.explorer_process import PATIENT, WATCHING, go_to, served, settle
from narrows import VAE, Autoencoder, DenoisingAutoencoder, NoisyAutoencoder
from narrows.web.library import Library, open_models
from narrows.web.sharing import share
from outside import from_npm, missing

SIZE = {"width": 1280, "height": 900}
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
    with served(open_models(files, "digits")) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        missing("chromium is not installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    with sync_playwright() as playwright:
        # A container's /dev/shm is often too small for it.
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=options, timeout=PATIENT)
        yield opened
        opened.close()


@pytest.fixture
def touch():
    """Whether the page's screen is touched; a module of tests may say so."""
    return False


def window_of(browser, *, touch):
    context = browser.new_context(viewport=SIZE, locale="en-GB", accept_downloads=True, has_touch=touch)
    context.set_default_timeout(PATIENT)
    context.add_init_script(WATCHING)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context.new_page()


@pytest.fixture(scope="session")
def window(browser):
    """The one page of all tests that use a mouse: what it has loaded once, it need not compile again."""
    return window_of(browser, touch=False)


@pytest.fixture
def page(browser, touch, window):
    """A page of 1280 by 900, empty; at the end its console must be clean, and its requests local."""
    page, wrong = window_of(browser, touch=True) if touch else window, []
    page.set_viewport_size(SIZE)
    page.emulate_media(media="null", color_scheme="null", reduced_motion="null")
    page.mouse.move(0, 0)
    page.expected_errors = ()
    ours = "willReadFrequently"  # chromium's advice to whoever reads canvases often, as these tests do
    heard = {
        "console": lambda told: wrong.append(told.text) if told.type in ("error", "warning") else None,
        "pageerror": lambda error: wrong.append(str(error)),
        "request": lambda request: wrong.append(request.url) if not _is_local(request.url) else None,
        "websocket": lambda socket: wrong.append(socket.url) if not _is_local(socket.url) else None,
    }
    for event, hear in heard.items():
        page.on(event, hear)
    yield page
    page.goto("about:blank")
    for event, hear in heard.items():
        page.remove_listener(event, hear)
    if touch:
        page.context.close()
    assert [text for text in wrong if not any(part in text for part in (ours, *page.expected_errors))] == []


def _is_local(url):
    parts = urlsplit(url)
    return parts.scheme in ("about", "data", "blob", "file") or parts.hostname == "127.0.0.1"


@pytest.fixture
def visit(page, explorer):
    """Open a view of the explorer, by its address, and wait until it is ready."""

    def visited(view="plane", **state):
        pairs = "&".join(f"{name}={value}" for name, value in {"view": view, **state}.items())
        go_to(page, f"{explorer}#{pairs}", view)
        return page

    return visited


@pytest.fixture(scope="session")
def bare():
    """The address of an explorer that has no model, and none in training."""
    with served(Library()) as address:
        yield address


@pytest.fixture(scope="session")
def lecture(tmp_path_factory):
    """The address of a shared page of the lecture, a file without models."""
    file = tmp_path_factory.mktemp("shared") / "lecture.html"
    file.write_text(share(Library(), lecture=True), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(params=["bare", pytest.param("lecture", marks=pytest.mark.slow)])
def lesson(page, request):
    """Open a page of the lecture, by its address: the server's, and the shared one, which is no other."""
    address = request.getfixturevalue(request.param)

    def opened(view, **state):
        pairs = "&".join(f"{name}={value}" for name, value in {"view": view, **state}.items())
        go_to(page, f"{address}#{pairs}")
        return page

    return opened


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """What axe-core, fetched from npm's registry once, finds wrong with a page that is serious, in both themes."""
    source = from_npm("axe-core", 4, tmp_path_factory) / "axe-core" / "axe.min.js"
    script = source.read_text(encoding="utf-8")

    def faults(page):
        page.evaluate(script + ";0")
        found = page.evaluate("axe.run().then((result) => result.violations)")
        theme = page.locator("html").get_attribute("data-theme")
        page.keyboard.press("d")
        page.locator(f"html:not([data-theme={theme}])").wait_for()
        settle(page)  # a theme changes colours, and nothing else that axe looks at
        found += page.evaluate("axe.run({ runOnly: ['color-contrast'] }).then((result) => result.violations)")
        return [
            (fault["id"], [node["html"] for node in fault["nodes"]][:3])
            for fault in found
            if fault["impact"] in ("serious", "critical")
        ]

    return faults
