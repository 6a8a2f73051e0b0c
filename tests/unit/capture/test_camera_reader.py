"""The reading thread's behaviour with scripted sessions and a clock that is set by hand."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

import pytest

from monitor.capture.assembler import Packet
from monitor.capture.camera_reader import CameraReader
from monitor.capture.capture_clock import Arrival
from monitor.capture.rtsp import Description
from monitor.domain import AccessUnit, CameraStatus, VideoCodec
from monitor.errors import CaptureError
from tests.video import encode, even

HOST = 1_760_000_000_000


class HandClock:
    def __init__(self) -> None:
        self.now_ms = 0.0

    def wall_ms(self) -> int:
        return HOST + round(self.now_ms)

    def monotonic_s(self) -> float:
        return self.now_ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.now_ms += 1000 * seconds


class Scripted:
    """A session that gives pictures of these ages and then fails, or fails to open."""

    def __init__(
        self,
        clock: HandClock,
        pictures: Sequence[tuple[bytes, bool]] = (),
        *,
        refuses: CaptureError | None = None,
        then: Callable[[], None] | None = None,
        error: Exception | None = None,
        interval_ms: float = 40.0,
    ) -> None:
        self.closed = False
        self._clock = clock
        self._pictures = pictures
        self._refuses = refuses
        self._then = then
        self._error = error or CaptureError("ended", "it ended")
        self._interval_ms = interval_ms

    def __enter__(self) -> Scripted:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closed = True

    def open(self) -> Description:
        if self._refuses is not None:
            raise self._refuses
        return Description(VideoCodec.H264, b"", 25.0)

    def packets(self) -> Iterator[Packet]:
        for n, (data, is_key) in enumerate(self._pictures):
            self._clock.now_ms += self._interval_ms
            now = self._clock.now_ms
            yield Packet(data, self._interval_ms * n, is_key, Arrival(HOST + now, now))
        if self._then is not None:
            self._then()
        raise self._error


@pytest.fixture(scope="module")
def pictures() -> list[tuple[bytes, bool]]:
    return [(unit.data, unit.is_key) for unit in encode(even(30))[0]]


def reader_of(
    sessions: Sequence[Scripted], clock: HandClock, *, key_frame_timeout_s: float = 30.0
) -> CameraReader:
    waiting = iter(sessions)
    return CameraReader(
        "cam",
        lambda: next(waiting),
        clock=clock,
        backoff_max_s=30,
        key_frame_timeout_s=key_frame_timeout_s,
        random_source=random.Random(1),
    )


def test_a_session_fills_the_backlog_and_the_state(pictures: list[tuple[bytes, bool]]) -> None:
    clock = HandClock()
    session = Scripted(clock, pictures)
    reader = reader_of([session], clock)
    assert reader.snapshot().status is CameraStatus.CONNECTING
    with pytest.raises(CaptureError) as caught:
        reader.run_once()
    reader.collect()
    assert caught.value.reason == "ended"
    assert session.closed
    now = reader.snapshot()
    assert now.status is CameraStatus.ONLINE
    assert (now.codec, now.width, now.height) == (VideoCodec.H264, 320, 192)
    assert now.fps == pytest.approx(25.0)
    total = sum(len(data) for data, _ in pictures)
    assert now.bitrate_bps == pytest.approx(8 * total / 1.2, rel=0.25)
    assert now.clock == "arrival"
    units = [one for one in reader.backlog.take(10**9) if isinstance(one, AccessUnit)]
    assert len(units) == reader.units == 30
    assert now.last_frame_ms == units[-1].capture_ms
    assert reader.bytes == total


def test_failures_are_states_and_are_tried_again(pictures: list[tuple[bytes, bool]]) -> None:
    clock = HandClock()
    seen: list[tuple[str, int]] = []

    def note() -> None:
        reader.collect()
        now = reader.snapshot()
        seen.append((now.status.value, now.reconnects))

    class Noting(Scripted):
        def open(self) -> Description:
            note()
            return super().open()

    sessions = [
        Noting(clock, refuses=CaptureError("refused", "no")),
        Noting(clock, refuses=CaptureError("unauthorized", "no")),
        Noting(clock, pictures, then=note),
        Noting(clock, refuses=CaptureError("not_found", "no"), pictures=()),
    ]
    reader = reader_of(sessions, clock)
    reader._stopping.wait = lambda timeout=None: len(seen) >= 5  # type: ignore[method-assign]  # no real waiting
    reader.run()
    reader.collect()
    assert seen == [
        ("connecting", 0), ("refused", 1), ("unauthorized", 2), ("online", 2), ("ended", 3),
    ]  # fmt: skip
    assert reader.snapshot().status is CameraStatus.NOT_FOUND


def test_the_wait_grows_with_failures_and_begins_anew_after_a_success(
    pictures: list[tuple[bytes, bool]],
) -> None:
    clock = HandClock()
    refused = CaptureError("refused", "no")

    def collect() -> None:
        reader.collect()

    sessions = [Scripted(clock, refuses=refused) for _ in range(8)]
    sessions += [
        Scripted(clock, pictures, then=collect),
        Scripted(clock, refuses=refused),
    ]
    reader = reader_of(sessions, clock)
    bounds: list[float] = []
    waits: list[float] = []

    def wait(timeout: float | None = None) -> bool:
        assert timeout is not None
        waits.append(timeout)
        reader.collect()
        bounds.append(min(30.0, 2.0 ** (reader._backoff._failures - 1)))
        return len(waits) == len(sessions)

    reader._stopping.wait = wait  # type: ignore[method-assign]  # no real waiting
    reader.run()
    assert bounds == [1, 2, 4, 8, 16, 30, 30, 30, 1, 2]
    assert all(0.1 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))


def test_no_first_key_picture_is_an_error_that_reconnects(
    pictures: list[tuple[bytes, bool]],
) -> None:
    clock = HandClock()
    tail = [one for one in pictures if not one[1]] * 4

    class Collected(Scripted):
        def packets(self) -> Iterator[Packet]:
            for packet in super().packets():
                yield packet
                reader.collect()

    reader = reader_of([Collected(clock, tail)], clock, key_frame_timeout_s=2.0)
    with pytest.raises(CaptureError) as caught:
        reader.run_once()
    assert caught.value.reason == "no_key_frame"
    assert clock.now_ms == pytest.approx(2000, abs=120)
    assert reader.units == 0


def test_a_loop_that_hangs_costs_whole_gops_and_is_counted(
    pictures: list[tuple[bytes, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.capture.camera_reader.MOST_UNCOLLECTED", 15)
    clock = HandClock()

    class CollectedLate(Scripted):
        def packets(self) -> Iterator[Packet]:
            for n, packet in enumerate(super().packets()):
                yield packet
                if n == 22:
                    reader.collect()

    reader = reader_of([CollectedLate(clock, pictures * 2)], clock)
    with pytest.raises(CaptureError, match="ended"):
        reader.run_once()
    reader.collect()
    units = [one for one in reader.backlog.take(10**9) if isinstance(one, AccessUnit)]
    # 14 packets and the description fit; 14..22 are lost, 23..29 of no use without a key picture.
    assert [one.data for one in units[:14]] == [data for data, _ in pictures[:14]]
    assert units[14].is_key
    assert reader.uncollected > 9
    assert len(units) + reader.broken_units == 60


def test_later_key_pictures_missing_is_a_state_while_video_goes_on(
    pictures: list[tuple[bytes, bool]],
) -> None:
    clock = HandClock()
    seen: list[CameraStatus] = []

    def note() -> None:
        reader.collect()
        seen.append(reader.snapshot().status)

    tail = [one for one in pictures if not one[1]] * 4
    script = [*pictures, *tail]
    session = Scripted(clock, script, then=note)
    again = Scripted(clock, pictures, then=note)
    reader = reader_of([session, again], clock, key_frame_timeout_s=2.0)
    with pytest.raises(CaptureError, match="ended"):
        reader.run_once()
    reader.collect()
    assert seen == [CameraStatus.NO_KEY_FRAME]
    assert reader.units == len(script)
    assert "GOP" in reader.snapshot().detail
    with pytest.raises(CaptureError, match="ended"):
        reader.run_once()
    reader.collect()
    assert seen[-1] is CameraStatus.ONLINE


def test_an_unforeseen_error_is_logged_and_tried_again(
    pictures: list[tuple[bytes, bool]], caplog: pytest.LogCaptureFixture
) -> None:
    clock = HandClock()
    broken = Scripted(clock, pictures[:3], error=ZeroDivisionError("a bug"))
    reader = reader_of([broken, Scripted(clock, pictures)], clock)
    waits: list[float | None] = []

    def wait(timeout: float | None = None) -> bool:
        waits.append(timeout)
        return len(waits) == 2

    reader._stopping.wait = wait  # type: ignore[method-assign]  # no real waiting
    reader.run()
    reader.collect()
    assert "ZeroDivisionError: a bug" in caplog.text
    assert reader.units == 30


def test_stopping_ends_the_thread_at_the_next_packet(pictures: list[tuple[bytes, bool]]) -> None:
    clock = HandClock()
    reading = threading.Event()

    class Endless(Scripted):
        def packets(self) -> Iterator[Packet]:
            while True:
                yield from zip_packets(clock, pictures)
                reading.set()

    session = Endless(clock)
    reader = reader_of([session], clock)
    reader.start()
    assert reading.wait(10)
    reader.stop()
    assert reader.join(10)
    assert session.closed


def zip_packets(clock: HandClock, pictures: Sequence[tuple[bytes, bool]]) -> Iterator[Packet]:
    for data, is_key in pictures:
        clock.now_ms += 40
        yield Packet(data, clock.now_ms, is_key, Arrival(HOST + clock.now_ms, clock.now_ms))


def test_states_say_what_a_person_should_know(pictures: list[tuple[bytes, bool]]) -> None:
    clock = HandClock()

    class WrongClock(Scripted):
        def packets(self) -> Iterator[Packet]:
            for one in zip_packets(clock, pictures):
                wall_ms = one.arrival.wall_ms + 7_200_000
                yield Packet(one.data, one.media_ms, one.is_key, one.arrival, wall_ms)
            raise CaptureError("ended", "it ended")

    reader = reader_of([WrongClock(clock)], clock)
    with pytest.raises(CaptureError, match="ended"):
        reader.run_once()
    reader.collect()
    assert reader.snapshot().detail == "the camera's clock is 7200 s ahead, not used"
    assert reader.snapshot().clock == "arrival"
