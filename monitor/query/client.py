"""The connection to one vLLM endpoint, in exactly the format it reads true times from.

Pictures go as one ``video_url`` of JPEGs with their times as frame indices in milliseconds
(``media_io_kwargs``); a server started without ``--trust-request-mm-kwargs`` refuses that and
gets pictures one by one, each after its time in words. Called by ``ask``. Whatever the server
does, a question ends within its deadline, in bounded memory, with a reply or a ``QueryError``;
a question that is cancelled closes its connection, which ends the work on the server.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal

import httpx2
import openai
from openai import AsyncOpenAI
from pydantic import BaseModel

from monitor.clock import Clock, SystemClock
from monitor.errors import QueryError
from monitor.query.bounded_transport import BoundedTransport
from monitor.query.failure import no_openai_server, query_error
from monitor.query.question import Question, Reply, request_body
from monitor.query.served import ServedModels, length_of

FramesAs = Literal["video", "images"]

_CONNECT_TIMEOUT_S = 5.0
_MODELS_TIMEOUT_S = 2.0
_PROBE_TIMEOUT_S = 5.0
_MAX_RESPONSE_BYTES = 16_000_000
_MAX_ANSWER_CHARS = 256_000
_MOST_TOKENS = 1_000_000_000
_TRY_AGAIN_S = 900.0
_NO_TRUST = ("media_io_kwargs", "mm-kwargs", "video_url", "video(s)")
_FEWER_IMAGES = "image(s)"  # "At most N image(s) may be provided in one prompt."
_REQUESTS = re.compile(
    r"^vllm:num_requests_(?:running|waiting)(?:\{[^}\n]*\})? (\d{1,9}(?:\.\d{1,9})?)$", re.MULTILINE
)


class VisionClient:
    """``async with VisionClient(...)``: one endpoint, one model, any number of questions."""

    def __init__(
        self,
        endpoint: str,
        model: str,
        *,
        api_key: str | None = None,
        clock: Clock | None = None,
        max_response_bytes: int = _MAX_RESPONSE_BYTES,
    ) -> None:
        self.endpoint = endpoint
        self.model = model
        self._clock = clock or SystemClock()
        self._images_since: float | None = None  # when the server refused video
        self._whole_since: float | None = None  # when it refused close-ups
        transport = BoundedTransport(httpx2.AsyncHTTPTransport(), max_response_bytes)
        self._http = httpx2.AsyncClient(
            transport=transport,
            timeout=httpx2.Timeout(None, connect=_CONNECT_TIMEOUT_S),
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        )
        self._models = ServedModels(self._http, endpoint, api_key or "none", self._clock)
        self._openai = AsyncOpenAI(
            base_url=endpoint, api_key=api_key or "none", max_retries=0, http_client=self._http
        )

    async def __aenter__(self) -> VisionClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._openai.close()

    @property
    def frames_as(self) -> FramesAs:
        """How the next question's pictures go; a refusal is remembered for a quarter of an hour."""
        return "images" if self._lately(self._images_since) else "video"

    def _lately(self, since_s: float | None) -> bool:
        return since_s is not None and self._clock.monotonic_s() - since_s < _TRY_AGAIN_S

    async def context_length(self, otherwise: int) -> int:
        """``max_model_len`` as the server gives it; ``otherwise`` while it gives none.

        Never an error: a front may have no list of models and answer questions all the same.
        """
        try:
            served = await self._models.get(self.model, _MODELS_TIMEOUT_S)
        except QueryError:  # whether it answers at all, the question will show
            return otherwise
        return length_of(self.model, served) or otherwise

    async def use_only_model(self, timeout_s: float) -> None:
        """Of a server with just one model, ask that one; where there is no telling, change nothing.

        A failure is remembered, and not waited for again by the question that follows.
        """
        try:
            served = await self._models.get(self.model, timeout_s)
        except QueryError:
            return
        if len(served) == 1:
            self.model = served[0].id

    async def probe(self) -> None:
        """One word from the engine itself, not from its front; ``QueryError`` if none comes.

        What is known of the server is asked again afterwards: it may be another one by now.
        """
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                stream: Any = await self._openai.chat.completions.create(
                    model=self.model,
                    messages=[{"role": "user", "content": "Say yes."}],
                    max_completion_tokens=1,
                    stream=True,
                )
                async with stream:
                    chunks = [chunk async for chunk in _dicts(stream)]
        except TimeoutError as error:
            raise QueryError("timeout", f"no word within {_PROBE_TIMEOUT_S:g} s") from error
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            raise query_error(error) from error
        if not chunks:
            raise no_openai_server(self.endpoint)
        self._models.forget()

    async def queries_there(self) -> int | None:
        """How many queries the server runs or lets wait, whoever asked them; None: not told."""
        root = self.endpoint.rstrip("/").removesuffix("/v1")
        try:
            async with asyncio.timeout(_MODELS_TIMEOUT_S):
                answer = await self._http.get(f"{root}/metrics")
        except (httpx2.HTTPError, ValueError, TimeoutError):
            return None
        found = _REQUESTS.findall(answer.text) if answer.status_code == 200 else []
        return round(sum(map(float, found))) if found else None

    async def ask(
        self,
        question: Question,
        *,
        deadline_s: float,
        on_delta: Callable[[str, str], None] | None = None,
    ) -> Reply:
        """The model's reply. ``on_delta`` gets (thought, answer) as they arrive.

        One more try after a server error, and one after a connection that was dead when used.
        """
        try:
            async with asyncio.timeout(deadline_s):
                return await self._ask(question, on_delta)
        except TimeoutError as error:
            raise QueryError("timeout", f"no answer within {deadline_s:g} s") from error

    async def _ask(self, question: Question, on_delta: Callable[[str, str], None] | None) -> Reply:
        tries_left = {"server_error": 1, "unreachable": 1}
        while True:
            frames_as = self.frames_as
            if self._lately(self._whole_since):
                question = replace(question, close_ups=())
            try:
                reply = await self._once(question, frames_as, on_delta)
            except openai.BadRequestError as error:
                if question.close_ups and _FEWER_IMAGES in error.message:
                    self._whole_since = self._clock.monotonic_s()
                elif frames_as == "video" and _refuses_video(error):
                    self._images_since = self._clock.monotonic_s()
                else:
                    raise query_error(error) from error
            except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
                failure = query_error(error)
                if not tries_left.get(failure.reason):
                    raise failure from error
                tries_left[failure.reason] -= 1
            else:
                if frames_as == "video":
                    self._images_since = None
                return reply

    async def _once(
        self,
        question: Question,
        frames_as: FramesAs,
        on_delta: Callable[[str, str], None] | None,
    ) -> Reply:
        body = request_body(question, self.model, frames_as)
        asked_s = self._clock.monotonic_s()
        stream: Any = await self._openai.chat.completions.create(**body)
        text, reasoning = _Collected(), _Collected()
        finish_reason: str | None = None
        usage: dict[str, Any] = {}
        chunks = 0
        first_token_s: float | None = None
        async with stream:
            async for chunk in _dicts(stream):
                chunks += 1
                usage = _dict(chunk.get("usage")) or usage
                choice = _first(chunk.get("choices"))
                delta = _dict(choice.get("delta"))
                thought = delta.get("reasoning") or delta.get("reasoning_content")
                thought, answer = reasoning.add(thought), text.add(delta.get("content"))
                if first_token_s is None and (thought or answer):
                    first_token_s = round(self._clock.monotonic_s() - asked_s, 3)
                if on_delta is not None and (thought or answer):
                    on_delta(thought, answer)
                if isinstance(choice.get("finish_reason"), str):
                    finish_reason = choice["finish_reason"]
        if not chunks:
            raise no_openai_server(self.endpoint)
        return Reply(
            text=text.all(),
            reasoning=reasoning.all(),
            finish_reason=finish_reason,
            prompt_tokens=_count(usage.get("prompt_tokens")),
            output_tokens=_count(usage.get("completion_tokens")),
            frames_as=frames_as,
            cached_tokens=_count(_dict(usage.get("prompt_tokens_details")).get("cached_tokens")),
            first_token_s=first_token_s,
        )


