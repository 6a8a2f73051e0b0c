"""The incidents of a clip: strong ones at once, candidates once their second look is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from monitor.config.models import Camera
from monitor.domain import Actor, Evidence, EvidenceKind, Level, Trigger
from monitor.media.decode import Planes
from monitor.trigger.forensic.verdict import Verdict
from monitor.trigger.normal import SceneMemory
from tests.video import encode, even
from workers.evaluation.book import Book
from workers.evaluation.lead_in import START_MS, Played
from workers.watching.look_back import Examine

CAMERA = Camera.model_validate({"id": "replay", "url": "rtsp://127.0.0.1/x"})
K = EvidenceKind


def trigger(at_s: float, score: float = 1.2, level: Level = Level.CANDIDATE) -> Trigger:
    at_ms = START_MS + round(1000 * at_s)
    return Trigger(K.HARD_BRAKE, at_ms, at_ms + 300, score, "braked", level=level)


class Look:
    """Says what it was told to, and keeps which pictures there were."""

    def __init__(self, confirmed: bool | None) -> None:
        self.confirmed = confirmed
        self.seen_s: list[float] = []

    def __call__(
        self,
        pictures: Iterable[tuple[int, Planes]],
        trigger: Trigger,
        camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict:
        self.seen_s = [(at_ms - START_MS) / 1000 for at_ms, _ in pictures]
        return Verdict(
            self.confirmed, 1.5, K.CONTACT, trigger.time_ms + 200, 0.1, None, None, "they met"
        )


def book(examine: Examine, end_s: float = 20.0) -> Book:
    """Two seconds of lead-in, then a clip at ten pictures a second."""
    units, params = encode(even(round(10 * (end_s + 2.0)) + 1, 100), gop=10)
    shift = START_MS - 2_000 - units[0].capture_ms
    moved = tuple(
        type(u)(u.entry_ms + shift, u.capture_ms + shift, u.is_key, u.generation, u.data)
        for u in units
    )
    played = Played(((params, moved),), "its first picture, held", 2.0,
                    START_MS + round(1000 * end_s))  # fmt: skip
    return Book(CAMERA, played, examine)


def test_a_strong_trigger_is_an_alert_at_once() -> None:
    made = book(Look(None))
    made.file([trigger(10.0, 2.0, Level.ALERT)])
    assert [(one.decided_s, one.score) for one in made.alerts] == [(10.3, 2.0)]


def test_a_candidate_is_one_once_its_window_is_over_and_confirmed() -> None:
    look = Look(True)
    made = book(look)
    made.file([trigger(10.0)])
    made.look_again(START_MS + 11_999)
    assert (made.alerts, made.judged) == ([], [])
    made.look_again(START_MS + 12_000)
    (alert,) = made.alerts
    assert (alert.decided_s, alert.time_s, alert.kind) == (12.0, 10.2, "contact")
    assert (look.seen_s[0], look.seen_s[-1]) == (2.0, 12.0)


def test_what_is_not_confirmed_halfway_may_be_at_the_end() -> None:
    look = Look(None)
    made = book(look)
    made.file([trigger(10.0)])
    made.look_again(START_MS + 13_999)
    assert look.seen_s[-1] == 12.0
    assert (made.alerts, made.judged) == ([], [])
    look.confirmed = True
    made.look_again(START_MS + 14_000)
    assert look.seen_s[-1] == 14.0
    assert made.alerts[0].decided_s == 14.0
    assert len(made.judged) == 1


def test_it_never_sees_the_lead_in_nor_past_the_end() -> None:
    look = Look(True)
    made = book(look, end_s=6.0)
    made.file([trigger(4.0)])
    made.look_again(None)
    assert (look.seen_s[0], look.seen_s[-1]) == (0.0, 6.0)
    assert made.alerts[0].decided_s == 6.0
    assert made.judged[0].window_s == 6.0
    late = book(look, end_s=6.0)
    late.file([trigger(4.5)])
    late.look_again(START_MS + 5_900)
    assert late.judged == []
    late.look_again(None)
    assert late.alerts[0].decided_s == 6.0


def test_rejected_it_is_none_and_an_alert_counts_though_it_was_taken_back() -> None:
    made = book(Look(False))
    made.file([trigger(5.0)])
    made.look_again(START_MS + 9_000)
    made.file([trigger(12.0, 2.0, Level.ALERT)])
    made.look_again(None)
    assert [(one.decided_s, one.taken_back) for one in made.alerts] == [(12.3, True)]
    assert [one.confirmed for one in made.judged] == [False, False]


def test_what_cannot_be_told_stays_a_candidate() -> None:
    made = book(Look(None))
    made.file([trigger(5.0)])
    made.look_again(None)
    assert made.alerts == []
    assert len(made.judged) == 1


def test_what_is_told_late_is_looked_at_no_sooner() -> None:
    made = book(Look(True))
    late = Trigger(K.STOPPED_IN_LANE, START_MS + 2_000, START_MS + 11_000, 1.3, "stands",
                   level=Level.CANDIDATE)  # fmt: skip
    made.file([late])
    made.look_again(None)
    assert made.alerts[0].decided_s == 11.0


def test_a_confirmed_look_replaces_what_was_measured_live_under_its_tracks() -> None:
    live = Evidence("contact-3-live", K.CONTACT, START_MS + 10_500, Actor.VEHICLE, 0.6, track=3,
                    other=4, box=(0.4, 0.4, 0.2, 0.2))  # fmt: skip
    again = replace(live, id="contact-1", time_ms=START_MS + 10_200, strength=0.9, track=1, other=2)

    def look(
        pictures: Iterable[tuple[int, Planes]], trigger: Trigger, camera: Camera,
        memory: SceneMemory | None = None,
    ) -> Verdict:  # fmt: skip
        return Verdict(
            True, 1.5, K.CONTACT, again.time_ms, 0.1, None, again.box, "they met", (again,)
        )

    made = book(look)
    made.note([live])
    made.file([trigger(10.0)])
    made.look_again(None)
    assert made.log == (replace(live, time_ms=again.time_ms, strength=0.9),)
    (incident,) = made.incidents
    assert incident.peak_ms == again.time_ms
    assert [one.tracks for one in incident.triggers if one.verified] == [(3, 4)]
