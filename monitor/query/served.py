"""What a server serves: its list of models, read without trusting its shape.

Called by ``client`` and ``plain_http``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

import httpx2
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from monitor.clock import Clock
from monitor.errors import QueryError
from monitor.query.failure import no_openai_server, query_error

_MAX_BYTES: Final = 4_000_000  # hundreds of models are less
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

    data: list[ServedModel]


def served_models(body: bytes, endpoint: str) -> list[ServedModel]:
    """The models in a 200's body; ``QueryError`` where it is no such list."""
    if len(body) > _MAX_BYTES:
        raise no_openai_server(endpoint)
    try:
        return _Page.model_validate_json(body).data
    except ValidationError as error:
        raise no_openai_server(endpoint) from error


def length_of(model: str, served: Sequence[ServedModel]) -> int | None:
    """The context of one of them."""
    return next((one.max_model_len for one in served if one.id == model), None)


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
        async with self._asking:  # who comes meanwhile gets the same answer
            known = self._known
            if known is None or not (self._is_fresh() or _tells(known, model)):
                known = self._known = await self._asked(timeout_s)
                self._asked_s = self._clock.monotonic_s()
        if isinstance(known, QueryError):
            raise known
        return known

    def forget(self) -> None:
        """It may be another server by now."""
        self._known = None

    def _is_fresh(self) -> bool:
        return self._clock.monotonic_s() - self._asked_s < _AGAIN_S

    async def _asked(self, timeout_s: float) -> Sequence[ServedModel] | QueryError:
        address = f"{self._endpoint}/models"
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._http.get(address, headers=self._headers)
            if answer.status_code != 200:
                return QueryError("rejected", f"{address} answered {answer.status_code}")
            return served_models(answer.content, self._endpoint)
        except TimeoutError:
            return QueryError("timeout", f"{address} gave no answer within {timeout_s:g} s")
        except QueryError as error:
            return error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            return query_error(error)
