"""Does a running server do everything a query needs? Each answer with the flag that mends it.

Called by ``causeway vllm --check``. It asks as the product asks, in small: two made pictures, a
few tokens. It changes nothing on the server.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np

from monitor.errors import QueryError
from monitor.query.plain_http import Answered, PlainHttp
from monitor.query.serving import GUIDANCE, LEAST_CONTEXT, VLLM_VERSION

State = Literal["ok", "warn", "bad", "unknown"]

METRICS: Final = (
    "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
    "vllm:prefix_cache_hits", "vllm:time_to_first_token_seconds",
)  # fmt: skip

_TIMES_MS: Final = (0, 500, 3000, 3200, 9000, 9100)
_SECONDS: Final = ("<0.2 seconds>", "<3.1 seconds>", "<9.1 seconds>")
_ROUNDED_UP: Final = {"<0.2 seconds>": "<0.3 seconds>", "<9.1 seconds>": "<9.0 seconds>"}
_IMAGES: Final = 64
_STAMP: Final = re.compile(r"<\d+\.\d seconds>")
_SCHEMA: Final = {
    "type": "object",
    "properties": {
        "seen": {"enum": ["yes", "no"]},
        "times": {
            "type": "array",
            "items": {"type": "integer", "minimum": 0, "maximum": 9},
            "minItems": 3,
            "maxItems": 3,
        },
        "text": {"type": "string", "minLength": 1, "maxLength": 40},
    },
    "required": ["seen", "times", "text"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the product needs."""

    name: str
    state: State
    text: str
    mend: str = ""


async def check(
    http: PlainHttp, model: str | None, *, context: int = LEAST_CONTEXT, keyed: bool = False
) -> list[Finding]:
    """Ask everything; the first failures that make the rest pointless end it early."""
    health = await http.get("/health")
    if health.status != 200:
        said = health.text if health.status == 0 else f"/health answered {health.status}"
        return [Finding("health", "bad", said[:200], "start it: causeway vllm")]
    found = [Finding("health", "ok", "it answers"), await _version(http)]
    served = await _model(http, model, context, found)
    if served is None:
        return found
    video = await _video(http, served)
    found.append(_trust(video))
    found.append(await _times(http, served, video))
    found.append(await _guided(http, served))
    found.append(await _reasoning(http, served))
    found.append(await _images(http, served))
    found.append(_prompt_details(video))
    found.append(await _metrics(http))
    found.append(await _media(http, served))
    found.append(await _key(http, keyed))
    return found


async def _version(http: PlainHttp) -> Finding:
    answered = await http.get("/version")
    version = answered.body.get("version")
    if not isinstance(version, str):
        return Finding("version", "unknown", "the server does not say; is it vLLM?")
    if version.partition("+")[0] == VLLM_VERSION:
        return Finding("version", "ok", f"vLLM {version}")
    return Finding(
        "version", "warn", f"vLLM {version[:40]}; the product is held to {VLLM_VERSION}",
        f"pip install 'vllm=={VLLM_VERSION}'",
    )  # fmt: skip


async def _model(
    http: PlainHttp, model: str | None, context: int, found: list[Finding]
) -> str | None:
    try:
        served = await http.models()
    except QueryError as error:
        found.append(Finding("models", "bad", str(error)[:200], "is the key right?"))
        return None
    names = ", ".join(one.id for one in served) or "none"
    wanted = model or (served[0].id if served else "")
    one = next((each for each in served if each.id == wanted), None)
    if one is None:
        found.append(
            Finding(
                "models",
                "bad",
                f"{wanted or 'a model'} is not served; there is: {names}",
                f"--served-model-name {wanted}, or query.model: {names}",
            )
        )
        return None
    found.append(Finding("models", "ok", f"{one.id} is served"))
    length = one.max_model_len
    if length is None:
        found.append(Finding("context", "unknown", "the server does not say max_model_len"))
    elif length < context:
        text = f"max_model_len is {length}; {context} is wanted"
        found.append(Finding("context", "bad", text, f"--max-model-len {context}"))
    else:
        found.append(Finding("context", "ok", f"max_model_len {length}"))
    return one.id


def _picture(value: int) -> str:
    image = np.full((64, 64, 3), value, np.uint8)
    return base64.b64encode(cv2.imencode(".jpg", image)[1].tobytes()).decode("ascii")


