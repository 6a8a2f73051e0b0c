"""Ingest of well cameras: what is in the ring is what the camera sent, at the right times."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from monitor.buffer.connection import connect
from monitor.buffer.heartbeat import read_heartbeats
from monitor.buffer.keys import substream_ring
from monitor.buffer.ring import RingReader
from monitor.capture import annexb
from monitor.capture.rtsp_server import Route, RtspServer, VideoSource
from monitor.domain import AccessUnit, CameraStatus, VideoCodec
from tests.ingesting import config_of, film, ingesting
from workers import ingest


def pictures(data: list[bytes]) -> list[list[bytes]]:
    """NAL units, whatever the length of the start codes between them."""
    return [list(annexb.split(one)) for one in data]


def assert_sent_by(source: VideoSource, units: list[AccessUnit]) -> None:
    """The units are the source's pictures, from its first on, none missing."""
    sent = [unit.data for unit in source.units]
    played = [sent[n % len(sent)] for n in range(len(units))]
    assert pictures([unit.data for unit in units]) == pictures(played)


def spacing(units: list[AccessUnit]) -> list[int]:
    return [after.entry_ms - before.entry_ms for before, after in pairwise(units)]


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_every_picture_from_the_first_key_picture_on(
    redis_url: str, camera_id: str, codec: VideoCodec
) -> None:
    source = film(codec=codec)
    async with (
        RtspServer([Route("/cam", source)]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 60)
        state = await run.state(camera_id, CameraStatus.ONLINE)
        units = await run.units(camera_id)
        params = await run.ring(camera_id).codec(units[0].generation)
    # The first packet is the IDR that FFmpeg gives without a time; it is there, and all follow.
    assert_sent_by(source, units)
    assert [unit.is_key for unit in units] == [n % 10 == 0 for n in range(len(units))]
    for unit in units:
        assert annexb.is_annexb(unit.data)
        assert annexb.parameter_sets(unit.data, codec).complete == unit.is_key
    assert params is not None
    assert (params.codec, params.width, params.height, params.generation) == (codec, 320, 192, 1)
    assert annexb.from_extradata(params.extradata, codec).complete
    assert (state.codec, state.width, state.height) == (codec, 320, 192)
    assert state.reconnects == 0
    assert not state.has_b_frames


async def test_times_are_the_cameras_where_it_sends_reports(redis_url: str, camera_id: str) -> None:
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        units = await run.more_units(camera_id, 60)
        now_ms = time.time() * 1000
        state = await run.state(camera_id, CameraStatus.ONLINE)
    assert state.clock == "rtcp"
    assert set(spacing(units)) <= {39, 40, 41}
    # This camera and we have the same clock: the newest picture was taken a moment ago.
    assert -100 < now_ms - units[-1].capture_ms < 1500


async def test_times_are_by_arrival_where_it_does_not(redis_url: str, camera_id: str) -> None:
    route = Route("/cam", film(), sender_reports=False)
    async with (
        RtspServer([route]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        units = await run.more_units(camera_id, 60)
        now_ms = time.time() * 1000
        state = await run.state(camera_id, CameraStatus.ONLINE)
    assert state.clock == "arrival"
    assert set(spacing(units[20:])) <= {39, 40, 41}
    assert -100 < now_ms - units[-1].capture_ms < 1500


async def test_a_camera_three_hours_off_gets_true_times_and_a_remark(
    redis_url: str, camera_id: str
) -> None:
    async with RtspServer([Route("/cam", film())]) as server:
        server.jump_clock("/cam", -3 * 3_600_000)
        async with ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run:
            units = await run.more_units(camera_id, 40)
            now_ms = time.time() * 1000
            state = await run.state(camera_id, lambda state: "behind" in state.detail)
    assert state.clock == "arrival"
    assert state.status is CameraStatus.ONLINE
    assert "10800 s behind" in state.detail or "10799 s behind" in state.detail
    assert -100 < now_ms - units[-1].capture_ms < 1500


async def test_a_cameras_clock_that_leaps_is_counted_and_the_ring_goes_on(
    redis_url: str, camera_id: str
) -> None:
    route = Route("/cam", film(), sender_report_interval_s=0.3)
    async with (
        RtspServer([route]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 30)
        await run.state(camera_id, lambda state: state.clock == "rtcp")
        server.jump_clock("/cam", 5 * 3_600_000)
        state = await run.state(camera_id, lambda state: state.clock_jumps == 1)
        assert state.clock == "arrival"
        await run.more_units(camera_id, 30)
        units = await run.units(camera_id)
        assert state.reconnects == 0
    assert set(spacing(units)) <= {38, 39, 40, 41, 42}


async def test_b_frames_keep_decode_order_and_display_times(redis_url: str, camera_id: str) -> None:
    source = film(b_frames=2, gop=20)
    assert source.has_b_frames
    async with (
        RtspServer([Route("/cam", source)]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 60)
        state = await run.state(camera_id, lambda state: state.has_b_frames)
        units = await run.units(camera_id)
    assert_sent_by(source, units)
    entries = [unit.entry_ms for unit in units]
    assert entries == sorted(set(entries))
    captures = sorted(unit.capture_ms for unit in units[: len(units) // 20 * 20])
    assert {after - before for before, after in pairwise(captures)} <= {39, 40, 41}
    assert any(unit.capture_ms < unit.entry_ms for unit in units)
    assert "B-frames" in state.detail


async def test_rates_are_measured(redis_url: str, camera_id: str) -> None:
    source = film()
    async with (
        RtspServer([Route("/cam", source)]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 75)
        state = await run.state(camera_id, lambda state: (state.bitrate_bps or 0) > 0)
        last = (await run.units(camera_id))[-1]
    bits = 8 * sum(len(unit.data) for unit in source.units) / 2
    assert state.fps == pytest.approx(25, rel=0.15)
    assert state.bitrate_bps == pytest.approx(bits, rel=0.4)
    assert state.last_frame_ms is not None
    assert abs(state.last_frame_ms - last.capture_ms) < 3000


async def test_a_substream_has_a_ring_of_its_own(redis_url: str, camera_id: str) -> None:
    large, small = film(width=640, height=352), film()
    async with RtspServer([Route("/main", large), Route("/sub", small)]) as server:
        camera = {"url": server.url("/main"), "substream_url": server.url("/sub")}
        async with ingesting(config_of(redis_url, {camera_id: camera})) as run:
            sub = substream_ring(camera_id)
            await run.more_units(camera_id, 20)
            await run.more_units(sub, 20)
            wide, narrow = (
                await run.ring(camera_id).latest_codec(),
                await run.ring(sub).latest_codec(),
            )
            state = await run.state(sub, CameraStatus.ONLINE)
    assert wide is not None
    assert narrow is not None
    assert (wide.width, narrow.width) == (640, 320)
    assert state.camera == sub


async def test_after_a_restart_the_ring_goes_on(redis_url: str, camera_id: str) -> None:
    async with RtspServer([Route("/cam", film())]) as server:
        config = config_of(redis_url, {camera_id: server.url("/cam")})
        async with ingesting(config) as run:
            await run.more_units(camera_id, 20)
        async with ingesting(config) as run:
            await run.more_units(camera_id, 20)
            units = await run.units(camera_id)
    entries = [unit.entry_ms for unit in units]
    assert entries == sorted(set(entries))
    assert {unit.generation for unit in units} == {1}


async def test_a_unit_is_in_the_ring_at_once(redis_url: str, camera_id: str) -> None:
    """From the camera's sending to a reader of the ring: a picture's time, a round, little more."""
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 25)
        delays = []
        for _ in range(30):
            (unit,) = await run.more_units(camera_id, 1)
            delays.append(time.time() * 1000 - unit.capture_ms)
    delays.sort()
    assert delays[len(delays) // 2] < 250


async def test_it_ends_promptly_and_its_last_pictures_are_written(
    redis_url: str, camera_id: str
) -> None:
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 10)
        began = time.monotonic()
        run.stop.set()
        await run.task
        assert time.monotonic() - began < 3


async def test_it_can_be_cancelled(redis_url: str, camera_id: str) -> None:
    async with RtspServer([Route("/cam", film())]) as server:
        config = config_of(redis_url, {camera_id: server.url("/cam")})
        task = asyncio.create_task(ingest.run(config))
        redis = connect(redis_url)
        await RingReader(redis, camera_id).tail(0, block_ms=3000, count=1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await RingReader(redis, camera_id).last_entry_ms() is not None
        await redis.aclose()


async def test_it_gives_a_sign_of_life(redis_url: str, camera_id: str) -> None:
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 5)
        beats = await read_heartbeats(run.redis)
    (beat,) = [one for one in beats if one.name == f"ingest-{camera_id}"]
    assert beat.counters["cameras"] == 1
    assert "units_dropped" in beat.counters
