"""What every detector gets to see at one moment, and how it states what it measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.domain import Actor, Box, Evidence, EvidenceKind
from monitor.trigger.blobs import PixelBox
from monitor.trigger.ground import GroundPlane
from monitor.trigger.normal import SceneMemory
from monitor.trigger.track import Track

FAR_M_PER_PX: Final = 0.6
"""Farther off, an error of one pixel is more than braking takes in a tenth of a second; nearer
than this each detector weighs its own error (``position_sigma_m``) against what it measures."""

UNSEEN_M_PER_PX: Final = 2.6
"""Farther off, bodies are not followed: nearer ones teach what is roadway before they are near."""

FLOW_PX: Final = 0.3  # error of a body's position by its flow
HORIZON_SHARE: Final = 0.025  # of the height: error of a horizon that sizes taught


@dataclass(frozen=True, slots=True)
class Moment:
    """The scene after one picture. ``now_s`` counts from ``origin_ms``."""

    now_s: float
    origin_ms: int
    tracks: Sequence[Track]
    plane: GroundPlane
    memory: SceneMemory
    width_px: int
    height_px: int

    def wall_ms(self, time_s: float) -> int:
        return self.origin_ms + round(time_s * 1000)

    def vehicles(self) -> list[Track]:
        return [track for track in self.tracks if track.actor is Actor.VEHICLE]

    def on_roadway(self, x_px: float, y_px: float) -> bool:
        """Whether vehicles drive over this point of the picture."""
        return self.memory.is_roadway(x_px / self.width_px, y_px / self.height_px)

    def fractions(self, box: PixelBox) -> Box:
        """The box as fractions of the picture, not cut to it."""
        width, height = self.width_px, self.height_px
        return box.x / width, box.y / height, box.width / width, box.height / height

    def is_measurable(self, track: Track, far_m_per_px: float = FAR_M_PER_PX) -> bool:
        """Whether the body is near enough for its speed to mean anything."""
        foot_x, foot_y = track.foot
        if foot_y <= self.plane.horizon_px + 1.0:
            return False
        return self.plane.metres_per_px(float(foot_x), float(foot_y)) <= far_m_per_px

    def position_sigma_m(self, track: Track) -> float:
        """Error of the body's position along its course, in metres: that of its flow."""
        speed = float(np.hypot(*track.velocity))
        if speed < 1.0:
            return FLOW_PX * self.plane.metres_per_px(float(track.foot[0]), float(track.foot[1]))
        step = np.stack([track.foot - track.velocity / speed, track.foot])
        there = self.plane.to_ground(step)
        return FLOW_PX * self.plane.metres(float(np.hypot(*(there[1] - there[0]))))

    def scale_error(self, track: Track) -> float:
        """Share by which lengths along the road may be wrong where the body is.

        They go as one over the square of the distance from the horizon, which is learned; 0 with
        calibration, at most 1.
        """
        if self.plane.calibrated:
            return 0.0
        below = max(1.0, float(track.foot[1]) - self.plane.horizon_px)
        return min(1.0, 2.0 * HORIZON_SHARE * self.height_px / below)

    def fraction_box(self, box: PixelBox) -> Box:
        """The box as fractions of the picture, cut to it."""
        left = min(max(box.x / self.width_px, 0.0), 1.0)
        top = min(max(box.y / self.height_px, 0.0), 1.0)
        right = min(max((box.x + box.width) / self.width_px, 0.0), 1.0)
        bottom = min(max((box.y + box.height) / self.height_px, 0.0), 1.0)
        return (round(left, 4), round(top, 4), round(right - left, 4), round(bottom - top, 4))

    def evidence(
        self,
        kind: EvidenceKind,
        track: Track,
        time_s: float,
        *,
        strength: float,
        time_uncertainty_s: float,
        key_s: float | None = None,
        other: Track | None = None,
        value: float | None = None,
        unit: str = "",
        uncertainty: float | None = None,
        box: PixelBox | None = None,
    ) -> Evidence:
        """``key_s`` names what is measured again later: the time it was first put at."""
        key_ms = self.wall_ms(time_s if key_s is None else key_s)
        return Evidence(
            id=f"{kind.value}-{track.id}-{key_ms}",
            kind=kind,
            time_ms=self.wall_ms(time_s),
            actor=track.actor,
            strength=round(min(1.0, max(0.0, strength)), 3),
            track=track.id,
            other=None if other is None else other.id,
            value=None if value is None else round(value, 3),
            unit=unit,
            uncertainty=None if uncertainty is None else round(uncertainty, 3),
            time_uncertainty_s=round(time_uncertainty_s, 3),
            box=self.fraction_box(track.box_at(time_s) if box is None else box),
        )
