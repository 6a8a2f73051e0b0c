"""Alerts built from made-up measurements, for the tests of what happens to an alert."""

from __future__ import annotations

import json

from monitor.alert import build
from monitor.clock import utc
from monitor.domain import (
    Actor,
    Alert,
    AlertMedia,
    Answer,
    Antecedent,
    Chain,
    Evidence,
    EvidenceKind,
    Explainer,
    Incident,
    IncidentType,
    ModelRun,
    Severity,
    Trigger,
    Verdict,
    Verification,
    Window,
)
from monitor.wire import to_object

PEAK_MS = 1_760_000_020_000


def evidence(camera_peak_ms: int = PEAK_MS) -> list[Evidence]:
    """A pedestrian, a braking leader, a follower too close, a contact."""
    return [
        Evidence(
            id=f"contact-7-{camera_peak_ms}", kind=EvidenceKind.CONTACT, time_ms=camera_peak_ms,
            actor=Actor.VEHICLE, strength=0.97, track=7, other=4, time_uncertainty_s=0.08,
            box=(0.41, 0.52, 0.12, 0.1),
        ),
        Evidence(
            id=f"pedestrian_in_road-9-{camera_peak_ms - 3200}",
            kind=EvidenceKind.PEDESTRIAN_IN_ROAD, time_ms=camera_peak_ms - 3200,
            actor=Actor.PEDESTRIAN, strength=0.9, track=9, time_uncertainty_s=0.2,
        ),
        Evidence(
            id=f"brake_light_onset-4-{camera_peak_ms - 2400}",
            kind=EvidenceKind.BRAKE_LIGHT_ONSET, time_ms=camera_peak_ms - 2400,
            actor=Actor.VEHICLE, strength=0.8, track=4, value=1.9, uncertainty=0.2,
            time_uncertainty_s=0.1,
        ),
        Evidence(
            id=f"headway-7-{camera_peak_ms - 2600}", kind=EvidenceKind.HEADWAY,
            time_ms=camera_peak_ms - 2600, actor=Actor.VEHICLE, strength=0.85, track=7, other=4,
            value=0.8, unit="s", uncertainty=0.1, time_uncertainty_s=0.5,
        ),
    ]  # fmt: skip


def incident(camera: str = "north", *, peak_ms: int = PEAK_MS, triggers: int = 1) -> Incident:
    """An incident with so many triggers, the first of them the strongest."""
    start_ms = peak_ms - 3200
    return Incident(
        id=f"{camera}-{start_ms}",
        camera=camera,
        severity=Severity.HIGH,
        start_ms=start_ms,
        peak_ms=peak_ms,
        last_ms=peak_ms + 1000 * (triggers - 1),
        triggers=tuple(
            Trigger(
                kind=EvidenceKind.CONTACT if n == 0 else EvidenceKind.STOPPED_IN_LANE,
                time_ms=peak_ms + 1000 * n,
                decided_ms=peak_ms + 1000 * n + 200,
                score=2.5 / (n + 1),
                reason="track 7 met track 4 at 3.1 lengths/s" if n == 0 else "still standing",
                box=(0.41, 0.52, 0.12, 0.1),
                tracks=(7, 4),
            )
            for n in range(triggers)
        ),
    )


def window(peak_ms: int = PEAK_MS) -> Window:
    return Window(peak_ms - 20_400, peak_ms + 8000)


def provisional(camera: str = "north", *, peak_ms: int = PEAK_MS, triggers: int = 1) -> Alert:
    """What watch sends."""
    return build.provisional(
        incident(camera, peak_ms=peak_ms, triggers=triggers),
        evidence(peak_ms),
        window(peak_ms),
        site="demo",
        lang="en",
        now=utc(peak_ms + 300),
    )


def answer(**changes: object) -> Answer:
    fields: dict[str, object] = {
        "is_incident": True,
        "incident_type": IncidentType.REAR_END_COLLISION,
        "severity": Severity.HIGH,
        "root_cause": "The follower kept a headway of 0.8 s, under the 2 s rule, and could not "
        "stop behind the car that braked for a pedestrian.",
        "antecedents": (
            Antecedent(17.2, "pedestrian_in_road", "pedestrian 9", "A pedestrian steps out."),
            Antecedent(18.0, "brake_light_onset", "car 4", "The leading car brakes."),
            Antecedent(17.8, "headway", "car 7", "The follower is 0.8 s behind."),
        ),
        "chain": Chain(
            environment="A pedestrian on the roadway outside the crossing.",
            direct_trigger="Car 4 braked hard; car 7 ran into it.",
            systemic_weakness="Following too close is common on this approach.",
        ),
        "rules": ("vienna-13-5",),
        "confidence": 0.86,
    }
    return Answer(**(fields | changes))  # type: ignore[arg-type]  # fields by name


def explained(
    camera: str = "north", *, peak_ms: int = PEAK_MS, triggers: int = 1, asking: int = 1
) -> Alert:
    """What analyse sends."""
    happening = incident(camera, peak_ms=peak_ms, triggers=triggers)
    measured = evidence(peak_ms)
    folder = f"{camera}/2025-10-09/{happening.id}"
    return build.explained(
        happening,
        measured,
        window(peak_ms),
        site="demo",
        lang="en",
        now=utc(peak_ms + 9800),
        answer=answer(),
        verification=[
            Verification("root_cause", Verdict.SUPPORTED, (measured[3].id,), "Headway 0.8 s."),
            Verification("antecedent_1", Verdict.SUPPORTED, (measured[1].id,), "Seen at 17.2 s."),
            Verification("antecedent_2", Verdict.SUPPORTED, (measured[2].id,), "Seen at 18.0 s."),
            Verification("antecedent_3", Verdict.UNVERIFIED, (), "Nothing was measured."),
        ],
        explainer=Explainer.QWEN3_VL,
        media=AlertMedia(
            clip=f"{folder}/clip.mp4",
            snapshot=f"{folder}/snapshot.jpg",
            frames=(f"{folder}/frame_000.jpg", f"{folder}/frame_001.jpg"),
            frame_times_s=(17.2, 20.4),
        ),
        model=ModelRun("Qwen/Qwen3-VL-2B-Instruct", "standard", 1.9, 5210, 402),
        asking=asking,
    )


def example() -> str:
    """The alert that docs/alerts.md shows."""
    return json.dumps(to_object(explained()), indent=2, ensure_ascii=False)


if __name__ == "__main__":  # python -m tests.alerts
    print(example())
