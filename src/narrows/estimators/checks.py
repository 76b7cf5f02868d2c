"""What the options that every named model has may be, where it takes more than a word to say, and must be together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from narrows.arguments import plain, rate, real
from narrows.estimators.allowed import Rules
from narrows.fitted.limits import rate_of
from narrows.models.corruptions import CORRUPTIONS
from narrows.models.priors.flows import require_zuko
from narrows.training.processor import device_for

__all__ = ["SHARED", "check_column_weights", "check_contamination", "check_device", "check_false_alarms", "check_noise"]


def check_noise(name: str, value: Any) -> tuple[float, float]:
    """Return how much noise there is at the first step and at the last: the same, if ``value`` is one number.

    Raises
    ------
    TypeError, ValueError
        If it is neither one number from 0 on nor a pair of them.
    """
    pair = plain(value)
    pair = pair if isinstance(pair, tuple) else (pair, pair)
    if len(pair) != 2:
        raise ValueError(f"{name}={value!r} must be one number, or a pair: for the start of training and for its end")
    return real(name, pair[0], 0), real(name, pair[1], 0)


def check_column_weights(name: str, value: Any) -> None:
    """Refuse what is neither None nor weights ≥ 0 by column name."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise TypeError(f"{name}={value!r} must be weights ≥ 0 by column name, such as {{'age': 2.0}}")
    for column, weight in value.items():
        real(f"{name}[{column!r}]", weight, 0)


def check_device(_: str, value: str) -> None:
    """Refuse a device that is not here."""
    device_for(value, 0)


def check_contamination(name: str, value: Any) -> None:
    """Refuse what is neither None nor in (0, 0.5]."""
    if value is not None:
        real(name, value, 0, 0.5, low_included=False)


def check_false_alarms(name: str, value: Any) -> None:
    """Refuse what is neither None nor in (0, 1)."""
    if value is not None:
        rate(name, value)


def _one_threshold(options: Any) -> None:
    rate_of(options.contamination, options.false_alarms)


def _sigma_is_a_gaussians(options: Any) -> None:
    if options.sigma != "learned" and options.likelihood != "gaussian":
        raise ValueError(f"sigma={options.sigma} is for likelihood='gaussian', not {options.likelihood!r}")


def _level_of_corruption(options: Any) -> None:
    for level in options.noise_levels():
        real("input_noise", level, 0, CORRUPTIONS[options.corruption].largest)


def _zuko_for_flows(options: Any) -> None:
    if options.prior == "flow":
        require_zuko()  # now, not after the training


def _one_process_on_a_gpu(options: Any) -> None:
    if options.devices * options.nodes > 1 and device_for(options.device, 0).type != "cpu":
        raise ValueError(f"device={options.device!r} is for one process; several devices or nodes train on the CPU")


SHARED: Rules = (_sigma_is_a_gaussians, _level_of_corruption, _zuko_for_flows, _one_process_on_a_gpu, _one_threshold)
"""Rules of the options that every named model has."""
