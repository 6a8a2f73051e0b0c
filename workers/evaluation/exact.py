"""Errors of evidence against a rendered scene's exact truth. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from workers.evaluation.catalogue import Label
from workers.evaluation.figures import Run
from workers.evaluation.found import Measured, Replay
from workers.evaluation.intervals import percentile
from workers.evaluation.scoring import is_near

_REACH_S: Final = 2.0
_SAME_MEANING: Final = frozenset({"headway", "sudden_stop", "hard_brake", "near_miss"})
"""Kinds whose value means the same in the truth, where the unit is the same too."""


def evidence_errors(runs: Sequence[Run]) -> dict[str, Any]:
    """Per kind of measurement: how many were measured, and how far off in time and value."""
    kinds = sorted({one.type for run in runs for one in run.entry.measurements})
    return {kind: _errors(kind, runs) for kind in kinds}


def _errors(kind: str, runs: Sequence[Run]) -> dict[str, Any]:
    of, time_errors, value_errors = 0, [], []
    for run in runs:
        for replay in run.replays:
            for true in run.entry.measurements:
                if true.type != kind or not replay.armed_s <= true.start_s <= replay.end_s:
                    continue
                of += 1
                stated = nearest(true, replay, run.entry.measurements)
                if stated is None:
                    continue
                time_errors.append(abs(stated.time_s - true.start_s))
                if (
                    true.type in _SAME_MEANING
                    and stated.unit == true.unit
                    and (stated.value is not None and true.value is not None)
                ):
                    value_errors.append(abs(stated.value - true.value))
    return {
        "of": of,
        "measured": len(time_errors),
        "time_error_s": _spread(time_errors),
        "value_error": _spread(value_errors),
    }


def nearest(true: Label, replay: Replay, among: Sequence[Label]) -> Measured | None:
    """The measurement of that kind, at that place, closest in time; the last word on it.

    ``among``: all that is true. What is closer in time to another of them there, as where one
    brakes after the other in a queue, is of that one, and tells nothing of this one.
    """
    fits = [
        one
        for one in replay.evidence
        if one.kind == true.type
        and abs(one.time_s - true.start_s) <= _REACH_S
        and _is_there(one, true)
        and not any(
            other.type == true.type
            and abs(one.time_s - other.start_s) < abs(one.time_s - true.start_s)
            and _is_there(one, other)
            for other in among
        )
    ]
    return min(fits, key=lambda one: (abs(one.time_s - true.start_s), -one.decided_s), default=None)


def _is_there(one: Measured, true: Label) -> bool:
    return true.box is None or one.box is None or is_near(one.box, true.box)


def _spread(values: list[float]) -> dict[str, float | None]:
    return {"p50": percentile(values, 0.5), "p80": percentile(values, 0.8)}
