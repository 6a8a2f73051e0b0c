"""The conditions that hours can be rendered in: light, wet, rain, wind, the sensor."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from monitor.scene.light import Light

Condition = Literal["day", "night", "rain"]
CONDITIONS: Final[tuple[Condition, ...]] = get_args(Condition)


@dataclass(frozen=True, slots=True)
class Weather:
    """``wet``: how strongly the road mirrors, 0 to 1. ``rain``: streaks in the air, 0 to 1.

    ``headlights``: how much brighter than its surroundings a lit lamp is, 0 unlit.
    ``street_light``: what a lamp post adds under it, in parts of the light that is there.
    ``drift``: how far exposure wanders, as a part. ``shake_px``: of a picture 640 wide.
    """

    condition: Condition
    light: Light
    wet: float = 0.0
    rain: float = 0.0
    headlights: float = 0.0
    street_light: float = 0.0
    beam: float = 0.0  # what a headlight's pool adds to the road, grey levels of 255
    drift: float = 0.05
    shake_px: float = 0.35


def weather(condition: Condition, rng: random.Random) -> Weather:
    """A condition, varied a little: the sun's place, its haze, the wind."""
    if condition == "day":
        light = Light(
            to_sun=(rng.choice((-1.0, 1.0)) * rng.uniform(0.4, 0.9), rng.uniform(-0.6, 0.3),
                    rng.uniform(0.5, 0.9)),
            shadow=rng.uniform(0.35, 0.52), exposure=rng.uniform(0.93, 1.04), noise=2.2,
        )  # fmt: skip
        return Weather("day", light, shake_px=rng.uniform(0.15, 0.5))
    if condition == "rain":
        light = Light(
            to_sun=(0.05, -0.1, 1.0), ambient=0.74, diffuse=0.12, shadow=0.16,
            exposure=rng.uniform(0.62, 0.76), noise=3.4, haze=(150, 147, 143),
            haze_m=rng.uniform(170.0, 260.0),
        )  # fmt: skip
        return Weather(
            "rain", light, wet=1.0, rain=rng.uniform(0.6, 1.0), headlights=0.55, beam=16.0,
            drift=0.04, shake_px=rng.uniform(0.3, 0.7),
        )  # fmt: skip
    light = Light(
        to_sun=(0.0, 0.0, 1.0), ambient=0.8, diffuse=0.1, shadow=0.0,
        exposure=rng.uniform(0.19, 0.25), noise=5.0, haze=(20, 15, 13), haze_m=420.0,
    )  # fmt: skip
    return Weather(
        "night", light, wet=rng.choice((0.12, 0.12, 0.55)), headlights=1.0, street_light=2.6,
        beam=50.0, drift=0.03, shake_px=rng.uniform(0.15, 0.5),
    )  # fmt: skip


def still(conditions: Weather) -> Weather:
    """The same without a moving camera, wandering exposure and noise, for looking closely."""
    return replace(conditions, drift=0.0, shake_px=0.0, light=replace(conditions.light, noise=0.0))
