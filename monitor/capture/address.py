"""A camera's address: what of it may be shown, and FFmpeg's texts without its password."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

_USERINFO: Final = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#\s]*@")
_HIDDEN: Final = "***"


def shown(url: str) -> str:
    """The address without user name, password and query, for logs and people."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return "an address that is none"
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{port}{parts.path}"


def scrub(text: str, url: str) -> str:
    """A library's text about this address with every secret of it hidden.

    Secrets are the user name, the password and the query (some cameras take the password
    there), as they stand in the address and percent-decoded.
    """
    try:
        parts = urlsplit(url)
        named = [parts.password, parts.username, parts.query]
    except ValueError:
        named = [url]
    secrets = {form for secret in named if secret for form in (secret, unquote(secret))}
    text = _USERINFO.sub(
        lambda match: f"{match['scheme']}{_HIDDEN}@", text.replace(url, shown(url))
    )
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text
