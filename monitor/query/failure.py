"""What went wrong with an endpoint, as the one error that everybody above knows.

Whatever a client library raises for whatever a server does becomes a ``QueryError``, whose reason
tells the breaker whether it was the endpoint's fault. Called by ``client`` and ``served``.
"""

from __future__ import annotations

import re
from typing import Final

import httpx2
import openai

from monitor.errors import QueryError
from monitor.query.bounded_transport import TooMuch

_ERROR_CHARS: Final = 200
_DATA_URL: Final = re.compile(r"data:[\w/]+;base64,\S*")


def no_openai_server(endpoint: str) -> QueryError:
    """It answers, and what it says is nothing that such a server says: a web page, mostly."""
    return QueryError(
        "malformed",
        f"{endpoint} answers, but is no OpenAI-compatible server: is the URL's path right (…/v1)?",
    )


def query_error(error: Exception) -> QueryError:
    """Of what the client library or its transport raised."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TooMuch):
            return QueryError("malformed", str(cause))
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, openai.APITimeoutError):
        return QueryError("unreachable", "the endpoint does not answer")
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        reason = "busy" if status in {429, 503} else "server_error" if status >= 500 else "rejected"
        return QueryError(reason, f"the endpoint answered {status}: {brief(error.message)}")
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
        return QueryError("unreachable", f"the endpoint cannot be reached: {brief(str(error))}")
    if isinstance(error, openai.APIError):  # an error event in the middle of an answer
        return QueryError("server_error", f"the endpoint failed: {brief(error.message)}")
    return QueryError("malformed", "the endpoint's answer cannot be read")


def brief(text: str) -> str:
    """An error's text for a log: no picture, one line, short (some carry pixel dumps)."""
    line = " ".join(_DATA_URL.sub("data:…", text[: 10 * _ERROR_CHARS]).split())
    return line if len(line) <= _ERROR_CHARS else line[: _ERROR_CHARS - 1] + "…"
