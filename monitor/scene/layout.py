"""Where everything is: the roads, lanes, lines and crosswalks of the one intersection.

World axes in metres: x to the right, y along the main road away from the camera, z up; the
origin lies on the main road's centre line. Traffic keeps to the right. Pure constants and
arithmetic; drawing is elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

LANE_WIDTH_M = 3.5
MAIN_HALF_M = 7.0  # two lanes each way
PAVEMENT_M = 2.6  # width of the pavement beside the main road
CROSS_Y_M = (36.5, 46.5)  # the side road's two kerbs
NEAR_CROSSWALK_Y_M = (29.6, 33.2)
FAR_CROSSWALK_Y_M = (49.6, 53.0)
CAR_PARK_X_M = (13.6, 35.2)  # beside the road, out of everybody's way
CAR_PARK_Y_M = (3.0, 22.0)
BAY_M = 2.7
CROSS_LINE_M = 10.5  # stop lines of the side road, |x|


@dataclass(frozen=True, slots=True)
class Lane:
    """A straight lane. ``s`` is metres from its origin along its direction."""

    id: str
    origin: tuple[float, float]
    direction: tuple[float, float]
    stop_s: float  # where a red signal holds traffic
    signal: str  # which signal group it obeys: "main" or "side"

    def point(self, s: float, offset: float = 0.0) -> tuple[float, float]:
        """World position of ``s``; ``offset`` is metres to the left of the lane's middle."""
        dx, dy = self.direction
        return (self.origin[0] + s * dx - offset * dy, self.origin[1] + s * dy + offset * dx)

    def s_of(self, coordinate: float) -> float:
        """``s`` of a world y (main road) or x (side road)."""
        dx, dy = self.direction
        if dy:
            return (coordinate - self.origin[1]) / dy
        return (coordinate - self.origin[0]) / dx


_FAR = 900.0


def _lane(
    lane_id: str, origin: tuple[float, float], direction: tuple[float, float], stop_at: float
) -> Lane:
    distance = abs(stop_at - (origin[1] if direction[1] else origin[0]))
    return Lane(lane_id, origin, direction, distance, "main" if direction[1] else "side")


LANES: dict[str, Lane] = {
    lane.id: lane
    for lane in (
        _lane("out_right", (5.25, -_FAR), (0.0, 1.0), 27.8),
        _lane("out_left", (1.75, -_FAR), (0.0, 1.0), 27.8),
        _lane("in_right", (-5.25, _FAR), (0.0, -1.0), 55.0),
        _lane("in_left", (-1.75, _FAR), (0.0, -1.0), 55.0),
        _lane("side_east", (-_FAR, 39.0), (1.0, 0.0), -CROSS_LINE_M),
        _lane("side_west", (_FAR, 44.0), (-1.0, 0.0), CROSS_LINE_M),
    )
}
"""``out_*`` drives away from the camera, ``in_*`` towards it; *right* is the kerb side."""


def on_roadway(x: float, y: float) -> bool:
    """Whether a point on the ground lies between the kerbs."""
    return abs(x) < MAIN_HALF_M or CROSS_Y_M[0] < y < CROSS_Y_M[1]
