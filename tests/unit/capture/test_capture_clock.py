"""Times with exact numbers. ``HOST`` is this machine's wall time when its monotonic clock is 0."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.capture.capture_clock import (
    JUMP_MS,
    LAG_MS,
    LEAD_MS,
    RESET_MS,
    SLEW,
    SLEW_BACK,
    WINDOW_S,
    Arrival,
    CaptureClock,
    MinimumDelay,
    Stamp,
)

HOST = 1_760_000_000_000.0


def arrival(monotonic_ms: float, host: float = HOST) -> Arrival:
    return Arrival(host + monotonic_ms, monotonic_ms)


def see(
    clock: CaptureClock,
    media_ms: float,
    monotonic_ms: float,
    camera_wall_ms: float | None = None,
    host: float = HOST,
) -> Stamp:
    clock.observe(media_ms, arrival(monotonic_ms, host), camera_wall_ms)
    return clock.stamp(media_ms)


def since(stamp: Stamp) -> int:
    return stamp.entry_ms - round(HOST)


def test_by_arrival_the_first_picture_is_now_and_the_rest_follow_the_media_clock() -> None:
    clock = CaptureClock()
    assert since(see(clock, 700.0, 5000)) == 5000
    assert since(see(clock, 740.0, 5040)) == 5040
    assert since(see(clock, 780.0, 5080)) == 5080
    assert clock.kind == "arrival"
    assert clock.jumps == 0


def test_network_jitter_does_not_shake_the_times() -> None:
    clock = CaptureClock()
    see(clock, 0.0, 1000)
    chance = random.Random(1)
    times = [
        since(see(clock, 40.0 * n, 1000 + 40 * n + chance.uniform(0, 30))) for n in range(1, 250)
    ]
    assert times == [1000 + 40 * n for n in range(1, 250)]


def test_a_delayed_burst_is_put_where_it_belongs() -> None:
    clock = CaptureClock()
    for n in range(25):
        see(clock, 40.0 * n, 1000 + 40 * n)
    # The network holds 12 pictures back and then delivers them within 12 ms.
    held = [since(see(clock, 40.0 * n, 2500 + n)) for n in range(25, 37)]
    assert held == [1000 + 40 * n for n in range(25, 37)]


def test_a_burst_at_the_start_is_dated_by_its_last_picture() -> None:
    clock = CaptureClock()
    for n in range(50):  # two seconds of pictures kept by the camera, sent at once
        clock.observe(40.0 * n, arrival(10_000 + n * 0.1), None)
    stamps = [since(clock.stamp(40.0 * n)) for n in range(50)]
    assert stamps[-1] == 10_005
    assert stamps[0] == 10_005 - 49 * 40
    assert clock.jumps == 0


def test_the_cameras_clock_is_used_where_it_is_believable() -> None:
    clock = CaptureClock()
    # Taken 150 ms before it arrived, the camera says.
    for n in range(5):
        stamp = see(clock, 40.0 * n, 1000 + 40 * n, HOST + 850 + 40 * n)
        assert since(stamp) == 850 + 40 * n
        assert stamp.capture_ms == stamp.entry_ms
    assert clock.kind == "rtcp"
    assert clock.camera_error_ms == pytest.approx(-150)


@pytest.mark.parametrize(
    ("error_ms", "kind"),
    [
        (-LAG_MS + 1, "rtcp"), (-LAG_MS - 1, "arrival"),
        (LEAD_MS - 1, "rtcp"), (LEAD_MS + 1, "arrival"),
        (3 * 3_600_000, "arrival"), (-3 * 3_600_000, "arrival"), (-HOST, "arrival"),
    ],
)  # fmt: skip
def test_how_wrong_a_cameras_clock_may_be(error_ms: float, kind: str) -> None:
    clock = CaptureClock()
    stamp = see(clock, 0.0, 1000, HOST + 1000 + error_ms)
    assert clock.kind == kind
    assert clock.camera_error_ms == pytest.approx(error_ms)
    assert since(stamp) == (1000 + round(error_ms) if kind == "rtcp" else 1000)


def test_it_does_not_waver_at_the_limit() -> None:
    clock = CaptureClock()
    see(clock, 0.0, 1000, HOST + 1000 + LEAD_MS - 10)
    see(clock, 40.0, 1040, HOST + 1040 + LEAD_MS + 10)
    assert clock.kind == "rtcp"
    assert clock.jumps == 0


def test_the_first_sender_report_moves_the_times_slowly() -> None:
    clock = CaptureClock()
    for n in range(25):
        see(clock, 40.0 * n, 1000 + 40 * n)
    # From here on the camera says that pictures are 100 ms older.
    stamps = [see(clock, 40.0 * n, 1000 + 40 * n, HOST + 900 + 40 * n) for n in range(25, 300)]
    steps = [b.entry_ms - a.entry_ms for a, b in itertools.pairwise(stamps)]
    assert min(steps) >= 40 * (1 - SLEW) - 1
    assert max(steps) <= 40
    assert since(stamps[-1]) == 900 + 40 * 299
    assert clock.jumps == 0


def test_a_camera_whose_clock_leaps_by_an_hour_keeps_true_times() -> None:
    clock = CaptureClock()
    for n in range(50):
        see(clock, 40.0 * n, 1000 + 40 * n, HOST + 950 + 40 * n)
    hour = 3_600_000
    stamps = [
        since(see(clock, 40.0 * n, 1000 + 40 * n, HOST + 950 + 40 * n + hour))
        for n in range(50, 400)
    ]
    assert clock.jumps == 1
    assert all(abs(stamp - (1000 + 40 * n)) <= 50 for n, stamp in enumerate(stamps, 50))
    steps = [b - a for a, b in itertools.pairwise(stamps)]
    assert min(steps) >= 39
    assert max(steps) <= 41
    kinds = [clock.kind]
    for n in range(400, 800):  # and it is set right again
        see(clock, 40.0 * n, 1000 + 40 * n, HOST + 950 + 40 * n)
    kinds.append(clock.kind)
    assert kinds == ["arrival", "rtcp"]


@pytest.mark.parametrize("restart_at", [0.0, 1e9, -1e9])
def test_a_media_clock_that_begins_anew_is_noticed_once(restart_at: float) -> None:
    clock = CaptureClock()
    for n in range(50):
        see(clock, 5e6 + 40.0 * n, 1000 + 40 * n)
    stamps = [since(see(clock, restart_at + 40.0 * n, 3000 + 40 * n)) for n in range(50)]
    assert clock.jumps == 1
    assert stamps == [3000 + 40 * n for n in range(50)]


def test_a_camera_that_pauses_is_no_jump() -> None:
    clock = CaptureClock()
    see(clock, 0.0, 1000)
    assert since(see(clock, 60_000.0, 61_000)) == 61_000
    assert clock.jumps == 0


def test_a_media_clock_that_stood_still_is_believed_after_the_window() -> None:
    clock = CaptureClock()
    for n in range(50):
        see(clock, 40.0 * n, 1000 + 40 * n)
    # Ten seconds pass that the camera does not count; it looks like delay at first.
    late = [
        since(see(clock, 2000 + 40.0 * n, 13_000 + 40 * n)) for n in range(round(WINDOW_S * 25) + 5)
    ]
    assert late[0] == 3000
    assert late[-1] == 13_000 + 40 * (len(late) - 1)
    assert clock.jumps == 1


def test_drift_of_the_cameras_crystal_is_followed() -> None:
    clock = CaptureClock()
    fast = 1 + 200e-6  # the media clock gains 200 ppm
    stamps = [since(see(clock, 40.0 * n * fast, 1000 + 40 * n)) for n in range(25 * 600)]
    assert abs(stamps[-1] - (1000 + 40 * (len(stamps) - 1))) <= 3
    assert clock.jumps == 0


def test_this_machines_clock_set_forward_is_followed_and_counted() -> None:
    clock = CaptureClock()
    for n in range(50):
        see(clock, 40.0 * n, 1000 + 40 * n)
    hour = 3_600_000
    stamp = see(clock, 2000.0, 3000, host=HOST + hour)
    assert since(stamp) == 3000 + hour
    assert clock.jumps == 1


def test_this_machines_clock_set_back_a_little_is_waited_for() -> None:
    clock = CaptureClock()
    for n in range(50):
        see(clock, 40.0 * n, 1000 + 40 * n)
    back = 10_000
    stamps = [since(see(clock, 40.0 * n, 1000 + 40 * n, host=HOST - back)) for n in range(50, 8000)]
    steps = [b - a for a, b in itertools.pairwise(stamps)]
    assert min(steps) >= 40 * (1 - SLEW_BACK) - 1
    assert not clock.needs_reset
    assert stamps[-1] == 1000 + 40 * 7999 - back
    assert clock.jumps == 1


def test_this_machines_clock_set_back_far_asks_for_a_new_ring() -> None:
    clock = CaptureClock()
    for n in range(50):
        see(clock, 40.0 * n, 1000 + 40 * n)
    far = RESET_MS + 5000
    see(clock, 2000.0, 3000, host=HOST - far)
    assert clock.needs_reset
    clock.reset()
    assert since(clock.stamp(2000.0)) == 3000 - round(far)
    assert not clock.needs_reset
    assert since(see(clock, 2040.0, 3040, host=HOST - far)) == 3040 - round(far)


def test_a_ring_left_in_the_future_asks_for_a_new_one() -> None:
    clock = CaptureClock(last_entry_ms=round(HOST) + 365 * 86_400_000)
    see(clock, 0.0, 1000)
    assert clock.needs_reset


def test_after_a_restart_ids_go_on_after_the_last_entry() -> None:
    clock = CaptureClock(last_entry_ms=round(HOST) + 1300)
    stamps = [since(see(clock, 40.0 * n, 1000 + 40 * n)) for n in range(1000)]
    assert stamps[0] == 1301
    steps = [b - a for a, b in itertools.pairwise(stamps)]
    assert min(steps) >= 39
    assert stamps[-1] == 1000 + 40 * 999
    assert clock.jumps == 0


def test_a_new_session_has_another_media_clock() -> None:
    clock = CaptureClock()
    assert since(see(clock, 9e6, 1000)) == 1000
    clock.begin()
    assert since(see(clock, 3.0, 8000)) == 8000
    assert clock.jumps == 0


def test_b_frames_have_entries_in_decode_order_and_display_times() -> None:
    clock = CaptureClock()
    # I0 P3 B1 B2 P6 B4 B5, decoded every 40 ms, shown in the order of their numbers.
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]
    for decoded, shown in enumerate(order):
        clock.observe(40.0 * shown, arrival(1120 + 40 * decoded), None)
    stamps = [clock.stamp(40.0 * shown) for shown in order]
    entries = [stamp.entry_ms for stamp in stamps]
    assert entries == sorted(set(entries))
    captures = [since(Stamp(stamp.capture_ms, 0)) for stamp in stamps]
    first = captures[0]
    assert captures == [first + 40 * shown for shown in order]
    assert clock.has_b_frames
    assert clock.jumps == 0


def test_two_pictures_with_one_pts_stay_apart() -> None:
    clock = CaptureClock()
    first, second = see(clock, 0.0, 1000), see(clock, 0.0, 1001)
    assert second.entry_ms == first.entry_ms + 1
    assert second.capture_ms == second.entry_ms


def test_no_picture_is_dated_after_it_arrived() -> None:
    """A held-back picture of a media clock that has begun anew meanwhile."""
    clock = CaptureClock()
    clock.observe(9e9, arrival(1000), None)
    clock.observe(0.0, arrival(1040), None)
    stamps = [since(clock.stamp(9e9)), since(clock.stamp(0.0))]
    assert stamps[0] <= 1040 + JUMP_MS
    assert stamps[1] == stamps[0] + 1 or stamps[1] <= 1040 + JUMP_MS


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[float, float, float | None, float, bool]]:
    """What may come: pauses, bursts, leaps of every clock, missing reports, new sessions."""
    media = draw(st.floats(-1e9, 1e9))
    monotonic = 1000.0
    host = HOST
    camera = draw(st.sampled_from([None, 0.0, -150.0, 3_600_000.0]))
    seen = []
    for _ in range(draw(st.integers(1, 60))):
        step = draw(st.sampled_from([40.0, 40.0, 40.0, 33.3, 0.0, -80.0, 1000.0]))
        monotonic += max(0.0, step + draw(st.sampled_from([0.0, 5.0, -30.0, 900.0])))
        leap = draw(st.integers(0, 30))
        if leap == 0:
            media += draw(st.floats(-1e8, 1e8))
        elif leap == 1:
            host += draw(st.sampled_from([-7_200_000.0, -20_000.0, -300.0, 5000.0, 86_400_000.0]))
        elif leap == 2:
            camera = draw(st.sampled_from([None, 0.0, 1e7, -1e7, 250.0]))
        media += step
        wall = None if camera is None else host + monotonic + camera
        seen.append((media, monotonic, wall, host, draw(st.integers(0, 40)) == 0))
    return seen


@settings(max_examples=300, deadline=None)
@given(history=histories(), last=st.sampled_from([0, round(HOST), round(HOST) + 10_000]))
def test_entries_rise_whatever_the_clocks_do(
    history: list[tuple[float, float, float | None, float, bool]], last: int
) -> None:
    clock = CaptureClock(last)
    for media, monotonic, wall, host, new_session in history:
        if new_session:
            clock.begin()
        clock.observe(media, Arrival(host + monotonic, monotonic), wall)
        stamp = clock.stamp(media)
        if clock.needs_reset:
            clock.reset()
            last = 0
            stamp = clock.stamp(media)
        assert stamp.entry_ms > last
        assert not clock.needs_reset
        last = stamp.entry_ms
        if not clock.has_b_frames:
            assert stamp.capture_ms == stamp.entry_ms


@settings(max_examples=100, deadline=None)
@given(
    delays=st.lists(st.floats(0, 400), min_size=30, max_size=300),
    interval=st.sampled_from([20.0, 33.37, 40.0, 100.0]),
)
def test_smoothed_times_keep_the_cameras_pace(delays: list[float], interval: float) -> None:
    """Whatever the network's delay does, spacing differs from the media clock's by the slew."""
    clock = CaptureClock()
    arrivals: list[float] = []
    for n, delay in enumerate(delays):
        arrivals.append(max(1000 + interval * n + delay, arrivals[-1] if arrivals else 0.0))
    stamps = [see(clock, interval * n, at) for n, at in enumerate(arrivals)]
    for before, after in itertools.pairwise(stamps):
        assert abs(after.entry_ms - before.entry_ms - interval) <= interval * SLEW + 1.0


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(-1e6, 1e6)), min_size=1, max_size=80))
def test_the_sliding_minimum_is_the_minimum(steps: list[tuple[float, float]]) -> None:
    window = 200.0
    minimum = MinimumDelay(window)
    now = 0.0
    history: list[tuple[float, float]] = []
    for step, value in steps:
        now += step
        history.append((now, value))
        assert minimum.add(now, value) == min(v for t, v in history if now - t <= window)
