"""Frames to H.264 in an MP4: no B-frames, a key frame every two seconds, closed GOPs."""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2

from monitor.errors import SceneError
from monitor.scene.drawing import Image, as_image
from monitor.scene.light import Light
from monitor.scene.renderer import Renderer
from monitor.scene.simulation import Simulation, build
from monitor.scene.truth import truth_of

GOP_FRAMES = 50
_QUEUE_FRAMES = 24


@dataclass(frozen=True, slots=True)
class Rendered:
    """What ``render_to`` wrote."""

    video: Path
    truth: Path
    frames: int
    bytes: int


def render_to(
    path: Path | str,
    scenario: str,
    seed: int = 0,
    size: tuple[int, int] = (1280, 720),
    fps: int = 25,
    *,
    light: Light | None = None,
    bitrate_bps: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Rendered:
    """Simulate, render and encode a scenario; write the video and ``<path>.truth.json``.

    ``threads`` draw at the same time (OpenCV lets go of the interpreter's lock). Both files
    appear complete or not at all. ``SceneError`` where the folder cannot be written or nothing
    can be drawn in so many pixels.
    """
    target = Path(path)
    if not all(64 <= n <= 3840 and n % 2 == 0 for n in size):
        raise SceneError("width and height must be 64 to 3840 and even")
    simulation = build(scenario, seed, fps=fps)
    count = len(simulation.frames)
    rate = bitrate_bps or round(2_600_000 * size[0] * size[1] / (1280 * 720))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    truth = target.with_name(target.name + ".truth.json")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _encode(part, _drawn(simulation, size, light, threads), size, fps, rate, count, progress)
        truth.write_text(json.dumps(truth_of(simulation), separators=(",", ":")) + "\n")
        os.replace(part, target)
    except (OSError, av.FFmpegError) as error:
        raise SceneError(f"cannot write {target}: {error}") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return Rendered(target, truth, count, target.stat().st_size)


def _drawn(
    simulation: Simulation,
    size: tuple[int, int],
    light: Light | None,
    threads: int | None,
) -> Iterator[Image]:
    """Every frame in order, as I420, drawn by several threads."""
    count = len(simulation.frames)
    workers = max(1, min(threads or os.cpu_count() or 1, 4))
    stage = Renderer(simulation, size, light)
    queues: list[queue.Queue[Image | BaseException]] = [
        queue.Queue(_QUEUE_FRAMES) for _ in range(workers)
    ]
    stop = threading.Event()

    def put(lane: queue.Queue[Image | BaseException], item: Image | BaseException) -> None:
        while not stop.is_set():
            with suppress(queue.Full):
                lane.put(item, timeout=0.2)
                return

    def draw(first: int, renderer: Renderer, lane: queue.Queue[Image | BaseException]) -> None:
        try:
            for index in range(first, count, workers):
                if stop.is_set():
                    return
                put(lane, as_image(cv2.cvtColor(renderer.frame(index), cv2.COLOR_BGR2YUV_I420)))
        except BaseException as error:  # noqa: BLE001 - raised again by the reader
            put(lane, error)

    crew = [
        threading.Thread(
            target=draw, args=(n, stage if n == 0 else stage.twin(), queues[n]),
            name=f"scene-draw-{n}", daemon=True,
        )
        for n in range(workers)
    ]  # fmt: skip
    for thread in crew:
        thread.start()
    try:
        for index in range(count):
            item = queues[index % workers].get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        for thread in crew:
            thread.join()


def _encode(
    path: Path,
    frames: Iterator[Image],
    size: tuple[int, int],
    fps: int,
    rate: int,
    count: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=fps)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, fps)
        video.bit_rate = rate
        video.codec_context.gop_size = GOP_FRAMES
        video.codec_context.max_b_frames = 0
        video.codec_context.thread_count = 1
        video.options = {
            "preset": "superfast",
            "profile": "high",
            "x264-params": f"scenecut=0:keyint={GOP_FRAMES}:min-keyint={GOP_FRAMES}"
            f":vbv-maxrate={rate * 3 // 2000}:vbv-bufsize={rate * 2 // 1000}",
        }
        for index, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(video.encode(frame))
            if progress is not None:
                progress(index + 1, count)
        container.mux(video.encode(None))
