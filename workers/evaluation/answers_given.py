"""Getting the answers: from the measurements, and from a model by the automatic path's own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from monitor.clock import Clock
from monitor.config.models import Config
from monitor.config.section import Mode
from monitor.domain import Answer, Incident, ModelRun, Verification
from monitor.errors import MediaError, QueryError
from monitor.evidence import adjusted_confidence, explain, verify
from monitor.media.stills import model_size
from monitor.media.window import Wanted, decode_wanted
from monitor.query.ask import AskSettings, ask, picture_budget
from monitor.query.client import VisionClient
from monitor.query.close_ups import CloseUp, close_ups, wish
from monitor.query.question import Shot, shots
from monitor.query.rulebook import RuleBook
from monitor.query.sampling import plan
from workers.analysis.manner import ask_settings
from workers.analysis.media import important_times_ms
from workers.evaluation.answers_cases import Case
from workers.evaluation.lead_in import units_of

Variant = Literal["evidence", "model", "blind"]
Json = Literal["valid", "repaired", "unreadable", "none"]
"""Of a model's text; ``none``: nothing came that could be read."""

_UNREADABLE: Final = frozenset({"malformed", "schema", "cut"})
_NO_FAULT_OF_JSON: Final = "rule ids"  # a repair that citations are scored for


@dataclass(frozen=True, slots=True)
class Given:
    """One answer to one case, or why there is none."""

    variant: Variant
    case: Case
    answer: Answer | None = None
    verification: tuple[Verification, ...] = ()
    reason: str = ""
    json: Json = "none"
    unknown_rules: int = 0
    run: ModelRun | None = None
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """How a model is asked; the same for all cases."""

    config: Config
    rulebook: RuleBook
    mode: Mode
    deadline_s: float


def from_evidence(case: Case, asking: Asking) -> Given:
    """What an alert would say where no model is configured."""
    if case.incident is None:
        return Given("evidence", case, reason="no_alert")
    lang = asking.config.site.lang
    answer = explain(
        case.incident, case.evidence, case.window, lang=lang,
        headway_rules=asking.rulebook.headway_rules(),
    )  # fmt: skip
    verification = verify(answer, case.evidence, case.window, lang=lang)
    return Given("evidence", case, answer, verification, json="valid")


async def from_model(
    case: Case, client: VisionClient, asking: Asking, clock: Clock, *, blind: bool
) -> Given:
    """The model's answer, verified; a failure is a reason, never an exception."""
    variant: Variant = "blind" if blind else "model"
    if case.incident is None:
        return Given(variant, case, reason="no_alert")
    config = asking.config
    try:
        settings = await ask_settings(config, asking.mode, client)
        settings = replace(settings, profile="incident", blind=blind)
        taken: tuple[Sequence[Shot], Sequence[CloseUp]] = ((), ())
        if not blind:
            taken = await _pictures(case, case.incident, client, settings, config)
        made = await ask(
            client, taken[0], case.evidence, case.window, peak_ms=case.incident.peak_ms,
            rulebook=asking.rulebook, settings=settings, deadline_s=asking.deadline_s, clock=clock,
            close_ups=taken[1],
        )  # fmt: skip
    except QueryError as error:
        read: Json = "unreadable" if error.reason in _UNREADABLE else "none"
        return Given(variant, case, reason=error.reason, json=read)
    except MediaError as error:
        return Given(variant, case, reason=f"pictures: {error}")
    verification = verify(made.answer, case.evidence, case.window, lang=config.site.lang)
    confidence = adjusted_confidence(made.answer.confidence, verification)
    faults = [note for note in made.notes if _NO_FAULT_OF_JSON not in note]
    return Given(
        variant, case, replace(made.answer, confidence=confidence), verification,
        json="repaired" if faults else "valid", unknown_rules=made.unknown_rules, run=made.run,
        repairs=made.notes,
    )  # fmt: skip


async def _pictures(
    case: Case, incident: Incident, client: VisionClient, settings: AskSettings, config: Config
) -> tuple[tuple[Shot, ...], tuple[CloseUp, ...]]:
    """As analyse takes them: within the endpoint's room, dense around what was measured; and the
    incident's place, enlarged.
    """
    window, width = case.window, config.query.frame_width
    units, params = units_of(case.entry.path)
    size = (params.width, params.height)
    room = await picture_budget(client, model_size(*size, width), settings)
    if not room.pairs:
        return (), ()
    inside = [
        unit.capture_ms for unit in units if window.start_ms <= unit.capture_ms <= window.end_ms
    ]
    important = [window.t_s(ms) for ms in important_times_ms(incident, case.evidence)]
    pairs = plan(window, important, sorted(window.t_s(ms) for ms in inside), room)
    wanted = [
        Wanted(window.start_ms + ms, width)
        for pair in pairs
        for ms in (pair.first_ms, pair.second_ms)
    ]
    whole = shots(pairs, decode_wanted(units, params, wanted, 1), window)
    wished = wish(incident, window, size, width, config.query.close_ups)
    if wished is None:
        return whole, ()
    parts = [Wanted(time_ms, wished.width, wished.part) for time_ms in wished.times_ms]
    return whole, close_ups(wished, decode_wanted(units, params, parts, 1))
