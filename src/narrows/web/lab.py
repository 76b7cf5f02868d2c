"""The training that a person watches: one at a time, in a process of its own, seen by all pages alike."""

from __future__ import annotations

import copy
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from typing import Any

import numpy as np
import torch

from narrows.data.dataset import Dataset
from narrows.data.take import take
from narrows.estimators.base import BottleneckEstimator
from narrows.estimators.fitting import begin, completed
from narrows.fitted.completion import unfinished
from narrows.models.nets import has_convolutions
from narrows.web.entry import Entry
from narrows.web.worker import Begin, Change, Go, News, every, work

__all__ = ["Lab", "Watched"]

SHOWN = 500
"""Held-out examples whose codes are shown, at most: often enough anew, also where they go through convolutions."""


class Watched:
    """A training as it is seen from outside.

    Parameters
    ----------
    number
        Its number, counted from 1.
    data
        All of it.
    source
        What `load_data` calls the data.
    estimator
        With the options that the training has; it stays as it is.

    Attributes
    ----------
    news
        The newest; before the first, none but the number.
    heard
        Whether there was any.
    kept
        The weights at the ends of epochs, thinned evenly; epoch 0 is before the first step.
    version
        Which counts the news.
    lock, memo
        What a question holds while it works out for all pages what is seen of the model, and where it puts that.
    """

    def __init__(self, number: int, data: Dataset, source: str, estimator: BottleneckEstimator) -> None:
        self.number, self.data, self.source, self.estimator = number, data, source, estimator
        self.begun = begin(estimator, data.X, data.y)
        member = self.begun.member
        held_out = member.validation if len(member.validation) else member.training
        self.examples = data.at(held_out.rows[:SHOWN].numpy())
        self.news, self.heard, self.version = News(number), False, 0
        start = {name: tensor.numpy().copy() for name, tensor in member.model.state_dict().items()}
        self.kept, self.now = {0: start}, start
        self.lock, self.memo = Lock(), dict[str, Any]()

    @property
    def convolutional(self) -> bool:
        """Whether its nets have convolutions."""
        return has_convolutions(self.begun.member.model)

    @property
    def options(self) -> dict[str, float]:
        """The options that were changed, and what they are now."""
        return {name: value for _, to in self.news.changes for name, value in to.items()}

    def take(self, news: News) -> None:
        """Take note of ``news``, which may be of another training."""
        if news.number != self.number:
            return
        if news.weights is not None:
            self.now = news.weights
        if news.whole:
            step = every(news.epoch)
            self.kept = {epoch: kept for epoch, kept in self.kept.items() if epoch % step == 0} | {news.epoch: self.now}
        self.news, self.heard, self.version = replace(news, weights=None, whole=False), True, self.version + 1

    def entry(self, epoch: int | None) -> Entry:
        """Return the model as it was at the end of ``epoch``, or as it is now, with held-out examples."""
        model, rows = self._model(epoch)
        estimator, begun = copy.copy(self.estimator), self.begun
        estimator.fitted_ = unfinished(
            model, begun.data, rows, kind=type(estimator).__name__, options=begun.options, seed=begun.seed
        )
        return Entry("training", estimator, self.examples, len(self.data.X), ())

    def fitted(self, epoch: int | None) -> BottleneckEstimator:
        """Return the estimator of that epoch's model, complete as after `fit`, with the options it ended with.

        Raises
        ------
        ValueError
            Before the end of the first epoch.
        """
        model, rows = self._model(epoch)
        if not rows:
            raise ValueError("nothing is learned before the end of the first epoch; train for at least one")
        estimator = copy.copy(self.estimator)
        estimator.set_params(**self.options)
        member = replace(self.begun.member, model=model)
        begun = replace(self.begun, options=self.begun.options | self.options, member=member)
        estimator.fitted_ = completed(begun, rows)
        return estimator

    def _model(self, epoch: int | None) -> tuple[Any, list[dict[str, float]]]:
        if epoch is not None and epoch not in self.kept:
            raise ValueError(f"epoch={epoch} is not kept; kept are {', '.join(map(str, self.kept))}")
        weights, rows = (self.now if epoch is None else self.kept[epoch]), self.news.rows
        model = copy.deepcopy(self.begun.member.model)
        model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
        return model, [row for row in rows if epoch is None or row["epoch"] <= epoch]


class Lab:
    """The process, what is trained in it, and what it is told.

    Attributes
    ----------
    watched
        The training, if there is one.
    """

    def __init__(self) -> None:
        self.watched: Watched | None = None
        self._count = 0
        self._lock = Lock()
        self._process: BaseProcess | None = None
        self._line: Connection | None = None
        self._listener: Thread | None = None
        self._post = ThreadPoolExecutor(1)  # data are more than a pipe holds, and a new process takes its time

    def begin(self, data: Dataset, source: str, estimator: BottleneckEstimator) -> None:
        """Set up a training in place of the one there was; it waits before the first step.

        Raises
        ------
        ValueError
            If the estimator cannot be trained on the data.
        """
        X = data.X if hasattr(data.X, "__array__") else take(data.X, np.arange(len(data.X)))
        with self._lock:
            self._count += 1
            self.watched = Watched(self._count, replace(data, X=X), source, estimator)
            if self._process is None or not self._process.is_alive():
                self._start()
            # Its prior is fitted here, and only if it is kept.
            told = copy.copy(estimator).set_params(prior="normal")
            self._tell(Begin(self._count, told, X, data.y))

    def tell(self, order: Go | Change) -> None:
        """Have the process do something.

        Raises
        ------
        ValueError
            If there is no training, or its process has ended.
        """
        with self._lock:
            if self.watched is None or self._process is None:
                raise ValueError("there is no training; start one")
            self._tell(order)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            process, self._process = self._process, None
        self._post.shutdown(wait=False, cancel_futures=True)
        if process is not None and self._listener is not None:
            process.terminate()
            self._listener.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # forked ones share locks with threads that they have not
        self._line, other = context.Pipe()
        self._process = context.Process(target=work, args=(other,), daemon=True)
        self._process.start()
        other.close()
        self._listener = Thread(target=self._listen, args=(self._process, self._line), daemon=True)
        self._listener.start()

    def _tell(self, order: Begin | Go | Change) -> None:
        assert self._line is not None
        self._post.submit(self._line.send, order)

    def _take(self, news: News) -> None:
        with self._lock:
            if self.watched:
                self.watched.take(news)

    def _listen(self, process: BaseProcess, line: Connection) -> None:
        """Take the news until the process ends, and say so if nobody wanted it to.

        Nobody else closes the line, which must not be while it is read, or waits for the process.
        """
        with line, suppress(EOFError, OSError):
            while True:
                self._take(line.recv())
        process.join()
        with self._lock:
            if self._process is process and self.watched:
                self._process = None
                error = f"the process that trained has ended (exit code {process.exitcode})"
                self.watched.take(replace(self.watched.news, mode="over", error=error))
