"""What is played before a clip that begins too shortly before its event.

A camera in the street has watched for days when something happens; a clip may begin one second
before. Where at least ``LOOP_FROM_S`` of pictures lie before the event they are played again and
again; where there is less, the first picture is held, with a live sensor's noise on it so that it
is not taken for a frozen picture. Neither shows anything of the event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import av
import cv2
import numpy as np

from monitor.capture.rtsp_server.source import VideoSource
from monitor.domain import AccessUnit, CodecParameters, VideoCodec
from monitor.errors import MediaError

Mode = Literal["auto", "hold", "loop", "none"]

START_MS: Final = 1_760_000_000_000
"""Capture time of a clip's first picture."""
WANTED_S: Final = 6.0
"""Of video before an event: the trigger's warm-up, and time to learn a little."""
LOOP_FROM_S: Final = 3.0
_CLEAR_S: Final = 1.0  # pictures this close before an event are not shown beforehand
_HOLD_FPS: Final = 25
_NOISE: Final = 1.5  # luma levels, one standard deviation
_GENERATION: Final = 1


@dataclass(frozen=True, slots=True)
class Played:
    """A clip as a ring would hold it, lead-in first."""

    parts: tuple[tuple[CodecParameters, tuple[AccessUnit, ...]], ...]
    lead_in: str
    lead_in_s: float
    end_ms: int


def play(path: Path, first_event_s: float | None, mode: Mode, wanted_s: float = WANTED_S) -> Played:
    """Access units of the clip at ``START_MS`` and of its lead-in before that."""
    units, params = units_of(path)
    end_ms = max(unit.capture_ms for unit in units)
    missing_s = 0.0 if first_event_s is None else wanted_s - first_event_s
    if mode == "none" or missing_s <= 0.0:
        return Played(((params, units),), "none", 0.0, end_ms)
    clear_s = (first_event_s or 0.0) - _CLEAR_S
    if mode == "loop" or (mode == "auto" and clear_s >= LOOP_FROM_S):
        lead, lap_s, laps = _looped(units, clear_s, missing_s)
        if laps:
            told = f"its first {lap_s:.1f} s, {laps} times"
            return Played(((params, lead + units),), told, lap_s * laps, end_ms)
    held_params, held = _held(path, missing_s, params)
    return Played(
        ((held_params, held), (params, units)), "its first picture, held", missing_s, end_ms
    )


def units_of(path: Path) -> tuple[tuple[AccessUnit, ...], CodecParameters]:
    """The clip's access units, its first picture at ``START_MS``."""
    source = VideoSource.from_file(path)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        size = video.width, video.height
    first = min(unit.pts for unit in source.units)
    units: list[AccessUnit] = []
    for unit in source.units:
        entry_ms = START_MS + (unit.dts - first) // 90
        if units and entry_ms <= units[-1].entry_ms:
            entry_ms = units[-1].entry_ms + 1
        capture_ms = START_MS + (unit.pts - first) // 90
        units.append(AccessUnit(entry_ms, capture_ms, unit.is_key, _GENERATION + 1, unit.data))
    params = CodecParameters(source.codec, *size, b"", source.fps, _GENERATION + 1)
    return tuple(units), params


def _looped(
    units: tuple[AccessUnit, ...], clear_s: float, missing_s: float
) -> tuple[tuple[AccessUnit, ...], float, int]:
    """Whole rounds of the pictures up to ``clear_s``; none where they cannot be cut off."""
    limit_ms = START_MS + round(clear_s * 1000)
    count = next((n for n, unit in enumerate(units) if unit.capture_ms >= limit_ms), len(units))
    lap = units[:count]
    later = {unit.capture_ms for unit in units[count:]}
    if len(lap) < 2 or any(ms < max(u.capture_ms for u in lap) for ms in later):
        return (), 0.0, 0  # B-frames across the cut
    times = sorted(unit.capture_ms for unit in lap)
    lap_ms = times[-1] - times[0] + round((times[-1] - times[0]) / (len(times) - 1))
    laps = max(1, -(-round(missing_s * 1000) // lap_ms))
    lead = [
        replace(unit, entry_ms=unit.entry_ms - back, capture_ms=unit.capture_ms - back)
        for back in range(laps * lap_ms, 0, -lap_ms)
        for unit in lap
    ]
    return tuple(lead), lap_ms / 1000, laps


def _held(
    path: Path, seconds: float, params: CodecParameters
) -> tuple[CodecParameters, tuple[AccessUnit, ...]]:
    """The clip's first picture again and again, encoded anew."""
    picture = _first_picture(path)
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, _HOLD_FPS), Fraction(_HOLD_FPS)
    encoder.thread_count = 1
    encoder.options = {
        "preset": "ultrafast", "crf": "18", "x264-params": "bframes=0:repeat-headers=1:keyint=50",
    }  # fmt: skip
    noise = np.random.default_rng(7)
    grain = noise.normal(0.0, _NOISE, (8, *picture.shape)).astype(np.int8)
    packets: list[av.Packet[av.VideoStream]] = []
    count = max(1, round(seconds * _HOLD_FPS))
    for number in range(count):
        noisy = cv2.add(picture, grain[number % len(grain)], dtype=cv2.CV_8U)
        frame = av.VideoFrame.from_ndarray(np.asarray(noisy, np.uint8), format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    step_ms = 1000 // _HOLD_FPS
    units = tuple(
        AccessUnit(at_ms, at_ms, packet.is_keyframe, _GENERATION, bytes(packet))
        for number, packet in enumerate(packets)
        for at_ms in [START_MS - (count - number) * step_ms]
    )
    return CodecParameters(
        VideoCodec.H264, width, height, b"", float(_HOLD_FPS), _GENERATION
    ), units


def _first_picture(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Luma and chroma as one array of yuv420p rows; odd sizes lose a row or column."""
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                even = frame.width // 2 * 2, frame.height // 2 * 2
                return np.asarray(
                    frame.reformat(*even, format="yuv420p").to_ndarray(), np.uint8
                ).copy()
    except (OSError, av.FFmpegError) as error:
        raise MediaError(f"cannot read {path.name}: {error}") from error
    raise MediaError(f"{path.name} has no picture")
