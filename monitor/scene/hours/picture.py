"""A frame of the hours to a picture: backdrop, shadows, who moves from far to near, lamps, air."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from monitor.scene.camera import Array, PinholeCamera
from monitor.scene.drawing import Canvas, Image, Sprite, as_image, glow_of_lamps, vehicle_sprite
from monitor.scene.hours import ground_light
from monitor.scene.hours.figures import cyclist_parts, cyclist_sprite, person_sprite
from monitor.scene.hours.lamps import Lamps, Pools, draw_lamps, lamps_of, reflect
from monitor.scene.hours.sky import Sensor
from monitor.scene.hours.stretch import HourFrame, Walking
from monitor.scene.hours.users import CyclistState
from monitor.scene.hours.weather import Weather
from monitor.scene.light import Light
from monitor.scene.record import FrameState, VehicleState, person_points, vehicle_parts
from monitor.scene.shadows import Shadow, ShadowMask
from monitor.scene.structures import draw_signals
from monitor.scene.vehicles import VehicleSpec

Mover = VehicleState | CyclistState | Walking

_SHADOWS_TO_M: Final = 110.0
_FAINT_SHADOW: Final = 0.2  # under an overcast sky only vehicles show one
_KEEP_PX: Final = 0.08  # who moved less than this in the picture is not drawn anew
_FADE_M: Final = (185.0, 262.0)  # far away bodies melt into the haze
_MIRROR: Final = 0.26  # of a body's light that a wet road gives back


@dataclass(frozen=True, slots=True)
class _Look:
    """Somebody as drawn, kept while they hardly change. ``at``: two points of it in the picture."""

    state: Mover
    at: Array
    depth_m: float
    sprite: Sprite | None
    shadow: Shadow | None


class Painter:
    """Draws one stretch; the same frames give the same pictures. Not thread-safe."""

    def __init__(
        self, camera: PinholeCamera, weather: Weather, size: tuple[int, int], rng: random.Random
    ) -> None:
        self._camera, self._weather, self._size = camera, weather, size
        self._backdrop, self._occluders = ground_light.paint(camera, weather, size)
        self._shadows = ShadowMask(camera, weather.light, size)
        self._pools = Pools(camera, size)
        self._sensor = Sensor(size, weather, rng)
        self._kept: dict[int, _Look] = {}

    def picture(self, frame: HourFrame, specs: dict[int, VehicleSpec]) -> Image:
        """I420, shape (height * 3 / 2, width)."""
        weather = self._weather
        canvas = Canvas(self._backdrop.copy(), self._occluders)
        movers: list[Mover] = [*frame.vehicles, *frame.cyclists, *frame.people]
        looks = [self._look(mover, specs) for mover in movers]
        self._kept = {_id(look.state): look for look in looks}
        if weather.light.shadow > 0.0:
            for look in looks:
                if look.shadow is not None:
                    self._shadows.add(look.shadow)
            self._shadows.darken(canvas)
        lit = self._lamps(canvas, frame.vehicles, specs)
        if weather.wet > 0.4:
            for look in looks:
                mirrored = _mirrored(look.sprite, _MIRROR * weather.wet, self._size[1])
                if mirrored is not None:
                    mirrored.paste(canvas)
        if weather.beam > 0.0:
            self._pools.light(canvas)
        for state, lamps in lit:
            reflect(canvas, lamps, state, weather, self._camera)
        draw_signals(
            canvas, self._camera,
            FrameState(frame.index, frame.time_s, (), (), frame.main, frame.side, frame.walk),
        )  # fmt: skip
        lamps_by = {state.id: lamps for state, lamps in lit}
        for look in sorted(looks, key=lambda look: -look.depth_m):
            if look.sprite is None:
                continue
            look.sprite.paste(canvas)
            if isinstance(look.state, VehicleState):
                self._lit(canvas, look.state, specs[look.state.id], lamps_by.get(look.state.id))
        return self._sensor.expose(canvas.image, frame.index, frame.time_s)

    def _lamps(
        self, canvas: Canvas, vehicles: tuple[VehicleState, ...], specs: dict[int, VehicleSpec]
    ) -> list[tuple[VehicleState, Lamps]]:
        if self._weather.headlights <= 0.0:
            return []
        found = []
        for state in vehicles:
            lamps = lamps_of(self._camera, canvas, specs[state.id], state)
            if lamps is None:
                continue
            found.append((state, lamps))
            if lamps.depth_m < _SHADOWS_TO_M:
                self._pools.add(specs[state.id], state, self._weather.beam / 60.0)
        return found

    def _lit(
        self, canvas: Canvas, state: VehicleState, spec: VehicleSpec, lamps: Lamps | None
    ) -> None:
        if self._weather.headlights <= 0.0:
            glow_of_lamps(canvas, self._camera, spec, state)
        elif lamps is not None:
            draw_lamps(canvas, state, lamps, self._weather, self._camera)

    def _look(self, mover: Mover, specs: dict[int, VehicleSpec]) -> _Look:
        """How somebody looks; who has hardly moved looks as in the last frame."""
        state = replace(mover, accel=0.0) if isinstance(mover, VehicleState) else mover
        kept = self._kept.get(_id(state))
        if kept is not None and kept.state == state:
            return kept
        at = self._marks(state)
        if kept is not None and _same_look(kept.state, state):
            gone = np.abs((kept.at - at) * self._size).max()
            if gone < _KEEP_PX:
                return kept
        return self._drawn(state, at, specs)

    def _marks(self, state: Mover) -> Array:
        x, y = (state.state.x, state.state.y) if isinstance(state, Walking) else (state.x, state.y)
        return self._camera.project(np.array([(x, y, 0.0), (x, y, 1.5)]))

    def _drawn(self, state: Mover, at: Array, specs: dict[int, VehicleSpec]) -> _Look:
        camera = self._camera
        x, y = (state.state.x, state.state.y) if isinstance(state, Walking) else (state.x, state.y)
        far = float(camera.depth(np.array([[x, y, 0.0]]))[0])
        if far < 2.0:
            return _Look(state, at, far, None, None)
        light = self._light_at(x, y)
        sprite: Sprite | None
        if isinstance(state, VehicleState):
            sprite = vehicle_sprite(self._size, camera, light, specs[state.id], state)
            parts = vehicle_parts(specs[state.id], state)
        elif isinstance(state, CyclistState):
            jacket = specs[state.id].paint
            sprite = cyclist_sprite(self._size, camera, light, jacket, state)
            parts = cyclist_parts(state)
        else:
            sprite = person_sprite(
                self._size, camera, light, state.person, state.state, lies=state.lies
            )
            parts = [] if state.lies else [person_points(state.person, state.state, 0.18)]
        if sprite is not None and far > _FADE_M[0]:
            sprite = _faint(sprite, 1.0 - (far - _FADE_M[0]) / (_FADE_M[1] - _FADE_M[0]))
        shadow = None
        strong = self._weather.light.shadow > _FAINT_SHADOW or isinstance(state, VehicleState)
        if parts and far < _SHADOWS_TO_M and self._weather.light.shadow > 0.0 and strong:
            shadow = self._shadows.cast(parts)
        return _Look(state, at, far, sprite, shadow)

    def _light_at(self, x: float, y: float) -> Light:
        """Bodies are brighter under a street lamp."""
        weather = self._weather
        if weather.street_light <= 0.0:
            return weather.light
        here = float(ground_light.street_light(np.array([x]), np.array([y]))[0])
        gain = 1.0 + 0.8 * weather.street_light * round(here * 10.0) / 10.0
        return replace(weather.light, exposure=weather.light.exposure * gain)


def _id(mover: Mover) -> int:
    return mover.person.id if isinstance(mover, Walking) else mover.id


def _same_look(before: Mover, now: Mover) -> bool:
    """Apart from where it is."""
    if isinstance(before, VehicleState) and isinstance(now, VehicleState):
        return (
            before.brake_lamp == now.brake_lamp and before.hazard_lit == now.hazard_lit
            and abs(before.heading - now.heading) < 0.004
        )  # fmt: skip
    return False


def _faint(sprite: Sprite, share: float) -> Sprite:
    share = min(max(share, 0.0), 1.0)
    return replace(
        sprite,
        colour=as_image(cv2.convertScaleAbs(sprite.colour, alpha=share)),
        alpha=as_image(cv2.convertScaleAbs(sprite.alpha, alpha=share)),
    )


def _mirrored(sprite: Sprite | None, share: float, height: int) -> Sprite | None:
    """Upside down below where it stands, blurred along the way to the camera."""
    if sprite is None:
        return None
    rows, columns = sprite.alpha.shape
    high = max(int(rows * 0.8), 1)
    flipped = []
    for layer in (sprite.colour, sprite.alpha):
        upside = cv2.resize(layer[::-1], (columns, high), interpolation=cv2.INTER_AREA)
        soft = cv2.blur(upside, (1, max(3, high // 4)))
        flipped.append(as_image(cv2.convertScaleAbs(soft, alpha=share)))
    y = sprite.y + rows - max(2, rows // 10)
    fits = height - y
    if fits <= 0:
        return None
    return Sprite(sprite.x, y, flipped[0][:fits], flipped[1][:fits], sprite.depth_m)
