"""One lasting connection to the MQTT broker; publish owns it.

MQTT 3.1.1, QoS 1. ``publish`` returns once the broker has acknowledged, over as many connections
as that takes; whoever awaits one publish before starting the next therefore loses nothing and
reorders nothing. While connected, the site's status topic says ``online``; the Last Will says
``offline`` for a process that dies, and a clean end says so itself.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

import aiomqtt

from monitor.alert.topics import Topics
from monitor.backoff import Backoff
from monitor.clock import Clock, SystemClock
from monitor.config.models import Mqtt

logger = logging.getLogger(__name__)

ONLINE, OFFLINE = b"online", b"offline"
_ANSWER_S = 5.0  # for a connection, and for an acknowledgement
_KEEPALIVE_S = 8  # paho's patience in a TLS handshake, too
_QOS = 1


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how one gets in."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: bool = False

    @classmethod
    def of(cls, settings: Mqtt, address: tuple[str, int]) -> Broker:
        """From streams.yaml and ``endpoints.mqtt_address``."""
        password = None if settings.password is None else settings.password.get_secret_value()
        return cls(*address, username=settings.username, password=password, tls=settings.tls)

    def __repr__(self) -> str:
        return f"Broker({self.host}:{self.port}{', tls' if self.tls else ''})"


class MqttPublisher:
    """``run()`` holds the connection until cancelled; ``publish()`` waits for it."""

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        *,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._clock = clock or SystemClock()
        self._backoff = backoff or Backoff()
        # paho reports as errors what we handle and say in our own words.
        self._paho_logger = logging.getLogger("monitor.alert.paho")
        self._paho_logger.setLevel(logging.CRITICAL)
        self._client: aiomqtt.Client | None = None
        self._up = asyncio.Event()
        self._broken = asyncio.Event()
        self.sessions = 0
        """How often the broker has let us in: retained topics are due again after each."""

    @property
    def connected(self) -> bool:
        """Whether the broker is there now."""
        return self._up.is_set()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        said = reason = ""
        while True:
            sessions = self.sessions
            try:
                await self._session()
            except aiomqtt.MqttError as error:
                reason = _reason(error)
            if self.sessions > sessions:
                self._backoff.reset()
                said = ""
            if reason != said:
                logger.warning("the MQTT broker %r is away: %s", self._broker, reason)
                said = reason
            await self._backoff.wait(self._clock)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Return once the broker has acknowledged; an acknowledgement that was lost on the way
        means that the message goes out twice."""
        while True:
            await self._up.wait()
            client, broken = self._client, self._broken
            if client is None:  # the connection went while we were being woken
                continue
            sending = asyncio.ensure_future(
                client.publish(topic, payload, _QOS, retain, timeout=_ANSWER_S)
            )
            breaking = asyncio.ensure_future(broken.wait())  # aiomqtt would wait on regardless
            try:
                await asyncio.wait({sending, breaking}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
                    return
            except aiomqtt.MqttError:
                self._gone(client)
            finally:
                sending.cancel()
                breaking.cancel()
                await asyncio.gather(sending, breaking, return_exceptions=True)

    async def _session(self) -> NoReturn:
        """One connection, from CONNECT until it breaks; raises MqttError at its end."""
        client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            # One name per site: a broker ends the older of two connections with the same one,
            # so a publisher that was taken over cannot speak up again.
            identifier=f"{self._topics.prefix}-{self._topics.site}-publish",
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            will=aiomqtt.Will(self._topics.status, OFFLINE, _QOS, retain=True),
            timeout=_ANSWER_S,
            keepalive=_KEEPALIVE_S,
            logger=self._paho_logger,
            tls_context=ssl.create_default_context() if self._broker.tls else None,
        )
        await _connect(client)
        async with _Leaving(client):
            await client.subscribe(self._topics.status, _QOS)
            await client.publish(self._topics.status, ONLINE, _QOS, retain=True)
            # aiomqtt waits in asyncio.wait_for, which up to Python 3.11 may drop a cancellation
            # that comes as the wait ends (python/cpython#86296).
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError
            self._broken = asyncio.Event()
            self._client = client
            self.sessions += 1
            self._up.set()
            logger.info("connected to the MQTT broker %r", self._broker)
            try:
                await self._watch(client)
            except asyncio.CancelledError:
                with suppress(aiomqtt.MqttError):
                    await client.publish(self._topics.status, OFFLINE, _QOS, True, timeout=1.0)
                raise
            finally:
                self._gone(client)

    async def _watch(self, client: aiomqtt.Client) -> NoReturn:
        """Until the connection breaks: correct a Last Will of an older one that came late."""
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen(client), name="mqtt-status")
            broken = tasks.create_task(self._broken.wait(), name="mqtt-broken")
            await asyncio.wait({listening, broken}, return_when=asyncio.FIRST_COMPLETED)
            listening.cancel()
            broken.cancel()
        raise aiomqtt.MqttError("the connection broke")

    async def _listen(self, client: aiomqtt.Client) -> None:
        with suppress(aiomqtt.MqttError):
            async for message in client.messages:
                if message.payload == OFFLINE:
                    await client.publish(self._topics.status, ONLINE, _QOS, retain=True)

    def _gone(self, client: aiomqtt.Client) -> None:
        if self._client is client:
            self._client = None
            self._up.clear()
            self._broken.set()


class _Leaving:
    """Ends a connection that is open; says DISCONNECT where the broker still listens."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *error: object) -> None:
        with suppress(aiomqtt.MqttError):
            await self._client.__aexit__(None, None, None)


async def _connect(client: aiomqtt.Client) -> None:
    """Connect; a failure or a cancellation leaves no half-open connection behind.

    aiomqtt would: a broker that answers late then had a second connection of the same name.
    """
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except (aiomqtt.MqttError, asyncio.CancelledError):
        # The socket is opened in a thread, which nothing can interrupt; then this task is made.
        while not entering.done() and client._misc_task is None:
            await asyncio.wait({entering}, timeout=0.05)
        client._client.disconnect()
        entering.cancel()
        await asyncio.gather(entering, return_exceptions=True)
        raise


def _reason(error: aiomqtt.MqttError) -> str:
    """For a person; never a credential (aiomqtt's texts hold none, a test says so)."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
