"""Ingest against a camera of ours, for tests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.connection import connect
from monitor.buffer.ring import RingReader
from monitor.capture.rtsp_server import VideoSource
from monitor.config.models import Config
from monitor.domain import AccessUnit, CameraState, CameraStatus, VideoCodec
from tests.video import encode, even
from workers import ingest


@asynccontextmanager
async def logged(text: str, timeout_s: float = 15.0) -> AsyncIterator[None]:
    """Within the block, or after it within the time, this text is logged."""
    said = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if text in record.getMessage():
                loop.call_soon_threadsafe(said.set)

    listener = Listener()
    logging.getLogger().addHandler(listener)
    try:
        yield
        await asyncio.wait_for(said.wait(), timeout_s)
    finally:
        logging.getLogger().removeHandler(listener)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

QUICK: Mapping[str, float] = {
    "connect_timeout_s": 1.0,
    "read_timeout_s": 0.6,
    "backoff_max_s": 1.0,
    "key_frame_timeout_s": 1.0,
}


def film(
    count: int = 50, *, codec: VideoCodec = VideoCodec.H264, gop: int = 10, b_frames: int = 0,
    width: int = 320, height: int = 192,
) -> VideoSource:  # fmt: skip
    """Two seconds of video whose n-th picture carries its number."""
    units, _ = encode(
        even(count), codec=codec, gop=gop, b_frames=b_frames, width=width, height=height
    )
    return VideoSource.from_units(units, codec, 25.0)


def config_of(redis_url: str, cameras: Mapping[str, Any], **settings: float) -> Config:
    """A configuration of these cameras: an address, or a mapping of the camera's settings."""
    listed = [
        {"id": name, **({"url": camera} if isinstance(camera, str) else camera)}
        for name, camera in cameras.items()
    ]
    return Config.model_validate(
        {
            "site": {"id": "test"},
            "cameras": listed,
            "redis": {"url": redis_url},
            "ingest": {**QUICK, **settings},
        }
    )


def describing(
    body: str,
) -> Serve:
    """An RTSP server that describes something else than H.264 and then says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readline():
            sequence = b"0"
            while (line := (await reader.readline()).strip()) != b"":
                if line.lower().startswith(b"cseq:"):
                    sequence = line.split(b":")[1].strip()
            head = b"RTSP/1.0 200 OK\r\nCSeq: " + sequence + b"\r\n"
            if request.startswith(b"OPTIONS"):
                writer.write(head + b"Public: DESCRIBE, SETUP, PLAY\r\n\r\n")
            elif request.startswith(b"DESCRIBE"):
                length = str(len(body)).encode()
                writer.write(
                    head + b"Content-Type: application/sdp\r\nContent-Length: " + length
                    + b"\r\n\r\n" + body.encode()
                )  # fmt: skip
            elif request.startswith(b"SETUP"):
                writer.write(
                    head + b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n"
                )
            else:
                writer.write(head + b"Session: 1\r\n\r\n")
            await writer.drain()
        writer.close()

    return serve


@dataclass
class Ingesting:
    """A running ingest and what it has written."""

    redis: Redis
    task: asyncio.Task[None]
    stop: asyncio.Event

    def ring(self, camera: str) -> RingReader:
        return RingReader(self.redis, camera)

    async def units(self, camera: str) -> list[AccessUnit]:
        return await self.ring(camera).range(0, 10**15)

    async def state(
        self, camera: str, wanted: CameraStatus | Callable[[CameraState], bool],
        timeout_s: float = 20.0,
    ) -> CameraState:  # fmt: skip
        """The camera's state as soon as it is the wanted one."""
        store = CameraStore(self.redis)
        last: CameraState | None = None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    self._check()
                    last = await store.state(camera)
                    if last is not None and (
                        last.status is wanted if isinstance(wanted, CameraStatus) else wanted(last)
                    ):
                        return last
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"the state of {camera} remained {last}") from None

    async def more_units(
        self, camera: str, count: int, timeout_s: float = 20.0
    ) -> list[AccessUnit]:
        """So many units beyond those that are there now."""
        ring = self.ring(camera)
        after = await ring.last_entry_ms() or 0
        found: list[AccessUnit] = []
        async with asyncio.timeout(timeout_s):
            while len(found) < count:
                self._check()
                found += await ring.tail(
                    found[-1].entry_ms if found else after, block_ms=200, count=count - len(found)
                )
        return found

    def _check(self) -> None:
        if self.task.done():
            self.task.result()
            raise AssertionError("ingest has ended")


@asynccontextmanager
async def ingesting(config: Config) -> AsyncIterator[Ingesting]:
    """Run ingest meanwhile; it must end when it is told to."""
    assert config.redis.url is not None
    redis = connect(config.redis.url.get_secret_value())
    stop = asyncio.Event()
    task = asyncio.create_task(ingest.run(config, stop=stop, name=f"ingest-{config.cameras[0].id}"))
    try:
        yield Ingesting(redis, task, stop)
    finally:
        stop.set()
        async with asyncio.timeout(15):
            await task
        await redis.aclose()
