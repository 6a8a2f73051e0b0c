"""``causeway bench ingest``: what reading a camera into its ring costs beside demuxing alone.

The floor is PyAV's demux of the same cameras in as many threads, opened as ingest opens them,
every packet thrown away. Floor and ingest take turns, each in a process of its own that does
nothing else; the RTSP server and Redis are other processes and are not counted. CPU is user and
system time per second of video that arrived. Memory is what Redis allocated for a ring beside
the encoded bytes in it, for the embedded server and, where it is installed, redis-server with
docker-compose.yml's stream-node-max-bytes.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from monitor.buffer.connection import connect
from monitor.buffer.embedded import EmbeddedRedis, redis_server_binary
from monitor.buffer.ring import RingWriter
from monitor.capture.rtsp_server import VideoSource
from monitor.domain import AccessUnit
from workers.bench._ingest_load import (
    Load,
    demux_alone,
    encode_clip,
    ingest_cameras,
    serve_cameras,
)

MAX_CPU_RATIO: Final = 1.6
MAX_MEMORY_RATIO: Final = 1.15
LIMITED_FROM: Final = 24
_MEMORY_S: Final = 30


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of cameras: CPU in milliseconds per camera-second of video, and their ratio."""

    cameras: int
    floor_ms: float
    ingest_ms: float
    ratio: float  # median of the rounds' ratios
    spread: tuple[float, float]  # lowest and highest of them


def main(
    json_out: bool = False,
    cameras: str = "1,8,24",
    seconds: float = 8.0,
    rounds: int = 3,
    video: str = "",
) -> int:
    """Print the figures with their floors; 0 if both limits are kept."""
    with tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder:
        path = Path(video) if video else Path(folder) / "clip.mp4"
        if not video:
            _say("Encoding ten seconds of 720p25 at 3 Mb/s ...")
            encode_clip(path)
        source = VideoSource.from_file(path)
        bitrate = 8 * sum(len(unit.data) for unit in source.units) * 90_000 / source.duration
        figures = asyncio.run(
            _measure(path, [int(one) for one in cameras.split(",")], seconds, rounds, Path(folder))
        )
        memory = asyncio.run(_memory(source, Path(folder)))
    judged = [one.ratio for one in figures if one.cameras >= LIMITED_FROM]  # fewer share less
    kept = max([*judged, 0.0]) <= MAX_CPU_RATIO and max(memory.values()) <= MAX_MEMORY_RATIO
    report = {
        "bitrate_bps": round(bitrate),
        "cpu": [asdict(one) for one in figures],
        "cpu_limit": MAX_CPU_RATIO,
        "memory": memory,
        "memory_limit": MAX_MEMORY_RATIO,
        "kept": kept,
    }
    print(json.dumps(report) if json_out else _table(report, figures))
    return 0 if kept else 1


async def _measure(
    path: Path, counts: list[int], seconds: float, rounds: int, folder: Path
) -> list[Figure]:
    figures = []
    async with EmbeddedRedis(folder / "redis.sock", folder) as redis:
        with _camera_server(path) as url:
            for count in counts:
                floors, costs = [], []
                for number in range(rounds):
                    _say(f"{count} cameras, round {number + 1} of {rounds} ...")
                    load = Load(url, count, seconds, redis.url, f"bench-{count}-{number}")
                    floors.append(await asyncio.to_thread(_in_process, demux_alone, load))
                    costs.append(await asyncio.to_thread(_in_process, ingest_cameras, load))
                    client = connect(redis.url)
                    await client.flushdb()  # a server of our own
                    await client.aclose()
                ratios = [cost / floor for cost, floor in zip(costs, floors, strict=True)]
                figures.append(
                    Figure(
                        cameras=count,
                        floor_ms=round(statistics.median(floors), 2),
                        ingest_ms=round(statistics.median(costs), 2),
                        ratio=round(statistics.median(ratios), 2),
                        spread=(round(min(ratios), 2), round(max(ratios), 2)),
                    )
                )
    return figures


def _in_process(work: Any, load: Load) -> float:
    """CPU milliseconds per camera-second, measured by a fresh process of itself."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=work, args=(load, there), daemon=True)
    process.start()
    there.close()
    try:
        cpu_s, video_s = here.recv()
    except EOFError:
        raise RuntimeError("a measuring process ended without a figure") from None
    finally:
        process.join(30)
    return float(1000 * cpu_s / video_s)


@contextmanager
def _camera_server(path: Path) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve_cameras, args=(path, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join(10)


async def _memory(source: VideoSource, folder: Path) -> dict[str, float]:
    """Redis's memory per encoded byte of half a minute, for each server there is."""
    servers = {"embedded": redis_server_binary()}
    if (installed := shutil.which("redis-server")) is not None:
        servers["redis-server"] = Path(installed)
    return {name: await _memory_of(source, path, folder) for name, path in servers.items()}


async def _memory_of(source: VideoSource, binary: Path, folder: Path) -> float:
    async with EmbeddedRedis(folder / "memory.sock", folder, binary=binary) as server:
        client = connect(server.url)
        writer = RingWriter(client, "bench", _MEMORY_S)
        before = int((await client.info("memory"))["used_memory"])
        kept = 0
        for n in range(_MEMORY_S * 25):
            unit = source.units[n % len(source.units)]
            at_ms = 1_760_000_000_000 + 40 * n
            await writer.append([AccessUnit(at_ms, at_ms, unit.is_key, 1, unit.data)])
            kept += len(unit.data)
        used = int((await client.info("memory"))["used_memory"]) - before
        await client.aclose()
    return round(used / kept, 3)


def _table(report: dict[str, Any], figures: list[Figure]) -> str:
    lines = [
        f"720p25 at {report['bitrate_bps'] / 1e6:.1f} Mb/s; CPU in ms per camera-second of video",
        "cameras   demux alone (floor)   ingest   ratio (lowest..highest)",
    ]
    lines += [
        f"{one.cameras:7d}   {one.floor_ms:19.2f}   {one.ingest_ms:6.2f}   "
        f"{one.ratio:5.2f} ({one.spread[0]:.2f}..{one.spread[1]:.2f})"
        for one in figures
    ]
    lines.append(f"limit from {LIMITED_FROM} cameras on: {report['cpu_limit']}")
    lines += [
        f"Redis memory / encoded bytes kept, {name}: {ratio:.3f} (limit {report['memory_limit']})"
        for name, ratio in report["memory"].items()
    ]
    lines.append("kept" if report["kept"] else "NOT KEPT")
    return "\n".join(lines)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
