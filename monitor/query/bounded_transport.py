"""HTTP in bounded memory: a response that is too long, or compressed, is an error.

Text is UTF-8, whatever a server calls it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2


class TooMuch(httpx2.TransportError):
    """The server sent more than any answer needs, or compressed what was asked for plain."""


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Passes requests on, and counts what comes back."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, max_bytes: int) -> None:
        self._inner = inner
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise TooMuch("the endpoint sent a compressed answer")
        # As UTF-8 then: Python has "charsets" (base64, zip) that are no text and raise anything.
        kind = response.headers.get("content-type", "")
        response.headers["content-type"] = kind.partition(";")[0]
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _BoundedStream(response.stream, self._max_bytes)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._inner = inner
        self._max_bytes = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._max_bytes
        async for part in self._inner:
            left -= len(part)
            if left < 0:
                raise TooMuch(f"the endpoint sent over {self._max_bytes} bytes")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()
