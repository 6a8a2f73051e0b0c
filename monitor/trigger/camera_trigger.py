"""One camera's trigger: pictures in, evidence, triggers and the view's condition out.

Called by watch (and by the benchmark and the footage table) for every picture it takes out of the
ring; pure computation, no clock, no I/O. Pictures may come at any rate above about five a second;
``wants`` says which ones are worth resizing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt

from monitor.config.models import Camera
from monitor.domain import Actor, Evidence, EvidenceKind, Trigger, ViewCondition
from monitor.media.decode import Planes
from monitor.trigger.background import Background
from monitor.trigger.blobs import find_blobs
from monitor.trigger.braking import BrakeWatch, is_braking
from monitor.trigger.classify import classify, is_surely_vehicle
from monitor.trigger.conflict import ConflictWatch
from monitor.trigger.contact import ContactWatch
from monitor.trigger.flow import Steady
from monitor.trigger.following import HeadwayWatch
from monitor.trigger.ground import GroundPlane, SizeByRow, calibrated_plane
from monitor.trigger.judge import graded, judge
from monitor.trigger.lamps import LampWatch
from monitor.trigger.moment import UNSEEN_M_PER_PX, Moment
from monitor.trigger.people import PeopleWatch
from monitor.trigger.road import Road
from monitor.trigger.standing import StandingWatch
from monitor.trigger.tracker import Tracker
from monitor.trigger.view import WARM_UP_S, ViewWatch

Image = npt.NDArray[np.uint8]

WIDTH_PX: Final = 640
"""How wide pictures should be; narrower ones work, wider ones cost more than they tell."""

_SPACING_MS: Final = 150  # six pictures a second
_ALERT_SPACING_MS: Final = 95  # eight or ten, once something calls for it
_ALERT_MS: Final = 4_000
_GAP_MS: Final = 600  # without a picture for this long, bodies are elsewhere
_LONG_GAP_MS: Final = 60_000  # and so is the light
_QUIET_S: Final = 1.0  # after a disturbance nothing is stated
_EXPOSURE_JUMP: Final = 0.1  # share; smaller steps do not disturb the flow
_COLLECT_S: Final = 0.25
_PLANE_S: Final = 2.0
_STEADY_S: Final = 20.0
_MIN_SHIFT_PX: Final = 0.4
_CALM_S: Final = 0.4  # between looks for a shake while there is none
_MEASURE_S: Final = 0.3  # between measurements; all of them are back-dated anyway
_RECENT_MS: Final = 20_000
_SAME_MS: Final = 5_000
_STRONGER: Final = 1.2
_FAR_AFTER_S: Final = 6.0  # the first vehicles do not tell yet how far off things are
_SAID: Final = 64
_EMPTY_SHARE: Final = 0.02  # of the picture; less foreground, in specks, is flicker


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one picture brought."""

    evidence: tuple[Evidence, ...]
    triggers: tuple[Trigger, ...]
    view: ViewCondition
    scores: tuple[float, ...] = ()  # raw, of all that was judged, below the threshold too


@dataclass(frozen=True, slots=True)
class Glance:
    """What a picture showed while the camera rests."""

    empty: bool  # nothing is there that the empty scene has not
    view: ViewCondition


