"""What two vehicles do to each other when the follower's front meets the leader's rear.

Momentum is conserved; the coefficient of restitution is low, as in real bumper-to-bumper
impacts at these speeds. The impulse is spread over a half-sine pulse of 0.1 s (typical of
measured crash pulses), during which the bodies are crushed by as much as they overlap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.scene.driver import GRAVITY
from monitor.scene.vehicles import Mode, Vehicle

RESTITUTION = 0.12
PULSE_S = 0.10
SLIDING_FRICTION = 0.62


@dataclass(frozen=True, slots=True)
class Contact:
    """The striking vehicle ran into the struck one."""

    time_s: float
    striking: int
    struck: int
    closing_speed: float
    impulse_ns: float  # newton seconds

    def force(self, time_s: float) -> float:
        """Newtons between the two at a time: half a sine whose integral is the impulse."""
        since = time_s - self.time_s
        if not 0.0 <= since <= PULSE_S:
            return 0.0
        return self.impulse_ns * math.pi / (2.0 * PULSE_S) * math.sin(math.pi * since / PULSE_S)


def collide(time_s: float, follower: Vehicle, leader: Vehicle) -> Contact:
    """Make the contact of two vehicles; both stop driving and slide to rest, slightly skewed."""
    closing = follower.speed - leader.speed
    reduced = follower.spec.mass_kg * leader.spec.mass_kg
    reduced /= follower.spec.mass_kg + leader.spec.mass_kg
    eccentric = follower.offset - leader.offset
    lever = math.copysign(min(abs(eccentric) + 0.15, 0.6), eccentric if eccentric else 1.0)
    turn = math.radians(0.9) * closing * lever / 0.4
    for vehicle, share in ((follower, 1.0), (leader, -0.55)):
        vehicle.mode = Mode.STRUCK
        vehicle.skew_yaw = share * max(-0.16, min(0.16, turn))
        vehicle.skew_offset = vehicle.offset + share * 0.03 * closing * math.copysign(1.0, lever)
    return Contact(time_s, follower.id, leader.id, closing, (1.0 + RESTITUTION) * reduced * closing)


def crush(follower: Vehicle, leader: Vehicle) -> None:
    """Dent both by half of what they overlap; metal does not spring back."""
    overlap = follower.front_s - leader.rear_s
    if overlap > 0.0:
        follower.crush_front_m += overlap / 2.0
        leader.crush_rear_m += overlap / 2.0


def sliding_decel() -> float:
    """m/s^2 of a struck vehicle with its brakes on."""
    return SLIDING_FRICTION * GRAVITY
