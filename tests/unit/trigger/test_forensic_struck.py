"""Who was struck is gone; who only passed behind comes into view again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitor.domain import Actor, EvidenceKind, Trigger
from monitor.trigger.forensic.story import Findings, verdict_of
from monitor.trigger.forensic.struck import Struck, find_struck
from monitor.trigger.forensic.struck_told import course_of
from monitor.trigger.forensic.timeline import Place, Timeline
from monitor.trigger.forensic.window import Image, Window
from monitor.trigger.ground import pinhole_plane

WIDTH, HEIGHT = 640, 360
RATE = 10
CONTACT_S = 3.0
END_S = 6.0
WALKER, CAR = 900_001, 900_002
PLANE = pinhole_plane(-40.0, 0.18, WIDTH, HEIGHT)

Box = tuple[float, float, float, float]


def walker(time_s: float) -> Box:
    """Walks to the right at 15 pixels a second; the foot is on row 180."""
    left = 300.0 + 15.0 * (time_s - CONTACT_S)
    return left, 152.0, left + 11.0, 180.0


def car(time_s: float, speed: float = 90.0, foot: float = 182.0) -> Box:
    """Comes from the right and is at the walker's place at the contact."""
    left = 303.0 - speed * (time_s - CONTACT_S)
    return left, foot - 36.0, left + 62.0, foot


def scene(
    *, seen_again: bool = False, speed: float = 90.0, foot: float = 182.0, followed: bool = False
) -> tuple[Window, Image, Timeline]:
    """Six seconds; ``seen_again``: the walker is in the pictures after the car has passed."""
    empty = np.random.default_rng(1).integers(100, 108, (HEIGHT, WIDTH)).astype(np.uint8)
    times = np.arange(0.0, END_S, 1.0 / RATE)
    pictures, places = [], []
    for time_s in times.tolist():
        picture = empty.copy()
        body, vehicle = walker(time_s), car(time_s, speed, foot)
        there = time_s < CONTACT_S
        if there or seen_again:
            _draw(picture, body, 200)
        _draw(picture, vehicle, 30)
        pictures.append(picture)
        places.append(Place(time_s, WALKER, body, there or followed))
        if vehicle[2] > 0.0 and vehicle[0] < WIDTH:
            places.append(Place(time_s, CAR, vehicle))
    return Window(0, times, tuple(pictures)), empty, Timeline((), tuple(places), PLANE)


def _draw(picture: Image, box: Box, level: int) -> None:
    left, top, right, bottom = (max(0, round(one)) for one in box)
    picture[top:bottom, left:right] = level


def test_who_is_gone_after_a_car_came_was_struck_then() -> None:
    window, empty, told = scene()
    struck = find_struck(window, empty, told, CONTACT_S + 0.5)
    assert struck is not None
    assert (struck.person, struck.vehicle) == (WALKER, CAR)
    assert struck.time_s == pytest.approx(CONTACT_S, abs=0.2)


def test_who_comes_into_view_again_was_not() -> None:
    window, empty, told = scene(seen_again=True)
    assert find_struck(window, empty, told, CONTACT_S) is None


def test_who_is_still_followed_was_not() -> None:
    window, empty, told = scene(seen_again=True, followed=True)
    assert find_struck(window, empty, told, CONTACT_S) is None


@pytest.mark.parametrize("foot", [225.0, 150.0])
def test_a_car_nearer_or_farther_than_the_walker_strikes_nobody(foot: float) -> None:
    window, empty, told = scene(foot=foot)
    assert find_struck(window, empty, told, CONTACT_S) is None


def test_a_car_that_crawls_strikes_nobody() -> None:
    window, empty, told = scene(speed=12.0)
    assert find_struck(window, empty, told, CONTACT_S) is None


def test_where_something_covers_the_place_nothing_is_said() -> None:
    window, empty, told = scene()
    lorry = [Place(time_s, 900_003, (200.0, 100.0, 420.0, 260.0)) for time_s in window.times_s]
    hidden = replace(told, places=(*told.places, *lorry))
    assert find_struck(window, empty, hidden, CONTACT_S) is None


def test_a_contact_far_from_the_moment_asked_about_is_not_meant() -> None:
    window, empty, told = scene()
    assert find_struck(window, empty, told, CONTACT_S - 3.5) is None


def test_it_confirms_a_contact_of_the_two() -> None:
    window, _, told = scene()
    trigger = Trigger(EvidenceKind.HARD_BRAKE, 3_100, 3_300, 1.2, "braking")
    struck = Struck(3.0, 0.12, WALKER, CAR, walker(3.0), (-10.0, 0.0), 0.6, (1.4, 0.0), 0.8)
    verdict = verdict_of(Findings(window, trigger, None, told, (), struck))
    assert verdict.confirmed
    assert verdict.score == pytest.approx(1.3)
    assert verdict.kind is EvidenceKind.CONTACT
    assert verdict.time_ms == 3_000
    (contact,) = [one for one in verdict.evidence if one.kind is EvidenceKind.CONTACT]
    assert (contact.track, contact.other) == (CAR, WALKER)
    assert contact.actor is Actor.VEHICLE
    assert "60 %" in verdict.reason


@pytest.mark.parametrize(
    ("going", "actor"),
    [((0.0, 1.4), Actor.PEDESTRIAN), ((0.0, 4.0), Actor.PEDESTRIAN), ((4.0, 0.0), Actor.CYCLIST)],
)
def test_what_the_struck_one_was_is_told_without_a_way_of_theirs(
    going: tuple[float, float], actor: Actor
) -> None:
    window, _, told = scene()
    trigger = Trigger(EvidenceKind.HARD_BRAKE, 3_100, 3_300, 1.2, "braking")
    struck = Struck(3.0, 0.12, WALKER, CAR, walker(3.0), (-10.0, 0.0), 0.6, going, 0.8)
    verdict = verdict_of(Findings(window, trigger, None, told, (), struck))
    (course,) = [one for one in verdict.evidence if one.kind is EvidenceKind.COURSE]
    assert (course.track, course.other, course.actor) == (WALKER, CAR, actor)
    assert course.value == pytest.approx(90.0 if going[0] == 0.0 else 0.0)


def test_two_boxes_a_tenth_of_a_second_apart_do_not_make_a_cyclist() -> None:
    window, _, _ = scene()
    struck = Struck(3.0, 0.12, WALKER, CAR, walker(3.0), (-10.0, 0.0), 0.6, (6.0, 0.0), 0.1)
    course = course_of(struck, window)
    assert course.actor is Actor.PEDESTRIAN
    assert course.uncertainty == 90.0
    assert course_of(replace(struck, seen_s=0.8), window).actor is Actor.CYCLIST
