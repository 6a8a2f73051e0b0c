"""One view's memory: where and how things move, where they wait, which cells cry wolf.

Taught by ``CameraTrigger`` from confirmed tracks and by whoever judges candidates; asked by every
detector. All places are fractions of the picture. What an incident would teach is kept out four
ways: each vehicle counts once per cell, an hour of anything counts at most as so many vehicles,
nothing is learned around an open candidate, and who drives against a well-known direction teaches
a tenth. Everything fades over days of watching; a camera that is switched off forgets nothing.
"""

from __future__ import annotations

import math
from typing import Final, Self

import cv2
import numpy as np
import numpy.typing as npt

from monitor.domain.base import Box
from monitor.trigger.normal import waiting
from monitor.trigger.normal.course import KNOWN_VEHICLES, UsualDirection, usual_direction
from monitor.trigger.normal.grid import (
    COLUMNS,
    ROWS,
    Layer,
    Layers,
    cell_of,
    footprint,
    lesson,
    nothing_learned,
)
from monitor.trigger.normal.limits import HOUR_MS, Limits
from monitor.trigger.normal.record import Record, Thumbnail, pack, unpack
from monitor.trigger.normal.wolves import discount

HALF_LIFE_DAYS: Final = 3.0
ROADWAY_VEHICLES: Final = 1.6
EDGE_SHARE: Final = 0.3
CONTRARY_WEIGHT: Final = 0.1
OVERLAY_SWING: Final = 40
OVERLAY_STILL: Final = 4

_LONGEST_WAIT_S: Final = 300.0  # an hour at one place teaches no more than this
_BUSY_CELL: Final = 0.2  # of the cell is foreground
_BLACK: Final = 20  # a border is no overlay
_TICK_MS: Final = 60_000
_TICK_FADES: Final = 0.5 ** (_TICK_MS / (HALF_LIFE_DAYS * 24 * HOUR_MS))


