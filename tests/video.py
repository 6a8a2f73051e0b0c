"""Small encoded videos made in the test: each picture carries its number as bars."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import av
import cv2
import numpy as np
import numpy.typing as npt

from monitor.domain import AccessUnit, CodecParameters, VideoCodec

START_MS = 1_760_000_000_000
_BITS = 10
_NAL_START = b"\x00\x00\x00\x01"


def picture(number: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """A grey ramp with ``number`` in binary across the upper half."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = np.linspace(60, 180, width, dtype=np.uint8)[None, :, None]
    for bit in range(_BITS):
        left, right = width * bit // _BITS, width * (bit + 1) // _BITS
        image[: height // 2, left:right] = 235 if number >> bit & 1 else 20
    return image


def number_in(image: npt.NDArray[np.uint8]) -> int:
    """The number a picture carries."""
    height, width = image.shape[:2]
    row = image[height // 4]
    bars = [row[int(width * (bit + 0.5) / _BITS)].mean() > 128 for bit in range(_BITS)]
    return sum(1 << bit for bit, bright in enumerate(bars) if bright)


def number_in_jpeg(jpeg: bytes) -> int:
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return number_in(np.asarray(decoded, np.uint8))


def encode(
    times_ms: Sequence[int],
    *,
    codec: VideoCodec = VideoCodec.H264,
    width: int = 320,
    height: int = 192,
    gop: int = 10,
    b_frames: int = 0,
    generation: int = 1,
    open_gop: bool = False,
) -> tuple[list[AccessUnit], CodecParameters]:
    """Access units in decode order whose n-th picture (by time) carries the number n."""
    name = "libx264" if codec is VideoCodec.H264 else "libx265"
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:repeat-headers=1"
    params += f":open-gop={int(open_gop)}"
    if codec is VideoCodec.HEVC:
        params += ":log-level=none"
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 1000), Fraction(25)
    encoder.thread_count = 1
    encoder.options = {
        "preset": "ultrafast",
        "x264-params" if codec is VideoCodec.H264 else "x265-params": params,
    }
    packets: list[av.Packet[av.VideoStream]] = []
    for number, time_ms in enumerate(times_ms):
        frame = av.VideoFrame.from_ndarray(picture(number, width, height), format="bgr24")
        frame.pts, frame.time_base = time_ms - times_ms[0], Fraction(1, 1000)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decode_order = sorted(times_ms)
    units = []
    for index, packet in enumerate(packets):
        assert packet.pts is not None
        capture_ms = packet.pts + times_ms[0]
        entry_ms = min(decode_order[index], capture_ms) if not b_frames else decode_order[index]
        units.append(
            AccessUnit(entry_ms, capture_ms, packet.is_keyframe, generation, bytes(packet))
        )
    return units, CodecParameters(codec, width, height, b"", 25.0, generation)


def even(count: int, interval_ms: int = 40, start_ms: int = START_MS) -> list[int]:
    """Capture times of a camera with a steady rate."""
    return [start_ms + index * interval_ms for index in range(count)]


def samples_of(path: object) -> list[tuple[float, int]]:
    """(time in ms, number in the picture) of every picture of a file, as FFmpeg reads it."""
    with av.open(str(path)) as container:
        return [
            (float(frame.time) * 1000, number_in(np.asarray(frame.to_ndarray(format="bgr24"))))
            for frame in container.decode(video=0)
        ]


def without_parameter_sets(data: bytes) -> tuple[bytes, bytes]:
    """(parameter sets, the rest) of an H.264 access unit in Annex B."""
    sets, rest = io.BytesIO(), io.BytesIO()
    for nal in data.replace(_NAL_START, b"\x00\x00\x01").split(b"\x00\x00\x01")[1:]:
        (sets if nal[0] & 0x1F in (7, 8) else rest).write(_NAL_START + nal)
    return sets.getvalue(), rest.getvalue()
