"""What a model does to tables larger than memory, some rows at a time: written in parts, each whole, and gone on with.

A folder of parts also says in a journal which of them are there. What was killed goes on after the last of these when
the same command is given once more, and comes to the same bytes.
"""

from __future__ import annotations

import hashlib
import heapq
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from threadpoolctl import ThreadpoolController

from narrows.arguments import closest
from narrows.data.ahead import Interruptible, in_order
from narrows.data.delimited import Delimited
from narrows.data.errors import DataError
from narrows.data.filling import filled_table, filled_text
from narrows.data.parts import BATCHES, Part, Parts, is_parquet
from narrows.data.tables import label_column
from narrows.estimators import load
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.anomalies import p_values
from narrows.fitted.fitted import Fitted
from narrows.runs.anomalies import Rule
from narrows.runs.cells import reasons
from narrows.runs.files import Written, new_folder, write_json
from narrows.runs.imputing import frame_of, new_cells
from narrows.runs.journal import Journal
from narrows.runs.opening import find_model, marks_of, results_beside, types_of, warn_of_units, with_classes
from narrows.runs.using import SCORED
from narrows.scorer import columns_of, errors_of, known_columns, names_known
from narrows.training.processor import limited_threads

__all__ = ["anomalies", "denoise", "encode", "impute", "reconstruct"]

ODDEST = 20
"""Rows that the numbers name."""

MOST_WORKERS = 2
"""Batches that are worked at side by side, of which each takes memory."""

MISSING, FILLED = "missing in ", "filled in "
"""What the numbers of cells in a column are called in the journal, before its name."""

Told = Callable[[int], None]
"""Called with how many rows are done."""

Made = tuple[Any, dict[str, Any]]
"""What becomes of some rows, a table of Arrow's or text, and numbers that add up over all."""

Work = Callable[[BottleneckEstimator, Part, int], Made]
"""What is done with rows, of which the first has that number."""


class _Piece(NamedTuple):
    """What becomes of a batch: of which file it is and from which row on, how many rows are done, and what is made."""

    of: str
    first: int
    done: int
    made: Made


class _Opened(NamedTuple):
    """A model, as it was named, its file, and what that holds."""

    named: Path
    file: Path
    estimator: BottleneckEstimator


def _opened(model: Path) -> _Opened:
    file = find_model(model)
    return _Opened(model, file, load(file))


def encode(
    model: Path, data: str, out: Path | None, *, missing: Sequence[str] = (), scores: bool = False, told: Told
) -> Written:
    """Write the codes of a large table in parts, ``codes`` as `narrows.runs.using.encode` has them.

    Parameters
    ----------
    model
        As in `narrows.runs.opening.find_model`.
    data
        A table that `narrows.data.sources.is_large` is true of.
    out
        A new folder, or that of the same command when it was cut off; None takes a new one.
    missing
        As in `narrows.runs.opening.open_both`.
    scores
        Whether to add each row's anomaly score and log-density.
    told
        Called with how many rows are done, after each batch.
    """

    def work(estimator: BottleneckEstimator, part: Part, _: int) -> Made:
        X, y = part.dataset.X, part.dataset.y
        return _table(columns_of(estimator, X, y, SCORED if scores else SCORED[:1])), {}

    return _stream("encode", _opened(model), data, out, missing, {"scores": scores}, work, told)


def anomalies(
    model: Path,
    data: str,
    out: Path | None,
    *,
    missing: Sequence[str] = (),
    by: str = "auto",
    false_alarms: float | None = None,
    told: Told,
) -> Written:
    """Write how odd the rows of a large table are, in its own order and in parts; the numbers name the oddest.

    Parameters
    ----------
    model, data, out, missing, told
        As in `encode`.
    by, false_alarms
        As in `narrows.runs.anomalies.find_anomalies`.
    """
    opened = _opened(model)
    rule = Rule.of(opened.estimator, by, false_alarms)

    def work(estimator: BottleneckEstimator, part: Part, first: int) -> Made:
        X, y = part.dataset.X, part.dataset.y
        scores = estimator.anomaly_score(X, y, by=by)
        odd, rows = scores > rule.limit, np.arange(first, first + len(scores))
        columns = {"example": rows, "score": scores, "p_value": p_values(scores, rule.compared), "odd": odd}
        columns |= reasons(estimator, X, y, odd, by, rule.rate)
        top = np.argsort(-scores, kind="stable")[:ODDEST]
        oddest = np.stack([scores[top], rows[top]], 1).tolist()
        return _table(columns), {"odd": int(odd.sum()), "oddest": oddest}

    return _stream("anomalies", opened, data, out, missing, rule.told, work, told)


