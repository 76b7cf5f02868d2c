"""Has a stream changed? The examples that come, scored by a model, and bet against until that pays."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from narrows.arguments import choice, real
from narrows.data.dataset import Dataset
from narrows.data.errors import DataError
from narrows.data.following import Following, News
from narrows.data.take import take
from narrows.estimators import load
from narrows.estimators.base import BottleneckEstimator
from narrows.evaluation.martingale import FEWEST, ConformalMartingale
from narrows.fitted.fitted import Fitted
from narrows.fitted.reference import SCORES
from narrows.runs.files import refuse_full
from narrows.runs.opening import find_model, marks_of, results_beside, types_of, warn_of_units, with_classes
from narrows.scorer import known_columns
from narrows.storage import write_atomically

__all__ = ["STATE", "Watched", "watch"]

STATE = "watch.json"
"""In a folder: all that a watch knows."""


class Watched(NamedTuple):
    """What has come of a watch.

    Attributes
    ----------
    examples
        That were looked at.
    log_capital
        The logarithm of the capital after them, or at the alarm.
    enough
        What it is at an alarm, at least.
    alarm
        Which example raised it, counted from 0; None if none has.
    where
        That example's line, row or file; "" if there is none.
    since
        Which example came next when the capital was least: about where the stream has changed, if it has.
    """

    examples: int
    log_capital: float
    enough: float
    alarm: int | None
    where: str
    since: int


def watch(
    model: Path,
    data: str,
    out: Path | None = None,
    *,
    by: str = "auto",
    missing: Sequence[str] = (),
    fit: str = "crop",
    every: float | None = None,
    told: Callable[[int, float], None] = lambda *_: None,
) -> Watched:
    """Bet against the examples' being like those that the model has held out in training, up to an alarm.

    See `narrows.evaluation.martingale`; the probability of any alarm in a stream like them, however long, is 10⁻⁴ at
    most.

    Parameters
    ----------
    model
        As in `narrows.runs.opening.find_model`.
    data
        As in `narrows.data.following.Following`.
    out
        A folder for the state, which is written after each piece of the data; where it is there, the watch goes on from
        it. Lines of the standard input are all new. None keeps nothing.
    by
        As in `anomaly_score`.
    missing, fit
        As in `narrows.runs.opening.open_both`.
    every
        Seconds after which to look for more at the end of the data; None ends there.
    told
        Called with how many examples were looked at, and the capital's logarithm, after each piece.

    Raises
    ------
    DataError
        If the model has too few held-out scores, an example cannot be read, or ``out`` holds another watch's state.
    """
    file = find_model(model)
    estimator = load(file)
    fitted = estimator.fitted_
    held_out = _ordinary_scores(fitted, by, model)
    if every is not None:
        real("every", every, 0)
    marks = tuple(missing or marks_of(results_beside(file)))
    following = Following(data, every, marks, types_of(fitted), like=fitted.input_shape, fit=fit)
    identity = {
        "model": hashlib.sha256(file.read_bytes()).hexdigest(),
        "data": Path(data).name,
        "by": by,
        "missing": list(marks),
        "fit": fit,
    }
    martingale, place, where = _resumed(out, identity) or (ConformalMartingale(held_out), {}, "")
    pieces = following.news(place) if martingale.alarm is None else iter(())
    for number, news in enumerate(pieces):
        dataset = with_classes(fitted, news.dataset, f"DATA {data} has", model)
        dataset = Dataset(dataset.name, known_columns(fitted, dataset.X), dataset.y)
        if not number:
            warn_of_units(fitted, dataset)
        where = _bet(martingale, _scores(estimator, dataset, by, data, news), news)
        told(martingale.n, martingale.log_capital)
        if out is not None and (news.place is not None or where):
            state = {"place": news.place or place, "where": where, "martingale": martingale.state()}
            write_atomically(out / STATE, json.dumps({"watch": identity, **state}).encode())
        place = news.place or place
        if where:
            break
    enough, alarm = -math.log(martingale.level), martingale.alarm
    return Watched(martingale.n, martingale.log_capital, enough, alarm, where, martingale.since)


def _ordinary_scores(fitted: Fitted, by: str, model: Path) -> NDArray[np.float64]:
    """Return the scores of the ordinary examples that ``model`` has held out, or say that they are too few."""
    held_out = fitted.held_out(choice("by", by, SCORES))
    known = 0 if fitted.contamination is not None else len(held_out)
    if known < FEWEST:
        raise DataError(
            f"MODEL {model} knows {known} scores of ordinary examples held out in training, and a watch needs {FEWEST} "
            "or more; train it without contamination, and on more examples"
        )
    return held_out


def _bet(martingale: ConformalMartingale, scores: NDArray[np.float64], news: News) -> str:
    """Bet against the scores of ``news`` up to an alarm, and return what the example is called that raises it."""
    for place, score in enumerate(scores):
        martingale.update([score])
        if martingale.alarm is not None:
            return news.named(place)
    return ""


def _scores(estimator: BottleneckEstimator, dataset: Dataset, by: str, data: str, news: News) -> NDArray[np.float64]:
    """Return how odd examples are, or name the first that the model refuses."""
    try:
        return estimator.anomaly_score(dataset.X, dataset.y, by=by)
    except (TypeError, ValueError):
        for place in range(len(dataset.X)):
            one = take(dataset.X, [place])
            try:
                estimator.anomaly_score(one, None if dataset.y is None else dataset.y[[place]], by=by)
            except (TypeError, ValueError) as error:
                raise DataError(f"DATA {data}, {news.named(place)}: {error}") from error
        raise


def _resumed(out: Path | None, identity: dict[str, Any]) -> tuple[ConformalMartingale, dict[str, Any], str] | None:
    """Return what an earlier watch has left in the folder ``out``, which is made if it is not there."""
    if out is None:
        return None
    out.mkdir(parents=True, exist_ok=True)
    path = out / STATE
    if not path.exists():
        refuse_full(out)
        return None
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        found = ConformalMartingale.of_state(state["martingale"]), dict(state["place"]), str(state["where"])
        before = dict(state["watch"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no state of a watch ({error}); name a new folder") from error
    for name, value in identity.items():
        if before.get(name) != value:
            raise DataError(
                f"--out {out} holds the state of another watch: its {name} was {before.get(name)!r} and is {value!r} "
                "now; name a new folder"
            )
    return found
