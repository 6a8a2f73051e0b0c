"""Which two of several bodies met, from synthetic corners whose ways are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from monitor.trigger.forensic.clusters import groups
from monitor.trigger.forensic.impulse import Moment
from monitor.trigger.forensic.partners import meeting
from monitor.trigger.forensic.timeline import Place
from monitor.trigger.forensic.ways import Body, middle
from monitor.trigger.ground import pinhole_plane

WIDTH, HEIGHT = 640, 360
AT_S = 4.0
TIMES = np.arange(0.0, AT_S - 0.05, 1 / 15)
PLACE = (310.0, 190.0, 340.0, 214.0)
PLANE = pinhole_plane(20.0, 0.2, WIDTH, HEIGHT)

Going = tuple[float, float, float, float]  # where at the contact, pixels a second

CAR: Going = (308.0, 200.0, 80.0, 0.0)
CROSSING: Going = (334.0, 200.0, 0.0, -60.0)
STANDING: Going = (340.0, 202.0, 0.0, 0.0)
BYSTANDER: Going = (318.0, 140.0, 40.0, 10.0)
PASSED_LONG_AGO: Going = (470.0, 200.0, 80.0, 0.0)


def moments(bodies: Sequence[Going]) -> list[Moment]:
    cloud = np.random.default_rng(3).uniform(-11.0, 11.0, (14, 2))
    found = []
    for index, time_s in enumerate(TIMES.tolist()):
        places = np.concatenate(
            [np.array([x + vx * (time_s - AT_S), y + vy * (time_s - AT_S)]) + cloud
             for x, y, vx, vy in bodies]
        ).astype(np.float32)  # fmt: skip
        moves = np.repeat([(vx, vy) for _, _, vx, vy in bodies], len(cloud), axis=0)
        velocities = moves.astype(np.float32)
        known = np.ones(len(places), np.bool_)
        found.append(
            Moment(time_s, index, np.arange(len(places)), places, velocities, velocities, known,
                   known, known)
        )  # fmt: skip
    return found


def who(found: Sequence[Body], bodies: Sequence[Going]) -> set[int]:
    """Which of the bodies those are, by where they were at their moment."""
    told = set()
    for body in found:
        back_s = TIMES[body.moment] - AT_S
        away = [
            float(np.hypot(*(middle(body.box) - [x + vx * back_s, y + vy * back_s])))
            for x, y, vx, vy in bodies
        ]
        assert min(away) < 8.0
        told.add(int(np.argmin(away)))
    return told


@pytest.mark.parametrize("struck", [CROSSING, STANDING])
def test_the_two_who_get_there_are_taken_and_no_bystander(struck: Going) -> None:
    bodies = [CAR, struck, BYSTANDER, PASSED_LONG_AGO]
    found = meeting(moments(bodies), {}, PLACE, AT_S, WIDTH, PLANE)
    assert who(found, bodies) == {0, 1}


def test_nobody_is_taken_for_a_second_one_who_was_not_there() -> None:
    bodies = [CAR, (420.0, 150.0, 40.0, 0.0)]
    found = meeting(moments(bodies), {}, PLACE, AT_S, WIDTH, PLANE)
    assert who(found, bodies) == {0}


def test_where_its_corners_went_counts_more_than_where_it_was_heading() -> None:
    """A car that stops short of the place was heading there as much as the one that came."""
    bodies = [CAR, CROSSING, (250.0, 240.0, 60.0, -30.0)]
    seen = moments(bodies)
    stops = np.arange(28, 42)
    stand = seen[-1].places[stops] - np.float32(60.0)
    for index, moment in enumerate(seen):
        if moment.time_s > AT_S - 1.2:
            moment.places[stops] = stand
            moment.before[stops] = moment.after[stops] = 0.0
            assert index > 0
    assert who(meeting(seen, {}, PLACE, AT_S, WIDTH, PLANE), bodies[:2]) == {0, 1}


def test_a_body_without_corners_may_be_a_track() -> None:
    x, y, vx, vy = CROSSING
    places = [
        Place(t, 7, (x - 9 + vx * (t - AT_S), y - 14 + vy * (t - AT_S), x + 9 + vx * (t - AT_S),
                     y + 14 + vy * (t - AT_S)))
        for t in TIMES.tolist()
    ]  # fmt: skip
    found = meeting(moments([CAR]), {7: places}, PLACE, AT_S, WIDTH, PLANE)
    assert {one.track for one in found} == {None, 7}


def test_a_row_of_vehicles_that_creep_alike_is_taken_apart() -> None:
    row = [(200.0 + 27.0 * n, 200.0, 12.0 + 5.0 * n, 0.0) for n in range(7)]
    seen = moments(row)[-1]
    found = groups(seen, WIDTH, PLANE, AT_S)
    widest = max(float(np.ptp(seen.places[one][:, 0])) for one in found)
    assert len(found) >= 4
    assert widest < 90.0
