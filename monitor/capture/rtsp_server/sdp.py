"""The session description a camera answers DESCRIBE with (RFC 4566, RFC 6184 8.2, RFC 7798 7.1)."""

from __future__ import annotations

from base64 import b64encode

from monitor.capture import annexb
from monitor.capture.rtsp_server.packetiser import PAYLOAD_TYPE
from monitor.capture.rtsp_server.source import CLOCK_HZ, VideoSource
from monitor.domain import VideoCodec

TRACK = "trackID=0"


def describe(source: VideoSource, name: str) -> str:
    """The description of one video track."""
    encoding = "H264" if source.codec is VideoCodec.H264 else "H265"
    lines = [
        "v=0", "o=- 0 0 IN IP4 127.0.0.1", f"s={name}", "c=IN IP4 0.0.0.0", "t=0 0",
        "a=control:*", f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {encoding}/{CLOCK_HZ}",
        f"a=fmtp:{PAYLOAD_TYPE} {_format(source)}",
    ]  # fmt: skip
    if source.fps:
        lines.append(f"a=framerate:{source.fps:g}")
    lines.append(f"a=control:{TRACK}")
    return "\r\n".join(lines) + "\r\n"


def _format(source: VideoSource) -> str:
    sets: dict[int, list[str]] = {}
    for nal in source.parameter_sets.nal_units:
        kind = annexb.nal_type(nal, source.codec)
        sets.setdefault(kind, []).append(b64encode(nal).decode())
    if source.codec is VideoCodec.H264:
        sps = source.parameter_sets.sps()
        assert sps is not None  # a source's parameter sets are complete
        both = ",".join([*sets[annexb.H264_SPS], *sets[annexb.H264_PPS]])
        return (
            f"packetization-mode=1; profile-level-id={sps[1:4].hex().upper()}; "
            f"sprop-parameter-sets={both}"
        )
    return "; ".join(
        f"sprop-{name}={','.join(sets[kind])}"
        for name, kind in (
            ("vps", annexb.HEVC_VPS), ("sps", annexb.HEVC_SPS), ("pps", annexb.HEVC_PPS),
        )
    )  # fmt: skip
