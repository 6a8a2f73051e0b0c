"""A real dashboard process for tests, a camera that fills a ring, and a browser to look at it."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import httpx
from playwright.async_api import Browser, async_playwright
from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.connection import connect
from monitor.buffer.ring import RingWriter
from monitor.clock import SystemClock
from monitor.config.models import Config
from monitor.domain import (
    AccessUnit,
    CameraState,
    CameraStatus,
    CodecParameters,
    VideoCodec,
    ViewCondition,
)
from tests.servers import binary

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_CHILD = "from tests.dashboards import child; child()"


def settings(
    tmp_path: Path,
    cameras: Sequence[str],
    *,
    redis_port: int,
    mqtt_port: int,
    port: int = 0,
    names: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A configuration as JSON; cameras have a password in their address, to be kept secret."""
    return {
        "site": {"id": "demo", "name": "Harbour Road × Mill Lane"},
        "cameras": [
            {
                "id": camera,
                "url": f"rtsp://operator:hunter2@192.0.2.9/{camera}",
                "name": (names or {}).get(camera, ""),
            }
            for camera in cameras
        ],
        "data_dir": str(tmp_path / "var"),
        "redis": {"url": f"redis://127.0.0.1:{redis_port}/0"},
        "mqtt": {"host": "127.0.0.1", "port": mqtt_port, "topic_prefix": f"cw-{tmp_path.name}"},
        "dashboard": {"host": "127.0.0.1", "port": port or 8080},
    } | more


def config_of(values: dict[str, Any]) -> Config:
    return Config.model_validate_json(json.dumps(values))


@asynccontextmanager
async def dashboard(values: dict[str, Any]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A dashboard in its own process, as in production; NiceGUI allows one per process."""
    environment = dict(os.environ, CAUSEWAY_TEST_CONFIG=json.dumps(values))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CHILD, env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        await _answers(f"http://127.0.0.1:{values['dashboard']['port']}/livez", process)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), 15)


def child() -> None:
    """What the process runs."""
    from dashboards.app import run

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: never outlive the test

    async def main() -> None:
        stop = asyncio.Event()
        for sig in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sig, stop.set)
        await run(config_of(json.loads(os.environ["CAUSEWAY_TEST_CONFIG"])), stop=stop)

    asyncio.run(main())


async def _answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(60):
        while True:
            if process.returncode is not None:
                assert process.stderr is not None
                raise RuntimeError((await process.stderr.read()).decode())
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)  # it is not listening yet; there is nothing to wait for


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium with a profile of its own."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=binary("chromium"), args=FLAGS)
        try:
            yield chromium
        finally:
            await chromium.close()


@dataclass
class CameraFeed:
    """Plays encoded pictures into a ring as ingest does, in a loop, at their own pace."""

    redis: Redis
    camera: str
    units: Sequence[AccessUnit]
    params: CodecParameters
    view: ViewCondition = ViewCondition.NORMAL
    begin: int = 0
    began_ms: int = 0  # when the first was written

    async def run(self) -> None:
        """Until cancelled."""
        clock, store = SystemClock(), CameraStore(self.redis)
        writer = RingWriter(self.redis, self.camera, 30)
        await writer.put_codec(self.params)
        await store.put_view(self.camera, self.view)
        gaps = [later.entry_ms - unit.entry_ms for unit, later in pairwise(self.units)]
        gaps.append(round(sum(gaps) / len(gaps)))
        at_ms = clock.wall_ms()
        index, said_ms = self.begin, 0
        self.began_ms = at_ms
        while True:
            unit = self.units[index]
            offset = unit.capture_ms - unit.entry_ms
            await writer.append([replace(unit, entry_ms=at_ms, capture_ms=at_ms + offset)])
            if at_ms - said_ms >= 1000:
                await store.put_state(self.state(at_ms))
                said_ms = at_ms
            at_ms += gaps[index]
            index = (index + 1) % len(self.units)
            await clock.sleep((at_ms - clock.wall_ms()) / 1000)

    def state(self, at_ms: int) -> CameraState:
        """What ingest would say of it."""
        span_ms = self.units[-1].entry_ms - self.units[0].entry_ms
        return CameraState(
            camera=self.camera,
            status=CameraStatus.ONLINE,
            since_ms=at_ms - 60_000,
            codec=self.params.codec,
            width=self.params.width,
            height=self.params.height,
            fps=self.params.fps,
            bitrate_bps=round(sum(len(unit.data) for unit in self.units) * 8000 / span_ms),
            last_frame_ms=at_ms,
            clock="rtcp",
        )


@asynccontextmanager
async def playing(*feeds: CameraFeed) -> AsyncIterator[None]:
    """The cameras play while the block runs."""
    tasks = [asyncio.create_task(feed.run()) for feed in feeds]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ended:
            if isinstance(end, Exception):
                raise end


@asynccontextmanager
async def redis_client(port: int) -> AsyncIterator[Redis]:
    client = connect(f"redis://127.0.0.1:{port}/0")
    try:
        yield client
    finally:
        await client.aclose()


def units_of(path: Path, *, start_ms: int = 0) -> tuple[list[AccessUnit], CodecParameters]:
    """The access units of an MP4 with H.264, as Annex B."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        to_annex_b = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        units: list[AccessUnit] = []
        for packet in container.demux(stream):
            for filtered in to_annex_b.filter(packet):
                if filtered.pts is None or filtered.time_base is None:
                    continue
                at_ms = start_ms + round(filtered.pts * filtered.time_base * 1000)
                units.append(AccessUnit(at_ms, at_ms, filtered.is_keyframe, 1, bytes(filtered)))
        fps = float(stream.average_rate or 25)
        return units, CodecParameters(VideoCodec.H264, context.width, context.height, b"", fps, 1)
