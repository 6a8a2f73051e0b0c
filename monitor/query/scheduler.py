"""Which query goes when, and to which endpoint; on one worker. Across machines vLLM schedules.

A query waits in a fair line (``fair_line``) for an endpoint that is well, serves its mode and has
room; it gets the one with the least load. Its deadline counts from when it came. One that fails
for a reason that lies with the endpoint goes to another, if there is one and time is left; an
endpoint that fails again and again is left alone and probed (``breaker``). Where all are, a query
fails at once. The line is bounded: past its length the least urgent is turned away.

A look of the patrol takes an endpoint with nothing else to do, and is broken off, which ends its
work on the server, in the moment an incident comes.

Times are the running event loop's, as its timeouts are.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, TypeVar

from monitor.domain import Severity
from monitor.errors import QueryError
from monitor.query.endpoint import Endpoint, Mode, able
from monitor.query.fair_line import FairLine, Ticket

logger = logging.getLogger(__name__)
T = TypeVar("T")

WAITING_MAX: Final = 256
_NOT_THE_ENDPOINTS: Final = frozenset({"cut", "schema", "no_frames"})  # it did answer
_FAIR: Final = 0.5  # of the deadline: a query that had less and timed out came too late to tell


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query that wants a turn."""

    camera: str
    severity: Severity
    mode: Mode
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Grant:
    """A turn."""

    endpoint: Endpoint
    mode: Mode  # as wanted, or the other one where no endpoint serves that is well
    left_s: float
    queue_s: float


@dataclass(slots=True, eq=False)
class _Waiting:
    mode: Mode
    until_s: float
    tried: frozenset[Endpoint]
    go: asyncio.Future[None]
    refused: QueryError | None = None
    endpoint: Endpoint | None = None  # once it has a turn; it counts as running there
    mode_there: Mode = "standard"


