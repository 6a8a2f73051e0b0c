"""A frame's state to a picture: backdrop, shadows, what moves from far to near, lens and noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from monitor.scene.backdrop import paint_backdrop
from monitor.scene.drawing import Canvas, Image, Sprite, as_image, glow_of_lamps, vehicle_sprite
from monitor.scene.figures import person_sprite
from monitor.scene.light import Light
from monitor.scene.pedestrians import PersonState
from monitor.scene.record import VehicleState, person_points, vehicle_parts
from monitor.scene.shadows import Shadow, ShadowMask
from monitor.scene.simulation import Simulation
from monitor.scene.structures import draw_signals

_NOISE_TILES = 6
_NOISE_ROOM = 64
_SHADOWS_TO_M = 140.0  # farther away nobody sees them


@dataclass(frozen=True, slots=True)
class _Look:
    """Somebody as drawn, kept while they do not change."""

    state: VehicleState | PersonState
    distance_m: float
    sprite: Sprite | None
    shadow: Shadow | None


class Renderer:
    """Draws the frames of one simulation. Not thread-safe: one per thread."""

    def __init__(
        self,
        simulation: Simulation,
        size: tuple[int, int] = (1280, 720),
        light: Light | None = None,
    ) -> None:
        self._simulation = simulation
        self._camera = simulation.camera
        self._light = light or Light()
        self.size = size
        self._backdrop, self._occluders = paint_backdrop(self._camera, self._light, *size)
        self._shadows = ShadowMask(self._camera, self._light, size)
        self._noise = _noise_tiles(size, self._light.noise)
        self._kept: dict[int, _Look] = {}

    def twin(self) -> Renderer:
        """Another renderer for another thread; the costly static pictures are shared."""
        twin = object.__new__(Renderer)
        twin.__dict__.update(self.__dict__)
        twin._kept = {}
        twin._shadows = ShadowMask(self._camera, self._light, self.size)
        return twin

    def frame(self, index: int) -> Image:
        """The picture of a frame, (height, width, 3) BGR; the same every time it is asked for."""
        state = self._simulation.frames[index]
        canvas = Canvas(self._backdrop.copy(), self._occluders)
        movers: list[VehicleState | PersonState] = [*state.vehicles, *state.persons]
        looks = [self._look(mover) for mover in movers]
        for look in looks:
            if look.shadow is not None:
                self._shadows.add(look.shadow)
        self._shadows.darken(canvas)
        draw_signals(canvas, self._camera, state)
        for look in sorted(looks, key=lambda look: -look.distance_m):
            if look.sprite is None:
                continue
            look.sprite.paste(canvas)
            if isinstance(look.state, VehicleState):
                spec = self._simulation.specs[look.state.id]
                glow_of_lamps(canvas, self._camera, spec, look.state)
        return self._sensor(canvas.image, index)

    def _look(self, mover: VehicleState | PersonState) -> _Look:
        """How somebody looks; what stands still looks as it did in the last frame."""
        state = replace(mover, accel=0.0) if isinstance(mover, VehicleState) else mover
        kept = self._kept.get(mover.id)
        if kept is None or kept.state != state:
            kept = self._drawn(state)
            self._kept[mover.id] = kept
        return kept

    def _drawn(self, state: VehicleState | PersonState) -> _Look:
        camera, light = self._camera, self._light
        far = float(camera.depth(np.array([[state.x, state.y, 0.0]]))[0])
        if isinstance(state, VehicleState):
            spec = self._simulation.specs[state.id]
            sprite = vehicle_sprite(self.size, camera, light, spec, state)
            parts = vehicle_parts(spec, state)
        else:
            person = self._simulation.persons[state.id]
            sprite = person_sprite(self.size, camera, light, person, state)
            parts = [person_points(person, state, 0.18)]
        shadow = self._shadows.cast(parts) if far < _SHADOWS_TO_M else None
        return _Look(state, far, sprite, shadow)

    def _sensor(self, image: Image, index: int) -> Image:
        """The lens' softness and the sensor's noise."""
        soft = cv2.GaussianBlur(image, (3, 3), 0.55)
        tile = self._noise[index % len(self._noise)]
        shift = (index * 2654435761) % (_NOISE_ROOM * _NOISE_ROOM)
        dx, dy = shift % _NOISE_ROOM, shift // _NOISE_ROOM
        width, height = self.size
        noise = tile[dy : dy + height, dx : dx + width]
        return as_image(cv2.add(soft, noise, dtype=cv2.CV_8U))


def _noise_tiles(size: tuple[int, int], sigma: float) -> list[npt.NDArray[np.int8]]:
    rng = np.random.default_rng(5)
    tiles = []
    for _ in range(_NOISE_TILES):
        raw = rng.standard_normal((size[1] + _NOISE_ROOM, size[0] + _NOISE_ROOM), np.float32)
        grey = np.asarray(cv2.GaussianBlur(raw, (3, 3), 0.6), np.float32)
        grey *= sigma / float(grey.std())
        whole = np.round(grey).astype(np.int8)
        tiles.append(np.repeat(whole[:, :, None], 3, axis=2))
    return tiles
