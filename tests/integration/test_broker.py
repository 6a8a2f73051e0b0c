"""The embedded broker: what one machine's publish and dashboard need of it."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.alert.broker import EmbeddedBroker
from monitor.alert.mqtt import Broker, MqttPublisher
from monitor.alert.topics import Topics
from monitor.backoff import Backoff
from monitor.errors import PublishError
from tests import servers
from tests.mqtt import Gate, Subscriber
from tests.publishing import (
    burst,
    config,
    left_in_outbox,
    names,
    publishing,
    put,
    without_repeats,
)

TOPICS = Topics("test", "demo")


async def test_retained_topics_wills_and_order(tmp_path: Path) -> None:
    port = servers.free_port()
    async with (
        EmbeddedBroker("127.0.0.1", port),
        Subscriber(port, "test/#") as subscriber,
        Gate(port, servers.free_port()) as gate,
    ):
        publisher = MqttPublisher(
            Broker("127.0.0.1", gate.port), TOPICS, backoff=Backoff(first_s=0.02)
        )
        running = asyncio.create_task(publisher.run())
        for number in range(100):
            await publisher.publish(TOPICS.alerts("north"), str(number).encode())
        await publisher.publish(TOPICS.camera_state("north"), b"{}", retain=True)
        await gate.shut()
        got = await subscriber.until(lambda got: got[-1].payload == b"offline")  # the Last Will
        await gate.open()
        await subscriber.until(lambda got: got[-1].payload == b"online")
        async with Subscriber(port, "test/#") as late:
            # amqtt repeats retained messages to a new subscriber, so the last of each counts.
            retained = await late.until(lambda got: len({m.topic for m in got}) == 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    sent = [message.payload for message in got if "/alerts/" in message.topic]
    assert sent == [str(number).encode() for number in range(100)]
    assert {message.topic: message.payload for message in retained} == {
        TOPICS.status: b"online",
        TOPICS.camera_state("north"): b"{}",
    }


async def test_a_taken_port_is_said(tmp_path: Path) -> None:
    port = servers.free_port()
    async with EmbeddedBroker("127.0.0.1", port):
        with pytest.raises(PublishError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with EmbeddedBroker("127.0.0.1", port):
                pass


def process(port: int) -> servers.Server:
    """The broker as the supervisor runs it."""
    return servers.Server([sys.executable, "-m", "monitor.alert.broker", "--port", str(port)], port)


async def test_publish_goes_on_when_the_brokers_process_is_killed(tmp_path: Path) -> None:
    port, sent = servers.free_port(), burst(20)
    broker = process(port)
    broker.start()
    try:
        with servers.redis_server(tmp_path) as redis:
            async with (
                Subscriber(port, "test/demo/alerts/#") as subscriber,
                Gate(port, servers.free_port()) as gate,
                publishing(config(tmp_path, redis.port, gate.port)),
            ):
                await put(redis.port, sent)
                await subscriber.until(lambda got: len(got) >= 5)
                await gate.shut()
                # It keeps nothing, so let what it has acknowledged reach the subscriber.
                done = len(sent) - sum(await left_in_outbox(redis.port))
                await subscriber.until(lambda got: len(got) >= done)
                broker.kill()
                broker.start()
                await subscriber.subscribed(2)
                await gate.open()
                last = [(sent[-1].id, sent[-1].revision)]
                got = await subscriber.until(lambda got: names(got[-1:]) == last)
    finally:
        broker.stop()

    assert without_repeats(names(got)) == [(alert.id, alert.revision) for alert in sent]


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_its_process_ends_cleanly_and_quietly(sig: signal.Signals) -> None:
    port = servers.free_port()
    running = subprocess.Popen(
        [sys.executable, "-m", "monitor.alert.broker", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        servers.wait_for_port(port, running, timeout_s=30)
        running.send_signal(sig)
        said, _ = running.communicate(timeout=20)
    finally:
        running.kill()
        running.wait()

    assert running.returncode == 0
    assert said.decode().count("\n") == 1
    assert f"listens on 127.0.0.1:{port}" in said.decode()


def test_its_process_says_that_the_port_is_taken() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "monitor.alert.broker", "--port", str(port)],
            capture_output=True,
            timeout=40,
            check=False,
        )

    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr.decode()
    assert "Traceback" not in ended.stderr.decode()
