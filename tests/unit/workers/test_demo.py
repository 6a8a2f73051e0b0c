"""The demo's parts: files made playable, a configuration that is right, words for people."""

from __future__ import annotations

import socket
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from ruamel.yaml import YAML

from monitor import wire
from monitor.config.loader import examine
from monitor.errors import CausewayError
from tests import alerts
from workers.demo import DemoOptions, demo_config, free_port
from workers.demo_alerts import describe
from workers.demo_videos import DemoVideo, own_videos, playable


def film(path: Path, codec: str, frames: int = 20, rate: int = 10) -> Path:
    """A little film; every picture another grey."""
    with av.open(str(path), "w") as sink:
        out = sink.add_stream(codec, rate=rate)
        assert isinstance(out, av.VideoStream)
        out.width, out.height, out.pix_fmt = 98, 66, "yuv420p"
        for index in range(frames):
            grey = np.full((66, 98, 3), 40 + 8 * index, np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, rate)
            sink.mux(out.encode(picture))
        sink.mux(out.encode(None))
    return path


@pytest.mark.parametrize(("codec", "suffix"), [("libx264", "mp4"), ("libx264", "mkv")])
def test_h264_in_any_container_is_played_as_it_is(tmp_path: Path, codec: str, suffix: str) -> None:
    path = film(tmp_path / f"a.{suffix}", codec)
    assert playable(tmp_path / "cache", path) == path
    assert not (tmp_path / "cache").exists()


def test_another_codec_becomes_h264_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = film(tmp_path / "old.avi", "mpeg4", frames=20, rate=10)
    copy = playable(tmp_path / "cache", path)
    assert "old.avi is mpeg4, which cameras do not send" in capsys.readouterr().err
    with av.open(str(copy)) as source:
        video = source.streams.video[0]
        assert video.codec_context.name == "h264"
        assert (video.width, video.height) == (98, 66)
        packets = [p for p in source.demux(video) if p.size]
    assert [p.pts for p in packets] == [p.dts for p in packets], "no B-frames"
    assert packets[0].is_keyframe
    last, base = packets[-1].pts, packets[-1].time_base
    assert last is not None
    assert base is not None
    length_s = float(last * base)
    assert length_s == pytest.approx(1.9, abs=0.11)
    made = copy.stat().st_mtime_ns
    assert playable(tmp_path / "cache", path) == copy
    assert copy.stat().st_mtime_ns == made
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "there is no such file"), (b"no video at all", "cannot be read as a video")],
)
def test_what_is_no_video_is_said(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "x.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CausewayError, match=words):
        playable(tmp_path, path)


def test_files_of_one_name_become_cameras_of_different_ids(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    first = film(tmp_path / "Main St.mp4", "libx264")
    second = film(tmp_path / "b" / "Main St.mp4", "libx264")
    videos = own_videos(tmp_path, [first, second])
    assert [video.camera for video in videos] == ["main-st", "main-st-2"]


def test_the_demo_s_configuration_is_right_and_its_ports_are_free(tmp_path: Path) -> None:
    points = (
        {"image": [0.1, 0.6], "ground_m": [-7, 6]}, {"image": [0.6, 0.6], "ground_m": [7, 6]},
        {"image": [0.5, 0.3], "ground_m": [-7, 52]}, {"image": [0.7, 0.3], "ground_m": [7, 52]},
    )  # fmt: skip
    video = DemoVideo("crossing", "Rendered crossing", tmp_path / "x.mp4", points)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        document = demo_config([video], 8554, DemoOptions(port=busy, lang="zh"), tmp_path)
    path = tmp_path / "streams.yaml"
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(document, file)
    config, problems = examine(path, {})
    assert problems == []
    assert config is not None
    assert config.dashboard.port != busy
    assert config.site.lang == "zh"
    assert config.data_dir == tmp_path
    assert len(config.camera("crossing").calibration) == 4


def test_a_wanted_port_is_taken_where_it_is_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port
    assert free_port(port, avoid={port}) != port


def test_alerts_are_told_in_plain_lines() -> None:
    said, explained = describe(wire.to_json(alerts.provisional("north")).decode())
    assert not explained
    assert "provisional: north: " in said
    alert = alerts.explained("north")
    assert alert.answer is not None
    said, explained = describe(wire.to_json(alert).decode())
    assert explained
    lines = said.splitlines()
    assert alert.answer.root_cause in lines[1]
    assert len(lines) == 5
