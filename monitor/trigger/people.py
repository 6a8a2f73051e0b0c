"""People on the roadway: from the first step onto where vehicles drive, and who crosses a lane.

That somebody is on the roadway supports other evidence. By itself it is news only of who walks
across a lane, where the memory knows the only direction in which vehicles drive, and where people
do not usually cross; that is what this teaches the memory, too. A vehicle's window, lamp or
reflection looks like a person at times: it moves along the lane, or not at all.
"""

from __future__ import annotations

import math
from typing import Final

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.moment import Moment
from monitor.trigger.track import Sample, Track

LOWEST: Final = 0.4
HIGHEST: Final = 0.95
"""A person's height against a typical vehicle's size on the same row: 1.7 m over 2.7 m is 0.63."""
ACROSS: Final = 0.6
FOR_S: Final = 1.0

_MIN_SAMPLES: Final = 4
_LIKE_A_PERSON: Final = 0.5
_WELL_IN: Final = 0.35
_ALONG_COSINE: Final = 0.85
_LEAST_HEIGHT: Final = 0.04  # of the picture: in less, a drop of rain is as like a person


class PeopleWatch:
    """Tells each person's stepping onto the roadway once, and again if they cross a lane."""

    def __init__(self) -> None:
        self._told: set[int] = set()
        self._crossing: set[int] = set()

    def step(self, moment: Moment) -> list[Evidence]:
        present = {track.id for track in moment.tracks}
        self._told &= present
        self._crossing &= present
        found = []
        for track in moment.tracks:
            if track.actor is not Actor.PEDESTRIAN:
                continue
            on_road = [
                s for s in track.history if s.measured and moment.on_roadway(*track.foot_of(s))
            ]
            if len(on_road) < _MIN_SAMPLES:
                continue
            crossed_s = self._crosses(moment, track, on_road)
            if crossed_s is None and track.id in self._told:
                continue
            self._told.add(track.id)
            found.append(
                moment.evidence(
                    EvidenceKind.PEDESTRIAN_IN_ROAD,
                    track,
                    on_road[0].time_s,
                    strength=0.3 + 0.6 * track.person_score,
                    time_uncertainty_s=0.4,
                    value=crossed_s,
                    unit="" if crossed_s is None else "s",
                )
            )
        return found

    def _crosses(self, moment: Moment, track: Track, on_road: list[Sample]) -> float | None:
        """For how long somebody has been crossing a lane where nobody does; None: they are not."""
        if not _is_upright(moment, track):
            return None
        lane = [s for s in on_road if _is_in_lane(moment, track, s)]
        if len(lane) < _MIN_SAMPLES:
            return None
        lasted_s = lane[-1].time_s - lane[0].time_s
        if lasted_s < FOR_S or lane[-1].time_s < moment.now_s - FOR_S:
            return None
        if not _goes_across(moment, track, lane):
            return None
        usual = self._is_usual(moment, track, lane)
        for place in {_place(moment, track, s) for s in lane}:
            moment.memory.crossed(track.id, *place)
        if usual or track.id in self._crossing:
            return None
        self._crossing.add(track.id)
        return lasted_s

    @staticmethod
    def _is_usual(moment: Moment, track: Track, lane: list[Sample]) -> bool:
        usual = sum(moment.memory.is_crossing(*_place(moment, track, s)) for s in lane)
        return 2 * usual >= len(lane)


def _place(moment: Moment, track: Track, sample: Sample) -> tuple[float, float]:
    x, y = track.foot_of(sample)
    return float(x) / moment.width_px, float(y) / moment.height_px


def _is_in_lane(moment: Moment, track: Track, sample: Sample) -> bool:
    """Well inside the roadway, where vehicles drive one way only."""
    place = _place(moment, track, sample)
    usual = moment.memory.usual_direction(*place)
    return usual is not None and usual.is_one_way and moment.memory.flow_share(*place) >= _WELL_IN


def _is_upright(moment: Moment, track: Track) -> bool:
    if track.box.height < _LEAST_HEIGHT * moment.height_px:
        return False
    height = track.box.height / moment.plane.vehicle_size_px(float(track.foot[1]))
    return LOWEST <= height <= HIGHEST and track.person_score >= _LIKE_A_PERSON


def _goes_across(moment: Moment, track: Track, lane: list[Sample]) -> bool:
    """Whether its way through the lane is its own, by a good part of its height."""
    first, last = track.foot_of(lane[0]), track.foot_of(lane[-1])
    dx, dy = last[0] - first[0], last[1] - first[1]
    length = math.hypot(dx, dy)
    usual = moment.memory.usual_direction(*_place(moment, track, lane[len(lane) // 2]))
    if usual is None or length < ACROSS * track.box.height:
        return False
    return abs(usual.dx * dx + usual.dy * dy) < _ALONG_COSINE * length
