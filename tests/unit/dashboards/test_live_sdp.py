from __future__ import annotations

from dashboards.live.sdp import offers_h264, without_mdns

OFFER = "\r\n".join([
    "v=0",
    "m=video 9 UDP/TLS/RTP/SAVPF 102",
    "a=rtpmap:102 H264/90000",
    "a=candidate:1 1 udp 2113937151 6a1c.local 51000 typ host",
    "a=candidate:2 1 udp 2113937150 192.168.1.7 51001 typ host",
    "a=fingerprint:sha-256 AA:BB.local",
    "",
])  # fmt: skip


def test_only_mdns_candidates_go() -> None:
    kept = without_mdns(OFFER)
    assert "6a1c.local" not in kept
    assert "192.168.1.7" in kept
    assert "fingerprint:sha-256 AA:BB.local" in kept
    assert kept.endswith("\r\n")


def test_whether_the_browser_can_take_h264() -> None:
    assert offers_h264(OFFER)
    assert not offers_h264(OFFER.replace("H264", "VP8"))
