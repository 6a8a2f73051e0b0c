"""A drawn street with long quiet stretches in H.264 or HEVC: what the ladder sleeps through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import av
import numpy as np

from monitor.domain import AccessUnit, CodecParameters, VideoCodec
from monitor.media.decode import Planes
from tests.street import HEIGHT_PX, START_MS, WIDTH_PX

FPS = 20


def encoded(
    pictures: Callable[[float], Planes],
    seconds: float,
    *,
    gop: int = 20,
    fps: int = FPS,
    b_frames: int = 0,
    rate: str = "crf=23",
    codec: VideoCodec = VideoCodec.H264,
) -> tuple[list[AccessUnit], CodecParameters]:
    """Units in decode order; entry times rise, capture times are the pictures'."""
    name = "libx264" if codec is VideoCodec.H264 else "libx265"
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 1000), Fraction(fps)
    encoder.thread_count = 1
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:b-adapt=0"
    params += f":repeat-headers=1:{rate}" + ("" if name == "libx264" else ":log-level=none")
    encoder.options = {"preset": "veryfast", f"{name[3:]}-params": params}
    packets = []
    for index in range(round(seconds * fps)):
        frame = _frame(pictures(index / fps))
        frame.pts, frame.time_base = index * 1000 // fps, Fraction(1, 1000)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    units = []
    for index, packet in enumerate(packets):
        assert packet.pts is not None
        units.append(
            AccessUnit(
                START_MS + index * 1000 // fps, START_MS + packet.pts, packet.is_keyframe, 1,
                bytes(packet),
            )
        )  # fmt: skip
    return units, CodecParameters(codec, WIDTH_PX, HEIGHT_PX, b"", fps, 1)


def _frame(planes: Planes) -> av.VideoFrame:
    frame = av.VideoFrame(WIDTH_PX, HEIGHT_PX, "yuv420p")
    for plane, values in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = values
        plane.update(rows.tobytes())
    return frame


def times(units: Sequence[AccessUnit]) -> list[float]:
    """Capture times in seconds from the start."""
    return [(unit.capture_ms - START_MS) / 1000 for unit in units]
