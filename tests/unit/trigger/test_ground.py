from __future__ import annotations

import numpy as np
import pytest

from monitor.config.models import GroundPoint
from monitor.domain import Actor
from monitor.trigger.classify import person_likeness
from monitor.trigger.ground import (
    METRES_PER_SIZE,
    GroundPlane,
    SizeByRow,
    calibrated_plane,
    pinhole_plane,
)
from monitor.trigger.normal import SceneMemory
from monitor.trigger.people import PeopleWatch
from tests.moving import HEIGHT_PX, WIDTH_PX, Body, Stage, drive_over, wall_s

HORIZON_PX, SLOPE = -40.0, 0.25
PLANE = pinhole_plane(HORIZON_PX, SLOPE, WIDTH_PX, HEIGHT_PX)


@pytest.mark.parametrize("row", [60.0, 150.0, 330.0])
@pytest.mark.parametrize("x", [100.0, 320.0, 500.0])
def test_one_vehicle_size_is_one_unit_wide_on_every_row(row: float, x: float) -> None:
    size = PLANE.vehicle_size_px(row)
    left, right = PLANE.to_ground(np.array([[x, row], [x + size, row]]))
    assert np.hypot(*(right - left)) == pytest.approx(1.0)
    assert PLANE.metres(1.0) == METRES_PER_SIZE


def test_farther_up_a_pixel_reaches_farther() -> None:
    assert PLANE.metres_per_px(320.0, 60.0) > 2 * PLANE.metres_per_px(320.0, 300.0)


@pytest.mark.parametrize(("x", "y"), [(10.0, 20.0), (320.0, 60.0), (600.0, 350.0)])
def test_a_pixel_reaches_as_far_as_its_neighbours_lie_apart_on_the_ground(
    x: float, y: float
) -> None:
    here, right, below = PLANE.to_ground(np.array([[x, y], [x + 1.0, y], [x, y + 1.0]]))
    farther = max(np.hypot(*(right - here)), np.hypot(*(below - here)))
    assert PLANE.metres_per_px(x, y) == pytest.approx(PLANE.metres(float(farther)))


def test_on_the_horizon_itself_a_pixel_reaches_beyond_everything() -> None:
    through_no_middle = GroundPlane(
        np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), 1.0, True, 0.0, 0.2
    )
    assert not through_no_middle.metres_per_px(5.0, 0.0) < 1e6


def test_the_plane_is_level_straight_ways_stay_straight() -> None:
    points = np.array([[200.0, 340.0], [250.0, 200.0], [300.0, 60.0]])
    a, b, c = PLANE.to_ground(points)
    assert abs(float((b - a) @ np.array([[0, 1], [-1, 0]]) @ (c - a))) == pytest.approx(0, abs=1e-9)


def test_sizes_by_row_are_learned_from_vehicles() -> None:
    learning = SizeByRow(WIDTH_PX, HEIGHT_PX)
    for track in range(60):
        for px in range(60, 350, 15):
            learning.observe(track, float(px), SLOPE * (px - HORIZON_PX))
    learned = learning.plane()
    for row in (80.0, 200.0, 320.0):
        assert learned.vehicle_size_px(row) == pytest.approx(SLOPE * (row - HORIZON_PX), rel=0.1)
    assert not learned.calibrated


def test_before_any_vehicle_there_is_a_plane_all_the_same() -> None:
    learned = SizeByRow(WIDTH_PX, HEIGHT_PX).plane()
    assert learned.vehicle_size_px(180.0) == pytest.approx(WIDTH_PX / 12, rel=0.05)
    assert learned.horizon_px < 0


def test_one_vehicle_counts_once_per_band() -> None:
    learning = SizeByRow(WIDTH_PX, HEIGHT_PX)
    for _ in range(100):
        learning.observe(1, 180.0, 400.0)
    for track in range(2, 6):
        learning.observe(track, 180.0, 50.0)
    assert learning.typical_size_px() == 50.0


def test_calibration_gives_metres() -> None:
    spots = {(0.2, 0.9): (-5.0, 5.0), (0.8, 0.9): (5.0, 5.0),
             (0.4, 0.3): (-5.0, 45.0), (0.6, 0.3): (5.0, 45.0)}  # fmt: skip
    points = [GroundPoint(image=image, ground_m=ground) for image, ground in spots.items()]
    plane = calibrated_plane(points, WIDTH_PX, HEIGHT_PX, PLANE)
    corners = np.array([(x * WIDTH_PX, y * HEIGHT_PX) for x, y in spots])
    assert plane.to_ground(corners) == pytest.approx(np.array(list(spots.values())), abs=1e-6)
    assert plane.calibrated
    assert plane.metres(3.0) == 3.0


def test_a_person_is_upright_small_and_slow() -> None:
    assert person_likeness(2.4, 0.45, 1.4) > 0.9
    assert person_likeness(0.8, 0.45, 1.4) < 0.1, "wider than tall"
    assert person_likeness(2.4, 1.0, 1.4) < 0.1, "as large as a vehicle"
    assert person_likeness(2.4, 0.45, 8.0) < 0.1, "as fast as one"


def driven() -> SceneMemory:
    """Four vehicles have driven along the upper part of the picture."""
    memory = SceneMemory()
    drive_over(memory, 4)
    return memory


def crossing(time_s: float) -> tuple[float, float]:
    """On the pavement until 2 s; the roadway's cells begin at 9.3 m."""
    return 30.0, 7.0 + 1.2 * max(0.0, time_s - 0.4)


def test_a_person_in_the_road_is_told_once_from_the_first_step() -> None:
    watching = PeopleWatch()
    stage = Stage({1: Body(crossing, Actor.PEDESTRIAN, (0.6, 1.8))}, memory=driven())
    found = [one for moment in stage.moments(4.0) for one in watching.step(moment)]
    (person,) = found
    first_s = next(m.now_s for m in stage.moments(4.0) if m.on_roadway(*m.tracks[0].foot))
    assert wall_s(person.time_ms) == pytest.approx(first_s)
    assert person.actor is Actor.PEDESTRIAN
    assert person.track == 1


@pytest.mark.parametrize("actor", [Actor.VEHICLE, Actor.PEDESTRIAN])
def test_neither_a_vehicle_nor_one_beside_the_road(actor: Actor) -> None:
    watching = PeopleWatch()
    motion = crossing if actor is Actor.VEHICLE else (lambda time_s: (10.0 + time_s, 5.0))
    stage = Stage({1: Body(motion, actor)}, memory=driven())
    assert [one for moment in stage.moments(4.0) for one in watching.step(moment)] == []
