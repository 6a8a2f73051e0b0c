from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from monitor.capture import annexb
from monitor.capture.assembler import HOLD_MS, Assembler, Packet, Product, RingRestart
from monitor.capture.capture_clock import Arrival, CaptureClock
from monitor.domain import AccessUnit, CodecParameters, VideoCodec
from tests.video import encode, even, without_parameter_sets

HOST = 1_760_000_000_000


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    """Forty pictures of 320x192, a key picture every ten."""
    return [unit.data for unit in encode(even(40))[0]]


@pytest.fixture(scope="module")
def larger() -> list[bytes]:
    return [unit.data for unit in encode(even(20), width=640, height=352)[0]]


def packet(
    data: bytes, n: int, *, key: bool | None = None, pts: bool = True, wall: float | None = None,
    at_ms: float | None = None,
) -> Packet:  # fmt: skip
    at_ms = 5000 + 40 * n if at_ms is None else at_ms
    is_key = n % 10 == 0 if key is None else key
    return Packet(data, 40.0 * n if pts else None, is_key, Arrival(HOST + at_ms, at_ms), wall)


def begun(latest: CodecParameters | None = None, extradata: bytes = b"") -> Assembler:
    assembler = Assembler(CaptureClock(), latest)
    assembler.begin(VideoCodec.H264, extradata, 25.0)
    return assembler


def feed(assembler: Assembler, packets: Iterable[Packet]) -> list[Product]:
    return [product for one in packets for product in assembler.add(one)]


def units(products: Iterable[Product]) -> list[AccessUnit]:
    return [one for one in products if isinstance(one, AccessUnit)]


def params(products: Iterable[Product]) -> list[CodecParameters]:
    return [one for one in products if isinstance(one, CodecParameters)]


def test_pictures_become_units_after_the_parameters(pictures: list[bytes]) -> None:
    products = feed(begun(), (packet(data, n) for n, data in enumerate(pictures)))
    first = products[0]
    assert isinstance(first, CodecParameters)
    assert (first.codec, first.width, first.height, first.generation, first.fps) == (
        VideoCodec.H264, 320, 192, 1, 25.0,
    )  # fmt: skip
    assert annexb.from_extradata(first.extradata, VideoCodec.H264).complete
    made = units(products)
    assert [one.data for one in made] == pictures
    assert [one.is_key for one in made] == [n % 10 == 0 for n in range(40)]
    assert [one.entry_ms for one in made] == [HOST + 5000 + 40 * n for n in range(40)]
    assert {one.generation for one in made} == {1}


def test_the_first_packet_without_pts_is_kept(pictures: list[bytes]) -> None:
    """FFmpeg gives the IDR of a just opened camera without a time; dropping it costs a GOP."""
    packets = [packet(data, n, pts=n > 0) for n, data in enumerate(pictures)]
    made = units(feed(begun(), packets))
    assert len(made) == 40
    assert made[0].is_key
    assert [one.entry_ms - made[0].entry_ms for one in made] == [40 * n for n in range(40)]


def test_its_time_is_by_the_cameras_clock_where_there_is_one(pictures: list[bytes]) -> None:
    # With B-frames the second packet is shown three pictures later.
    wall = HOST + 4900
    packets = [
        Packet(pictures[0], None, True, Arrival(HOST + 5000, 5000), wall),
        Packet(pictures[1], 120.0, False, Arrival(HOST + 5040, 5040), wall + 120),
        Packet(pictures[2], 160.0, False, Arrival(HOST + 5400, 5400), wall + 160),
    ]
    made = units(feed(begun(), packets))
    assert [one.capture_ms for one in made] == [wall, wall + 120, wall + 160]


def test_a_picture_without_pts_in_mid_stream_follows_at_the_cameras_pace(
    pictures: list[bytes],
) -> None:
    packets = [packet(data, n, pts=n != 17) for n, data in enumerate(pictures)]
    made = units(feed(begun(), packets))
    assert [one.entry_ms - made[0].entry_ms for one in made] == [40 * n for n in range(40)]


def test_a_camera_without_any_times_is_dated_by_arrival(pictures: list[bytes]) -> None:
    packets = [packet(data, n, pts=False) for n, data in enumerate(pictures)]
    made = units(feed(begun(), packets))
    assert [one.entry_ms for one in made] == [HOST + 5000 + 40 * n for n in range(40)]


def test_pictures_are_held_back_only_at_the_start(pictures: list[bytes]) -> None:
    assembler = begun()
    counts = [len(units(assembler.add(packet(data, n)))) for n, data in enumerate(pictures)]
    held = round(HOLD_MS / 40)
    assert sum(counts[:held]) == 0
    assert counts[held] == held + 1
    assert set(counts[held + 1 :]) == {1}


def test_a_burst_at_the_start_is_dated_back(pictures: list[bytes]) -> None:
    burst = [packet(data, n, at_ms=9000 + n) for n, data in enumerate(pictures[:30])]
    live = [packet(data, 30 + n, at_ms=9029 + 40 * (n + 1)) for n, data in enumerate(pictures[30:])]
    made = units(feed(begun(), [*burst, *live]))
    assert [b.entry_ms - a.entry_ms for a, b in itertools.pairwise(made)] == [40] * 39
    assert made[29].entry_ms == HOST + 9029


def test_nothing_before_the_first_key_picture(pictures: list[bytes]) -> None:
    assembler = begun()
    made = units(feed(assembler, (packet(pictures[n], n) for n in range(4, 40))))
    assert [one.data for one in made] == pictures[10:]
    assert assembler.dropped == 6


