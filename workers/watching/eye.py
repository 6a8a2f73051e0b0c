"""Decoding and the trigger for one camera: access units in, what was seen out. No I/O.

Runs in a thread, one call at a time per camera. While something is in sight every access unit
that others refer to is decoded, and those pictures that the trigger wants are resized and looked
at. While nothing is, ``ladder`` lets the camera sleep from key picture to key picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from monitor.config.models import Camera
from monitor.domain import (
    AccessUnit,
    CodecParameters,
    Evidence,
    EvidenceKind,
    Trigger,
    ViewCondition,
)
from monitor.domain.base import Box
from monitor.errors import MediaError
from monitor.media.decode import DecodedFrame, Decoder, planes
from monitor.media.disposable import is_disposable
from monitor.trigger import WIDTH_PX, CameraTrigger
from monitor.trigger.detector import SharedDetector
from monitor.trigger.normal import SceneMemory
from workers.watching.ladder import Ladder

_UNDECODABLE_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch of access units showed."""

    evidence: tuple[Evidence, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    view: ViewCondition = ViewCondition.WARMING_UP
    looked_at: int = 0  # pictures
    broken: int = 0  # access units that could not be decoded
    slept: int = 0  # access units that were let go undecoded
    scores: tuple[tuple[int, float], ...] = ()  # moments judged, in ms, and their raw scores
    until_ms: int | None = None  # the newest picture that was told of, looked at or slept through


@dataclass(slots=True)
class _Told:
    """What is gathered during one call."""

    after_ms: int
    evidence: list[Evidence] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    looked_at: int = 0
    broken: int = 0
    slept: int = 0
    until_ms: int | None = None


class Eye:
    """Looks at one camera's video."""

    def __init__(
        self,
        camera: Camera,
        *,
        first_track: int = 1,
        look_from_ms: int = 0,
        may_sleep: bool = True,
        memory: SceneMemory | None = None,
        detector: SharedDetector | None = None,
    ) -> None:
        """Pictures before ``look_from_ms`` are decoded only: a replay shifts its sampling so.

        ``memory``: what was learned of the view before.
        """
        self._trigger = CameraTrigger(
            camera, first_track=first_track, memory=memory, detector=detector
        )
        self._look_from_ms = look_from_ms
        self._may_sleep = may_sleep
        self._decoder: Decoder | None = None
        self._params: CodecParameters | None = None
        self._next: CodecParameters | None = None
        self._ladder = Ladder()
        self._view = ViewCondition.WARMING_UP
        self._good_ms: int | None = None
        self._size = (1, 1)

    def use(self, params: CodecParameters) -> None:
        """Another generation begins; its first access unit must be a key one."""
        self._next = params

    def operate_at(self, operating: float) -> None:
        """The raw score from which something is a candidate on this camera."""
        self._trigger.operating = operating

    def leave_out(self, kinds: frozenset[EvidenceKind]) -> None:
        """Evidence of these kinds is neither judged nor told: what a cue is worth."""
        self._trigger.without = kinds

    @property
    def kept_memory(self) -> SceneMemory:
        """What should outlive the process."""
        return self._trigger.kept_memory

    @property
    def memory(self) -> SceneMemory:
        """What is normal in the present view."""
        return self._trigger.memory

    @property
    def detector_note(self) -> str:
        """Why the detector rests; empty while it works, or where there is none."""
        return self._trigger.detector_note

    @property
    def unseen_from_ms(self) -> int | None:
        """``entry_ms`` of the first access unit it sleeps through; None if all were looked at."""
        return self._ladder.kept_from_ms

    def bodies(self) -> tuple[tuple[int, Box], ...]:
        """Track and place of every body that is followed now, for drawing."""
        width, height = self._size
        return tuple(
            (t.id, (t.box.x / width, t.box.y / height, t.box.width / width, t.box.height / height))
            for t in self._trigger.tracks
        )

    def look(self, units: Sequence[AccessUnit], *, tell_after_ms: int) -> Seen:
        """All that the units show; what was decided at or before a time is not told again.

        Asleep it may show nothing yet; a later call then tells what these units showed.
        """
        told = _Told(tell_after_ms)
        for unit in units:
            if self._next is not None:
                self._wake(told)  # what is kept belongs to the old generation
                self._decoder, self._ladder = Decoder(self._next), Ladder()
                self._trigger.fps = self._next.fps
                self._params, self._next = self._next, None
            if self._decoder is not None:
                self._take(unit, told)
            if unit.entry_ms > tell_after_ms:
                told.until_ms = unit.entry_ms
            if unit.entry_ms - (self._good_ms or units[0].entry_ms) > _UNDECODABLE_MS:
                self._view = ViewCondition.UNDECODABLE
        return self._seen(told)

    def catch_up(self, *, tell_after_ms: int) -> Seen:
        """Wake and look at all that is kept: nothing more may come for long."""
        told = _Told(tell_after_ms)
        self._wake(told)
        return self._seen(told)

    def _take(self, unit: AccessUnit, told: _Told) -> None:
        if self._ladder.asleep:
            if unit.is_key:
                self._sleep_on(unit, told)
            elif self._ladder.keep(unit):
                self._good_ms = unit.entry_ms
            else:
                self._wake(told)
            return
        if self._may_sleep and self._ladder.may_sleep(unit, self._trigger.resting_since_ms):
            self._drain(told)
            if self._ladder.may_sleep(unit, self._trigger.resting_since_ms):
                self._sleep_on(unit, told)
                return
        self._decode(unit, told)

    def _sleep_on(self, unit: AccessUnit, told: _Told) -> None:
        """One more GOP, unless its key picture shows that somebody is there."""
        if self._ladder.follows(unit) and self._is_empty(unit, told):
            passed = self._ladder.sleep(unit)
            told.slept += max(0, len(passed) - 1)
            self._trigger.pass_over(one.capture_ms for one in passed)
            return
        self._wake(told)
        self._decode(unit, told)

    def _is_empty(self, unit: AccessUnit, told: _Told) -> bool:
        assert self._decoder is not None
        try:
            frames = self._decoder.decode(unit) + self._decoder.flush()
        except MediaError:
            return False
        if len(frames) != 1:
            return False
        self._good_ms = unit.entry_ms
        glance = self._trigger.glance(unit.capture_ms, planes(frames[0].frame, WIDTH_PX))
        told.looked_at += 1
        if glance.empty:
            self._view = glance.view
        return glance.empty

    def _wake(self, told: _Told) -> None:
        for unit in self._ladder.wake():
            self._decode(unit, told)

    def _drain(self, told: _Told) -> None:
        """Look at the pictures that the decoder still holds back."""
        assert self._decoder is not None
        try:
            frames = self._decoder.flush()
        except MediaError:
            frames = []
        self._look_at(frames, told)

    def _decode(self, unit: AccessUnit, told: _Told) -> None:
        assert self._decoder is not None
        assert self._params is not None
        self._ladder.note(unit, self._trigger.resting_since_ms)
        if not self._is_wanted(unit.capture_ms) and is_disposable(unit.data, self._params.codec):
            self._good_ms = unit.entry_ms
            return
        try:
            frames = self._decoder.decode(unit)
        except MediaError:
            told.broken += 1
            return
        if frames:
            self._good_ms = unit.entry_ms
        self._look_at(frames, told)

    def _is_wanted(self, capture_ms: int) -> bool:
        return capture_ms >= self._look_from_ms and self._trigger.wants(capture_ms)

    def _look_at(self, frames: Sequence[DecodedFrame], told: _Told) -> None:
        for frame in frames:
            if not self._is_wanted(frame.capture_ms):
                continue
            picture = planes(frame.frame, WIDTH_PX)
            self._size = (picture.y.shape[1], picture.y.shape[0])
            result = self._trigger.step(frame.capture_ms, picture)
            self._view = result.view
            told.looked_at += 1
            if frame.capture_ms > told.after_ms:
                told.evidence += result.evidence
                told.triggers += result.triggers
                told.scores += result.scores

    def _seen(self, told: _Told) -> Seen:
        return Seen(
            tuple(told.evidence), tuple(told.triggers), self._view,
            told.looked_at, told.broken, told.slept, tuple(told.scores), told.until_ms,
        )  # fmt: skip
