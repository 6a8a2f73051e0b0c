"""``causeway bench alert``: how long after the deciding picture a subscriber has the alert.

The whole chain as ``causeway run`` starts it, without analyse and the dashboard: cameras that play
rendered rear-end collisions over RTSP, ingest, watch, publish, embedded Redis and broker, and a
subscriber of MQTT. Counted is from the capture time of the access unit that decided (the moment
the camera sent it, by its own clock, which here is this machine's) to the alert's arrival at the
subscriber: a little more than from its arrival at ingest. Floor, in the same run on the same
servers: an alert-sized payload through XADD, XREAD, an MQTT publish at QoS 1, to a subscriber.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiomqtt
import av
from redis.asyncio import Redis
from ruamel.yaml import YAML

from monitor.alert.topics import Topics
from monitor.buffer.connection import connect
from monitor.buffer.incidents import IncidentStore
from monitor.clock import wall_ms_of
from monitor.config import endpoints
from monitor.config.loader import load
from monitor.config.models import Config
from monitor.domain import Alert, Level, Stage
from monitor.wire import from_json
from workers.commands.run import specs
from workers.commands.worker import SUPERVISED
from workers.demo import DemoOptions, camera_spec, demo_config, demo_folder, free_port
from workers.demo_videos import DemoVideo, say, scene_video
from workers.supervisor import Supervisor

MAX_P95_MS: Final = 700.0
_PROCESSES: Final = ("embedded-redis", "embedded-broker", "ingest", "watch", "publish")
_FLOOR_RUNS: Final = 100
_FLOOR_EVERY_S: Final = 0.05
_STAGGER_S: Final = 2  # the scene's GOP: cameras begin so much apart
_FLOOR_STREAM: Final = "cw:bench:floor"


@dataclass(frozen=True, slots=True)
class Received:
    """An alert at the subscriber, and when it came."""

    alert: Alert
    at_ms: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One provisional alert's way, in milliseconds since the deciding unit was captured."""

    filed_ms: float  # watch made the alert
    received_ms: float  # the subscriber had it


def main(json_out: bool = False, cameras: int = 4, seeds: int = 2, seconds: float = 100.0) -> int:
    """Print the figures with their floor; 0 if the limit is kept."""
    cache = demo_folder() / "videos"
    scenes = [scene_video(cache, "rear_end", seed) for seed in range(1, seeds + 1)]
    with tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder:
        videos = [
            _staggered(scenes[n % seeds], f"cam-{n}", n // seeds * _STAGGER_S, Path(folder))
            for n in range(cameras)
        ]
        port = free_port(0)
        path = Path(folder) / "streams.yaml"
        with path.open("w") as file:
            document = demo_config(videos, port, DemoOptions(), Path(folder) / "data")
            YAML(typ="safe", pure=True).dump(document, file)
        figures = asyncio.run(_measure(load(path, {}), path, videos, port, seconds))
    if json_out:
        print(json.dumps(figures))
    else:
        print(_table(figures))
    return 0 if figures["kept"] else 1


async def _measure(
    config: Config, path: Path, videos: Sequence[DemoVideo], port: int, seconds: float
) -> dict[str, Any]:
    supervisor = Supervisor(
        specs=[
            camera_spec(videos, port),
            *(spec for spec in specs(config, path, "warning") if spec.name in _PROCESSES),
        ],
        print_line=lambda name, line: say(f"{name:<15} | {line}"),
        env={**os.environ, SUPERVISED: "1", "PYTHONUNBUFFERED": "1"},
    )
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop), name="supervisor")
    redis = connect(endpoints.redis_url(config))
    received: list[Received] = []
    try:
        async with _subscribed(config, received):
            say(f"Watching {len(videos)} cameras for {seconds:.0f} s ...")
            await asyncio.sleep(seconds)
            samples = await _samples(redis, received)
            size = max((one.bytes for one in received), default=8000)
        floor = await _floor(config, redis, size)
    finally:
        stop.set()
        await running
        await redis.aclose()
    return _figures(samples, floor, len(videos), size)


@asynccontextmanager
async def _subscribed(config: Config, received: list[Received]) -> Any:
    """Notes every provisional alert meanwhile."""
    topic = Topics(config.mqtt.topic_prefix, config.site.id).alerts("x")[:-1] + "+"

    def note(message: aiomqtt.Message) -> None:
        at_ms = time.time_ns() // 1_000_000
        if message.topic.matches(topic) and isinstance(message.payload, bytes):
            alert = from_json(Alert, message.payload)
            if alert.stage is Stage.PROVISIONAL:
                received.append(Received(alert, at_ms, len(message.payload)))

    async with _client(config) as client:
        await client.subscribe(topic, qos=1)
        listening = asyncio.create_task(_listen(client, note), name="subscriber")
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def _client(config: Config) -> Any:
    """A client of the broker, once that has started."""
    host, port = endpoints.mqtt_address(config)
    async with asyncio.timeout(30):
        while True:
            client = aiomqtt.Client(host, port, timeout=5)
            try:
                await client.__aenter__()
                break
            except aiomqtt.MqttError:
                await asyncio.sleep(0.2)
    try:
        yield client
    finally:
        await client.__aexit__(None, None, None)


