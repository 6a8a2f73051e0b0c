"""What a server serves: its list of models, read without trusting its shape.

Called by ``client`` and ``plain_http``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

import httpx2
from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, ValidationError

from monitor.clock import Clock
from monitor.errors import QueryError
from monitor.query.failure import no_openai_server, query_error

_MAX_BYTES: Final = 1_000_000  # hundreds of models are less
_MAX_MODELS: Final = 1_000
_LONGEST_CONTEXT: Final = 100_000_000
_AGAIN_S: Final = 10.0
"""A query asks for the list several times: a silent server makes it wait once."""


def _length(value: object) -> int | None:
    """A length that makes no sense is one that was not given: the list is good without it."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= _LONGEST_CONTEXT else None


class ServedModel(BaseModel):
    """One entry of ``/v1/models``; ``max_model_len`` in tokens, None where it is not said."""

    model_config = ConfigDict(frozen=True, strict=True)

    id: Annotated[str, Field(min_length=1, max_length=1024)]
    max_model_len: Annotated[int | None, BeforeValidator(_length)] = None


class _Page(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    # The first fault is enough: one kept for each of a million entries is 500 MB.
    data: Annotated[list[ServedModel], Field(max_length=_MAX_MODELS), FailFast()]


def served_models(body: bytes, endpoint: str) -> list[ServedModel]:
    """The models in a 200's body; ``QueryError`` where it is no such list."""
    page = None if len(body) > _MAX_BYTES else _page(body)
    if page is None:  # raised out here: an error's context would hold on to the body
        raise no_openai_server(endpoint)
    return page.data


def _page(body: bytes) -> _Page | None:
    try:
        return _Page.model_validate_json(body)
    except ValidationError:
        return None


def length_of(model: str, served: Sequence[ServedModel]) -> int | None:
    """The context of one of them."""
    return next((one.max_model_len for one in served if one.id == model), None)


def _silent(address: str, timeout_s: float) -> str:
    return f"{address} gave no answer within {timeout_s:g} s"


def _tells(known: Sequence[ServedModel] | QueryError, model: str) -> bool:
    return not isinstance(known, QueryError) and length_of(model, known) is not None


class ServedModels:
    """One server's list, kept: for good once it tells the context asked for, else for a moment."""

    def __init__(self, http: httpx2.AsyncClient, endpoint: str, api_key: str, clock: Clock) -> None:
        self._http = http
        self._endpoint = endpoint.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._clock = clock
        self._known: Sequence[ServedModel] | QueryError | None = None
        self._asked_s = 0.0
        self._asking = asyncio.Lock()

    async def get(self, model: str, timeout_s: float) -> Sequence[ServedModel]:
        """The list; ``QueryError`` if there is none to be had in that time."""
        until = asyncio.get_running_loop().time() + timeout_s
        address = f"{self._endpoint}/models"
        try:
            async with asyncio.timeout_at(until):
                await self._asking.acquire()
        except TimeoutError:
            raise QueryError("timeout", _silent(address, timeout_s)) from None
        try:  # who comes meanwhile gets the same answer
            known = self._known
            if known is None or not (self._is_fresh() or _tells(known, model)):
                known = self._known = await self._asked(address, until, timeout_s)
                self._asked_s = self._clock.monotonic_s()
        finally:
            self._asking.release()
        if isinstance(known, QueryError):  # a new one: what is kept would grow with each raise
            raise QueryError(known.reason, str(known))
        return known

    def forget(self) -> None:
        """It may be another server by now."""
        self._known = None

    def _is_fresh(self) -> bool:
        return self._clock.monotonic_s() - self._asked_s < _AGAIN_S

    async def _asked(
        self, address: str, until: float, timeout_s: float
    ) -> Sequence[ServedModel] | QueryError:
        try:
            async with asyncio.timeout_at(until):
                answer = await self._http.get(address, headers=self._headers)
            if answer.status_code != 200:
                return QueryError("rejected", f"{address} answered {answer.status_code}")
            return served_models(answer.content, self._endpoint)
        except TimeoutError:
            return QueryError("timeout", _silent(address, timeout_s))
        except QueryError as error:  # without its traceback, which holds the answer
            return QueryError(error.reason, str(error))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            return query_error(error)
