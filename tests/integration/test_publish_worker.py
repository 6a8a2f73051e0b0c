"""publish, with a real Redis and a real Mosquitto, and each of them failing under it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from redis.asyncio import Redis

from monitor.alert.schema import alert_schema
from monitor.archive import Archive
from monitor.buffer.cameras import CameraStore
from monitor.buffer.connection import connect
from monitor.buffer.heartbeat import read_heartbeats
from monitor.buffer.keys import OUTBOX
from monitor.buffer.work import dead_letters
from monitor.domain import Alert, CameraState, CameraStatus, ViewCondition
from tests import alerts, servers
from tests.mqtt import Gate, Received, Subscriber
from tests.publishing import (
    burst,
    child,
    config,
    left_in_outbox,
    names,
    polled,
    publishing,
    put,
    without_repeats,
)

ALERTS = "test/demo/alerts/#"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[servers.Server]:
    """A Redis of its own, which keeps what it has acknowledged when it is killed."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with servers.redis_server(folder, "--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[servers.Server]:
    """A Mosquitto of its own."""
    with servers.mosquitto(tmp_path) as server:
        yield server


def wanted(sent: list[Alert]) -> list[tuple[str, int]]:
    return [(alert.id, alert.revision) for alert in sent]


async def archived(folder: Path) -> list[tuple[str, int]]:
    async with Archive(f"sqlite:///{folder / 'archive.db'}") as archive:
        return sorted((alert.id, alert.revision) for alert in await archive.alerts(limit=1000))


async def counted(client: Redis, counter: str) -> bool:
    return any(beat.counters[counter] for beat in await read_heartbeats(client))


async def nothing_left(port: int) -> bool:
    return await left_in_outbox(port) == (0, 0)


