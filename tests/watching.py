"""Watch against a ring of ours: a drawn street on which a car brakes hard, twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import av
from redis.asyncio import Redis

from monitor import wire
from monitor.buffer.connection import connect, entries_of
from monitor.buffer.keys import JOBS, OUTBOX
from monitor.config.models import Camera, Config
from monitor.domain import (
    AccessUnit,
    Actor,
    Alert,
    CodecParameters,
    Evidence,
    Job,
    Trigger,
    VideoCodec,
)
from monitor.media.decode import Planes
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.normal import SceneMemory
from tests.street import HEIGHT_PX, START_MS, WIDTH_PX, Car, Street
from workers import watch
from workers.watching.look_back import Examine

FPS, GOP = 20, 20
SPEED_PX_S, DECEL_PX_S2 = 120.0, 100.0
FIRST_S, SECOND_S = 7.3, 19.3
"""When the cars begin to brake."""
PART_S, END_S = 13.0, 25.0


@dataclass(frozen=True)
class Braking(Car):
    """Brakes to standstill, and is gone some seconds later."""

    brakes_s: float = 0.0

    def left(self, time_s: float) -> float:
        if time_s > self.brakes_s + 4.0:
            return -1000.0
        braking = min(max(0.0, time_s - self.brakes_s), self.speed / DECEL_PX_S2)
        cruise = self.x + self.speed * (min(time_s, self.brakes_s) - self.brakes_s)
        return cruise + self.speed * braking - DECEL_PX_S2 * braking**2 / 2


CARS = tuple(
    Braking(x=120.0, y=90.0, speed=SPEED_PX_S, seed=seed, brakes_s=brakes_s)
    for seed, brakes_s in ((7, FIRST_S), (9, SECOND_S))
)


@lru_cache
def film() -> tuple[tuple[AccessUnit, ...], CodecParameters]:
    """The street in H.264, beginning at START_MS."""
    street = Street(CARS)
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 1000), Fraction(FPS)
    encoder.thread_count = 1
    encoder.options = {
        "preset": "veryfast", "crf": "20",
        "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0:repeat-headers=1",
    }  # fmt: skip
    packets = []
    for index in range(round(END_S * FPS)):
        planes = street.picture(index / FPS)
        frame = av.VideoFrame(WIDTH_PX, HEIGHT_PX, "yuv420p")
        for plane, values in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
            rows = bytearray(plane.line_size * plane.height)
            for row in range(plane.height):
                at = row * plane.line_size
                rows[at : at + plane.width] = values[row].tobytes()
            plane.update(bytes(rows))
        frame.pts, frame.time_base = index * 1000 // FPS, Fraction(1, 1000)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    units = []
    for packet in packets:
        assert packet.pts is not None
        at_ms = START_MS + packet.pts
        units.append(AccessUnit(at_ms, at_ms, packet.is_keyframe, 1, bytes(packet)))
    return tuple(units), CodecParameters(VideoCodec.H264, WIDTH_PX, HEIGHT_PX, b"", FPS, 1)


def part(start_s: float, end_s: float) -> list[AccessUnit]:
    """The film's units of a span."""
    begin, end = (START_MS + round(edge * 1000) for edge in (start_s, end_s))
    return [replace(unit) for unit in film()[0] if begin <= unit.entry_ms < end]


def config_of(redis_url: str, camera: str, merge_s: float = 2.0) -> Config:
    return Config.model_validate(
        {
            "site": {"id": "test"},
            "redis": {"url": redis_url},
            "cameras": [
                {"id": camera, "url": "rtsp://127.0.0.1/x", "trigger": {"merge_s": merge_s}}
            ],
        }
    )


def confirm(
    pictures: Iterable[tuple[int, Planes]],
    trigger: Trigger,
    camera: Camera,
    memory: SceneMemory | None = None,
) -> Verdict:
    """A second look that believes everything it sees pictures of."""
    return judged(pictures, trigger, confirmed=True)


def reject(
    pictures: Iterable[tuple[int, Planes]],
    trigger: Trigger,
    camera: Camera,
    memory: SceneMemory | None = None,
) -> Verdict:
    """A second look that believes nothing."""
    return judged(pictures, trigger, confirmed=False)


def judged(
    pictures: Iterable[tuple[int, Planes]], trigger: Trigger, *, confirmed: bool | None
) -> Verdict:
    """About the trigger's moment, with how many pictures there were as its reason."""
    times = [at_ms for at_ms, _ in pictures]
    reason = f"{len(times)} pictures, {(times[-1] - times[0]) / 1000:.1f} s"
    evidence = Evidence(
        "any", trigger.kind, trigger.time_ms, Actor.VEHICLE, 0.9, time_uncertainty_s=0.1
    )
    return Verdict(
        confirmed, 1.2 if confirmed else 0.3, trigger.kind, trigger.time_ms, 0.1, None,
        trigger.box, reason, (evidence,),
    )  # fmt: skip


@asynccontextmanager
async def watching(config: Config, examine: Examine = confirm) -> AsyncIterator[asyncio.Task[None]]:
    """Run watch meanwhile; then it is cut off as by a crash: nothing is told to it before."""
    name = f"watch-{config.cameras[0].id}"
    task = asyncio.create_task(watch.run(config, name=name, examine=examine))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=15)
        assert task.done()
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def until(holds: Callable[[], Awaitable[bool]], timeout_s: float = 40.0) -> None:
    """Ask again until the answer is yes."""
    async with asyncio.timeout(timeout_s):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.05)


async def alerts(redis: Redis, camera: str) -> list[Alert]:
    found = [wire.from_json(Alert, payload) for payload in await _payloads(redis, OUTBOX)]
    return [alert for alert in found if alert.camera == camera]


async def jobs(redis: Redis, camera: str) -> list[str]:
    found = [wire.from_json(Job, payload) for payload in await _payloads(redis, JOBS)]
    return [job.incident for job in found if job.camera == camera]


async def _payloads(redis: Redis, stream: str) -> list[bytes]:
    entries = entries_of(await redis.xrange(stream))
    return [next(iter(fields.values())) for _, fields in entries]


@asynccontextmanager
async def redis_at(url: str) -> AsyncIterator[Redis]:
    redis = connect(url)
    try:
        yield redis
    finally:
        await redis.aclose()
