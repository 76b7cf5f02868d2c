"""Run the benchmarks that are named, or all: ``python3 dev.py bench [NAME ...]``; or ``against REV``, a commit."""

from __future__ import annotations

import sys

from benchmarks import (
    against,
    anomalies,
    cells,
    counts,
    denoising,
    drift,
    evaluation,
    explorer,
    filling,
    generation,
    growth,
    images,
    likelihood,
    maps,
    page,
    recipes,
    reconstruction,
    scaling,
    serving,
    stream,
    tables,
    training,
)

BENCHMARKS = {
    "recipes": recipes.main,
    "training": training.main,
    "growth": growth.main,
    "denoising": denoising.main,
    "likelihood": likelihood.main,
    "map": maps.main,
    "generation": generation.main,
    "reconstruction": reconstruction.main,
    "images": images.main,
    "anomalies": anomalies.main,
    "cells": cells.main,
    "drift": drift.main,
    "counts": counts.main,
    "filling": filling.main,
    "evaluation": evaluation.main,
    "explorer": explorer.main,
    "page": page.main,
    "scaling": scaling.main,
    "serving": serving.main,
    "stream": stream.main,
    "tables": tables.main,
}


def main(names: list[str]) -> int:
    """Run ``names``, or everything."""
    if len(names) == 2 and names[0] == "against":
        against.main(names[1])
        return 0
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
