"""A vehicle that drives against the only direction in which vehicles drive there.

It rests on the view's memory alone: where that knows no direction well, or knows two, nothing is
said. No scale is needed: lengths are the vehicle's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.moment import Moment
from monitor.trigger.track import Track

FOR_S: Final = 1.0
FOR_SIZES: Final = 3.0
MIN_SIZES_S: Final = 0.6
SURE_FOR_S: Final = 2.0
SURE_FOR_SIZES: Final = 6.0

_SEEN: Final = 3  # moments in which it went against
_UNKNOWN_S: Final = 1.0  # without a word of the memory the count begins again
_CHORD_S: Final = 0.4
_FOOT: Final = 0.1  # of the box's height above its lower edge: where the memory is asked
_TELL_AGAIN_S: Final = 10.0
_CANDIDATE: Final = 0.7


@dataclass(slots=True)
class _Against:
    since_s: float
    last_s: float
    seen: int = 0
    firmly: int = 0  # of them where that direction is well known
    sizes: float = 0.0
    told_s: float = -1e9
    sure: bool = False  # that was told


class WrongWayWatch:
    """Follows every vehicle that goes against the flow."""

    def __init__(self) -> None:
        self._going: dict[int, _Against] = {}

    def step(self, moment: Moment) -> list[Evidence]:
        vehicles = {track.id: track for track in moment.vehicles()}
        for key in self._going.keys() - vehicles.keys():
            del self._going[key]
        found = []
        for track in vehicles.values():
            going = self._follow(moment, track)
            if going is None or not _is_meant(going, moment.now_s):
                continue
            sure = _lasts(going, moment.now_s)
            if moment.now_s - going.told_s < _TELL_AGAIN_S and not (sure and not going.sure):
                continue
            going.told_s, going.sure = moment.now_s, sure
            onset_s = _onset(moment, track, going.since_s)
            found.append(
                moment.evidence(
                    EvidenceKind.WRONG_WAY,
                    track,
                    onset_s,
                    strength=1.0 if sure else _CANDIDATE,
                    time_uncertainty_s=_CHORD_S,
                    value=moment.now_s - onset_s,
                    unit="s",
                    uncertainty=_CHORD_S,
                    box=track.box,
                )
            )
        return found

    def _follow(self, moment: Moment, track: Track) -> _Against | None:
        """Its state after this moment; None where it does not go against anything."""
        speed = math.hypot(*track.velocity)
        if track.seen_s < moment.now_s or speed < MIN_SIZES_S * track.box.size:
            return None
        dx, dy = track.velocity / speed
        against = _asked(moment, track.foot[0], track.foot[1], track.box.height, dx, dy)
        going = self._going.get(track.id)
        if against is False:
            self._going.pop(track.id, None)
            return None
        if going is not None and moment.now_s - going.last_s > _UNKNOWN_S:
            del self._going[track.id]
            going = None
        if not against:
            return None
        if going is None:
            going = self._going[track.id] = _Against(moment.now_s, moment.now_s)
        going.sizes += speed * (moment.now_s - going.last_s) / track.box.size
        going.last_s = moment.now_s
        going.seen += 1
        going.firmly += _is_well_known(moment, track)
        return going


def _is_meant(going: _Against, now_s: float) -> bool:
    """Whether it is more than a moment's manoeuvre."""
    return now_s - going.since_s >= FOR_S and going.sizes >= FOR_SIZES and going.seen >= _SEEN


def _lasts(going: _Against, now_s: float) -> bool:
    """Whether it goes on too long and too far for a track that jumped, or for going round."""
    firmly = 2 * going.firmly >= going.seen
    return firmly and now_s - going.since_s >= SURE_FOR_S and going.sizes >= SURE_FOR_SIZES


def _onset(moment: Moment, track: Track, known_s: float) -> float:
    """Back to the first picture of this segment from which on it went against."""
    samples = track.samples(known_s - 20.0)
    onset_s = known_s
    end = len(samples) - 1
    for index in range(end, -1, -1):
        sample = samples[index]
        while end > index and samples[end].time_s - sample.time_s > _CHORD_S:
            end -= 1
        if sample.time_s > known_s or end == index:
            continue
        dx, dy = samples[end].foot_x - sample.foot_x, samples[end].foot_y - sample.foot_y
        length = math.hypot(dx, dy)
        x, y = track.foot_of(sample)
        if length <= 0.0 or _asked(moment, x, y, sample.height, dx / length, dy / length) is False:
            break
        if _asked(moment, x, y, sample.height, dx / length, dy / length):
            onset_s = sample.time_s
    return onset_s


def _is_well_known(moment: Moment, track: Track) -> bool:
    x, y = float(track.foot[0]), float(track.foot[1]) - _FOOT * track.box.height
    usual = moment.memory.usual_direction(x / moment.width_px, y / moment.height_px)
    return usual is not None and usual.well_known


def _asked(
    moment: Moment, x_px: float, y_px: float, height_px: float, dx: float, dy: float
) -> bool | None:
    y_px -= _FOOT * height_px
    return moment.memory.goes_against(
        float(x_px) / moment.width_px, float(y_px) / moment.height_px, float(dx), float(dy)
    )
