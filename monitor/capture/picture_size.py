"""Width and height from a sequence parameter set, so that ingest never has to decode.

ITU-T H.264 7.3.2.1.1 and H.265 7.3.2.2; with the probing that opens a camera at once, FFmpeg
does not know the size yet.
"""

from __future__ import annotations

from typing import Final

from monitor.domain import VideoCodec

_H264_WITH_CHROMA: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_MAX_PX: Final = 16384


def picture_size(sps: bytes, codec: VideoCodec) -> tuple[int, int] | None:
    """Cropped width and height in pixels; None where the parameter set is broken."""
    try:
        size = _h264(sps) if codec is VideoCodec.H264 else _hevc(sps)
    except EOFError:
        return None
    return size if all(0 < side <= _MAX_PX for side in size) else None


class _Bits:
    """Reads a raw byte sequence payload bit by bit."""

    def __init__(self, payload: bytes) -> None:
        # Emulation prevention bytes (7.4.1) are no part of the payload.
        clean = payload.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(clean, "big")
        self._left = len(clean) * 8

    def u(self, count: int) -> int:
        """An unsigned number of ``count`` bits."""
        if count > self._left:
            raise EOFError
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def ue(self) -> int:
        """Unsigned Exp-Golomb (9.1)."""
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
            if zeros > 32:
                raise EOFError
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Signed Exp-Golomb (9.1.1)."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _h264(sps: bytes) -> tuple[int, int]:
    bits = _Bits(sps[1:])
    profile = bits.u(8)
    bits.u(16)  # constraint flags and level
    bits.ue()
    chroma = 1
    if profile in _H264_WITH_CHROMA:
        chroma = bits.ue()
        if chroma == 3 and bits.u(1):  # separate planes: each is coded as monochrome
            chroma = 0
        bits.ue()
        bits.ue()
        bits.u(1)
        if bits.u(1):
            for index in range(8 if chroma != 3 else 12):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.ue()
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u(1)
        bits.se()
        bits.se()
        for _ in range(bits.ue()):
            bits.se()
    bits.ue()
    bits.u(1)
    width = 16 * (bits.ue() + 1)
    map_units = bits.ue() + 1
    frames_only = bits.u(1)
    height = 16 * map_units * (2 - frames_only)
    if not frames_only:
        bits.u(1)
    bits.u(1)
    if bits.u(1):
        crop_x = 1 if chroma in (0, 3) else 2
        crop_y = (2 if chroma == 1 else 1) * (2 - frames_only)
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= crop_x * (left + right)
        height -= crop_y * (top + bottom)
    return width, height


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _hevc(sps: bytes) -> tuple[int, int]:
    bits = _Bits(sps[2:])
    bits.u(4)
    layers = bits.u(3)
    bits.u(1)
    bits.u(88)  # general profile and tier
    bits.u(8)  # general level
    present = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    if layers:
        bits.u(2 * (8 - layers))
    for profile, level in present:
        bits.u(88 * profile + 8 * level)
    bits.ue()
    chroma = bits.ue()
    if chroma == 3 and bits.u(1):
        chroma = 0
    width = bits.ue()
    height = bits.ue()
    if bits.u(1):
        crop_x = 2 if chroma in (1, 2) else 1
        crop_y = 2 if chroma == 1 else 1
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= crop_x * (left + right)
        height -= crop_y * (top + bottom)
    return width, height