def _body(model: str, content: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "temperature": 0.0,
        "max_completion_tokens": 1,
        "chat_template_kwargs": {"enable_thinking": False},
        **more,
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


async def _video(http: PlainHttp, model: str) -> Answered:
    pictures = ",".join(_picture(20 * number) for number in range(len(_TIMES_MS)))
    video = {"type": "video_url", "video_url": {"url": "data:video/jpeg;base64," + pictures}}
    times = {
        "fps": 1000, "frames_indices": list(_TIMES_MS), "total_num_frames": _TIMES_MS[-1] + 1,
        "num_frames": -1, "do_sample_frames": False,
    }  # fmt: skip
    body = _body(
        model, [video, _text("Say yes.")], media_io_kwargs={"video": times}, return_token_ids=True
    )
    return await http.post("/v1/chat/completions", body)


def _trust(video: Answered) -> Finding:
    if video.status == 200:
        return Finding("frame times", "ok", "the times sent with pictures are taken")
    if "media_io_kwargs" in video.message or "mm-kwargs" in video.message:
        return Finding(
            "frame times", "bad",
            "the times sent with pictures are refused; they go as text, at twice the tokens",
            "--trust-request-mm-kwargs",
        )  # fmt: skip
    if "video" in video.message.lower():
        mend = '--limit-mm-per-prompt \'{"image":128,"video":1}\''
        return Finding("frame times", "bad", f"no video is taken: {video.message[:160]}", mend)
    said = video.text if video.status == 0 else f"{video.status}: {video.message}"
    return Finding("frame times", "bad", f"a query with pictures failed: {said[:160]}")


async def _times(http: PlainHttp, model: str, video: Answered) -> Finding:
    """The prompt as the model reads it, decoded from its tokens."""
    ids = video.body.get("prompt_token_ids")
    if video.status != 200:
        return Finding("prompt times", "unknown", "no query with pictures went through")
    if not isinstance(ids, list):
        return Finding("prompt times", "unknown", "the server does not return token ids")
    decoded = await http.post("/detokenize", {"model": model, "tokens": ids})
    prompt = decoded.body.get("prompt")
    if not isinstance(prompt, str):
        return Finding("prompt times", "unknown", "the server does not decode tokens")
    stamps = _STAMP.findall(prompt)
    wanted = [{each, _ROUNDED_UP.get(each, each)} for each in _SECONDS]
    right = len(stamps) == len(wanted) and all(
        stamp in either for stamp, either in zip(stamps, wanted, strict=False)
    )
    if right:
        return Finding("prompt times", "ok", f"the model reads {' '.join(stamps)}: as sent")
    return Finding(
        "prompt times", "bad",
        f"the model reads {' '.join(stamps[:8]) or 'no times'} instead of {' '.join(_SECONDS)}",
        f"vllm=={VLLM_VERSION}, and a Qwen3-VL checkpoint",
    )  # fmt: skip


def _content(answered: Answered) -> tuple[str, str]:
    """(answer, thought) of a completion."""
    choices = answered.body.get("choices")
    message = choices[0].get("message") if isinstance(choices, list) and choices else None
    if not isinstance(message, dict):
        return "", ""
    thought = message.get("reasoning") or message.get("reasoning_content")
    return message.get("content") or "", thought or ""


def _format() -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "a", "schema": _SCHEMA, "strict": True}}


async def _guided(http: PlainHttp, model: str) -> Finding:
    body = _body(
        model, [_text("Answer in JSON.")], response_format=_format(), max_completion_tokens=400
    )
    answered = await http.post("/v1/chat/completions", body)
    mend = f"--structured-outputs-config '{GUIDANCE}'"
    if answered.status != 200:
        said = answered.text if answered.status == 0 else answered.message
        return Finding("guided JSON", "bad", f"a JSON Schema is refused: {said[:160]}", mend)
    content, thought = _content(answered)
    if not content and thought:
        return Finding(
            "guided JSON", "bad", "the answer arrives as thought: the model does not think",
            "leave out --reasoning-parser, or serve a Thinking checkpoint",
        )  # fmt: skip
    try:
        found = json.loads(content)
    except ValueError:
        text = f"the answer is no JSON: {content[:60]!r}"
        return Finding("guided JSON", "bad", text, mend)
    fits = (
        isinstance(found, dict) and found.get("seen") in ("yes", "no")
        and isinstance(found.get("times"), list) and len(found["times"]) == 3
    )  # fmt: skip
    if not fits:
        return Finding("guided JSON", "bad", "the answer does not keep to its schema", mend)
    return Finding("guided JSON", "ok", "answers keep to a JSON Schema")


