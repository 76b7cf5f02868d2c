"""A shared page's arithmetic in a browser: milliseconds of one code decoded, one example encoded, and 64 tiles; bytes.

In chromium without a window, on one thread, of scripts alone: neither bytes for the eye nor painting are in it. Needs
playwright and a chromium.
"""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, Route, sync_playwright

import narrows.web
from narrows import VAE
from narrows.web.portable.model import portable
from narrows.web.portable.weights import BITS
from narrows.web.wire import pack

__all__ = ["main"]

STATIC = Path(narrows.web.__file__).parent / "static"
HERE = "http://127.0.0.1:9"
TILES = 64

MEASURE = """async ([here, frame, tiles]) => {
  const { decode, encode, open } = await import(`${here}/kernels/model.js`);
  const { unpack } = await import(`${here}/wire/frames.js`);
  const model = open(unpack(Uint8Array.from(atob(frame), (letter) => letter.charCodeAt(0)).buffer));
  const codes = Array.from({ length: 400 }, () => Float32Array.from({ length: model.d }, () => 2 * Math.random() - 1));
  const x = Float64Array.from({ length: model.features }, Math.random);
  const all = Float32Array.from(codes.slice(0, tiles).flatMap((code) => [...code]));
  const took = (work) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  return [
    codes.map((code) => took(() => decode(model, code, 1))),
    codes.map(() => took(() => encode(model, x, 1))),
    codes.slice(0, 5).map(() => took(() => decode(model, all, tiles))),
  ];
}"""


def give(route: Route) -> None:
    """Answer a page's request with a file of the explorer's, without a server."""
    path = STATIC / route.request.url.removeprefix(f"{HERE}/")
    kind = "text/javascript" if path.suffix == ".js" else "text/html"
    route.fulfill(body=path.read_bytes() if path.is_file() else b"", content_type=kind)


def row(page: Page, name: str, model: Any, X: np.ndarray) -> str:
    """Return what is measured of a model, as a line of a table."""
    fitted = model.fit(X).fitted_
    frames = [pack(portable(fitted, bits)) for bits in BITS]
    each = page.evaluate(MEASURE, [HERE, base64.b64encode(frames[0]).decode(), TILES])
    decoded, encoded, tiles = (np.percentile(times, (50, 95)) for times in each)
    sizes = ", ".join(f"{len(frame) / 1e6:.2f}" for frame in frames)
    times = f"{decoded[0]:.1f}, {decoded[1]:.1f} | {encoded[0]:.1f}, {encoded[1]:.1f} | {tiles[0]:.0f}"
    return f"| {name} | {times} | {sizes} |"


def main() -> None:
    """Print a row for each model."""
    rng = np.random.default_rng(0)
    options = {"epochs": 1, "prior": "normal", "random_state": 0}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.route(f"{HERE}/**", give)
        page.goto(f"{HERE}/empty")
        print(f"| model | decode, p50 and p95, ms | encode | {TILES} tiles | MB in 32, 16 and 8 bits |")
        print("|---|---|---|---|---|")
        for name, model, shape in (
            ("dense VAE, 8 × 8, d = 16", VAE(16, **options), (8, 8)),
            ("dense VAE, 28 × 28, d = 8", VAE(8, net="dense", **options), (28, 28)),
            ("convolutional VAE, 28 × 28, d = 8", VAE(8, net="convolutional", **options), (28, 28)),
            ("convolutional VAE, 64 × 64 × 3, d = 16", VAE(16, net="convolutional", **options), (64, 64, 3)),
        ):
            print(row(page, name, model, rng.random((200, *shape))), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