async def _listen(client: aiomqtt.Client, note: Callable[[aiomqtt.Message], None]) -> None:
    async for message in client.messages:
        note(message)


async def _samples(redis: Redis, received: Sequence[Received]) -> list[Sample]:
    """Each revision counts from the first trigger that is new in it and makes an alert."""
    incidents = IncidentStore(redis)
    samples, told = [], dict[str, int]()
    for one in received:
        alert = one.alert
        known = told.get(alert.id, 0)
        incident = await incidents.get(alert.camera, alert.id)
        if incident is None or alert.revision <= known:
            continue
        told[alert.id] = alert.revision
        fresh = incident.triggers[known : alert.revision]
        alerting = [trigger for trigger in fresh if trigger.level is Level.ALERT]
        decided_ms = min(trigger.decided_ms for trigger in alerting or fresh)
        samples.append(Sample(wall_ms_of(alert.created) - decided_ms, one.at_ms - decided_ms))
    return samples


async def _floor(config: Config, redis: Redis, size: int) -> list[float]:
    """The same servers, one payload at a time and nothing else."""
    topic, waits = "bench/floor", []
    async with _client(config) as sender, _client(config) as reader:
        await reader.subscribe(topic, qos=1)
        messages = reader.messages
        forwarding = asyncio.create_task(_forward(redis, partial(sender.publish, topic, qos=1)))
        try:
            for number in range(_FLOOR_RUNS):
                payload = str(number).encode().ljust(size)
                began_s = time.perf_counter()
                await redis.xadd(_FLOOR_STREAM, {b"p": payload}, maxlen=10)
                async for message in messages:
                    if message.payload == payload:
                        break
                waits.append((time.perf_counter() - began_s) * 1000)
                await asyncio.sleep(_FLOOR_EVERY_S)
        finally:
            forwarding.cancel()
            await asyncio.gather(forwarding, return_exceptions=True)
    return waits


async def _forward(redis: Redis, publish: Callable[[bytes], Awaitable[None]]) -> None:
    last: bytes | str = "0"
    while True:
        answer: Any = await redis.xread({_FLOOR_STREAM: last}, block=1000)
        for _, entries in answer or ():
            for entry, fields in entries:
                last = entry
                await publish(fields[b"p"])


def _staggered(scene: DemoVideo, camera: str, skip_s: int, folder: Path) -> DemoVideo:
    """The scene without its first seconds, so that not all cameras see their crash at once."""
    target = folder / f"{camera}.mp4"
    with av.open(str(scene.path)) as source, av.open(str(target), "w") as sink:
        video = source.streams.video[0]
        copy = sink.add_stream_from_template(video)
        first: int | None = None
        for packet in source.demux(video):
            if packet.dts is None or packet.pts is None:
                continue
            if first is None:
                if not packet.is_keyframe or packet.pts * packet.time_base < skip_s:
                    continue
                first = packet.dts
            packet.pts -= first
            packet.dts -= first
            packet.stream = copy
            sink.mux(packet)
    return DemoVideo(camera, scene.name, target, scene.calibration)


def _figures(
    samples: Sequence[Sample], floor: Sequence[float], cameras: int, size: int
) -> dict[str, Any]:
    received = [sample.received_ms for sample in samples]
    p95 = _quantile(received, 0.95)
    return {
        "cameras": cameras,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "alerts": len(samples),
        "alert_bytes": size,
        "p50_ms": _quantile(received, 0.5),
        "p95_ms": p95,
        "filed_p50_ms": _quantile([sample.filed_ms for sample in samples], 0.5),
        "filed_p95_ms": _quantile([sample.filed_ms for sample in samples], 0.95),
        "floor_p50_ms": _quantile(floor, 0.5),
        "floor_p95_ms": _quantile(floor, 0.95),
        "limit_p95_ms": MAX_P95_MS,
        "kept": p95 is not None and p95 < MAX_P95_MS,
    }


def _quantile(values: Sequence[float], share: float) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def _table(figures: dict[str, Any]) -> str:
    def row(name: str, prefix: str, note: str = "") -> str:
        p50, p95 = figures[f"{prefix}p50_ms"], figures[f"{prefix}p95_ms"]
        shown = "     none" if p50 is None else f"{p50:9.1f}{p95:9.1f}"
        return f"{name:<34}{shown}  {note}".rstrip()

    return "\n".join(
        (
            f"{figures['cameras']} cameras, {figures['alerts']} provisional alerts of up to "
            f"{figures['alert_bytes']} bytes, {figures['cores']} cores, "
            f"load {figures['load_average']}",
            f"{'ms since the deciding unit':<34}{'p50':>9}{'p95':>9}",
            row("made by watch", "filed_"),
            row("at the subscriber", "", f"p95 under {MAX_P95_MS:.0f}"),
            row("floor: XADD, XREAD, publish", "floor_"),
        )
    )
