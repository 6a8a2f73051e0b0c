from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.assembler import Product
from monitor.capture.backlog import Backlog
from monitor.domain import AccessUnit, CodecParameters, VideoCodec

PARAMS = CodecParameters(VideoCodec.H264, 320, 192, b"", 25.0, 1)


def unit(n: int, *, gop: int = 25, size: int = 100) -> AccessUnit:
    return AccessUnit(n * 40, n * 40, n % gop == 0, 1, bytes(size))


def taken(backlog: Backlog) -> list[Product]:
    return backlog.take(10**9)


def test_what_goes_in_comes_out_in_order() -> None:
    backlog = Backlog()
    products: list[Product] = [PARAMS, *(unit(n) for n in range(30))]
    backlog.put(products)
    assert taken(backlog) == products
    assert len(backlog) == 0
    assert backlog.dropped == 0


def test_a_round_takes_about_so_many_bytes() -> None:
    backlog = Backlog()
    backlog.put([unit(n) for n in range(30)])
    assert len(backlog.take(250)) == 3
    assert len(backlog.take(1)) == 1
    assert len(backlog) == 26


def test_what_could_not_be_written_goes_first_again() -> None:
    backlog = Backlog()
    backlog.put([unit(n) for n in range(10)])
    some = backlog.take(300)
    backlog.put([unit(10)])
    backlog.give_back(some)
    assert taken(backlog) == [unit(n) for n in range(11)]


def test_too_many_seconds_cost_the_oldest_gop_whole() -> None:
    backlog = Backlog(longest_s=3.0)
    backlog.put([PARAMS])
    for n in range(0, 77):  # the 77th makes it 3.04 s
        backlog.put([unit(n)])
    assert backlog.dropped == 25
    left = taken(backlog)
    assert left[0] == PARAMS
    assert left[1:] == [unit(n) for n in range(25, 77)]


def test_too_many_bytes_cost_the_oldest_gop_whole() -> None:
    backlog = Backlog(most_bytes=5000)
    backlog.put([unit(n) for n in range(51)])
    assert backlog.dropped == 25
    assert taken(backlog) == [unit(n) for n in range(25, 51)]


def test_a_gop_longer_than_the_bound_is_dropped_to_its_end() -> None:
    backlog = Backlog(longest_s=1.0)
    for n in range(60):
        backlog.put([unit(n, gop=50)])
    left = taken(backlog)
    assert left == [unit(n, gop=50) for n in range(50, 60)]
    assert backlog.dropped == 50


@given(
    gops=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    longest_s=st.sampled_from([0.5, 1.0, 5.0]),
    takes=st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=6),
)
def test_whatever_is_left_begins_with_a_key_picture_or_goes_on(
    gops: list[int], longest_s: float, takes: list[tuple[int, bool]]
) -> None:
    backlog = Backlog(longest_s=longest_s)
    units: list[AccessUnit] = []
    for length in gops:
        for n in range(length):
            entry_ms = 40 * len(units)
            units.append(AccessUnit(entry_ms, entry_ms, n == 0, 1, bytes(10)))
    out: list[AccessUnit] = []
    calls = dict(takes)
    for index, one in enumerate(units):
        backlog.put([one])
        if index in calls:
            some = backlog.take(100)
            if calls[index]:
                backlog.give_back(some)
            else:
                out += [each for each in some if isinstance(each, AccessUnit)]
    out += [each for each in taken(backlog) if isinstance(each, AccessUnit)]
    assert len(out) + backlog.dropped == len(units)
    assert [each.entry_ms for each in out] == sorted(each.entry_ms for each in out)
    for before, after in zip([None, *out], out, strict=False):
        follows = before is not None and after.entry_ms == before.entry_ms + 40
        assert follows or after.is_key
