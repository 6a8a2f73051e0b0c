"""Where a configuration's servers and files are, with embedded defaults filled in.

Every process works these out from streams.yaml alone, so nothing is passed between them.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from monitor.config.asking import ModelEndpoint, Query
from monitor.config.models import Config

_SOCKET_PATH_MAX = 100  # sun_path holds 108 bytes on Linux


def run_dir(config: Config) -> Path:
    """The folder of sockets and pid files; in the system's temporary folder if data_dir is deep."""
    wanted = config.data_dir.resolve() / "run"
    if len(str(wanted / "redis.sock").encode()) <= _SOCKET_PATH_MAX:
        return wanted
    digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"causeway-{digest}"


def redis_url(config: Config) -> str:
    """The address of Redis: the configured one, or the embedded server's unix socket."""
    if config.redis.url is not None:
        return config.redis.url.get_secret_value()
    return f"unix://{run_dir(config) / 'redis.sock'}"


def mqtt_address(config: Config) -> tuple[str, int]:
    """Host and port of the broker: the configured one, or the embedded broker's."""
    if config.mqtt.host is not None:
        return config.mqtt.host, config.mqtt.port
    return "127.0.0.1", config.mqtt.embedded_port


def archive_url(config: Config) -> str:
    """The SQLAlchemy address of the archive, with an async driver."""
    if config.archive.url is None:
        return f"sqlite+aiosqlite:///{config.data_dir.resolve() / 'archive.db'}"
    url = config.archive.url.get_secret_value()
    for plain, driver in (
        ("postgresql://", "postgresql+psycopg://"),
        ("sqlite:///", "sqlite+aiosqlite:///"),
    ):
        if url.startswith(plain):
            return driver + url[len(plain) :]
    return url


def media_dir(config: Config) -> Path:
    """The folder of clips, snapshots and frames."""
    return config.data_dir.resolve() / "media"


def model_endpoints(query: Query) -> tuple[ModelEndpoint, ...]:
    """Every server of models: ``query.endpoint`` first, then ``query.endpoints``; models named."""
    found = list(query.endpoints)
    if query.endpoint is not None:
        found.insert(0, ModelEndpoint(url=query.endpoint, api_key=query.api_key))
    return tuple(
        endpoint.model_copy(update={"model": endpoint.model or query.model}) for endpoint in found
    )
