"""A table's file once more, with some of its cells filled and every other byte as it was."""

from __future__ import annotations

import codecs
import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from narrows.data.cells import is_number
from narrows.data.delimited import LINES_LOOKED_AT, Delimited, read_delimited
from narrows.data.signed import SignedNumbers, is_signed

__all__ = ["filled_table", "filled_text", "write_filled"]

EXPONENTS, NEEDS_QUOTES = re.compile(r"[eE]"), re.compile(r'["\r\n]|^\s|\s$')

MOST_DECIMALS = 15

Cells: TypeAlias = "Mapping[str, pd.Series[Any]]"
"""What cells are to be filled with, by the column's name: a series for each, whose index is their rows."""


def write_filled(source: Path, target: Path, cells: Cells, missing: Sequence[str] = ()) -> Path:
    """Write the table at ``source`` to ``target`` with ``cells`` filled, and return ``target``.

    A CSV file keeps its bytes but for these cells, which are written as the others of their column: as many decimals,
    decimal commas, quotes. A Parquet file keeps its schema with all its metadata, its compression and its row groups.

    Parameters
    ----------
    source
        A file that `narrows.data.load_data` reads as a table.
    target
        A new file.
    cells
        Of columns without names those of their numbers, as text.
    missing
        As in `narrows.data.load_data`.
    """
    if source.name.lower().endswith(".parquet"):
        _fill_parquet(source, target, cells)
        return target
    file, gzipped = read_delimited(source, missing), source.suffix.lower() == ".gz"
    data = gzip.decompress(source.read_bytes()) if gzipped else source.read_bytes()
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    filled = mark + filled_text(data.decode("utf-8-sig"), file, cells).encode()
    target.write_bytes(gzip.compress(filled, mtime=0) if gzipped else filled)
    return target


def filled_text(text: str, file: Delimited, cells: Cells) -> str:
    """Return the ``text`` of a ``file``, names and lines, with ``cells`` filled, as `write_filled` does."""
    new: dict[tuple[int, int], str] = {}
    for name, own in cells.items():
        place = file.names.index(name)
        rows = own.index.to_numpy()
        new.update(
            zip(zip(rows.tolist(), [place] * len(rows), strict=True), _as_written(file, place, own), strict=True)
        )
    return "".join(_filled(text, file, new))


def _as_written(file: Delimited, place: int, values: pd.Series[Any]) -> list[str]:
    """Return ``values`` as the other cells of their column are written."""
    known = [cell for cell in file.column(place) if cell]
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        own = [cell for cell in known if is_signed(cell)]
        signed = SignedNumbers.of(own)
        if signed is not None:
            decimals = max(len(signed.plain(cell).partition(".")[2]) for cell in own)
            return [signed.written(float(value), decimals) for value in values]
    if pd.api.types.is_bool_dtype(values):
        first = known[0] if known else "True"
        style = str.upper if first.isupper() else str.lower if first.islower() else str
        return [style(str(bool(value))) for value in values]
    if pd.api.types.is_integer_dtype(values):
        return [str(int(value)) for value in values]
    if not pd.api.types.is_float_dtype(values):
        return [str(value) for value in values]
    numbers = [cell for cell in known if is_number(cell, commas=file.commas)]
    if any(map(EXPONENTS.search, numbers)):
        texts = [f"{value:.6g}" for value in values]
    else:
        decimals = max((len(cell.replace(",", ".").partition(".")[2]) for cell in numbers), default=0)
        texts = [f"{value:z.{min(decimals, MOST_DECIMALS)}f}" for value in values]
    return [text.replace(".", ",") for text in texts] if any("," in cell for cell in numbers) else texts


def _filled(text: str, file: Delimited, new: Mapping[tuple[int, int], str]) -> Iterator[str]:
    """Yield the pieces of a file's ``text``, with ``new`` cells by row and column in place of those that are there."""
    quoted = _quoted(text, file)
    done = 0
    for row, place, start, end in _spans(text, file):
        value = new.get((row, place))
        if value is None:
            continue
        raw = text[start:end]
        core = raw.strip()
        before, after = raw.split(core, 1) if core else ("", "")
        if place in quoted or core.startswith('"') or _needs_quotes(value, file):
            value, before, after = '"' + value.replace('"', '""') + '"', "", ""  # quotes count at the start alone
        yield from (text[done:start], before, value, after)
        done = end
    yield text[done:]


