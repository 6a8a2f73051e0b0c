"""Crash films: the steps that led to a contact, from both parties' ways and the scene's events."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.errors import SceneError
from monitor.scene.hours import crash
from monitor.scene.hours.contact import Contact
from monitor.scene.hours.crash_steps import Found, Pose, antecedents, closing_soon, entered
from monitor.scene.hours.segments import truth_path

AT_S = 100.0
TIMES = [round(AT_S - 8.0 + 0.05 * step, 2) for step in range(160)]


def way(x: float, y: float, vx: float, vy: float, half: tuple[float, float]) -> tuple[Pose, ...]:
    """Straight, with its middle at (x, y) at the contact."""
    heading, speed = math.atan2(vy, vx), math.hypot(vx, vy)
    return tuple(
        Pose(t, (x + vx * (t - AT_S), y + vy * (t - AT_S), heading, *half), speed) for t in TIMES
    )


CAR = (2.2, 0.9)
PERSON = (0.28, 0.28)


def found(kind: str, *, turner: int | None = None) -> Found:
    comes = way(0.0, -2.5, 0.0, 10.0, CAR)
    other = {
        "pedestrian_struck": way(0.5, 0.0, -3.0, 0.0, PERSON),
        "cyclist_struck": way(0.3, 0.7, 0.0, 5.0, (0.9, 0.3)),
        "side_impact": way(1.5, 0.5, -5.0, 0.0, CAR),
        "rear_end": way(0.0, 2.5, 0.0, 4.0, CAR),
    }[kind]
    contact = Contact(150.0 + AT_S, 1, 2, 6.0, 0.0, 0.0, kind == "pedestrian_struck")
    return Found(0, AT_S, turner, {1: comes, 2: other}, contact)


def event(t_s: float, kind: str, actor: int, other: int | None = None, value: float = 6.0) -> Any:
    return {"t_s": t_s, "kind": kind, "actor": actor, "other": other, "value": value}


def test_who_crosses_is_in_the_way_since_its_body_came_within_reach_of_it() -> None:
    since_s = entered(way(0.5, 0.0, -3.0, 0.0, PERSON), way(0.0, -2.5, 0.0, 10.0, CAR))
    # Its edge, 0.28 m ahead of it, is 0.6 m from the car's side, 0.9 m from the car's middle.
    assert since_s == pytest.approx(AT_S - (0.9 + 0.6 + 0.28 - 0.5) / 3.0, abs=0.06)


def test_who_drives_ahead_in_the_same_lane_did_not_enter() -> None:
    ahead, behind = way(0.0, 2.5, 0.0, 10.0, CAR), way(0.0, -2.5, 0.0, 10.0, CAR)
    assert entered(ahead, behind) is None
    assert entered(way(9.0, 0.0, 0.0, 10.0, CAR), behind) is None  # a lane away


def test_closing_is_soon_two_seconds_before_the_gap_is_gone() -> None:
    behind, ahead = way(0.0, -3.1, 0.0, 10.0, CAR), way(0.0, 0.0, 0.0, 5.0, (0.9, 0.3))
    assert closing_soon(behind, ahead) == pytest.approx(AT_S - 2.0, abs=0.06)
    assert closing_soon(ahead, behind) is None


def test_the_steps_of_every_kind_in_the_films_own_time() -> None:
    from_s = AT_S - 28.0
    out = [event(26.9, "pedestrian_in_road", 2), event(27.0, "pedestrian_in_road", 9)]
    steps = antecedents("pedestrian_struck", found("pedestrian_struck"), out, from_s)
    assert [one["kind"] for one in steps] == ["pedestrian_in_road", "path_entered"]
    assert [one["actor"] for one in steps] == [2, 2]

    braked = [event(27.6, "hard_brake", 1), event(27.5, "hard_brake", 7)]
    steps = antecedents("side_impact", found("side_impact", turner=2), braked, from_s)
    assert {one["kind"]: one["actor"] for one in steps} == {"path_entered": 2, "hard_brake": 1}

    steps = antecedents("cyclist_struck", found("cyclist_struck"), [], from_s)
    assert [one["kind"] for one in steps][:1] == ["closing"]
    assert all(20.0 < one["t_s"] < 28.0 for one in steps)


def test_a_headway_that_keeps_the_two_second_rule_led_to_nothing() -> None:
    events = [
        event(25.0, "brake_light_onset", 2), event(25.1, "hard_brake", 2),
        event(25.1, "headway", 1, 2, 1.4), event(27.5, "hard_brake", 1),
    ]  # fmt: skip
    steps = antecedents("rear_end", found("rear_end"), events, AT_S - 28.0)
    assert [(one["t_s"], one["kind"]) for one in steps] == [
        (25.0, "hard_brake"), (25.1, "headway"), (27.5, "hard_brake"),
    ]  # fmt: skip
    events[2]["value"] = 2.4
    steps = antecedents("rear_end", found("rear_end"), events, AT_S - 28.0)
    assert "headway" not in [one["kind"] for one in steps]


def test_a_film_is_complete_only_as_this_version_makes_it(tmp_path: Path) -> None:
    video = crash.path_of(tmp_path, "rear_end", 3)
    assert not crash.complete(tmp_path, "rear_end", 3)
    video.write_bytes(np.arange(9, dtype=np.uint8).tobytes())
    known = {"settings": crash.settings("rear_end", 3)}
    truth_path(video).write_text(json.dumps(known))
    assert crash.complete(tmp_path, "rear_end", 3)
    known["settings"]["version"] = 0
    truth_path(video).write_text(json.dumps(known))
    assert not crash.complete(tmp_path, "rear_end", 3)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(SceneError, match="no crash 'derailment'"):
        crash.find("derailment", 0)
