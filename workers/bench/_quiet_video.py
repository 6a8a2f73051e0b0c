"""The rendered intersection with nobody in it: what a camera sees most of the night."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2

from monitor.scene.encode import GOP_FRAMES
from monitor.scene.renderer import Renderer
from monitor.scene.simulation import build

_FPS: Final = 25
_SIZE: Final = (1280, 720)
_BIT_RATE: Final = 2_600_000  # as ``monitor.scene.render_to``


def render_quiet(path: Path, seconds: float, *, signals: bool) -> None:
    """Write the video as a camera would send it: sensor noise, two seconds a GOP, no B-pictures.

    ``signals``: the traffic lights in view go on changing.
    """
    simulation = build("normal", 0, fps=_FPS)
    empty = replace(
        simulation,
        frames=tuple(
            replace(one if signals else simulation.frames[0], vehicles=(), persons=())
            for one in simulation.frames
        ),
    )
    renderer = Renderer(empty, _SIZE)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(part), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=_FPS)
        video.width, video.height = _SIZE
        video.pix_fmt = "yuv420p"
        video.bit_rate = _BIT_RATE
        video.codec_context.time_base = Fraction(1, _FPS)
        video.codec_context.max_b_frames = 0
        video.codec_context.thread_count = 1
        params = f"scenecut=0:keyint={GOP_FRAMES}:min-keyint={GOP_FRAMES}"
        video.options = {"preset": "superfast", "profile": "high", "x264-params": params}
        for index in range(round(seconds * _FPS)):
            drawn = renderer.frame(index % len(empty.frames))
            i420 = cv2.cvtColor(drawn, cv2.COLOR_BGR2YUV_I420)
            frame = av.VideoFrame.from_ndarray(i420, format="yuv420p")  # type: ignore[arg-type]  # cv2 gives back uint8
            frame.pts, frame.time_base = index, Fraction(1, _FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    os.replace(part, path)
