"""One moving body and what is known of it: where it was, how large, how fast.

Positions are kept in pixels of the analysed picture; they become ground positions only when a
question is asked, because the ground plane is still being learned.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.domain import Actor
from monitor.trigger.blobs import PixelBox
from monitor.trigger.flow import Points
from monitor.trigger.ground import GroundPlane
from monitor.trigger.motion import LineFit, line_fit

Array = npt.NDArray[np.float64]

HISTORY: Final = 110  # samples, about 12 s
_SPEED_WINDOW_S: Final = 0.55
_STANDING_WINDOW_S: Final = 0.9
_STANDING_M_S: Final = 0.55
_SLOWED: Final = 0.75
_FADING: Final = 0.97


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the body was in one picture; its foot is without the track's ``anchor``."""

    time_s: float
    foot_x: float
    foot_y: float
    width: float
    height: float
    whole: bool  # apart from the picture's border
    apart: bool  # its foreground was its own, not joined with another body's
    measured: bool  # seen, not only expected
    by_flow: bool  # its corners were followed into this picture


# Columns of the table that repeats the history as numbers.
_TIME, _X, _Y, _WHOLE, _MEASURED, _BY_FLOW = range(6)


@dataclass(slots=True)
class Track:
    """A body with an identity. Changed by the tracker only; detectors read it."""

    id: int
    box: PixelBox
    points: Points
    born_s: float
    seen_s: float
    foot: Array  # where it meets the ground: ``carried`` + ``anchor``
    carried: Array  # by the flow alone, from where it was first seen
    point_ages: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    anchor: Array = field(default_factory=lambda: np.zeros(2))  # error of the whole carried path
    began_at: Array = field(default_factory=lambda: np.zeros(2))  # ``carried`` at first
    reach_px: float = 0.0  # how far it has ever been from there
    whole_samples: int = 0
    velocity: Array = field(default_factory=lambda: np.zeros(2))  # px/s
    history: deque[Sample] = field(default_factory=lambda: deque(maxlen=HISTORY))
    confirmed: bool = False
    joined_s: float = -1e9  # last time its foreground was joined with another body's
    segment_s: float = -1e9  # since when it is followed without a gap
    standing_since_s: float | None = None
    actor: Actor = Actor.UNKNOWN
    checked_s: float = -1e9  # last time it was asked whether it is a body at all
    odd_pictures: int = 0  # in a row whose region did not look like this body alone
    named: bool = False  # a detector said who it is; its shape and speed are not asked
    judged_samples: int = 0
    person_score: float = 0.0  # running mean; above a threshold it is a person
    drove_m_s: float = 0.0  # ever
    fastest_m_s: float = 0.0  # lately: half as much counts after some seconds
    _table: Array = field(default_factory=lambda: np.zeros((2 * HISTORY, 6)), repr=False)
    _rows: int = 0
    _slowed: bool = False
    _slowed_at: float = -1e9

    def add(self, sample: Sample) -> None:
        """Append to the history; times must rise."""
        self.history.append(sample)
        if self._rows == len(self._table):
            self._table[:HISTORY] = self._table[HISTORY:]
            self._rows = HISTORY
        self._table[self._rows] = (
            sample.time_s, sample.foot_x, sample.foot_y,
            sample.whole, sample.measured, sample.by_flow,
        )  # fmt: skip
        self._rows += 1

    def samples(self, start_s: float) -> list[Sample]:
        """Measured samples of the present segment since a time."""
        start_s = max(start_s, self.segment_s)
        found = []
        for sample in reversed(self.history):
            if sample.time_s < start_s:
                break
            if sample.measured:
                found.append(sample)
        found.reverse()
        return found

    def ground(
        self,
        plane: GroundPlane,
        start_s: float,
        end_s: float = float("inf"),
        *,
        whole: bool = True,
        by_flow: bool = False,
        across_gaps: bool = False,
    ) -> tuple[Array, Array]:
        """The same as ``feet``, with ground positions (n, 2) in place of pixels."""
        times, feet = self.feet(
            start_s, end_s, whole=whole, by_flow=by_flow, across_gaps=across_gaps
        )
        return times, plane.to_ground(feet)

    def feet(
        self,
        start_s: float,
        end_s: float = float("inf"),
        *,
        whole: bool = True,
        by_flow: bool = False,
        across_gaps: bool = False,
    ) -> tuple[Array, Array]:
        """Times (n,) and feet (n, 2) in pixels within a span, of the present segment.

        ``whole``: only where it was wholly in the picture. ``by_flow``: only where its corners
        were followed. ``across_gaps``: of earlier segments too.
        """
        if not across_gaps:
            start_s = max(start_s, self.segment_s)
        times = self._table[: self._rows, _TIME]
        first = int(times.searchsorted(start_s))
        last = int(times.searchsorted(end_s, "right")) if end_s < self.seen_s else self._rows
        rows = self._table[first:last]
        chosen = rows[:, _MEASURED] > 0
        if whole:
            chosen &= rows[:, _WHOLE] > 0
        if by_flow:
            chosen &= rows[:, _BY_FLOW] > 0
        rows = rows[chosen]
        return rows[:, _TIME], rows[:, _X : _Y + 1] + self.anchor

    def slowed(self) -> bool:
        """Whether its steps in the picture have become shorter lately: cheap, and often true."""
        if self._slowed_at != self.seen_s:
            self._slowed_at = self.seen_s
            rows = self._table[max(0, self._rows - 12) : self._rows, : _Y + 1]
            if len(rows) >= 5:
                steps = rows[1:] - rows[:-1]
                speeds = np.hypot(steps[:, _X], steps[:, _Y]) / steps[:, _TIME]
                self._slowed = float(speeds[-2] + speeds[-1]) < 2 * _SLOWED * float(speeds.max())
        return self._slowed

    def speed_fit(
        self, plane: GroundPlane, at_s: float, window_s: float = _SPEED_WINDOW_S
    ) -> LineFit | None:
        """Ground velocity over the window that ends at a time; None with too little to go by."""
        times, points = self.ground(plane, at_s - window_s, at_s + 1e-6, whole=False)
        return line_fit(times, points) if len(times) >= 3 else None

    def update_standing(self, plane: GroundPlane, now_s: float) -> float:
        """Notice coming to rest and moving off; the time of rest is back-dated.

        Returns the present speed in m/s, 0 where it is not known.
        """
        fit = self.speed_fit(plane, now_s, _STANDING_WINDOW_S)
        if fit is None:
            return 0.0
        speed = plane.metres(float(np.hypot(*fit.velocity)))
        self.fastest_m_s = max(_FADING * self.fastest_m_s, speed)
        self.drove_m_s = max(self.drove_m_s, speed)
        if speed < _STANDING_M_S:
            if self.standing_since_s is None:
                self.standing_since_s = now_s - _STANDING_WINDOW_S / 2
        elif speed > 2 * _STANDING_M_S:
            self.standing_since_s = None
        return speed

    @property
    def moving(self) -> bool:
        return self.standing_since_s is None

    def box_at(self, time_s: float) -> PixelBox:
        """Box at the sample nearest to a time."""
        s = self._nearest(time_s)
        foot_x, foot_y = self.foot_of(s)
        return PixelBox(foot_x - s.width / 2, foot_y - s.height, s.width, s.height)

    def foot_of(self, sample: Sample) -> tuple[float, float]:
        """Where it met the ground then, in pixels."""
        return sample.foot_x + float(self.anchor[0]), sample.foot_y + float(self.anchor[1])

    def _nearest(self, time_s: float) -> Sample:
        back = int(np.abs(self._table[: self._rows, _TIME] - time_s).argmin()) - self._rows
        return self.history[max(back, -len(self.history))]