class SceneMemory:
    """What is normal in one view of one camera."""

    def __init__(self) -> None:
        self._layers: Layers = nothing_learned()
        self._looks = 0.0
        self.thumbnail: Thumbnail | None = None  # of the empty scene, to know the view again
        self._darkest = np.full((ROWS, COLUMNS), 255, np.uint8)
        self._brightest = np.zeros((ROWS, COLUMNS), np.uint8)
        self._learned_until_ms = 0
        self._now_ms: int | None = None
        self._ticked_ms = 0
        self._limits = Limits()
        self._looked_ms = 0
        self._trails: dict[int, npt.NDArray[np.bool_]] = {}
        self._walks: dict[int, npt.NDArray[np.bool_]] = {}
        self._roadway: npt.NDArray[np.bool_] | None = None
        self._busiest = np.inf  # vehicles

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What ``to_bytes`` gave; raises ``SceneMemoryError`` for anything else."""
        record = unpack(data)
        memory = cls()
        memory._layers, memory._looks = record.layers, record.looks
        memory.thumbnail = record.thumbnail
        memory._darkest, memory._brightest = record.darkest, record.brightest
        memory._learned_until_ms = record.learned_until_ms
        return memory

    def start_over_in_time(self) -> None:
        """What comes next was not seen before: recordings may all begin at the same time."""
        self._learned_until_ms = 0

    def to_bytes(self) -> bytes:
        """All that is learned, under 64 kB."""
        return pack(
            Record(
                self._layers, self._looks, self._learned_until_ms,
                self.thumbnail, self._darkest, self._brightest,
            )
        )  # fmt: skip

    def tick(self, now_ms: int) -> bool:
        """Time passes; called for every picture, before anything is taught.

        Returns whether this picture may teach: what is seen again after a restart may not.
        """
        if self._now_ms is None:
            self._ticked_ms = now_ms
            if self._learned_until_ms > now_ms + HOUR_MS:
                self._learned_until_ms = 0  # a clock was set back
        self._now_ms = now_ms
        self._limits.tick(now_ms)
        if not 0 <= now_ms - self._ticked_ms < _TICK_MS:
            if 0 <= now_ms - self._ticked_ms < 2 * _TICK_MS:  # else it was away, not watching
                self._layers *= np.float32(_TICK_FADES)
                self._looks *= _TICK_FADES
                self._roadway = None
            self._ticked_ms = now_ms
        if now_ms <= self._learned_until_ms:
            return False
        self._learned_until_ms = now_ms
        return True

    def drive(self, track: int, box: Box, velocity: tuple[float, float], size: float) -> None:
        """A vehicle moves here. ``velocity`` and ``size`` in picture widths (per second)."""
        trail = self._trails.get(track)
        if trail is None:
            if not self._limits.admits_vehicle():
                return
            trail = self._trails[track] = np.zeros((ROWS, COLUMNS), np.bool_)
        cells = footprint(box)
        fresh = ~trail[cells]
        if not fresh.any():
            return
        trail[cells] = True
        speed = math.hypot(*velocity)
        if speed <= 0.0:
            return
        free = self._limits.are_free(cells)
        if free is not None:
            fresh &= free
        dx, dy = velocity[0] / speed, velocity[1] / speed
        one = lesson(dx, dy, speed / max(size, 1e-6), speed)
        x, y, width, height = box
        if float(self._layers[Layer.VEHICLES][cells].max()) >= KNOWN_VEHICLES:
            usual = self.usual_direction(x + width / 2, y + 0.9 * height)
            if usual is not None and usual.well_known and usual.opposed(dx, dy):
                one *= CONTRARY_WEIGHT
        self._layers[:, cells[0], cells[1]] += one[:, None, None] * fresh
        self._roadway = None

    def waited(self, box: Box, stood_s: float, *, passed: bool = False) -> None:
        """A vehicle stood here for so long and has gone on; ``passed``: others drove past it."""
        cells = footprint(box)
        fresh = self._limits.admit_wait(cells)
        if fresh is None:
            return
        self._layers[Layer.WAITED][cells] += fresh
        self._layers[Layer.WAITED_S][cells] += fresh * min(stood_s, _LONGEST_WAIT_S)
        self._layers[Layer.PASSED][cells] += fresh * passed

    def crossed(self, track: int, x: float, y: float) -> None:
        """Somebody walks across the traffic here: counted once in every cell, and around it."""
        row, column = cell_of(x, y)
        around = slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2)
        walk = self._walks.setdefault(track, np.zeros((ROWS, COLUMNS), np.bool_))
        fresh = ~walk[around]
        if fresh.any():
            walk[around] = True
            self._layers[Layer.CROSSED][around] += fresh & self._limits.admit_crossing(around)

    def keep_only(self, present: set[int]) -> None:
        """Vehicles that are gone need not be told apart any more."""
        for ways in (self._trails, self._walks):
            for track in ways.keys() - present:
                del ways[track]

    def look(self, foreground: npt.NDArray[np.uint8], bodies: npt.NDArray[np.uint8]) -> None:
        """About once a second: where something differs, and where bodies are (255, any size).

        Between two looks farther apart nothing was in sight.
        """
        moving, driven = (
            cv2.resize(mask, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) > 255 * _BUSY_CELL
            for mask in (foreground, bodies)
        )
        now_ms = self._now_ms or 0
        slept_s = (now_ms - self._looked_ms) / 1000
        self._looks += slept_s if 1.0 < slept_s < HOUR_MS / 1000 else 1.0  # it was empty then
        self._looked_ms = now_ms
        self._layers[Layer.BUSY] += moving
        self._layers[Layer.STRAY] += moving & ~driven

    @property
    def looks(self) -> float:
        """How many seconds this was learned for, faded."""
        return self._looks

    def see(self, thumbnail: Thumbnail) -> None:
        """The empty scene in the present light, (ROWS, COLUMNS); every ten minutes is enough."""
        self.thumbnail = thumbnail
        self._darkest = np.minimum(self._darkest, thumbnail)
        self._brightest = np.maximum(self._brightest, thumbnail)

    def overlay_share(self) -> float:
        """Share of the picture that never changed while day and night came over the rest."""
        swing = self._brightest.astype(np.int16) - self._darkest
        if float(np.median(swing)) < OVERLAY_SWING:
            return 0.0
        return float(((swing <= OVERLAY_STILL) & (self._darkest >= _BLACK)).mean())

    def suspend(self, box: Box, *, alert: bool) -> None:
        """A candidate is open here: what happens around it is not normal."""
        self._limits.suspend(box, alert=alert)

    def cried(self, x: float, y: float) -> None:
        """A candidate here was dismissed."""
        self._judged(Layer.CRIED, x, y)

    def confirmed(self, x: float, y: float) -> None:
        """A candidate here was right."""
        self._judged(Layer.CONFIRMED, x, y)

    def _judged(self, layer: Layer, x: float, y: float) -> None:
        row, column = cell_of(x, y)
        if layer is Layer.CRIED and not self._limits.admits_cry((row, column)):
            return
        # A pole is not always met in the same cell.
        for down, weight in ((-1, 0.5), (0, 1.0), (1, 0.5)):
            for right, share in ((-1, 0.5), (0, 1.0), (1, 0.5)):
                r, c = row + down, column + right
                if 0 <= r < ROWS and 0 <= c < COLUMNS:
                    self._layers[layer, r, c] += weight * share

    def wolf(self, x: float, y: float) -> float:
        """0 to 1: by which share a candidate here should be discounted."""
        return discount(self._cell(x, y), self._looks)

    def usual_direction(self, x: float, y: float) -> UsualDirection | None:
        """Which way vehicles drive here; None before some have."""
        return usual_direction(self._cell(x, y))

    def goes_against(self, x: float, y: float, dx: float, dy: float) -> bool | None:
        """Whether a course (a unit vector in square pixels) is against the one way; None where
        there is no one way, or the course is across it."""
        usual = self.usual_direction(x, y)
        return None if usual is None else usual.opposed(dx, dy)

    def usual_speed(self, x: float, y: float) -> tuple[float, float] | None:
        """Mean speed in own sizes and in picture widths per second; None before some drove."""
        here = self._cell(x, y)
        vehicles = float(here[Layer.VEHICLES])
        if vehicles < ROADWAY_VEHICLES:
            return None
        return float(here[Layer.SIZES]) / vehicles, float(here[Layer.WIDTHS]) / vehicles

    def vehicles(self, box: Box) -> float:
        """How many vehicles drove where this one is, faded."""
        return float(self._layers[Layer.VEHICLES][footprint(box)].max())

    def flow_share(self, x: float, y: float) -> float:
        """0 to 1: how many vehicles drive here, against the busiest places of the picture."""
        self._know_roadway()
        return min(1.0, float(self._layers[Layer.VEHICLES][cell_of(x, y)]) / self._busiest)

    def busy(self, x: float, y: float) -> float:
        """Share of the time in which something moves here, whatever it is."""
        return float(self._cell(x, y)[Layer.BUSY]) / max(self._looks, 1.0)

    def waits(self, x: float, y: float) -> float:
        """How many seconds vehicles usually stand here; 0 where they do not."""
        return waiting.usual_s(self._cell(x, y)[:, None, None])

    def is_waiting_place(self, box: Box) -> bool:
        """Whether standing here is usual."""
        return waiting.is_usual(self._under(box))

    def is_passed(self, box: Box) -> bool:
        """Whether it is usual that others drive past who waits here: a bay, or a turning lane."""
        return waiting.is_passed(self._under(box))

    def usual_wait_s(self, box: Box) -> float:
        """How long who waits here stands, on the average; 0 where nobody does."""
        return waiting.mean_s(self._under(box))

    def is_crossing(self, x: float, y: float) -> bool:
        """Whether people usually walk across the traffic here."""
        return waiting.is_crossing(self._cell(x, y)[:, None, None])

    def is_roadway(self, x: float, y: float) -> bool:
        """Whether vehicles drive over this point; what boxes hang over a kerb does not count."""
        return bool(self._know_roadway()[cell_of(x, y)])

    def _know_roadway(self) -> npt.NDArray[np.bool_]:
        if self._roadway is None:
            vehicles = self._layers[Layer.VEHICLES]
            near = cv2.dilate(vehicles, np.ones((5, 7), np.uint8))
            self._roadway = vehicles >= np.maximum(ROADWAY_VEHICLES, EDGE_SHARE * near)
            driven = vehicles[self._roadway]
            self._busiest = float(np.percentile(driven, 90.0)) if driven.size else np.inf
        return self._roadway

    def _under(self, box: Box) -> Layers:
        rows, columns = footprint(box)
        return self._layers[:, rows, columns]

    def _cell(self, x: float, y: float) -> Layers:
        row, column = cell_of(x, y)
        return self._layers[:, row, column]
