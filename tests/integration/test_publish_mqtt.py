"""The MQTT publisher against a real Mosquitto."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monitor.alert.mqtt import Broker, MqttPublisher
from monitor.alert.topics import Topics
from monitor.backoff import Backoff
from tests import servers
from tests.mqtt import Gate, Subscriber


@asynccontextmanager
async def running(broker: Broker, topics: Topics) -> AsyncIterator[MqttPublisher]:
    publisher = MqttPublisher(broker, topics, backoff=Backoff(first_s=0.02))
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def topics(camera_id: str) -> Topics:
    return Topics("test", camera_id)


def local(port: int) -> Broker:
    return Broker("127.0.0.1", port)


async def test_it_says_online_and_at_a_clean_end_offline(mqtt_port: int, topics: Topics) -> None:
    async with Subscriber(mqtt_port, topics.status) as subscriber:
        async with running(local(mqtt_port), topics):
            await subscriber.until(lambda got: len(got) == 1)
        got = await subscriber.until(lambda got: len(got) == 2)

    assert [message.payload for message in got] == [b"online", b"offline"]
    async with Subscriber(mqtt_port, topics.status) as late:
        got = await late.until(lambda got: len(got) == 1)
    assert got[0].retained
    assert got[0].payload == b"offline"


async def test_the_last_will_speaks_for_a_connection_that_was_cut_and_it_comes_back(
    mqtt_port: int, topics: Topics
) -> None:
    async with (
        Subscriber(mqtt_port, topics.status) as subscriber,
        Gate(mqtt_port, servers.free_port()) as gate,
        running(local(gate.port), topics) as publisher,
    ):
        await subscriber.until(lambda got: len(got) == 1)
        await gate.shut()
        await subscriber.until(lambda got: len(got) == 2)
        await gate.open()
        got = await subscriber.until(lambda got: len(got) == 3)
        await publisher.publish(topics.alerts("north"), b"1")
        assert publisher.sessions == 2

    assert [message.payload for message in got][:3] == [b"online", b"offline", b"online"]


async def test_a_will_that_comes_late_is_corrected(mqtt_port: int, topics: Topics) -> None:
    async with (
        Subscriber(mqtt_port, topics.status) as subscriber,
        running(local(mqtt_port), topics),
    ):
        await subscriber.until(lambda got: len(got) == 1)
        other = Topics("test", f"{topics.site}-other")
        async with running(local(mqtt_port), other) as stranger:
            await stranger.publish(topics.status, b"offline", retain=True)
            got = await subscriber.until(lambda got: len(got) == 3)

    assert got[-1].payload == b"online"


async def test_everything_arrives_in_order_after_the_broker_was_away(
    mqtt_port: int, topics: Topics
) -> None:
    topic = topics.alerts("north")
    sent = [str(number).encode() for number in range(200)]
    async with (
        Subscriber(mqtt_port, topic) as subscriber,
        Gate(mqtt_port, servers.free_port()) as gate,
        running(local(gate.port), topics) as publisher,
    ):

        async def send() -> None:
            for payload in sent:
                await publisher.publish(topic, payload)

        sending = asyncio.create_task(send())
        for cut in (20, 90, 150):
            await subscriber.until(lambda got, cut=cut: len(got) >= cut)  # type: ignore[misc]
            await gate.shut()
            await gate.open()
        await sending
        got = await subscriber.until(lambda got: got[-1].payload == sent[-1])

    unique = list(dict.fromkeys(message.payload for message in got))
    assert unique == sent
    assert len(got) - len(sent) <= 3  # each cut may repeat the one message under way


async def test_a_broker_that_never_answers_is_left_and_tried_again(
    mqtt_port: int, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.alert.mqtt._ANSWER_S", 0.2)
    async with (
        Gate(mqtt_port, servers.free_port()) as gate,
        running(local(gate.port), topics) as publisher,
    ):
        await publisher.publish(topics.alerts("north"), b"1")
        gate.silent = True
        await gate.shut()
        await gate.open()
        async with asyncio.timeout(20):
            for _ in range(4):  # the first session, and three that got no answer
                await gate.accepted.acquire()
        assert not publisher.connected
        gate.silent = False
        async with asyncio.timeout(20):
            await publisher.publish(topics.alerts("north"), b"2")
        assert publisher.sessions == 2


async def test_cancelled_while_connecting_it_ends_at_once(mqtt_port: int, topics: Topics) -> None:
    async with Gate(mqtt_port, servers.free_port()) as gate:
        gate.silent = True
        async with running(local(gate.port), topics), asyncio.timeout(20):
            await gate.accepted.acquire()
            await gate.shut()


@pytest.fixture(scope="module")
def guarded_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Mosquitto that wants a password."""
    folder = tmp_path_factory.mktemp("guarded")
    passwords = folder / "passwords"
    subprocess.run(
        [servers.binary("mosquitto_passwd"), "-b", "-c", passwords, "causeway", "hunter2"],
        check=True,
        capture_output=True,
    )
    passwords.chmod(0o644)
    folder.chmod(0o755)
    with servers.mosquitto(folder, password_file=passwords) as server:
        yield server.port


async def test_a_wrong_password_is_said_without_showing_it(
    guarded_port: int, topics: Topics, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = Broker("127.0.0.1", guarded_port, username="causeway", password="swordfish9")
    said = asyncio.Event()

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "is away" in record.getMessage():
                said.set()

    handler = Heard()
    logging.getLogger("monitor.alert.mqtt").addHandler(handler)
    try:
        async with running(wrong, topics) as publisher, asyncio.timeout(10):
            await said.wait()
            assert not publisher.connected
    finally:
        logging.getLogger("monitor.alert.mqtt").removeHandler(handler)

    assert "authori" in caplog.text.lower()
    assert "swordfish9" not in caplog.text
    assert "swordfish9" not in repr(wrong)


async def test_the_right_password_is_let_in(guarded_port: int, topics: Topics) -> None:
    right = Broker("127.0.0.1", guarded_port, username="causeway", password="hunter2")
    async with running(right, topics) as publisher, asyncio.timeout(10):
        await publisher.publish(topics.alerts("north"), b"1")


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_tls_checks_the_brokers_certificate(
    tmp_path: Path, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = servers.certificate(tmp_path)
    with servers.mosquitto(tmp_path, certificate=authority) as server:
        broker = Broker("127.0.0.1", server.port, tls=True)
        async with running(broker, topics) as publisher:
            with pytest.raises(TimeoutError):  # signed by nobody this machine knows
                async with asyncio.timeout(0.5):
                    await publisher.publish(topics.alerts("north"), b"1")
        gc.collect()
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        async with running(broker, topics) as publisher, asyncio.timeout(10):
            await publisher.publish(topics.alerts("north"), b"1")
