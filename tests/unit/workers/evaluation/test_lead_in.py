"""What is played before a clip that begins too shortly before its event."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from monitor.errors import MediaError
from monitor.media.clip import remux
from monitor.media.decode import Decoder, to_bgr
from tests.video import encode, even, number_in
from workers.evaluation.lead_in import START_MS, Mode, Played, play, units_of


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of 20 pictures a second."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    units, params = encode(even(100, 50))
    remux(units, params, path)
    return path


def times(played: Played) -> list[int]:
    """Capture times of every picture that can be decoded, in ms after the clip's first."""
    shown: list[int] = []
    for params, units in played.parts:
        decoder = Decoder(params)
        shown += [f.capture_ms - START_MS for unit in units for f in decoder.decode(unit)]
        shown += [f.capture_ms - START_MS for f in decoder.flush()]
    return shown


def test_a_clip_begins_at_its_first_picture(clip: Path) -> None:
    units, params = units_of(clip)
    assert [unit.capture_ms - START_MS for unit in units] == [50 * n for n in range(100)]
    assert (params.width, params.height, units[0].is_key) == (320, 192, True)


@pytest.mark.parametrize("first_event_s", [None, 3.0, 4.5])
def test_enough_time_before_the_event_needs_no_lead_in(
    clip: Path, first_event_s: float | None
) -> None:
    played = play(clip, first_event_s, "auto", wanted_s=3.0)
    assert (played.lead_in, played.lead_in_s) == ("none", 0.0)
    assert times(played)[0] == 0


def test_the_first_picture_is_held_where_little_lies_before_the_event(clip: Path) -> None:
    played = play(clip, 1.0, "auto", wanted_s=3.0)
    shown = times(played)
    assert (played.lead_in, played.lead_in_s) == ("its first picture, held", 2.0)
    assert shown[0] == -2000
    assert shown == sorted(shown)
    assert [at for at in shown if at >= 0] == [50 * n for n in range(100)]
    assert max(b - a for a, b in itertools.pairwise(shown)) <= 50


def test_held_pictures_differ_as_a_live_sensors_do(clip: Path) -> None:
    params, units = play(clip, 1.0, "hold", wanted_s=3.0).parts[0]
    decoder = Decoder(params)
    pictures = [
        f.frame.to_ndarray()[: params.height].astype(int)
        for unit in units[:4]
        for f in decoder.decode(unit)
    ]
    assert all(0.1 < abs(a - b).mean() < 4 for a, b in itertools.pairwise(pictures))


def test_what_lies_before_the_event_is_looped_where_there_is_enough(clip: Path) -> None:
    played = play(clip, 4.5, "auto", wanted_s=9.0)
    shown = times(played)
    assert played.lead_in == "its first 3.5 s, 2 times"
    assert (shown[0], played.lead_in_s) == (-7000, 7.0)
    assert shown == [50 * n for n in range(-140, 100)]


def test_b_frames_across_the_cut_are_not_looped(tmp_path: Path) -> None:
    units, params = encode(even(100, 50), b_frames=3, gop=50)
    remux(units, params, tmp_path / "b.mp4")
    for first_event_s in (2.7, 2.75, 2.8, 2.85):
        played = play(tmp_path / "b.mp4", first_event_s, "loop", wanted_s=6.0)
        shown = times(played)
        assert shown == sorted(shown)
        assert [at for at in shown if at >= 0] == [50 * n for n in range(100)]


@pytest.mark.parametrize("mode", ["auto", "hold", "loop", "none"])
def test_nothing_of_the_event_is_shown_beforehand(clip: Path, mode: Mode) -> None:
    played = play(clip, 4.5, mode, wanted_s=9.0)
    numbers = []
    for params, units in played.parts:
        decoder = Decoder(params)
        for frame in (f for unit in units for f in decoder.decode(unit)):
            if frame.capture_ms < START_MS:
                numbers.append(number_in(to_bgr(frame.frame, 320)))
    assert (not numbers) == (mode == "none")
    assert all(number < 70 for number in numbers)


def test_a_file_that_is_no_video_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    with pytest.raises(MediaError, match=r"no\.mp4"):
        play(tmp_path / "no.mp4", 1.0, "auto")
