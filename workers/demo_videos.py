"""The demo's video files: the rendered scene, or the user's own, both kept in a cache folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

import monitor.scene
from monitor.errors import CausewayError
from monitor.scene import SCENARIOS, render_to

PASSED_THROUGH: Final = frozenset({"h264", "hevc"})
_FPS_MAX: Final = 30
_LARGEST_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class DemoVideo:
    """A file to play as a camera."""

    camera: str
    name: str
    path: Path
    calibration: tuple[dict[str, Any], ...] = ()
    contact_s: float | None = None  # where it is known


def say(text: str) -> None:
    """To the person at the terminal; standard output is kept for the alert."""
    print(text, file=sys.stderr, flush=True)


def scene_video(cache: Path, scenario: str, seed: int) -> DemoVideo:
    """Render the scenario, or take it from the cache."""
    if scenario not in SCENARIOS:
        raise CausewayError(f"there is no scenario {scenario}; there are: {', '.join(SCENARIOS)}")
    path = cache / f"{scenario}-{seed}-{_scene_version()}.mp4"
    truth = path.with_name(path.name + ".truth.json")
    if not (path.exists() and truth.exists()):
        for stale in cache.glob(f"{scenario}-{seed}-*.mp4*"):
            stale.unlink(missing_ok=True)
        say(f"Drawing the intersection ({scenario}, seed {seed}); kept for the next time ...")
        render_to(path, scenario, seed, progress=percent())
    known = json.loads(truth.read_text())
    contacts = [event["t_s"] for event in known["events"] if event["kind"] == "contact"]
    return DemoVideo(
        "crossing",
        f"Rendered crossing: {scenario}",
        path,
        tuple(known["calibration"]),
        min(contacts, default=None),
    )


def _scene_version() -> str:
    """Of the code that draws: a scene in the cache is used only while it is the same."""
    digest = hashlib.sha256()
    for source in sorted(Path(monitor.scene.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def own_videos(cache: Path, files: Sequence[Path]) -> list[DemoVideo]:
    """The user's files, one camera each; what is not H.264 or H.265 is transcoded once."""
    videos: list[DemoVideo] = []
    for file in files:
        camera = _camera_id(file.stem, {video.camera for video in videos})
        videos.append(DemoVideo(camera, file.name, playable(cache, file)))
    return videos


def playable(cache: Path, file: Path) -> Path:
    """The file itself where its codec can be sent as it is, else an H.264 copy."""
    if not file.is_file():
        raise CausewayError(f"{file}: there is no such file")
    if file.stat().st_size > _LARGEST_BYTES:
        raise CausewayError(
            f"{file} is larger than {_LARGEST_BYTES >> 20} MiB, and the demo's camera holds all of "
            f"it in memory: cut it first, as in ffmpeg -i {file.name} -t 300 -c copy short.mp4"
        )
    try:
        with av.open(str(file)) as source:
            if not source.streams.video:
                raise CausewayError(f"{file}: there is no video in it")
            codec = source.streams.video[0].codec_context.name
    except av.FFmpegError as error:
        raise CausewayError(f"{file}: cannot be read as a video ({error.strerror})") from error
    if codec in PASSED_THROUGH:
        return file.resolve()
    state = file.stat()
    key = f"{file.resolve()}\0{state.st_size}\0{state.st_mtime_ns}"
    target = cache / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.mp4"
    if not target.exists():
        say(f"{file.name} is {codec}, which cameras do not send: making an H.264 copy ...")
        transcode(file, target)
    return target


def transcode(file: Path, target: Path) -> None:
    """To H.264 without B-frames, a key frame every two seconds; complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    report = percent()
    try:
        with av.open(str(file)) as source, av.open(str(part), "w", format="mp4") as sink:
            video = source.streams.video[0]
            video.thread_type = "AUTO"
            rate = min(Fraction(video.average_rate or 25), Fraction(_FPS_MAX)).limit_denominator(
                1001
            )
            context = video.codec_context
            out = sink.add_stream("libx264", rate=rate)
            out.width, out.height = context.width // 2 * 2, context.height // 2 * 2
            out.pix_fmt = "yuv420p"
            out.options = {
                "preset": "veryfast", "crf": "23", "bf": "0", "g": str(round(rate * 2)),
            }  # fmt: skip
            step = 1 / rate
            length_s = float(source.duration or 0) / av.time_base
            count = 0
            for frame in source.decode(video):
                time_s = frame.time or 0.0
                while count * step <= time_s:  # a constant rate, whatever the file's
                    shown = frame.reformat(out.width, out.height, "yuv420p")
                    shown.pts, shown.time_base = count, step
                    sink.mux(out.encode(shown))
                    count += 1
                if length_s:
                    report(round(time_s), round(length_s))
            sink.mux(out.encode(None))
        if count == 0:
            raise CausewayError(f"{file}: no picture in it can be decoded")
        part.replace(target)
    except (av.FFmpegError, OSError) as error:
        raise CausewayError(f"{file}: cannot be transcoded ({error.strerror})") from error
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def percent() -> Callable[[int, int], None]:
    """Says how far something is, at every tenth."""
    said = 0

    def report(done: int, of: int) -> None:
        nonlocal said
        tenth = 10 * done // max(of, 1)
        if tenth > said:
            said = tenth
            say(f"  {min(tenth, 10) * 10} %")

    return report


def _camera_id(stem: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-_")[:50] or "video"
    if base not in taken:
        return base
    return next(f"{base}-{n}" for n in range(2, len(taken) + 3) if f"{base}-{n}" not in taken)