class Scheduler:
    """``async with``: opens and closes the endpoints' clients, and keeps the probes."""

    def __init__(self, endpoints: Sequence[Endpoint], *, waiting_max: int = WAITING_MAX) -> None:
        self.endpoints = tuple(endpoints)
        self._waiting_max = waiting_max
        self._line = FairLine()
        self._waiting: dict[Ticket, _Waiting] = {}
        self._looks: dict[Endpoint, asyncio.Task[Any]] = {}
        self._probes: set[asyncio.Task[None]] = set()
        self._resources = AsyncExitStack()
        self.counted: Counter[str] = Counter()

    async def __aenter__(self) -> Scheduler:
        for endpoint in self.endpoints:
            await self._resources.enter_async_context(endpoint.client)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for probe in self._probes:
            probe.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
        await self._resources.aclose()

    @property
    def running(self) -> int:
        """Incidents' queries that have their turn."""
        return self._line.running

    @property
    def waiting(self) -> int:
        """Incidents' queries that wait."""
        return len(self._line)

    def counters(self) -> dict[str, int | float]:
        """For the heartbeat: load, and each endpoint's health."""
        found: dict[str, int | float] = {"asking": self.running, "waiting": self.waiting}
        for number, endpoint in enumerate(self.endpoints):
            found[f"endpoint_{number}_running"] = endpoint.running
            found[f"endpoint_{number}_well"] = int(endpoint.well)
            found[f"endpoint_{number}_opened"] = endpoint.breaker.opened
        return {**found, **self.counted}

    async def ask(self, wanted: Wanted, act: Callable[[Grant], Awaitable[T]]) -> T:
        """Do ``act`` in a turn. ``QueryError`` if there was none in time, or what ``act`` raises.

        ``act`` gets another turn, at another endpoint, after a failure that is the endpoint's.
        """
        if not self.endpoints:
            raise QueryError("not_configured", "no endpoint")
        until_s = _now_s() + wanted.deadline_s
        tried: frozenset[Endpoint] = frozenset()
        queue_s = 0.0
        while True:
            ticket = self._line.join(wanted.camera, wanted.severity)
            go: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting = self._waiting[ticket] = _Waiting(wanted.mode, until_s, tried, go)
            joined_s = _now_s()
            try:
                endpoint = await self._turn(waiting)
                now_s = _now_s()
                queue_s += now_s - joined_s
                grant = Grant(endpoint, waiting.mode_there, until_s - now_s, queue_s)
                fair = grant.left_s >= _FAIR * wanted.deadline_s
                answer = await self._act(grant, act, timeout_tells=fair)
                endpoint.answered(grant.mode, _now_s() - now_s, _now_s())
                return answer
            except QueryError as error:
                if waiting.endpoint is None or error.reason in _NOT_THE_ENDPOINTS:
                    raise
                tried |= {waiting.endpoint}
                if _now_s() >= until_s or not self._able(wanted.mode, tried)[1]:
                    raise
                self.counted["asked_elsewhere"] += 1
            finally:
                del self._waiting[ticket]
                if waiting.endpoint is not None:
                    waiting.endpoint.running -= 1
                self._line.leave(ticket)
                self._call()

    async def look(self, act: Callable[[Grant], Awaitable[T]], deadline_s: float) -> T | None:
        """Do ``act`` at an endpoint with time to spare; None if there is none, or not for long."""
        spare = self._spare()
        if spare is None:
            return None
        mode, endpoint = spare
        grant = Grant(endpoint, mode, deadline_s, 0.0)
        work = asyncio.create_task(self._look(grant, act))
        self._looks[endpoint] = work
        try:
            await asyncio.wait({work})
            if not work.cancelled():
                return work.result()
            self.counted["looks_broken_off"] += 1
            return None
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            del self._looks[endpoint]

    async def _look(self, grant: Grant, act: Callable[[Grant], Awaitable[T]]) -> T | None:
        if await grant.endpoint.client.queries_there():
            return None  # somebody else's: another worker's, an operator's
        return await self._act(grant, act, timeout_tells=True)

    def best(self, mode: Mode) -> tuple[Mode, list[Endpoint]]:
        """Where a query of this mode could go now, and in which mode it would be asked."""
        return self._able(mode)

    def _spare(self) -> tuple[Mode, Endpoint] | None:
        if self._waiting:
            return None
        mode, found = self._able("standard")
        idle = [one for one in found if one not in self._looks]
        if not idle:
            return None
        return mode, min(idle, key=lambda one: one.load(mode))

    async def _turn(self, waiting: _Waiting) -> Endpoint:
        for look in self._looks.values():
            look.cancel()
        if len(self._line) > self._waiting_max:
            self.counted["turned_away"] += 1
            self._refuse(self._line.least_urgent(), QueryError("busy", "too many queries wait"))
        self._call()
        try:
            async with asyncio.timeout_at(waiting.until_s):
                await waiting.go
        except TimeoutError as error:
            raise QueryError("timeout", "no turn within the deadline") from error
        if waiting.refused is not None:
            raise waiting.refused
        assert waiting.endpoint is not None
        return waiting.endpoint

    def _call(self) -> None:
        """Refuse those that can have no answer any more; then give out the turns there are."""
        for ticket in tuple(self._line.waiting):
            self._refuse_if_vain(ticket)
        while (chosen := self._line.next(self._may_go)) is not None:
            waiting = self._waiting[chosen]
            if waiting.go.done():
                continue  # it gave up in this moment, and leaves by itself
            mode, found = self._able(waiting.mode, waiting.tried)
            endpoint = min((one for one in found if one.free), key=lambda one: one.load(mode))
            endpoint.running += 1
            waiting.endpoint, waiting.mode_there = endpoint, mode
            waiting.go.set_result(None)

    def _refuse_if_vain(self, ticket: Ticket) -> None:
        waiting, now_s = self._waiting[ticket], _now_s()
        mode, found = self._able(waiting.mode, waiting.tried)
        if not found:
            reasons = [one.last_failure for one in self.endpoints if one.last_failure]
            reason = reasons[0] if reasons else "unreachable"
            self._refuse(ticket, QueryError(reason, "every endpoint is left alone after failures"))
        elif all(one.hopeless(mode, waiting.until_s - now_s, now_s) for one in found):
            self.counted["too_late"] += 1
            self._refuse(ticket, QueryError("timeout", "too little time is left for an answer"))

    def _refuse(self, ticket: Ticket, error: QueryError) -> None:
        waiting = self._waiting[ticket]
        self._line.leave(ticket)
        if not waiting.go.done():
            waiting.refused = error
            waiting.go.set_result(None)

    def _may_go(self, ticket: Ticket) -> bool:
        waiting = self._waiting[ticket]
        return any(one.free for one in self._able(waiting.mode, waiting.tried)[1])

    def _able(
        self, mode: Mode, tried: frozenset[Endpoint] = frozenset()
    ) -> tuple[Mode, list[Endpoint]]:
        return able([one for one in self.endpoints if one not in tried], mode)

    async def _act(
        self, grant: Grant, act: Callable[[Grant], Awaitable[T]], timeout_tells: bool
    ) -> T:
        endpoint = grant.endpoint
        try:
            async with asyncio.timeout(grant.left_s):
                result = await act(grant)
        except TimeoutError as error:
            late = QueryError("timeout", f"no answer within {grant.left_s:g} s")
            self._failed(endpoint, late, timeout_tells)
            raise late from error
        except QueryError as error:
            self._failed(endpoint, error, timeout_tells)
            raise
        endpoint.breaker.succeeded()
        return result

    def _failed(self, endpoint: Endpoint, error: QueryError, timeout_tells: bool) -> None:
        if error.reason in _NOT_THE_ENDPOINTS:
            endpoint.breaker.succeeded()
            return
        if error.reason == "timeout" and not timeout_tells:
            return
        endpoint.last_failure = error.reason
        if endpoint.breaker.failed(_now_s()):
            logger.warning("%s is left alone for a while: %s", endpoint.client.endpoint, error)
            probe = asyncio.create_task(self._probe(endpoint), name="probe-endpoint")
            self._probes.add(probe)
            probe.add_done_callback(self._probes.discard)

    async def _probe(self, endpoint: Endpoint) -> None:
        """Until it answers."""
        while not endpoint.well:
            await asyncio.sleep(endpoint.breaker.probe_at_s - _now_s())
            endpoint.breaker.begin_probe()
            good = True
            try:
                await endpoint.client.probe()
            except QueryError as error:
                good, endpoint.last_failure = False, error.reason
            endpoint.breaker.probed(good, _now_s())
        logger.info("%s answers again", endpoint.client.endpoint)
        self._call()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
