"""One camera's trigger: pictures in, evidence, triggers and the view's condition out.

Called by watch (and by the benchmark and the footage table) for every picture it takes out of the
ring; pure computation, no clock, no I/O. Pictures may come at any rate above about five a second;
``wants`` says which ones are worth resizing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from monitor.config.models import Camera
from monitor.domain import Evidence, EvidenceKind, ViewCondition
from monitor.media.decode import Planes
from monitor.trigger.detector import Aide, Duty, SharedDetector
from monitor.trigger.empty_scene import EmptyScene, is_nothing
from monitor.trigger.fast import ImpulseWatch
from monitor.trigger.judge import graded
from monitor.trigger.learning import Learning
from monitor.trigger.measuring import Measuring
from monitor.trigger.moment import Moment
from monitor.trigger.news import News
from monitor.trigger.normal import KnownViews, SceneMemory
from monitor.trigger.rest import Rest
from monitor.trigger.results import Glance, StepResult
from monitor.trigger.rhythm import SPACING_MS, Rhythm
from monitor.trigger.track import Track
from monitor.trigger.tracker import Tracker
from monitor.trigger.view import ViewWatch

Image = npt.NDArray[np.uint8]

WIDTH_PX: Final = 640
"""How wide pictures should be; narrower ones work, wider ones cost more than they tell."""

_ALERT_MS: Final = 4_000
_TENSE_MS: Final = 1_000
_V = ViewCondition
_UNTOLD: Final = (_V.FROZEN, _V.CAMERA_MOVING, _V.NO_SIGNAL, _V.MASKED)
_LEAST_PX: Final = 48  # of height or width; in less nothing can be told
_GAP_MS: Final = 600  # without a picture for this long, bodies are elsewhere
_LONG_GAP_MS: Final = 60_000  # and so is the light
_QUIET_S: Final = 1.0  # after a disturbance nothing is stated
_EXPOSURE_JUMP: Final = 0.1  # share; smaller steps do not disturb the flow
_FIRST_REFRESH_S: Final = 60.0  # by then what stood in the way has moved on
_REFRESH_S: Final = 600.0  # between looks at how the view looks in the present light


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
        self.without: frozenset[EvidenceKind] = frozenset()  # cues that are left out
        self._camera = camera
        self._origin_ms: int | None = None
        self._rhythm, self._rest = Rhythm(), Rest()
        self._glanced_ms = 0
        self._refresh_s = 0.0
        self._shape: tuple[int, int] | None = None
        self._tracker = Tracker(0, 0, first_track)
        self._views = KnownViews(memory)
        self._duty = None if detector is None else Duty(detector)
        self._aide = Aide(None, 0, 0, self._tracker.take_id)

    def wants(self, capture_ms: int) -> bool:
        """Whether a picture of that time is far enough from the last one looked at."""
        return self._rhythm.wants(capture_ms, self.fps)

    def step(self, capture_ms: int, planes: Planes) -> StepResult:
        """Look at one picture; times must rise, or everything starts again."""
        if min(planes.y.shape) < _LEAST_PX:
            self._shape = None
            self._rest.resume(None)
            return StepResult((), (), ViewCondition.NO_SIGNAL)
        gap_ms = capture_ms - (self._rhythm.last_ms or 0)
        if self._shape != planes.y.shape or gap_ms <= 0 or gap_ms > _LONG_GAP_MS:
            self._start(capture_ms, planes)
        self._rhythm.last_ms = capture_ms
        assert self._origin_ms is not None
        now_s = (capture_ms - self._origin_ms) / 1000
        if gap_ms > _GAP_MS:
            self._view.gap(now_s)
        if self._view.look(now_s, planes.y) or gap_ms > _GAP_MS:
            self._disturbed(capture_ms)
        rested_ms = self._rest.interrupt()
        picture = self._steadied(now_s, planes)
        evidence = self._look(capture_ms, now_s, picture)
        evidence += self._impulses_in(capture_ms, now_s, picture)
        evidence = [one for one in evidence if one.kind not in self.without]
        if self._view.repeats:
            self._rest.resume(rested_ms)
        elif self._tracker.idle_s == now_s:
            self._rest.note(capture_ms, rested_ms, self._tracker)
        judged = self._news.judged(evidence, capture_ms, self.memory)
        triggers = self._news.of(graded(judged, self.operating), self.memory)
        return StepResult(
            tuple(evidence), tuple(triggers), self._view.condition(now_s),
            tuple((one.time_ms, one.score) for one in judged),
        )  # fmt: skip

    @property
    def resting_since_ms(self) -> int | None:
        """Since when every picture looked at was empty: nobody followed, nothing in sight."""
        return self._rest.since_ms

    def glance(self, capture_ms: int, planes: Planes) -> Glance:
        """Look at one picture of many that are slept through: is the scene still empty?

        An empty one is learned, for all the time since the last one. The rhythm of looking is
        left alone; ``pass_over`` moves it on.
        """
        if self._rest.since_ms is None or self._origin_ms is None or self._shape != planes.y.shape:
            return Glance(False, ViewCondition.WARMING_UP)
        now_s = (capture_ms - self._origin_ms) / 1000
        self._view.look(now_s, planes.y)
        picture = self._steadied(now_s, planes)
        self._scene.background.follow_exposure(picture.y)
        foreground = self._scene.foreground(picture)
        same = self._tracker.strike_out_things(foreground)
        empty = same and is_nothing(foreground, self._tracker.far_row)
        if empty:
            since_ms = capture_ms - max(self._glanced_ms, self._rhythm.last_ms or 0)
            self._glanced_ms = capture_ms
            self._scene.background.learn_after(since_ms / SPACING_MS, picture, foreground)
            self._look_over(now_s)
        return Glance(empty, self._view.condition(now_s))

    def pass_over(self, capture_ms: Iterable[int]) -> None:
        """Pictures slept through: the rhythm goes on as if those wanted had been looked at."""
        assert self._origin_ms is not None
        for at_ms in sorted(capture_ms):
            if self.wants(at_ms):
                self._rhythm.last_ms = at_ms
                now_s = (at_ms - self._origin_ms) / 1000
                self._learning.pass_over(now_s, at_ms)
                self._measuring.pass_over(now_s)
                self._tracker.pass_over(now_s)

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
    def kept_memory(self) -> SceneMemory:
        """What should outlive the process: a short visit of another view does not replace it."""
        return self._views.kept

    @property
    def memory(self) -> SceneMemory:
        """What is normal in the present view; another object after a change of view."""
        return self._views.memory

    def _start(self, capture_ms: int, picture: Planes) -> None:
        self._shape = (picture.y.shape[0], picture.y.shape[1])
        self._origin_ms = capture_ms
        self._view = ViewWatch()
        self._impulses = ImpulseWatch()
        self._news = News()
        self._restart_view(0.0, picture, changed=False)

    def _restart_view(self, now_s: float, picture: Planes, *, changed: bool) -> None:
        """Another view, or the first: nothing learned of the old one holds."""
        height, width = picture.y.shape
        self._scene = EmptyScene(self._camera, picture, now_s)
        self._view.masked = self._scene.is_masked
        self._view.start(now_s, changed=changed)
        self._learning = Learning(self._camera, width, height, self._views.memory, now_s)
        self._refresh_s = now_s + _FIRST_REFRESH_S
        self._changed = changed
        self._tracker = Tracker(width, height, self._tracker.next_id)
        self._aide = Aide(self._duty, width, height, self._tracker.take_id)
        self._reset_detectors(now_s)

    def _reset_detectors(self, now_s: float) -> None:
        self._measuring = Measuring(now_s)
        self._quiet_until_s = now_s + _QUIET_S

    def _disturbed(self, capture_ms: int) -> None:
        """Bodies cannot be followed across this; the empty scene still holds."""
        assert self._origin_ms is not None
        self._rest.disturbed()
        self._tracker.forget()
        self._aide.forget()
        self._reset_detectors((capture_ms - self._origin_ms) / 1000)

    def _steadied(self, now_s: float, planes: Planes) -> Planes:
        steadied = self._scene.steadied(now_s, planes, self._tracker.owned)
        self._view.shifted(now_s, self._scene.shift, planes.y.shape[1])
        return steadied

    def _look(self, capture_ms: int, now_s: float, picture: Planes) -> list[Evidence]:
        if self._view.repeats:
            return []  # nothing can be told of bodies that stand still with the picture
        if self._view.is_blind(now_s):
            self._disturbed(capture_ms)
            if not self._scene.is_settled(now_s):
                self._restart_view(now_s, picture, changed=False)
            return []
        background = self._scene.background
        ratio = background.follow_exposure(picture.y)
        if abs(ratio - 1.0) > _EXPOSURE_JUMP:
            self._view.exposed(now_s)
            self._disturbed(capture_ms)
        background.raining = self._view.raining
        foreground = self._scene.foreground(picture)
        share = cv2.countNonZero(foreground) / foreground.size
        arrived = self._view.camera.look(now_s, picture.y, share)
        if self._view.covered(now_s, share) or self._view.camera.moving or arrived:
            self._disturbed(capture_ms)
            if arrived or self._view.must_restart(now_s):
                self._restart_view(now_s, picture, changed=True)
            return []
        if not self._scene.is_settled(now_s):
            self._settle(capture_ms, now_s, picture)
            return []
        self._tracker.update(now_s, picture.y, foreground, background.picture)
        if self._tracker.jumped:
            self._disturbed(capture_ms)
        height, width = picture.y.shape
        for ghost in self._tracker.ghosts(now_s, picture.y, background.picture, foreground):
            background.learn_place(picture, *ghost.clipped(width, height))
        background.learn(picture, foreground, self._tracker.owned())
        classical = self._tracker.tracks
        if self._aide.step(now_s, picture, background.picture, classical):
            self._reset_detectors(now_s)
        self._learning.step(now_s, capture_ms, self._tracker, foreground, self._aide.tracks)
        self._look_over(now_s)
        if now_s < self._quiet_until_s:
            return []
        return self._measure(now_s, picture)

    def _impulses_in(self, capture_ms: int, now_s: float, picture: Planes) -> list[Evidence]:
        """They need no empty scene, so they are looked for from the first second on."""
        found = self._impulses.step(now_s, capture_ms, picture.y)
        if self._impulses.is_tense(now_s):
            self._rhythm.hasten(capture_ms + _TENSE_MS)
        return [] if self._view.condition(now_s) in _UNTOLD else found

    def _settle(self, capture_ms: int, now_s: float, picture: Planes) -> None:
        """The first seconds only show what the empty scene looks like."""
        if self._scene.collect(now_s, picture, SPACING_MS / 1000):
            memory = self._views.settle(self._scene.background.picture, changed=self._changed)
            self._learning.begin(memory, now_s)
            self._view.overlaid = self._views.is_overlaid
            self._disturbed(capture_ms)
            self._quiet_until_s = now_s

    def _look_over(self, now_s: float) -> None:
        """Now and then: the view in the present light, and whether it is still that view."""
        if now_s < self._refresh_s:
            return
        self._refresh_s = now_s + _REFRESH_S
        self._learning.memory = self._views.refresh(self._scene.background.picture)
        self._view.overlaid = self._views.is_overlaid

    def _measure(self, now_s: float, picture: Planes) -> list[Evidence]:
        assert self._origin_ms is not None
        assert self._shape is not None
        height, width = self._shape
        moment = Moment(
            now_s, self._origin_ms, self.tracks, self._learning.plane,
            self._learning.memory, width, height,
        )  # fmt: skip
        if self._measuring.is_tense(moment, picture.v, picture.y):
            self._rhythm.hasten(moment.wall_ms(now_s) + _ALERT_MS)
        return self._measuring.step(moment, self._news.recent)
