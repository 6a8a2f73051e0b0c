"""How a driver chooses an acceleration: the Intelligent Driver Model with a reaction time.

IDM: Treiber, Hennecke, Helbing, "Congested traffic states in empirical observations and
microscopic simulations", Phys. Rev. E 62, 1805 (2000), eqs. 2 and 3. The reaction time follows
the Human Driver Model (Treiber, Kesting, Helbing, Physica A 360, 71 (2006)): a driver acts on
what the leader did ``reaction_s`` ago, carried forward at the speed it then had.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

GRAVITY = 9.81
EXPONENT = 4.0


@dataclass(frozen=True, slots=True)
class Driver:
    """The IDM's parameters, in SI units."""

    desired_speed: float
    time_gap_s: float = 1.4
    standstill_gap_m: float = 2.2
    max_accel: float = 1.3
    comfortable_decel: float = 1.7
    reaction_s: float = 0.4


def desired_gap(driver: Driver, speed: float, closing_speed: float) -> float:
    """The IDM's s*, metres: what the driver would like to keep ahead."""
    dynamic = speed * driver.time_gap_s + speed * closing_speed / (
        2.0 * math.sqrt(driver.max_accel * driver.comfortable_decel)
    )
    return driver.standstill_gap_m + max(0.0, dynamic)


def free_acceleration(driver: Driver, speed: float) -> float:
    """On an empty road; above the desired speed never harder than comfortable."""
    accel: float = driver.max_accel * (1.0 - (speed / driver.desired_speed) ** EXPONENT)
    return max(accel, -driver.comfortable_decel)


def idm_acceleration(driver: Driver, speed: float, gap_m: float, closing_speed: float) -> float:
    """Acceleration behind a leader whose rear bumper is ``gap_m`` ahead."""
    ratio = desired_gap(driver, speed, closing_speed) / max(gap_m, 0.1)
    return free_acceleration(driver, speed) - driver.max_accel * ratio * ratio


def equilibrium_gap(driver: Driver, speed: float) -> float:
    """The gap at which the IDM neither brakes nor accelerates behind an equally fast leader."""
    room = 1.0 - (speed / driver.desired_speed) ** EXPONENT
    return desired_gap(driver, speed, 0.0) / math.sqrt(max(room, 1e-3))


def time_gap_for(driver_speed_limit: float, speed: float, gap_m: float, standstill: float) -> float:
    """The IDM's T that makes ``gap_m`` the equilibrium gap at ``speed``: the inverse of above."""
    room = math.sqrt(1.0 - (speed / driver_speed_limit) ** EXPONENT)
    return (gap_m * room - standstill) / speed
