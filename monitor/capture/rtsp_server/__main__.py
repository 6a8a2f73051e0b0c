"""``python -m monitor.capture.rtsp_server FILE...``: play files as cameras until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from monitor.capture.rtsp_server import Route, RtspServer, VideoSource
from monitor.errors import MediaError


def main(arguments: list[str] | None = None) -> int:
    """Serve every file under its name without the suffix."""
    parser = argparse.ArgumentParser(
        prog="python -m monitor.capture.rtsp_server", description=__doc__
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("--user")
    parser.add_argument("--password", help="viewers must give it; shown to other local users")
    parser.add_argument("--once", action="store_true", help="end each film instead of looping")
    parser.add_argument("--live", action="store_true", help="all viewers see the same moment")
    options = parser.parse_args(arguments)
    try:
        routes = [
            Route(
                f"/{path.stem}", VideoSource.from_file(path), options.user, options.password,
                loop=not options.once, live=options.live,
            )
            for path in options.files
        ]  # fmt: skip
    except MediaError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        asyncio.run(_serve(routes, options.host, options.port))
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


async def _serve(routes: list[Route], host: str, port: int) -> None:
    async with RtspServer(routes, host, port) as server:
        for route in routes:
            # Without the password: it is not for the terminal's scrollback.
            print(f"rtsp://{host}:{server.port}{route.path}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
