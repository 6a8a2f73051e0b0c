"""Windows sent to a vLLM server, one or several at once; standard library and a JPEG encoder."""

from __future__ import annotations

import base64
import http.client
import io
import json
import random
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PAIR_APART_MS = 200
PAIRS_APART_MS = 800
_TIMEOUT_S = 900.0
_SUM = re.compile(
    r"^(vllm:request_(?:prefill|decode|queue)_time_seconds_(?:sum|count))(?:\{[^}\n]*\})? (\S+)$",
    re.MULTILINE,
)


class CheckError(Exception):
    """The measurement could not be made; the message is for a person."""


@dataclass(frozen=True)
class Answered:
    """One query as its client saw it."""

    first_s: float  # to the first word: the queue, reading of pictures and prefill
    whole_s: float
    prompt_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Round:
    """Queries sent together."""

    answers: tuple[Answered, ...]
    wall_s: float
    prefill_s: float | None  # mean of a query by the engine's own count; None where it tells none
    decode_s: float | None
    queue_s: float | None


def jpegs(count: int, size: tuple[int, int], seed: int) -> list[bytes]:
    """Pictures that no cache has: a gradient under blocks of random colour."""
    try:
        from PIL import Image
    except ImportError as error:
        raise CheckError("pillow is missing, which vLLM and transformers bring") from error
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        small = Image.frombytes("RGB", (40, 22), chance.randbytes(40 * 22 * 3))
        picture = io.BytesIO()
        small.resize(size, Image.Resampling.BILINEAR).save(picture, "JPEG", quality=85)
        made.append(picture.getvalue())
    return made


def body(
    model: str, pictures: Sequence[bytes], *, words: str, output: int, nonce: str
) -> dict[str, Any]:
    """As the product asks: the fixed part, one video with its own times, the question.

    ``nonce`` stands first, so that no round finds another's prompt in the prefix cache.
    """
    content: list[dict[str, Any]] = []
    made: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": "system", "content": f"{nonce}\n{words}"},
            {"role": "user", "content": content},
        ],
        "max_completion_tokens": output,
        "ignore_eos": True,
        "temperature": 0.7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if pictures:
        whole = ",".join(base64.b64encode(one).decode() for one in pictures)
        content.append(
            {"type": "video_url", "video_url": {"url": f"data:video/jpeg;base64,{whole}"}}
        )
        times = [
            (n // 2) * PAIRS_APART_MS + (n % 2) * PAIR_APART_MS for n in range(len(pictures))
        ]  # fmt: skip
        made["media_io_kwargs"] = {
            "video": {"fps": 1000, "frames_indices": times, "total_num_frames": times[-1] + 1,
                      "num_frames": -1, "do_sample_frames": False}
        }  # fmt: skip
    content.append({"type": "text", "text": "What happened, and why?"})
    return made


def ask(endpoint: str, request: dict[str, Any], key: str | None) -> Answered:
    """Send it and read the stream to its end."""
    parts = urlsplit(endpoint)
    connection = http.client.HTTPConnection(
        parts.hostname or "127.0.0.1", parts.port or 80, timeout=_TIMEOUT_S
    )
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    began = time.perf_counter()
    first_s = None
    usage: dict[str, Any] = {}
    try:
        connection.request(
            "POST", f"{parts.path.rstrip('/')}/chat/completions", json.dumps(request), headers
        )
        response = connection.getresponse()
        if response.status != 200:
            said = response.read(2000).decode("utf-8", "replace")
            raise CheckError(f"the server answers {response.status}: {said[:400]}")
        for line in response:
            if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                continue
            event = json.loads(line[6:])
            if "error" in event:
                raise CheckError(f"the server broke off: {str(event['error'])[:400]}")
            usage = event.get("usage") or usage
            if first_s is None and event.get("choices"):
                delta = event["choices"][0].get("delta") or {}
                if delta.get("content") or delta.get("reasoning"):
                    first_s = time.perf_counter() - began
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CheckError(f"{endpoint}: {type(error).__name__}: {error}") from error
    finally:
        connection.close()
    whole_s = time.perf_counter() - began
    if not usage:
        raise CheckError(f"{endpoint} told no token counts: it broke off, or is no vLLM server")
    return Answered(
        whole_s if first_s is None else first_s, whole_s,
        int(usage["prompt_tokens"]), int(usage["completion_tokens"]),
    )  # fmt: skip


def ask_together(endpoint: str, requests: Sequence[dict[str, Any]], key: str | None) -> Round:
    """All at the same time."""
    before = engine_times(endpoint)
    began = time.perf_counter()
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = tuple(pool.map(lambda one: ask(endpoint, one, key), requests))
    wall_s = time.perf_counter() - began
    after = engine_times(endpoint)
    return Round(answers, wall_s, *(_mean(name, before, after) for name in
                                    ("prefill", "decode", "queue")))  # fmt: skip


def engine_times(endpoint: str) -> dict[str, float]:
    """Sums and counts of the engine's own clocks, over its engines; empty where it has none."""
    parts = urlsplit(endpoint)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30.0)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    found: dict[str, float] = {}
    for name, value in _SUM.findall(text):
        found[name] = found.get(name, 0.0) + float(value)
    return found


def _mean(name: str, before: dict[str, float], after: dict[str, float]) -> float | None:
    total, count = (f"vllm:request_{name}_time_seconds_{part}" for part in ("sum", "count"))
    counted = after.get(count, 0.0) - before.get(count, 0.0)
    return (after[total] - before.get(total, 0.0)) / counted if counted > 0 else None
