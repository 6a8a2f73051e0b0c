"""Segments of rendered hours added up, with numbers that can be checked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from workers.bench._hours_report import memory, report
from workers.evaluation.intervals import poisson, wilson


def segment(condition: str, traffic: str, **more: Any) -> dict[str, Any]:
    nothing = {"of": 0, "time_s": [], "value": []}
    errors = dict.fromkeys(("hard_brake", "brake_light_onset", "headway", "sudden_stop"), nothing)
    base: dict[str, Any] = {
        "condition": condition, "traffic": traffic, "watched_s": 1800.0, "free_s": 1800.0,
        "candidates": [], "alerts": [], "incidents": [], "errors": errors,
        "cpu_ms_per_picture": 4.0,
        "memory_mb": {"process": 1, "at_s": 0.0, "start": 90.0, "end": 150.0, "peak": 160.0},
    }  # fmt: skip
    return {**base, **more}


def incident(kind: str, *, detected: bool, error: float | None = None) -> dict[str, Any]:
    return {
        "kind": kind, "t_s": 10.0, "in_view": True, "at_once": detected, "detected": detected,
        "alerted": False, "delay_s": 0.5 if detected else None, "contact_error_s": error,
    }  # fmt: skip


def test_rates_are_of_normal_traffic_alone_with_exact_intervals() -> None:
    false = [{"t_s": 1.0, "kind": "impulse", "score": 1.2}]
    made = report(
        [segment("day", "normal", alerts=false), segment("day", "normal"),
         segment("day", "incidents", alerts=false * 3), segment("night", "normal")]
    )  # fmt: skip
    day = made["conditions"]["day"]
    assert day["hours"] == 1.0
    rate = day["alerts_per_camera_hour"]
    assert (rate["rate"], rate["count"], rate["by_kind"]) == (1.0, 1, {"impulse": 1})
    assert rate["interval"] == pytest.approx(list(poisson(1)))
    assert made["conditions"]["night"]["alerts_per_camera_hour"]["rate"] == 0.0
    assert made["all"]["hours"] == 1.5
    assert made["origin"] == "rendered"


def test_detection_is_by_kind_with_wilson_intervals_and_contact_errors() -> None:
    made = report(
        [segment("day", "incidents", incidents=[
            incident("rear_end", detected=True, error=-0.1),
            incident("rear_end", detected=False),
            incident("swerve", detected=True),
        ])]
    )  # fmt: skip
    day = made["conditions"]["day"]
    assert day["incidents"]["rear_end"]["detected"] == 1
    assert day["incidents"]["rear_end"]["interval"] == wilson(1, 2)
    assert day["incidents_all"]["of"] == 3
    assert day["contact_error_s"] == {"p50": 0.1, "p80": 0.1, "n": 1, "of": 2}
    assert day["alerts_per_camera_hour"] is None  # no hour of normal traffic: no rate


def test_memory_is_told_for_each_process_in_order() -> None:
    def at(process: int, at_s: float, start: float, end: float) -> dict[str, Any]:
        one = {"process": process, "at_s": at_s, "start": start, "end": end, "peak": end + 5}
        return segment("day", "normal", memory_mb=one)

    made = memory([at(7, 20.0, 151.0, 152.0), at(7, 10.0, 90.0, 150.0), at(8, 5.0, 91.0, 149.0)])
    assert made[0] == {
        "segments": 2, "start": 90.0, "after_first": 150.0, "end": 152.0, "peak": 157.0,
    }  # fmt: skip
    assert made[1]["segments"] == 1
