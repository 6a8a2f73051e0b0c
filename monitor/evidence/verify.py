"""Claims against measurements: supported, contradicted or unverified, with the evidence and why.

Called by analyse for every answer, the model's and the evidence explainer's alike. It never
corrects a claim: a contradicted root cause stays in the alert, is shown as contradicted, and
lowers the confidence (``adjusted_confidence``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.domain import Answer, Antecedent, Claim, Evidence, Verdict, Verification, Window
from monitor.evidence.explain import Lang
from monitor.evidence.facts import Facts, gather
from monitor.evidence.hold import ROUNDING_S, hold, named
from monitor.evidence.parties import parties_of
from monitor.evidence.rootcheck import event_of, root_checks
from monitor.evidence.timeline import Timeline, time_uncertainty_s
from monitor.evidence.verdicts import Check, listed, sentence

_CLAIMS: tuple[Claim, ...] = ("root_cause", "antecedent_1", "antecedent_2", "antecedent_3")

ROOT_CONTRADICTED = 0.4
ROOT_UNVERIFIED = 0.8
ANTECEDENT_CONTRADICTED = 0.8


def verify(
    answer: Answer, evidence: Sequence[Evidence], window: Window, *, lang: Lang
) -> tuple[Verification, ...]:
    """Four findings: the root cause, then the three antecedents in the answer's order."""
    timeline = Timeline(evidence, window)
    pivot = event_of(answer.incident_type, timeline)
    facts = gather(pivot, parties_of(pivot, timeline), timeline) if pivot else None
    antecedents = _antecedents(answer.antecedents, timeline, facts)
    root = root_checks(answer, timeline, facts)
    found = [_root_verdict(root, antecedents, lang)]
    found += [(c.verdict, c.evidence, sentence(c, lang)) for c in antecedents]
    return tuple(
        Verification(claim, verdict, tuple(dict.fromkeys(e.id for e in rests_on)), text)
        for claim, (verdict, rests_on, text) in zip(_CLAIMS, found, strict=True)
    )


def adjusted_confidence(confidence: float, verifications: Sequence[Verification]) -> float:
    """An answer's confidence after verification.

    Times 0.4 for a contradicted root cause or 0.8 for an unverified one, and times 0.8 for each
    contradicted antecedent. Being supported never raises it.
    """
    for verification in verifications:
        contradicted = verification.verdict is Verdict.CONTRADICTED
        if verification.claim != "root_cause":
            confidence *= ANTECEDENT_CONTRADICTED if contradicted else 1.0
        elif contradicted:
            confidence *= ROOT_CONTRADICTED
        elif verification.verdict is Verdict.UNVERIFIED:
            confidence *= ROOT_UNVERIFIED
    return round(confidence, 3)


def _antecedents(
    claims: Sequence[Antecedent], timeline: Timeline, facts: Facts | None
) -> list[Check]:
    """Each claim once; a measurement bears out one claim only, the one nearest to it."""
    who = [named(c, facts) for c in claims]
    alone = [hold(c, w, (), timeline, facts) for c, w in zip(claims, who, strict=True)]
    turn = sorted(
        range(len(claims)),
        key=lambda i: (
            alone[i].verdict is not Verdict.SUPPORTED,
            _distance(claims[i], alone[i]),
            i,
        ),
    )
    taken: list[Evidence] = []
    checks = list(alone)
    for i in turn:
        checks[i] = hold(claims[i], who[i], taken, timeline, facts)
        if checks[i].verdict is Verdict.SUPPORTED:
            taken.extend(checks[i].evidence)
    return _in_order(claims, checks, timeline)


def _distance(claim: Antecedent, check: Check) -> float:
    at = check.fields.get("at")
    return abs(at - claim.t_s) if isinstance(at, float) and claim.t_s is not None else 0.0


def _in_order(claims: Sequence[Antecedent], checks: list[Check], timeline: Timeline) -> list[Check]:
    """Two measured events claimed in the reverse order: neither claim stands as supported."""
    result = list(checks)
    matched = [i for i, c in enumerate(checks) if c.verdict is Verdict.SUPPORTED]
    for i in matched:
        for j in matched:
            first, second = claims[i].t_s, claims[j].t_s
            if i == j or first is None or second is None:
                continue
            mine, other = checks[i].evidence[0], checks[j].evidence[0]
            measured_s = timeline.t_s(other) - timeline.t_s(mine)
            claimed_s = second - first
            if measured_s * claimed_s >= 0.0 or abs(claimed_s) < ROUNDING_S / 2:
                continue
            spread = (time_uncertainty_s(mine) ** 2 + time_uncertainty_s(other) ** 2) ** 0.5
            sure = abs(measured_s) > spread + ROUNDING_S
            result[i] = replace(
                checks[i],
                verdict=Verdict.CONTRADICTED if sure else Verdict.UNVERIFIED,
                key="order" if sure else "order_unsure",
                evidence=(mine, other),
                fields=checks[i].fields | {"other": timeline.t_s(other)},
            )
    return result


def _root_verdict(
    checks: list[Check], antecedents: list[Check], lang: Lang
) -> tuple[Verdict, tuple[Evidence, ...], str]:
    """Contradicted by any finding; supported only by all of them."""
    for verdict in (Verdict.CONTRADICTED, Verdict.UNVERIFIED):
        worst = next((c for c in checks if c.verdict is verdict), None)
        if worst is not None:
            return verdict, worst.evidence, sentence(worst, lang)
    rests_on = tuple(e for c in checks for e in c.evidence)
    claimed = [c for c in antecedents if c.key != "nothing_claimed"]
    if claimed and all(c.verdict is Verdict.CONTRADICTED for c in claimed):
        text = sentence(claimed[0], lang)
        return Verdict.UNVERIFIED, claimed[0].evidence, text
    themes = [c.theme for c in checks if c.theme is not None]
    done = Check(Verdict.SUPPORTED, "borne_out", fields={"causes": listed(themes, lang)})
    return Verdict.SUPPORTED, rests_on, sentence(done, lang)
