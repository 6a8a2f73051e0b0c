"""Every kind of incident happens, and the truth about it agrees with where everybody was."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from monitor.scene.camera import PinholeCamera
from monitor.scene.hours.contact import Contact
from monitor.scene.hours.incidents import KINDS, Director
from monitor.scene.hours.incidents.director import EVENT_OF
from monitor.scene.hours.ledger import Ledger
from monitor.scene.hours.stretch import HourFrame, begin, frames, seeded
from monitor.scene.record import VehicleState

# A seed with which the moment for it comes early, and the seconds to simulate.
CASES = {
    "rear_end": (0, 60.0), "side_impact": (4, 100.0), "pedestrian_struck": (1, 90.0),
    "cyclist_struck": (2, 100.0), "hard_brake": (0, 50.0), "sudden_stop": (0, 55.0),
    "wrong_way": (1, 60.0), "swerve": (0, 50.0), "near_miss": (4, 100.0),
    "stopped_in_lane": (0, 115.0), "pedestrian_in_road": (0, 70.0),
}  # fmt: skip


@dataclass
class Stretch:
    """Frames, and the truth about them."""

    frames: list[HourFrame] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    start_s: float = 0.0

    def of(self, kind: str) -> dict[str, Any]:
        """The incident's own event."""
        at = self.incidents[0]["t_s"]
        return next(e for e in self.events if e["kind"] == kind and e["t_s"] == at)

    def track(self, actor: int) -> list[tuple[float, VehicleState]]:
        return [(f.time_s, v) for f in self.frames for v in f.vehicles if v.id == actor]


@cache
def stretch(kind: str) -> Stretch:
    seed, lasts_s = CASES[kind]
    town = begin(seed, 0, 400.0)
    ledger, made = Ledger(PinholeCamera(), 10), Stretch(start_s=town.time_s)
    director = Director(town, ledger, (kind,), 40.0, seeded(seed, 0, "incidents"))
    for frame in frames(town, lasts_s, 10):
        director.frame(frame)
        ledger.frame(frame)
        made.frames.append(frame)
    ledger.end()
    director.end()
    made.events, made.incidents = ledger.events(), ledger.incidents
    made.contacts = town.contacts
    return made


def test_every_kind_has_a_case() -> None:
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_happens_in_view_with_its_time_and_place(kind: str) -> None:
    made = stretch(kind)
    assert [one["kind"] for one in made.incidents][:1] == [kind]
    incident = made.incidents[0]
    event = made.of(EVENT_OF.get(kind, kind))
    assert incident["begins_s"] - 0.2 <= event["t_s"] <= incident["over_s"] + 0.2
    assert event["frame"] == math.ceil(event["t_s"] * 10 - 1e-6)
    x, y, w, h = event["box"]
    assert w > 0.015
    assert 0.0 <= x <= x + w <= 1.0
    assert 0.0 <= y <= y + h <= 1.0


@pytest.mark.parametrize("kind", ["rear_end", "side_impact", "cyclist_struck"])
def test_momentum_is_kept_and_energy_is_not_made(kind: str) -> None:
    made = stretch(kind)
    contact = made.contacts[0]
    assert contact.closing_speed > 1.0
    event = made.of("contact")
    assert event["t_s"] == pytest.approx(contact.time_s - made.start_s, abs=1e-3)
    for actor in (contact.striking, contact.struck):
        after = [v.speed for t, v in made.track(actor) if t > event["t_s"] + 4.0]
        before = [v.speed for t, v in made.track(actor) if t < event["t_s"]]
        if before:  # a cyclist is no vehicle in the frames
            assert max(after[:10], default=0.0) == pytest.approx(0.0, abs=0.05)


