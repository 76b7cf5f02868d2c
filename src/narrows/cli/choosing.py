"""What several verbs let a person choose: arguments and options, and how their numbers are read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Columns",
    "Data",
    "Devices",
    "Epochs",
    "Files",
    "Fit",
    "Key",
    "Log",
    "Missing",
    "Model",
    "Nodes",
    "Out",
    "Page",
    "Range",
    "Recipe",
    "Seed",
    "Size",
    "Strict",
    "marks",
    "number",
    "page_of",
    "range_of",
    "whole",
    "wholes",
]


def number(text: str) -> float:
    """Return the number that ``text`` writes.

    Raises
    ------
    typer.BadParameter
        If it writes none.
    """
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None


def whole(text: str) -> int:
    """Return the whole number that ``text`` writes.

    Raises
    ------
    typer.BadParameter
        If it writes none.
    """
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def wholes(name: str, text: str) -> list[int]:
    """Return the whole numbers that the option ``name`` lists in ``text`` between commas.

    Raises
    ------
    ValueError
        If it lists anything else.
    """
    words = text.split(",")
    wrong = next((word for word in words if not word.strip().lstrip("+-").isdecimal()), None)
    if wrong is not None:
        raise ValueError(
            f"{name} {text!r} holds {wrong!r}; whole numbers between commas are expected, such as 1,2,4,8,16"
        )
    return [int(word) for word in words]


def marks(text: str | None) -> tuple[str, ...]:
    """Return what stands for missing cells, which ``--missing`` lists between commas."""
    return () if text is None else tuple(word.strip() for word in text.split(","))


def page_of(text: str) -> int | str:
    """Return the page that ``text`` names: a whole number, or all.

    Raises
    ------
    typer.BadParameter
        If it names none.
    """
    return text if text == "all" else whole(text)


def range_of(text: str) -> tuple[float, float]:
    """Return the range LOW,HIGH that the option ``--range`` says.

    Raises
    ------
    ValueError
        If it says none.
    """
    low, comma, high = text.partition(",")
    try:
        found = float(low), float(high)
    except ValueError:
        found = (0.0, 0.0)
    if not comma or not -math.inf < found[0] < found[1] < math.inf:
        raise ValueError(f"--range {text!r} must be LOW,HIGH, two numbers of which the first is less, such as 0,4095")
    return found


Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="digits, mnist, or a file or folder: .npy, .npz, .csv, .tsv, .parquet, IDX, an image, a folder of images.",
        show_default=False,
    ),
]
Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A model file, or a run folder that holds one.", show_default=False)
]
Out = Annotated[
    Path | None,
    typer.Option(help="A new folder for the results.", show_default="one under runs/", metavar="FOLDER"),
]
Seed = Annotated[int, typer.Option(parser=whole, metavar="N", help="The same seed gives the same result.")]
Size = Annotated[
    int | None,
    typer.Option(parser=whole, metavar="PIXELS", help="Scale image files to squares of this side."),
]
Fit = Annotated[
    str, typer.Option(metavar="HOW", help="How images become squares: crop to the middle, or pad with a border.")
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="NAME",
        help="Which array of an .npz, .h5, .h5ad, .mat or Zarr file holds the examples.",
        show_default="the only one",
    ),
]
Page = Annotated[
    str | None,
    typer.Option(
        parser=page_of,
        metavar="N|all",
        help="The page or slice of each image file, counted from 0, or all, each as an example.",
        show_default="the first; all slices of DICOM and NIfTI",
    ),
]
Range = Annotated[
    str | None,
    typer.Option(
        "--range",
        metavar="LOW,HIGH",
        help="The values that are black and white, in the data's units; what lies outside counts as these.",
        show_default="what the data reach",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Stop at an image file that cannot be used, instead of leaving it out.", show_default=False
    ),
]
Missing = Annotated[
    str | None,
    typer.Option(
        metavar="WORD,WORD,…",
        help="What stands for a missing cell of a table besides nothing, such as '?,NA,-999'; a model that was trained "
        "by a run knows it.",
        show_default=False,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=KIND",
        help="The kind of a table's column, where it is not what was found: real, positive, whole, count, binary, "
        "category, ordered, date or identifier, which is left out; may be repeated.",
        show_default=False,
    ),
]
Files = Annotated[
    bool, typer.Option("--files", help="Also write each image as a PNG file of its own.", show_default=False)
]
Epochs = Annotated[
    int | None,
    typer.Option(parser=whole, metavar="N", help="Passes over the data, at most.", show_default="by the data's size"),
]
Devices = Annotated[int, typer.Option(parser=whole, metavar="N", help="Processes that share each batch.")]
Nodes = Annotated[int, typer.Option(parser=whole, metavar="N", help="Machines, each with --devices processes.")]
Log = Annotated[
    str | None,
    typer.Option(
        metavar="WHERE", help="tensorboard: also write scalars and images for TensorBoard.", show_default=False
    ),
]
Recipe = Annotated[str, typer.Option(metavar="NAME", help="Named settings: default, or lecture.")]
