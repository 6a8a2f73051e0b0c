"""The patrol: while a model has time to spare, a small look goes round the cameras.

It finds what the trigger misses. A look that finds something abnormal opens an incident in the
way watch does, with a trigger that says it was seen and not measured; the full query follows, and
may dismiss it. An abnormal camera is reported once, until a look finds it normal again. Looks
never delay an incident: none begins while one is asked about or decoded, one that runs is broken
off, and decoding has the lowest priority the machine knows.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal

from redis.asyncio import Redis

from monitor.buffer.incidents import IncidentStore
from monitor.buffer.patrol import PatrolStore
from monitor.buffer.ring import RingReader
from monitor.config.models import Camera
from monitor.domain import AccessUnit, Incident, Trigger, Window
from monitor.errors import MediaError, QueryError, StoreError
from monitor.logs import camera as camera_logged
from monitor.media.clip import part_around
from monitor.media.window import Wanted, decode_wanted
from monitor.query.look import Look, look, look_pairs
from monitor.query.question import Reply, Shot, shots
from monitor.query.scheduler import Grant
from workers.analysis.background import LOWEST, background_threads
from workers.analysis.incident import Desk
from workers.watching.desk import Desk as Report

logger = logging.getLogger(__name__)

SPAN_MS: Final = 12_000
SURE: Final = 0.5
_DEADLINE_S: Final = 20.0
_STALE_MS: Final = 15_000  # a picture older than that shows no present
_BUSY_S: Final = 1.0
_SEEN: Final = {
    "en": "Seen by the model's patrol, not measured: {}",
    "zh": "模型巡查所见，未经测量：{}",
}
_BELOW_THRESHOLD: Final = 0.99  # a look's score: never that of a strong trigger


class Cost:
    """Tokens per camera and hour, over the last hour at most."""

    def __init__(self, cameras: int, now_s: float) -> None:
        self._cameras = cameras
        self._began_s = now_s
        self._spent: deque[tuple[float, int]] = deque()

    def spend(self, tokens: int, now_s: float) -> None:
        """A look was paid for."""
        self._spent.append((now_s, tokens))

    def per_camera_hour(self, now_s: float) -> float:
        """0 without cameras; the first minute counts whole."""
        while self._spent and self._spent[0][0] < now_s - 3600:
            self._spent.popleft()
        hours = min(max(now_s - self._began_s, 60.0), 3600.0) / 3600
        return sum(tokens for _, tokens in self._spent) / max(1, self._cameras) / hours


class Patrol:
    """``run()`` goes round until cancelled; does nothing where it is switched off."""

    def __init__(self, redis: Redis, desk: Desk) -> None:
        self._redis = redis
        self._desk = desk
        self._every_s = desk.config.query.patrol_s
        self._cameras = [one for one in desk.config.cameras if one.trigger.enabled]
        self._turns = PatrolStore(redis)
        self._incidents = IncidentStore(redis)
        self._cost = Cost(len(self._cameras), desk.clock.monotonic_s())
        self._counted: Counter[str] = Counter()

    def counters(self) -> dict[str, int | float]:
        """For the heartbeat; nothing where it is switched off."""
        if self._every_s is None:
            return {}
        cost = self._cost.per_camera_hour(self._desk.clock.monotonic_s())
        found = {f"patrol_{name}": count for name, count in self._counted.items()}
        return {**found, "patrol_tokens_per_camera_hour": round(cost)}

    async def run(self) -> None:
        """As many looks at once as there are endpoints."""
        endpoints = len(self._desk.models.endpoints)
        if self._every_s is None or not endpoints or not self._cameras:
            return
        now_s = self._desk.clock.monotonic_s()
        apart_s = self._every_s / len(self._cameras)
        due = [(now_s + n * apart_s, n) for n in range(len(self._cameras))]
        with background_threads(endpoints, "patrol", LOWEST) as threads:
            async with asyncio.TaskGroup() as tasks:
                for number in range(min(endpoints, len(self._cameras))):
                    walk = self._walk(due, self._every_s, threads)
                    tasks.create_task(walk, name=f"patrol-{number}")

    async def _walk(
        self, due: list[tuple[float, int]], every_s: float, threads: ThreadPoolExecutor
    ) -> None:
        clock = self._desk.clock
        while True:
            if not due:
                await clock.sleep(_BUSY_S)
                continue
            at_s, number = heapq.heappop(due)
            try:
                await clock.sleep(at_s - clock.monotonic_s())
                wait_s = await self._visit(self._cameras[number], every_s, threads)
            except StoreError:  # said by the jobs
                wait_s = every_s
            heapq.heappush(due, (clock.monotonic_s() + wait_s, number))

    async def _visit(self, camera: Camera, every_s: float, threads: ThreadPoolExecutor) -> float:
        """Look if there is time; how long to wait for the next visit."""
        desk = self._desk
        if desk.in_work.running or desk.models.waiting or desk.models.running:
            return _BUSY_S
        if not await self._turns.begin(camera.id, every_s):
            return every_s / 4
        with camera_logged(camera.id):
            try:
                looked = await self._look(camera, threads)
            except (QueryError, MediaError) as error:
                self._counted["failures"] += 1
                logger.debug("the patrol could not look: %s", error)
                return every_s
            if looked:
                return every_s
        await self._turns.put_back(camera.id)
        return _BUSY_S

    async def _look(self, camera: Camera, threads: ThreadPoolExecutor) -> bool:
        """Whether it came to a look; False if there was no time for it after all."""
        units, window = await self._recent(camera.id)
        if not units:
            self._counted["nothing_new"] += 1
            return True
        taken = await self._shots(camera.id, units, window, threads)
        site = self._desk.config.site

        async def act(grant: Grant) -> Look:
            return await look(
                grant.endpoint.client, taken, window, lang=site.lang,
                traffic_side=site.keeps, mode=grant.mode, deadline_s=grant.left_s,
            )  # fmt: skip

        found = await self._desk.models.look(act, _DEADLINE_S)
        if found is None:
            return False
        self._pay(found.reply)
        await self._judge(camera, found, window)
        return True

    async def _recent(self, camera: str) -> tuple[list[AccessUnit], Window]:
        """The access units of the last seconds, from a key one on; none if the camera is silent."""
        ring = RingReader(self._redis, camera)
        last_ms = await ring.last_entry_ms()
        if last_ms is None or last_ms < self._desk.clock.wall_ms() - _STALE_MS:
            return [], Window(0, 0)
        first_ms = await ring.key_at_or_before(last_ms - SPAN_MS) or last_ms - SPAN_MS
        units = part_around(await ring.range(first_ms, last_ms), last_ms)
        if not units:
            return [], Window(0, 0)
        return units, Window(units[0].capture_ms, max(unit.capture_ms for unit in units))

    async def _shots(
        self, camera: str, units: Sequence[AccessUnit], window: Window, threads: ThreadPoolExecutor
    ) -> tuple[Shot, ...]:
        query = self._desk.config.query
        params = await RingReader(self._redis, camera).codec(units[0].generation)
        if params is None:
            raise MediaError("the codec parameters of the video are gone")
        pairs = look_pairs(
            [window.t_s(unit.capture_ms) for unit in units if unit.is_key],
            [window.t_s(unit.capture_ms) for unit in units],
            window,
            query.patrol_frames,
        )
        wanted = [
            Wanted(window.start_ms + ms, query.frame_width)
            for pair in pairs
            for ms in (pair.first_ms, pair.second_ms)
        ]
        stills = await asyncio.get_running_loop().run_in_executor(
            threads, decode_wanted, units, params, wanted, 1
        )
        return shots(pairs, stills, window)

    def _pay(self, reply: Reply) -> None:
        self._counted["looks"] += 1
        self._counted["prompt_tokens"] += reply.prompt_tokens or 0
        self._counted["cached_tokens"] += reply.cached_tokens or 0
        self._counted["output_tokens"] += reply.output_tokens or 0
        tokens = (reply.prompt_tokens or 0) + (reply.output_tokens or 0)
        self._cost.spend(tokens, self._desk.clock.monotonic_s())

    async def _judge(self, camera: Camera, found: Look, window: Window) -> None:
        abnormal = found.abnormal and found.confidence >= SURE
        if not abnormal:
            await self._turns.note(camera.id, abnormal=False)
            return
        self._counted["abnormal"] += 1
        if await self._turns.abnormal(camera.id):
            return
        latest = await self._incidents.latest(camera.id)
        if latest is None or not _near(latest, found.since_ms, camera.trigger.merge_s):
            latest = _incident(camera.id, found, window, self._desk.config.site.lang)
        if await self._is_new(latest):
            self._counted["candidates"] += 1
            logger.info("%s: the patrol saw something", latest.id)
            report = Report(self._desk.config, camera, self._redis, self._desk.clock)
            await report.report(latest)
        await self._turns.note(camera.id, abnormal=True)

    async def _is_new(self, incident: Incident) -> bool:
        """Whether it is the patrol's own and was not explained: unknown yet, or cut off by a crash.

        Reported twice it is the same alert, with the same id and revision.
        """
        if any(trigger.source == "measured" for trigger in incident.triggers):
            return False
        return not await self._incidents.explained(incident.camera, incident.id)


def _incident(camera: str, found: Look, window: Window, lang: Literal["en", "zh"]) -> Incident:
    trigger = Trigger(
        kind=found.kind,
        time_ms=found.since_ms,
        decided_ms=window.end_ms,
        score=min(found.confidence, _BELOW_THRESHOLD),
        reason=_SEEN[lang].format(found.what or found.kind.value),
        source="patrol",
    )
    at_ms = found.since_ms
    return Incident(
        f"{camera}-{at_ms}", camera, found.severity, at_ms, at_ms, at_ms, (trigger,)
    )  # fmt: skip


def _near(incident: Incident, time_ms: int, merge_s: float) -> bool:
    margin_ms = merge_s * 1000
    return incident.start_ms - margin_ms <= time_ms <= incident.last_ms + margin_ms