async def test_alerts_go_to_archive_and_broker_and_validate(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    sent = burst(3)
    async with Subscriber(broker.port, ALERTS) as subscriber:
        await put(redis.port, sent)
        async with publishing(config(tmp_path, redis.port, broker.port)):
            got = await subscriber.until(lambda got: len(got) == len(sent))
            await polled(lambda: nothing_left(redis.port))

    assert names(got) == wanted(sent)
    for message in got:
        document = json.loads(message.payload)
        Draft202012Validator(alert_schema()).validate(document)
        assert message.topic == f"test/demo/alerts/{document['camera']}"
        assert not message.retained
    assert await archived(tmp_path) == sorted(wanted(sent)[2::3])


async def test_a_broker_killed_in_mid_burst_loses_and_reorders_nothing(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    sent = burst(40)
    async with (
        Subscriber(broker.port, ALERTS) as subscriber,
        Gate(broker.port, servers.free_port()) as gate,
        publishing(config(tmp_path, redis.port, gate.port)),
    ):
        await put(redis.port, sent)
        await subscriber.until(lambda got: len(got) >= 10)
        await gate.shut()
        broker.kill()
        broker.start()
        await subscriber.subscribed(2)  # before publish is back: the broker keeps nothing for it
        await gate.open()
        got = await subscriber.until(lambda got: names(got[-1:]) == wanted(sent[-1:]))

    assert without_repeats(names(got)) == wanted(sent)
    assert await archived(tmp_path) == sorted(wanted(sent)[2::3])


async def test_a_worker_killed_between_archive_and_ack_repeats_and_misses_nothing(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    sent = burst(2)
    settings = config(tmp_path, redis.port, broker.port)
    async with Subscriber(broker.port, ALERTS) as subscriber:
        away = config(tmp_path, redis.port, servers.free_port())  # nobody listens there
        first = child(away)
        await put(redis.port, sent)
        async with Archive(f"sqlite:///{tmp_path / 'archive.db'}") as archive:

            async def kept() -> bool:
                return await archive.alert(sent[0].id) is not None

            await polled(kept)
        first.kill()  # the first alert is archived; not published, not acknowledged
        first.join()
        assert await left_in_outbox(redis.port) != (len(sent), 0)
        async with publishing(settings):
            got = await subscriber.until(lambda got: len(got) == len(sent))

    assert names(got) == wanted(sent)


async def test_a_worker_killed_in_mid_burst_while_another_stands_by(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    sent = burst(80)
    settings = config(tmp_path, redis.port, broker.port)
    async with Subscriber(broker.port, ALERTS) as subscriber:
        first = child(settings)
        try:
            await put(redis.port, sent[:150])
            await subscriber.until(lambda got: len(got) >= 1)
            async with publishing(settings):  # not active: the other has the lease
                await subscriber.until(lambda got: len(got) >= 20)
                first.kill()
                await put(redis.port, sent[150:])
                got = await subscriber.until(lambda got: names(got[-1:]) == wanted(sent[-1:]))
        finally:
            first.kill()
            first.join()

    assert without_repeats(names(got)) == wanted(sent)
    assert len(got) - len(sent) <= 3  # each change of hands may repeat the one alert under way
    assert await archived(tmp_path) == sorted(wanted(sent)[2::3])


async def test_redis_restarted_in_mid_burst(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    sent = burst(60)
    async with (
        Subscriber(broker.port, ALERTS) as subscriber,
        publishing(config(tmp_path, redis.port, broker.port)),
    ):
        await put(redis.port, sent)
        await subscriber.until(lambda got: len(got) >= 10)
        redis.kill()
        redis.start()
        got = await subscriber.until(lambda got: names(got[-1:]) == wanted(sent[-1:]))

    assert without_repeats(names(got)) == wanted(sent)


async def test_a_redis_that_comes_back_empty_is_served_on(
    tmp_path: Path, broker: servers.Server
) -> None:
    early, late = burst(2)[:3], burst(2)[3:]
    with servers.redis_server(tmp_path) as forgetful:
        async with (
            Subscriber(broker.port, ALERTS) as subscriber,
            publishing(config(tmp_path, forgetful.port, broker.port)),
        ):
            await put(forgetful.port, early)
            await subscriber.until(lambda got: len(got) == 3)
            forgetful.kill()
            forgetful.start()
            await put(forgetful.port, late)
            got = await subscriber.until(lambda got: len(got) == 6)

    assert names(got) == wanted([*early, *late])


async def test_redis_away_at_the_start_is_waited_for(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    sent = burst(1)
    redis.stop()
    async with (
        Subscriber(broker.port, ALERTS) as subscriber,
        publishing(config(tmp_path, redis.port, broker.port)),
    ):
        redis.start()
        await put(redis.port, sent)
        got = await subscriber.until(lambda got: len(got) == len(sent))

    assert names(got) == wanted(sent)


async def test_while_the_archive_is_away_alerts_wait_and_then_go_in_order(
    tmp_path: Path, redis: servers.Server, broker: servers.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.archive.engine.WAIT_S", 0.05)
    sent = burst(2)
    async with Archive(f"sqlite:///{tmp_path / 'archive.db'}"):
        pass
    holder = sqlite3.connect(tmp_path / "archive.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    client = connect(f"redis://127.0.0.1:{redis.port}/0")
    async with (
        Subscriber(broker.port, ALERTS) as subscriber,
        publishing(config(tmp_path, redis.port, broker.port)),
    ):
        await put(redis.port, sent)
        await polled(lambda: counted(client, "failures"))
        assert subscriber.received == []
        assert sum(await left_in_outbox(redis.port)) == len(sent)

        holder.execute("ROLLBACK")
        holder.close()
        got = await subscriber.until(lambda got: len(got) == len(sent))
    await client.aclose()

    assert names(got) == wanted(sent)


async def test_what_is_no_alert_goes_to_the_dead_letters_with_its_reason(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    good = alerts.provisional()
    secret = b'{"id": "do-not-quote-me"'
    async with (
        Subscriber(broker.port, ALERTS) as subscriber,
        publishing(config(tmp_path, redis.port, broker.port)),
    ):
        await put(redis.port, [secret, b'{"id": 1}', replace(good, camera="a/b"), good])
        got = await subscriber.until(lambda got: len(got) == 1)
        await polled(lambda: nothing_left(redis.port))

    assert names(got) == wanted([good])
    client = connect(f"redis://127.0.0.1:{redis.port}/0")
    dead = list(reversed(await dead_letters(client)))
    await client.aclose()
    assert [letter.source for letter in dead] == [OUTBOX] * 3
    assert dead[0].payload == secret
    assert "not an alert" in dead[0].reason
    assert "do-not-quote-me" not in dead[0].reason
    assert dead[2].reason == "not an alert: a camera's name must be one level of a topic"


async def test_a_provisional_revision_after_the_explanation_is_kept_but_not_published(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    first, late, explained = (
        alerts.provisional(),
        alerts.provisional(triggers=2),
        alerts.explained(),
    )
    last = alerts.provisional("south")
    async with (
        Subscriber(broker.port, ALERTS) as subscriber,
        publishing(config(tmp_path, redis.port, broker.port)),
    ):
        await put(redis.port, [first, explained, late, last])
        got = await subscriber.until(lambda got: names(got[-1:]) == wanted([last]))

    assert names(got) == wanted([first, explained, last])
    async with Archive(f"sqlite:///{tmp_path / 'archive.db'}") as archive:
        assert await archive.revisions(first.id) == [first, late, explained]


async def test_an_alert_the_database_never_takes_is_still_published(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    binaries = servers.postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    unfit, good = replace(alerts.provisional(), id="x" * 300), alerts.provisional()
    with servers.postgres(binaries) as database:
        address = f"postgresql://causeway@127.0.0.1:{database.port}/postgres"
        async with (
            Subscriber(broker.port, ALERTS) as subscriber,
            publishing(config(tmp_path, redis.port, broker.port, archive=address)),
        ):
            await put(redis.port, [unfit, good])
            got = await subscriber.until(lambda got: len(got) == 2)

    assert names(got) == wanted([unfit, good])
    client = connect(f"redis://127.0.0.1:{redis.port}/0")
    (letter,) = await dead_letters(client)
    await client.aclose()
    assert "too long" in letter.reason


async def test_camera_states_are_retained_follow_changes_and_outlive_the_broker(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    topic = "test/demo/cameras/north/state"

    def of_north(got: list[Received]) -> list[bytes]:
        return [message.payload for message in got if message.topic == topic]

    client = connect(f"redis://127.0.0.1:{redis.port}/0")
    cameras = CameraStore(client)
    state = CameraState("north", CameraStatus.ONLINE, since_ms=1000, fps=25.0)
    await cameras.put_state(state)
    await cameras.put_view("north", ViewCondition.NORMAL)

    async with (
        Subscriber(broker.port, "test/demo/cameras/#") as subscriber,
        publishing(config(tmp_path, redis.port, broker.port)),
    ):
        got = await subscriber.until(lambda got: len(got) == 2)
        assert json.loads(of_north(got)[0])["status"] == "online"
        assert json.loads(of_north(got)[0])["view"] == "normal"

        await cameras.put_state(replace(state, status=CameraStatus.STALLED))
        got = await subscriber.until(lambda got: b"stalled" in got[-1].payload)
        assert len(of_north(got)) == 2

        broker.kill()
        broker.start()
        await subscriber.until(lambda got: len(got) == 5)  # both cameras again
    await client.aclose()

    async with Subscriber(broker.port, "test/demo/#") as late:
        got = await late.until(lambda got: len(got) == 3)
    retained = {message.topic: message.payload for message in got}
    assert json.loads(retained[topic])["status"] == "stalled"
    assert json.loads(retained["test/demo/cameras/south/state"])["status"] == "unknown"
    assert retained["test/demo/status"] == b"offline"


async def test_it_beats_and_ends_within_a_second_or_two(
    tmp_path: Path, redis: servers.Server, broker: servers.Server
) -> None:
    client = connect(f"redis://127.0.0.1:{redis.port}/0")
    async with (
        Subscriber(broker.port, "test/demo/status") as subscriber,
        asyncio.timeout(15),
    ):
        async with publishing(config(tmp_path, redis.port, broker.port)):
            await subscriber.until(lambda got: len(got) == 1)
            await polled(lambda: counted(client, "active"))
            (beat,) = await read_heartbeats(client)
            assert beat.name.startswith("publish-")
        got = await subscriber.until(lambda got: len(got) == 2)
        assert got[-1].payload == b"offline"
    assert not await client.exists("cw:lease:publish")  # another may start at once
    await client.aclose()
