from __future__ import annotations

import pytest

from monitor.capture.rates import Rates


def test_a_steady_camera() -> None:
    rates = Rates()
    for index in range(200):
        rates.add(index * 0.04, 15_000)
    measured = rates.measure(199 * 0.04)
    assert measured is not None
    assert measured[0] == pytest.approx(25.0)
    assert measured[1] == pytest.approx(3_000_000, rel=0.01)


def test_too_little_to_tell() -> None:
    rates = Rates()
    assert rates.measure(0) is None
    rates.add(0, 100)
    assert rates.measure(0) is None


def test_it_follows_a_change_within_its_span() -> None:
    rates = Rates(span_s=4)
    for index in range(100):
        rates.add(index * 0.04, 1000)
    for index in range(50):
        rates.add(4 + index * 0.1, 1000)
    measured = rates.measure(4 + 49 * 0.1)
    assert measured is not None
    assert measured[0] == pytest.approx(10.0)


def test_a_camera_that_ceases_goes_down_and_then_is_unknown() -> None:
    rates = Rates(span_s=4)
    for index in range(100):
        rates.add(index * 0.04, 1000)
    seen = [rates.measure(3.96 + quiet) for quiet in (0.0, 2.0, 3.0, 5.0)]
    assert seen[0] is not None
    assert seen[1] is not None
    assert seen[1][0] < seen[0][0]
    assert seen[3] is None


def test_a_new_session_begins_at_nothing() -> None:
    rates = Rates()
    for index in range(10):
        rates.add(index * 0.04, 1000)
    rates.clear()
    assert rates.measure(1.0) is None
