"""A subscriber that stays, and a gate between a client and its broker."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiomqtt


@dataclass(frozen=True)
class Received:
    topic: str
    payload: bytes
    retained: bool


class Subscriber:
    """Subscribes at QoS 1, comes back whenever the broker does, keeps all it got."""

    def __init__(self, port: int, topic: str = "#") -> None:
        self._port = port
        self._topic = topic
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.subscriptions = 0
        self.received: list[Received] = []

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stay())
        await self.subscribed(1)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def subscribed(self, times: int) -> None:
        """Until it has subscribed so often."""
        await self._until(lambda: self.subscriptions >= times, 40)

    async def until(
        self, enough: Callable[[list[Received]], bool], timeout_s: float = 40
    ) -> list[Received]:
        """What it has got, once that is enough."""
        await self._until(lambda: enough(self.received), timeout_s)
        return list(self.received)

    async def _until(self, true: Callable[[], bool], timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def _stay(self) -> None:
        while True:
            with suppress(aiomqtt.MqttError):
                await self._session()
            await asyncio.sleep(0.02)  # the broker is away; there is nothing to wait for instead

    async def _session(self) -> None:
        note = self._note

        class Noting(asyncio.Queue[aiomqtt.Message]):
            """aiomqtt forgets what is in its queue when the connection ends; this does not."""

            def put_nowait(self, item: aiomqtt.Message) -> None:
                note(item)

        async with aiomqtt.Client(
            "127.0.0.1",
            self._port,
            identifier=f"subscriber-{uuid.uuid4().hex}",
            timeout=5,
            queue_type=Noting,
        ) as client:
            await client.subscribe(self._topic, qos=1)
            self.subscriptions += 1
            self._news.set()
            async for _ in client.messages:  # ends when the connection does
                raise AssertionError("the queue keeps nothing")

    def _note(self, message: aiomqtt.Message) -> None:
        assert isinstance(message.payload, bytes)
        self.received.append(Received(str(message.topic), message.payload, bool(message.retain)))
        self._news.set()


class Gate:
    """A TCP proxy that can be shut, or take connections and never answer."""

    def __init__(self, target_port: int, port: int) -> None:
        self.port = port
        self.silent = False
        self.accepted = asyncio.Semaphore(0)
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.shut()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def shut(self) -> None:
        """Refuse connections and cut the present ones, in the middle of whatever they say."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted.release()
        self._writers.add(writer)
        try:
            if self.silent:
                await reader.read()  # until the client gives up
                return
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(to_writer)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_copy(reader, to_writer))
                    tasks.create_task(_copy(to_reader, writer))
            finally:
                self._writers.discard(to_writer)
        except OSError:
            pass  # either end is gone, and so is the other in a moment
        finally:
            self._writers.discard(writer)
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
