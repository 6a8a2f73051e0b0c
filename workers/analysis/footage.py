"""An incident's video: waiting until it is there, and cutting its window from the ring.

The window starts at the key access unit at or before ``peak - pre_roll`` and ends at
``last trigger + post_roll``. Its start is that unit's capture time, so the window, the clip and
every ``t_s`` have one zero. Where a camera changed its picture's size within the window, the part
that shows the peak is kept (``monitor.media.clip.part_around``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from monitor.buffer.cameras import CameraStore
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.ring import RingReader
from monitor.clock import Clock
from monitor.config.asking import Query
from monitor.domain import AccessUnit, CodecParameters, Incident, Window
from monitor.errors import RingGapError
from monitor.media.clip import part_around

LONGEST_WINDOW_MS: Final = 180_000
STALLED_S: Final = 5.0
"""Neither ring nor watch went on for this long: the camera is gone, go with what there is."""

_POLL_S: Final = (0.25, 2.0)
_LONGEST_WAIT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Footage:
    """The window and its access units, of one generation, from a key one on."""

    window: Window
    units: list[AccessUnit]
    params: CodecParameters


def nominal_window(incident: Incident, query: Query) -> Window:
    """The window as far as it is known without looking at the video."""
    start_ms = incident.peak_ms - round(query.pre_roll_s * 1000)
    end_ms = max(incident.peak_ms, incident.last_ms) + round(query.post_roll_s * 1000)
    return Window(start_ms, min(end_ms, start_ms + LONGEST_WINDOW_MS))


async def wait_for_post_roll(
    incident: Incident,
    *,
    query: Query,
    incidents: IncidentStore,
    ring: RingReader,
    cameras: CameraStore,
    clock: Clock,
) -> Incident:
    """The incident as it is once its window has ended on the ring's own time.

    Both the ring and watch's cursor must have passed the end, so that the evidence is whole; an
    incident that is extended meanwhile is waited for again. Ends early when both stand still.
    """
    began_s = progress_s = clock.monotonic_s()
    seen: tuple[int | None, ...] | None = None
    while True:
        incident = await incidents.get(incident.camera, incident.id) or incident
        end_ms = nominal_window(incident, query).end_ms
        at = (await ring.last_entry_ms(), await cameras.cursor(incident.camera))
        # Up to the end only: a ring that runs on is no sign of life from a watch that does not.
        now = tuple(None if at_ms is None else min(at_ms, end_ms) for at_ms in at)
        if now == (end_ms, end_ms):
            return incident
        now_s = clock.monotonic_s()
        if now != seen:
            seen, progress_s = now, now_s
        if now_s - progress_s >= STALLED_S or now_s - began_s >= _LONGEST_WAIT_S:
            return incident
        far_s = max(end_ms - (at_ms or 0) for at_ms in now) / 2000  # half of what is missing
        await clock.sleep(min(max(_POLL_S[0], far_s), _POLL_S[1]))


async def read_footage(incident: Incident, query: Query, ring: RingReader) -> Footage:
    """Cut the window. ``RingGapError`` where the ring no longer shows the incident's peak."""
    wanted = nominal_window(incident, query)
    start_ms = await ring.key_at_or_before(wanted.start_ms)
    units = await ring.range(wanted.start_ms if start_ms is None else start_ms, wanted.end_ms)
    part = part_around(units, incident.peak_ms)
    if not part or part[0].capture_ms > incident.peak_ms:
        raise RingGapError(f"the ring of {incident.camera} does not show {incident.id} any more")
    params = await ring.codec(part[0].generation)
    if params is None:
        raise RingGapError(f"the codec parameters of {incident.id}'s video are gone")
    last_ms = max(unit.capture_ms for unit in part)
    end_ms = max(incident.peak_ms, min(wanted.end_ms, last_ms))
    return Footage(Window(part[0].capture_ms, end_ms), part, params)
