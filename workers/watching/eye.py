"""Decoding and the trigger for one camera: access units in, what was seen out. No I/O.

Runs in a thread, one call at a time per camera. Every access unit is decoded, since later ones
refer to it; only pictures that the trigger wants are resized and looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitor.config.models import Camera
from monitor.domain import AccessUnit, CodecParameters, Evidence, Trigger, ViewCondition
from monitor.domain.base import Box
from monitor.errors import MediaError
from monitor.media.decode import DecodedFrame, Decoder, planes
from monitor.trigger import WIDTH_PX, CameraTrigger

_UNDECODABLE_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch of access units showed."""

    evidence: tuple[Evidence, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    view: ViewCondition = ViewCondition.WARMING_UP
    looked_at: int = 0  # pictures
    broken: int = 0  # access units that could not be decoded


class Eye:
    """Looks at one camera's video."""

    def __init__(self, camera: Camera, *, first_track: int = 1, look_from_ms: int = 0) -> None:
        """Pictures before ``look_from_ms`` are decoded only: a replay shifts its sampling so."""
        self._trigger = CameraTrigger(camera, first_track=first_track)
        self._look_from_ms = look_from_ms
        self._decoder: Decoder | None = None
        self._view = ViewCondition.WARMING_UP
        self._good_ms: int | None = None
        self._size = (1, 1)

    def use(self, params: CodecParameters) -> None:
        """Another generation begins; its first access unit must be a key one."""
        self._decoder = Decoder(params)

    def bodies(self) -> tuple[tuple[int, Box], ...]:
        """Track and place of every body that is followed now, for drawing."""
        width, height = self._size
        return tuple(
            (t.id, (t.box.x / width, t.box.y / height, t.box.width / width, t.box.height / height))
            for t in self._trigger.tracker.tracks
        )

    def look(self, units: Sequence[AccessUnit], *, tell_after_ms: int) -> Seen:
        """All that the units show; what was decided at or before a time is not told again."""
        evidence: list[Evidence] = []
        triggers: list[Trigger] = []
        looked_at = broken = 0
        for unit in units:
            try:
                frames = [] if self._decoder is None else self._decoder.decode(unit)
            except MediaError:
                broken += 1
                frames = []
            if frames:
                self._good_ms = unit.entry_ms
            elif unit.entry_ms - (self._good_ms or units[0].entry_ms) > _UNDECODABLE_MS:
                self._view = ViewCondition.UNDECODABLE
            for frame in frames:
                if frame.capture_ms < self._look_from_ms:
                    continue
                if not self._trigger.wants(frame.capture_ms):
                    continue
                looked_at += 1
                found = self._step(frame)
                if frame.capture_ms > tell_after_ms:
                    evidence += found[0]
                    triggers += found[1]
        return Seen(tuple(evidence), tuple(triggers), self._view, looked_at, broken)

    def _step(self, frame: DecodedFrame) -> tuple[tuple[Evidence, ...], tuple[Trigger, ...]]:
        picture = planes(frame.frame, WIDTH_PX)
        self._size = (picture.y.shape[1], picture.y.shape[0])
        result = self._trigger.step(frame.capture_ms, picture)
        self._view = result.view
        return result.evidence, result.triggers
