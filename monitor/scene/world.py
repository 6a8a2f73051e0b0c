"""The world while it is simulated: every step moves all vehicles, then looks for contacts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from monitor.scene.collision import PULSE_S, Contact, collide, crush, sliding_decel
from monitor.scene.decisions import Caution, at_signal, attitude, following, wants_to_pass
from monitor.scene.driver import GRAVITY
from monitor.scene.layout import LANE_WIDTH_M
from monitor.scene.signals import SignalPlan
from monitor.scene.vehicles import Mode, Vehicle

TYRE_FRICTION = 0.8
LAMP_ON_DECEL = 0.85  # harder than the engine alone slows a car
LAMP_OFF_DECEL = 0.3
FOOT_ON_BRAKE = 0.5  # m/s
CRAWL = 3.0  # m/s; slower than this the foot stays on the brake until the car is to move on
COMFORT_JERK = 9.0
BRAKING_JERK = 38.0  # pedal and hydraulics: full braking within 0.2 s
COASTING_DECEL = 1.15  # engine drag, rolling and air resistance
LANE_CHANGE_S = 3.4
CLEAR_OF_LANE_M = 1.3  # from the new lane's middle: the body has left the old lane
BESIDE = {"out_right": "out_left", "in_right": "in_left"}


@dataclass(frozen=True, slots=True)
class Manoeuvre:
    """What a scenario has one driver do. ``until_s`` hands back to the IDM."""

    vehicle: int
    at_s: float
    mode: Mode
    decel: float = 0.0
    until_s: float = math.inf
    hazards_after_s: float | None = None


@dataclass(slots=True)
class World:
    """Mutable on purpose: stepped by ``monitor.scene.simulation`` and by nothing else."""

    vehicles: list[Vehicle]
    plan: SignalPlan
    manoeuvres: tuple[Manoeuvre, ...] = ()
    cautions: list[Caution] = field(default_factory=list)
    passers: tuple[int, ...] = ()  # who changes lanes round a standing vehicle
    step_s: float = 0.01
    time_s: float = 0.0
    contacts: list[Contact] = field(default_factory=list)

    def step(self) -> None:
        """Advance by one step."""
        lanes = self._lanes()
        pairs = [
            (vehicle, queue[i - 1] if i else None)
            for lane, queue in lanes.items()
            for i, vehicle in enumerate(queue)
            if vehicle.lane == lane
        ]
        commands = [(vehicle, self._command(vehicle, leader)) for vehicle, leader in pairs]
        for vehicle, leader in pairs:
            if leader is not None and vehicle.id in self.passers:
                self._pass(vehicle, leader, lanes)
        for vehicle, command in commands:
            self._move(vehicle, command)
        self.time_s += self.step_s
        for vehicle, leader in pairs:
            if leader is not None and self._overlap(vehicle, leader):
                self._touch(vehicle, leader)

    def _lanes(self) -> dict[str, list[Vehicle]]:
        """Vehicles per lane, foremost first; one that changes lanes is in both."""
        lanes: dict[str, list[Vehicle]] = {}
        for vehicle in self.vehicles:
            lanes.setdefault(vehicle.lane, []).append(vehicle)
            if vehicle.leaving_lane is not None and abs(vehicle.offset) > CLEAR_OF_LANE_M:
                lanes.setdefault(vehicle.leaving_lane, []).append(vehicle)
        for queue in lanes.values():
            queue.sort(key=lambda v: -v.s)
        return lanes

    def _command(self, vehicle: Vehicle, leader: Vehicle | None) -> float:
        """The acceleration the driver asks for."""
        if vehicle.mode is Mode.STRUCK:
            return -sliding_decel()
        for manoeuvre in self.manoeuvres:
            if manoeuvre.vehicle == vehicle.id and (
                manoeuvre.at_s <= self.time_s < manoeuvre.until_s
            ):
                vehicle.mode = manoeuvre.mode
                if manoeuvre.hazards_after_s is not None and vehicle.hazards_since_s is None:
                    vehicle.hazards_since_s = self.time_s + manoeuvre.hazards_after_s
                coasting = manoeuvre.mode is Mode.COASTING
                return -(COASTING_DECEL if coasting else manoeuvre.decel)
        vehicle.mode = Mode.DRIVING
        driver = attitude(vehicle, self.cautions, self.time_s)
        command = following(vehicle, leader, driver, self.step_s)
        held = at_signal(vehicle, driver, self.plan, self.time_s)
        return command if held is None else min(command, held)

    def _move(self, vehicle: Vehicle, command: float) -> None:
        """Integrate one step: jerk and friction limit what the driver gets."""
        step = self.step_s
        limit = TYRE_FRICTION * GRAVITY
        command = max(-limit, min(command, limit))
        jerk = BRAKING_JERK if command < -3.0 or vehicle.accel < -3.0 else COMFORT_JERK
        change = max(-jerk * step, min(command - vehicle.accel, jerk * step))
        accel = vehicle.accel + change
        if vehicle.speed <= 0.0 and command <= 0.0:
            accel = 0.0
        self._lamp(vehicle, command)
        push = self._push(vehicle)
        speed = vehicle.speed + (accel + push) * step
        if speed <= 0.0 and accel + push < 0.0:
            # Comes to rest within the step: it does not roll back.
            vehicle.s += max(0.0, -(vehicle.speed**2) / (2.0 * (accel + push)))
            speed, accel = 0.0, 0.0
        else:
            vehicle.s += (vehicle.speed + speed) / 2.0 * step
        vehicle.speed, vehicle.accel = speed, accel
        vehicle.trail_s.append(vehicle.rear_s)
        vehicle.trail_speed.append(speed)
        self._sideways(vehicle)

    def _lamp(self, vehicle: Vehicle, command: float) -> None:
        if vehicle.mode is Mode.COASTING:
            vehicle.brake_lamp = False
        elif vehicle.mode in (Mode.PANIC, Mode.STRUCK) or command < -LAMP_ON_DECEL:
            vehicle.brake_lamp = True
        elif vehicle.speed < FOOT_ON_BRAKE and command < 0.1:
            vehicle.brake_lamp = True  # who stands, or creeps to a stand, holds the car
        elif command > -LAMP_OFF_DECEL and (vehicle.speed > CRAWL or command > 0.1):
            vehicle.brake_lamp = False

    def _push(self, vehicle: Vehicle) -> float:
        """Acceleration from the contact force."""
        push = 0.0
        for contact in self.contacts:
            # Mid-step, so that the pulse's sum is the impulse.
            force = contact.force(self.time_s + self.step_s / 2.0)
            if vehicle.id == contact.striking:
                push -= force / vehicle.spec.mass_kg
            elif vehicle.id == contact.struck:
                push += force / vehicle.spec.mass_kg
        return push

    def _overlap(self, follower: Vehicle, leader: Vehicle) -> bool:
        """Whether bumpers meet: side by side is no contact."""
        beside = abs(follower.offset - leader.offset)
        if leader.lane != follower.lane:
            beside = abs(LANE_WIDTH_M - abs(leader.offset))
        wide = (follower.spec.width_m + leader.spec.width_m) / 2.0
        return follower.front_s >= leader.rear_s and beside < wide

    def _touch(self, follower: Vehicle, leader: Vehicle) -> None:
        known = next(
            (c for c in self.contacts if (c.striking, c.struck) == (follower.id, leader.id)), None
        )
        if known is None:
            # When within the step it happened: both move evenly over so short a time.
            overlap = follower.front_s - leader.rear_s
            closing = follower.speed - leader.speed
            early = min(overlap / closing, self.step_s) if closing > 0.0 else 0.0
            self.contacts.append(collide(self.time_s - early, follower, leader))
        elif self.time_s > known.time_s + PULSE_S and follower.speed > leader.speed:
            follower.speed = leader.speed
        crush(follower, leader)

    def _sideways(self, vehicle: Vehicle) -> None:
        """Lane changes, and the skew of the struck, which grows while they slide."""
        if vehicle.mode is Mode.STRUCK and vehicle.speed > 0.05:
            share = min(1.0, self.step_s / 0.25)
            vehicle.yaw += (vehicle.skew_yaw - vehicle.yaw) * share
            vehicle.offset += (vehicle.skew_offset - vehicle.offset) * share
        if vehicle.leaving_lane is None:
            return
        done = min((self.time_s - vehicle.change_start_s) / LANE_CHANGE_S, 1.0)
        before = vehicle.offset
        vehicle.offset = vehicle.change_from * (1.0 + math.cos(math.pi * done)) / 2.0
        if vehicle.speed > 0.5:
            drift = (vehicle.offset - before) / self.step_s
            vehicle.yaw = math.atan2(drift, vehicle.speed)
        if done >= 1.0:
            vehicle.leaving_lane, vehicle.yaw = None, 0.0

    def _pass(self, vehicle: Vehicle, leader: Vehicle, lanes: dict[str, list[Vehicle]]) -> None:
        target = BESIDE.get(vehicle.lane)
        if target is None or not wants_to_pass(vehicle, leader, lanes.get(target, [])):
            return
        vehicle.leaving_lane, vehicle.lane = vehicle.lane, target
        vehicle.change_start_s = self.time_s
        vehicle.change_from = -LANE_WIDTH_M  # it starts to the right of its new lane
        vehicle.offset = vehicle.change_from