def test_a_rear_end_follows_hard_braking_of_the_lead_and_says_the_headway() -> None:
    made = stretch("rear_end")
    contact = made.of("contact")
    braked = [e for e in made.events if e["kind"] == "hard_brake"
              and e["actor"] == contact["other"]]  # fmt: skip
    assert braked[0]["t_s"] < contact["t_s"]
    headway = next(e for e in made.events if e["kind"] == "headway"
                   and e["other"] == contact["other"])  # fmt: skip
    assert headway["actor"] == contact["actor"]
    frame = made.frames[headway["frame"]]
    lead = next(v for v in frame.vehicles if v.id == contact["other"])
    follower = next(v for v in frame.vehicles if v.id == contact["actor"])
    assert headway["value"] == pytest.approx(
        (lead.front_s - follower.front_s) / follower.speed, abs=1e-3
    )


def test_hard_braking_is_as_hard_as_told_and_goes_on_afterwards() -> None:
    made = stretch("hard_brake")
    event = made.of("hard_brake")
    track = made.track(event["actor"])
    hardest = max(-v.accel for t, v in track if event["t_s"] <= t < event["t_s"] + 2.0)
    assert event["value"] == pytest.approx(hardest, abs=1e-3)
    assert event["value"] > 5.0
    quiet = [v for t, v in track if event["t_s"] - 1.0 < t < event["t_s"] - 0.15]
    assert all(v.accel > -2.0 for v in quiet)
    assert min(v.speed for t, v in track if abs(t - event["t_s"]) < 2.5) > 0.5


def test_a_sudden_stop_is_a_standstill_within_four_seconds() -> None:
    made = stretch("sudden_stop")
    event = made.of("sudden_stop")
    assert 0.8 < event["value"] < 4.0
    at = {round(t, 1): v.speed for t, v in made.track(event["actor"])}
    assert at[round(event["t_s"], 1)] < 0.2
    assert at[round(event["t_s"] - event["value"], 1)] > 6.0


def test_the_wrong_way_is_on_the_other_side_and_towards_the_camera() -> None:
    made = stretch("wrong_way")
    event = made.of("wrong_way")
    after = [v for t, v in made.track(event["actor"]) if t > event["t_s"] + 1.5]
    assert len(after) > 10
    assert all(v.x > 0.5 for v in after)
    assert all(b.y < a.y for a, b in itertools.pairwise(after))


def test_a_swerve_leaves_the_path_and_comes_back() -> None:
    made = stretch("swerve")
    event = made.of("swerve")
    track = [(t, v.x) for t, v in made.track(event["actor"]) if t >= event["t_s"] - 0.5]
    start = track[0][1]
    assert max(abs(x - start) for t, x in track if t < event["t_s"] + 2.0) > 1.7
    assert abs(next(x for t, x in track if t > event["t_s"] + 3.6) - start) < 0.6


def test_a_near_miss_has_no_contact_and_less_than_a_second_left() -> None:
    made = stretch("near_miss")
    assert made.contacts == []
    assert 0.0 < made.of("near_miss")["value"] < 1.2


def test_a_breakdown_stands_as_long_as_told_and_others_do_not_hit_it() -> None:
    made = stretch("stopped_in_lane")
    event = made.of("stopped_in_lane")
    stood = [t for t, v in made.track(event["actor"]) if v.speed == 0.0]
    assert event["value"] == pytest.approx(stood[-1] - event["t_s"], abs=0.6)
    assert 38.0 < event["value"] < 62.0
    assert made.contacts == []


def test_somebody_run_over_lies_and_the_car_stops() -> None:
    made = stretch("pedestrian_struck")
    event = made.of("contact")
    lying = [w for f in made.frames if f.time_s > event["t_s"] + 1.0 for w in f.people if w.lies]
    assert lying
    assert {w.person.id for w in lying} == {event["other"]}
    speeds = [v.speed for t, v in made.track(event["actor"]) if t > event["t_s"] + 3.5]
    assert speeds[0] == 0.0


def test_who_crosses_where_it_is_not_allowed_is_not_run_over() -> None:
    made = stretch("pedestrian_in_road")
    event = made.of("pedestrian_in_road")
    assert made.contacts == []
    walks = [w.state.x for f in made.frames if f.time_s >= event["t_s"] for w in f.people
             if w.person.id == event["actor"]]  # fmt: skip
    assert min(walks) < 0.1 < 6.9 < max(walks) or max(walks) > -0.1 > -6.9 > min(walks)
