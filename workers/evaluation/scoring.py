"""Which events a replay found, and what it called that was nothing. Pure; docs/eval.md explains.

All rules are of time, in seconds of the clip. An event is found when something is decided in
[start - 1, peak + 3]; with look-back, also when it is decided by peak + 15 and its moment lies
within 2 s of the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from monitor.domain.base import Box
from workers.evaluation.catalogue import Entry, Label
from workers.evaluation.found import Found, Replay
from workers.evaluation.spans import Span, apart, holds, length_s, union, without

BEFORE_S: Final = 1.0
AFTER_S: Final = 3.0
LOOK_BACK_S: Final = 15.0
BACK_DATED_S: Final = 2.0
SAME_NUISANCE_S: Final = 5.0
"""Candidates this close are one nuisance: they start one query."""
NEAR: Final = 0.1
"""Of the picture: how far outside a labelled place a box's middle may lie."""
CONTACT: Final = "contact"

Zone = Literal["normal", "pre_roll", "after"]
ZONES: Final[tuple[Zone, ...]] = ("normal", "pre_roll", "after")


@dataclass(frozen=True, slots=True)
class EventScore:
    """One scored event at one phase. Times are None where it was not found."""

    label: Label
    found: bool
    with_look_back: bool
    alerted: bool
    alerted_with_look_back: bool
    delay_s: float | None
    alert_delay_s: float | None
    contact_error_s: float | None
    located: bool | None  # None where it was not found or the label has no place
    chance: float  # that a window of this length elsewhere holds a candidate
    scattered: float  # that one would, were the clip's candidates strewn over it by chance
    by: Found | None  # the candidate, or the one that looked back

    @property
    def counts(self) -> bool:
        """A miss of an event that begins at once does not count."""
        return self.with_look_back or self.alerted or not self.label.may_be_missed


@dataclass(frozen=True, slots=True)
class ClipScore:
    """One clip at one phase."""

    events: tuple[EventScore, ...]
    false_alarm_s: dict[Zone, float]
    nuisances: dict[Zone, tuple[Found, ...]]
    alert_nuisances: dict[Zone, tuple[Found, ...]]


def window(label: Label) -> Span:
    """When an event is found at once."""
    return label.start_s - BEFORE_S, label.peak_s + AFTER_S


def score(entry: Entry, replay: Replay, elsewhere: Sequence[tuple[Span, Replay]] = ()) -> ClipScore:
    """``elsewhere``: false-alarm time of other clips, for chance where this clip has none left."""
    free = free_spans(entry, replay)
    events = tuple(
        _event(label, entry, replay, [(span, replay) for span in free], elsewhere)
        for label in entry.scored
    )
    zones: dict[Zone, list[Span]] = {zone: [] for zone in ZONES}
    for span in free:
        zones[_zone(entry, span)].append(span)
    return ClipScore(
        events,
        {zone: length_s(spans) for zone, spans in zones.items()},
        {zone: _nuisances(replay.candidates, entry, zones[zone]) for zone in ZONES},
        {zone: _nuisances(replay.alerts, entry, zones[zone]) for zone in ZONES},
    )


def free_spans(entry: Entry, replay: Replay) -> list[Span]:
    """The clip's false-alarm time: watched, and outside every event that is not normal."""
    return without(
        [(replay.armed_s, replay.end_s)],
        [
            (label.start_s - BEFORE_S, max(label.end_s, label.peak_s + AFTER_S))
            for label in entry.labels
            if label.role != "normal"
        ],
    )


def looks_back(found: Found, label: Label) -> bool:
    """Decided late, but about the event."""
    return (
        label.start_s - BEFORE_S <= found.decided_s <= label.peak_s + LOOK_BACK_S
        and abs(found.time_s - label.start_s) <= BACK_DATED_S
    )


def chance_of(windows_s: float, spots: Sequence[tuple[Span, Sequence[float]]]) -> float | None:
    """Share of the places for a window of a length that would hold one of the times.

    ``spots``: spans, and the times in or around each. Exact: a time covers the starts up to one
    window's length before it. None where the window fits nowhere.
    """
    room = covered = 0.0
    for (start, end), times in spots:
        last = end - windows_s
        if last <= start:
            continue
        room += last - start
        covered += length_s(
            union((max(start, t - windows_s), min(last, t)) for t in times if start <= t <= end)
        )
    return covered / room if room > 0 else None


