"""One look at each thing a running Causeway needs; every look has a deadline and no side effect.

A finding says what was seen in words a person can act on. Passwords are taken out by whoever
prints it, as for logs.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiomqtt
import httpx
from sqlalchemy import text

from monitor import wire
from monitor.archive import engine as database
from monitor.buffer.cameras import CameraStore
from monitor.buffer.connection import connect, translated
from monitor.buffer.heartbeat import read_heartbeats
from monitor.config import endpoints
from monitor.config.asking import ModelEndpoint
from monitor.config.models import Config
from monitor.config.secrets import redacted_address
from monitor.errors import CausewayError

DEADLINE_S: Final = 5.0
_LOW_DISK_BYTES: Final = 2 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """``ok`` is None where there is nothing to judge."""

    name: str
    ok: bool | None
    detail: str
    data: dict[str, Any] = field(default_factory=dict)


async def bounded(name: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    """A finding in any case: what a look raises is what it found."""
    try:
        return await asyncio.wait_for(look(), DEADLINE_S)
    except TimeoutError:
        return Finding(name, False, f"no answer within {DEADLINE_S:g} s")
    except (CausewayError, OSError) as error:
        return Finding(name, False, str(error) or type(error).__name__)


async def redis(config: Config) -> Finding:
    """Whether Redis answers, and how it treats what it is given."""
    client = connect(endpoints.redis_url(config))
    try:
        async with translated():
            info: dict[str, Any] = dict(await client.info())
    finally:
        await client.aclose()
    policy, limit = info.get("maxmemory_policy"), int(info.get("maxmemory", 0))
    embedded = config.redis.url is None
    data = {
        "version": info.get("redis_version"),
        "used_memory_bytes": info.get("used_memory"),
        "maxmemory_bytes": limit,
        "maxmemory_policy": policy,
        "append_only": bool(info.get("aof_enabled")),
        "embedded": embedded,
    }
    kind = "embedded" if embedded else redacted_address(endpoints.redis_url(config))
    detail = f"Redis {data['version']} ({kind}), {int(info.get('used_memory', 0)) >> 20} MiB used"
    if policy not in (None, "noeviction"):
        return Finding(
            "redis",
            False,
            f"{detail}; maxmemory-policy is {policy} and would drop work: set noeviction",
            data,
        )
    return Finding("redis", True, detail, data)


async def mqtt(config: Config) -> Finding:
    """Whether the broker lets us in."""
    host, port = endpoints.mqtt_address(config)
    password = config.mqtt.password
    data = {"host": host, "port": port, "embedded": config.mqtt.host is None}
    try:
        async with aiomqtt.Client(
            host,
            port,
            username=config.mqtt.username,
            password=password.get_secret_value() if password else None,
            tls_params=aiomqtt.TLSParameters() if config.mqtt.tls else None,
            protocol=aiomqtt.ProtocolVersion.V311,
            timeout=DEADLINE_S - 1,
        ):
            return Finding("mqtt", True, f"the broker at {host}:{port} lets us in", data)
    except aiomqtt.MqttError as error:
        return Finding("mqtt", False, f"the broker at {host}:{port}: {error}", data)


async def archive(config: Config) -> Finding:
    """Whether the database answers."""
    address = endpoints.archive_url(config)
    if config.archive.url is None:
        path = config.data_dir.resolve() / "archive.db"
        if not path.exists():
            return Finding("archive", None, f"{path} is made at the first start")
    engine = database.open_engine(address)
    try:
        async with database.translated(engine), engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    finally:
        await engine.dispose()
    return Finding("archive", True, f"{redacted_address(address)} answers")


async def model(config: Config) -> Finding:
    """Whether each server of models knows its configured model."""
    configured = endpoints.model_endpoints(config.query)
    if not configured:
        return Finding(
            "model", None, "none configured: alerts are explained from the evidence alone"
        )
    found = await asyncio.gather(*(_model_at(endpoint) for endpoint in configured))
    return Finding(
        "model",
        all(ok for ok, _, _ in found),
        "; ".join(detail for _, detail, _ in found),
        {"models": sorted({name for _, _, served in found for name in served})},
    )


async def _model_at(endpoint: ModelEndpoint) -> tuple[bool, str, list[str]]:
    """Whether it is well, what to say of it, and what it serves."""
    url, key = endpoint.url, endpoint.api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    try:
        async with httpx.AsyncClient(timeout=DEADLINE_S - 1) as client:
            answer = await client.get(f"{url.rstrip('/')}/models", headers=headers)
    except httpx.HTTPError as error:
        return False, f"{url}: {error or type(error).__name__}", []
    if answer.status_code != 200:
        hint = "; check its api_key" if answer.status_code == 401 else ""
        return False, f"{url} answers {answer.status_code}{hint}", []
    try:
        served = [str(entry["id"]) for entry in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return False, f"{url} is no OpenAI-compatible server; end it in /v1", []
    detail = f"{url} serves {', '.join(served) or 'nothing'}"
    if endpoint.model not in served:
        return False, f"{detail}; the configured model is {endpoint.model}", served
    return True, detail, served


async def cameras(config: Config) -> list[Finding]:
    """Each camera's state, as ingest last said it."""
    client = connect(endpoints.redis_url(config))
    store = CameraStore(client)
    findings = []
    try:
        for camera in config.cameras:
            name = f"camera {camera.id}"
            state = await store.state(camera.id)
            if state is None:
                findings.append(Finding(name, False, "no word from ingest: is it running?"))
                continue
            online = state.status.value == "online"
            size = f", {state.width}x{state.height} {state.codec}" if state.width else ""
            why = f": {state.detail}" if state.detail else ""
            rests = await store.detector(camera.id)
            aside = f"; its detector rests: {rests}" if rests else ""
            data = wire.to_object(state)
            findings.append(Finding(name, online, f"{state.status.value}{why}{size}{aside}", data))
    finally:
        await client.aclose()
    return findings


