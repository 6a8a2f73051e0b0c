"""How alerts come to the feed: live from the broker, and from the archive what was missed.

One worker-long task each. The archive is read at the start, whenever the broker is back, and
every few seconds while it is away, so an operator misses nothing whichever of the two is down.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import Counter
from typing import Final

import aiomqtt
from pydantic import ValidationError

from dashboards.feed import AlertFeed
from monitor import wire
from monitor.archive import Archive
from monitor.clock import Clock
from monitor.config.endpoints import mqtt_address
from monitor.config.models import Config
from monitor.domain import Alert
from monitor.errors import ArchiveError

logger = logging.getLogger(__name__)

HISTORY: Final = 50
CATCH_UP_S: Final = 5.0
BACKSTOP_S: Final = 60.0
BACKOFF_MAX_S: Final = 10.0


class Intake:
    """Feeds the feed. ``mqtt_problem`` and ``archive_problem`` are None while all is well."""

    def __init__(self, config: Config, archive: Archive, feed: AlertFeed, clock: Clock) -> None:
        self._config = config
        self._archive = archive
        self._feed = feed
        self._clock = clock
        self._read_archive = asyncio.Event()
        self._archive_open = False
        self.mqtt_problem: str | None = "not connected yet"
        self.archive_problem: str | None = "not opened yet"
        self.received: Counter[str] = Counter()  # alerts first heard of over the broker, by camera
        self.malformed = 0  # messages on the alert topics that are no alerts

    @property
    def topic(self) -> str:
        """Alerts of every camera of this site."""
        return f"{self._config.mqtt.topic_prefix}/{self._config.site.id}/alerts/+"

    async def run_broker(self) -> None:
        """Stay subscribed until cancelled, with jittered backoff while the broker is away."""
        wait_s = 0.5
        while True:
            try:
                await self._subscribe_once()
            except aiomqtt.MqttError as error:
                if self.mqtt_problem is None:
                    wait_s = 0.5
                    logger.warning("MQTT broker away: %s", error)
                self.mqtt_problem = str(error) or type(error).__name__
            await self._clock.sleep(wait_s * random.uniform(0.75, 1.25))
            wait_s = min(wait_s * 2, BACKOFF_MAX_S)

    async def _subscribe_once(self) -> None:
        mqtt = self._config.mqtt
        host, port = mqtt_address(self._config)
        async with aiomqtt.Client(
            host,
            port,
            username=mqtt.username,
            password=None if mqtt.password is None else mqtt.password.get_secret_value(),
            tls_context=ssl.create_default_context() if mqtt.tls else None,
            keepalive=15,
            timeout=5,
        ) as client:
            await client.subscribe(self.topic, qos=1)
            self.mqtt_problem = None
            logger.info("listening on %s", self.topic)
            self._read_archive.set()
            async for message in client.messages:
                # The embedded broker hands a new client retained topics others asked for.
                if message.topic.matches(self.topic):
                    self._take(message.payload)

    def _take(self, payload: object) -> None:
        if not isinstance(payload, bytes | bytearray | str):
            self.malformed += 1
            return
        try:
            alert = wire.from_json(
                Alert, bytes(payload) if not isinstance(payload, str) else payload
            )
        except ValidationError as error:
            self.malformed += 1
            logger.warning(
                "a message on %s is no alert: %d errors", self.topic, error.error_count()
            )
            return
        if self._feed.get(alert.id) is None:
            self.received[alert.camera] += 1
        self._feed.offer(alert)

    def refresh(self) -> None:
        """Read the archive now: somebody opened a page."""
        self._read_archive.set()

    async def run_archive(self) -> None:
        """Read the archive when there is a reason to, until cancelled."""
        while True:
            self._read_archive.clear()
            await self.read_archive()
            all_well = self.mqtt_problem is None and self.archive_problem is None
            wait_s = BACKSTOP_S if all_well else CATCH_UP_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._read_archive.wait()
            except TimeoutError:
                continue

    async def read_archive(self) -> None:
        """Offer the feed the archive's newest alerts."""
        try:
            if not self._archive_open:
                await self._archive.open()
                self._archive_open = True
            alerts = await self._archive.alerts(limit=HISTORY)
        except ArchiveError as error:
            if self.archive_problem is None:
                logger.warning("archive away: %s", error)
            self.archive_problem = str(error)
        else:
            self.archive_problem = None
            self._feed.offer_all(reversed(alerts))
