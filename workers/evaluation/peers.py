"""Plainer triggers to compare with: small implementations of published ideas.

- ``frigate``: the motion detector of the Frigate NVR, from its documentation of the ``motion``
  settings (docs.frigate.video, "Tuning Motion Detection"): a grey picture 100 pixels high, its
  contrast stretched, against a running average with weight 0.01; a pixel counts from a difference
  of 30, an area from 10 pixels; when more than 80 % of the picture changes at once it is a
  lightning flash or a camera that turned, and nothing counts. Frigate asks its object detector
  about motion; taken as an incident's trigger it is what the score here says. Not its code.
- ``mog2``: the share of the picture that OpenCV's MOG2 calls foreground (Z. Zivkovic, ICPR 2004).
- ``flow``: mean length of dense optical flow (DIS; T. Kroeger et al., ECCV 2016) against its own
  median over the last 10 s: a burst of motion.

They see the same pictures at the same times as the trigger, and score 1.0 at the lowest threshold
that means anything, so that leaving one family out may raise it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import cv2
import numpy as np

from monitor.media.decode import Decoder, Plane, planes
from monitor.trigger import WIDTH_PX
from monitor.trigger.view import WARM_UP_S
from workers.evaluation.catalogue import Entry
from workers.evaluation.found import Cost, Found, Replay
from workers.evaluation.lead_in import START_MS, play
from workers.evaluation.replay import Settings

SPACING_MS: Final = 95


class Peer(Protocol):
    """Scores pictures, one after another."""

    def score(self, luma: Plane, now_s: float) -> float:
        """1.0 and above is a trigger."""


class FrigateMotion:
    """The largest moving area against the documented least one."""

    _HEIGHT: Final = 100
    _AVERAGE: Final = 0.01
    _THRESHOLD: Final = 30
    _AREA: Final = 10.0
    _LIGHTNING: Final = 0.8

    def __init__(self) -> None:
        self._average: np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None = None

    def score(self, luma: Plane, now_s: float) -> float:
        width = max(1, round(luma.shape[1] * self._HEIGHT / luma.shape[0]))
        small = cv2.resize(luma, (width, self._HEIGHT), interpolation=cv2.INTER_LINEAR)
        low, high = np.percentile(small, (4, 96))
        if high > low:
            small = np.clip((small - low) * (255.0 / (high - low)), 0, 255)
        picture = np.asarray(small, np.float32)
        if self._average is None:
            self._average = picture
            return 0.0
        delta = cv2.absdiff(picture, self._average)
        moved = (delta > self._THRESHOLD).astype(np.uint8)
        cv2.accumulateWeighted(picture, self._average, self._AVERAGE)
        if moved.mean() > self._LIGHTNING:
            self._average = picture
            return 0.0
        count, _, stats, _ = cv2.connectedComponentsWithStats(
            cv2.dilate(moved, np.ones((3, 3), np.uint8))
        )
        largest = max((int(area) for area in stats[1:count, cv2.CC_STAT_AREA]), default=0)
        return largest / self._AREA


class Mog2Area:
    """Share of the picture in the foreground, in parts of one hundredth."""

    _WIDTH: Final = 320
    _SHARE: Final = 0.01
    _SHADOW: Final = 127

    def __init__(self) -> None:
        self._model = cv2.createBackgroundSubtractorMOG2(history=300, varThreshold=25)

    def score(self, luma: Plane, now_s: float) -> float:
        foreground = self._model.apply(_resized(luma, self._WIDTH))
        return float((foreground > self._SHADOW).mean()) / self._SHARE


class FlowBurst:
    """Mean flow against its median over the last seconds."""

    _WIDTH: Final = 160
    _MEMORY_S: Final = 10.0
    _BURST: Final = 1.5
    _FLOOR_PX: Final = 0.02

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._previous: Plane | None = None
        self._past: deque[tuple[float, float]] = deque()

    def score(self, luma: Plane, now_s: float) -> float:
        small = _resized(luma, self._WIDTH)
        previous, self._previous = self._previous, small
        if previous is None or previous.shape != small.shape:
            return 0.0
        flow = self._flow.calc(previous, small, np.zeros((*small.shape, 2), np.float32))
        energy = float(np.hypot(flow[..., 0], flow[..., 1]).mean())
        while self._past and self._past[0][0] < now_s - self._MEMORY_S:
            self._past.popleft()
        usual = float(np.median([one for _, one in self._past])) if self._past else energy
        self._past.append((now_s, energy))
        return energy / max(self._FLOOR_PX, usual) / self._BURST


PEERS: Final[dict[str, Callable[[], Peer]]] = {
    "frigate": FrigateMotion, "mog2": Mog2Area, "flow": FlowBurst,
}  # fmt: skip


def peer_replay(name: str) -> Callable[[Entry, int, Settings], Replay]:
    """A replayer for ``running.run_all``."""
    return partial(_replay, name)


def _replay(name: str, entry: Entry, phase_ms: int, settings: Settings) -> Replay:
    cv2.setNumThreads(1)
    peer = PEERS[name]()
    first = min((label.start_s for label in entry.scored), default=None)
    played = play(entry.path, first, settings.lead_in)
    look_from_ms = min(u.capture_ms for _, units in played.parts for u in units) + phase_ms
    armed_s = 0.0 if played.lead_in_s else WARM_UP_S
    found: list[Found] = []
    last_ms: int | None = None
    looked_at = decoded = 0
    began_s = time.thread_time()
    for params, units in played.parts:
        decoder = Decoder(params)
        for unit in units:
            decoded += 1
            for frame in decoder.decode(unit):
                at_ms = frame.capture_ms
                if at_ms < look_from_ms or (last_ms is not None and at_ms - last_ms < SPACING_MS):
                    continue
                last_ms = at_ms
                looked_at += 1
                now_s = (at_ms - START_MS) / 1000
                score = peer.score(planes(frame.frame, WIDTH_PX).y, now_s)
                if score >= 1.0 and now_s >= armed_s:
                    found.append(Found(now_s, now_s, round(score, 3), name))
    cpu_ms = (time.thread_time() - began_s) * 1000
    return Replay(
        entry.file, phase_ms, played.lead_in, played.lead_in_s, armed_s,
        (played.end_ms - START_MS) / 1000, tuple(found), cost=Cost(cpu_ms, looked_at, decoded),
    )  # fmt: skip


def _resized(luma: Plane, width: int) -> Plane:
    height = max(1, round(luma.shape[0] * width / luma.shape[1]))
    return np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
