"""The verb that draws a map: map."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from narrows.cli.choosing import (
    Columns,
    Data,
    Epochs,
    Fit,
    Key,
    Missing,
    Out,
    Page,
    Range,
    Seed,
    Size,
    Strict,
)
from narrows.cli.learn import Named, Options, learn, options_of
from narrows.cli.reading import Reading
from narrows.cli.share import write_page

if TYPE_CHECKING:
    from narrows.data.dataset import Dataset
    from narrows.sweeps import Sweep

__all__ = ["map_"]


def map_(
    data: Data,
    model: Named = "autoencoder",
    option: Options = None,
    column: Columns = None,
    missing: Missing = None,
    epochs: Epochs = None,
    size: Size = None,
    fit: Fit = "crop",
    page: Page = None,
    key: Key = None,
    range_: Range = None,
    strict: Strict = False,
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Draw a map of your data, on which neighbours are alike and every place decodes to an example.

    In its folder are the picture, everyone's place as a table, the model, and a page to explore them with in any
    browser, as `narrows share` writes it: with examples of yours in it.
    """
    kind, options = options_of(model, option, conditional=False, recipe="map", epochs=epochs, processes=(1, 1))
    reading = Reading(data, size, fit, strict, column, missing, page, range_, key)
    learn("map", reading, kind, [2], seed, options, "", (out, False), draw=partial(_drawn, data))


def _drawn(data: str, result: Sweep, dataset: Dataset, folder: Path) -> list[Path]:
    """Write the picture, the page and the table."""
    from narrows.runs.files import by_itself
    from narrows.runs.mapping import draw_map
    from narrows.web.library import open_models
    from narrows.web.sharing import thinned

    files, page = draw_map(result, dataset, folder), folder / "map.html"
    with by_itself("the model is saved, but not shared as a page"):
        write_page(thinned(open_models([folder / "model.safetensors"], data)), page)
        return [*files[:1], page, *files[1:]]
    return files