class _Collected:
    """Pieces of a text, bounded."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._chars = 0

    def add(self, piece: object) -> str:
        if not isinstance(piece, str):
            return ""
        self._chars += len(piece)
        if self._chars > _MAX_ANSWER_CHARS:
            raise QueryError("malformed", f"an answer of over {_MAX_ANSWER_CHARS} characters")
        self._pieces.append(piece)
        return piece

    def all(self) -> str:
        return "".join(self._pieces)


async def _dicts(stream: Any) -> AsyncIterator[dict[str, Any]]:
    """Chunks as plain data: the client library does not check what a server sends, nor how deep."""
    chunks = aiter(stream)
    while True:
        try:
            chunk = _dict(await anext(chunks))
        except StopAsyncIteration:
            return
        except (AttributeError, TypeError, RecursionError) as error:
            raise QueryError("malformed", "the endpoint's answer cannot be read") from error
        yield chunk


def _dict(value: object) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return value.model_dump(warnings=False)
    return value if isinstance(value, dict) else {}


def _first(value: object) -> dict[str, Any]:
    return _dict(value[0]) if isinstance(value, list) and value else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= _MOST_TOKENS else None


def _refuses_video(error: openai.BadRequestError) -> bool:
    text = error.message
    return any(word in text for word in _NO_TRUST)