def reconstruct(model: Path, data: str, out: Path | None, *, missing: Sequence[str] = (), told: Told) -> Written:
    """Write the rows of a large table pressed through the bottleneck and back, each with its error, in parts.

    Parameters
    ----------
    model, data, out, missing, told
        As in `encode`.
    """

    def work(estimator: BottleneckEstimator, part: Part, _: int) -> Made:
        import pyarrow as pa  # type: ignore[import-untyped]

        errors = errors_of(estimator, part.dataset.X, part.dataset.y)
        made = _restored(estimator, part)
        return made.append_column("reconstruction_error", pa.array(errors)), {"error": float(errors.sum())}

    return _stream("reconstruct", _opened(model), data, out, missing, {}, work, told)


def denoise(model: Path, data: str, out: Path | None, *, missing: Sequence[str] = (), told: Told) -> Written:
    """Write the rows of a large table without their noise, in parts.

    Parameters
    ----------
    model, data, out, missing, told
        As in `encode`.
    """

    def work(estimator: BottleneckEstimator, part: Part, _: int) -> Made:
        return _restored(estimator, part), {}

    return _stream("denoise", _opened(model), data, out, missing, {}, work, told)


def impute(
    model: Path, data: str, out: Path | None, *, missing: Sequence[str] = (), seed: int = 0, told: Told
) -> Written:
    """Write a large table once more in parts, with its missing cells filled and all others as they were.

    Parameters
    ----------
    model, data, out, missing, told
        As in `encode`; parts of a CSV file are CSV.
    seed
        Of the codes that are drawn, the same for all rows.
    """

    def work(estimator: BottleneckEstimator, part: Part, _: int) -> Made:
        dataset = part.dataset
        before = frame_of(dataset.X)
        cells = new_cells(before, frame_of(estimator.impute(dataset.X, dataset.y, random_state=seed)))
        numbers = {f"{MISSING}{name}": int(n) for name, n in before.isna().sum().items()}
        numbers |= {f"{FILLED}{name}": len(own) for name, own in cells.items()}
        if isinstance(part.held, Delimited):
            heading = part.held.heading
            text = filled_text(heading + part.held.text, part.held, cells)
            return text if part.begins else text[len(heading) :], numbers
        return filled_table(part.held, cells), numbers

    return _stream("impute", _opened(model), data, out, missing, {"seed": seed}, work, told)


def _stream(
    verb: str,
    opened: _Opened,
    data: str,
    out: Path | None,
    missing: Sequence[str],
    options: dict[str, Any],
    work: Work,
    told: Told,
) -> Written:
    """Do the ``work`` of a verb on all rows, but for the parts that are there already."""
    model, file, estimator = opened
    fitted = estimator.fitted_
    parts = _for_model(fitted, Parts.of(data, missing or marks_of(results_beside(file)), types_of(fitted)), data)
    journal = Journal(
        _folder(out, f"{verb}-{parts.name}"),
        {
            "verb": verb,
            "model": hashlib.sha256(file.read_bytes()).hexdigest(),
            "data": parts.identity(),
            "missing": list(parts.missing),
            "rows": [parts.rows, BATCHES],
            **options,
        },
    )

    suffix = ".csv" if verb == "impute" and not is_parquet(parts.files[0]) else ".parquet"
    worked = Interruptible(partial(_worked, work, estimator, model))
    workers = min(torch.get_num_threads(), MOST_WORKERS)
    with (
        limited_threads(1),
        ThreadpoolController().limit(limits=1, user_api="blas"),
        closing(in_order(worked, _left(parts, journal), workers, workers, worked.interrupt)) as done,
    ):
        for head in done:
            assert head is not None
            made = _of_part(chain([head], done), told)
            name = f"part-{len(journal.parts):05}{suffix}"
            journal.add(name, made, {"of": head.of, "first": head.first, "rows": 0})
    numbers = {"examples": journal.rows, **_totals(journal), **options}
    numbers |= {"latent_dim": fitted.latent_dim} if verb == "encode" else {}
    parts_there = [{name: part[name] for name in ("part", "of", "first", "rows")} for part in journal.parts]
    results = write_json(journal.folder / "results.json", {**numbers, "parts": parts_there})
    journal.close()
    return Written(numbers, [journal.folder / parts_there[0]["part"], results])


