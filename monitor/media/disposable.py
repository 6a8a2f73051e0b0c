"""Which access units no other picture refers to: they can be left out without being missed.

Reads NAL unit headers only (ITU-T H.264 7.4.1, nal_ref_idc; H.265 7.4.2.2, sub-layer non-reference
pictures). Cameras that send no B-pictures have none of them.
"""

from __future__ import annotations

from typing import Final

from monitor.domain import VideoCodec

_START: Final = b"\x00\x00\x01"
_H264_SLICES: Final = range(1, 6)
_HEVC_SLICES: Final = range(32)
_HEVC_NON_REFERENCE: Final = range(0, 15, 2)


def is_disposable(data: bytes, codec: VideoCodec) -> bool:
    """Whether an Annex B access unit's picture is no reference for any other."""
    at = data.find(_START)
    while 0 <= at < len(data) - 4:
        header = data[at + 3]
        if codec is VideoCodec.H264:
            if header & 0x1F in _H264_SLICES:
                return header & 0x60 == 0
        elif (kind := header >> 1 & 0x3F) in _HEVC_SLICES:
            # Of the highest temporal layer only: a lower one's may serve a higher one.
            return kind in _HEVC_NON_REFERENCE and data[at + 4] & 0x07 > 1
        at = data.find(_START, at + 3)
    return False
