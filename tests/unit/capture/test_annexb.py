from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture import annexb
from monitor.capture.annexb import START_CODE, ParameterSets
from monitor.domain import VideoCodec
from tests.video import encode, even

SPS, PPS = b"\x67\x64\x00\x1f\xac", b"\x68\xef\x3c"
AUD, SEI, IDR, SLICE = b"\x09\xf0", b"\x06\x05\x01", b"\x65\x88\x84", b"\x41\x9a\x21"
VPS5, SPS5, PPS5 = b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc1"
AUD5, IDR5 = b"\x46\x01\x50", b"\x26\x01\xaf"


def join(*nal_units: bytes, start: bytes = START_CODE) -> bytes:
    return b"".join(start + nal for nal in nal_units)


@given(
    st.lists(st.binary(min_size=1, max_size=30).filter(
        lambda nal: b"\x00\x00" not in nal and nal[0] != 0 and nal[-1] != 0
    ), max_size=8),
    st.sampled_from([b"\x00\x00\x01", b"\x00\x00\x00\x01"]),
)  # fmt: skip
def test_splitting_undoes_joining(nal_units: list[bytes], start: bytes) -> None:
    assert list(annexb.split(join(*nal_units, start=start))) == nal_units


@given(st.binary(max_size=200))
def test_any_bytes_can_be_looked_into(data: bytes) -> None:
    for codec in VideoCodec:
        annexb.parameter_sets(data, codec)
        annexb.from_extradata(data, codec)
        annexb.with_parameter_sets(data, ParameterSets(codec, (SPS, PPS)))


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6))
def test_length_prefixes_become_start_codes(nal_units: list[bytes]) -> None:
    prefixed = b"".join(struct.pack(">I", len(nal)) + nal for nal in nal_units)
    assert annexb.from_length_prefixed(prefixed) == join(*nal_units)


def test_what_is_already_annexb_stays() -> None:
    data = join(IDR, start=b"\x00\x00\x01")
    assert annexb.to_annexb(data) is data


@pytest.mark.parametrize("data", [b"\x00\x00\x00\x09\x65", b"\x00\x00\x00\x00\x65", b"\xff" * 9])
def test_what_is_neither_form_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="do not add up"):
        annexb.to_annexb(data)


def test_parameter_sets_of_h264() -> None:
    sets = annexb.parameter_sets(join(AUD, SPS, PPS, PPS, SEI, IDR), VideoCodec.H264)
    assert sets.nal_units == (SPS, PPS)
    assert sets.complete
    assert sets.sps() == SPS
    assert sets.annexb == join(SPS, PPS)


def test_parameter_sets_of_h265() -> None:
    sets = annexb.parameter_sets(join(AUD5, VPS5, SPS5, PPS5, IDR5), VideoCodec.HEVC)
    assert sets.nal_units == (VPS5, SPS5, PPS5)
    assert sets.complete
    assert sets.sps() == SPS5


def test_the_search_ends_at_the_first_slice() -> None:
    assert annexb.parameter_sets(join(IDR, SPS, PPS), VideoCodec.H264).nal_units == ()


@pytest.mark.parametrize(
    ("codec", "nal_units"),
    [(VideoCodec.H264, (SPS,)), (VideoCodec.H264, (PPS,)), (VideoCodec.HEVC, (SPS5, PPS5)),
     (VideoCodec.H264, ())],
)  # fmt: skip
def test_some_are_not_enough(codec: VideoCodec, nal_units: tuple[bytes, ...]) -> None:
    assert not ParameterSets(codec, nal_units).complete


def test_a_new_pps_is_not_a_new_stream_and_a_new_sps_is() -> None:
    before = ParameterSets(VideoCodec.H264, (SPS, PPS))
    assert before.identity() == ParameterSets(VideoCodec.H264, (SPS, PPS + b"\x01")).identity()
    assert before.identity() != ParameterSets(VideoCodec.H264, (SPS + b"\x01", PPS)).identity()


def test_parameter_sets_go_in_front() -> None:
    sets = ParameterSets(VideoCodec.H264, (SPS, PPS))
    assert annexb.with_parameter_sets(join(IDR), sets) == join(SPS, PPS, IDR)


def test_a_delimiter_stays_first() -> None:
    sets = ParameterSets(VideoCodec.H264, (SPS, PPS))
    data = join(AUD, SEI, IDR, start=b"\x00\x00\x01")
    found = list(annexb.split(annexb.with_parameter_sets(data, sets)))
    assert found == [AUD, SPS, PPS, SEI, IDR]
    five = ParameterSets(VideoCodec.HEVC, (VPS5, SPS5, PPS5))
    found = list(annexb.split(annexb.with_parameter_sets(join(AUD5, IDR5), five)))
    assert found == [AUD5, VPS5, SPS5, PPS5, IDR5]


def test_extradata_of_mp4_for_h264() -> None:
    avcc = b"\x01\x64\x00\x1f\xff\xe1" + struct.pack(">H", len(SPS)) + SPS
    avcc += b"\x01" + struct.pack(">H", len(PPS)) + PPS
    assert annexb.from_extradata(avcc, VideoCodec.H264).nal_units == (SPS, PPS)
    for cut in range(len(avcc)):
        assert not annexb.from_extradata(avcc[:cut], VideoCodec.H264).complete


def test_extradata_of_mp4_for_h265() -> None:
    hvcc = b"\x01" + bytes(21) + b"\x03"
    for kind, nal in ((32, VPS5), (33, SPS5), (34, PPS5)):
        hvcc += bytes([kind, 0, 1]) + struct.pack(">H", len(nal)) + nal
    assert annexb.from_extradata(hvcc, VideoCodec.HEVC).nal_units == (VPS5, SPS5, PPS5)
    assert not annexb.from_extradata(hvcc[:-1], VideoCodec.HEVC).complete


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_what_a_real_encoder_makes(codec: VideoCodec) -> None:
    units, _ = encode(even(12), codec=codec, gop=5)
    assert [unit.is_key for unit in units[:6]] == [True, False, False, False, False, True]
    for unit in units:
        assert annexb.parameter_sets(unit.data, codec).complete == unit.is_key
