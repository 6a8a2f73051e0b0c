"""Cameras that fail in every way: the state says which, and all recover by themselves."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from itertools import pairwise

import pytest

from monitor.capture.rtsp_server import Route, RtspServer
from monitor.domain import CameraStatus, VideoCodec
from tests.ingesting import config_of, describing, film, ingesting

PASSWORD = "hunter2"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("refuse", CameraStatus.REFUSED),
        ("silent", CameraStatus.NO_ANSWER),
        ("not_found", CameraStatus.NOT_FOUND),
        ("unauthorized", CameraStatus.UNAUTHORIZED),
    ],
)
async def test_a_camera_that_cannot_be_opened_and_then_can(
    redis_url: str, camera_id: str, fault: str, status: CameraStatus,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    route = Route("/cam", film(), username="operator", password=PASSWORD)
    async with RtspServer([route]) as server:
        url = server.url("/cam")
        getattr(server, fault)("/cam")
        async with ingesting(config_of(redis_url, {camera_id: url})) as run:
            state = await run.state(camera_id, status)
            assert state.detail
            assert PASSWORD not in state.detail
            assert state.codec is None
            server.resume("/cam")
            state = await run.state(camera_id, CameraStatus.ONLINE)
            assert state.reconnects >= 1
            assert state.detail == ""
            await run.more_units(camera_id, 20)
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("stall", {CameraStatus.STALLED}),
        ("garbage", {CameraStatus.STALLED, CameraStatus.INVALID_DATA, CameraStatus.ENDED}),
    ],
)
async def test_a_camera_that_falls_ill_while_it_plays(
    redis_url: str, camera_id: str, fault: str, statuses: set[CameraStatus]
) -> None:
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 20)
        before = len(await run.units(camera_id))
        getattr(server, fault)("/cam")
        state = await run.state(camera_id, lambda state: state.status in statuses)
        assert state.fps is None
        assert len(await run.units(camera_id)) - before < 20
        server.resume("/cam")
        await run.state(camera_id, CameraStatus.ONLINE)
        await run.more_units(camera_id, 20)
        units = await run.units(camera_id)
    assert all(after.entry_ms > before.entry_ms for before, after in pairwise(units))
    # After the break it goes on with a key picture.
    (break_at,) = [n for n, (a, b) in enumerate(pairwise(units)) if b.entry_ms - a.entry_ms > 300]
    assert units[break_at + 1].is_key


async def test_a_camera_that_drops_its_connections(redis_url: str, camera_id: str) -> None:
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        for drops in range(1, 4):
            await run.more_units(camera_id, 15)
            server.drop("/cam")
            state = await run.state(camera_id, lambda state, n=drops: state.reconnects >= n)  # type: ignore[misc]  # its own n
            await run.state(camera_id, CameraStatus.ONLINE)
        units = await run.units(camera_id)
    assert state.reconnects == 3
    entries = [unit.entry_ms for unit in units]
    assert entries == sorted(set(entries))
    assert {unit.generation for unit in units} == {1}


async def test_a_camera_that_goes_away_is_noticed_as_ended_or_refused(
    redis_url: str, camera_id: str
) -> None:
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 10)
        server.refuse("/cam")
        await run.state(camera_id, CameraStatus.REFUSED)


async def test_a_new_resolution_in_mid_stream(redis_url: str, camera_id: str) -> None:
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 20)
        server.switch("/cam", film(width=640, height=352))
        state = await run.state(camera_id, lambda state: state.width == 640)
        await run.more_units(camera_id, 20)
        units = await run.units(camera_id)
        codecs = [await run.ring(camera_id).codec(number) for number in (1, 2)]
        latest = await run.ring(camera_id).latest_codec()
    assert state.reconnects == 0
    assert [(one.width, one.height) for one in codecs if one] == [(320, 192), (640, 352)]
    assert latest == codecs[1]
    generations = [unit.generation for unit in units]
    assert generations == sorted(generations)
    assert set(generations) == {1, 2}
    assert units[generations.index(2)].is_key


async def test_a_new_codec(redis_url: str, camera_id: str) -> None:
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 20)
        server.switch("/cam", film(codec=VideoCodec.HEVC))
        await run.state(camera_id, lambda state: state.codec is VideoCodec.HEVC)
        await run.more_units(camera_id, 20)
        units = await run.units(camera_id)
        codecs = [await run.ring(camera_id).codec(number) for number in (1, 2)]
    assert [one.codec for one in codecs if one] == [VideoCodec.H264, VideoCodec.HEVC]
    first = [unit.generation for unit in units].index(2)
    assert units[first].is_key
    assert {unit.generation for unit in units[:first]} == {1}


async def test_a_camera_without_key_pictures(redis_url: str, camera_id: str) -> None:
    async with RtspServer([Route("/cam", film())]) as server:
        server.without_key_frames("/cam")
        async with ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run:
            state = await run.state(camera_id, CameraStatus.NO_KEY_FRAME)
            assert "no key frame for 1 s" in state.detail
            assert await run.units(camera_id) == []
            server.resume("/cam")
            await run.state(camera_id, CameraStatus.ONLINE)
            units = await run.more_units(camera_id, 5)
            assert units
            assert (await run.units(camera_id))[0].is_key


async def test_key_pictures_that_cease(redis_url: str, camera_id: str) -> None:
    async with (
        RtspServer([Route("/cam", film())]) as server,
        ingesting(config_of(redis_url, {camera_id: server.url("/cam")})) as run,
    ):
        await run.more_units(camera_id, 20)
        server.without_key_frames("/cam")
        state = await run.state(camera_id, CameraStatus.NO_KEY_FRAME)
        assert "GOP" in state.detail
        await run.more_units(camera_id, 10)  # what comes is still kept
        server.resume("/cam")
        state = await run.state(camera_id, CameraStatus.ONLINE)
        assert state.reconnects == 0


async def test_a_camera_of_another_codec(redis_url: str, camera_id: str) -> None:
    """Motion JPEG is described, so the answer is known at once."""
    sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\n"
    async with await asyncio.start_server(describing(sdp), "127.0.0.1", 0) as server:
        url = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/cam"
        async with ingesting(config_of(redis_url, {camera_id: url})) as run:
            state = await run.state(camera_id, CameraStatus.UNSUPPORTED_CODEC)
    assert "set the camera to H.264 or H.265" in state.detail


async def test_dead_cameras_do_not_delay_the_living(redis_url: str, camera_id: str) -> None:
    """More hanging cameras than any thread pool has threads, and one that works."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hanging:
        hang = f"rtsp://127.0.0.1:{hanging.getsockname()[1]}/cam"
        async with RtspServer([Route("/cam", film())]) as server:
            cameras = {f"{camera_id}-dead-{n}": f"{hang}{n}" for n in range(40)}
            cameras[camera_id] = server.url("/cam")
            async with ingesting(config_of(redis_url, cameras, connect_timeout_s=2.0)) as run:
                await run.more_units(camera_id, 50)
                lags = []
                for _ in range(20):
                    (unit,) = await run.more_units(camera_id, 1)
                    lags.append(time.time() * 1000 - unit.capture_ms)
                state = await run.state(f"{camera_id}-dead-7", CameraStatus.NO_ANSWER)
    assert sorted(lags)[10] < 400
    assert state.status is CameraStatus.NO_ANSWER


async def test_a_failing_camera_is_logged_when_its_state_changes_only(
    redis_url: str, camera_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with RtspServer([Route("/cam", film())]) as server:
        server.not_found("/cam")
        config = config_of(redis_url, {camera_id: server.url("/cam")}, backoff_max_s=1.0)
        async with ingesting(config) as run:
            await run.state(camera_id, lambda state: state.reconnects >= 3)
    lines = [record for record in caplog.records if f"camera {camera_id}:" in record.getMessage()]
    assert len(lines) == 1
