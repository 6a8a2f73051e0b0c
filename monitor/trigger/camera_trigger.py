"""One camera's trigger: pictures in, evidence, triggers and the view's condition out.

Called by watch (and by the benchmark and the footage table) for every picture it takes out of the
ring; pure computation, no clock, no I/O. Pictures may come at any rate above about five a second;
``wants`` says which ones are worth resizing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.config.models import Camera
from monitor.domain import Evidence, EvidenceKind, Level, Trigger, ViewCondition
from monitor.media.decode import Planes
from monitor.trigger.background import Background
from monitor.trigger.blobs import find_blobs
from monitor.trigger.corner_braking import CornerBrakeWatch
from monitor.trigger.detector import Aide, Duty, SharedDetector
from monitor.trigger.fast import ImpulseWatch
from monitor.trigger.fast.cues import WIDTH_PX as FAST_PX
from monitor.trigger.ground import GroundPlane
from monitor.trigger.judge import graded, judge
from monitor.trigger.learning import Learning
from monitor.trigger.measuring import Measuring
from monitor.trigger.moment import Moment
from monitor.trigger.normal import KnownViews, SceneMemory
from monitor.trigger.steadying import Steadying
from monitor.trigger.track import Track
from monitor.trigger.tracker import Tracker
from monitor.trigger.view import WARM_UP_S, ViewWatch

Image = npt.NDArray[np.uint8]

WIDTH_PX: Final = 640
"""How wide pictures should be; narrower ones work, wider ones cost more than they tell."""

_SPACING_MS: Final = 125  # six to eight pictures a second
_ALERT_SPACING_MS: Final = 95  # eight or ten, once something calls for it
_ALERT_MS: Final = 4_000
_SLOW_FPS: Final = 12.5
_SLOW_SPACING_MS: Final = 60  # every picture, but for bursts
_TENSE_MS: Final = 1_000
_UNTOLD: Final = frozenset(
    {
        ViewCondition.FROZEN,
        ViewCondition.CAMERA_MOVING,
        ViewCondition.NO_SIGNAL,
    }
)
_LEAST_PX: Final = 48  # of height or width; in less nothing can be told
_GAP_MS: Final = 600  # without a picture for this long, bodies are elsewhere
_LONG_GAP_MS: Final = 60_000  # and so is the light
_QUIET_S: Final = 1.0  # after a disturbance nothing is stated
_EXPOSURE_JUMP: Final = 0.1  # share; smaller steps do not disturb the flow
_COLLECT_S: Final = 0.25
_FIRST_REFRESH_S: Final = 60.0  # by then what stood in the way has moved on
_REFRESH_S: Final = 600.0  # between looks at how the view looks in the present light
_RECENT_MS: Final = 20_000
_SAME_MS: Final = 5_000
_STRONGER: Final = 1.2
_SAID: Final = 64
_EMPTY_SHARE: Final = 0.02  # of the picture; less foreground, in specks, is flicker


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one picture brought."""

    evidence: tuple[Evidence, ...]
    triggers: tuple[Trigger, ...]
    view: ViewCondition
    scores: tuple[tuple[int, float], ...] = ()  # moment and raw score of all that was judged


@dataclass(frozen=True, slots=True)
class Glance:
    """What a picture showed while the camera rests."""

    empty: bool  # nothing is there that the empty scene has not
    view: ViewCondition


