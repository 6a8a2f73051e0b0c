"""Where is looked closely, and when it is worth it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import Box, EvidenceKind, Incident, Severity, Trigger, Window
from monitor.media.stills import Still, model_size, part_px
from monitor.query.close_ups import LEAST_GAIN, Wish, close_ups, wish

START = 1_760_000_000_000
PEAK = START + 20_000
WINDOW = Window(START, START + 28_000)
HD = (1280, 720)


def trigger(box: Box | None, *, time_ms: int = PEAK, score: float = 2.0) -> Trigger:
    return Trigger(EvidenceKind.CONTACT, time_ms, time_ms + 300, score, "they met", box)


def incident(*triggers: Trigger) -> Incident:
    return Incident("cam-1", "cam", Severity.HIGH, PEAK, PEAK, PEAK, triggers)


def wished(
    of: Incident, *, window: Window = WINDOW, camera: tuple[int, int] = HD, shown: int = 640,
    most: int = 4,
) -> Wish:  # fmt: skip
    found = wish(of, window, camera, shown, most)
    assert found is not None
    return found


def test_the_place_with_its_surroundings_before_at_and_after_the_peak() -> None:
    found = wished(incident(trigger((0.4, 0.5, 0.1, 0.12))))
    assert found.part == pytest.approx((0.325, 0.41, 0.25, 0.3))
    assert found.width == 320
    assert found.times_ms == (PEAK, PEAK - 1000, PEAK + 1000, PEAK - 2000)


@given(
    st.tuples(*[st.floats(0, 1)] * 4), st.integers(32, 8000), st.integers(32, 8000),
    st.sampled_from([320, 640, 1280]),
)  # fmt: skip
def test_it_lies_inside_the_picture_and_is_finer_than_what_is_sent_anyway(
    box: Box, width: int, height: int, shown: int
) -> None:
    found = wish(incident(trigger(box)), WINDOW, (width, height), shown, 8)
    if found is None:
        return
    left, top, wide, high = found.part
    assert left >= 0
    assert top >= 0
    assert left + wide <= 1 + 1e-9
    assert top + high <= 1 + 1e-9
    assert found.width <= part_px((width, height), found.part)[2] or found.width == 32
    sent = model_size(width, height, shown)[0]  # itself rounded to the model's grid
    assert found.width >= LEAST_GAIN * wide * sent


def test_a_camera_that_has_no_more_pixels_gets_none() -> None:
    of = incident(trigger((0.4, 0.5, 0.1, 0.12)))
    assert wish(of, WINDOW, (640, 360), 640, 4) is None
    assert wish(of, WINDOW, HD, 640, 0) is None


def test_what_a_second_look_found_comes_before_what_was_proposed() -> None:
    proposed = trigger((0.1, 0.1, 0.1, 0.1), score=3.0)
    found = replace(trigger((0.7, 0.7, 0.1, 0.1), score=1.2), verified=True)
    aside = trigger((0.4, 0.1, 0.1, 0.1), time_ms=PEAK - 2000, score=9.0)
    assert wished(incident(aside, proposed, found)).part[0] > 0.6
    assert wished(incident(aside, proposed)).part[0] < 0.3


def test_nothing_is_known_of_the_place() -> None:
    assert wish(incident(trigger(None)), WINDOW, HD, 640, 4) is None
    assert wish(None, WINDOW, HD, 640, 4) is None


def test_moments_outside_the_window_are_left_out() -> None:
    of = incident(trigger((0.4, 0.5, 0.1, 0.12)))
    short = Window(PEAK - 700, PEAK + 700)
    assert wished(of, window=short, most=8).times_ms == (PEAK, PEAK - 500, PEAK + 500)


def test_each_picture_once_in_the_wishs_order() -> None:
    one = wished(incident(trigger((0.4, 0.5, 0.1, 0.12))))
    stills = [Still(PEAK, 320, 160, b"a"), None, Still(PEAK, 320, 160, b"a"),
              Still(PEAK - 2000, 320, 160, b"b")]  # fmt: skip
    assert [each.still.jpeg for each in close_ups(one, stills)] == [b"a", b"b"]
    assert close_ups(None, []) == ()
