"""Which texts of a configuration must never be shown, and the configuration without them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, SecretStr

from monitor.config.models import Config

HIDDEN = "***"


def secret_values(config: Config) -> frozenset[str]:
    """Passwords and keys, plain and percent-encoded, and every address that holds one."""
    found: set[str] = set()
    for text in _secret_strings(config):
        if "://" not in text:
            found |= {text, quote(text, safe="")}
            continue
        parts = urlsplit(text)
        if parts.password:
            plain = unquote(parts.password)
            found |= {text, parts.password, plain, quote(plain, safe="")}
    return frozenset(secret for secret in found if secret)


def redacted(config: Config) -> dict[str, Any]:
    """The configuration as plain values; of an address only what names the server is left."""
    result: dict[str, Any] = _redacted(config)
    return result


def redacted_address(url: str) -> str:
    """``rtsp://user:pw@host:554/path?key=x`` as ``rtsp://***@host:554/path``."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return HIDDEN
    if not parts.scheme or (not host and not parts.path):
        return HIDDEN
    user = f"{HIDDEN}@" if "@" in parts.netloc else ""
    query = f"?{HIDDEN}" if parts.query else ""
    path = HIDDEN if "=" in parts.path or "@" in parts.path else parts.path
    return f"{parts.scheme}://{user}{host}{path}{query}"


def _secret_strings(value: Any) -> list[str]:
    if isinstance(value, SecretStr):
        return [value.get_secret_value()]
    if isinstance(value, BaseModel):
        return [
            s for name in type(value).model_fields for s in _secret_strings(getattr(value, name))
        ]
    if isinstance(value, tuple):
        return [s for item in value for s in _secret_strings(item)]
    return []


def _redacted(value: Any) -> Any:
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return redacted_address(text) if "://" in text else HIDDEN
    if isinstance(value, BaseModel):
        return {name: _redacted(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, tuple):
        return [_redacted(item) for item in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)
