"""What a second look measured again replaces what was measured live, under its tracks' numbers."""

from __future__ import annotations

from dataclasses import replace

from monitor.domain import Actor, Box, Evidence, EvidenceKind, Incident, Severity
from monitor.trigger.remeasured import LOOKS_FROM, remeasured

K = EvidenceKind
T0 = 1_760_000_000_000
HERE: Box = (0.4, 0.4, 0.1, 0.1)
THERE: Box = (0.7, 0.1, 0.1, 0.1)
INCIDENT = Incident(f"cam-{T0}", "cam", Severity.HIGH, T0, T0, T0, ())


def item(
    kind: K, at_s: float = 0.0, track: int | None = 1, other: int | None = None, box: Box = HERE,
    name: str = "",
) -> Evidence:  # fmt: skip
    at_ms = T0 + round(at_s * 1000)
    return Evidence(name or f"{kind}-{track}-{at_ms}", kind, at_ms, Actor.VEHICLE, 0.9, track,
                    other, box=box)  # fmt: skip


def test_the_same_thing_replaces_what_was_measured_live() -> None:
    live = item(K.CONTACT, 0.0, 41, 43)
    again = replace(item(K.CONTACT, 0.3, 2, 5, box=(0.42, 0.41, 0.1, 0.1)), strength=1.0)
    (made,) = remeasured([again], [live], INCIDENT)
    assert (made.id, made.track, made.other) == (live.id, 41, 43)
    assert (made.time_ms, made.strength) == (again.time_ms, 1.0)


def test_its_tracks_are_known_for_everything_else_it_measured() -> None:
    live = item(K.CONTACT, 0.0, 41, 43)
    made = remeasured([item(K.HARD_BRAKE, -1.0, 5), item(K.CONTACT, 0.1, 2, 5)], [live], INCIDENT)
    assert [(one.track, one.other) for one in made] == [(43, None), (41, 43)]
    assert made[0].id == f"hard_brake-cam-{T0}-look-0"


def test_what_is_new_gets_numbers_that_no_live_track_has() -> None:
    elsewhere = [item(K.CONTACT, 0.0, 41, box=THERE), item(K.CONTACT, 5.0, 41),
                 item(K.HARD_BRAKE, 0.0, 41)]  # fmt: skip
    made = remeasured([item(K.CONTACT, 0.0, 2, 5), item(K.IMPULSE, 0.0, None)], elsewhere, INCIDENT)
    assert made[0].track is not None
    assert made[0].other is not None
    assert made[0].other - made[0].track == 3
    assert made[0].track > LOOKS_FROM
    assert made[1].track is None


def test_two_things_do_not_replace_the_same_one_and_two_tracks_stay_two() -> None:
    live = [item(K.HARD_BRAKE, 0.0, 41), item(K.HARD_BRAKE, 0.1, 41, name="second")]
    made = remeasured([item(K.HARD_BRAKE, 0.0, 2), item(K.HARD_BRAKE, 0.1, 3)], live, INCIDENT)
    assert [one.id for one in made] == [live[0].id, "second"]
    assert made[0].track == 41
    assert made[1].track != 41


def test_the_same_look_again_gives_the_same() -> None:
    live = [item(K.CONTACT, 0.0, 41, 43)]
    look = [item(K.CONTACT, 0.2, 2, 5), item(K.HEADWAY, -3.0, 5, 2), item(K.SWERVE, 0.5, 9)]
    first = remeasured(look, live, INCIDENT)
    log = {one.id: one for one in (*live, *first)}
    assert remeasured(look, list(log.values()), INCIDENT) == first
