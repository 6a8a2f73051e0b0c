"""Real cameras' video through clip and stills: the times survive, the pictures decode."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from monitor.capture.rtsp_server.source import VideoSource
from monitor.domain import AccessUnit, CodecParameters
from monitor.media.clip import playable, remux
from monitor.media.window import decode_at
from tests import video

CLIPS = ["clip_001.mp4", "clip_004.mp4", "clip_011.mp4", "clip_015.mp4", "extra_010.mp4"]


@pytest.mark.footage
@pytest.mark.parametrize("name", CLIPS)
def test_clip_and_stills_of_a_real_camera(footage: Path, tmp_path: Path, name: str) -> None:
    source = VideoSource.from_file(footage / name)
    with av.open(str(footage / name)) as original:
        size = original.streams.video[0].width, original.streams.video[0].height
    units = [
        AccessUnit(
            video.START_MS + unit.dts // 90, video.START_MS + unit.pts // 90, unit.is_key, 1,
            unit.data,
        )
        for unit in source.units
    ]  # fmt: skip
    params = CodecParameters(source.codec, *size, b"", source.fps, 1)

    info = remux(units, params, tmp_path / "clip.mp4")

    shown = sorted(unit.capture_ms - units[0].capture_ms for unit in playable(units))
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        frames = [round(float(frame.time) * 1000) for frame in clip.decode(video=0)]
    assert frames == shown
    assert info.duration_s == pytest.approx(shown[-1] / 1000, abs=0.5)
    wanted = [units[0].capture_ms + ms for ms in shown[:: max(1, len(shown) // 6)]]
    stills = decode_at(units, params, wanted, 640, 2)
    assert [still.capture_ms for still in stills] == wanted
    assert {(still.width % 32, still.height % 32) for still in stills} == {(0, 0)}
