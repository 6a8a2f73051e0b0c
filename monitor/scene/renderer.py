"""A frame's state to a picture: backdrop, shadows, what moves from far to near, lens and noise."""

from __future__ import annotations

import numpy as np
import cv2

from monitor.scene.backdrop import paint_backdrop
from monitor.scene.bodies import body_of
from monitor.scene.drawing import Canvas, Image, draw_vehicle
from monitor.scene.figures import draw_person
from monitor.scene.light import Light
from monitor.scene.record import FrameState, person_points, world_vertices
from monitor.scene.shadows import ShadowMask
from monitor.scene.simulation import Simulation
from monitor.scene.structures import draw_signals

_NOISE_TILES = 6
_NOISE_ROOM = 64


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

    def twin(self) -> Renderer:
        """Another renderer for another thread; the costly static pictures are shared."""
        twin = object.__new__(Renderer)
        twin.__dict__.update(self.__dict__)
        twin._shadows = ShadowMask(self._camera, self._light, self.size)
        return twin

    def frame(self, index: int) -> Image:
        """The picture of a frame, (height, width, 3) BGR; the same every time it is asked for."""
        state = self._simulation.frames[index]
        canvas = Canvas(self._backdrop.copy(), self._occluders)
        self._cast(state)
        self._shadows.darken(canvas)
        draw_signals(canvas, self._camera, state)
        for _, draw in sorted(self._movers(state), key=lambda item: -item[0]):
            draw(canvas)
        return self._sensor(canvas.image, index)

    def _cast(self, state: FrameState) -> None:
        self._shadows.begin()
        for vehicle in state.vehicles:
            spec = self._simulation.specs[vehicle.id]
            body = body_of(spec.shape, spec.length_m, spec.width_m, spec.height_m)
            points = world_vertices(spec, vehicle)
            if self._camera.depth(points).min() < 2.0:
                continue
            lower = points[body.lower]
            foot = lower.copy()
            foot[:, 2] = 0.0
            self._shadows.cast([np.concatenate([lower, foot]), points[body.upper]])
        for person in state.persons:
            box = person_points(self._simulation.persons[person.id], person)
            box[:, 0] = person.x + (box[:, 0] - person.x) * 0.6
            box[:, 1] = person.y + (box[:, 1] - person.y) * 0.6
            if self._camera.depth(box).min() > 2.0:
                self._shadows.cast([box])

    def _movers(self, state: FrameState):  # type: ignore[no-untyped-def]
        camera, light = self._camera, self._light
        for vehicle in state.vehicles:
            spec = self._simulation.specs[vehicle.id]
            at = np.array([[vehicle.x, vehicle.y, 0.0]])
            yield (
                float(camera.depth(at)[0]),
                lambda c, s=spec, v=vehicle: draw_vehicle(c, camera, light, s, v),
            )
        for person in state.persons:
            who = self._simulation.persons[person.id]
            at = np.array([[person.x, person.y, 0.0]])
            yield (
                float(camera.depth(at)[0]),
                lambda c, w=who, p=person: draw_person(c, camera, light, w, p),
            )

    def _sensor(self, image: Image, index: int) -> Image:
        """The lens' softness and the sensor's noise."""
        soft = cv2.GaussianBlur(image, (3, 3), 0.55)
        tile = self._noise[index % len(self._noise)]
        shift = (index * 2654435761) % (_NOISE_ROOM * _NOISE_ROOM)
        dx, dy = shift % _NOISE_ROOM, shift // _NOISE_ROOM
        width, height = self.size
        noise = tile[dy : dy + height, dx : dx + width]
        result: Image = cv2.add(soft, noise, dtype=cv2.CV_8U)
        return result


def _noise_tiles(size: tuple[int, int], sigma: float) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    tiles = []
    for _ in range(_NOISE_TILES):
        grey = rng.standard_normal((size[1] + _NOISE_ROOM, size[0] + _NOISE_ROOM), np.float32)
        grey = cv2.GaussianBlur(grey, (3, 3), 0.6)
        grey *= sigma / float(grey.std())
        tiles.append(cv2.merge([np.round(grey).astype(np.int8)] * 3))
    return tiles
