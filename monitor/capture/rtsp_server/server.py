"""The RTSP server: routes, connections, and the faults that a test or a demo switches on."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote

from monitor.capture.rtsp_server.route import Fault, Route, RouteState
from monitor.capture.rtsp_server.session import Connection
from monitor.capture.rtsp_server.source import VideoSource
from monitor.clock import Clock, SystemClock


class RtspServer:
    """Plays every route to any number of viewers over RTP interleaved in TCP.

    ``async with RtspServer([Route("/cam", source)]) as server: server.url("/cam")``. Port 0 takes
    a free one. All methods are called from the event loop it runs in.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
    ) -> None:
        self._states = {_normal(route.path): RouteState(route, route.source) for route in routes}
        if len(self._states) != len(routes):
            raise ValueError("two routes have the same path")
        self._host, self.port = host, port
        self._clock = clock or SystemClock()
        self._chance = random.Random(seed)
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._serving: dict[asyncio.Task[None], Connection] = {}
        self._refused: set[str] = set()
        self.connections = 0  # ever accepted

    async def __aenter__(self) -> Self:
        self._listen()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close_listener()
        tasks = list(self._serving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def url(self, path: str, *, username: str | None = None, password: str | None = None) -> str:
        """The address of a route, with its own credentials unless others are given."""
        route = self._state(path).route
        username = route.username if username is None else username
        password = route.password if password is None else password
        login = ""
        if password is not None:
            login = f"{quote(username or '', safe='')}:{quote(password, safe='')}@"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"rtsp://{login}{host}:{self.port}{_normal(path)}"

    # Faults, switched at any time.

    def refuse(self, path: str) -> None:
        """Hang up on everybody and accept nobody: no one listens once all routes refuse."""
        self._refused.add(_normal(path))
        self.drop(path)
        if self._refused >= set(self._states):
            self._close_listener()

    def stall(self, path: str) -> None:
        """Keep connections open and say nothing more."""
        self._state(path).fault = Fault.STALL

    def silent(self, path: str) -> None:
        """Accept connections and never answer; those that play go on."""
        self._state(path).fault = Fault.SILENT

    def garbage(self, path: str) -> None:
        """Answer and send random bytes."""
        self._state(path).fault = Fault.GARBAGE

    def unauthorized(self, path: str) -> None:
        """Take no password any more."""
        self._state(path).fault = Fault.UNAUTHORIZED

    def not_found(self, path: str) -> None:
        """Answer 404."""
        self._state(path).fault = Fault.NOT_FOUND

    def without_key_frames(self, path: str) -> None:
        """Send only pictures that lean on others."""
        self._state(path).fault = Fault.NO_KEY_FRAMES

    def resume(self, path: str) -> None:
        """Be well again."""
        self._state(path).fault = Fault.NONE
        self._refused.discard(_normal(path))
        if self._socket is None:
            self._listen()

    def drop(self, path: str) -> None:
        """Cut the connections of a route at once; new ones are welcome."""
        wanted = _normal(path)
        for connection in list(self._serving.values()):
            if connection.path == wanted:
                connection.abort()

    def jump_clock(self, path: str, by_ms: int) -> None:
        """Set the camera's wall clock forward or back; the next sender report tells."""
        state = self._state(path)
        state.clock_offset_ms += by_ms
        state.clock_jumps += 1

    def switch(self, path: str, source: VideoSource) -> None:
        """Play another source from its first picture on.

        Of the same codec: within the running sessions, with its parameter sets in band, as when
        a camera's resolution is changed. Of another codec: the sessions are cut, as cameras do,
        since a session's codec is fixed by its description.
        """
        state = self._state(path)
        same = source.codec is state.source.codec
        state.source = source
        state.epoch_s = None
        if not same:
            self.drop(path)

    def playing(self, path: str) -> int:
        """How many viewers it plays to now."""
        return self._state(path).playing

    def played(self, path: str) -> int:
        """How many pictures it has sent, to all viewers together."""
        return self._state(path).played_units

    def _state(self, path: str) -> RouteState:
        return self._states[_normal(path)]

    def _listen(self) -> None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self.port), family=family, backlog=128)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._socket = listener
        self._accepting = asyncio.create_task(self._accept(listener), name="rtsp accept")

    def _close_listener(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            peer, _ = await loop.sock_accept(listener)
            self.connections += 1
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.create_task(self._serve(peer), name="rtsp connection")
            task.add_done_callback(self._forget)

    async def _serve(self, peer: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=peer)
        connection = Connection(
            self._states, reader, writer, clock=self._clock, chance=self._chance
        )
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = connection
        await connection.serve()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._serving.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler(
                {"message": "an RTSP connection failed", "exception": error, "task": task}
            )


def _normal(path: str) -> str:
    return "/" + path.strip("/")
