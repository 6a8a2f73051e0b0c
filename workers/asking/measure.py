"""One pass over a recording's window: the real trigger, as it would have watched a camera.

Called by ``causeway ask FILE`` and ``bench sampling``, in a thread. Nothing is known to it but
the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from monitor.config.models import Camera
from monitor.domain import Evidence, Incident, Severity, Trigger, Window
from monitor.media.decode import planes
from monitor.media.recording import Recording
from monitor.trigger import WIDTH_PX, CameraTrigger
from monitor.trigger.incident import absorb, chief
from workers.asking.changes import Changes
from workers.asking.seen import LONGEST_MS, Progress

_LEAD_MS: Final = 15_000  # before the window: what the empty scene looks like
_ORDER: Final = tuple(Severity)
_CAMERA: Final = Camera(id="file", url=SecretStr("rtsp://127.0.0.1/file"))


@dataclass(frozen=True, slots=True)
class Measured:
    """What a pass found. Times are the recording's."""

    window: Window  # from the first to the last picture there is
    times_ms: tuple[int, ...]  # of every picture in the window
    evidence: tuple[Evidence, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    changes_ms: tuple[int, ...] = ()

    def incidents(self) -> list[Incident]:
        """What the triggers add up to, the gravest first."""
        changes = absorb(None, self.triggers, _CAMERA.id, _CAMERA.trigger.merge_s)
        found = {change.incident.id: change.incident for change in changes}
        return sorted(
            found.values(),
            key=lambda one: (-_ORDER.index(one.severity), -chief(one).score, one.start_ms),
        )


def measure(
    recording: Recording, start_ms: int, end_ms: int | None, *, traffic: bool, progress: Progress
) -> Measured:
    """Look at every picture from start to end, at most ``LONGEST_MS`` of them.

    ``traffic``: with the trigger; otherwise only where the picture changes.
    """
    end_ms = start_ms + LONGEST_MS if end_ms is None else min(end_ms, start_ms + LONGEST_MS)
    trigger, changes = CameraTrigger(_CAMERA), Changes()
    times: list[int] = []
    evidence: list[Evidence] = []
    triggers: list[Trigger] = []
    begin_ms = max(0, start_ms - _LEAD_MS) if traffic else start_ms
    known_ms = recording.duration_ms or end_ms
    expected_ms = max(1, min(end_ms, known_ms) - begin_ms)
    for found in recording.frames(begin_ms, end_ms):
        progress(min(1.0, (found.time_ms - begin_ms) / expected_ms))
        if found.time_ms >= start_ms:
            times.append(found.time_ms)
        if not traffic:
            if changes.wants(found.time_ms):
                changes.look(found.time_ms, planes(recording.upright(found.frame), WIDTH_PX).y)
        elif trigger.wants(found.time_ms):
            small = planes(recording.upright(found.frame), WIDTH_PX)
            result = trigger.step(found.time_ms, small)
            evidence += result.evidence
            triggers += result.triggers
    window = Window(times[0], times[-1]) if times else Window(start_ms, start_ms)
    return Measured(
        window,
        tuple(times),
        tuple(one for one in evidence if window.start_ms <= one.time_ms <= window.end_ms),
        tuple(one for one in triggers if window.start_ms <= one.time_ms <= window.end_ms),
        tuple(changes.times_ms()),
    )
