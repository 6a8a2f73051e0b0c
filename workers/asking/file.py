"""A question about a file: which part of it, what is measured there, which pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from monitor.domain import Incident, Window
from monitor.errors import MediaError
from monitor.media.recording import Recording
from monitor.media.stills import Still
from monitor.query.close_ups import Wish
from monitor.query.question import Shot, shots
from monitor.query.sampling import Budget, plan
from workers.analysis.media import important_times_ms
from workers.asking.measure import Measured, measure
from workers.asking.seen import LONGEST_MS, Progress, Seen, in_thread
from workers.asking.span import shown

_SLACK_MS: Final = 1000  # a file's own idea of its length is not exact
_NO_END: Final = (
    "The end of the file cannot be read: its header says {}, but it may have been cut short. "
    "Pictures are from what there is."
)


@dataclass(frozen=True, slots=True)
class Part:
    """Which part is wanted; all of it where neither is set."""

    last_ms: int | None = None
    at_ms: int | None = None
    before_ms: int = 20_000  # around ``at_ms``
    after_ms: int = 8_000


class FileSource:
    """A ``Source``. A part up to 3 minutes long is measured; a longer file is looked through."""

    def __init__(self, path: Path, part: Part, *, traffic: bool) -> None:
        self._path = path
        self._part = part
        self._traffic = traffic
        self._measured: Measured | None = None
        self._size = (0, 0)

    async def look(self, progress: Progress) -> Seen:
        return await in_thread(self._look, progress)

    async def size(self) -> tuple[int, int]:
        return self._size

    async def shots(
        self, seen: Seen, room: Budget, width: int, progress: Progress
    ) -> tuple[Shot, ...]:
        return await in_thread(lambda tell: self._shots(seen, room, width, tell), progress)

    async def stills(self, wished: Wish, progress: Progress) -> list[Still | None]:
        def take(tell: Progress) -> list[Still | None]:
            with Recording(self._path) as recording:
                times = sorted(wished.times_ms)
                found = recording.stills(times, wished.width, part=wished.part, progress=tell)
            at = dict(zip(times, found, strict=True))
            return [at[time_ms] for time_ms in wished.times_ms]

        return await in_thread(take, progress)

    def _look(self, progress: Progress) -> Seen:
        with Recording(self._path) as recording:
            self._size = (recording.width, recording.height)
            start_ms, end_ms = self._span(recording)
            long = end_ms is not None and end_ms - start_ms > LONGEST_MS
            if long and end_ms is not None and recording.seekable:
                notes: tuple[str, ...] = ()
                if self._traffic:
                    notes = (
                        "Nothing was measured: that is done in up to 3 minutes (--last, --at).",
                    )
                if recording.is_cut_short():
                    notes = (*notes, _NO_END.format(shown(end_ms / 1000)))
                return Seen(self._path.name, Window(start_ms, end_ms), (), False, notes=notes)
            found = measure(
                recording, start_ms, end_ms, traffic=self._traffic, progress=progress
            )  # fmt: skip
            if not found.times_ms:
                raise MediaError(f"{self._path} has no picture there")
            notes = _notes(recording, found, end_ms)
        self._measured = found
        incident = self._incident(found)
        peak_ms = self._part.at_ms
        if peak_ms is None and incident is not None:
            peak_ms = incident.peak_ms
        return Seen(
            self._path.name, found.window, found.evidence, self._traffic,
            incident=incident, peak_ms=peak_ms, notes=notes,
        )  # fmt: skip

    def _span(self, recording: Recording) -> tuple[int, int | None]:
        part, duration_ms = self._part, recording.duration_ms
        if part.at_ms is not None:
            if duration_ms is not None and part.at_ms > duration_ms + _SLACK_MS:
                raise MediaError(
                    f"{shown(part.at_ms / 1000)} is after the end of {self._path}, "
                    f"which is {shown(duration_ms / 1000)} long"
                )
            return max(0, part.at_ms - part.before_ms), part.at_ms + part.after_ms
        if part.last_ms is not None:
            if duration_ms is None:
                raise MediaError(f"{self._path} does not say how long it is: use --at")
            return max(0, duration_ms - part.last_ms), duration_ms + _SLACK_MS
        return 0, duration_ms

    def _incident(self, found: Measured) -> Incident | None:
        """The one that the moment asked about belongs to, else the gravest."""
        incidents, at_ms = found.incidents(), self._part.at_ms
        if at_ms is None:
            return next(iter(incidents), None)
        return min(incidents, key=lambda one: abs(one.peak_ms - at_ms), default=None)

    def _shots(
        self, seen: Seen, room: Budget, width: int, progress: Progress
    ) -> tuple[Shot, ...]:  # fmt: skip
        with Recording(self._path) as recording:
            if self._measured is None:
                stills = recording.overview(
                    room.pairs, width, start_ms=seen.window.start_ms, progress=progress
                )
                return shots([], stills, seen.window)
            times = important_ms(seen, self._measured.changes_ms)
            window = seen.window
            pairs = plan(
                window, [window.t_s(one) for one in times],
                [window.t_s(one) for one in self._measured.times_ms], room,
            )  # fmt: skip
            wanted = sorted(
                {window.start_ms + ms for p in pairs for ms in (p.first_ms, p.second_ms)}
            )
            found = dict(
                zip(wanted, recording.stills(wanted, width, progress=progress), strict=True)
            )
        both = [
            found[window.start_ms + ms] for p in pairs for ms in (p.first_ms, p.second_ms)
        ]  # fmt: skip
        return shots(pairs, both, window)


def important_ms(seen: Seen, changes_ms: Sequence[int] = ()) -> list[int]:
    """Where to look closely, the most important moment first."""
    first = [] if seen.peak_ms is None else [seen.peak_ms]
    if seen.incident is not None:
        rest = important_times_ms(seen.incident, seen.evidence)
    else:
        strongest = sorted(seen.evidence, key=lambda one: (-one.strength, one.time_ms, one.id))
        rest = [one.time_ms for one in strongest]
    return list(dict.fromkeys((*first, *rest, *changes_ms)))


def _notes(recording: Recording, found: Measured, end_ms: int | None) -> tuple[str, ...]:
    notes = []
    if recording.out_of_order:
        notes.append(
            f"{recording.out_of_order} pictures were left out: their times go back or stand still."
        )
    if recording.broken:
        notes.append(f"{recording.broken} pieces of the video could not be decoded.")
    times = found.times_ms
    if recording.duration_ms is not None:
        there_ms = min(recording.duration_ms, end_ms or recording.duration_ms)
        there_ms = min(there_ms, times[0] + LONGEST_MS)
        apart_ms = max((b - a for a, b in pairwise(times)), default=0)
        slack_ms = max(_SLACK_MS, 2 * apart_ms)
        if there_ms - times[-1] > slack_ms and recording.is_cut_short(slack_ms):
            notes.append(
                f"The pictures end at {shown(times[-1] / 1000)}, but the file says that it is "
                f"{shown(recording.duration_ms / 1000)} long: it may have been cut short."
            )
    length_ms = found.window.end_ms - found.window.start_ms
    if (end_ms is None or not recording.seekable) and length_ms > LONGEST_MS - _SLACK_MS:
        notes.append("The file cannot be searched: its first 3 minutes were looked at.")
    return tuple(notes)
