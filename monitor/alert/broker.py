"""The embedded MQTT broker for one machine: amqtt, in a process of its own.

MQTT 3.1.1 only, no password, so it listens on this machine alone unless told otherwise. It keeps
nothing on disk: after a restart publish sends the retained topics again. Whoever needs more
(other machines, passwords, sessions that outlive the broker) names a real one in streams.yaml.

Run as ``python -m monitor.alert.broker --port N`` by the supervisor.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from types import TracebackType
from typing import Any, Self

from amqtt.broker import Broker
from amqtt.errors import BrokerError

from monitor.errors import PublishError

logger = logging.getLogger(__name__)

_NOISY = ("amqtt", "transitions")  # they log every client, packet and state change


class EmbeddedBroker:
    """``async with EmbeddedBroker(host, port):`` serves until the block ends."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._broker: Any = None

    async def __aenter__(self) -> Self:
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        settings = {
            "listeners": {"default": {"type": "tcp", "bind": f"{self._host}:{self._port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
            },
        }
        self._broker = Broker(settings)
        try:
            await self._broker.start()
        except BrokerError as error:
            raise PublishError(
                f"The embedded MQTT broker cannot listen on {self._host}:{self._port}: {error}"
            ) from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._broker.shutdown()


async def serve(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stop.set)
    async with EmbeddedBroker(host, port):
        logger.info("the embedded MQTT broker listens on %s:%d", host, port)
        await stop.wait()


def main() -> int:
    """The command line; 1 where the port is taken."""
    parser = argparse.ArgumentParser(description="The embedded MQTT broker.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(serve(options.host, options.port))
    except PublishError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
