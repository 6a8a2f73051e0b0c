from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from aiortc.mediastreams import MediaStreamError
from hypothesis import given
from hypothesis import strategies as st

from dashboards.live.track import PassThroughTrack, Timeline
from dashboards.live.viewer import Viewer
from monitor.domain import AccessUnit


def test_a_live_picture_keeps_its_own_time() -> None:
    timeline = Timeline()
    times = [timeline.place(1000 + 40 * n, 0, 1000 + 40 * n) for n in range(4)]
    assert times == [0, 40, 80, 120]


def test_pictures_written_together_keep_their_own_times() -> None:
    timeline = Timeline()
    newest = 1160
    times = [timeline.place(1000 + 40 * n, 4 - n, newest) for n in range(5)]
    assert times == [0, 40, 80, 120, 160]


def test_a_replayed_gop_is_flashed_by_and_the_live_end_keeps_its_times() -> None:
    timeline = Timeline(catch_up_ms=500)
    newest = 1000 + 40 * 49
    times = [timeline.place(1000 + 40 * n, 49 - n, newest) for n in range(50)]
    live_from = next(n for n in range(50) if newest - (1000 + 40 * n) <= 500)
    assert times[live_from - 1] < 50, "two seconds of history take under 50 ms"
    gaps = [b - a for a, b in pairwise(times[live_from:])]
    assert set(gaps) == {40}


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 900), st.integers(0, 5000))))
def test_times_always_rise(steps: list[tuple[int, int, int]]) -> None:
    timeline = Timeline()
    times = [timeline.place(capture, behind, capture + lag) for capture, behind, lag in steps]
    assert all(later > earlier for earlier, later in pairwise(times))
    assert all(time >= 0 for time in times)


async def test_the_access_unit_is_handed_over_untouched() -> None:
    viewer = Viewer()
    data = b"\x00\x00\x00\x01\x65" + bytes(range(200))
    viewer.offer(AccessUnit(5000, 5000, True, 1, data))
    packet = await PassThroughTrack(viewer, lambda reason: None).recv()
    assert bytes(packet) == data
    assert (packet.pts, packet.time_base) == (0, Fraction(1, 1000))


async def test_the_end_of_the_pictures_ends_the_track_and_says_why() -> None:
    viewer = Viewer()
    reasons: list[str] = []
    track = PassThroughTrack(viewer, reasons.append)
    viewer.end("b_frames")
    with pytest.raises(MediaStreamError):
        await track.recv()
    assert reasons == ["b_frames"]
    assert track.readyState == "ended"
