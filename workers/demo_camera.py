"""The demo's camera process: files played in a loop over RTSP.

Run as ``python -m workers.demo_camera PORT CAMERA FILE [CAMERA FILE ...]``.
"""

from __future__ import annotations

import asyncio
import sys

from monitor import logs
from monitor.capture.rtsp_server import Route, RtspServer, VideoSource
from workers.commands.worker import serve


async def play(port: int, files: dict[str, str], stop: asyncio.Event) -> None:
    """Serve every file under its camera's name until told to stop."""
    routes = [Route(camera, VideoSource.from_file(path)) for camera, path in files.items()]
    async with RtspServer(routes, host="127.0.0.1", port=port):
        await stop.wait()


def main() -> None:
    """The command line."""
    logs.configure("")
    port, *rest = sys.argv[1:]
    files = dict(zip(rest[::2], rest[1::2], strict=True))
    asyncio.run(serve(lambda stop: play(int(port), files, stop)))


if __name__ == "__main__":
    main()
