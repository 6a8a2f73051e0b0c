"""What a camera's trigger and its sleep keep stays bounded however long they run."""

from __future__ import annotations

import gc
from collections import deque
from dataclasses import replace

import cv2
import numpy as np
import pytest

from monitor.config.models import Camera
from monitor.domain import AccessUnit
from monitor.trigger import CameraTrigger
from tests.quiet_street import encoded
from tests.street import START_MS, Car, Street
from workers.watching.eye import Eye

CAMERA = Camera(id="cam", url="rtsp://127.0.0.1/x")
PERIOD_S = 12.0
STREET = Street(
    tuple(
        Car(x=-60.0, y=30.0 + 17.0 * (n % 8), speed=70.0 + 9.0 * (n % 5), seed=n, from_s=1.7 * n)
        for n in range(round(PERIOD_S / 1.7))
    )
)


def held_bytes(root: object) -> int:
    """Of everything reachable, arrays and what containers hold; classes and functions left out."""
    seen: set[int] = set()
    todo, total = [root], 0
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, type) or callable(one):
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            total += one.nbytes
        elif isinstance(one, bytes | str | int | float):
            total += 32 + (len(one) if isinstance(one, bytes | str) else 0)
        else:
            total += 64
            todo += gc.get_referents(one)
    return total


def test_the_walk_sees_what_grows() -> None:
    kept = deque([np.zeros(1000)])
    before = held_bytes({"a": [kept]})
    kept.append(np.zeros(1000))
    assert held_bytes({"a": [kept]}) - before >= 8000


@pytest.mark.timeout(120)
def test_traffic_is_not_kept() -> None:
    """Twelve seconds of dense traffic, again and again: tracks, pairs and evidence come and go."""
    cv2.setNumThreads(1)
    pictures = [STREET.picture(index / 8) for index in range(round(8 * PERIOD_S))]
    trigger = CameraTrigger(CAMERA)
    sizes, ids = [], []
    for index in range(10 * len(pictures)):
        trigger.step(START_MS + 125 * index, pictures[index % len(pictures)])
        if (index + 1) % (2 * len(pictures)) == 0:
            sizes.append(held_bytes(trigger))
            ids.append(trigger.tracker.next_id)
    assert ids[-1] > ids[0] + 40, "new bodies came all the time"
    assert max(sizes[2:]) < 1.15 * max(sizes[:2])
    assert max(sizes) < 30e6


def test_sleep_keeps_one_gop_and_the_habits_of_a_few() -> None:
    units, params = encoded(Street(noise=3.0).picture, 10.0, rate="crf=18")
    eye = Eye(CAMERA)
    eye.use(params)
    sizes, slept = [], 0
    span_ms = 10_000
    for turn in range(6):
        for unit in units:
            seen = eye.look((later(unit, turn * span_ms),), tell_after_ms=0)
            slept += seen.slept
        sizes.append(held_bytes(eye))
    assert slept > len(units)
    assert max(sizes[2:]) < 1.15 * max(sizes[:2])


def later(unit: AccessUnit, by_ms: int) -> AccessUnit:
    return replace(unit, entry_ms=unit.entry_ms + by_ms, capture_ms=unit.capture_ms + by_ms)