class CameraTrigger:
    """The trigger's state for one camera."""

    def __init__(
        self,
        camera: Camera,
        *,
        first_track: int = 1,
        memory: SceneMemory | None = None,
        detector: SharedDetector | None = None,
    ) -> None:
        """``first_track``: ids of tracks begin here, so that a restart does not reuse them.

        ``memory``: what was normal here before; it is forgotten if the view turns out another.
        ``detector``: its bodies are measured while it does well, and what it does not see.
        """
        self.fps: float | None = None  # of the stream, as far as it says
        self.operating = 1.0  # the raw score from which something is a candidate here
        self._camera = camera
        self._origin_ms: int | None = None
        self._last_ms = 0
        self._rest_ms: int | None = None
        self._last_rest_ms: int | None = None
        self._next_at_rest = 0
        self._glanced_ms = 0
        self._refresh_s = 0.0
        self._alert_until_ms = 0
        self._shape: tuple[int, int] | None = None
        self._tracker = Tracker(0, 0, first_track)
        self._views = KnownViews(memory)
        self._duty = None if detector is None else Duty(detector)
        self._aide = Aide(None, 0, 0, self._tracker.take_id)

    def wants(self, capture_ms: int) -> bool:
        """Whether a picture of that time is far enough from the last one looked at."""
        if self._origin_ms is None:
            return True
        spacing_ms = _ALERT_SPACING_MS if capture_ms < self._alert_until_ms else _SPACING_MS
        if self.fps is not None and 0 < self.fps <= _SLOW_FPS:
            spacing_ms = _SLOW_SPACING_MS  # every second picture would be too few
        return not 0 <= capture_ms - self._last_ms < spacing_ms

    def step(self, capture_ms: int, planes: Planes) -> StepResult:
        """Look at one picture; times must rise, or everything starts again."""
        if min(planes.y.shape) < _LEAST_PX:
            self._shape = self._rest_ms = None
            return StepResult((), (), ViewCondition.NO_SIGNAL)
        gap_ms = capture_ms - self._last_ms
        if self._shape != planes.y.shape or gap_ms <= 0 or gap_ms > _LONG_GAP_MS:
            self._start(capture_ms, planes)
        self._last_ms = capture_ms
        assert self._origin_ms is not None
        now_s = (capture_ms - self._origin_ms) / 1000
        if gap_ms > _GAP_MS:
            self._view.gap(now_s)
        if self._view.look(now_s, planes.y) or gap_ms > _GAP_MS:
            self._disturbed(capture_ms)
        rest_ms, self._rest_ms = self._rest_ms, None
        picture = self._steadied(now_s, planes)
        evidence = self._look(capture_ms, now_s, picture)
        evidence += self._impulses_in(capture_ms, now_s, picture)
        self._rest(capture_ms, now_s, rest_ms)
        self._recent.extend(evidence)
        while self._recent and self._recent[0].time_ms < capture_ms - _RECENT_MS:
            self._recent.popleft()
        judged = [self._heard(one) for one in judge(evidence, tuple(self._recent), capture_ms)]
        triggers = self._news(graded(judged, self.operating))
        return StepResult(
            tuple(evidence), tuple(triggers), self._view.condition(now_s),
            tuple((one.time_ms, one.score) for one in judged),
        )  # fmt: skip

    def _rest(self, capture_ms: int, now_s: float, since_ms: int | None) -> None:
        """Nobody is there, or only what lit up and never moved: then it was no interruption."""
        if self._view.repeats:
            self._rest_ms = since_ms  # it tells nothing new
        elif self._tracker.idle_s == now_s:
            if since_ms is None and self._tracker.only_things_since(self._next_at_rest):
                since_ms = self._last_rest_ms
            self._rest_ms = self._last_rest_ms = capture_ms if since_ms is None else since_ms
            self._next_at_rest = self._tracker.next_id

    @property
    def resting_since_ms(self) -> int | None:
        """Since when every picture looked at was empty: nobody followed, nothing in sight."""
        return self._rest_ms

    def glance(self, capture_ms: int, planes: Planes) -> Glance:
        """Look at one picture of many that are slept through: is the scene still empty?

        An empty one is learned, for all the time since the last one. The rhythm of looking is
        left alone; ``pass_over`` moves it on.
        """
        if self._rest_ms is None or self._origin_ms is None or self._shape != planes.y.shape:
            return Glance(False, ViewCondition.WARMING_UP)
        now_s = (capture_ms - self._origin_ms) / 1000
        self._view.look(now_s, planes.y)
        picture = self._steadied(now_s, planes)
        self._background.follow_exposure(picture.y)
        foreground = self._background.foreground(picture)
        if self._ignored is not None:
            foreground = _image(cv2.bitwise_and(foreground, self._ignored))
        same = self._tracker.strike_out_things(foreground)
        busy = cv2.countNonZero(foreground) > _EMPTY_SHARE * foreground.size
        empty = same and not busy and not find_blobs(foreground, self._tracker.far_row)
        if empty:
            since_ms = capture_ms - max(self._glanced_ms, self._last_ms)
            self._glanced_ms = capture_ms
            self._background.learn_after(since_ms / _SPACING_MS, picture, foreground)
            self._look_over(now_s)
        return Glance(empty, self._view.condition(now_s))

    def pass_over(self, capture_ms: Iterable[int]) -> None:
        """Pictures slept through: the rhythm goes on as if those wanted had been looked at."""
        assert self._origin_ms is not None
        for at_ms in sorted(capture_ms):
            if self.wants(at_ms):
                self._last_ms = at_ms
                now_s = (at_ms - self._origin_ms) / 1000
                self._learning.pass_over(now_s, at_ms)
                self._measuring.pass_over(now_s)
                self._tracker.pass_over(now_s)

    def _heard(self, trigger: Trigger) -> Trigger:
        """Discounted where candidates were dismissed before."""
        if trigger.box is None:
            return trigger
        x, y, width, height = trigger.box
        wolf = self.memory.wolf(x + width / 2, y + height / 2)
        return trigger if wolf == 0.0 else replace(trigger, score=trigger.score * (1.0 - wolf))

    def _news(self, triggers: list[Trigger]) -> list[Trigger]:
        """Without those that say what was said already, no stronger."""
        news = []
        for trigger in triggers:
            key = (trigger.kind, trigger.tracks)
            said = self._said.get(key)
            if (
                said is None
                or abs(trigger.time_ms - said.time_ms) > _SAME_MS
                or trigger.score > _STRONGER * said.score
                or trigger.level is not said.level
            ):
                self._said[key] = trigger
                news.append(trigger)
                if trigger.box is not None:
                    alert = trigger.level is Level.ALERT
                    self.memory.suspend(trigger.box, alert=alert)
        while len(self._said) > _SAID:
            del self._said[next(iter(self._said))]
        return news

    @property
    def tracker(self) -> Tracker:
        """For drawing and for tests."""
        return self._tracker

    @property
    def tracks(self) -> Sequence[Track]:
        """The bodies that are measured: the detector's too while it does well."""
        detected = self._aide.tracks
        return self._tracker.tracks if detected is None else detected

    @property
    def detector_note(self) -> str:
        """Why the detector rests; empty while it works, or where there is none."""
        return "" if self._duty is None else self._duty.note

    @property
    def plane(self) -> GroundPlane:
        """The ground plane as learned so far."""
        return self._learning.plane

    @property
    def kept_memory(self) -> SceneMemory:
        """What should outlive the process: a short visit of another view does not replace it."""
        return self._views.kept

    @property
    def memory(self) -> SceneMemory:
        """What is normal in the present view; another object after a change of view."""
        return self._views.memory

    def _start(self, capture_ms: int, picture: Planes) -> None:
        height, width = picture.y.shape
        self._shape = (height, width)
        self._origin_ms = capture_ms
        self._last_ms = capture_ms
        self._ignored = _polygons(self._camera, width, height)
        self._view = ViewWatch()
        self._impulses = ImpulseWatch()
        self._said: dict[tuple[EvidenceKind, tuple[int, ...]], Trigger] = {}
        self._recent: deque[Evidence] = deque(maxlen=400)
        self._restart_view(0.0, picture, changed=False)

    def _restart_view(self, now_s: float, picture: Planes, *, changed: bool) -> None:
        """Another view, or the first: nothing learned of the old one holds."""
        height, width = picture.y.shape
        self._background = Background(picture)
        self._view.start(now_s, changed=changed)
        self._learning = Learning(self._camera, width, height, self._views.memory, now_s)
        self._settled_s = now_s + WARM_UP_S
        self._collect_s = now_s
        self._refresh_s = now_s + _FIRST_REFRESH_S
        self._changed = changed
        self._steadying = Steadying(now_s)
        self._tracker = Tracker(width, height, self._tracker.next_id)
        self._aide = Aide(self._duty, width, height, self._tracker.take_id)
        self._reset_detectors(now_s)

    def _reset_detectors(self, now_s: float) -> None:
        self._measuring = Measuring(now_s)
        self._corner_brakes = CornerBrakeWatch()
        self._quiet_until_s = now_s + _QUIET_S

    def _disturbed(self, capture_ms: int) -> None:
        """Bodies cannot be followed across this; the empty scene still holds."""
        assert self._origin_ms is not None
        self._last_rest_ms = None
        self._tracker.forget()
        self._aide.forget()
        self._reset_detectors((capture_ms - self._origin_ms) / 1000)

    def _steadied(self, now_s: float, planes: Planes) -> Planes:
        """The picture with luma noise and the camera's shake taken out."""
        if now_s >= self._settled_s and self._steadying.wants_reference(now_s):
            self._steadying.refer_to(now_s, self._background.picture, self._tracker.owned())
        steadied = self._steadying.steadied(now_s, planes)
        self._view.shifted(now_s, self._steadying.shift, planes.y.shape[1])
        return steadied

    def _look(self, capture_ms: int, now_s: float, picture: Planes) -> list[Evidence]:
        if self._view.repeats:
            return []  # nothing can be told of bodies that stand still with the picture
        if self._view.is_blind(now_s):
            self._disturbed(capture_ms)
            if now_s < self._settled_s:
                self._restart_view(now_s, picture, changed=False)
            return []
        ratio = self._background.follow_exposure(picture.y)
        if abs(ratio - 1.0) > _EXPOSURE_JUMP:
            self._view.exposed(now_s)
            self._disturbed(capture_ms)
        foreground = self._background.foreground(picture)
        if self._ignored is not None:
            foreground = _image(cv2.bitwise_and(foreground, self._ignored))
        share = cv2.countNonZero(foreground) / foreground.size
        arrived = self._view.camera.look(now_s, picture.y, share)
        if self._view.covered(now_s, share) or self._view.camera.moving or arrived:
            self._disturbed(capture_ms)
            if arrived or self._view.must_restart(now_s):
                self._restart_view(now_s, picture, changed=True)
            return []
        if now_s < self._settled_s:
            self._settle(capture_ms, now_s, picture)
            return []
        self._tracker.update(now_s, picture.y, foreground, self._background.picture)
        if self._tracker.jumped:
            self._disturbed(capture_ms)
        height, width = picture.y.shape
        for ghost in self._tracker.ghosts(now_s, picture.y, self._background.picture, foreground):
            self._background.learn_place(picture, *ghost.clipped(width, height))
        self._background.learn(picture, foreground, self._tracker.owned())
        classical = self._tracker.tracks
        if self._aide.step(now_s, picture, self._background.picture, classical):
            self._reset_detectors(now_s)
        self._learning.step(now_s, capture_ms, self._tracker, foreground, self._aide.tracks)
        self._look_over(now_s)
        if now_s < self._quiet_until_s:
            return []
        return self._measure(now_s, picture.v)

    def _impulses_in(self, capture_ms: int, now_s: float, picture: Planes) -> list[Evidence]:
        """They need no empty scene, so they are looked for from the first second on."""
        found = self._impulses.step(now_s, capture_ms, picture.y)
        if self._impulses.is_tense(now_s):
            self._alert_until_ms = max(self._alert_until_ms, capture_ms + _TENSE_MS)
        return [] if self._view.condition(now_s) in _UNTOLD else found

    def _settle(self, capture_ms: int, now_s: float, picture: Planes) -> None:
        """The first seconds only show what the empty scene looks like."""
        if now_s >= self._collect_s:
            self._background.collect(picture)
            self._collect_s = now_s + _COLLECT_S
        if now_s + _SPACING_MS / 1000 >= self._settled_s:
            self._background.settle()
            self._settled_s = now_s  # the next picture may come sooner than the usual spacing
            memory = self._views.settle(self._background.picture, changed=self._changed)
            self._learning.begin(memory, now_s)
            self._view.overlaid = self._views.is_overlaid
            self._disturbed(capture_ms)
            self._quiet_until_s = now_s

    def _look_over(self, now_s: float) -> None:
        """Now and then: the view in the present light, and whether it is still that view."""
        if now_s < self._refresh_s:
            return
        self._refresh_s = now_s + _REFRESH_S
        self._learning.memory = self._views.refresh(self._background.picture)
        self._view.overlaid = self._views.is_overlaid

    def _measure(self, now_s: float, red: Image) -> list[Evidence]:
        assert self._origin_ms is not None
        assert self._shape is not None
        height, width = self._shape
        moment = Moment(
            now_s, self._origin_ms, self.tracks, self._learning.plane,
            self._learning.memory, width, height,
        )  # fmt: skip
        if self._measuring.is_tense(moment, red):
            self._alert_until_ms = moment.wall_ms(now_s) + _ALERT_MS
        found = self._measuring.step(moment, self._recent)
        trail = self._impulses.trail
        return found + self._corner_brakes.step(moment, trail, FAST_PX, (*self._recent, *found))


def _polygons(camera: Camera, width: int, height: int) -> Image | None:
    """0 inside the camera's masks, 255 elsewhere; None without masks."""
    if not camera.masks:
        return None
    picture = np.full((height, width), 255, np.uint8)
    for polygon in camera.masks:
        corners = np.array([(round(x * width), round(y * height)) for x, y in polygon], np.int32)
        cv2.fillPoly(picture, [corners], 0)
    return picture


def _image(result: npt.NDArray[Any]) -> Image:
    """OpenCV gives back the type it was given; its stubs do not say so."""
    return cast(Image, result)
