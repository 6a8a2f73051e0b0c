"""``causeway health WORKER``: for a container's health check."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Final

import httpx

from monitor.buffer.connection import connect
from monitor.buffer.heartbeat import WorkerBeat, read_heartbeats
from monitor.config import endpoints
from monitor.config.loader import load
from monitor.config.models import Config
from monitor.errors import StoreError
from workers import exits

DEADLINE_S: Final = 5.0


def health(worker: str, config_path: Path, *, max_age_s: float, json_out: bool) -> int:
    """0 where a process of that name has given a sign of life within ``max_age_s``."""
    config = load(config_path)
    if worker == "dashboard":
        return _dashboard(config, json_out=json_out)
    try:
        beats = asyncio.run(_beats(endpoints.redis_url(config)))
        reason = ""
    except (StoreError, TimeoutError) as error:
        beats, reason = [], str(error) or "Redis does not answer"
    own = [beat for beat in beats if beat.name == worker or beat.name.startswith(f"{worker}-")]
    now_ms = time.time_ns() // 1_000_000
    ages_s = {beat.name: round((now_ms - beat.at_ms) / 1000, 3) for beat in own}
    healthy = any(age_s <= max_age_s for age_s in ages_s.values())
    if json_out:
        print(json.dumps({"worker": worker, "ok": healthy, "ages_s": ages_s, "reason": reason}))
    elif healthy:
        print(f"{worker}: alive, last heard of {min(ages_s.values()):.1f} s ago")
    else:
        print(f"{worker}: no sign of life in the last {max_age_s:g} s. {reason}".rstrip())
    return exits.OK if healthy else exits.FAILED


def _dashboard(config: Config, *, json_out: bool) -> int:
    """The web server gives no sign of life in Redis: it lives if it answers."""
    host = config.dashboard.host
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    url = f"http://{host}:{config.dashboard.port}/healthz"
    try:
        status = httpx.get(url, timeout=DEADLINE_S).status_code
        healthy, said = True, f"answers {status}"
    except httpx.HTTPError as error:
        healthy, said = False, str(error) or type(error).__name__
    if json_out:
        print(json.dumps({"worker": "dashboard", "ok": healthy, "reason": said}))
    else:
        print(f"dashboard: {url} {said}")
    return exits.OK if healthy else exits.FAILED


async def _beats(url: str) -> list[WorkerBeat]:
    client = connect(url)
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await read_heartbeats(client)
    finally:
        await client.aclose()
