"""Cues that are left out: their names, the watching without them, and the second look."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from monitor.config.models import Camera
from monitor.domain import Actor, Evidence, EvidenceKind, Trigger
from monitor.media.decode import Planes
from monitor.trigger import CameraTrigger, StepResult
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.normal import SceneMemory
from tests.street import START_MS, Street
from tests.watching import Braking
from workers.evaluation.ablation import Without, kinds_of

CAMERA = Camera.model_validate({"id": "a", "url": "rtsp://127.0.0.1/x"})
K = EvidenceKind
CARS = (
    Braking(x=290.0, y=90.0, speed=120.0, seed=8, brakes_s=4.0),
    Braking(x=150.0, y=90.0, speed=120.0, seed=7, brakes_s=6.0),
)


def test_a_cue_is_a_kind_of_evidence_or_lamps() -> None:
    assert kinds_of(["impulse", "lamps", "second_look"]) == {K.IMPULSE, K.BRAKE_LIGHT_ONSET}
    assert kinds_of([]) == frozenset()


def test_a_word_that_is_no_cue_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"^nonsense, other: no such cue; there are .*impulse"):
        kinds_of(["other", "impulse", "nonsense"])


def watched(*without: EvidenceKind) -> list[StepResult]:
    trigger = CameraTrigger(CAMERA)
    trigger.operating = 0.25
    trigger.without = frozenset(without)
    street = Street(CARS)
    return [
        trigger.step(START_MS + 100 * number, street.picture(number / 10)) for number in range(100)
    ]


def told(results: list[StepResult]) -> set[EvidenceKind]:
    return {one.kind for result in results for one in result.evidence}


def triggering(results: list[StepResult]) -> set[EvidenceKind]:
    return {one.kind for result in results for one in result.triggers}


def test_what_is_left_out_is_neither_told_nor_judged() -> None:
    plain = watched()
    assert K.HARD_BRAKE in told(plain) & triggering(plain)
    without = watched(K.HARD_BRAKE)
    assert K.HARD_BRAKE not in told(without) | triggering(without)
    assert told(without) == told(plain) - {K.HARD_BRAKE}


class Look:
    """Confirms, with evidence of two kinds."""

    def __call__(
        self,
        pictures: Iterable[tuple[int, Planes]],
        trigger: Trigger,
        camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict:
        evidence = tuple(
            Evidence(f"{kind}-1", kind, 1_000, Actor.VEHICLE, 0.5)
            for kind in (K.HEADWAY, K.CLOSING)
        )
        return Verdict(True, 1.5, K.CONTACT, 1_000, 0.1, None, None, "they met", evidence)


ASKED = Trigger(K.IMPULSE, 1_000, 1_200, 1.2, "sudden")


def test_a_second_look_tells_nothing_of_what_is_left_out() -> None:
    found = Without(Look(), {K.HEADWAY})((), ASKED, CAMERA)
    assert (found.confirmed, [one.kind for one in found.evidence]) == (True, [K.CLOSING])


def test_second_looks_can_be_left_out() -> None:
    found = Without(Look(), (), blind=True)((), ASKED, CAMERA)
    assert (found.confirmed, found.evidence) == (None, ())