def _for_model(fitted: Fitted, parts: Parts, data: str) -> Parts:
    """Return ``parts`` as they are read for a model, having seen that all the columns are there that it needs.

    Warns
    -----
    UserWarning
        If there are others, which are left out of account; what they hold does not matter then.
    """
    known = names_known(fitted)
    if known is None:
        return parts
    needed = known if fitted.table is None else tuple(str(column.name) for column in fitted.table.modelled)
    lacking = next((name for name in needed if name not in parts.names), None)
    if lacking is not None:
        raise DataError(
            f"DATA {data} has no column {lacking!r}, which the model was fitted to{closest(lacking, parts.names)}"
        )
    label = label_column(parts.names, parts.types or {}) if fitted.conditional else None
    others = [name for place, name in enumerate(parts.names) if name and name not in known and place != label]
    if others:
        warnings.warn(f"{data}: columns that the model does not know are left out: {', '.join(others)}", stacklevel=4)
    return replace(parts, types={**(parts.types or {}), **dict.fromkeys(others, "text")})


def _folder(out: Path | None, name: str) -> Path:
    """Return the folder of the parts, which may be there already."""
    if out is None:
        return new_folder(None, name)
    if out.suffix in (".csv", ".npy", ".parquet") or (out.exists() and not out.is_dir()):
        raise DataError(f"--out {out} must be a folder: what is read in parts is written in parts")
    out.mkdir(parents=True, exist_ok=True)
    return out


def _left(parts: Parts, journal: Journal) -> Iterator[tuple[Part | None, int]]:
    """Yield the rows that are not in the ``journal`` yet, with how many stand before them, and None after each part."""
    before, there = journal.rows, Counter(part["of"] for part in journal.parts)
    for file in parts.files:
        batch = 0
        for batch, part in enumerate(parts.batches(file, BATCHES * there[file.name]), 1):
            yield part, before
            before += len(part.dataset.X)
            if batch % BATCHES == 0:
                yield None, before
        if batch % BATCHES:
            yield None, before


def _worked(work: Work, estimator: BottleneckEstimator, model: Path, part: Part | None, before: int) -> _Piece | None:
    """Do the ``work`` on some rows, after that many ``before`` them; say which they are if it fails."""
    if part is None:
        return None
    fitted, n = estimator.fitted_, len(part.dataset.X)
    try:
        known = replace(part.dataset, X=known_columns(fitted, part.dataset.X))
        dataset = with_classes(fitted, known, f"{part.told} have", model)
        if not before:
            warn_of_units(fitted, dataset)
        made, numbers = work(estimator, part._replace(dataset=dataset), before)
    except (TypeError, ValueError) as error:
        said = str(error)
        raise DataError(said if said.startswith(part.told) else f"{part.told}: {said}") from error
    return _Piece(part.file.name, part.first, before + n, (made, {"rows": n, **numbers}))


def _of_part(done: Iterator[_Piece | None], told: Told) -> Iterator[Made]:
    """Yield what is made of a part's pieces, each once it is said how many rows are done."""
    for piece in done:
        if piece is None:
            return
        told(piece.done)
        yield piece.made


def _totals(journal: Journal) -> dict[str, Any]:
    """Return the sums over all parts of what is known of each."""
    totals: dict[str, Any] = {}
    for part in journal.parts:
        for name, number in part.items():
            if name not in ("part", "of", "first", "rows"):
                totals[name] = totals[name] + number if name in totals else number
    if "error" in totals:
        totals["mean"] = totals.pop("error") / journal.rows
    if "oddest" in totals:
        totals["oddest"] = [int(row) for _, row in heapq.nlargest(ODDEST, map(tuple, totals["oddest"]))]
    if any(name.startswith(MISSING) for name in totals):
        gaps, filled = (_taken(totals, kind) for kind in (MISSING, FILLED))
        left = {name: n - filled.get(name, 0) for name, n in gaps.items()}
        totals |= {"missing": sum(gaps.values()), "filled": {name: n for name, n in filled.items() if n}}
        totals["left"] = {name: n for name, n in left.items() if n}
    return totals


def _taken(totals: dict[str, Any], kind: str) -> dict[str, int]:
    """Take out the numbers of a ``kind``, and return them by column."""
    return {name.removeprefix(kind): totals.pop(name) for name in list(totals) if name.startswith(kind)}


def _table(columns: dict[str, Any]) -> Any:
    import pyarrow as pa

    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


def _restored(estimator: BottleneckEstimator, part: Part) -> Any:
    """Return rows pressed through the bottleneck and back, as a table of Arrow."""
    import pyarrow as pa

    made, names = estimator.reconstruct(part.dataset.X, part.dataset.y), estimator.fitted_.feature_names
    if not isinstance(made, np.ndarray):
        frame = made if isinstance(made, pd.DataFrame) else made.to_pandas()
        return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    return _table(dict(zip(names or [f"feature{i}" for i in range(made.shape[1])], made.T, strict=True)))
