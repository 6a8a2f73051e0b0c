"""Ordinary traffic: vehicles placed along a lane so that nobody needs to brake at the start."""

from __future__ import annotations

import random
from dataclasses import replace

from monitor.scene.driver import Driver, equilibrium_gap
from monitor.scene.layout import LANES
from monitor.scene.vehicles import Shape, Vehicle, VehicleSpec, make_spec


class Fleet:
    """Hands out vehicles with rising ids."""

    def __init__(self, rng: random.Random) -> None:
        self.vehicles: list[Vehicle] = []
        self._rng = rng

    def add(
        self,
        lane: str,
        s: float,
        speed: float,
        driver: Driver,
        *,
        spec: VehicleSpec | None = None,
        role: str = "",
    ) -> Vehicle:
        """One vehicle at a place of its own."""
        vehicle = Vehicle(
            id=len(self.vehicles) + 1,
            spec=spec or make_spec(self._rng),
            driver=driver,
            lane=lane,
            s=s,
            speed=speed,
            role=role,
        )
        self.vehicles.append(vehicle)
        return vehicle

    def driver(self, cruise: float) -> Driver:
        """An ordinary driver."""
        rng = self._rng
        return Driver(
            desired_speed=cruise * rng.uniform(1.0, 1.1),
            time_gap_s=rng.uniform(1.25, 1.75),
            standstill_gap_m=rng.uniform(1.9, 2.7),
            max_accel=rng.uniform(1.15, 1.5),
            comfortable_decel=rng.uniform(1.5, 1.9),
            reaction_s=rng.uniform(0.3, 0.5),
        )

    def flow(
        self, lane: str, front_s: float, back_s: float, cruise: float, mean_gap_s: float
    ) -> None:
        """Fill a lane from ``front_s`` back to ``back_s``, with random time gaps."""
        s = front_s
        while s > back_s:
            driver = self.driver(cruise)
            shape = Shape.BUS if self._rng.random() < 0.05 else None
            spec = make_spec(self._rng, shape)
            if shape is Shape.BUS:
                driver = replace(driver, max_accel=0.9, desired_speed=cruise * 1.02)
            self.add(lane, s, cruise, driver, spec=spec)
            spare = self._rng.expovariate(1.0 / mean_gap_s) * cruise
            s -= spec.length_m + equilibrium_gap(self.driver(cruise), cruise * 0.97) + spare

    def queue(self, lane: str, count: int) -> None:
        """Vehicles that stand at the lane's stop line from the start."""
        s = LANES[lane].stop_s - 1.3
        for _ in range(count):
            spec = make_spec(self._rng)
            vehicle = self.add(lane, s, 0.0, self.driver(10.0), spec=spec)
            vehicle.brake_lamp, vehicle.held_at_signal = True, True
            s -= spec.length_m + self._rng.uniform(2.3, 3.0)
