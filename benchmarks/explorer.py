"""The explorer in a browser: from a drag to the painted image, updates a second, and how soon the first page is ready.

Times are the page's own, from the event's stamp to the end of painting, in chromium without a window, on one machine
with the server; also while a convolutional model learns in the same explorer, as fast as it can. Then, of the plane,
how long the page's script takes for a frame while a hand pans and zooms, with many points; such a chromium renders in
software. Needs playwright and a chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from narrows import Autoencoder
from narrows.data import load_data
from narrows.web.library import open_models
from narrows.web.sharing import share, thinned

__all__ = ["main"]

MOVES = 400
"""Of the pointer in a drag, about a hundredth of a second apart."""

POINTS, TURNS = 100_000, 150
"""Examples on the plane, and turns of the wheel over it, of which every second pans."""

SERVER = """
import sys
from pathlib import Path
from narrows.web.library import open_models
from narrows.web.questions.training import steer, train
from narrows.web.server import serve
library = open_models([Path(sys.argv[1])], sys.argv[2], int(sys.argv[4]))
if sys.argv[3] == "training":
    train(library, "shapes")
    steer(library, "play", fast=True)
serve(library, lambda address: print(address, flush=True))
"""


@contextmanager
def served(model: Path, data: str, *, training: bool = False, examples: int = 2000) -> Iterator[str]:
    """Give the address of an explorer of ``model``."""
    command = [sys.executable, "-c", SERVER, str(model), data, "training" if training else "idle", str(examples)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def measure(browser: Browser, address: str) -> tuple[float, np.ndarray, float]:
    """Return the seconds until the page is ready, the milliseconds of each update of a drag, and updates a second."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    started = time.perf_counter()
    page.goto(address)
    page.locator("html[data-ready=plane]").wait_for()
    ready = time.perf_counter() - started
    box = page.locator(".stage").bounding_box()
    assert box is not None
    angles = np.linspace(0, 8 * np.pi, MOVES)
    x = box["x"] + box["width"] * (0.5 + 0.35 * np.cos(angles))
    y = box["y"] + box["height"] * (0.5 + 0.35 * np.sin(angles))
    page.mouse.move(x[0], y[0])
    page.mouse.down()
    page.evaluate("performance.clearMeasures()")
    started = time.perf_counter()
    for place in zip(x, y, strict=True):
        page.mouse.move(*place)
        time.sleep(0.005)
    seconds = time.perf_counter() - started
    page.mouse.up()
    took = np.array(page.evaluate("performance.getEntriesByName('drag').map((entry) => entry.duration)"))
    page.close()
    return ready, took, len(took) / seconds


def row(name: str, beside: str, measured: tuple[float, np.ndarray, float]) -> None:
    """Print what was measured of a model."""
    ready, took, rate = measured
    p50, p95 = np.percentile(took, (50, 95))
    print(f"| {name} | {beside} | {ready:.2f} | {p50:.1f}, {p95:.1f} | {rate:.0f} |", flush=True)


def frames(browser: Browser, address: str, factor: float) -> tuple[str, np.ndarray]:
    """Return what is said of the points, and the milliseconds of script of each frame, about ``factor`` times as near.

    The wheel goes to and fro, so that it stays about so near.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.locator("html[data-ready=plane]").wait_for()
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + 0.4 * stage["width"], stage["y"] + 0.4 * stage["height"])
    for _ in range(round(np.log(factor) / 0.15)):
        page.mouse.wheel(0, -100)
    page.wait_for_timeout(1000)  # until tiles are drawn
    said = page.locator(".note").inner_text() or "all points"
    page.evaluate("performance.clearMeasures()")
    for turn in range(TURNS):
        if turn % 2:
            page.keyboard.down("Shift")
        page.mouse.wheel(0, 30 * (-1) ** (turn // 2))
        page.keyboard.up("Shift")
        page.wait_for_timeout(20)
    took = np.array(page.evaluate("performance.getEntriesByName('frame').map((entry) => entry.duration)"))
    page.close()
    return said, took


def pan(browser: Browser, folder: Path) -> None:
    """Print a row for each of several planes."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 10, POINTS)
    X = (rng.normal(size=(10, 16)) @ rng.normal(size=(16, 16)) * 2)[kinds] + rng.normal(size=(POINTS, 16))
    np.savez(folder / "many.npz", X=X, y=kinds)
    Autoencoder(2, epochs=10, random_state=0).fit(X[:2000]).save(folder / "many.safetensors")
    Autoencoder(2, epochs=10, random_state=0).fit(load_data("digits").X).save(folder / "few.safetensors")
    print("\n| plane | zoom | what is drawn | frames | script a frame, p50, p95 and most, ms |")
    print("|---|---|---|---|---|")
    for name, data, factors in (("few", "digits", (1, 4)), ("many", str(folder / "many.npz"), (1, 4, 20))):
        with served(folder / f"{name}.safetensors", data, examples=POINTS) as address:
            for factor in factors:
                said, took = frames(browser, address, factor)
                p50, p95 = np.percentile(took, (50, 95))
                print(
                    f"| {name} | {factor} | {said} | {len(took)} | {p50:.1f}, {p95:.1f}, {took.max():.1f} |", flush=True
                )


def main() -> None:
    """Print a row for each model, with and without training beside it, and then for planes of many points."""
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        print("| model | beside it | first page ready, s | drag to paint, p50 and p95, ms | updates a second |")
        print("|---|---|---|---|---|")
        for name, data, estimator in (
            ("dense, digits 8×8, d = 2", "digits", Autoencoder(2, epochs=10, random_state=0)),
            ("dense, digits 8×8, d = 16", "digits", Autoencoder(16, epochs=10, random_state=0)),
            ("convolutional, shapes, d = 8", "shapes", Autoencoder(8, epochs=1, net="convolutional", random_state=0)),
        ):
            X = load_data(data).X
            path = Path(folder) / f"{data}-{estimator.latent_dim}.safetensors"
            estimator.fit(X).save(path)
            page = path.with_suffix(".html")
            page.write_text(share(thinned(open_models([path], data))), encoding="utf-8")
            row(f"{name}, shared: {page.stat().st_size / 2**20:.2f} MiB", "nothing", measure(browser, page.as_uri()))
            for training in (False, True):
                with served(path, data, training=training) as address:
                    row(name, "a training" if training else "nothing", measure(browser, address))
        pan(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