async def workers(config: Config) -> Finding:
    """Which processes have given a sign of life lately."""
    client = connect(endpoints.redis_url(config))
    try:
        beats = await read_heartbeats(client)
    finally:
        await client.aclose()
    names = [beat.name for beat in beats]
    return Finding(
        "workers",
        bool(names),
        ", ".join(names) if names else "none is running",
        {beat.name: dict(beat.counters) for beat in beats},
    )


async def supervisor(config: Config) -> Finding:
    """What `causeway run` last wrote, with whatever keeps ending."""
    path = endpoints.run_dir(config) / "supervisor.json"
    try:
        data = json.loads(path.read_text())
        processes: dict[str, dict[str, Any]] = data["processes"]
    except FileNotFoundError:
        return Finding("supervisor", None, "no `causeway run` has been here")
    except (ValueError, KeyError, TypeError):
        return Finding("supervisor", False, f"{path} cannot be read as JSON")
    if not _alive(data.get("pid")):
        return Finding("supervisor", None, "not running now", data)
    looping = [
        f"{name} {p['last_exit']}, {p['failures_in_a_row']} times in a row"
        for name, p in processes.items()
        if p["state"] == "restarting" or p["failures_in_a_row"] > 2
    ]
    detail = "; ".join(looping) if looping else f"{len(processes)} processes running"
    return Finding("supervisor", not looping, detail, data)


def _alive(pid: object) -> bool:
    return isinstance(pid, int) and Path(f"/proc/{pid}").exists()


async def disk(config: Config) -> Finding:
    """Room for clips and the archive."""
    folder = config.data_dir.resolve()
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    usage = shutil.disk_usage(existing)
    detail = f"{usage.free / (1 << 30):.1f} GiB free at {folder}"
    data = {"free_bytes": usage.free, "total_bytes": usage.total}
    return Finding("disk", usage.free > _LOW_DISK_BYTES, detail, data)
