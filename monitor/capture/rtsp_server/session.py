"""One viewer's connection: answers its requests and plays while it wants to watch."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Mapping
from contextlib import suppress

from monitor.capture.rtsp_server import protocol, sdp
from monitor.capture.rtsp_server.player import Player
from monitor.capture.rtsp_server.protocol import ProtocolError, Request, response
from monitor.capture.rtsp_server.route import Fault, RouteState
from monitor.clock import Clock

_PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_INTERLEAVED = re.compile(r"interleaved\s*=\s*(\d+)-(\d+)")
_SESSION_TIMEOUT_S = 60
_OPEN = frozenset({"OPTIONS", "TEARDOWN"})  # answered without a password, as cameras do

Headers = tuple[tuple[str, str], ...]


class Connection:
    """Serves one TCP connection until the viewer leaves or the server drops it."""

    def __init__(
        self,
        routes: Mapping[str, RouteState],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._routes, self._reader, self._writer = routes, reader, writer
        self._clock, self._chance = clock, chance
        self._nonce = f"{chance.getrandbits(128):032x}"
        self._session = f"{chance.getrandbits(64):016x}"
        self._channels: tuple[int, int] | None = None
        self._playback: asyncio.Task[None] | None = None
        self.path: str | None = None  # of the route it asked for

    async def serve(self) -> None:
        """Answer requests to the end. Whatever happens, the connection is closed after it."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._converse(group)
                if self._playback is not None:
                    self._playback.cancel()
        except* (ConnectionError, ProtocolError):
            pass  # the viewer is gone or is none
        finally:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()

    def abort(self) -> None:
        """Cut the connection at once, as a camera does that loses its power."""
        self._writer.transport.abort()

    async def _converse(self, group: asyncio.TaskGroup) -> None:
        while True:
            request = await protocol.read_request(self._reader)
            if request is None:
                return
            state = self._routes.get(request.path)
            if state is not None:
                self.path = request.path
                if state.fault in (Fault.SILENT, Fault.STALL):
                    continue
                if state.fault is Fault.GARBAGE:
                    self._writer.write(self._chance.randbytes(200))
                    continue
            if not await self._answer(request, state, group):
                return

    async def _answer(
        self, request: Request, state: RouteState | None, group: asyncio.TaskGroup
    ) -> bool:
        """Answer one request; False where the connection ends with it."""
        if request.method == "OPTIONS":
            return self._reply(request, 200, (("Public", _PUBLIC),))
        if request.method == "TEARDOWN":
            self._stop()
            self._reply(request, 200, self._session_header())
            await self._writer.drain()
            return False
        if state is None or state.fault is Fault.NOT_FOUND:
            return self._reply(request, 404)
        if request.method not in _OPEN and not self._allowed(request, state):
            return self._reply(request, 401, self._challenge(state))
        if request.method == "DESCRIBE":
            return self._describe(request, state)
        if request.method == "SETUP":
            return self._setup(request)
        if request.method == "PLAY":
            return self._play(request, state, group)
        if request.method == "PAUSE":
            self._stop()
            return self._reply(request, 200, self._session_header())
        if request.method in ("GET_PARAMETER", "SET_PARAMETER"):
            return self._reply(request, 200, self._session_header())
        return self._reply(request, 501)

    def _allowed(self, request: Request, state: RouteState) -> bool:
        if state.fault is Fault.UNAUTHORIZED:
            return False
        credentials = state.route.credentials
        return credentials is None or credentials.accept(request, self._nonce)

    def _challenge(self, state: RouteState) -> Headers:
        credentials = state.route.credentials
        if credentials is None:
            return (("WWW-Authenticate", 'Basic realm="causeway"'),)
        return credentials.challenge(self._nonce)

    def _describe(self, request: Request, state: RouteState) -> bool:
        base = request.url.rstrip("/") + "/"
        headers = (("Content-Base", base), ("Content-Type", "application/sdp"))
        return self._reply(request, 200, headers, sdp.describe(state.source, request.path))

    def _setup(self, request: Request) -> bool:
        transport = request.headers.get("transport", "")
        match = _INTERLEAVED.search(transport)
        if "TCP" not in transport.upper():
            return self._reply(request, 461)
        self._channels = (int(match[1]), int(match[2])) if match else (0, 1)
        if not (0 <= self._channels[0] < 256 and 0 <= self._channels[1] < 256):
            return self._reply(request, 400)
        chosen = f"RTP/AVP/TCP;unicast;interleaved={self._channels[0]}-{self._channels[1]}"
        return self._reply(request, 200, (("Transport", chosen), *self._session_header()))

    def _play(self, request: Request, state: RouteState, group: asyncio.TaskGroup) -> bool:
        if self._channels is None:
            return self._reply(request, 455)
        headers: Headers = (*self._session_header(), ("Range", "npt=0.000-"))
        if self._playback is not None and not self._playback.done():
            return self._reply(request, 200, headers)
        player = Player(
            state, self._writer, self._clock, channels=self._channels, chance=self._chance
        )
        sequence, timestamp = player.prepare()
        if state.route.rtp_info:
            url = f"{request.url.rstrip('/')}/{sdp.TRACK}"
            info = f"url={url};seq={sequence};rtptime={timestamp}"
            headers = (*headers, ("RTP-Info", info))
        self._reply(request, 200, headers)
        self._playback = group.create_task(self._run(player, state), name=f"play {request.path}")
        return True

    async def _run(self, player: Player, state: RouteState) -> None:
        state.playing += 1
        try:
            await player.run()
        finally:
            state.playing -= 1
        self._writer.close()  # the source has ended: so does the connection

    def _stop(self) -> None:
        if self._playback is not None:
            self._playback.cancel()
            self._playback = None

    def _session_header(self) -> Headers:
        return (("Session", f"{self._session};timeout={_SESSION_TIMEOUT_S}"),)

    def _reply(self, request: Request, status: int, headers: Headers = (), body: str = "") -> bool:
        self._writer.write(response(request, status, headers, body))
        return True
