"""What is the matter with the picture itself: frozen, too dark, moved, blinded, masked, raining.

Judged before anything is tracked, so that none of it is taken for traffic. Each sign must last
before it is said, and what is said holds a moment longer, so that the state does not flicker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.domain import ViewCondition
from monitor.trigger.camera_motion import CameraMotion, Tremble
from monitor.trigger.signs import Signs, read, sample_of

Image = npt.NDArray[np.uint8]

WARM_UP_S: Final = 2.5
FROZEN_S: Final = 4.0
BLIND_S: Final = 2.0
CHANGED_SHARE: Final = 0.5
CHANGED_S: Final = 0.5
ABRUPT_SHARE: Final = 0.3
GRADUALLY_S: Final = 4.0
SHAKING_S: Final = 1.0
STALL_S: Final = 0.4
STALLS: Final = 2
STALLS_WITHIN_S: Final = 10.0
WEATHER_S: Final = 4.0
WEATHER_SHARE: Final = 0.3
WEATHER_GONE: Final = 0.05
EXPOSURE_S: Final = 2.0

_SHOW_CHANGED_S: Final = 3.0
_HOLD_S: Final = 1.0
_LIVELY: Final = 0.15  # mean levels between pictures; less, and nothing may have moved


@dataclass(slots=True)
class _Lasting:
    """Something that counts once it has lasted."""

    after_s: float
    since_s: float | None = None
    until_s: float = -1e9

    def note(self, now_s: float, is_so: bool) -> None:
        if not is_so:
            self.since_s = None
            return
        self.since_s = now_s if self.since_s is None else self.since_s
        if now_s - self.since_s >= self.after_s:
            self.until_s = now_s + _HOLD_S

    def holds(self, now_s: float) -> bool:
        return now_s <= self.until_s


@dataclass(slots=True)
class _Often:
    """Something that counts while it is so in many pictures of the last seconds."""

    share: float = 0.0
    holds: bool = False
    noted_s: float | None = None

    def note(self, now_s: float, is_so: bool) -> None:
        span_s = 0.0 if self.noted_s is None else max(0.0, now_s - self.noted_s)
        self.noted_s = now_s
        self.share += min(1.0, span_s / WEATHER_S) * (float(is_so) - self.share)
        self.holds = self.share >= (WEATHER_GONE if self.holds else WEATHER_SHARE)


class ViewWatch:
    """Keeps the condition of one camera's view."""

    def __init__(self) -> None:
        self._last: Image | None = None
        self._before: Image | None = None
        self._earlier: Image | None = None
        self._dark, self._blinded = _Lasting(BLIND_S), _Lasting(BLIND_S)
        self._no_scene, self._frozen = _Lasting(BLIND_S), _Lasting(FROZEN_S)
        self._shaking = _Lasting(SHAKING_S)
        self._rain, self._glare = _Often(), _Often()
        self._covered_since_s: float | None = None
        self._share = 0.0
        self._cut = False
        self._started_s: float | None = None
        self._changed_s = self._exposed_s = -1e9
        self._looked_s: float | None = None
        self._same_since_s: float | None = None
        self._lively = False
        self._stalls: list[float] = []
        self.camera = CameraMotion()
        self._tremble = Tremble()
        self.overlaid = False
        self.masked = False

    def start(self, time_s: float, *, changed: bool = False) -> None:
        """The background starts again here, after a change of view or at the beginning."""
        self._started_s = time_s
        self._covered_since_s = None
        if changed:
            self._changed_s = time_s

    def look(self, time_s: float, luma: Image) -> bool:
        """Take note of one picture; returns whether it ends a stall, so that bodies have jumped."""
        sample = sample_of(luma)
        if self._last is not None and self._last.shape != sample.shape:
            self._last = self._before = self._earlier = None
        signs = read(luma, sample, self._last, self._before, self._earlier)
        self._dark.note(time_s, signs.dark)
        self._blinded.note(time_s, signs.blinded)
        self._no_scene.note(time_s, signs.no_scene)
        self._frozen.note(time_s, signs.same)
        self._rain.note(time_s, signs.rain)
        self._glare.note(time_s, signs.glare)
        ended = self._stall(time_s, signs)
        self._last = sample
        if not signs.same:  # else a repeated picture would hide what moves between two others
            self._earlier, self._before = self._before, sample
        self._looked_s = time_s
        return ended

    def _stall(self, time_s: float, signs: Signs) -> bool:
        """Pictures that repeat while things moved before and after, as after a hole in time."""
        if signs.same:
            if self._same_since_s is None and self._looked_s is not None:
                self._same_since_s = self._looked_s
            return False
        began_s, self._same_since_s = self._same_since_s, None
        stalled = (
            began_s is not None
            and self._lively
            and signs.moved >= _LIVELY
            and time_s - began_s >= STALL_S
        )
        self._lively = signs.moved >= _LIVELY
        if stalled:
            self.gap(time_s)
        return stalled

    @property
    def repeats(self) -> bool:
        """Whether this is the last picture again, though the scene was lively until then."""
        return self._same_since_s is not None and self._lively

    def gap(self, time_s: float) -> None:
        """No picture came for a while, or the same one again and again."""
        self._stalls = [at for at in self._stalls if time_s - at < STALLS_WITHIN_S] + [time_s]

    def exposed(self, time_s: float) -> None:
        """The brightness of the whole picture has just stepped."""
        self._exposed_s = time_s

    def shifted(self, time_s: float, shift: tuple[float, float] | None, width_px: int) -> None:
        """Where the picture is against the empty scene, in pixels."""
        self._tremble.note(time_s, shift, width_px)
        self._shaking.note(time_s, self._tremble.shaking)

    def covered(self, time_s: float, share: float) -> bool:
        """Whether so much of the picture is foreground that nothing can be told."""
        before, self._share = self._share, share
        if share < CHANGED_SHARE:
            self._covered_since_s = None
            return False
        if self._covered_since_s is None:
            self._covered_since_s = time_s
            # Traffic that fills the picture and a lorry before the lens come on gradually.
            self._cut = before < ABRUPT_SHARE
        return self._cut or not self.warming_up(time_s)

    def must_restart(self, time_s: float) -> bool:
        """Whether the change has lasted, so that it is another view and no flash or lorry."""
        since = self._covered_since_s
        lasting_s = CHANGED_S if self._cut else GRADUALLY_S
        return since is not None and time_s - since >= lasting_s

    def warming_up(self, time_s: float) -> bool:
        """Whether the empty scene is still being collected."""
        return self._started_s is None or time_s - self._started_s < WARM_UP_S

    def is_blind(self, time_s: float) -> bool:
        """Whether there is nothing in the picture to be followed or learned."""
        return any(one.holds(time_s) for one in (self._dark, self._blinded, self._no_scene))

    @property
    def raining(self) -> bool:
        """Whether drops fall through the picture, as far as its specks tell."""
        return self._rain.holds

    def condition(self, time_s: float) -> ViewCondition:
        """The worst that holds now."""
        stalls = [at for at in self._stalls if time_s - at < STALLS_WITHIN_S]
        ranked = (
            (self.masked, ViewCondition.MASKED),
            (self._no_scene.holds(time_s), ViewCondition.NO_SIGNAL),
            (self._dark.holds(time_s), ViewCondition.TOO_DARK),
            (self._blinded.holds(time_s), ViewCondition.TOO_BRIGHT),
            (self._frozen.holds(time_s), ViewCondition.FROZEN),
            (self.camera.moving, ViewCondition.CAMERA_MOVING),
            (self._covered_since_s is not None and self._cut, ViewCondition.VIEW_CHANGED),
            (time_s - self._changed_s < _SHOW_CHANGED_S, ViewCondition.VIEW_CHANGED),
            (self.warming_up(time_s), ViewCondition.WARMING_UP),
            (len(stalls) >= STALLS, ViewCondition.STALLING),
            (self._shaking.holds(time_s), ViewCondition.SHAKING),
            (time_s - self._exposed_s < EXPOSURE_S, ViewCondition.EXPOSURE_STEP),
            (self._glare.holds, ViewCondition.GLARE),
            (self._rain.holds, ViewCondition.RAIN),
            (self.overlaid, ViewCondition.OVERLAY),
        )
        return next((condition for holds, condition in ranked if holds), ViewCondition.NORMAL)
