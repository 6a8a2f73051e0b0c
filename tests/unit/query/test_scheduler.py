"""Turns at endpoints, in virtual time: every moment in here is exact."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import Severity
from monitor.errors import QueryError
from monitor.query.client import VisionClient
from monitor.query.endpoint import Endpoint, Mode
from monitor.query.scheduler import Grant, Scheduler, Wanted
from tests import virtual_time


class Server(VisionClient):
    """A client whose server is this object: it answers after ``answers_s``, or fails."""

    def __init__(self, name: str = "one", answers_s: float = 1.0) -> None:
        self.endpoint = name
        self.answers_s = answers_s
        self.fails: str | None = None
        self.asked_at: list[float] = []
        self.probed_at: list[float] = []
        self.cameras: Counter[str] = Counter()
        self.running = self.most_running = 0
        self.broken_off = 0
        self.others: int | None = None

    async def __aexit__(self, *_: object) -> None:
        pass

    async def probe(self) -> None:
        self.probed_at.append(now())
        if self.fails:
            raise QueryError(self.fails, "still")

    async def queries_there(self) -> int | None:
        return self.others

    async def answer(self, camera: str = "") -> str:
        self.asked_at.append(now())
        self.running += 1
        self.cameras[camera] += 1
        assert self.cameras[camera] == 1, "one of each camera"
        self.most_running = max(self.most_running, self.running)
        try:
            if self.fails is None or self.fails == "timeout":
                await asyncio.sleep(1e9 if self.fails else self.answers_s)
            if self.fails:
                raise QueryError(self.fails, "it failed")
            return self.endpoint
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        finally:
            self.running -= 1
            self.cameras[camera] -= 1


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Ended:
    camera: str
    came_s: float
    ended_s: float
    got: str  # the endpoint's name, or why not
    mode: Mode | None = None
    queue_s: float = 0.0


@dataclass
class Town:
    """Cameras that ask a scheduler; what became of each query, in order of their ends."""

    scheduler: Scheduler
    ended: list[Ended] = field(default_factory=list)

    async def ask(
        self, camera: str, severity: Severity = Severity.MEDIUM, *, at_s: float = 0.0,
        mode: Mode = "standard", deadline_s: float = 60.0,
    ) -> Ended:  # fmt: skip
        await asyncio.sleep(at_s - now())
        mine = Ended(camera, now(), 0.0, "")

        async def act(grant: Grant) -> str:
            mine.mode, mine.queue_s = grant.mode, grant.queue_s
            server = grant.endpoint.client
            assert isinstance(server, Server)
            return await server.answer(camera)

        try:
            mine.got = await self.scheduler.ask(Wanted(camera, severity, mode, deadline_s), act)
        except QueryError as error:
            mine.got = error.reason
        mine.ended_s = now()
        self.ended.append(mine)
        return mine


def endpoint(server: Server, max_running: int = 1, *modes: Mode) -> Endpoint:
    return Endpoint(server, frozenset(modes or ("standard", "thinking")), max_running)


def in_town(
    endpoints: Sequence[Endpoint], *visits: Callable[[Town], asyncio.Future[object] | object],
    waiting_max: int = 256,
) -> Town:  # fmt: skip
    """Let all visits happen, side by side."""

    async def main() -> Town:
        async with Scheduler(endpoints, waiting_max=waiting_max) as scheduler:
            town = Town(scheduler)
            async with asyncio.TaskGroup() as tasks:
                for visit in visits:
                    tasks.create_task(visit(town))  # type: ignore[arg-type]  # a coroutine
            assert (scheduler.running, scheduler.waiting) == (0, 0)
            assert not any(one.running for one in endpoints)
            return town

    return virtual_time.run(main())


ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.sampled_from(list(Severity)),
        st.floats(0, 20),
        st.sampled_from(["standard", "thinking"]),
    ),
    max_size=40,
)
SERVERS = st.lists(
    st.tuples(
        st.floats(0.1, 8),
        st.integers(1, 3),
        st.sampled_from([("standard",), ("thinking",), ("standard", "thinking")]),
        st.sampled_from([None, None, None, "server_error", "timeout", "cut"]),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(arrivals=ARRIVALS, servers=SERVERS, deadline_s=st.floats(1, 30))
def test_every_query_ends_by_its_deadline_and_no_endpoint_has_more_than_it_takes(
    arrivals: list[tuple[str, Severity, float, Mode]],
    servers: list[tuple[float, int, tuple[Mode, ...], str | None]],
    deadline_s: float,
) -> None:
    endpoints = []
    for number, (answers_s, max_running, modes, fails) in enumerate(servers):
        server = Server(f"server {number}", answers_s)
        server.fails = fails
        endpoints.append(endpoint(server, max_running, *modes))
    town = in_town(
        endpoints,
        *(
            lambda town, one=one: town.ask(
                one[0], one[1], at_s=one[2], mode=one[3], deadline_s=deadline_s
            )
            for one in arrivals
        ),
    )
    assert len(town.ended) == len(arrivals)
    for one in town.ended:
        assert one.got
        assert one.ended_s <= one.came_s + deadline_s + 1e-6
        assert one.queue_s <= deadline_s
    for each in endpoints:
        assert isinstance(each.client, Server)
        assert each.client.most_running <= each.max_running


@settings(max_examples=100, deadline=None)
@given(
    floods=st.integers(1, 60), at_s=st.floats(0, 30), answers_s=st.floats(0.2, 3),
    quiet=st.sampled_from(list(Severity)),
)  # fmt: skip
def test_a_flood_delays_another_camera_by_one_query_at_most(
    floods: int, at_s: float, answers_s: float, quiet: Severity
) -> None:
    town = in_town(
        [endpoint(Server(answers_s=answers_s))],
        *[lambda town: town.ask("loud", Severity.CRITICAL, deadline_s=600)] * floods,
        lambda town: town.ask("quiet", quiet, at_s=at_s, deadline_s=600),
    )
    (found,) = [one for one in town.ended if one.camera == "quiet"]
    assert found.ended_s - found.came_s <= 2 * answers_s + 1e-6


def test_the_most_severe_goes_first() -> None:
    town = in_town(
        [endpoint(Server())],
        lambda town: town.ask("running", Severity.LOW),
        lambda town: town.ask("low", Severity.LOW, at_s=0.1),
        lambda town: town.ask("high", Severity.HIGH, at_s=0.2),
        lambda town: town.ask("critical", Severity.CRITICAL, at_s=0.3),
    )
    assert [one.camera for one in town.ended] == ["running", "critical", "high", "low"]
    assert [one.queue_s for one in town.ended] == pytest.approx([0, 0.7, 1.8, 2.9])


def test_queries_go_where_the_share_in_use_is_least() -> None:
    big, small = Server("big"), Server("small")
    in_town(
        [endpoint(small, 2), endpoint(big, 6)],
        *(lambda town, n=n: town.ask(f"cam-{n}") for n in range(8)),
    )
    assert (small.most_running, big.most_running) == (2, 6)
    assert len(small.asked_at) + len(big.asked_at) == 8


def test_each_mode_has_its_endpoints_and_one_does_not_hold_up_the_other() -> None:
    instruct, thinking = Server("instruct"), Server("thinking", 10.0)
    town = in_town(
        [endpoint(instruct, 1, "standard"), endpoint(thinking, 1, "thinking")],
        lambda town: town.ask("a", mode="thinking"),
        lambda town: town.ask("b", Severity.CRITICAL, mode="thinking"),
        lambda town: town.ask("c", Severity.LOW, mode="standard"),
    )
    assert {one.camera: (one.got, one.mode) for one in town.ended} == {
        "a": ("thinking", "thinking"), "b": ("thinking", "thinking"), "c": ("instruct", "standard"),
    }  # fmt: skip
    assert town.ended[0].camera == "c"


def test_without_an_endpoint_for_thinking_that_is_well_standard_is_asked() -> None:
    instruct, broken = Server("instruct"), Server("thinking")
    broken.fails = "unreachable"
    town = in_town(
        [endpoint(instruct, 1, "standard"), endpoint(broken, 1, "thinking")],
        lambda town: town.ask("a", mode="thinking"),
    )
    assert (town.ended[0].got, town.ended[0].mode) == ("instruct", "standard")
    assert town.scheduler.counted["asked_elsewhere"] == 1


def test_an_endpoint_that_fails_is_left_alone_probed_and_taken_back() -> None:
    good, bad = Server("good"), Server("bad")
    bad.fails = "server_error"

    async def mended(_: Town) -> None:
        await asyncio.sleep(12)
        bad.fails = None

    town = in_town(
        [endpoint(bad, 9), endpoint(good, 9)],
        *(lambda town, n=n: town.ask(f"cam-{n}", at_s=2.0 * n) for n in range(20)),
        mended,
    )
    assert {one.got for one in town.ended[:8]} == {"good"}, "an endpoint's failure costs no answer"
    assert bad.probed_at == [9, 19], "three failures at 0, 2, 4 s; then after 5 s, and 10 more"
    assert [at_s for at_s in bad.asked_at if at_s < 19] == [0, 2, 4]
    assert {one.got for one in town.ended[-5:]} == {"bad"}, "idle endpoints are asked in turn"


def test_where_all_are_left_alone_a_query_fails_at_once_and_says_why() -> None:
    server = Server()
    server.fails = "unreachable"
    town = in_town(
        [endpoint(server)],
        *(lambda town, n=n: town.ask(f"cam-{n}", at_s=n) for n in range(6)),
    )
    assert [one.got for one in town.ended] == ["unreachable"] * 6
    assert all(one.ended_s == one.came_s for one in town.ended)
    assert len(server.asked_at) == 3


def test_a_server_that_says_nothing_costs_three_incidents_their_time_and_no_more() -> None:
    server = Server()
    server.fails = "timeout"
    town = in_town(
        [endpoint(server, 1)],
        *(lambda town, n=n: town.ask(f"cam-{n}", at_s=20.0 * n, deadline_s=15) for n in range(5)),
    )
    assert [one.ended_s - one.came_s for one in town.ended] == [15, 15, 15, 0, 0]


def test_a_query_that_came_too_late_for_its_turn_does_not_tell_against_the_endpoint() -> None:
    server = Server(answers_s=8)
    each = endpoint(server, 1)
    town = in_town(
        [each], *(lambda town, n=n: town.ask(f"cam-{n}", deadline_s=10) for n in range(8))
    )
    assert Counter(one.got for one in town.ended) == {"one": 1, "timeout": 7}
    assert each.well
    assert len(server.asked_at) == 1, "with 2 s left and answers that take 8 s, none is asked"
    assert town.scheduler.counted["too_late"] == 7


def test_an_answer_that_is_cut_is_not_the_endpoints_fault() -> None:
    server = Server()
    server.fails = "cut"
    each = endpoint(server)
    town = in_town([each], *(lambda town, n=n: town.ask(f"cam-{n}") for n in range(9)))
    assert {one.got for one in town.ended} == {"cut"}
    assert each.well


def test_the_line_is_bounded() -> None:
    town = in_town(
        [endpoint(Server())],
        lambda town: town.ask("first"),
        *[lambda town: town.ask("loud", Severity.LOW, at_s=0.1)] * 10,
        lambda town: town.ask("quiet", Severity.LOW, at_s=0.2),
        waiting_max=4,
    )
    assert Counter((one.camera, one.got) for one in town.ended) == {
        ("first", "one"): 1, ("loud", "one"): 3, ("loud", "busy"): 7, ("quiet", "one"): 1,
    }  # fmt: skip


def test_without_endpoints() -> None:
    town = in_town([], lambda town: town.ask("a"))
    assert town.ended[0].got == "not_configured"


def test_a_caller_that_goes_away_frees_its_place() -> None:
    server = Server(answers_s=50)

    async def impatient(town: Town) -> None:
        for camera in ("runs", "waits"):
            task = asyncio.create_task(town.ask(camera))
            await asyncio.sleep(1)
            if camera == "runs":
                waiting = asyncio.create_task(town.ask("waits too"))
                await asyncio.sleep(1)
                waiting.cancel()
            task.cancel()
            await asyncio.gather(task, waiting, return_exceptions=True)

    town = in_town([endpoint(server)], impatient)
    assert town.ended == []
    assert server.broken_off == 2


async def looks(town: Town, at_s: float = 0.0) -> str | None:
    await asyncio.sleep(at_s - now())

    async def act(grant: Grant) -> str:
        server = grant.endpoint.client
        assert isinstance(server, Server)
        return await server.answer("patrol")

    return await town.scheduler.look(act, 30.0)


@settings(max_examples=100, deadline=None)
@given(
    arrivals=st.lists(  # no two in one moment: their order would be the timers' to choose
        st.tuples(st.integers(0, 30), st.sampled_from("abc")), max_size=12, unique_by=lambda a: a[0]
    ),
    looked=st.lists(st.integers(0, 30), max_size=20),
    max_running=st.integers(1, 2),
)
def test_looks_of_the_patrol_delay_no_incident(
    arrivals: list[tuple[int, str]], looked: list[int], max_running: int
) -> None:
    asked = [lambda town, one=one: town.ask(one[1], at_s=one[0]) for one in arrivals]
    patrol = [lambda town, at_s=at_s: looks(town, at_s) for at_s in looked]
    alone = in_town([endpoint(Server(answers_s=2.37), max_running)], *asked)
    beside = in_town([endpoint(Server(answers_s=2.37), max_running)], *asked, *patrol)
    assert beside.ended == alone.ended


def test_a_look_is_broken_off_when_an_incident_comes_and_none_begins_beside_one() -> None:
    server = Server(answers_s=10)
    found: list[str | None] = []

    async def patrol(town: Town) -> None:
        found.append(await looks(town))
        assert now() == 4
        found.append(await looks(town))
        assert now() == 4
        await asyncio.sleep(20)
        found.append(await looks(town))

    town = in_town([endpoint(server, 8)], patrol, lambda town: town.ask("a", at_s=4))
    assert found == [None, None, "one"]
    assert server.broken_off == 1
    assert town.ended[0].ended_s == 14
    assert town.scheduler.counted["looks_broken_off"] == 1


def test_a_look_that_fails_tells_against_the_endpoint() -> None:
    server = Server()
    server.fails = "unreachable"

    async def patrol(town: Town) -> None:
        for _ in range(3):
            with pytest.raises(QueryError):
                await looks(town)
        assert await looks(town) is None

    in_town([endpoint(server)], patrol)
    assert len(server.asked_at) == 3


def test_no_look_at_a_server_that_others_keep_busy() -> None:
    server = Server()

    async def patrol(town: Town) -> None:
        server.others = 1
        assert await looks(town) is None
        server.others = 0
        assert await looks(town) == "one"

    in_town([endpoint(server)], patrol)
    assert len(server.asked_at) == 1
