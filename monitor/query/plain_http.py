"""Small questions to a vLLM server beside the queries: what it serves, whether it is well.

Used by ``server_check`` and ``causeway ask``. Every request has a deadline and a bound on what
comes back; a failure is a status of 0 with a sentence, because a check wants to go on.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import httpx2

from monitor.errors import QueryError
from monitor.query.bounded_transport import BoundedTransport, TooMuch
from monitor.query.served import ServedModel, served_models

_CONNECT_S: Final = 5.0
_MAX_BYTES: Final = 8_000_000


@dataclass(frozen=True, slots=True)
class Answered:
    """One response; ``status`` 0: there was none, and ``text`` says why.

    ``reason`` is that of a ``QueryError``: ``unreachable``, ``timeout`` or ``malformed``.
    """

    status: int
    text: str
    reason: str = ""

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object in it; empty where it is none."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def message(self) -> str:
        """What a server says of an error, on one line."""
        error = self.body.get("error")
        message = error.get("message") if isinstance(error, dict) else error
        text = message if isinstance(message, str) else self.text
        return " ".join(text[:2000].split())


class PlainHttp:
    """``async with``: one server, by the address of its OpenAI interface, which ends in /v1."""

    def __init__(self, endpoint: str, api_key: str | None = None) -> None:
        self.root = endpoint.rstrip("/").removesuffix("/v1")
        headers = {"Accept-Encoding": "identity"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._http = httpx2.AsyncClient(
            transport=BoundedTransport(httpx2.AsyncHTTPTransport(), _MAX_BYTES),
            timeout=httpx2.Timeout(None, connect=_CONNECT_S),
            headers=headers,
            trust_env=False,
        )

    async def __aenter__(self) -> PlainHttp:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, deadline_s: float = 10.0) -> Answered:
        """GET below the server's root."""
        return await self._request("GET", path, None, deadline_s)

    async def post(self, path: str, body: dict[str, Any], deadline_s: float = 60.0) -> Answered:
        """POST of JSON below the server's root."""
        return await self._request("POST", path, body, deadline_s)

    async def models(self) -> list[ServedModel]:
        """What is served; ``QueryError`` if that cannot be found out."""
        answered = await self.get("/v1/models")
        if answered.status == 0:
            raise QueryError(answered.reason, answered.text)
        if answered.status != 200:
            raise QueryError("rejected", f"{self.root}/v1/models answered {answered.status}")
        return served_models(answered.text.encode(), f"{self.root}/v1")

    async def _request(
        self, method: str, path: str, body: dict[str, Any] | None, deadline_s: float
    ) -> Answered:
        try:
            async with asyncio.timeout(deadline_s):
                answer = await self._http.request(method, self.root + path, json=body)
        except TimeoutError:
            said = f"{self.root} gave no answer within {deadline_s:g} s"
            return Answered(0, said, "timeout")
        except TooMuch as error:
            return Answered(0, str(error), "malformed")
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            said = f"{self.root} cannot be reached: {str(error)[:200]}"
            return Answered(0, said, "unreachable")
        return Answered(answer.status_code, answer.text)