def _spans(text: str, file: Delimited) -> Iterator[tuple[int, int, int, int]]:
    """Yield each cell's row, counted from 0 below the names, its column, and where in ``text`` it begins and ends.

    Cells and lines are those that `csv.reader` finds.
    """
    mark = re.escape(file.separator)
    cell = re.compile(rf'((?:"(?:[^"]|"")*+(?:"|\Z))?[^{mark}\r\n]*)({mark}|\r\n|\r|\n|\Z)')
    row, place = -int(file.named), 0
    for found in cell.finditer(text):
        if not found[1] and not place and found[2] != file.separator:
            continue  # an empty line
        yield row, place, found.start(1), found.end(1)
        row, place = (row, place + 1) if found[2] == file.separator else (row + 1, 0)


def _quoted(text: str, file: Delimited) -> set[int]:
    """Return the columns whose known cells are all in quotes, and not because they need them, by the first lines."""
    quotes: dict[int, list[bool]] = {}
    needless: set[int] = set()
    for row, place, start, end in _spans(text, file):
        cell = text[start:end]
        if row >= LINES_LOOKED_AT:
            break
        if row >= 0 and cell.strip(' "'):
            quotes.setdefault(place, []).append(cell.startswith('"'))
            needless |= set() if _needs_quotes(cell.strip('"'), file) else {place}
    return {place for place, own in quotes.items() if all(own) and place in needless}


def _needs_quotes(value: str, file: Delimited) -> bool:
    return file.separator in value or NEEDS_QUOTES.search(value) is not None


def _fill_parquet(source: Path, target: Path, cells: Cells) -> None:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    with pq.ParquetFile(source) as file:
        table = file.read()
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    table = filled_table(table, cells)
    compression = groups[0].column(0).compression if groups and groups[0].num_columns else "SNAPPY"
    compression = "NONE" if compression == "UNCOMPRESSED" else compression
    rows = max([group.num_rows for group in groups], default=0) or None
    pq.write_table(table, target, compression=compression, row_group_size=rows)


def filled_table(table: Any, cells: Cells) -> Any:
    """Return a table of Arrow's with ``cells`` filled, in its own schema."""
    for name, own in cells.items():
        place = [str(one) for one in table.column_names].index(name)
        field = table.schema.field(place)
        table = table.set_column(place, field, _with_filled(table.column(place), field.type, own))
    return table


def _with_filled(column: Any, kind: Any, values: pd.Series[Any]) -> Any:
    """Return an Arrow column of type ``kind`` with ``values`` at their rows."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _with_levels(column, kind, values)
    if str(kind) == "string_view":  # of which Arrow takes no places
        return _with_filled(column.cast(pa.large_string()), pa.large_string(), values).cast(kind)
    own = pa.array(values.to_list(), type=pa.string() if pa.types.is_string(kind) else None).cast(kind, safe=False)
    places = np.arange(len(column))
    places[values.index.to_numpy()] = len(column) + np.arange(len(own))
    return pa.concat_arrays([column.combine_chunks(), own]).take(pa.array(places))


def _with_levels(column: Any, kind: Any, values: pd.Series[Any]) -> Any:
    """Return a dictionary-encoded column with ``values`` at their rows, of which some may be new to its dictionary."""
    import pyarrow as pa

    whole = column.unify_dictionaries().combine_chunks()
    levels = dict.fromkeys([*whole.dictionary.to_pylist(), *values])
    numbers = {level: index for index, level in enumerate(levels)}
    indices = whole.indices.to_numpy(zero_copy_only=False).astype(np.float64)
    indices[values.index.to_numpy()] = [numbers[value] for value in values]
    missing = np.isnan(indices)
    places = pa.array(np.where(missing, 0, indices).astype(np.int64), mask=missing).cast(kind.index_type)
    return pa.DictionaryArray.from_arrays(places, pa.array(list(levels), kind.value_type), ordered=kind.ordered)
