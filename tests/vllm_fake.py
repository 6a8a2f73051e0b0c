"""A vLLM server as seen from outside, in the test's own event loop, with its faults.

``async with FakeVllm() as fake: fake.url``. It answers what ``answer`` holds, in the manner of
``fault``, and keeps every request. Plain asyncio, so that a fault can be anything on the wire.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any

NO_TRUST = "Per-request media_io_kwargs are disabled by default. Use --trust-request-mm-kwargs."
FAULTS = (
    "ok", "silent", "slow", "endless", "400", "401", "404", "500", "500_then_ok", "503",
    "dead_connection", "dead_then_ok", "broken_json", "cut_json", "wrong_schema", "html",
    "huge_json", "no_trust_flag", "error_event", "garbage_events", "gzip", "huge_error",
    "stops_in_the_middle", "endless_line",
)  # fmt: skip


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


class FakeVllm:
    """Set ``fault``, ``answer``, ``reasoning``, ``delay_s``; read ``requests`` and ``aborted``."""

    def __init__(self, *, model: str = "Qwen/Qwen3-VL-2B-Instruct", context: int = 32_768) -> None:
        self.model = model
        self.context = context
        self.fault = "ok"
        self.answer: Any = good_answer()
        self.reasoning = ""
        self.delay_s = 0.0
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.running = 0
        self.most_running = 0
        self.aborted = asyncio.Event()
        self.asked = asyncio.Event()
        self.release = asyncio.Event()  # lets a "slow" answer go
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> FakeVllm:
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
            entry = {"id": self.model, "object": "model", "max_model_len": self.context}
            self._send(writer, 200, {"object": "list", "data": [entry]})
            return True
        self.requests.append(json.loads(body))
        self.headers.append(headers)
        self.asked.set()
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        gone = asyncio.ensure_future(reader.read(1))  # ends when the client closes
        work = asyncio.ensure_future(self._respond(self.requests[-1], writer))
        try:
            await asyncio.wait({gone, work}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self.aborted.set()
                return False
            return work.result()
        finally:
            self.running -= 1
            for task in (gone, work):
                task.cancel()
            await asyncio.gather(gone, work, return_exceptions=True)

    async def _respond(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        fault = self.fault
        first_try = len(self.requests) == 1
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if fault == "silent":
            await asyncio.Event().wait()
        elif fault == "slow":
            await self.release.wait()
        elif fault == "dead_connection" or (fault == "dead_then_ok" and first_try):
            return False
        elif fault == "no_trust_flag" and "media_io_kwargs" in request:
            self._error(writer, 400, NO_TRUST)
            return True
        elif fault == "400":
            self._error(writer, 400, "cannot identify image data:image/jpeg;base64," + "A" * 5000)
            return True
        elif fault == "huge_error":
            self._error(writer, 400, "[0.1, 0.2, 0.3] " * 250_000)
            return True
        elif fault in {"401", "404", "500", "503"} or (fault == "500_then_ok" and first_try):
            self._error(writer, int(fault[:3]), "it failed")
            return fault in {"401", "404"}
        elif fault == "html":
            self._raw(writer, 200, "text/html", b"<html><body>It works!</body></html>")
            return True
        elif fault == "gzip":
            self._raw(writer, 200, "text/event-stream", b"\x1f\x8b", "Content-Encoding: gzip\r\n")
            return True
        elif fault == "huge_json":
            body = json.dumps({"choices": [{"message": {"content": "x" * 30_000_000}}]}).encode()
            self._raw(writer, 200, "application/json", body)
            return True
        return await self._stream(request, fault, writer)

    async def _stream(
        self, request: dict[str, Any], fault: str, writer: asyncio.StreamWriter
    ) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for event in self._events(request, fault):
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(0)
        if fault == "stops_in_the_middle":
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    def _events(self, request: dict[str, Any], fault: str) -> Iterator[bytes]:
        text = self.answer if isinstance(self.answer, str) else json.dumps(self.answer)
        finish = "stop"
        if fault == "broken_json":
            text = text.replace(":", "=")
        elif fault == "cut_json":
            text, finish = text[: text.index("root_cause")], "length"
        elif fault == "wrong_schema":
            text = json.dumps({"verdict": "guilty", "antecedents": 3})
        for piece in _pieces(self.reasoning):
            yield _event({"reasoning": piece})
        if fault == "garbage_events":
            for garbage in (b"5", b"[]", b'{"choices": "x"}', b'{"choices": [{"delta": 7}]}'):
                yield b"data: " + garbage + b"\n\n"
        if fault == "endless_line":
            yield b"data: "
        while fault == "endless_line":
            yield b"x" * 1_000_000
        while fault == "endless":
            yield _event({"content": "and then " * 1000})
        for number, piece in enumerate(_pieces(text)):
            if number == 3 and fault in {"error_event", "stops_in_the_middle"}:
                if fault == "error_event":
                    yield b'data: {"error": {"message": "engine died", "code": 500}}\n\n'
                return
            yield _event({"content": piece})
        yield _event({}, finish)
        usage = {"prompt_tokens": 7000, "completion_tokens": len(text) // 4, "total_tokens": 7500}
        yield b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"

    def _error(self, writer: asyncio.StreamWriter, status: int, message: str) -> None:
        error = {"message": message, "type": "Error", "param": None, "code": status}
        self._send(writer, status, {"error": error})

    def _send(self, writer: asyncio.StreamWriter, status: int, body: Any) -> None:
        self._raw(writer, status, "application/json", json.dumps(body).encode())

    @staticmethod
    def _raw(
        writer: asyncio.StreamWriter, status: int, kind: str, body: bytes, more: str = ""
    ) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{more}"
        writer.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


def _pieces(text: str) -> list[str]:
    return [text[index : index + 40] for index in range(0, len(text), 40)]


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n"