def scattered(windows_s: float, watched_s: float, count: int) -> float:
    """That one of ``count`` times strewn evenly over ``watched_s`` falls into the window."""
    if watched_s <= 0:
        return 0.0
    return float(1.0 - (1.0 - min(1.0, windows_s / watched_s)) ** count)


def _event(
    label: Label,
    entry: Entry,
    replay: Replay,
    here: Sequence[tuple[Span, Replay]],
    elsewhere: Sequence[tuple[Span, Replay]],
) -> EventScore:
    at_once = _first(replay.candidates, lambda f: holds([window(label)], f.decided_s))
    late = at_once or _first(replay.candidates, lambda f: looks_back(f, label))
    alert = _first(replay.alerts, lambda f: holds([window(label)], f.decided_s))
    alert_late = alert or _first(replay.alerts, lambda f: looks_back(f, label))
    start, end = window(label)
    seen_s = max(0.0, min(end, replay.end_s) - max(start, replay.armed_s))
    chance = chance_of(seen_s, _times(here))
    if chance is None:
        chance = chance_of(seen_s, _times(elsewhere))
    groups = apart([f.decided_s for f in replay.candidates], SAME_NUISANCE_S)
    return EventScore(
        label=label,
        found=at_once is not None,
        with_look_back=late is not None,
        alerted=alert is not None,
        alerted_with_look_back=alert_late is not None,
        delay_s=None if at_once is None else at_once.decided_s - label.start_s,
        alert_delay_s=None if alert is None else alert.decided_s - label.start_s,
        contact_error_s=_contact_error(label, replay) if label.type == "collision" else None,
        located=_located(label, replay, late),
        chance=chance or 0.0,
        scattered=scattered(seen_s, replay.end_s - replay.armed_s, len(groups)),
        by=late,
    )


def _first(found: Sequence[Found], fits: Callable[[Found], bool]) -> Found | None:
    return min((f for f in found if fits(f)), key=lambda f: f.decided_s, default=None)


def _times(spots: Sequence[tuple[Span, Replay]]) -> list[tuple[Span, list[float]]]:
    return [(span, [f.decided_s for f in replay.candidates]) for span, replay in spots]


def _contact_error(label: Label, replay: Replay) -> float | None:
    """Stated minus labelled time of the surest contact that a second look confirmed around it."""
    start, end = window(label)
    stated = [
        one
        for one in replay.judged
        if one.confirmed and one.kind == CONTACT and start <= one.time_s <= end
    ]
    if not stated:
        return None
    return max(stated, key=lambda one: one.score).time_s - label.start_s


def _located(label: Label, replay: Replay, found: Found | None) -> bool | None:
    """Whether any candidate in the window points to the labelled place."""
    if label.box is None or found is None:
        return None
    fits = [
        f for f in replay.candidates if holds([window(label)], f.decided_s) or looks_back(f, label)
    ]
    return any(f.box is not None and is_near(f.box, label.box) for f in fits)


def is_near(box: Box, place: Box) -> bool:
    """Whether a box's middle lies in a place, or close to it."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return (
        place[0] - NEAR <= x <= place[0] + place[2] + NEAR
        and place[1] - NEAR <= y <= place[1] + place[3] + NEAR
    )


def _zone(entry: Entry, span: Span) -> Zone:
    begins = [label.start_s for label in entry.labels if label.role in ("scored", "unsure")]
    if not begins:
        return "normal"
    return "pre_roll" if span[0] < min(begins) else "after"


def _nuisances(found: Sequence[Found], entry: Entry, spans: Sequence[Span]) -> tuple[Found, ...]:
    """Found in false-alarm time, one per ``SAME_NUISANCE_S``; looking back at an event is none."""
    false = [
        f
        for f in found
        if holds(spans, f.decided_s) and not any(looks_back(f, label) for label in entry.scored)
    ]
    kept = apart([f.decided_s for f in false], SAME_NUISANCE_S)
    return tuple(next(f for f in false if f.decided_s == time_s) for time_s in kept)
