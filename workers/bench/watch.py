"""bench watch: what watching costs against decoding alone, in one run on one thread.

Busy: a rendered 720p25 intersection with traffic. Quiet: the same with nobody in it, after the
first seconds in which any camera is awake; signals: with its traffic lights changing. All against
decoding every picture of the same access units and looking at none, without the loop filter
(``plain`` is with it, as a player decodes). A picture: the trigger's step and what makes its
planes, for every picture looked at of the busy scene rendered at 480x270, beside one picture's
decoding at 720p. Memory: resident, of a process that watches more and more cameras.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import av
import cv2

from monitor.capture.rtsp_server.source import CLOCK_HZ, VideoSource
from monitor.config.models import Camera
from monitor.domain import AccessUnit, CodecParameters
from monitor.media.decode import Decoder, planes
from monitor.scene import render_to
from monitor.trigger import WIDTH_PX, CameraTrigger
from workers.bench._quiet_video import render_quiet
from workers.watching.eye import Eye

LIMIT: Final = 1.5
QUIET_LIMIT: Final = 0.3
PICTURE_LIMIT_MS: Final = 4.5
MEMORY_LIMIT_MB: Final = 60.0
_ROUNDS: Final = 3
_QUIET_S: Final = 40.0
_AWAKE_S: Final = 14.0  # at the start; not counted for a quiet camera
_MEMORY_S: Final = 12.0
_SMALL: Final = (480, 270)
_START_MS: Final = 1_760_000_000_000
_CAMERA: Final = Camera(id="bench", url="rtsp://bench.invalid/")


def main(
    json_out: bool = False, video: str | None = None, seconds: float = 30.0, only: str = ""
) -> int:
    """Measure; 0 if every limit is kept.

    ``video`` takes the place of the busy scene; ``only``: busy, quiet, signals, picture or memory.
    """
    cv2.setNumThreads(1)
    busy_path = Path(video) if video else _scene("normal_s0", (1280, 720))
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "busy": lambda: measure(busy_path, seconds),
        "quiet": lambda: measure(_quiet(), _QUIET_S, after_s=_AWAKE_S, limit=QUIET_LIMIT),
        "signals": lambda: measure(_quiet(signals=True), _QUIET_S, after_s=_AWAKE_S, limit=None),
        "picture": lambda: measure_picture(_scene("normal_small", _SMALL), busy_path, seconds),
        "memory": lambda: measure_memory(busy_path),
    }
    result = {name: part() for name, part in parts.items() if only in ("", name)}
    if json_out:
        print(json.dumps(result))
    else:
        for name, part in result.items():
            _print(name, part)
    return 0 if all(part["kept"] for part in result.values()) else 1


def measure(
    path: Path, seconds: float, *, after_s: float = 0.0, limit: float | None = LIMIT
) -> dict[str, Any]:
    """The best of some rounds of each, taken in turn so that both see the same machine."""
    units, params = read_units(path, seconds)
    first = next(n for n, u in enumerate(units) if u.is_key and _since_s(units, u) >= after_s)
    span_s = (units[-1].capture_ms - units[first].capture_ms) / 1000
    decode = plain = watch = float("inf")
    looked_at = 0
    for _ in range(_ROUNDS):
        decode = min(decode, _cpu_s(lambda: _decode(units[first:], params)))
        plain = min(plain, _cpu_s(lambda: _decode_plainly(units[first:], params)))
        eye = Eye(_CAMERA)
        eye.use(params)
        _watch(eye, units[:first])
        before = time.process_time()
        looked_at = _watch(eye, units[first:])
        watch = min(watch, time.process_time() - before)
    return {
        "clip": path.name,
        "seconds": span_s,
        "pictures_per_s": looked_at / span_s,
        "decode_ms_per_s": 1000 * decode / span_s,
        "plain_decode_ms_per_s": 1000 * plain / span_s,
        "watch_ms_per_s": 1000 * watch / span_s,
        "ratio": watch / decode,
        "ratio_to_plain": watch / plain,
        "limit": limit,
        "kept": limit is None or watch <= limit * decode,
    }


def measure_picture(small: Path, large: Path, seconds: float) -> dict[str, Any]:
    """CPU of every picture looked at, resizing included, and of decoding one at full size."""
    units, params = read_units(small, seconds)
    per_picture = float("inf")
    for _ in range(_ROUNDS):
        trigger, decoder = CameraTrigger(_CAMERA), Decoder(params)
        spent, looked_at = 0.0, 0
        for unit in units:
            for frame in decoder.decode(unit):
                if trigger.wants(frame.capture_ms):
                    before = time.process_time()
                    trigger.step(frame.capture_ms, planes(frame.frame, WIDTH_PX))
                    spent += time.process_time() - before
                    looked_at += 1
        per_picture = min(per_picture, 1000 * spent / looked_at)
    whole, its_params = read_units(large, min(seconds, 10.0))
    decode = min(_cpu_s(lambda: _decode(whole, its_params)) for _ in range(_ROUNDS))
    one_ms = 1000 * decode / len(whole)
    return {
        "size": list(_SMALL),
        "ms": per_picture,
        "decode_720p_ms": one_ms,
        "ratio": per_picture / one_ms,
        "limit_ms": PICTURE_LIMIT_MS,
        "kept": per_picture <= PICTURE_LIMIT_MS,
    }


def measure_memory(path: Path) -> dict[str, Any]:
    """Resident memory by the number of cameras, from a fresh process."""
    command = [sys.executable, "-m", "workers.bench._watch_memory", str(path), str(_MEMORY_S)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result | {
        "limit_mb": MEMORY_LIMIT_MB,
        "kept": result["mb_per_camera"] + max(0.0, result["grown_mb"]) <= MEMORY_LIMIT_MB,
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


def _decode_plainly(units: Sequence[AccessUnit], params: CodecParameters) -> None:
    context: Any = av.CodecContext.create(params.codec.value, "r")
    context.thread_count = 1
    for unit in units:
        context.decode(av.Packet(unit.data))


def _watch(eye: Eye, units: Sequence[AccessUnit]) -> int:
    looked_at = 0
    for start in range(0, len(units), 3):
        looked_at += eye.look(units[start : start + 3], tell_after_ms=0).looked_at
    return looked_at


def _since_s(units: Sequence[AccessUnit], unit: AccessUnit) -> float:
    return (unit.capture_ms - units[0].capture_ms) / 1000


def _cpu_s(work: Callable[[], None]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _print(name: str, part: dict[str, Any]) -> None:
    kept = "kept" if part["kept"] else "NOT KEPT"
    if name == "memory":
        by = ", ".join(f"{n}: {mb:.0f}" for n, mb in part["mb_by_cameras"].items())
        print(
            f"memory   {part['mb_per_camera']:.1f} MB per camera (MB by cameras {by}; nothing yet: "
            f"{part['base_mb']:.0f}), {part['grown_mb']:+.1f} MB in twice the time again; "
            f"at most {part['limit_mb']:.0f}: {kept}"
        )
    elif name == "picture":
        print(
            f"picture  {part['ms']:.2f} ms all in at {part['size'][0]}x{part['size'][1]}, at most "
            f"{part['limit_ms']}: {kept}; {part['ratio']:.2f} times decoding one at 720p "
            f"({part['decode_720p_ms']:.2f} ms)"
        )
    else:
        limit = "no limit" if part["limit"] is None else f"at most {part['limit']}: {kept}"
        print(
            f"{name:8} {part['ratio']:.2f} times decoding, "
            f"{limit}; "
            f"{part['watch_ms_per_s']:.1f} against {part['decode_ms_per_s']:.1f} ms of CPU per "
            f"camera-second ({part['plain_decode_ms_per_s']:.1f} with the loop filter: "
            f"{part['ratio_to_plain']:.2f}); {part['pictures_per_s']:.1f} pictures a second "
            f"looked at; {part['clip']}, {part['seconds']:.0f} s"
        )


def _scene(name: str, size: tuple[int, int]) -> Path:
    path = _folder() / f"{name}.mp4"
    if not path.exists():
        render_to(path, "normal", 0, size)
    return path


def _quiet(*, signals: bool = False) -> Path:
    path = _folder() / ("quiet_signals.mp4" if signals else "quiet.mp4")
    if not path.exists():
        render_quiet(path, _QUIET_S, signals=signals)
    return path


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / "causeway-bench"
