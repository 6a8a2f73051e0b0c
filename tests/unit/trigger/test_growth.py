"""The horizon by how bodies grow, and the whole ones' size, whatever else is taken for a body."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.trigger.ground import SizeByRow
from monitor.trigger.growth import FEWEST, Growth

WIDTH_PX, HEIGHT_PX, BANDS = 640, 360, 12
HORIZON_PX, SLOPE = 7.2, 0.27
ROWS = np.arange(70.0, 340.0, 6.0)


def drive(growth: Growth | SizeByRow, track: int, share: float, rows: np.ndarray = ROWS) -> None:
    """A body of that share of a vehicle's size comes nearer, its box off by a tenth."""
    off = np.random.default_rng(track).normal(0.0, 0.1, len(rows))
    for row, error in zip(rows, off, strict=True):
        size = share * SLOPE * (row - HORIZON_PX) * (1.0 + error)
        if isinstance(growth, Growth):
            growth.observe(track, int(row / HEIGHT_PX * BANDS), float(row), float(size))
        else:
            growth.observe(track, float(row), float(size))


def fitted(growth: Growth) -> tuple[float, float]:
    found = growth.fit()
    assert found is not None
    return found


def sizes(found: tuple[float, float]) -> np.ndarray:
    """Against the true ones, on rows from far to near."""
    horizon, slope = found
    rows = np.array([100.0, 200.0, 300.0])
    result: np.ndarray = slope * (rows - horizon) / (SLOPE * (rows - HORIZON_PX))
    return result


def test_before_enough_bodies_came_nearer_nothing_is_said() -> None:
    growth = Growth(HEIGHT_PX, BANDS)
    for track in range(FEWEST - 1):
        drive(growth, track, 1.0)
    for track in range(100, 200):
        drive(growth, track, 1.0, ROWS[:8])
    assert growth.fit() is None
    drive(growth, 99, 1.0)
    assert growth.fit() is not None


def test_vehicles_tell_the_horizon_and_their_size() -> None:
    growth = Growth(HEIGHT_PX, BANDS)
    for track in range(30):
        drive(growth, track, 1.0)
    assert fitted(growth)[0] == pytest.approx(HORIZON_PX, abs=0.05 * HEIGHT_PX)
    assert sizes(fitted(growth)) == pytest.approx(np.ones(3), abs=0.1)


def test_lamps_tell_the_same_horizon() -> None:
    growth = Growth(HEIGHT_PX, BANDS)
    for track in range(30):
        drive(growth, track, 0.3)
    assert fitted(growth)[0] == pytest.approx(HORIZON_PX, abs=0.05 * HEIGHT_PX)


def test_many_lamps_that_are_soon_lost_do_not_make_vehicles_small() -> None:
    growth = Growth(HEIGHT_PX, BANDS)
    for track in range(30):
        drive(growth, track, 1.0)
    for track in range(100, 180):
        begin = track % (len(ROWS) - 6)
        drive(growth, track, 0.3, ROWS[begin : begin + 6])
    assert sizes(fitted(growth)) == pytest.approx(np.ones(3), abs=0.15)


def test_groups_taken_for_bodies_do_not_make_vehicles_large() -> None:
    growth = Growth(HEIGHT_PX, BANDS)
    for track in range(40):
        drive(growth, track, 1.0)
    for track in range(100, 105):
        drive(growth, track, 4.0)
    assert sizes(fitted(growth)) == pytest.approx(np.ones(3), abs=0.2)


def test_it_forgets_who_came_long_ago() -> None:
    """The camera was turned: new vehicles are half as large on the same rows."""
    growth = Growth(HEIGHT_PX, BANDS)
    for track in range(60):
        drive(growth, track, 1.0)
    for track in range(100, 400):
        drive(growth, track, 0.5, ROWS[::3])
    assert sizes(fitted(growth)) == pytest.approx(np.full(3, 0.5), abs=0.1)


def test_the_plane_holds_where_most_of_what_is_seen_are_parts() -> None:
    learning = SizeByRow(WIDTH_PX, HEIGHT_PX)
    for track in range(30):
        drive(learning, track, 1.0)
    for track in range(100, 200):
        begin = track % (len(ROWS) - 5)
        drive(learning, track, 0.3, ROWS[begin : begin + 5])
    plane = learning.plane()
    for row in (100.0, 200.0, 300.0):
        true = SLOPE * (row - HORIZON_PX)
        assert plane.vehicle_size_px(row) == pytest.approx(true, rel=0.2)
