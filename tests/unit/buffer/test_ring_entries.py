from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.buffer.ring_entries import codec_json, codec_of, unit_of
from monitor.domain import AccessUnit, CodecParameters, VideoCodec


@given(
    codec=st.sampled_from(VideoCodec),
    size=st.tuples(st.integers(1, 8192), st.integers(1, 8192)),
    extradata=st.binary(max_size=200),
    fps=st.none() | st.floats(0.1, 240),
    generation=st.integers(1, 10**6),
)
def test_codec_parameters_come_back_as_they_were(
    codec: VideoCodec,
    size: tuple[int, int],
    extradata: bytes,
    fps: float | None,
    generation: int,
) -> None:
    params = CodecParameters(codec, *size, extradata, fps, generation)
    assert codec_of(codec_json(params)) == params
    assert codec_of(codec_json(params).encode()) == params


def test_an_entry_without_optional_fields() -> None:
    assert unit_of(b"1760000000040-0", {b"d": b"x", b"g": b"3"}) == AccessUnit(
        1760000000040, 1760000000040, False, 3, b"x"
    )


def test_an_entry_with_all_fields() -> None:
    fields = {b"d": b"x", b"g": b"3", b"k": b"1", b"o": b"-80"}
    assert unit_of(b"1000-0", fields) == AccessUnit(1000, 920, True, 3, b"x")
