"""Write docs/formats.md from the list of formats that the tests read: ``.venv/bin/python docs/make_formats.py``."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.append(str(DOCS.parent / "tests"))

from file_formats import FORMATS  # noqa: E402 - the tests' own list

BEFORE = """# Formats that are read, and what becomes of their numbers

Made by `docs/make_formats.py` from the list of the tests, each of which reads such a file by another program and
compares every number. `narrows data FILE` says what was found, and what was done to it.

| format | suffix | becomes | needs |
|---|---|---|---|
"""

AFTER = """
- Images come upright, as their orientation says, and on white where they are transparent. An image of several channels
  is (H, W, C). What is more than bytes keeps its numbers; `--range LOW,HIGH` says which are black and white, where that
  is not what the data reach.
- Of a file with several pages the first is read; `--page N` takes another, `--page all` each as an example. Of a file
  with several arrays the only one of rows or images is read, or the one that `--key NAME` names, and the labels that
  lie next to it.
- In a folder, what cannot be read is passed over and listed with its reason, also HEIC and JPEG XL without
  `pillow-heif` and `pillow-jxl-plugin`, and kinds that are not read at all, such as EXR and raw photographs;
  `--strict` makes that an error. JPEG XL in colours comes as bytes, whatever it holds, which its plugin does not
  tell.
- Tables with names and columns of any kind are a matter of [their own](table.md): CSV, TSV and Parquet, and frames of
  pandas, polars and pyarrow.
- Data sets of torch and Hugging Face are read as they are, whatever format is set, and so are batches and streams, of
  which `count=10_000` takes so many examples onto the disk: see `narrows.data.load_data` in [the reference](api.md).
- Pickles, also inside `.npy`, `.npz`, `.pt` and CIFAR's Python files, are refused, since reading them may run
  programs; the message says how to save the numbers alone. MATLAB's structures and cells, complex numbers and IDX
  files of other things than bytes are named and not read.
- EMNIST's images lie on their side, as they are published; `X.swapaxes(1, 2)` turns them upright.
"""


def page() -> str:
    """Return the page's text."""
    rows = [
        f"| {row.name} | `{row.suffix}` | {row.becomes} | {f'`narrows[{row.extra}]`' if row.extra else ''} |"
        for row in FORMATS
    ]
    return BEFORE + "\n".join(rows) + "\n" + AFTER


if __name__ == "__main__":
    (DOCS / "formats.md").write_text(page(), "utf-8")
