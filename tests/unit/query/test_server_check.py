"""Checking a server that is broken in some way; the real one is in tests/contract."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from monitor.query.plain_http import PlainHttp
from monitor.query.server_check import check, exit_ok
from monitor.query.server_finding import Finding

Reply = tuple[int, Any]
Handler = Callable[[str, dict[str, Any]], Reply]

STAMPS = "<0.2 seconds> a <3.1 seconds> b <9.1 seconds>"
GOOD = json.dumps({"seen": "yes", "times": [1, 2, 3], "text": "a"})


def good(path: str, body: dict[str, Any]) -> Reply:
    """As vLLM answers."""
    thinking = body.get("chat_template_kwargs", {}).get("enable_thinking")
    message = {"content": GOOD, "reasoning": "Well." if thinking else None}
    if path == "/v1/chat/completions" and "127.0.0.1:9" in json.dumps(body):
        return 400, {"error": {"message": "The URL must be from one of the allowed domains"}}
    replies: dict[str, Any] = {
        "/health": "", "/version": {"version": "0.32.0+cpu"},
        "/v1/models": {"data": [{"id": "a-thinking", "max_model_len": 32768}]},
        "/detokenize": {"prompt": STAMPS},
        "/metrics": "vllm:num_requests_running vllm:num_requests_waiting vllm:kv_cache_usage_perc "
                    "vllm:prefix_cache_hits vllm:time_to_first_token_seconds",
        "/v1/chat/completions": {
            "choices": [{"message": message}], "prompt_token_ids": [1],
            "usage": {"prompt_tokens_details": {"cached_tokens": 0}},
        },
    }  # fmt: skip
    return 200, replies[path]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lengths = [
                line for line in head.split("\r\n") if line.lower().startswith("content-length")
            ]
            length = int(lengths[0].split(":")[1]) if lengths else 0
            body = json.loads(await reader.readexactly(length) or b"{}")
            status, answer = handler(head.split(" ")[1], body)
            data = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            writer.write(
                b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                % (status, len(data), data)
            )
            await writer.drain()
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"


async def found(handler: Handler, model: str | None = None) -> dict[str, Finding]:
    async with server(handler) as endpoint, PlainHttp(endpoint) as http:
        return {one.name: one for one in await check(http, model)}


async def test_a_good_server() -> None:
    findings = await found(good)
    assert {one.state for name, one in findings.items() if name != "key"} == {"ok"}
    assert findings["key"].state == "warn", "nobody gave a key"
    assert exit_ok(list(findings.values()))


BREAKS: list[tuple[str, Reply, str, str]] = [
    ("/health", (503, "loading"), "health", "causeway vllm"),
    ("/version", (200, {"version": "0.11.0"}), "version", "0.32.0"),
    (
        "/v1/models", (200, {"data": [{"id": "b", "max_model_len": 1}]}),
        "context", "--max-model-len",
    ),
    ("/v1/models", (401, {"error": "Unauthorized"}), "models", "key"),
    ("/v1/models", (200, "<html>It works!</html>"), "models", "the model server itself"),
    ("/v1/models", (200, [1]), "models", "the model server itself"),
    ("/detokenize", (200, {"prompt": "<0.8 seconds> <3.8 seconds>"}), "prompt times", "Qwen3-VL"),
    ("/metrics", (404, ""), "metrics", "--disable-log-stats"),
    (
        "/v1/chat/completions",
        (400, {"error": {"message": "Per-request media_io_kwargs are disabled by default"}}),
        "frame times", "--trust-request-mm-kwargs",
    ),
    (
        "/v1/chat/completions",
        (200, {"choices": [{"message": {"content": '{"seen": "\n'}}]}),
        "guided JSON", "guidance",
    ),
    (
        "/v1/chat/completions",
        (200, {"choices": [{"message": {"content": None, "reasoning": GOOD}}]}),
        "guided JSON", "leave out --reasoning-parser",
    ),
    (
        "/v1/chat/completions",
        (200, {"choices": [{"message": {"content": f"Hm.</think>{GOOD}"}}]}),
        "thinking", "--reasoning-parser qwen3",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("path", "reply", "name", "mend"), BREAKS)
async def test_what_is_broken_is_named_with_what_mends_it(
    path: str, reply: Reply, name: str, mend: str
) -> None:
    findings = await found(lambda at, body: reply if at == path else good(at, body))
    assert findings[name].state in ("bad", "warn")
    assert mend in findings[name].mend
    assert all(len(one.text) < 400 for one in findings.values())


@pytest.mark.parametrize("path", ["/health", "/v1/models"])
async def test_only_who_is_not_there_is_to_be_started(path: str) -> None:
    """Somebody answers: too much to be a model server."""
    findings = await found(
        lambda at, body: (200, "x" * 9_000_000) if at == path else good(at, body)
    )
    bad = findings[path.removeprefix("/").removeprefix("v1/")]
    assert bad.state == "bad"
    assert "the model server itself" in bad.mend


async def test_a_model_that_is_not_served() -> None:
    findings = await found(good, "Qwen/Qwen3-VL-2B-Instruct")
    assert findings["models"].state == "bad"
    assert "there is: a-thinking" in findings["models"].text


async def test_nobody_there() -> None:
    async with server(good) as endpoint:
        pass
    async with PlainHttp(endpoint) as http:
        (only,) = await check(http, None)
    assert (only.name, only.state) == ("health", "bad")


async def test_nothing_for_ever_and_far_too_much() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with listening:
        root = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        async with PlainHttp(root) as http:
            assert (await http.get("/health", deadline_s=0.2)).status == 0
    async with server(lambda path, body: (200, "x" * 9_000_000)) as root, PlainHttp(root) as http:
        answered = await http.get("/v1/models")
        assert (answered.status, "over 8000000 bytes" in answered.text) == (0, True)


async def test_a_web_server_is_not_called_healthy() -> None:
    findings = await found(lambda at, body: (200, "<html>It works!</html>"))
    assert findings["health"].state == "unknown"
    assert findings["models"].state == "bad"
    assert "is no OpenAI-compatible server: is the URL's path right" in findings["models"].text
    assert not exit_ok(list(findings.values()))