async def _reasoning(http: PlainHttp, model: str) -> Finding:
    body = _body(
        model, [_text("Answer in JSON.")], response_format=_format(),
        chat_template_kwargs={"enable_thinking": True}, thinking_token_budget=32,
        max_completion_tokens=500,
    )  # fmt: skip
    answered = await http.post("/v1/chat/completions", body)
    thinking = "thinking" in model.lower()
    mend = "--reasoning-parser qwen3"
    if answered.status != 200:
        said = answered.text if answered.status == 0 else answered.message
        state: State = "bad" if thinking else "warn"
        return Finding("thinking", state, f"thinking mode is refused: {said[:160]}", mend)
    content, thought = _content(answered)
    if thought and content.lstrip().startswith("{"):
        return Finding("thinking", "ok", "thought and answer arrive apart")
    if "</think>" in content or (thinking and not thought):
        return Finding("thinking", "bad", "the thought is mixed into the answer", mend)
    if thought and not content:
        return Finding(
            "thinking", "warn", "a thought, and no answer after it within 500 tokens",
            "raise query.max_thinking_tokens",
        )  # fmt: skip
    text = "this checkpoint does not think; mode thinking would answer without thought"
    return Finding("thinking", "ok" if not thinking else "bad", text, mend if thinking else "")


async def _images(http: PlainHttp, model: str) -> Finding:
    """What is sent where times are not taken: picture after picture."""
    one = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + _picture(90)}}
    body = _body(model, [one] * _IMAGES + [_text("Say yes.")])
    answered = await http.post("/v1/chat/completions", body)
    if answered.status == 200:
        return Finding("pictures", "ok", f"{_IMAGES} pictures one by one are taken")
    said = answered.text if answered.status == 0 else answered.message
    mend = '--limit-mm-per-prompt \'{"image":128,"video":1}\''
    return Finding("pictures", "warn", f"{_IMAGES} pictures are refused: {said[:160]}", mend)


def _prompt_details(video: Answered) -> Finding:
    usage = video.body.get("usage")
    if video.status != 200 or not isinstance(usage, dict):
        return Finding("cache figures", "unknown", "no query with pictures went through")
    if isinstance(usage.get("prompt_tokens_details"), dict):
        return Finding("cache figures", "ok", "hits of the prefix cache are told per query")
    return Finding(
        "cache figures", "warn", "hits of the prefix cache are not told per query",
        "--enable-prompt-tokens-details",
    )  # fmt: skip


async def _metrics(http: PlainHttp) -> Finding:
    answered = await http.get("/metrics")
    missing = [name for name in METRICS if name not in answered.text]
    if answered.status == 200 and not missing:
        return Finding("metrics", "ok", "load and cache can be read")
    if answered.status == 200:
        return Finding("metrics", "warn", f"/metrics lacks {', '.join(missing)}")
    return Finding(
        "metrics", "warn", "no /metrics: the server's load is not known to the scheduler",
        "leave out --disable-log-stats, and let /metrics through the proxy",
    )  # fmt: skip


async def _media(http: PlainHttp, model: str) -> Finding:
    """Whether the server would fetch what a query's text names: it never should."""
    one = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/causeway-check.jpg"}}
    answered = await http.post("/v1/chat/completions", _body(model, [one]), deadline_s=20.0)
    if answered.status == 400 and "domain" in answered.message.lower():
        return Finding("fetching", "ok", "the server fetches no addresses")
    return Finding(
        "fetching", "warn", "the server fetches addresses that a client names",
        "--allowed-media-domains none.invalid",
    )  # fmt: skip


async def _key(http: PlainHttp, keyed: bool) -> Finding:
    if not keyed:
        return Finding(
            "key", "warn", "no key was given; anybody who reaches the port may ask",
            "--api-key, and a private network: /tokenize and /metrics stay open all the same",
        )  # fmt: skip
    async with PlainHttp(http.root) as keyless:
        answered = await keyless.get("/v1/models")
    if answered.status in (401, 403):
        return Finding("key", "ok", "without the key it answers nobody")
    return Finding("key", "warn", "it answers without the key too", "--api-key")


def exit_ok(found: Sequence[Finding]) -> bool:
    """Whether the product works with this server."""
    return all(one.state != "bad" for one in found)
