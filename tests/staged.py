"""An incident staged from the rendered scene: its truth as the measurements, its clip, its reason.

So a test of what is shown needs neither a camera nor a trigger, and what is shown is no invention.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from monitor.alert import build
from monitor.clock import utc
from monitor.domain import (
    AccessUnit,
    Actor,
    Alert,
    AlertMedia,
    Antecedent,
    CodecParameters,
    Evidence,
    EvidenceKind,
    Explainer,
    Incident,
    ModelRun,
    Severity,
    Trigger,
    Window,
)
from monitor.evidence import explain, verify
from monitor.media.clip import remux
from monitor.media.window import Wanted, decode_wanted
from tests.dashboards import units_of

PRE_ROLL_S, POST_ROLL_S = 20, 8
FRAMES = 12


@dataclass(frozen=True)
class Scene:
    """A rendered film, and what truly happens in it."""

    units: list[AccessUnit]
    params: CodecParameters
    events: list[dict[str, Any]]

    @classmethod
    def load(cls, film: Path) -> Scene:
        truth = json.loads(film.with_name(f"{film.name}.truth.json").read_text())
        return cls(*units_of(film), truth["events"])


@dataclass(frozen=True)
class Staged:
    provisional: Alert
    explained: Alert


def stage(
    scene: Scene,
    media: Path,
    *,
    camera: str = "north",
    site: str = "demo",
    lang: Literal["en", "zh"] = "en",
    peak_ms: int,
    model: ModelRun | None = None,
) -> Staged:
    """The scene's collision as if it had happened at ``peak_ms``, its files below ``media``."""
    contact = next(event for event in scene.events if event["kind"] == "contact")
    origin_ms = peak_ms - round(contact["t_s"] * 1000)
    shift = origin_ms - scene.units[0].capture_ms
    units = [
        replace(u, entry_ms=u.entry_ms + shift, capture_ms=u.capture_ms + shift)
        for u in scene.units
    ]
    begin = max(
        u.capture_ms for u in units if u.is_key and u.capture_ms <= peak_ms - PRE_ROLL_S * 1000
    )
    window = Window(begin, peak_ms + POST_ROLL_S * 1000)
    units = [u for u in units if window.start_ms <= u.capture_ms <= window.end_ms]
    measured = [
        _evidence(event, origin_ms)
        for event in scene.events
        if event["box"] is not None
        and window.start_ms <= origin_ms + event["t_s"] * 1000 <= peak_ms + 2000
    ]
    incident = Incident(
        id=f"{camera}-{peak_ms - 1800}",
        camera=camera,
        severity=Severity.CRITICAL,
        start_ms=peak_ms - 1800,
        peak_ms=peak_ms,
        last_ms=peak_ms,
        triggers=(
            Trigger(
                EvidenceKind.CONTACT, peak_ms, peak_ms + 320, 3.1,
                "Two vehicles touched; both stopped within 1.1 s.",
                tuple(contact["box"]), (contact["actor"], contact["other"]),
            ),
        ),
    )  # fmt: skip
    answer = explain(incident, measured, window, lang=lang, headway_rules=["gen-two-seconds"])
    return Staged(
        build.provisional(
            incident, measured, window, site=site, lang=lang, now=utc(peak_ms + 400)
        ),
        build.explained(
            incident, measured, window, site=site, lang=lang, now=utc(peak_ms + 9600),
            answer=answer,
            verification=verify(answer, measured, window, lang=lang),
            explainer=Explainer.EVIDENCE if model is None else Explainer.QWEN3_VL,
            explainer_note="No model is configured." if model is None else "",
            media=_files(units, scene.params, media, incident, window, answer.antecedents),
            model=model,
        ),
    )  # fmt: skip


def _files(
    units: list[AccessUnit],
    params: CodecParameters,
    media: Path,
    incident: Incident,
    window: Window,
    antecedents: tuple[Antecedent, ...],
) -> AlertMedia:
    day = datetime.fromtimestamp(incident.start_ms / 1000, UTC).strftime("%Y-%m-%d")
    folder = f"{incident.camera}/{day}/{incident.id}"
    (media / folder).mkdir(parents=True, exist_ok=True)
    remux(units, params, media / folder / "clip.mp4")
    times = [window.t_s(incident.peak_ms) - 6 + n * 0.75 for n in range(FRAMES)]
    times += [one.t_s for one in antecedents if one.t_s is not None]
    wanted = [Wanted(window.wall_ms(t_s), 640) for t_s in sorted(times)]
    wanted.append(Wanted(incident.peak_ms, None))
    stills = [still for still in decode_wanted(units, params, wanted, 1) if still is not None]
    names = [f"frame_{n:03}.jpg" for n in range(len(stills) - 1)] + ["snapshot.jpg"]
    for name, still in zip(names, stills, strict=True):
        (media / folder / name).write_bytes(still.jpeg)
    return AlertMedia(
        clip=f"{folder}/clip.mp4",
        snapshot=f"{folder}/snapshot.jpg",
        frames=tuple(f"{folder}/{name}" for name in names[:-1]),
        frame_times_s=tuple(round(window.t_s(still.capture_ms), 3) for still in stills[:-1]),
    )


def _evidence(event: dict[str, Any], origin_ms: int) -> Evidence:
    kind = EvidenceKind(event["kind"])
    walker = kind is EvidenceKind.PEDESTRIAN_IN_ROAD
    at_ms = origin_ms + round(event["t_s"] * 1000)
    value = None if kind is EvidenceKind.CONTACT else event["value"]
    return Evidence(
        id=f"{kind.value}-{event['actor']}-{at_ms}",
        kind=kind,
        time_ms=at_ms,
        actor=Actor.PEDESTRIAN if walker else Actor.VEHICLE,
        strength=0.94 if kind is EvidenceKind.CONTACT else 0.86,
        track=event["actor"],
        other=event["other"],
        value=None if value is None else round(value, 2),
        unit="" if value is None else event["unit"],
        uncertainty=None if value is None else round(abs(value) * 0.08, 2),
        time_uncertainty_s=0.12,
        box=tuple(event["box"]),
    )