class CameraTrigger:
    """The trigger's state for one camera."""

    def __init__(self, camera: Camera, *, first_track: int = 1) -> None:
        """``first_track``: ids of tracks begin here, so that a restart does not reuse them."""
        self.operating = 1.0  # the raw score from which something is a candidate here
        self._camera = camera
        self._origin_ms: int | None = None
        self._last_ms = 0
        self._rest_ms: int | None = None
        self._glanced_ms = 0
        self._alert_until_ms = 0
        self._shape: tuple[int, int] | None = None
        self._tracker = Tracker(0, 0, first_track)

    def wants(self, capture_ms: int) -> bool:
        """Whether a picture of that time is far enough from the last one looked at."""
        if self._origin_ms is None:
            return True
        spacing_ms = _ALERT_SPACING_MS if capture_ms < self._alert_until_ms else _SPACING_MS
        return not 0 <= capture_ms - self._last_ms < spacing_ms

    def step(self, capture_ms: int, planes: Planes) -> StepResult:
        """Look at one picture; times must rise, or everything starts again."""
        gap_ms = capture_ms - self._last_ms
        if self._shape != planes.y.shape or gap_ms <= 0 or gap_ms > _LONG_GAP_MS:
            self._start(capture_ms, planes)
        elif gap_ms > _GAP_MS:
            self._disturbed(capture_ms)
        self._last_ms = capture_ms
        assert self._origin_ms is not None
        now_s = (capture_ms - self._origin_ms) / 1000
        self._view.look(now_s, planes.y)
        rest_ms, self._rest_ms = self._rest_ms, None
        evidence = self._look(capture_ms, now_s, self._steadied(now_s, planes))
        if self._tracker.idle_s == now_s:
            self._rest_ms = capture_ms if rest_ms is None else rest_ms
        self._recent.extend(evidence)
        while self._recent and self._recent[0].time_ms < capture_ms - _RECENT_MS:
            self._recent.popleft()
        judged = judge(evidence, tuple(self._recent), capture_ms)
        triggers = self._news(graded(judged, self.operating))
        return StepResult(
            tuple(evidence), tuple(triggers), self._view.condition(now_s),
            tuple(one.score for one in judged),
        )  # fmt: skip

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
        busy = cv2.countNonZero(foreground) > _EMPTY_SHARE * foreground.size
        empty = not busy and not find_blobs(foreground, self._tracker.far_row)
        if empty:
            since_ms = capture_ms - max(self._glanced_ms, self._last_ms)
            self._glanced_ms = capture_ms
            self._background.learn_after(since_ms / _SPACING_MS, picture, foreground)
        return Glance(empty, self._view.condition(now_s))

    def pass_over(self, capture_ms: Iterable[int]) -> None:
        """Pictures slept through: the rhythm goes on as if those wanted had been looked at."""
        for at_ms in sorted(capture_ms):
            if self.wants(at_ms):
                self._last_ms = at_ms

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
        while len(self._said) > _SAID:
            del self._said[next(iter(self._said))]
        return news

    @property
    def tracker(self) -> Tracker:
        """For drawing and for tests."""
        return self._tracker

    @property
    def plane(self) -> GroundPlane:
        """The ground plane as learned so far."""
        return self._plane

    def _start(self, capture_ms: int, picture: Planes) -> None:
        height, width = picture.y.shape
        self._shape = (height, width)
        self._origin_ms = capture_ms
        self._last_ms = capture_ms
        self._ignored = _polygons(self._camera, width, height)
        self._view = ViewWatch()
        self._sizes = SizeByRow(width, height)
        self._said: dict[tuple[EvidenceKind, tuple[int, ...]], Trigger] = {}
        self._recent: deque[Evidence] = deque(maxlen=400)
        self._restart_view(0.0, picture, changed=False)

    def _restart_view(self, now_s: float, picture: Planes, *, changed: bool) -> None:
        """Another view, or the first: nothing learned of the old one holds."""
        height, width = picture.y.shape
        self._background = Background(picture)
        self._view.start(now_s, changed=changed)
        self._sizes = SizeByRow(width, height)
        self._plane = self._best_plane()
        self._plane_s = self._steady_s = now_s
        self._settled_s = now_s + WARM_UP_S
        self._collect_s = now_s
        self._steady = Steady()
        self._shift: tuple[float, float] | None = None
        self._shake_s = now_s
        self._road = Road(width, height)
        self._parity = False
        self._tracker = Tracker(width, height, self._tracker.next_id)
        self._reset_detectors(now_s)

    def _reset_detectors(self, now_s: float) -> None:
        self._braking, self._lamps = BrakeWatch(), LampWatch()
        self._headways, self._contacts = HeadwayWatch(), ContactWatch()
        self._standing, self._people, self._conflicts = (
            StandingWatch(), PeopleWatch(), ConflictWatch()
        )  # fmt: skip
        self._lit: list[Evidence] = []
        self._measured_s = now_s
        self._quiet_until_s = now_s + _QUIET_S

    def _disturbed(self, capture_ms: int) -> None:
        """Bodies cannot be followed across this; the empty scene still holds."""
        assert self._origin_ms is not None
        self._tracker.forget()
        self._reset_detectors((capture_ms - self._origin_ms) / 1000)

    def _steadied(self, now_s: float, planes: Planes) -> Planes:
        """The picture with luma noise and the camera's shake taken out."""
        picture = replace(planes, y=_image(cv2.GaussianBlur(planes.y, (3, 3), 0)))
        if now_s >= max(self._settled_s, self._steady_s):
            free = _image(cv2.bitwise_not(self._tracker.owned()))
            self._steady.refer_to(self._background.picture, free)
            self._steady_s = now_s + _STEADY_S
        if now_s >= self._shake_s:
            shift = self._steady.shift(picture.y) or (0.0, 0.0)
            calm = max(abs(shift[0]), abs(shift[1])) < _MIN_SHIFT_PX
            self._shift = None if calm else shift
            self._shake_s = now_s + (_CALM_S if calm else 0.0)
        if self._shift is None:
            return picture
        dx, dy = self._shift
        return Planes(
            _shifted(picture.y, dx, dy),
            _shifted(picture.u, dx / 2, dy / 2),
            _shifted(picture.v, dx / 2, dy / 2),
        )

    def _look(self, capture_ms: int, now_s: float, picture: Planes) -> list[Evidence]:
        ratio = self._background.follow_exposure(picture.y)
        if abs(ratio - 1.0) > _EXPOSURE_JUMP:
            self._disturbed(capture_ms)
        foreground = self._background.foreground(picture)
        if self._ignored is not None:
            foreground = _image(cv2.bitwise_and(foreground, self._ignored))
        if self._view.covered(now_s, foreground):
            self._disturbed(capture_ms)
            if self._view.must_restart(now_s):
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
        self._learn_scene(now_s)
        if now_s < self._quiet_until_s:
            return []
        return self._measure(now_s, picture.v)

    def _settle(self, capture_ms: int, now_s: float, picture: Planes) -> None:
        """The first seconds only show what the empty scene looks like."""
        if now_s >= self._collect_s:
            self._background.collect(picture)
            self._collect_s = now_s + _COLLECT_S
        if now_s + _SPACING_MS / 1000 >= self._settled_s:
            self._background.settle()
            self._disturbed(capture_ms)
            self._quiet_until_s = now_s

    def _learn_scene(self, now_s: float) -> None:
        if now_s - self._plane_s > _PLANE_S:
            self._plane_s, self._plane = now_s, self._best_plane()
            if now_s - self._settled_s > _FAR_AFTER_S and self._shape is not None:
                height, width = self._shape
                self._tracker.far_row = self._plane.far_row(UNSEEN_M_PER_PX, width, height)
        present = set()
        self._parity = not self._parity
        for track in self._tracker.tracks:
            present.add(track.id)
            if track.id % 2 == self._parity and len(track.history) > 12:
                continue  # what is known of it changes slowly
            classify(track, self._plane, track.update_standing(self._plane, now_s))
            sample = track.history[-1]
            if track.actor is not Actor.VEHICLE or not sample.measured or not track.moving:
                continue
            self._road.drive(track.id, track.box, track.velocity)
            if sample.whole and sample.apart and is_surely_vehicle(track):
                self._sizes.observe(track.id, float(track.foot[1]), track.box.size)
        self._road.keep_only(present)

    def _best_plane(self) -> GroundPlane:
        assert self._shape is not None
        learned = self._sizes.plane()
        if not self._camera.calibration:
            return learned
        height, width = self._shape
        return calibrated_plane(self._camera.calibration, width, height, learned)

    def _measure(self, now_s: float, red: Image) -> list[Evidence]:
        assert self._origin_ms is not None
        assert self._shape is not None
        height, width = self._shape
        moment = Moment(
            now_s, self._origin_ms, self._tracker.tracks, self._plane, self._road, width, height
        )
        self._lit += self._lamps.step(moment, red)
        if self._lit or any(is_braking(moment, track) for track in moment.vehicles()):
            self._alert_until_ms = moment.wall_ms(now_s) + _ALERT_MS
        if now_s < self._measured_s + _MEASURE_S:
            return []  # the history keeps what happens meanwhile
        self._measured_s = now_s
        found, self._lit = self._lit, []
        found += self._people.step(moment)
        found += self._braking.step(moment)
        found += self._contacts.step(moment)
        found += self._headways.step(moment, found)
        found += self._standing.step(moment)
        touched = {
            frozenset((e.track, e.other))
            for e in (*self._recent, *found)
            if e.kind is EvidenceKind.CONTACT and e.track is not None and e.other is not None
        }
        return found + self._conflicts.step(moment, touched)


def _polygons(camera: Camera, width: int, height: int) -> Image | None:
    """0 inside the camera's masks, 255 elsewhere; None without masks."""
    if not camera.masks:
        return None
    picture = np.full((height, width), 255, np.uint8)
    for polygon in camera.masks:
        corners = np.array([(round(x * width), round(y * height)) for x, y in polygon], np.int32)
        cv2.fillPoly(picture, [corners], 0)
    return picture


def _shifted(picture: Image, dx: float, dy: float) -> Image:
    """The picture moved back by a shift."""
    height, width = picture.shape
    matrix = np.array([[1.0, 0.0, -dx], [0.0, 1.0, -dy]])
    return _image(
        cv2.warpAffine(
            picture, matrix, (width, height), flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )  # fmt: skip


def _image(result: npt.NDArray[Any]) -> Image:
    """OpenCV gives back the type it was given; its stubs do not say so."""
    return cast(Image, result)
