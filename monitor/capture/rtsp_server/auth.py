"""Basic and Digest authentication of RTSP requests (RFC 2326 D.1, RFC 2617)."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Literal

from monitor.capture.rtsp_server.protocol import Request

REALM = "causeway"
Scheme = Literal["basic", "digest", "both"]
_PAIR = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may watch. The password never shows in a repr."""

    username: str
    password: str
    scheme: Scheme = "both"

    def __repr__(self) -> str:
        return f"Credentials({self.username!r}, ..., {self.scheme!r})"

    def challenge(self, nonce: str) -> tuple[tuple[str, str], ...]:
        """The headers of a 401; the stronger way first."""
        digest = ("WWW-Authenticate", f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5')
        basic = ("WWW-Authenticate", f'Basic realm="{REALM}"')
        return {"digest": (digest,), "basic": (basic,), "both": (digest, basic)}[self.scheme]

    def accept(self, request: Request, nonce: str) -> bool:
        """Whether a request carries them."""
        kind, _, rest = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic" and self.scheme != "digest":
            return self._basic(rest)
        if kind.lower() == "digest" and self.scheme != "basic":
            return self._digest(request, nonce, rest)
        return False

    def _basic(self, text: str) -> bool:
        try:
            given = b64decode(text, validate=True)
        except binascii.Error:
            return False
        return hmac.compare_digest(given, f"{self.username}:{self.password}".encode())

    def _digest(self, request: Request, nonce: str, text: str) -> bool:
        given = {name.lower(): quoted or bare for name, quoted, bare in _PAIR.findall(text)}
        if given.get("username") != self.username or given.get("nonce") != nonce:
            return False
        one = _md5(f"{self.username}:{REALM}:{self.password}")
        two = _md5(f"{request.method}:{given.get('uri', '')}")
        middle = nonce
        if "qop" in given:
            middle += f":{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
        expected = _md5(f"{one}:{middle}:{two}")
        return hmac.compare_digest(expected, given.get("response", ""))


def _md5(text: str) -> str:
    # What the RFC prescribes and cameras use; nothing secret rests on it here.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
