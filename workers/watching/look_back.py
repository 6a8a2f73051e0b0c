"""The pictures around a candidate's moment, and the forensic pass over them. No I/O.

Runs in a thread; used by watch on what the ring holds and by the evaluation on what a clip holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from monitor.config.models import Camera
from monitor.domain import AccessUnit, CodecParameters, Trigger
from monitor.errors import MediaError
from monitor.media.decode import Decoder, Planes, planes
from monitor.trigger import WIDTH_PX
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.normal import SceneMemory

BEFORE_MS: Final = 8_000
STAGES_MS: Final = (2_000, 4_000)
"""After the moment: what a first look confirms need not wait for the whole."""
AFTER_MS: Final = STAGES_MS[-1]
_APART_MS: Final = 30  # at most some 30 pictures a second

Part = tuple[CodecParameters, Sequence[AccessUnit]]
"""Access units of one generation, in ring order."""


class Examine(Protocol):
    """``monitor.trigger.forensic.examine``, or what a test puts in its place."""

    def __call__(
        self,
        pictures: Iterable[tuple[int, Planes]],
        trigger: Trigger,
        camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict: ...


class Broken(Exception):
    """Nobody waits for the verdict any more."""


def pictures(
    parts: Iterable[Part], start_ms: int, end_ms: int, go_on: Callable[[], bool]
) -> Iterator[tuple[int, Planes]]:
    """Capture time and picture, decoded as they are asked for; from ``start_ms`` to ``end_ms``.

    What cannot be decoded is left out. ``Broken`` once ``go_on`` says no.
    """
    last_ms: int | None = None
    for params, units in parts:
        decoder = Decoder(params)
        for unit in units:
            if not go_on():
                raise Broken
            try:
                frames = decoder.decode(unit)
            except MediaError:
                continue  # it waits for the next key access unit
            for frame in frames:
                at_ms = frame.capture_ms
                if not start_ms <= at_ms <= end_ms:
                    continue
                if last_ms is None or at_ms - last_ms >= _APART_MS:
                    last_ms = at_ms
                    yield at_ms, planes(frame.frame, WIDTH_PX)


def look_back(
    examine: Examine,
    parts: Sequence[Part],
    trigger: Trigger,
    camera: Camera,
    memory: SceneMemory | None = None,
    go_on: Callable[[], bool] = lambda: True,
    after_ms: int = AFTER_MS,
) -> Verdict:
    """What hindsight says of a trigger, from pictures up to ``after_ms`` after its moment.

    ``memory``: what is normal in the view, only read. It cannot tell where there is no picture
    before the moment, or where ``go_on`` ended it.
    """
    start_ms, end_ms = trigger.time_ms - BEFORE_MS, trigger.time_ms + after_ms
    known = [unit.capture_ms for _, units in parts for unit in units]
    if not any(start_ms <= at_ms < trigger.time_ms for at_ms in known):
        return cannot_tell(trigger, "the video before the moment is gone")
    try:
        return examine(pictures(parts, start_ms, end_ms, go_on), trigger, camera, memory)
    except Broken:
        return cannot_tell(trigger, "there was no time to look at it again")


def _blind(pictures: Iterable[tuple[int, Planes]], trigger: Trigger, camera: Camera) -> Verdict:
    return cannot_tell(trigger, "nothing here can look at pictures again")


def stage_ms(trigger: Trigger, now_ms: int, looked_ms: int) -> int | None:
    """The longest stage whose pictures are there at ``now_ms``; None if that is no news."""
    whole = [stage for stage in STAGES_MS if trigger.time_ms + stage <= now_ms]
    return whole[-1] if whole and whole[-1] > looked_ms else None


def cannot_tell(trigger: Trigger, why: str) -> Verdict:
    """No verdict on a trigger, and why."""
    return Verdict(
        confirmed=None, score=0.0, kind=trigger.kind, time_ms=trigger.time_ms,
        time_uncertainty_s=0.0, onset_ms=None, box=trigger.box, reason=why,
    )  # fmt: skip
