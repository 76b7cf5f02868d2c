"""Make the explorer's and a report's pictures that the documentation shows.

``.venv/bin/python docs/make_screenshots.py``: Chromium and playwright are needed; the models are trained first,
which takes about a minute.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

MODELS = (("autoencoder", 2), ("autoencoder", 8), ("denoising", 8), ("vae", 8))
SECONDS = 12
"""For which a model learns before its picture is taken."""

VIEWS = {
    "plane": "view=plane&model=autoencoder-2&z=5.5,8",
    "code": "view=code&model=autoencoder-8&example=0",
    "boolean": "view=boolean",
}
"""The address of each picture, after the #."""

ROW = 'view=row&example=4&held={"age":"60","visits":"5"}'
"""That of the picture of a row, of the table that the page on tables makes."""


def keep(page: Page, name: str) -> None:
    """Write what the page shows, in colours few enough for a small file."""
    page.wait_for_timeout(1500)  # until tiles and strips are drawn
    image = Image.open(BytesIO(page.screenshot())).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)


def train(page: Page, address: str) -> None:
    """Let a model learn for a while, and take its picture."""
    page.goto(f"{address}#view=train&kind=VAE&d=2")
    page.locator("html[data-ready]").wait_for()
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(SECONDS * 1000)
    page.get_by_role("button", name="Pause").click()
    keep(page, "explorer-train")


def make_table(folder: Path) -> None:
    """Write the table that the page on tables makes, and a model of it."""
    page = (PICTURES.parent / "table.md").read_text(encoding="utf-8")
    code = page.split("```python\n", 1)[1].split("```", 1)[0]
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    options = ["people.csv", "--model", "vae", "--latent-dim", "4", "--out", "people"]
    subprocess.run([sys.executable, "-m", "narrows", "train", *options], cwd=folder, check=True)


def report(page: Page, path: Path) -> None:
    """Take a picture of the beginning of a report."""
    page.goto(path.as_uri())
    page.wait_for_load_state()
    keep(page, "report")


@contextmanager
def explorer(folder: Path, runs: list[str], data: str) -> Iterator[str]:
    """Open ``runs`` in the explorer; the value is its address."""
    command = [sys.executable, "-m", "narrows", "explore", *runs, "--data", data, "--no-browser"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield [server.stdout.readline() for _ in range(2)][1].strip()
        server.terminate()


def show(browser: Browser, address: str, name: str, state: str) -> None:
    """Take a picture of a view."""
    page = browser.new_page(viewport={"width": 1180, "height": 1020}, locale="en-GB")
    page.goto(f"{address}#{state}")
    page.locator("html[data-ready]").wait_for()
    keep(page, f"explorer-{name}")
    page.close()


def row(browser: Browser, folder: Path) -> None:
    """Take a picture of a row of a table."""
    make_table(folder)
    with explorer(folder, ["people"], "people.csv") as address:
        show(browser, address, "row", ROW)


def main() -> None:
    """Train, open a report and the explorer, and take the pictures."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        row(browser, folder)
        for model, d in MODELS:
            options = ["--model", model, "--latent-dim", str(d), "--out", f"{model}-{d}"]
            subprocess.run([sys.executable, "-m", "narrows", "train", "digits", *options], cwd=folder, check=True)
        report(browser.new_page(viewport={"width": 900, "height": 1000}), folder / "autoencoder-8" / "report.html")
        with explorer(folder, [f"{model}-{d}" for model, d in MODELS], "digits") as address:
            for view, state in VIEWS.items():
                show(browser, address, view, state)
            train(browser.new_page(viewport={"width": 1180, "height": 1020}, locale="en-GB"), address)
        browser.close()


if __name__ == "__main__":
    main()
