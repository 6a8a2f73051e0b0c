"""``causeway bench window``: a 28 s window from the ring to a request that is ready to be sent.

Floor: decoding the GOPs the window needs, whole, on all cores, and nothing else. Both are timed in
turn, several times, in one run; medians are compared. The clip's remux is timed beside them.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from monitor.buffer.connection import connect
from monitor.buffer.embedded import EmbeddedRedis
from monitor.buffer.ring import RingReader, RingWriter
from monitor.capture.rtsp_server.source import VideoSource
from monitor.config.asking import Query
from monitor.domain import (
    AccessUnit,
    CodecParameters,
    EvidenceKind,
    Incident,
    Severity,
    Trigger,
    VideoCodec,
)
from monitor.media.clip import remux
from monitor.media.stills import model_size
from monitor.media.window import decode_at
from monitor.query.limits import limits
from monitor.query.prompting import answer_schema, load_prompt, user_text
from monitor.query.question import Question, budget, request_body, shots
from monitor.query.sampling import Pair, plan
from workers.analysis.footage import Footage, nominal_window, read_footage
from workers.analysis.media import frame_times_s, important_times_ms

SECONDS: Final = 36
FPS: Final = 25
SIZE: Final = (1280, 720)
GOP: Final = 50
BITRATE_BPS: Final = 3_000_000
MAX_RATIO: Final = 1.3
MAX_REMUX_MS: Final = 100.0
_START_MS: Final = 1_760_000_000_000
_CAMERA: Final = "bench"
_QUERY: Final = Query()
_LIMITS: Final = limits(_QUERY.context_length, "standard")


def main(json_out: bool = False, repeat: int = 5, video: str = "") -> int:
    """Print the figures with their floor; 0 if both limits are kept.

    ``video``: a file to take the camera's pictures from, in a loop, instead of a made one.
    """
    units, params = _played(video) if video else _made()
    figures = asyncio.run(_measure(units, params, repeat))
    if json_out:
        print(json.dumps(figures))
    else:
        print(
            f"window {figures['window_s']:.0f} s, {figures['pairs']} pairs, "
            f"{params.width}x{params.height} at {params.fps:.0f} fps, "
            f"{figures['mbit_s']:.1f} Mbit/s, {figures['cores']} cores, "
            f"median of {repeat}\n"
            f"ring to ready request  {figures['ready_ms']:8.0f} ms\n"
            f"floor: decode the GOPs {figures['floor_ms']:8.0f} ms\n"
            f"ratio                  {figures['ratio']:8.2f}    at most {MAX_RATIO}\n"
            f"clip remux             {figures['remux_ms']:8.1f} ms at most {MAX_REMUX_MS:.0f}\n"
            f"request                {figures['request_bytes'] / 1e6:8.2f} MB"
        )
    return 0 if figures["kept"] else 1


async def _measure(units: list[AccessUnit], params: CodecParameters, repeat: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder:
        async with EmbeddedRedis(Path(folder) / "redis.sock", Path(folder)) as server:
            redis = connect(server.url)
            try:
                writer = RingWriter(redis, _CAMERA, 3600)
                await writer.put_codec(params)
                for first in range(0, len(units), GOP):
                    await writer.append(units[first : first + GOP])
                ring = RingReader(redis, _CAMERA)
                return await _repeat(ring, Path(folder) / "clip.mp4", repeat)
            finally:
                await redis.aclose()


async def _repeat(ring: RingReader, clip: Path, repeat: int) -> dict[str, Any]:
    ready_ms, floor_ms, remux_ms = [], [], []
    body, footage, pairs = await _ready_request(ring)  # once to warm up
    for _ in range(repeat):
        started = time.perf_counter()
        body, footage, pairs = await _ready_request(ring)
        ready_ms.append((time.perf_counter() - started) * 1000)
        floor_ms.append(_timed_ms(partial(_decode_gops, footage, pairs)))
        remux_ms.append(_timed_ms(partial(remux, footage.units, footage.params, clip)))
    ready, floor = statistics.median(ready_ms), statistics.median(floor_ms)
    duration_s = (footage.window.end_ms - footage.window.start_ms) / 1000
    figures: dict[str, Any] = {
        "window_s": duration_s,
        "pairs": len(pairs),
        "cores": os.cpu_count(),
        "mbit_s": sum(len(unit.data) for unit in footage.units) * 8e-6 / duration_s,
        "ready_ms": ready,
        "floor_ms": floor,
        "ratio": ready / floor,
        "remux_ms": statistics.median(remux_ms),
        "request_bytes": len(body),
    }
    figures["kept"] = figures["ratio"] <= MAX_RATIO and figures["remux_ms"] < MAX_REMUX_MS
    return figures


async def _ready_request(ring: RingReader) -> tuple[bytes, Footage, list[Pair]]:
    incident = _incident()
    footage = await read_footage(incident, _QUERY, ring)
    window, params = footage.window, footage.params
    size = model_size(params.width, params.height, _QUERY.frame_width)
    room = budget(
        size, frames_as="video", max_frames=_LIMITS.max_frames,
        context_length=_LIMITS.context_length, max_output_tokens=_LIMITS.max_output_tokens,
    )  # fmt: skip
    important = [window.t_s(ms) for ms in important_times_ms(incident, ())]
    pairs = plan(window, important, frame_times_s(footage), room)
    times = [window.start_ms + ms for pair in pairs for ms in (pair.first_ms, pair.second_ms)]
    stills = decode_at(footage.units, params, times, _QUERY.frame_width, os.cpu_count() or 1)
    prompt = load_prompt("incident", "en")
    question = Question(
        system=prompt.system,
        user=user_text(
            prompt, window=window, peak_ms=incident.peak_ms, evidence=(), rules=(), lang="en",
            traffic_side="right",
        ),
        shots=shots(pairs, stills, window),
        schema=answer_schema((), thinking=False),
        thinking=False,
        max_output_tokens=_LIMITS.max_output_tokens,
        max_visual_tokens=room.max_visual_tokens,
    )  # fmt: skip
    request = request_body(question, _QUERY.model, "video")
    request |= request.pop("extra_body")
    return json.dumps(request).encode(), footage, pairs


def _decode_gops(footage: Footage, pairs: Sequence[Pair]) -> int:
    """Decode every GOP that holds a wanted picture, one decoder each, all cores; the pictures."""
    start_ms = footage.window.start_ms
    wanted = {start_ms + ms for pair in pairs for ms in (pair.first_ms, pair.second_ms)}
    gops: list[list[AccessUnit]] = []
    for unit in footage.units:
        if unit.is_key:
            gops.append([])
        gops[-1].append(unit)
    needed = [gop for gop in gops if any(unit.capture_ms in wanted for unit in gop)]

    def decode(gop: list[AccessUnit]) -> int:
        context: Any = av.CodecContext.create(footage.params.codec.value, "r")
        context.thread_count = 1
        packets: list[av.Packet[Any] | None] = [av.Packet(unit.data) for unit in gop]
        return sum(len(context.decode(packet)) for packet in [*packets, None])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(decode, needed))


def _timed_ms(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def _incident() -> Incident:
    """One whose window is 28 s long and begins at a key picture."""
    peak_ms = _START_MS + 4000 + round(_QUERY.pre_roll_s * 1000)
    trigger = Trigger(EvidenceKind.CONTACT, peak_ms, peak_ms, 2.0, "bench")
    incident = Incident(
        "bench", _CAMERA, Severity.HIGH, peak_ms - 1000, peak_ms, peak_ms, (trigger,)
    )
    window = nominal_window(incident, _QUERY)
    assert window.end_ms - window.start_ms == 28_000
    return incident


def _made() -> tuple[list[AccessUnit], CodecParameters]:
    """A textured scene panned over with noise: as costly to decode as a busy crossing."""
    width, height = SIZE
    rng = np.random.default_rng(7)
    ground = rng.integers(40, 200, (height // 8 + 64, width // 8 + 200), np.uint8)
    ground = ground.repeat(8, 0).repeat(8, 1)
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = BITRATE_BPS
    encoder.options = {
        "preset": "veryfast",
        "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0:repeat-headers=1",
    }
    packets: list[av.Packet[av.VideoStream]] = []
    for number in range(SECONDS * FPS):
        grain = rng.integers(0, 12, (height, width), np.uint8)
        luma = ground[number % 64 : number % 64 + height, number : number + width] + grain
        planes = np.vstack([luma, np.full((height // 2, width), 128, np.uint8)])
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    units = [
        AccessUnit(at_ms, at_ms, packet.is_keyframe, 1, bytes(packet))
        for number, packet in enumerate(packets)
        for at_ms in [_START_MS + number * 1000 // FPS]
    ]
    return units, CodecParameters(VideoCodec.H264, width, height, b"", float(FPS), 1)


def _played(path: str) -> tuple[list[AccessUnit], CodecParameters]:
    source = VideoSource.from_file(path)
    with av.open(path) as container:
        picture = container.streams.video[0]
        size = picture.width, picture.height
    units: list[AccessUnit] = []
    lap = 0
    while not units or units[-1].entry_ms < _START_MS + SECONDS * 1000:
        begin_ms = _START_MS + lap * source.duration // 90
        units += [
            AccessUnit(begin_ms + unit.dts // 90, begin_ms + unit.pts // 90, unit.is_key, 1,
                       unit.data)
            for unit in source.units
        ]  # fmt: skip
        lap += 1
    return units, CodecParameters(source.codec, *size, b"", source.fps or 25.0, 1)


if __name__ == "__main__":
    raise SystemExit(main())
