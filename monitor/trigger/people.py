"""A person on the roadway: from the first step onto where vehicles drive."""

from __future__ import annotations

from typing import Final

from monitor.domain import Actor, Evidence, EvidenceKind
from monitor.trigger.moment import Moment

_MIN_SAMPLES: Final = 4


class PeopleWatch:
    """Tells each person's stepping onto the roadway once."""

    def __init__(self) -> None:
        self._told: set[int] = set()

    def step(self, moment: Moment) -> list[Evidence]:
        self._told &= {track.id for track in moment.tracks}
        found = []
        for track in moment.tracks:
            if track.actor is not Actor.PEDESTRIAN or track.id in self._told:
                continue
            on_road = [
                s.time_s for s in track.history
                if s.measured and moment.on_roadway(*track.foot_of(s))
            ]  # fmt: skip
            if len(on_road) < _MIN_SAMPLES:
                continue
            self._told.add(track.id)
            found.append(
                moment.evidence(
                    EvidenceKind.PEDESTRIAN_IN_ROAD,
                    track,
                    on_road[0],
                    strength=0.3 + 0.6 * track.person_score,
                    time_uncertainty_s=0.4,
                )
            )
        return found
