"""What ``bench ingest`` runs in processes of their own: the cameras, the floor, and ingest."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.stream import VideoStream

from monitor.buffer.connection import connect
from monitor.buffer.ring import RingReader
from monitor.capture.rtsp import OPTIONS
from monitor.capture.rtsp_server import Route, RtspServer, VideoSource
from monitor.config.models import Config
from workers import ingest

_CONNECT_S: Final = 5.0
_READ_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Load:
    """One measurement: so many viewers of one address, for so long."""

    url: str
    cameras: int
    seconds: float
    redis_url: str
    name: str


def encode_clip(path: Path, seconds: int = 10) -> None:
    """Moving noise at 3 Mb/s: 720p25, a key picture every two seconds, no B-frames."""
    width, height, rate = 1280, 720, 25
    noise = np.random.default_rng(7)
    texture = noise.integers(60, 190, (height, width * 2), np.uint8)
    texture = (texture // 8 + np.linspace(40, 160, width * 2)[None, :]).astype(np.uint8)
    chroma = np.full((height // 2, width), 128, np.uint8)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.thread_count = 1
        bits = "bitrate=3000:vbv-maxrate=3000:vbv-bufsize=3000"
        video.options = {
            "preset": "ultrafast",
            "x264-params": f"keyint=50:min-keyint=50:scenecut=0:bframes=0:{bits}",
        }
        for number in range(seconds * rate):
            luma = texture[:, number * 4 : number * 4 + width].copy()
            luma[200:400] += noise.integers(0, 24, (200, width), np.uint8)
            frame = av.VideoFrame.from_ndarray(np.vstack([luma, chroma]), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))


def serve_cameras(path: Path, there: Connection) -> None:
    """Play a file over RTSP until ended; tells its address."""

    async def serve() -> None:
        async with RtspServer([Route("/cam", VideoSource.from_file(path))]) as server:
            there.send(server.url("/cam"))
            await asyncio.Event().wait()

    asyncio.run(serve())


def demux_alone(load: Load, there: Connection) -> None:
    """The floor: a thread per camera that throws every packet away. Tells CPU and video seconds."""
    ready = threading.Barrier(load.cameras + 1)
    stop = threading.Event()
    times: list[float] = [0.0] * load.cameras
    failed: list[Exception] = []

    def read(index: int) -> None:
        try:
            with av.open(
                load.url, format="rtsp", options=dict(OPTIONS), timeout=(_CONNECT_S, _READ_S)
            ) as container:
                (video,) = container.streams.video
                waiting = True
                for packet in container.demux(video):
                    if packet.pts is not None:
                        times[index] = float(packet.pts * packet.time_base)
                    if waiting and packet.pts:
                        waiting = False
                        ready.wait()
                    if stop.is_set():
                        return
        except Exception as error:
            failed.append(error)
            ready.abort()
            raise

    threads = [threading.Thread(target=read, args=(n,)) for n in range(load.cameras)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    before, cpu = sum(times), time.process_time()
    time.sleep(load.seconds)
    cpu, after = time.process_time() - cpu, sum(times)
    stop.set()
    for thread in threads:
        thread.join()
    there.send((cpu, after - before))


def ingest_cameras(load: Load, there: Connection) -> None:
    """Ingest as it is run, from these cameras. Tells CPU and video seconds."""
    cameras = [{"id": f"{load.name}-{n}", "url": load.url} for n in range(load.cameras)]
    config = Config.model_validate(
        {
            "site": {"id": "bench"},
            "cameras": cameras,
            "redis": {"url": load.redis_url},
            "ingest": {"connect_timeout_s": _CONNECT_S, "read_timeout_s": _READ_S},
        }
    )

    async def written_s(first_too: bool = False) -> float:
        """Seconds of video in all rings together; waits for the first unit of each if asked."""
        client = connect(load.redis_url)
        total = 0.0
        try:
            for camera in config.cameras:
                ring = RingReader(client, camera.id)
                while first_too and not await ring.tail(0, block_ms=1000, count=1):
                    continue
                total += (await ring.last_entry_ms() or 0) / 1000
        finally:
            await client.aclose()
        return total

    async def measure() -> tuple[float, float]:
        stop = asyncio.Event()
        task = asyncio.create_task(ingest.run(config, stop=stop))
        await written_s(first_too=True)
        before, cpu = await written_s(), time.process_time()
        await asyncio.sleep(load.seconds)
        cpu = time.process_time() - cpu
        after = await written_s()
        stop.set()
        await task
        return cpu, after - before

    there.send(asyncio.run(measure()))
