"""Video that costs next to nothing to decode, for benches that are not about pictures."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import av
import numpy as np
from redis.asyncio import Redis

from monitor.buffer.cameras import CameraStore
from monitor.buffer.ring import RingWriter
from monitor.domain import AccessUnit, CodecParameters, VideoCodec

START_MS: Final = 1_760_000_000_000
WIDTH_PX: Final = 192
_HEIGHT_PX: Final = 128
_SECONDS: Final = 34
_FPS: Final = 5


async def fill_rings(redis: Redis, cameras: Sequence[str]) -> None:
    """The same 34 s for each camera, watched to their end."""
    units, params = _video()
    for camera in cameras:
        writer = RingWriter(redis, camera, 3600)
        await writer.put_codec(params)
        await writer.append(units)
        await CameraStore(redis).put_cursor(camera, units[-1].entry_ms)


def _video() -> tuple[list[AccessUnit], CodecParameters]:
    width, height = WIDTH_PX, _HEIGHT_PX
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, _FPS), Fraction(_FPS)
    keys = f"keyint={2 * _FPS}:min-keyint={2 * _FPS}:scenecut=0:bframes=0:repeat-headers=1"
    encoder.options = {"preset": "ultrafast", "x264-params": keys}
    packets: list[av.Packet[av.VideoStream]] = []
    for number in range(_SECONDS * _FPS):
        image = np.full((height * 3 // 2, width), 90 + number % 80, np.uint8)
        frame = av.VideoFrame.from_ndarray(image, format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    units = [
        AccessUnit(at_ms, at_ms, packet.is_keyframe, 1, bytes(packet))
        for number, packet in enumerate(packets)
        for at_ms in [START_MS + number * 1000 // _FPS]
    ]
    return units, CodecParameters(VideoCodec.H264, width, height, b"", float(_FPS), 1)
