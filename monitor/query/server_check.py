"""Does a running server do everything a query needs? Each answer with the flag that mends it.

Called by ``causeway vllm --check``. It asks as the product asks, in small: two made pictures, a
few tokens. It changes nothing on the server.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from monitor.errors import QueryError
from monitor.query import server_pictures
from monitor.query.plain_http import Answered, PlainHttp
from monitor.query.server_finding import Finding, State, body, text_part
from monitor.query.serving import GUIDANCE, LEAST_CONTEXT, VLLM_VERSION

METRICS: Final = (
    "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
    "vllm:prefix_cache_hits", "vllm:time_to_first_token_seconds",
)  # fmt: skip

_MEND: Final = {
    "malformed": "the address of the model server itself: --endpoint http://HOST:8000/v1",
    "rejected": "is the key right, and the path before /v1?",
    "timeout": "it is there, and silent: wait until it has loaded, or see what its log says",
    "unreachable": "start it: causeway vllm",
}

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


async def check(
    http: PlainHttp, model: str | None, *, context: int = LEAST_CONTEXT, keyed: bool = False
) -> list[Finding]:
    """Ask everything; the first failures that make the rest pointless end it early."""
    health = await http.get("/health")
    if health.status != 200:
        said = health.text if health.status == 0 else f"/health answered {health.status}"
        mend = _MEND[health.reason or "unreachable"]
        return [Finding("health", "bad", said[:200], mend)]
    found = [_health(health), await _version(http)]
    served = await _model(http, model, context, found)
    if served is None:
        return found
    video = await server_pictures.video(http, served)
    found.append(server_pictures.trust(video))
    found.append(await server_pictures.times(http, served, video))
    found.append(await _guided(http, served))
    found.append(await _reasoning(http, served))
    found.append(await server_pictures.images(http, served))
    found.append(server_pictures.prompt_details(video))
    found.append(await _metrics(http))
    found.append(await server_pictures.media(http, served))
    found.append(await _key(http, keyed))
    return found


def _health(health: Answered) -> Finding:
    """vLLM says nothing there; a web server has a page for every address."""
    if health.text.strip():
        return Finding("health", "unknown", "something answers, but not as vLLM does")
    return Finding("health", "ok", "it answers")


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
        found.append(Finding("models", "bad", str(error)[:200], _MEND[error.reason]))
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
    asked = body(
        model, [text_part("Answer in JSON.")], response_format=_format(), max_completion_tokens=400
    )
    answered = await http.post("/v1/chat/completions", asked)
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
    asked = body(
        model, [text_part("Answer in JSON.")], response_format=_format(),
        chat_template_kwargs={"enable_thinking": True}, thinking_token_budget=32,
        max_completion_tokens=500,
    )  # fmt: skip
    answered = await http.post("/v1/chat/completions", asked)
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
