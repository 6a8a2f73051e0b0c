"""Boxes of a detector to tracks: identity, motion by the flow, and what never moved."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable

import numpy as np
import pytest

from monitor.config.models import DetectorSettings
from monitor.domain import Actor
from monitor.errors import DetectorError
from monitor.trigger.detector.bodies import DetectedBodies
from monitor.trigger.detector.duty import Seen
from monitor.trigger.detector.outputs import Detections
from monitor.trigger.track import Track
from tests.street import HEIGHT_PX, WIDTH_PX, Car, Street

STEP_S = 0.15
EMPTY = Street(noise=0.0).luma(0.0)
CAR = Car(-30, 70, 60, seed=7)
OTHER = Car(330, 120, -75, seed=9)
Box = tuple[float, float, float, float]


def box(car: Car, time_s: float) -> Box:
    left = car.left(time_s)
    return max(0.0, left), car.y, min(float(WIDTH_PX), left + car.width), car.y + car.height


def seen(boxes: list[Box], people: list[bool] | None = None, score: float = 0.9) -> Seen:
    count = len(boxes)
    found = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, score, np.float32),
        np.zeros(count, np.int64),
    )
    return found, np.array(people or [False] * count, np.bool_)


def fresh(every: int = 1) -> DetectedBodies:
    settings = DetectorSettings(every=every)
    return DetectedBodies(WIDTH_PX, HEIGHT_PX, settings, itertools.count(100).__next__)


def follow(
    cars: tuple[Car, ...],
    end_s: float,
    detected: Callable[[int, float], Seen | None],
    bodies: DetectedBodies | None = None,
) -> list[tuple[float, list[Track]]]:
    bodies = bodies or fresh()
    street = Street(cars)
    told = []
    for index in range(round(end_s / STEP_S)):
        time_s = index * STEP_S
        bodies.update(time_s, street.luma(time_s), EMPTY, detected(index, time_s))
        told.append((time_s, list(bodies.tracks)))
    return told


def visible(cars: tuple[Car, ...], time_s: float, jitter_px: float = 1.5) -> Seen:
    random = np.random.default_rng(round(time_s * 1000))
    boxes = [np.array(box(car, time_s)) + random.normal(0, jitter_px, 4) for car in cars]
    return seen([
        (b[0], b[1], b[2], b[3]) for b in boxes if b[2] - b[0] > 8 and 0 < (b[0] + b[2]) / 2 < 320
    ])  # fmt: skip


@pytest.mark.parametrize("every", [1, 2, 3])
def test_two_that_pass_each_other_keep_their_names_and_speeds(every: int) -> None:
    cars = CAR, OTHER

    def detected(index: int, time_s: float) -> Seen | None:
        return visible(cars, time_s) if index % every == 0 else None

    told = follow(cars, 4.2, detected, fresh(every))
    names = {tuple(sorted(t.id for t in tracks)) for time_s, tracks in told if time_s > 2.0}
    assert len(names) == 1
    assert len(names.pop()) == 2
    for track in told[-1][1]:
        car = CAR if track.velocity[0] > 0 else OTHER
        assert track.velocity[0] == pytest.approx(car.speed, abs=0.06 * abs(car.speed))
        assert track.actor is Actor.VEHICLE
        foot = car.left(told[-1][0]) + car.width / 2, car.y + car.height
        assert track.foot == pytest.approx(foot, abs=3.0)


def test_the_jitter_of_boxes_is_not_motion() -> None:
    told = follow((CAR,), 4.2, lambda _, time_s: visible((CAR,), time_s, jitter_px=2.5))
    (track,) = told[-1][1]
    flowing = [s for s in track.history if s.by_flow and s.time_s > 1.5]
    assert len(flowing) > 10
    steps = np.diff([s.foot_x for s in flowing]) / np.diff([s.time_s for s in flowing])
    assert np.std(steps) < 2.0  # px/s; the boxes alone would give 2.5 * sqrt(2) / 0.15 = 24
    assert np.mean(steps) == pytest.approx(CAR.speed, abs=1.0)


def test_it_is_the_same_body_after_most_of_a_second_unseen() -> None:
    told = follow(
        (CAR,), 4.2, lambda _, t: seen([]) if 2.0 < t < 2.8 else visible((CAR,), t)
    )  # fmt: skip
    assert {t.id for _, tracks in told for t in tracks} == {told[-1][1][0].id}


def test_what_is_not_detected_any_more_is_dropped_after_a_second() -> None:
    told = follow((CAR,), 4.2, lambda _, t: visible((CAR,), t) if t < 2.0 else seen([]))
    assert [bool(tracks) for time_s, tracks in told if 1.7 < time_s < 2.6] == [True] * 6
    assert [tracks for time_s, tracks in told if time_s > 3.2] == [[]] * 6


def test_a_parked_car_is_no_track_until_it_drives() -> None:
    parked = Car(100, 70, 60, seed=7, from_s=4.0)
    told = follow((parked,), 7.0, lambda _, t: visible((parked,), t))
    assert all(not tracks for time_s, tracks in told if time_s < 4.0)
    assert len(told[-1][1]) == 1


def test_a_person_before_a_car_stays_a_person() -> None:
    person = Car(150, 60, 12, width=16, height=44, seed=12)

    def detected(_: int, time_s: float) -> Seen:
        return seen([box(CAR, time_s), box(person, time_s)], [False, True])

    told = follow((CAR, person), 4.2, detected)
    last = {track.actor: track for track in told[-1][1]}
    assert set(last) == {Actor.VEHICLE, Actor.PEDESTRIAN}
    assert last[Actor.PEDESTRIAN].velocity[0] == pytest.approx(12, abs=3)
    assert len({track.id for _, tracks in told for track in tracks}) == 2


def test_weak_boxes_carry_on_but_do_not_begin() -> None:
    begun = follow((CAR,), 3.0, lambda _, t: seen([box(CAR, t)], score=0.2))
    assert all(not tracks for _, tracks in begun)
    told = follow((CAR,), 4.2, lambda _, t: seen([box(CAR, t)], score=0.9 if t < 2.0 else 0.2))
    assert len({track.id for _, tracks in told for track in tracks}) == 1
    assert told[-1][1]


def test_after_forgetting_all_are_new_and_time_may_begin_again() -> None:
    bodies = fresh()
    before = follow((CAR,), 3.0, lambda _, t: visible((CAR,), t), bodies)[-1][1]
    bodies.forget()
    assert bodies.boxes == []
    after = follow((CAR,), 3.0, lambda _, t: visible((CAR,), t), bodies)[-1][1]
    assert before[0].id < after[0].id


def test_three_hundred_boxes_are_bounded() -> None:
    random = np.random.default_rng(1)
    corners = [(x, y, x + 9, y + 7) for x, y in random.uniform(0, 160, (300, 2)).tolist()]
    bodies = fresh()
    follow((), 1.5, lambda _, __: seen(corners), bodies)
    assert 0 < len(bodies.boxes) <= 64


def test_without_the_tracker_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackers", None)
    with pytest.raises(DetectorError, match=r"requirements-detector\.lock"):
        fresh()
