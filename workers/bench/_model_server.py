"""A stand-in for vLLM, of known speed: what a bench measures against, and what tests build on.

It speaks as much of the OpenAI protocol as our client uses, and keeps vLLM's manners that matter
to a scheduler: ``at_once`` queries run, the others wait inside; a client that goes away ends its
query; ``/metrics`` tells how many there are. Plain asyncio, in the caller's own event loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self


def good_answer(**changes: Any) -> dict[str, Any]:
    """What a model would say of a rear-end collision."""
    return {
        "thinking": ["A person steps out.", "The van brakes.", "None seen.", "Headway."],
        "is_incident": True, "incident_type": "rear_end_collision", "severity": "high",
        "root_cause": "The follower was too close to stop behind the braking van.",
        "antecedents": [
            {"t_s": 17.2, "kind": "headway", "actor": "red car", "text": "It follows at 0.8 s."},
            {"t_s": 18.6, "kind": "brake_light_onset", "actor": "van", "text": "It brakes."},
            {"t_s": 20.0, "kind": "contact", "actor": "red car", "text": "It hits the van."},
        ],
        "chain": {"environment": "Daylight, dry road.", "direct_trigger": "The van brakes hard.",
                  "systemic_weakness": "Following too close."},
        "rules": ["gen-two-seconds"], "confidence": 0.8, **changes,
    }  # fmt: skip


def quiet_look(**changes: Any) -> dict[str, Any]:
    """What a model would say to the patrol of an ordinary road."""
    return {
        "what": "Cars pass in both directions.", "abnormal": False, "since_s": 0.0,
        "kind": "queue", "severity": "low", "confidence": 0.9, **changes,
    }  # fmt: skip


class ModelServer:
    """``async with ModelServer(...) as server: server.url``; each answer takes ``delay_s``."""

    def __init__(
        self,
        *,
        model: str = "Qwen/Qwen3-VL-2B-Instruct",
        context: int = 32_768,
        delay_s: float = 0.0,
        at_once: int = 1024,
    ) -> None:
        self.model = model
        self.context = context
        self.delay_s = delay_s
        self.answer: Any = good_answer()
        self.look_answer: Any = quiet_look()
        self.reasoning = ""
        self.running = 0  # or waiting inside
        self.most_running = 0
        self.answered = 0
        self.aborted = asyncio.Event()
        self._slots = asyncio.Semaphore(at_once)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The endpoint, ending in /v1."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 26)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def heard(self, request: dict[str, Any], headers: dict[str, str]) -> None:
        """A question has come; for whoever wants to keep it."""

    async def list_models(self, writer: asyncio.StreamWriter) -> bool:
        """Say what is served; False if the connection is to be closed."""
        entry = {"id": self.model, "object": "model", "max_model_len": self.context}
        self.send(writer, 200, {"object": "list", "data": [entry]})
        return True

    async def respond(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        """Answer; False if the connection is to be closed."""
        async with self._slots:
            await asyncio.sleep(self.delay_s)
            return await self.stream(self.events(self.text(request)), writer)

    def text(self, request: dict[str, Any]) -> str:
        """What to say to this request."""
        schema = request.get("response_format", {}).get("json_schema", {}).get("schema", {})
        is_look = "abnormal" in schema.get("properties", {})
        answer = self.look_answer if is_look else self.answer
        return answer if isinstance(answer, str) else json.dumps(answer)

    def events(self, text: str, finish: str = "stop") -> Iterator[bytes]:
        """Server-sent events, in pieces as a model makes them."""
        for piece in pieces(self.reasoning):
            yield event({"reasoning": piece})
        for piece in pieces(text):
            yield event({"content": piece})
        yield event({}, finish)
        yield from usage(text)

    async def stream(
        self, events: Iterator[bytes], writer: asyncio.StreamWriter, *, whole: bool = True
    ) -> bool:
        """Send the events; ``whole``: with the end that makes them a complete response."""
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for data in events:
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
            await asyncio.sleep(0)
        if not whole:
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    def send(self, writer: asyncio.StreamWriter, status: int, body: Any) -> None:
        """A JSON response."""
        self.raw(writer, status, "application/json", json.dumps(body).encode())

    @staticmethod
    def raw(
        writer: asyncio.StreamWriter, status: int, kind: str, body: bytes, more: str = ""
    ) -> None:
        """A response of any kind; ``more``: header lines."""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{more}"
        writer.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away
        except asyncio.CancelledError:
            pass  # the server is closing; nobody awaits a connection's task
        finally:
            self._connections.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.strip().split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if request.startswith("GET /v1/models"):
            return await self.list_models(writer)
        if request.startswith("GET /metrics"):
            text = f'vllm:num_requests_running{{engine="0"}} {self.running}.0\n'
            text += 'vllm:num_requests_waiting{engine="0"} 0.0\n'
            self.raw(writer, 200, "text/plain", text.encode())
            return True
        question = json.loads(body)
        self.heard(question, headers)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        gone = asyncio.ensure_future(reader.read(1))  # ends when the client closes
        work = asyncio.ensure_future(self.respond(question, writer))
        try:
            await asyncio.wait({gone, work}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self.aborted.set()
                return False
            self.answered += 1
            return work.result()
        finally:
            self.running -= 1
            for task in (gone, work):
                task.cancel()
            await asyncio.gather(gone, work, return_exceptions=True)


def pieces(text: str) -> list[str]:
    """A text as it comes out of a model."""
    return [text[index : index + 40] for index in range(0, len(text), 40)]


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """One chunk of a streamed completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n"


def usage(text: str) -> Iterator[bytes]:
    """The last chunks: what it cost, and the end."""
    counts = {
        "prompt_tokens": 7000, "completion_tokens": len(text) // 4, "total_tokens": 7500,
        "prompt_tokens_details": {"cached_tokens": 768},
    }  # fmt: skip
    yield b"data: " + json.dumps({"choices": [], "usage": counts}).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"
