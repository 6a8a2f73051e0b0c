from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.corner_braking import LEAST_CORNERS, CornerBrakeWatch
from monitor.trigger.moment import Moment
from monitor.trigger.normal import SceneMemory
from tests.moving import HEIGHT_PX, M_PER_PX, METRIC, ORIGIN_MS, WIDTH_PX, Motion, driving, wall_s

TRAIL_WIDTH_PX = 480
KEPT_S = 1.6
ARMS_M = ((0.0, 0.0), (1.5, 0.2), (0.4, 1.4), (1.2, 1.0), (0.8, 0.5))


@dataclass
class Seen:
    at_s: float
    ids: np.ndarray
    points: np.ndarray


def watch(bodies: Sequence[tuple[Motion, int]], recent: Sequence[Evidence] = ()) -> list[Evidence]:
    """Bodies, each with so many corners, watched for six seconds."""
    watching = CornerBrakeWatch()
    trail: list[Seen] = []
    found: list[Evidence] = []
    for index in range(61):
        now_s = index * 0.1
        places = [
            np.array(motion(now_s)) + arm for motion, corners in bodies for arm in ARMS_M[:corners]
        ]
        points = np.array(places) / M_PER_PX * TRAIL_WIDTH_PX / WIDTH_PX
        trail.append(Seen(now_s, np.arange(len(points)), points))
        trail = [one for one in trail if one.at_s > now_s - KEPT_S]
        moment = Moment(now_s, ORIGIN_MS, [], METRIC, SceneMemory(), WIDTH_PX, HEIGHT_PX)
        found += watching.step(moment, trail, TRAIL_WIDTH_PX, (*recent, *found))
    return found


BRAKES = driving(14.0, brakes_s=3.0, decel=7.0)


def test_corners_that_brake_together_are_a_body_that_brakes_hard_and_are_told_once() -> None:
    (braking,) = watch([(BRAKES, 5)])
    assert braking.kind is EvidenceKind.HARD_BRAKE
    assert braking.track is None
    assert wall_s(braking.time_ms) == pytest.approx(3.0, abs=0.15)
    assert braking.value == pytest.approx(7.0, rel=0.2)
    assert braking.unit == "m/s2"
    assert braking.box is not None
    x, y = BRAKES(4.0)
    assert abs(braking.box[0] * WIDTH_PX * M_PER_PX - x) < 6.0
    assert abs(braking.box[1] * HEIGHT_PX * M_PER_PX - y) < 3.0


@pytest.mark.parametrize(
    ("motion", "corners"),
    [
        (BRAKES, LEAST_CORNERS - 1),
        (driving(14.0), 5),
        (driving(12.0, brakes_s=2.0, decel=2.0), 5),
        (driving(4.5, brakes_s=3.0, decel=6.0), 5),
    ],
    ids=["too few corners", "constant speed", "an ordinary stop", "too slow to matter"],
)
def test_what_is_no_hard_braking(motion: Motion, corners: int) -> None:
    assert watch([(motion, corners)]) == []


def test_who_drives_on_beside_is_not_taken_for_part_of_it() -> None:
    (braking,) = watch([(BRAKES, 5), (driving(14.0, y=13.0), 5)])
    assert braking.value == pytest.approx(7.0, rel=0.2)


def test_what_a_track_told_already_is_not_told_again() -> None:
    (braking,) = watch([(BRAKES, 5)])
    assert watch([(BRAKES, 5)], recent=[braking]) == []
