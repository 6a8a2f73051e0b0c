"""The needed pictures of a window, decoded GOP by GOP on all cores.

Called by analyse and by ``bench window``. Only GOPs that hold a wanted picture are decoded, each
from its key access unit to its last wanted picture; GOPs are independent, so each goes to its own
decoder on its own thread (PyAV gives the GIL free). With fewer GOPs than threads, the decoders
thread by frame instead. It never looks at the ring or at a file.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.video.reformatter import VideoReformatter

from monitor.domain import AccessUnit, Box, CodecParameters
from monitor.errors import MediaError
from monitor.media.clip import playable
from monitor.media.stills import Still, sized_jpeg

_MS = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture to decode: the one taken nearest to ``time_ms``."""

    time_ms: int
    width: int | None  # at most this wide, in whole patches; None: as it is, for people
    part: Box | None = None  # only this of it


_How = tuple[int | None, Box | None]
"""Width and part of a wanted picture."""


def decode_at(
    units: Sequence[AccessUnit],
    params: CodecParameters,
    times_ms: Sequence[int],
    width: int,
    threads: int,
) -> list[Still]:
    """The pictures nearest to the given times, in the order asked, sized for the model.

    A picture that cannot be decoded is left out; see :func:`decode_wanted`.
    """
    found = decode_wanted(units, params, [Wanted(time_ms, width) for time_ms in times_ms], threads)
    return [still for still in found if still is not None]


def decode_wanted(
    units: Sequence[AccessUnit], params: CodecParameters, wanted: Sequence[Wanted], threads: int
) -> list[Still | None]:
    """One entry per wanted picture, ``None`` where its access unit is broken.

    ``units`` are in ring order and of one generation. ``MediaError`` only if there is no key
    access unit at all or the codec is unknown here.
    """
    usable = playable(units)
    if not usable:
        raise MediaError("no key access unit to decode from")
    by_time = sorted(unit.capture_ms for unit in usable)
    asked: dict[int, set[_How]] = {}
    for want in wanted:
        asked.setdefault(_nearest(by_time, want.time_ms), set()).add((want.width, want.part))
    work = [gop for gop in _gops(usable, asked) if gop.last_wanted >= 0]
    work.sort(key=lambda gop: gop.last_wanted, reverse=True)  # longest first: cores end together
    per_decoder = max(1, threads // max(1, len(work)))
    stills: dict[tuple[int, _How], Still] = {}
    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="decode") as pool:
        for part in pool.map(lambda gop: _decode_gop(gop, params, asked, per_decoder), work):
            stills.update(part)
    return [
        stills.get((_nearest(by_time, want.time_ms), (want.width, want.part))) for want in wanted
    ]


@dataclass(frozen=True, slots=True)
class _Gop:
    units: list[AccessUnit]
    last_wanted: int  # index in units; -1 if nothing of it is wanted


def _nearest(times: Sequence[int], time_ms: int) -> int:
    after = bisect_left(times, time_ms)
    around = times[max(0, after - 1) : after + 1]
    return min(around, key=lambda candidate: (abs(candidate - time_ms), candidate))


def _gops(units: Sequence[AccessUnit], asked: dict[int, set[_How]]) -> list[_Gop]:
    groups: list[list[AccessUnit]] = []
    for unit in units:
        if unit.is_key:
            groups.append([])
        groups[-1].append(unit)
    found = []
    for index, group in enumerate(groups):
        # Leading pictures of an open GOP refer to both sides: they go with the earlier one.
        own = group[:1] + group[1 + len(_leading(group)) :]
        if index + 1 < len(groups) and (leading := _leading(groups[index + 1])):
            own = own + groups[index + 1][: 1 + len(leading)]
        last = max((i for i, unit in enumerate(own) if unit.capture_ms in asked), default=-1)
        found.append(_Gop(own, last))
    return found


def _leading(group: Sequence[AccessUnit]) -> list[AccessUnit]:
    leading = []
    for unit in group[1:]:
        if unit.capture_ms >= group[0].capture_ms:
            break
        leading.append(unit)
    return leading


def _decode_gop(
    gop: _Gop, params: CodecParameters, asked: dict[int, set[_How]], threads: int
) -> dict[tuple[int, _How], Still]:
    context = _context(params, threads)
    scaler = VideoReformatter()
    stills: dict[tuple[int, _How], Still] = {}

    def keep(frames: Sequence[Any]) -> None:
        for frame in frames:
            for width, part in asked.get(frame.pts, ()):
                still = sized_jpeg(frame, frame.pts, width, scaler, part)
                stills[frame.pts, (width, part)] = still

    for unit in gop.units[: gop.last_wanted + 1]:
        packet: av.Packet[Any] = av.Packet(unit.data)
        packet.pts, packet.dts, packet.time_base = unit.capture_ms, unit.entry_ms, _MS
        # A picture no other refers to need not be decoded unless it is wanted.
        context.skip_frame = "DEFAULT" if unit.capture_ms in asked else "NONREF"
        try:
            keep(context.decode(packet))
        except av.FFmpegError:
            continue  # a broken access unit costs its own picture
    try:
        keep(context.decode(None))
    except av.FFmpegError:
        return stills
    return stills


def _context(params: CodecParameters, threads: int) -> Any:
    try:
        # PyAV types create() as the union of all media.
        context: Any = av.CodecContext.create(params.codec.value, "r")
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(f"no decoder for {params.codec.value}") from error
    context.thread_count = threads
    context.thread_type = "FRAME" if threads > 1 else "SLICE"
    if params.extradata:
        context.extradata = params.extradata
    return context
