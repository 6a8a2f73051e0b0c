"""bench watch: CPU per camera-second of watching against decoding alone, in one run.

Both see the same access units of one 720p25 clip on one thread, without the loop filter. The
floor is decoding every picture and looking at none.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2

from monitor.capture.rtsp_server.source import CLOCK_HZ, VideoSource
from monitor.config.models import Camera
from monitor.domain import AccessUnit, CodecParameters
from monitor.media.decode import Decoder
from monitor.scene import render_to
from workers.watching.eye import Eye

LIMIT: Final = 1.5
_ROUNDS: Final = 3
_START_MS: Final = 1_760_000_000_000


def main(json_out: bool = False, video: str | None = None, seconds: float = 30.0) -> int:
    """Measure; 0 if watching costs at most ``LIMIT`` times decoding."""
    result = measure(Path(video) if video else _scene(), seconds)
    if json_out:
        print(json.dumps(result))
    else:
        print(f"clip       {result['clip']}, {result['seconds']:.1f} s")
        print(f"decode     {result['decode_ms_per_s']:.1f} ms of CPU per camera-second (the floor)")
        print(f"watch      {result['watch_ms_per_s']:.1f} ms, decoding included")
        print(f"ratio      {result['ratio']:.2f} (at most {LIMIT})")
    return 0 if result["ratio"] <= LIMIT else 1


def measure(path: Path, seconds: float) -> dict[str, Any]:
    """The best of some rounds of each, taken in turn so that both see the same machine."""
    cv2.setNumThreads(1)
    units, params = read_units(path, seconds)
    span_s = (units[-1].capture_ms - units[0].capture_ms) / 1000
    decode = min(_cpu_s(lambda: _decode(units, params)) for _ in range(1))
    watch = float("inf")
    for _ in range(_ROUNDS):
        decode = min(decode, _cpu_s(lambda: _decode(units, params)))
        watch = min(watch, _cpu_s(lambda: _watch(units, params)))
    return {
        "clip": path.name,
        "seconds": span_s,
        "decode_ms_per_s": 1000 * decode / span_s,
        "watch_ms_per_s": 1000 * watch / span_s,
        "ratio": watch / decode,
        "limit": LIMIT,
    }


def read_units(path: Path, seconds: float) -> tuple[list[AccessUnit], CodecParameters]:
    """The first seconds of a file as access units, starting at an arbitrary wall time."""
    source = VideoSource.from_file(path)
    units = []
    for unit in source.units:
        capture_ms, entry_ms = (
            _START_MS + ticks * 1000 // CLOCK_HZ for ticks in (unit.pts, unit.dts)
        )
        if entry_ms - _START_MS > 1000 * seconds:
            break
        units.append(AccessUnit(entry_ms, capture_ms, unit.is_key, 1, unit.data))
    return units, CodecParameters(source.codec, 0, 0, b"", source.fps, 1)


def _decode(units: Sequence[AccessUnit], params: CodecParameters) -> None:
    decoder = Decoder(params)
    for unit in units:
        decoder.decode(unit)


def _watch(units: Sequence[AccessUnit], params: CodecParameters) -> None:
    eye = Eye(Camera(id="bench", url="rtsp://bench.invalid/"))
    eye.use(params)
    for start in range(0, len(units), 3):
        eye.look(units[start : start + 3], tell_after_ms=0)


def _cpu_s(work: Any) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _scene() -> Path:
    path = Path(tempfile.gettempdir()) / "causeway-bench" / "normal_s0.mp4"
    if not path.exists():
        render_to(path, "normal", 0)
    return path
