"""Make the silent film of the explorer that the README shows.

``.venv/bin/python docs/make_film.py``: Chromium and playwright are needed; the models are trained first, which takes a
few seconds. The hand's way is always the same; what it moves is what the models say.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from make_screenshots import CHROMIUM, PICTURES, explorer
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, sync_playwright

SIZE, SHOWN = (1040, 860), (832, 688)
"""The window's width and height, and the film's."""

RATE, QUALITY, MOST_BYTES = 8, 40, 3_000_000
"""Frames a second, the quality of each, and what the film may take."""

DIMS = (1, 2, 8)

WALK = [(0.43, 0.5), (0.62, 0.2), (0.85, 0.15), (0.75, 0.48), (0.6, 0.9), (0.3, 0.75), (0.2, 0.5), (0.4, 0.38)]
"""Of the hand over the plane, in parts of its width and height, a second from place to place."""

NEAR = [(0.48, 0.52), (0.6, 0.35), (0.75, 0.6), (0.4, 0.75), (0.5, 0.5)]
"""After it has gone near."""

SLIDERS = [(0, (0.5, 0.1, 0.9, 0.35)), (1, (0.5, 0.95, 0.1, 0.6)), (2, (0.5, 0.05, 0.7))]
"""Which slider is moved, and to which parts of its length, a second from place to place."""

LINE = [(0.05, 0.5), (0.5, 0.6), (0.95, 0.5)]

HAND = [(0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12)]
"""The corners of an arrow."""


class Film:
    """Frames of a page, with the hand that it cannot show."""

    def __init__(self, page: Page) -> None:
        self.page, self.frames, self.hand = page, list[Image.Image](), (0.0, 0.0)

    def take(self, count: int = 1) -> None:
        """Take what is seen as so many frames, once what was asked for has been drawn."""
        self.page.wait_for_timeout(90)
        image = Image.open(BytesIO(self.page.screenshot())).convert("RGB")
        corners = [(x + self.hand[0], y + self.hand[1]) for x, y in HAND]
        ImageDraw.Draw(image).polygon(corners, fill="black", outline="white")
        self.frames += [image.resize(SHOWN, Image.Resampling.LANCZOS)] * count

    def move(self, place: tuple[float, float]) -> None:
        """Move the hand to a place of the window."""
        self.hand = place
        self.page.mouse.move(*place)

    def drag(self, element: Locator, way: Iterable[tuple[float, float]]) -> None:
        """Press at the first place of a way over an element, in parts of its size, and let go at the last."""
        places = list(way)
        self.move(_within(element, places[0]))
        self.take(3)
        self.page.mouse.down()
        for place in _between(places):
            self.move(_within(element, place))
            self.take()
        self.page.mouse.up()
        self.take(2)

    def wheel(self, turns: int, by: float) -> None:
        """Turn the wheel, a frame a turn."""
        for _ in range(turns):
            self.page.mouse.wheel(0, by)
            self.take()

    def save(self, path: Path) -> None:
        """Write the film, which runs again and again."""
        first, *others = self.frames
        first.save(path, save_all=True, append_images=others, duration=1000 // RATE, loop=0, quality=QUALITY, method=6)


def _within(element: Locator, place: tuple[float, float]) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]


def _between(places: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Go from place to place, a second each, slowly at both ends."""
    for start, end in pairwise(np.array(places)):
        for part in (1 - np.cos(np.linspace(0, np.pi, RATE + 1)[1:])) / 2:
            x, y = start + part * (end - start)
            yield float(x), float(y)


def visit(page: Page, address: str, state: str) -> None:
    """Show a view, from the beginning, at the same height of the window."""
    page.goto(f"{address}#{state}")
    page.reload()
    page.locator("html[data-ready]").wait_for()
    page.wait_for_timeout(800)
    page.evaluate("scrollTo(0, 110)")


def play(page: Page, address: str) -> Film:
    """Play what the film shows."""
    film = Film(page)
    visit(page, address, "view=plane&model=autoencoder-2")
    stage = page.locator(".stage")
    film.drag(stage, WALK)
    film.move(_within(stage, (0.43, 0.5)))
    film.wheel(9, -130)
    film.drag(stage, NEAR)
    visit(page, address, "view=code&model=autoencoder-8&renew=0")
    for slider, way in SLIDERS:
        film.drag(page.locator(".sliders input").nth(slider), [(part, 0.5) for part in way])
    visit(page, address, "view=plane&model=autoencoder-1")
    film.drag(stage, LINE)
    return film


def main() -> None:
    """Train, open the explorer, play, and write the film."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        options = ["--latent-dims", ",".join(map(str, DIMS)), "--out", "run"]
        subprocess.run([sys.executable, "-m", "narrows", "sweep", "digits", *options], cwd=folder, check=True)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with explorer(folder, ["run"], "digits") as address:
            width, height = SIZE
            film = play(browser.new_page(viewport={"width": width, "height": height}, locale="en-GB"), address)
        browser.close()
    path = PICTURES / "explorer.webp"
    film.save(path)
    size = path.stat().st_size
    print(f"{path}: {len(film.frames) / RATE:.0f} seconds, {size / 1e6:.2f} MB")
    assert size <= MOST_BYTES


if __name__ == "__main__":
    main()
