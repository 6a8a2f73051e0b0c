"""A change of momentum along the line of sight counts as much as one across it."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.trigger.forensic.collision import sizes_on_ground
from monitor.trigger.forensic.impulse import Impulse
from monitor.trigger.ground import pinhole_plane

PLANE = pinhole_plane(-40.0, 0.25, 640, 360)
SIZE = 40.0


def impulse(change: tuple[float, float]) -> Impulse:
    """A body in the picture's middle, 160 rows below the horizon: 40 px is a vehicle's size."""
    box = (300.0, 80.0, 340.0, 120.0)
    nobody = np.zeros(0, np.intp)
    return Impulse(1.0, 10, nobody, nobody, box, change, (0.0, 0.0), change, 0.0, 0.0, SIZE)


def test_across_the_picture_it_is_what_the_picture_shows() -> None:
    one = impulse((SIZE, 0.0))
    assert one.sizes == pytest.approx(1.0)
    assert sizes_on_ground(one, PLANE) == pytest.approx(1.0, abs=0.05)


def test_along_the_line_of_sight_it_is_more_but_not_without_limit() -> None:
    one = impulse((0.0, 10.0))
    grown = sizes_on_ground(one, PLANE)
    assert 1.5 * one.sizes < grown <= 3.0 * one.sizes + 1e-9


def test_without_a_plane_it_is_what_the_picture_shows() -> None:
    one = impulse((0.0, 10.0))
    assert sizes_on_ground(one, None) == one.sizes
