"""Whatever the ladder slept through, what is found is the same as with every picture decoded."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pytest

from monitor.config.models import Camera
from monitor.domain import AccessUnit, CodecParameters, VideoCodec, ViewCondition
from monitor.media.decode import Planes
from tests.quiet_street import FPS, encoded
from tests.street import START_MS, Car, Street, grey
from tests.watching import Braking
from workers.watching.eye import Eye
from workers.watching.ladder import MAX_GOP_MS

CAMERA = Camera(id="cam", url="rtsp://127.0.0.1/x")
TIGHT = "bitrate=300:vbv-maxrate=300:vbv-bufsize=300"
Video = tuple[list[AccessUnit], CodecParameters]


@dataclass(frozen=True)
class Played:
    told: list[tuple[str, float, float]]  # kind, when, decided
    told_at_s: list[float]  # the newest access unit's time by then
    looked_at: int
    slept: int
    views: set[ViewCondition]


def play(video: Video, *, may_sleep: bool, batch: int = 1) -> Played:
    units, params = video
    eye = Eye(CAMERA, may_sleep=may_sleep)
    eye.use(params)
    told, told_at_s, looked_at, slept, views = [], [], 0, 0, set()
    for start in range(0, len(units) + 1, batch):
        part = units[start : start + batch]
        seen = eye.look(part, tell_after_ms=0) if part else eye.catch_up(tell_after_ms=0)
        now_s = seconds(units[min(start + batch, len(units)) - 1].entry_ms)
        for one in seen.triggers:
            told.append((one.kind.value, seconds(one.time_ms), seconds(one.decided_ms)))
            told_at_s.append(now_s)
        looked_at += seen.looked_at
        slept += seen.slept
        views.add(seen.view)
    assert eye.unseen_from_ms is None
    return Played(told, told_at_s, looked_at, slept, views)


def seconds(wall_ms: int) -> float:
    return (wall_ms - START_MS) / 1000


def random_street(seed: int, end_s: float) -> Street:
    """Cars that brake and cars that pass, some within a GOP, with quiet in between."""
    draw = random.Random(seed)
    cars: list[Car] = []
    at_s = 9.0 + draw.uniform(0.0, 6.0)
    while at_s < end_s - 4.0:
        row, look = draw.uniform(60.0, 120.0), draw.randrange(99)
        if draw.random() < 0.35:
            speed = draw.choice([150.0, 300.0, 450.0])
            cars.append(Car(x=-60, y=row, speed=speed, seed=look, from_s=at_s))
        else:
            begin, speed = draw.uniform(130.0, 200.0), draw.choice([100.0, 140.0, 200.0])
            cars.append(Braking(x=begin, y=row, speed=speed, seed=look, brakes_s=at_s))
        at_s += draw.uniform(9.0, 16.0)
    return Street(tuple(cars), seed=draw.randrange(50), noise=draw.choice([0.8, 1.5, 2.5]))


@pytest.mark.parametrize("seed", range(6))
def test_candidates_are_the_same_and_at_most_one_gop_later(seed: int) -> None:
    draw = random.Random(7 * seed)
    gop = draw.choice([20, 20, 40])
    codec = VideoCodec.HEVC if seed % 6 == 5 else VideoCodec.H264
    video = encoded(
        random_street(seed, 40.0).picture, 40.0, gop=gop, codec=codec,
        b_frames=draw.choice([0, 0, 2]) if codec is VideoCodec.H264 else 0,
        rate=draw.choice(["crf=23", TIGHT]) if codec is VideoCodec.H264 else "crf=25",
    )  # fmt: skip
    full, asleep = play(video, may_sleep=False), play(video, may_sleep=True)
    assert full.slept == 0
    assert [one[0] for one in asleep.told] == [one[0] for one in full.told]
    for ours, theirs in zip(asleep.told, full.told, strict=True):
        assert ours[1] == pytest.approx(theirs[1], abs=0.05)
        assert ours[2] == theirs[2], "decided on the same picture"
    for late_s, at_once_s in zip(asleep.told_at_s, full.told_at_s, strict=True):
        assert at_once_s <= late_s <= at_once_s + gop / FPS


@lru_cache
def quiet(end_s: float, gop: int = 20) -> Video:
    return encoded(Street(noise=3.0).picture, end_s, gop=gop, rate="crf=18")


def test_most_of_a_quiet_time_is_never_decoded() -> None:
    video = quiet(40.0, gop=40)
    played = play(video, may_sleep=True)
    assert played.slept > 0.6 * len(video[0])
    assert played.looked_at < 0.5 * play(video, may_sleep=False).looked_at
    assert played.views == {ViewCondition.WARMING_UP, ViewCondition.NORMAL}


@lru_cache
def braking(end_s: float, gop: int = 20, brakes_s: float = 20.3) -> Video:
    car = Braking(x=160.0, y=90.0, speed=120.0, seed=7, brakes_s=brakes_s)
    return encoded(Street((car,)).picture, end_s, gop=gop)


@pytest.mark.parametrize("batch", [1, 7, 50])
def test_units_may_come_in_batches(batch: int) -> None:
    video = braking(26.0)
    full = play(video, may_sleep=False, batch=batch)
    asleep = play(video, may_sleep=True, batch=batch)
    assert asleep.slept > 0
    assert asleep.told == full.told != []


@pytest.mark.parametrize("gop", [round(FPS * MAX_GOP_MS / 1000) + 20, 10_000])
def test_long_gops_and_streams_without_key_pictures_are_decoded_whole(gop: int) -> None:
    video = braking(26.0, gop=gop)
    full, played = play(video, may_sleep=False), play(video, may_sleep=True)
    assert played.slept == 0
    assert played.looked_at == full.looked_at
    assert played.told == full.told != []
    assert played.told_at_s == full.told_at_s


def test_a_gop_that_never_ends_wakes_it() -> None:
    units, params = braking(26.0)
    endless = [replace(u, is_key=u.is_key and seconds(u.entry_ms) < 16.0) for u in units]
    asleep = play((endless, params), may_sleep=True)
    assert asleep.slept > 0
    assert asleep.told == play((endless, params), may_sleep=False).told != []
    assert max(asleep.told_at_s) < 22.0


@pytest.mark.parametrize("codec", [VideoCodec.H264, VideoCodec.HEVC])
def test_a_car_that_comes_and_goes_between_key_pictures_wakes_it(codec: VideoCodec) -> None:
    car = Car(x=-60, y=90, speed=300.0, from_s=18.15)
    rate = "crf=23" if codec is VideoCodec.H264 else "crf=25"
    video = encoded(Street((car,)).picture, 22.0, gop=40, codec=codec, rate=rate)
    asleep = play(video, may_sleep=True)
    empty = play(encoded(Street().picture, 22.0, gop=40, codec=codec, rate=rate), may_sleep=True)
    assert asleep.slept == empty.slept - 39, "one GOP is looked at, the others are not"


def lamps(time_s: float) -> Planes:
    """A signal that changes three times, and nobody near it."""
    luma = Street(noise=2.0).luma(time_s)
    lit = int(time_s > 14.2) + int(time_s > 20.7) + int(time_s > 26.4)
    top = (40, 52, 64, 40)[lit]
    luma[top : top + 10, 200:208] = 250
    return grey(luma)


def test_a_lamp_that_lights_up_does_not_keep_it_awake() -> None:
    video = encoded(lamps, 32.0, rate="crf=18")
    played = play(video, may_sleep=True)
    assert played.told == play(video, may_sleep=False).told == []
    assert played.slept > 0.35 * len(video[0])


def test_a_car_that_grows_in_the_place_of_a_thing_wakes_it() -> None:
    def oncoming(time_s: float) -> Planes:
        luma = Street(noise=2.0).luma(time_s)
        size = 12 if time_s < 18.3 else round(12 + 5.0 * (time_s - 18.3))
        if time_s > 10.2:
            luma[90 : 90 + size, 150 - size // 2 : 150 + size // 2] = 230
        return grey(luma)

    eye = Eye(CAMERA)
    units, params = encoded(oncoming, 22.0, rate="crf=18")
    eye.use(params)
    asleep_s = []
    for unit in units:
        eye.look((unit,), tell_after_ms=0)
        if eye.unseen_from_ms is not None:
            asleep_s.append(seconds(unit.entry_ms))
    assert any(16.0 < one < 18.0 for one in asleep_s), "the thing let it sleep"
    assert max(asleep_s) < 20.0, "not what became of it"


def test_dusk_and_clouds_are_followed_asleep() -> None:
    def dusk(time_s: float) -> Planes:
        light = 1.0 - 0.5 * min(1.0, max(0.0, time_s - 8.0) / 40.0)  # faster than any dusk
        cloud = 0.93 if 25.0 < time_s < 32.0 else 1.0
        return Street(cars=cars).picture(time_s, gain=light * cloud)

    cars = (Braking(x=160.0, y=90.0, speed=120.0, seed=7, brakes_s=50.3),)
    video = encoded(dusk, 56.0, gop=20)
    full, asleep = play(video, may_sleep=False), play(video, may_sleep=True)
    assert asleep.slept > 0.3 * len(video[0])
    assert [one[::2] for one in asleep.told] == [one[::2] for one in full.told] != []


def broken(units: Sequence[AccessUnit], at_s: float) -> list[AccessUnit]:
    return [
        replace(u, data=u.data[:6] + bytes(len(u.data) - 6)) if seconds(u.entry_ms) == at_s else u
        for u in units
    ]


def turned_back(units: Sequence[AccessUnit], at_s: float) -> list[AccessUnit]:
    """A recorder's clock set back by half a second; entry times still rise."""
    return [
        replace(u, capture_ms=u.capture_ms - 500) if seconds(u.entry_ms) >= at_s else u
        for u in units
    ]


