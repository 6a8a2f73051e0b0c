"""The browser's offer, made fit for aiortc."""

from __future__ import annotations

_NEEDED = ("m=video ", "a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:")


def without_mdns(sdp: str) -> str:
    """Drop ``.local`` candidates: each would cost a second of waiting for an mDNS answer.

    The browser still reaches us: it connects to the candidates in our answer, and its address is
    learnt from there.
    """
    kept = [line for line in sdp.splitlines() if not _is_mdns(line)]
    return "\r\n".join(kept) + "\r\n"


def is_offer(sdp: str) -> bool:
    """Whether it has what a connection for video needs; aiortc does not ask for all of it."""
    return all(f"\n{needed}" in sdp for needed in _NEEDED)


def offers_h264(sdp: str) -> bool:
    """Whether the browser can take H.264 at all."""
    return any(
        line.startswith("a=rtpmap:") and " h264/" in line.lower() for line in sdp.splitlines()
    )


def _is_mdns(line: str) -> bool:
    if not line.startswith("a=candidate:"):
        return False
    fields = line.split()
    return len(fields) > 4 and fields[4].endswith(".local")
