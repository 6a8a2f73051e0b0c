"""A crash that a bus hides is none that a camera could see."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from monitor.domain import Box
from monitor.scene.camera import PinholeCamera
from monitor.scene.hours.crash_view import Sight
from monitor.scene.hours.ledger import Ledger
from monitor.scene.hours.stretch import HourFrame
from monitor.scene.light import Light

PARTIES = (1, 2)
CRASH: Box = (0.40, 0.50, 0.10, 0.10)
"""On bare road, in the scene's one camera."""


class Boxes:
    """A ledger as far as it says where bodies are: each carries its own box."""

    camera = PinholeCamera()

    def box(self, mover: Any) -> Box:
        return cast(Box, mover.box)


def body(number: int, box: Box, far_m: float) -> Any:
    eye = Boxes.camera.position
    return SimpleNamespace(id=number, box=box, x=eye[0], y=eye[1] + far_m)


def frame(*bodies: Any) -> HourFrame:
    return cast(HourFrame, SimpleNamespace(vehicles=bodies, cyclists=(), people=()))


TWO = (body(1, (0.40, 0.50, 0.06, 0.06), 40.0), body(2, (0.44, 0.50, 0.06, 0.06), 41.0))


@pytest.fixture(scope="module")
def sight() -> Sight:
    return Sight(cast(Ledger, Boxes()), Light())


@pytest.mark.parametrize(
    ("others", "seen"),
    [
        ((), True),
        ((body(9, (0.38, 0.40, 0.2, 0.3), 30.0),), False),
        ((body(9, (0.38, 0.40, 0.2, 0.3), 60.0),), True),
        ((body(9, (0.40, 0.54, 0.06, 0.1), 30.0),), True),
    ],
    ids=["nobody else", "behind a bus", "before a bus", "behind a car's roof"],
)
def test_who_stands_before_the_two_hides_them(
    sight: Sight, others: tuple[Any, ...], seen: bool
) -> None:
    assert sight.shows([frame(*TWO), frame(*TWO, *others)], PARTIES, CRASH) is seen


def test_at_the_border_or_gone_it_is_not_in_full_view(sight: Sight) -> None:
    frames = [frame(*TWO)]
    assert not sight.shows(frames, PARTIES, (0.01, 0.5, 0.1, 0.1))
    assert not sight.shows(frames, PARTIES, (0.4, 0.88, 0.1, 0.1))
    assert not sight.shows([frame(TWO[0])], PARTIES, CRASH)


def test_what_stands_beside_the_road_hides_too(sight: Sight) -> None:
    far = frame(body(1, (0.72, 0.24, 0.05, 0.05), 200.0), body(2, (0.73, 0.24, 0.05, 0.05), 200.0))
    assert not sight.shows([far], PARTIES, CRASH), "a tree"
