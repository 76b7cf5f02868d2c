"""The verb that draws a map: map."""

from __future__ import annotations

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
    """Draw a map of your data, on which neighbours are alike and every place decodes to an example."""
    from narrows.runs.mapping import draw_map

    kind, options = options_of(model, option, conditional=False, recipe="map", epochs=epochs, processes=(1, 1))
    reading = Reading(data, size, fit, strict, column, missing, page, range_, key)
    learn("map", reading, kind, [2], seed, options, "", (out, False), draw=draw_map)
