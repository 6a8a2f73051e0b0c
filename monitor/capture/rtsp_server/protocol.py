"""RTSP messages over a TCP connection (RFC 2326): requests in, responses out; no state."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_HEADER_BYTES = 16_384
MAX_BODY_BYTES = 65_536
REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
    454: "Session Not Found", 455: "Method Not Valid in This State", 461: "Unsupported Transport",
    501: "Not Implemented",
}  # fmt: skip


class ProtocolError(Exception):
    """The peer does not speak RTSP."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path of the URL without its track and closing slash, ``/`` in front."""
        path = urlsplit(self.url).path if "://" in self.url else self.url
        head, _, tail = path.rstrip("/").rpartition("/")
        if tail.lower().startswith("trackid="):
            path = head
        return "/" + path.strip("/")

    @property
    def sequence(self) -> str:
        return self.headers.get("cseq", "0")


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request; None at the end. The viewer's RTCP in between is passed over.

    ``ProtocolError`` for what is neither.
    """
    while True:
        try:
            first = await reader.readexactly(1)
            if first == b"$":
                header = await reader.readexactly(3)
                await reader.readexactly(int.from_bytes(header[1:], "big"))
                continue
            if first in (b"\r", b"\n"):
                continue
            head = first + await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        except asyncio.LimitOverrunError as error:
            raise ProtocolError("a header without an end") from error
        request = _parsed(head)
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            raise ProtocolError("a body that is too long")
        try:
            await reader.readexactly(int(length))
        except asyncio.IncompleteReadError:
            return None
        return request


def _parsed(head: bytes) -> Request:
    lines = head.decode("utf-8", "replace").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("RTSP/"):
        raise ProtocolError("not an RTSP request line")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return Request(parts[0].upper(), parts[1], headers)


def response(
    request: Request, status: int, headers: tuple[tuple[str, str], ...] = (), body: str = ""
) -> bytes:
    """A whole response, ready to send."""
    lines = [f"RTSP/1.0 {status} {REASONS[status]}", f"CSeq: {request.sequence}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