def test_an_unmarked_key_picture_is_recognised(pictures: list[bytes]) -> None:
    made = units(
        feed(begun(), (packet(data, n, key=False) for n, data in enumerate(pictures[:15])))
    )
    assert made[0].is_key
    assert made[0].data == pictures[0]


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_missing_parameter_sets_come_from_the_description(codec: VideoCodec) -> None:
    encoded = [unit.data for unit in encode(even(20), codec=codec)[0]]
    sets = annexb.parameter_sets(encoded[0], codec)
    bare = [
        b"".join(annexb.START_CODE + nal for nal in annexb.split(data) if nal not in sets.nal_units)
        for data in encoded
    ]
    assembler = Assembler(CaptureClock(), None)
    assembler.begin(codec, sets.annexb, None)
    products = feed(assembler, (packet(data, n) for n, data in enumerate(bare)))
    for one in units(products):
        assert annexb.parameter_sets(one.data, codec).complete == one.is_key
    assert (params(products)[0].width, params(products)[0].height) == (320, 192)


def test_missing_parameter_sets_come_from_the_last_key_picture(pictures: list[bytes]) -> None:
    _, bare = without_parameter_sets(pictures[10])
    data = [*pictures[:10], bare, *pictures[11:20]]
    made = units(feed(begun(), (packet(one, n) for n, one in enumerate(data))))
    assert annexb.parameter_sets(made[10].data, VideoCodec.H264).complete
    assert annexb.parameter_sets(made[10].data, VideoCodec.H264) == annexb.parameter_sets(
        made[0].data, VideoCodec.H264
    )


def test_without_parameter_sets_anywhere_nothing_can_be_used(pictures: list[bytes]) -> None:
    _, bare = without_parameter_sets(pictures[0])
    assembler = begun()
    assert feed(assembler, [packet(bare, 0), packet(pictures[1], 1)]) == []
    assert assembler.dropped == 2
    assert not assembler.has_key


def test_length_prefixed_pictures_become_annexb(pictures: list[bytes]) -> None:
    prefixed = [
        b"".join(len(nal).to_bytes(4, "big") + nal for nal in annexb.split(data))
        for data in pictures
    ]
    made = units(feed(begun(), (packet(data, n) for n, data in enumerate(prefixed))))
    assert len(made) == 40
    for one, original in zip(made, pictures, strict=True):
        assert list(annexb.split(one.data)) == list(annexb.split(original))


def test_broken_data_is_dropped_and_counted(pictures: list[bytes]) -> None:
    data = [*pictures[:12], b"\xff\xfe garbage", *pictures[13:20]]
    assembler = begun()
    made = units(feed(assembler, (packet(one, n) for n, one in enumerate(data))))
    assert len(made) == 19
    assert assembler.dropped == 1


def test_a_new_resolution_is_a_new_generation_stored_first(
    pictures: list[bytes], larger: list[bytes]
) -> None:
    products = feed(begun(), (packet(one, n) for n, one in enumerate([*pictures[:20], *larger])))
    sizes = [(one.width, one.height, one.generation) for one in params(products)]
    assert sizes == [(320, 192, 1), (640, 352, 2)]
    generations = [one.generation for one in units(products)]
    assert generations == [1] * 20 + [2] * 20
    index = products.index(params(products)[1])
    following = products[index + 1]
    assert isinstance(following, AccessUnit)
    assert (following.generation, following.is_key) == (2, True)


def test_a_new_codec_is_a_new_generation(pictures: list[bytes]) -> None:
    assembler = begun()
    feed(assembler, (packet(one, n) for n, one in enumerate(pictures)))
    hevc = [unit.data for unit in encode(even(20), codec=VideoCodec.HEVC)[0]]
    assembler.begin(VideoCodec.HEVC, b"", None)
    products = feed(assembler, (packet(one, n, at_ms=9000 + 40 * n) for n, one in enumerate(hevc)))
    assert [(one.codec, one.generation) for one in params(products)] == [(VideoCodec.HEVC, 2)]
    assert {one.generation for one in units(products)} == {2}


def test_a_reconnect_to_the_same_stream_is_the_same_generation(pictures: list[bytes]) -> None:
    assembler = begun()
    before = feed(assembler, (packet(one, n) for n, one in enumerate(pictures)))
    assembler.begin(VideoCodec.H264, b"", 25.0)
    after = feed(assembler, (packet(one, n, at_ms=9000 + 40 * n) for n, one in enumerate(pictures)))
    assert params(after) == params(before)
    assert units(after)[0].entry_ms > units(before)[-1].entry_ms


def test_after_a_restart_a_known_stream_keeps_its_generation(
    pictures: list[bytes], larger: list[bytes]
) -> None:
    known = params(feed(begun(), (packet(one, n) for n, one in enumerate(pictures))))[0]
    latest = CodecParameters(
        known.codec, known.width, known.height, known.extradata, known.fps, generation=41
    )
    same = feed(begun(latest), (packet(one, n) for n, one in enumerate(pictures)))
    assert {one.generation for one in units(same)} == {41}
    assert params(same) == [latest]
    other = feed(begun(latest), (packet(one, n) for n, one in enumerate(larger)))
    assert {one.generation for one in units(other)} == {42}


def test_a_ring_in_the_future_is_restarted_in_its_place(pictures: list[bytes]) -> None:
    assembler = Assembler(CaptureClock(last_entry_ms=HOST + 86_400_000), None)
    assembler.begin(VideoCodec.H264, b"", 25.0)
    products = feed(assembler, (packet(one, n) for n, one in enumerate(pictures)))
    assert [type(one) for one in products[:3]] == [CodecParameters, RingRestart, AccessUnit]
    assert [one.entry_ms for one in units(products)] == [HOST + 5000 + 40 * n for n in range(40)]
    assert sum(isinstance(one, RingRestart) for one in products) == 1
