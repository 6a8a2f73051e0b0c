"""Building the alert from what was measured and what was answered. Pure; no I/O.

Called by watch (provisional) and analyse (explained, dismissed). Same incident in, same id and
revision out, so a replay after a crash repeats an alert and never makes another.

Revisions of one incident only rise (docs/alerts.md):

    provisional              1 ..  999   the number of triggers the incident has by then
    explained, dismissed  1001 .. 1999   1000 + the number of triggers it was explained with
    taken back            2001 .. 2999   by a second look at the pictures, whenever that comes
    asked again           3001 ..        3000 + ..., and so on, one thousand per asking

So what a second look takes back stays taken back, whether analyse explained it before, meanwhile
or after. An explanation outranks every provisional revision, whichever arrives first, and the
explanation of an extended incident outranks the explanation of the shorter one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from monitor.clock import utc
from monitor.domain import (
    Alert,
    AlertEvidence,
    AlertMedia,
    AlertTrigger,
    Answer,
    Evidence,
    Explainer,
    Incident,
    ModelRun,
    Stage,
    Trigger,
    Verification,
    Window,
)

TAKEN_BACK: Final = 2
"""The asking whose revisions belong to dismissals by a second look."""

Finished = Literal[Stage.EXPLAINED, Stage.DISMISSED]

_PER_ASKING = 1000  # revisions of one asking; an incident with more triggers stays at the last


def revision_of(incident: Incident, asking: int = 0) -> int:
    """The revision of an alert about the incident as it is now.

    ``asking`` is 0 for the provisional alert, 1 for its first explanation, and one more each
    time someone asks for the explanation of the same incident again.
    """
    if asking < 0:
        raise ValueError(f"asking counts from 0, not {asking}")
    return asking * _PER_ASKING + min(max(1, len(incident.triggers)), _PER_ASKING - 1)


def provisional(
    incident: Incident,
    evidence: Sequence[Evidence],
    window: Window,
    *,
    site: str,
    lang: str,
    now: datetime,
) -> Alert:
    """The alert that goes out at once; publish it again whenever a trigger was added."""
    return _alert(
        incident, evidence, window,
        stage=Stage.PROVISIONAL, revision=revision_of(incident), site=site, lang=lang, now=now,
    )  # fmt: skip


def explained(
    incident: Incident,
    evidence: Sequence[Evidence],
    window: Window,
    *,
    site: str,
    lang: str,
    now: datetime,
    answer: Answer,
    verification: Sequence[Verification],
    explainer: Explainer,
    explainer_note: str = "",
    media: AlertMedia | None = None,
    model: ModelRun | None = None,
    asking: int = 1,
    stage: Finished = Stage.EXPLAINED,
) -> Alert:
    """The same alert with its reason. ``explainer_note``: why the model was not used.

    ``stage`` dismissed takes the alert back: looked at again, it was no incident.
    """
    return _alert(
        incident, evidence, window,
        stage=stage, revision=_finished(incident, asking), site=site, lang=lang, now=now,
        answer=answer, verification=verification, explainer=explainer,
        explainer_note=explainer_note, media=media, model=model,
    )  # fmt: skip


def strongest(triggers: Sequence[Trigger]) -> Trigger:
    """The trigger with the highest score, the earliest of equals."""
    if not triggers:
        raise ValueError("an incident without a trigger is not one")
    return min(triggers, key=lambda trigger: (-trigger.score, trigger.time_ms))


def _finished(incident: Incident, asking: int) -> int:
    if asking < 1:
        raise ValueError(f"an explanation answers asking 1 or later, not {asking}")
    return revision_of(incident, asking)


def _alert(
    incident: Incident,
    evidence: Sequence[Evidence],
    window: Window,
    *,
    stage: Stage,
    revision: int,
    site: str,
    lang: str,
    now: datetime,
    answer: Answer | None = None,
    verification: Sequence[Verification] = (),
    explainer: Explainer | None = None,
    explainer_note: str = "",
    media: AlertMedia | None = None,
    model: ModelRun | None = None,
) -> Alert:
    at_peak = [trigger for trigger in incident.triggers if trigger.time_ms == incident.peak_ms]
    trigger = strongest(at_peak or incident.triggers)
    return Alert(
        id=incident.id,
        revision=revision,
        stage=stage,
        site=site,
        camera=incident.camera,
        created=now,
        start=utc(incident.start_ms),
        peak=utc(incident.peak_ms),
        window_start=utc(window.start_ms),
        window_end=utc(window.end_ms),
        severity=incident.severity if answer is None else answer.severity,
        trigger=AlertTrigger(
            kind=trigger.kind,
            t_s=window.t_s(trigger.time_ms),
            score=trigger.score,
            reason=trigger.reason,
            box=trigger.box,
            source=trigger.source,
        ),
        lang="zh" if lang == "zh" else "en",
        explainer=explainer,
        explainer_note=explainer_note,
        answer=answer,
        verification=tuple(verification),
        evidence=tuple(
            _published(item, window)
            for item in sorted(evidence, key=lambda item: (item.time_ms, item.id))
        ),
        media=media,
        model=model,
    )


def _published(item: Evidence, window: Window) -> AlertEvidence:
    return AlertEvidence(
        id=item.id,
        kind=item.kind,
        t_s=window.t_s(item.time_ms),
        time=utc(item.time_ms),
        actor=item.actor,
        strength=item.strength,
        track=item.track,
        other=item.other,
        value=item.value,
        unit=item.unit,
        uncertainty=item.uncertainty,
        time_uncertainty_s=item.time_uncertainty_s,
        box=item.box,
    )
