"""What the service has done, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

__all__ = ["Metrics"]

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, of the histogram's buckets."""


class Metrics:
    """Counts since the start."""

    def __init__(self) -> None:
        self.requests = Counter[tuple[str, str, int]]()
        self.examples = Counter[tuple[str, str]]()
        self.refused = Counter[int]()
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = self.busy = 0.0
        self.batches = self.batched = 0

    def answered(self, model: str, verb: str, status: int, seconds: float, examples: int) -> None:
        """Count a request."""
        self.requests[model, verb, status] += 1
        self.examples[model, verb] += examples
        self.buckets[next((number for number, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))] += 1
        self.seconds += seconds

    def turned_away(self, status: int) -> None:
        """Count a connection that was closed before it had asked anything."""
        self.refused[status] += 1

    def computed(self, requests: int, seconds: float) -> None:
        """Count a batch."""
        self.batches += 1
        self.batched += requests
        self.busy += seconds

    def text(self, *, waiting: int, held: int, ready: bool) -> str:
        """Return them, and how many requests wait now, and how many bytes their bodies have."""
        lines = [
            *_counter("narrows_requests_total", "Requests answered.", self._requests()),
            *_counter("narrows_examples_total", "Examples, or codes, in them.", self._examples()),
            *_counter("narrows_connections_refused_total", "Connections closed unasked, by status.", self._refused()),
            *self._histogram(),
            *_counter("narrows_batches_total", "Batches computed.", [("", self.batches)]),
            *_counter("narrows_batched_requests_total", "Requests in them.", [("", self.batched)]),
            *_counter("narrows_batch_seconds_total", "Seconds spent computing.", [("", self.busy)]),
            *_gauge("narrows_requests_waiting", "Requests that wait for a batch, or are in it.", waiting),
            *_gauge("narrows_body_bytes", "Bytes in the bodies of requests under way.", held),
            *_gauge("narrows_ready", "Whether the models are warm.", int(ready)),
        ]
        return "\n".join([*lines, ""])

    def _requests(self) -> Iterator[tuple[str, float]]:
        for (model, verb, status), count in sorted(self.requests.items()):
            yield f'{{model="{model}",verb="{verb}",status="{status}"}}', count

    def _examples(self) -> Iterator[tuple[str, float]]:
        for (model, verb), count in sorted(self.examples.items()):
            if count:
                yield f'{{model="{model}",verb="{verb}"}}', count

    def _refused(self) -> Iterator[tuple[str, float]]:
        for status, count in sorted(self.refused.items()):
            yield f'{{status="{status}"}}', count

    def _histogram(self) -> Iterator[str]:
        name, total = "narrows_request_seconds", 0
        yield f"# HELP {name} How long requests took."
        yield f"# TYPE {name} histogram"
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self.buckets, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self.seconds}"
        yield f"{name}_count {total}"


def _counter(name: str, told: str, found: Iterator[tuple[str, float]] | list[tuple[str, float]]) -> list[str]:
    return [f"# HELP {name} {told}", f"# TYPE {name} counter", *(f"{name}{labels} {count}" for labels, count in found)]


def _gauge(name: str, told: str, value: float) -> list[str]:
    return [f"# HELP {name} {told}", f"# TYPE {name} gauge", f"{name} {value}"]
