"""Hand-made measurements for the tests of monitor.evidence. t_s counts from the window's start."""

from __future__ import annotations

from typing import Any

from monitor.domain import (
    Actor,
    Box,
    Evidence,
    EvidenceKind,
    Incident,
    Severity,
    Trigger,
    Window,
)

START_MS = 1_760_000_000_000
WINDOW = Window(START_MS, START_MS + 28_000)

LEADER, FOLLOWER, WALKER = 3, 7, 12
LEADER_BOX: Box = (0.50, 0.50, 0.10, 0.08)
FOLLOWER_BOX: Box = (0.42, 0.54, 0.11, 0.09)
WALKER_BOX: Box = (0.68, 0.44, 0.02, 0.06)
FAR_BOX: Box = (0.02, 0.80, 0.10, 0.08)


def ev(kind: str, t_s: float, track: int | None = None, **fields: Any) -> Evidence:
    """One measurement; a walker's kinds get a pedestrian for an actor."""
    actor = Actor.PEDESTRIAN if kind == "pedestrian_in_road" else Actor.VEHICLE
    given: dict[str, Any] = {
        "id": f"{kind}-{track}-{START_MS + round(t_s * 1000)}",
        "actor": actor,
        "strength": 0.9,
        "time_uncertainty_s": 0.1,
    }
    return Evidence(
        kind=EvidenceKind(kind),
        time_ms=START_MS + round(t_s * 1000),
        track=track,
        **(given | fields),
    )


def rear_end(*, headway_s: float = 0.8, spread_s: float = 0.1) -> list[Evidence]:
    """Pedestrian at 11.0, leader's lamps at 12.1, its braking at 12.3, contact at 14.0."""
    return [
        ev("pedestrian_in_road", 11.0, WALKER, box=WALKER_BOX),
        ev("headway", 11.8, FOLLOWER, other=LEADER, value=headway_s, unit="s",
           uncertainty=spread_s, box=FOLLOWER_BOX),
        ev("brake_light_onset", 12.1, LEADER, value=1.6, box=LEADER_BOX),
        ev("hard_brake", 12.3, LEADER, value=0.45, unit="1/s", box=LEADER_BOX),
        ev("hard_brake", 13.2, FOLLOWER, value=0.6, unit="1/s", box=FOLLOWER_BOX),
        ev("contact", 14.0, FOLLOWER, other=LEADER, box=(0.48, 0.50, 0.16, 0.12)),
    ]  # fmt: skip


def distractors() -> list[Evidence]:
    """Other tracks, elsewhere, at telling times."""
    return [
        ev("pedestrian_in_road", 11.9, 40, box=FAR_BOX),
        ev("brake_light_onset", 12.6, 20, box=FAR_BOX),
        ev("hard_brake", 12.5, 20, value=0.7, unit="1/s", box=FAR_BOX),
        ev("headway", 11.9, 21, other=20, value=0.3, unit="s", box=FAR_BOX),
        ev("headway", 5.0, FOLLOWER, other=LEADER, value=2.9, unit="s", box=FOLLOWER_BOX),
        ev("stopped_in_lane", 3.0, 22, value=9.0, unit="s", box=FAR_BOX),
    ]


def incident(kind: str, t_s: float, *tracks: int, box: Box | None = None) -> Incident:
    """What watch would have opened."""
    time_ms = START_MS + round(t_s * 1000)
    trigger = Trigger(EvidenceKind(kind), time_ms, time_ms + 400, 1.4, "test", box, tracks)
    return Incident(
        f"cam-{time_ms}", "cam", Severity.HIGH, time_ms, time_ms, time_ms + 400, (trigger,)
    )
