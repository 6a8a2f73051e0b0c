"""A vLLM server as seen from outside, in the test's own event loop, with its faults.

``async with FakeVllm() as fake: fake.url``. It answers what ``answer`` holds, in the manner of
``fault``, and keeps every request. Plain asyncio, so that a fault can be anything on the wire.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from workers.bench._model_server import ModelServer, event, good_answer, pieces, quiet_look, usage

__all__ = [
    "FAULTS",
    "MODELS_FAULTS",
    "NO_IMAGES",
    "NO_TRUST",
    "FakeVllm",
    "good_answer",
    "quiet_look",
]

NO_TRUST = "Per-request media_io_kwargs are disabled by default. Use --trust-request-mm-kwargs."
NO_IMAGES = "At most 0 image(s) may be provided in one prompt."
FAULTS = (
    "ok", "silent", "slow", "endless", "400", "401", "404", "500", "500_then_ok", "503",
    "dead_connection", "dead_then_ok", "broken_json", "cut_json", "wrong_schema", "html",
    "huge_json", "no_trust_flag", "error_event", "garbage_events", "gzip", "huge_error",
    "stops_in_the_middle", "endless_line", "no_images",
    "deep_event", "no_charset",
)  # fmt: skip
HTML = b"<html><body>It works!</body></html>"
MODELS_FAULTS = {
    "html": ("text/html", HTML),
    "text": ("text/plain", b"ok"),
    "nothing": ("application/json", b""),
    "null": ("application/json", b"null"),
    "string": ("application/json", b'"ok"'),
    "list": ("application/json", b"[1, 2]"),
    "other_object": ("application/json", b'{"models": []}'),
    "number_for_data": ("application/json", b'{"data": 5}'),
    "null_for_data": ("application/json", b'{"data": null}'),
    "numbers_for_models": ("application/json", b'{"data": [1, null]}'),
    "number_for_name": ("application/json", b'{"data": [{"id": 7}]}'),
    "no_name": ("application/json", b'{"data": [{"max_model_len": 7}]}'),
    "not_utf8": ("application/json", b'{"data": [{"id": "\xff"}]}'),
    "half_a_pair": ("application/json", b'{"data": [{"id": "\\ud800"}]}'),
    "deep": ("application/json", b"[" * 200_000),
    "no_charset": ("application/json; charset=base64", b"{}"),
    "huge": ("application/json", b'{"data": ["' + b"a" * 17_000_000 + b'"]}'),
}
"""What comes instead of a list of models, with status 200."""


class FakeVllm(ModelServer):
    """Set ``fault``, ``models_fault``, ``answer``, ``reasoning``, ``delay_s``; read ``requests``,
    ``models_asked`` and ``aborted``.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.fault = "ok"
        self.models_fault = "ok"  # or one of MODELS_FAULTS, "silent", a status
        self.models_asked = 0
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.asked = asyncio.Event()
        self.release = asyncio.Event()  # lets a "slow" answer go

    def heard(self, request: dict[str, Any], headers: dict[str, str]) -> None:
        self.requests.append(request)
        self.headers.append(headers)
        self.asked.set()

    async def list_models(self, writer: asyncio.StreamWriter) -> bool:
        fault = self.models_fault
        self.models_asked += 1
        if fault == "ok":
            return await super().list_models(writer)
        if fault == "silent":
            await asyncio.Event().wait()
        elif fault in MODELS_FAULTS:
            self.raw(writer, 200, *MODELS_FAULTS[fault])
        else:
            self._error(writer, int(fault), "it failed")
        return True

    def site(self) -> None:
        """Be a web server: the same page for every address."""
        self.fault = self.models_fault = "html"

    async def respond(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
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
        elif fault == "no_images" and "image_url" in json.dumps(request):
            self._error(writer, 400, NO_IMAGES)
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
            self.raw(writer, 200, "text/html", HTML)
            return True
        elif fault == "no_charset":
            self.raw(writer, 400, "text/plain; charset=base64", b"it failed")
            return True
        elif fault == "gzip":
            self.raw(writer, 200, "text/event-stream", b"\x1f\x8b", "Content-Encoding: gzip\r\n")
            return True
        elif fault == "huge_json":
            body = json.dumps({"choices": [{"message": {"content": "x" * 30_000_000}}]}).encode()
            self.raw(writer, 200, "application/json", body)
            return True
        events = self._faulty(self.text(request), fault)
        return await self.stream(events, writer, whole=fault != "stops_in_the_middle")

    def _faulty(self, text: str, fault: str) -> Iterator[bytes]:
        finish = "stop"
        if fault == "broken_json":
            text = text.replace(":", "=")
        elif fault == "cut_json":
            text, finish = text[: text.index("root_cause")], "length"
        elif fault == "wrong_schema":
            text = json.dumps({"verdict": "guilty", "antecedents": 3})
        for piece in pieces(self.reasoning):
            yield event({"reasoning": piece})
        if fault == "garbage_events":
            for garbage in (b"5", b"[]", b'{"choices": "x"}', b'{"choices": [{"delta": 7}]}'):
                yield b"data: " + garbage + b"\n\n"
        if fault == "deep_event":
            yield b"data: " + b"[" * 200_000 + b"\n\n"
        if fault == "endless_line":
            yield b"data: "
        while fault == "endless_line":
            yield b"x" * 1_000_000
        while fault == "endless":
            yield event({"content": "and then " * 1000})
        for number, piece in enumerate(pieces(text)):
            if number == 3 and fault in {"error_event", "stops_in_the_middle"}:
                if fault == "error_event":
                    yield b'data: {"error": {"message": "engine died", "code": 500}}\n\n'
                return
            yield event({"content": piece})
        yield event({}, finish)
        yield from usage(text)

    def _error(self, writer: asyncio.StreamWriter, status: int, message: str) -> None:
        error = {"message": message, "type": "Error", "param": None, "code": status}
        self.send(writer, status, {"error": error})
