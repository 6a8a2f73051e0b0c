"""What stands on the roadway: a stopped vehicle in flowing traffic, and a queue.

A vehicle is in the way when others pass it, when it stands longer than any red, or when the view's
memory knows the place well and ``aftermath`` finds the stop unexpected: then after three seconds.
Always back-dated to when it came to rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger import aftermath
from monitor.trigger.blobs import PixelBox
from monitor.trigger.classify import is_part_only
from monitor.trigger.moment import Moment
from monitor.trigger.track import Track

_DROVE_M_S: Final = 3.0  # before it stood; a person does not
_STOOD_S: Final = 6.0
_SOON_S: Final = 3.0  # where standing is unexpected
_PASSES: Final = 2
_LONG_S: Final = 150.0  # longer than any red
_SURE_S: Final = 90.0  # longer than most; before it, passing alone may be a turning lane's green
_UNSURE: Final = 0.9
_LASTS_S: Final = 20.0
_LASTS_WAITS: Final = 3.0
_LASTS_PASSES: Final = 3
_WELL_KNOWN: Final = 0.5
_TELL_AGAIN_S: Final = 10.0
_BESIDE_M: Final = 6.5
_SAME_WAY: Final = 0.6
_WAITED_S: Final = 2.0
_QUEUE: Final = 3
_QUEUE_GAP_M: Final = 14.0
_QUEUE_PAUSE_S: Final = 60.0
_SAME_LANE_M: Final = 2.0
_LONGEST: Final = 2.0  # a bus or lorry against a typical vehicle


@dataclass(slots=True)
class _Standing:
    since_s: float
    box: PixelBox
    heading: np.ndarray  # the way it drove, on the ground
    place: np.ndarray
    free_s: float  # since when it stands behind nobody
    odd_angle: bool = False
    passed_by: set[int] = field(default_factory=set)
    told_s: float = -1e9
    sure: bool = False  # that was told


class StandingWatch:
    """Follows vehicles that came to rest, and teaches the road where waiting is usual."""

    def __init__(self) -> None:
        self._standing: dict[int, _Standing] = {}
        self._queue_told_s = -1e9

    def step(self, moment: Moment) -> list[Evidence]:
        vehicles = moment.vehicles()
        self._update(moment, vehicles)
        found = []
        for track in vehicles:
            standing = self._standing.get(track.id)
            if standing is None:
                continue
            self._count_passes(moment, standing, track, vehicles)
            evidence = self._stopped_in_lane(moment, standing, track, vehicles)
            if evidence is not None:
                found.append(evidence)
        return found + self._queue(moment, vehicles)

    def _update(self, moment: Moment, vehicles: list[Track]) -> None:
        present = {track.id: track for track in vehicles}
        for key, standing in list(self._standing.items()):
            track = present.get(key)
            if track is None or track.moving:
                del self._standing[key]
                stood_s = moment.now_s - standing.since_s
                if track is not None and stood_s > _WAITED_S:
                    passed = len(standing.passed_by) >= _PASSES
                    box = moment.fractions(standing.box)
                    moment.memory.waited(box, stood_s, passed=passed)
        for track in vehicles:
            if track.id in self._standing or track.standing_since_s is None:
                continue
            if track.drove_m_s < _DROVE_M_S:
                continue
            heading = _heading_before(moment, track, track.standing_since_s)
            if heading is None:
                continue
            place = moment.plane.to_ground(track.foot[None, :])[0]
            self._standing[track.id] = _Standing(
                track.standing_since_s, track.box, heading, place,
                track.standing_since_s,
                aftermath.stands_at_odd_angle(moment, track, track.standing_since_s),
            )  # fmt: skip

    @staticmethod
    def _count_passes(
        moment: Moment, standing: _Standing, track: Track, vehicles: list[Track]
    ) -> None:
        """A vehicle passes when it crosses the line abreast of the standing one, going its way.

        One that comes to rest farther on only rolled up beside it: both wait for the same.
        """
        for other in vehicles:
            if not other.moving:
                standing.passed_by.discard(other.id)
            if other is track or not other.moving or other.id in standing.passed_by:
                continue
            times, path = other.ground(
                moment.plane, max(standing.since_s, moment.now_s - 1.0), whole=False
            )
            if len(times) < 3:
                continue
            relative = path - standing.place
            along = relative @ standing.heading
            across = relative @ np.array([-standing.heading[1], standing.heading[0]])
            way = path[-1] - path[0]
            length = float(np.hypot(*way))
            if (
                along[0] < 0.0 < along[-1]
                and moment.plane.metres(float(np.abs(across).min())) < _BESIDE_M
                and moment.plane.metres(length) > 1.0
                and float(way @ standing.heading) > _SAME_WAY * length
            ):
                standing.passed_by.add(other.id)

    def _stopped_in_lane(
        self, moment: Moment, standing: _Standing, track: Track, vehicles: list[Track]
    ) -> Evidence | None:
        stood = moment.now_s - standing.since_s
        if stood < _SOON_S or is_part_only(track, moment.plane):
            return None
        foot_x, foot_y = track.foot
        if not moment.on_roadway(foot_x, foot_y - 0.1 * track.box.height):
            return None
        if _stands_behind_another(moment, standing, track, vehicles):
            standing.free_s = moment.now_s
            return None
        waits = moment.now_s - standing.free_s  # with nobody ahead: moving off takes its time
        if waits < _SOON_S:
            return None
        box = moment.fractions(standing.box)
        known = aftermath.known_place(moment, track)
        passes = len(standing.passed_by)
        usual = moment.memory.is_waiting_place(box)
        unexpected = 0.0 if usual else self._unexpected(moment, standing, track, vehicles)
        sure = track.history[-1].whole and _lasts(
            waits, passes, known, moment.memory.usual_wait_s(box)
        )
        # At many a red light nobody passes; at a bay or beside a turning lane they do.
        passing_is_usual = usual and moment.memory.is_passed(box)
        in_the_way = waits >= _STOOD_S and (
            (passes >= _PASSES and not passing_is_usual) or sure or waits > _LONG_S
        )
        if unexpected < aftermath.UNEXPECTED and not in_the_way:
            return None
        strength = max(unexpected, 0.4 + 0.1 * passes + stood / 120.0)
        if not (sure or waits > _SURE_S):
            strength = min(_UNSURE, strength)
        if moment.now_s - standing.told_s < _TELL_AGAIN_S and not (sure and not standing.sure):
            return None
        standing.told_s, standing.sure = moment.now_s, sure
        return moment.evidence(
            EvidenceKind.STOPPED_IN_LANE,
            track,
            standing.since_s,
            strength=1.0 if sure else strength,
            time_uncertainty_s=0.5,
            value=stood,
            unit="s",
            uncertainty=0.5,
            box=track.box,
        )

    def _unexpected(
        self, moment: Moment, standing: _Standing, track: Track, vehicles: list[Track]
    ) -> float:
        """How unexpected its standing is, by what is around it; see ``aftermath``."""
        known = aftermath.known_place(moment, track)
        if known == 0.0:
            return 0.0
        in_line = {
            key
            for key, other in self._standing.items()
            if key != track.id and _in_line(moment, standing, other)
        }
        behind = any(
            float((standing.place - self._standing[key].place) @ standing.heading) > 0.0
            and self._standing[key].since_s >= standing.since_s
            for key in in_line
        )
        signs = aftermath.Signs(
            known=known,
            stood_s=moment.now_s - standing.since_s,
            passes=len(standing.passed_by),
            queue_behind=behind,
            another_beside=aftermath.another_beside(track, vehicles, in_line),
            odd_angle=standing.odd_angle,
            person_near=aftermath.person_near(moment, track),
        )
        return signs.weight

    def _queue(self, moment: Moment, vehicles: list[Track]) -> list[Evidence]:
        """Three or more that stand in one line, each close to the next."""
        if moment.now_s - self._queue_told_s < _QUEUE_PAUSE_S:
            return []
        standing = [
            (track, self._standing[track.id]) for track in vehicles if track.id in self._standing
        ]
        for track, one in standing:
            behind = [
                float((one.place - other.place) @ one.heading)
                for _, other in standing
                if other is not one and _in_line(moment, one, other)
            ]
            gaps = np.diff([0.0, *sorted(gap for gap in behind if gap > 0.0)])
            length = 1 + int(
                np.argmin([*(moment.plane.metres(g) < _QUEUE_GAP_M for g in gaps), False])
            )
            if length >= _QUEUE:
                self._queue_told_s = moment.now_s
                last_s = max(other.since_s for _, other in standing)
                return [
                    moment.evidence(
                        EvidenceKind.QUEUE,
                        track,
                        last_s,
                        strength=0.4 + 0.1 * length,
                        time_uncertainty_s=0.5,
                        value=float(length),
                        uncertainty=0.5,
                    )
                ]
        return []


def _lasts(stood_s: float, passes: int, known: float, usual_wait_s: float) -> bool:
    """Whether it stood far longer than anybody waits at a well-known place, and was driven past.

    Who comes to a red light at any time waits half as long as it lasts, on the average, and at
    most as long: three times that no light explains, nor a bus's stop.
    """
    long_s = max(_LASTS_S, _LASTS_WAITS * usual_wait_s)
    return known >= _WELL_KNOWN and passes >= _LASTS_PASSES and stood_s >= long_s


def _heading_before(moment: Moment, track: Track, rest_s: float) -> np.ndarray | None:
    times, path = track.ground(moment.plane, rest_s - 3.0, whole=False)
    if len(times) < 4:
        return None
    way = path[-1] - path[0]
    length = float(np.hypot(*way))
    if moment.plane.metres(length) < 1.5:
        return None
    heading: np.ndarray = way / length
    return heading


def _in_line(moment: Moment, one: _Standing, other: _Standing) -> bool:
    relative = other.place - one.place
    across = abs(float(relative @ np.array([-one.heading[1], one.heading[0]])))
    return (
        moment.plane.metres(across) < _SAME_LANE_M
        and float(one.heading @ other.heading) > _SAME_WAY
    )


def _stands_behind_another(
    moment: Moment, standing: _Standing, track: Track, vehicles: list[Track]
) -> bool:
    """Whether another vehicle stands close ahead: then that one is in the way, not this."""
    for other in vehicles:
        if other is track or other.moving:
            continue
        place = moment.plane.to_ground(other.foot[None, :])[0]
        relative = place - standing.place
        along = moment.plane.metres(float(relative @ standing.heading))
        across = moment.plane.metres(
            abs(float(relative @ np.array([-standing.heading[1], standing.heading[0]])))
        )
        # Of a bus whose front is nearest to us the place is its front: all of it is in between.
        usual = moment.plane.vehicle_size_px(float(other.foot[1]))
        longer = min(_LONGEST, max(1.0, other.box.size / usual))
        if 0.0 < along < longer * _QUEUE_GAP_M and across < longer * _SAME_LANE_M:
            return True
    return False
