"""The incidents of one clip, kept as watch's desk keeps them, second looks included.

A second look is over when its pictures are there: two seconds after its moment where it confirms
then, else four, or at the clip's end. On the street it comes later by what it takes to compute,
and by its turn. It never sees the
lead-in.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from monitor.config.models import Camera
from monitor.domain import Evidence, Incident, IncidentStatus, Trigger
from monitor.trigger.incident import absorb, chief, due, is_closed, settled
from monitor.trigger.remeasured import remeasured
from workers.evaluation.found import Found, Judged, Measured
from workers.evaluation.lead_in import START_MS, Played
from workers.watching.look_back import (
    AFTER_MS,
    BEFORE_MS,
    STAGES_MS,
    Examine,
    Part,
    look_back,
    stage_ms,
)


class Book:
    """``file`` what the eye tells and ``look_again`` as time goes on; then read the rest."""

    def __init__(self, camera: Camera, played: Played, examine: Examine) -> None:
        self.alerts: list[Found] = []
        self.judged: list[Judged] = []
        self.evidence: list[Measured] = []
        self._camera = camera
        self._examine = examine
        self._end_ms = played.end_ms
        self._parts: list[Part] = [
            (params, [unit for unit in units if unit.capture_ms >= START_MS])
            for params, units in played.parts
        ]
        self._incidents: dict[str, Incident] = {}
        self._log: dict[str, Evidence] = {}  # as watch's evidence log: the last word on each id
        self._looked: dict[Trigger, tuple[int, float]] = {}  # the stage without a word, its CPU ms
        self._alerted: dict[str, int] = {}  # incident -> its place among the alerts

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """As they stand now, by time."""
        return tuple(sorted(self._incidents.values(), key=lambda one: (one.start_ms, one.id)))

    @property
    def log(self) -> tuple[Evidence, ...]:
        """What analyse would read of the evidence log, by time."""
        return tuple(sorted(self._log.values(), key=lambda one: (one.time_ms, one.id)))

    def note(self, evidence: Iterable[Evidence]) -> None:
        """What was measured live; the same id again replaces what was measured before."""
        self._log |= {item.id: item for item in evidence}

    def file(self, triggers: list[Trigger]) -> None:
        """What was decided at one moment."""
        if not triggers:
            return
        kept = sorted(self._incidents.values(), key=lambda one: (one.start_ms, one.id))
        latest = next(
            (one for one in reversed(kept) if one.status is not IncidentStatus.DISMISSED), None
        )
        closed = [one for one in kept if one is not latest and is_closed(one)]
        for change in absorb(
            latest, triggers, self._camera.id, self._camera.trigger.merge_s, closed,
        ):  # fmt: skip
            self._keep(change.incident)

    def look_again(self, now_ms: int | None) -> None:
        """All second looks whose window has ended by ``now_ms``; None: the clip is over."""
        limit_ms = self._end_ms if now_ms is None else now_ms
        while ready := [
            (*self._stage(trigger), incident.id, trigger)
            for incident in self._incidents.values()
            if (trigger := due(incident)) is not None and self._stage(trigger)[0] <= limit_ms
        ]:
            over_ms, stage, name, trigger = min(ready, key=lambda one: one[:3])
            self._look(self._incidents[name], trigger, over_ms, stage)

    def _stage(self, trigger: Trigger) -> tuple[int, int]:
        """When the next look at a trigger can be over, and how far after its moment it sees."""
        looked_ms, _ = self._looked.get(trigger, (0, 0.0))
        for after_ms in STAGES_MS:
            over_ms = max(trigger.time_ms + after_ms, trigger.decided_ms)
            stage = stage_ms(trigger, over_ms, looked_ms)
            if stage is not None and over_ms <= self._end_ms:
                return over_ms, stage
        return self._end_ms, AFTER_MS

    def _look(self, incident: Incident, trigger: Trigger, over_ms: int, stage: int) -> None:
        parts = self._window(trigger)
        began_s = time.thread_time()
        verdict = look_back(self._examine, parts, trigger, self._camera, after_ms=stage)
        cpu_ms = (time.thread_time() - began_s) * 1000 + self._looked.get(trigger, (0, 0.0))[1]
        if not verdict.confirmed and stage < AFTER_MS:
            self._looked[trigger] = (stage, cpu_ms)
            return
        begin_ms = max(trigger.time_ms - BEFORE_MS, START_MS)
        end_ms = min(trigger.time_ms + stage, self._end_ms)
        self.judged.append(
            Judged(
                clip_s(trigger.time_ms), clip_s(over_ms), clip_s(verdict.time_ms),
                verdict.confirmed, verdict.score, verdict.kind.value, verdict.box, verdict.reason,
                cpu_ms, max(0, end_ms - begin_ms) / 1000,
            )
        )  # fmt: skip
        if verdict.confirmed:
            self.evidence += [measured_of(item, over_ms) for item in verdict.evidence]
            among = remeasured(verdict.evidence, tuple(self._log.values()), incident)
            verdict = replace(verdict, evidence=among)
            self.note(among)
        self._keep(settled(incident, trigger, verdict, over_ms))

    def _keep(self, incident: Incident) -> None:
        known = self._alerted.get(incident.id)
        if known is None and incident.status is IncidentStatus.ALERTED:
            self._alerted[incident.id] = len(self.alerts)
            self.alerts.append(found_of(chief(incident)))
        elif known is not None and incident.status is IncidentStatus.DISMISSED:
            self.alerts[known] = replace(self.alerts[known], taken_back=True)
        self._incidents[incident.id] = incident

    def _window(self, trigger: Trigger) -> list[Part]:
        """From the key access unit before the window on, as watch cuts the ring."""
        begin_ms, end_ms = trigger.time_ms - BEFORE_MS, trigger.time_ms + AFTER_MS
        parts: list[Part] = []
        for params, units in self._parts:
            first = max(
                (n for n, unit in enumerate(units) if unit.is_key and unit.entry_ms <= begin_ms),
                default=0,
            )
            parts.append((params, [unit for unit in units[first:] if unit.entry_ms <= end_ms]))
        return [(params, units) for params, units in parts if units]


def clip_s(wall_ms: int) -> float:
    """Seconds of the clip."""
    return (wall_ms - START_MS) / 1000


def found_of(trigger: Trigger) -> Found:
    """A trigger in seconds of the clip."""
    return Found(
        clip_s(trigger.decided_ms), clip_s(trigger.time_ms), trigger.score,
        trigger.kind.value, trigger.box, trigger.reason,
    )  # fmt: skip


def measured_of(item: Evidence, decided_ms: int) -> Measured:
    """Evidence in seconds of the clip."""
    return Measured(
        clip_s(decided_ms), clip_s(item.time_ms), item.kind.value, item.strength, item.track,
        item.value, item.unit, item.box,
    )  # fmt: skip
