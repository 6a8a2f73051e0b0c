"""Brake lamps: a red rise on both sides of a vehicle's rear at once, in the V plane.

V is the red difference, at half the analysed size. A lamp is the reddest few percent of the left
and of the right half; the lesser of the two counts, above the median of the body's box, so that
neither a red car nor a single indicator is a brake lamp.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.domain import Evidence, EvidenceKind
from monitor.trigger.blobs import PixelBox
from monitor.trigger.moment import Moment
from monitor.trigger.track import Track

Image = npt.NDArray[np.uint8]

_MIN_RISE: Final = 14.0  # levels of V
_MIN_NOISES: Final = 3.5
_TOP_SHARE: Final = 0.04
_MIN_CHROMA_PX: Final = 5
_OLD_S: Final = (1.4, 0.45)
_NEW_PICTURES: Final = 2
_PAUSE_S: Final = 1.5
_AT_REST_S: Final = 1.5
_HIDDEN: Final = 0.2


@dataclass(slots=True)
class _Lamps:
    seen: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=24))
    told_s: float = -1e9


class LampWatch:
    """Follows the redness of every vehicle's rear."""

    def __init__(self) -> None:
        self._lamps: dict[int, _Lamps] = {}
        self._every_other = False

    def pass_over(self) -> None:
        """A picture slept through; every other one is looked at all the same."""
        self._every_other = not self._every_other

    def step(self, moment: Moment, red: Image) -> list[Evidence]:
        """``red``: the V plane, half as large as the analysed picture."""
        self._every_other = not self._every_other
        if not self._every_other:
            return []
        present = {track.id for track in moment.tracks}
        self._lamps = {key: one for key, one in self._lamps.items() if key in present}
        found = []
        for track in moment.vehicles():
            if track.seen_s < moment.now_s or not _shows_its_rear(track):
                continue
            if track.standing_since_s is not None and (
                moment.now_s - track.standing_since_s > _AT_REST_S
            ):
                continue  # a standing vehicle's lamps flash for other reasons
            if _hidden_share(track, moment) > _HIDDEN:
                continue
            level = lamp_level(red, track.box)
            if level is None:
                continue
            lamps = self._lamps.setdefault(track.id, _Lamps())
            lamps.seen.append((moment.now_s, level))
            evidence = self._onset(moment, track, lamps)
            if evidence is not None:
                found.append(evidence)
        return found

    @staticmethod
    def _onset(moment: Moment, track: Track, lamps: _Lamps) -> Evidence | None:
        now = moment.now_s
        if now - lamps.told_s < _PAUSE_S or len(lamps.seen) < _NEW_PICTURES + 3:
            return None
        old = [level for time_s, level in lamps.seen if _OLD_S[1] <= now - time_s <= _OLD_S[0]]
        if len(old) < 3:
            return None
        new = [level for _, level in lamps.seen][-_NEW_PICTURES:]
        before = median(old)
        noise = 1.5 * median(abs(level - before) for level in old) + 0.7
        rise = median(new) - before
        if rise < max(_MIN_RISE, _MIN_NOISES * noise) or min(new) < before + 0.5 * rise:
            return None
        lamps.told_s = now
        times = [time_s for time_s, level in lamps.seen if level < before + 0.5 * rise]
        lit = next(time_s for time_s, _ in lamps.seen if time_s > times[-1])
        return moment.evidence(
            EvidenceKind.BRAKE_LIGHT_ONSET,
            track,
            (times[-1] + lit) / 2,
            strength=0.3 + rise / 60.0,
            time_uncertainty_s=(lit - times[-1]) / 2 + 0.05,
            value=rise / 255.0,
            uncertainty=noise / 255.0,
        )


def lamp_level(red: Image, box: PixelBox) -> float | None:
    """The lesser of the two sides' redness above the body's; None where it is too small."""
    height, width = red.shape
    half = PixelBox(box.x / 2, box.y / 2, box.width / 2, box.height / 2)
    x, y, w, h = half.clipped(width, height)
    if w < _MIN_CHROMA_PX or h < _MIN_CHROMA_PX - 1:
        return None
    region = red[y : y + h, x : x + w]
    middle = w // 2
    left, right = np.sort(region[:, :middle], axis=None), np.sort(region[:, middle:], axis=None)
    base = (int(left[left.size // 2]) + int(right[right.size // 2])) / 2
    tops = (side[-max(1, round(_TOP_SHARE * side.size)) :].mean() for side in (left, right))
    return float(min(tops)) - base


def _shows_its_rear(track: Track) -> bool:
    """It does not come towards the camera; a standing one keeps its last direction."""
    span = [s for s in track.history if s.measured][-16:]
    if len(span) < 4:
        return False
    down = span[-1].foot_y - span[0].foot_y
    across = abs(span[-1].foot_x - span[0].foot_x)
    return down < 0.25 * across + 0.1 * span[-1].height


def _hidden_share(track: Track, moment: Moment) -> float:
    """The largest share of its box that another body hides, or shows its own lamps in."""
    shares = [
        track.box.overlap(other.box) / track.box.area
        for other in moment.tracks
        if other is not track
    ]
    return max(shares, default=0.0)
