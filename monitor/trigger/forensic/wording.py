"""What the second look found, in English, and as shares of the picture."""

from __future__ import annotations

import numpy as np

from monitor.domain import Box
from monitor.trigger.forensic.collision import Collision, answered
from monitor.trigger.forensic.impulse import SPAN_S
from monitor.trigger.forensic.window import Window
from monitor.trigger.ground import GroundPlane


def collision_told(collision: Collision, plane: GroundPlane | None) -> str:
    """A change of momentum, who took it over; with speeds where the plane is calibrated."""
    impulse, around = collision.vote.impulse, collision.vote.around
    lost = f"a body lost or turned {100 * min(1.5, impulse.share):.0f} % of its motion"
    if plane is not None and plane.calibrated:
        lost += f" ({_metric(impulse.box, impulse.before, impulse.after, impulse.spread, plane)})"
    took = answered(around)
    met = f", and another took over {100 * took:.0f} % of it" if took > 0.1 else ", nobody answered"
    return f"{lost} within {SPAN_S} s, {len(impulse.kept)} corners agree{met}"


def _metric(
    box: tuple[float, float, float, float],
    before: tuple[float, float],
    after: tuple[float, float],
    sigma_px: float,
    plane: GroundPlane,
) -> str:
    """Speeds on the ground where the body stands, one standard deviation with them."""
    foot = np.array([(box[0] + box[2]) / 2, box[3]])
    speeds = []
    for velocity in (before, after):
        step = np.array([foot, foot + 0.05 * np.array(velocity)])
        there = plane.to_ground(step)
        speeds.append(plane.metres(float(np.hypot(*(there[1] - there[0]))) / 0.05))
    sigma = sigma_px * plane.metres_per_px(float(foot[0]), float(foot[1]))
    return f"{speeds[0]:.1f} to {speeds[1]:.1f} m/s, +-{sigma:.1f}"


def fractions(box: tuple[float, float, float, float], window: Window) -> Box:
    """A box in pixels as left, top, width, height in shares of the picture, inside it."""
    left, top, right, bottom = box
    x, y = max(0.0, left / window.width), max(0.0, top / window.height)
    return (
        round(x, 4), round(y, 4),
        round(min(1.0, right / window.width) - x, 4),
        round(min(1.0, bottom / window.height) - y, 4),
    )  # fmt: skip