def held(units: Sequence[AccessUnit], at_s: float) -> list[AccessUnit]:
    """Nothing comes for eight seconds."""
    return [
        replace(u, entry_ms=u.entry_ms + 8_000, capture_ms=u.capture_ms + 8_000)
        if seconds(u.entry_ms) >= at_s
        else u
        for u in units
    ]


@pytest.mark.parametrize("spoil", [broken, turned_back, held])
@pytest.mark.parametrize("at_s", [17.0, 17.5])
def test_trouble_while_asleep_wakes_it_and_is_no_incident(
    spoil: Callable[[Sequence[AccessUnit], float], list[AccessUnit]], at_s: float
) -> None:
    units, params = quiet(24.0)
    video = spoil(units, at_s), params
    asleep = play(video, may_sleep=True)
    assert asleep.told == play(video, may_sleep=False).told == []
    assert asleep.slept > 0
    if not (spoil is broken and at_s == 17.5):  # what is not decoded may be broken
        assert asleep.slept < play((units, params), may_sleep=True).slept


def test_another_generation_wakes_it_and_what_it_kept_is_looked_at() -> None:
    units, params = braking(22.7)
    eye = Eye(CAMERA)
    eye.use(params)
    cut = next(n for n, unit in enumerate(units) if unit.is_key and seconds(unit.entry_ms) > 14.0)
    for unit in units[: cut + 7]:
        eye.look((unit,), tell_after_ms=0)
    assert eye.unseen_from_ms == units[cut].entry_ms
    again = [replace(unit, generation=2) for unit in units[cut + 20 :]]
    eye.use(params)
    seen = eye.look(again[:1], tell_after_ms=0)
    assert eye.unseen_from_ms is None
    assert seen.looked_at > 1


def test_a_frozen_picture_is_told_asleep() -> None:
    def freezing(time_s: float) -> Planes:
        return Street().picture(min(time_s, 20.0))

    played = play(encoded(freezing, 36.0, gop=20, rate="crf=30"), may_sleep=True)
    assert ViewCondition.FROZEN in played.views
    assert played.told == []


def test_what_is_slept_through_stays_bounded() -> None:
    units, params = quiet(24.0)
    eye = Eye(CAMERA)
    eye.use(params)
    for unit in units[: 18 * FPS]:
        eye.look((unit,), tell_after_ms=0)
    assert eye.unseen_from_ms is not None
    large = replace(units[18 * FPS + 1], data=bytes(np.zeros(9 * 2**20, np.uint8)))
    eye.look((large,), tell_after_ms=0)
    assert eye.unseen_from_ms is None
