"""What a driver decides at one step: how hard to accelerate, whether to stop, whether to pass.

Called by ``monitor.scene.world``; the only thing it changes is the driver's own intentions
(held at a signal, changing lanes).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.scene.driver import Driver, free_acceleration, idm_acceleration
from monitor.scene.layout import LANES
from monitor.scene.signals import Aspect, SignalPlan
from monitor.scene.vehicles import Mode, Vehicle

SIGNAL_DECEL = 1.65  # a driver who would need more than this goes on at amber
STOP_SHORT_M = 1.2  # of the stop line
PASS_LOOKAHEAD_M = 75.0
PASS_ROOM_M = 14.0  # closer behind a standing vehicle there is no swinging out,
PASS_ROOM_S = 2.6  # nor at more speed than this leaves time for


@dataclass(frozen=True, slots=True)
class Caution:
    """From a time on, drivers in these lanes pass a stretch of the main road slowly."""

    from_s: float
    lanes: tuple[str, ...]
    y: tuple[float, float]
    speed: float


def attitude(vehicle: Vehicle, cautions: list[Caution], time_s: float) -> Driver:
    """The driver's parameters here and now."""
    y = LANES[vehicle.lane].point(vehicle.s)[1]
    for caution in cautions:
        if (
            vehicle.lane in caution.lanes
            and time_s >= caution.from_s
            and caution.y[0] <= y <= caution.y[1]
        ):
            speed = min(vehicle.driver.desired_speed, caution.speed)
            return replace(vehicle.driver, desired_speed=speed)
    return vehicle.driver


def perceived(vehicle: Vehicle, leader: Vehicle, step_s: float) -> tuple[float, float]:
    """Gap and closing speed as the driver believes them: the leader of ``reaction_s`` ago."""
    lag = min(round(vehicle.driver.reaction_s / step_s), len(leader.trail_s) - 1)
    if lag <= 0:
        return leader.rear_s - vehicle.front_s, vehicle.speed - leader.speed
    speed = leader.trail_speed[-1 - lag]
    rear = leader.trail_s[-1 - lag] + speed * lag * step_s
    return rear - vehicle.front_s, vehicle.speed - speed


def following(vehicle: Vehicle, leader: Vehicle | None, driver: Driver, step_s: float) -> float:
    """The IDM's acceleration with what the driver perceives."""
    if leader is None:
        return free_acceleration(driver, vehicle.speed)
    gap, closing = perceived(vehicle, leader, step_s)
    return idm_acceleration(driver, vehicle.speed, gap, closing)


def at_signal(vehicle: Vehicle, driver: Driver, plan: SignalPlan, time_s: float) -> float | None:
    """The acceleration towards a closed signal's line; None where it does not hold the driver."""
    lane = LANES[vehicle.lane]
    distance = lane.stop_s - vehicle.s
    if distance < 0.0:
        vehicle.held_at_signal = False
        return None
    aspect = plan.of(lane.signal, time_s)
    if aspect is Aspect.GREEN:
        vehicle.held_at_signal = False
        return None
    if not vehicle.held_at_signal:
        room = max(distance - STOP_SHORT_M, 0.01)
        needed = vehicle.speed**2 / (2.0 * room)
        if needed > SIGNAL_DECEL:
            return None
        vehicle.held_at_signal = True
    standing = replace(driver, standstill_gap_m=STOP_SHORT_M)
    command = idm_acceleration(standing, vehicle.speed, distance, vehicle.speed)
    # Close to the line the IDM, which wants its time gap too, would stamp on the brake.
    gentle = vehicle.speed**2 / (2.0 * max(distance - STOP_SHORT_M, 0.15))
    return max(command, -1.2 * gentle - 0.15)


def wants_to_pass(vehicle: Vehicle, leader: Vehicle, target: list[Vehicle]) -> bool:
    """Whether to leave the lane: a standing or dying vehicle ahead, and room beside."""
    if vehicle.leaving_lane is not None or vehicle.speed < 3.0:
        return False
    gap = leader.rear_s - vehicle.s
    standing = leader.speed < 1.0 and not leader.held_at_signal
    failing = leader.mode in (Mode.COASTING, Mode.STRUCK) and leader.speed < 4.0
    if not (standing or failing):
        return False
    if not max(PASS_ROOM_M, PASS_ROOM_S * vehicle.speed) < gap < PASS_LOOKAHEAD_M:
        return False
    for other in target:
        ahead = other.rear_s - vehicle.s
        behind = vehicle.rear_s - other.s
        if ahead < 0.0 and behind < 0.0:
            return False
        if 0.0 <= ahead < 5.0 + 2.0 * max(vehicle.speed - other.speed, 0.0):
            return False
        if 0.0 <= behind < 6.0 + 2.5 * max(other.speed - vehicle.speed, 0.0):
            return False
    return True
