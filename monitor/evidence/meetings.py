"""Sentences, in both languages, about two whose ways met from the side, head-on, or on a bicycle.

One structure with two vocabularies: every entry is (English, Chinese). Called by the phrase
modules, which hand in the names of the parties. Facts and numbers come from the case.
"""

from __future__ import annotations

from types import MappingProxyType

from monitor.domain import EvidenceKind
from monitor.evidence.causes import TWO_SECONDS, Case, Pattern
from monitor.evidence.encounter import Manner
from monitor.evidence.timeline import Finding, time_uncertainty_s

KINDS = frozenset(
    {
        EvidenceKind.COURSE,
        EvidenceKind.PATH_ENTERED,
        EvidenceKind.CLOSING,
        EvidenceKind.SLOWING,
        EvidenceKind.APPEARED,
        EvidenceKind.SPEED,
    }
)
"""Kinds that are measured with hindsight, and that are told here."""

PATTERNS = frozenset({Pattern.SIDE, Pattern.HEAD_ON, Pattern.CYCLIST_HIT})
"""Patterns whose root cause is told here."""

_DID: MappingProxyType[EvidenceKind, tuple[str, str]] = MappingProxyType(
    {
        EvidenceKind.COURSE: ("{who} was seen going its way", "{who}沿其方向行进"),
        EvidenceKind.PATH_ENTERED: ("{who} was in the path of {other}", "{who}处于{other}的路线上"),
        EvidenceKind.CLOSING: (
            "{who} and {other} were {value:.1f} s from a collision",
            "{who}与{other}距相碰只有{value:.1f}秒",
        ),
        EvidenceKind.SLOWING: ("{who} began to slow", "{who}开始减速"),
        EvidenceKind.APPEARED: ("{who} came into view", "{who}进入画面"),
        EvidenceKind.SPEED: ("the speed of {who} was measured", "测得{who}的速度"),
    }
)
_WHEN: MappingProxyType[EvidenceKind, tuple[str, str]] = MappingProxyType(
    {
        EvidenceKind.PATH_ENTERED: (
            "From {at} on, {did}, {value:.1f} s before {other} came there.",
            "从{at}起，{did}，{value:.1f}秒之后{other}到达该处。",
        ),
        EvidenceKind.CLOSING: ("From {at} on, {did}.", "从{at}起，{did}。"),
        EvidenceKind.SLOWING: (
            "{Did} at {at}, losing {share:.0f} % of its speed.",
            "{at}，{did}，失去{share:.0f}%的车速。",
        ),
    }
)
_PLAIN = ("{Did} at {at}.", "{at}，{did}。")
_AT = ("{t:.1f} s (±{spread:.1f} s)", "第{t:.1f}秒（±{spread:.1f}秒）")

_MET: MappingProxyType[Manner, tuple[str, str]] = MappingProxyType(
    {
        Manner.CROSSING: (
            "{both} met at {t:.1f} s, their courses crossing at {angle:.0f}° (±{spread:.0f}°)",
            "{both}在第{t:.1f}秒相碰，双方行进方向交叉，夹角{angle:.0f}°（±{spread:.0f}°）",
        ),
        Manner.HEAD_ON: (
            "{both} met at {t:.1f} s, coming towards one another ({angle:.0f}° ± {spread:.0f}°)",
            "{both}在第{t:.1f}秒相碰，双方相向而行（夹角{angle:.0f}°±{spread:.0f}°）",
        ),
        Manner.SAME_WAY: (
            "{both} met at {t:.1f} s, both going the same way (within {angle:.0f}°)",
            "{both}在第{t:.1f}秒相碰，双方同向行进（夹角{angle:.0f}°）",
        ),
        Manner.OPEN: ("{both} met at {t:.1f} s", "{both}在第{t:.1f}秒相碰"),
    }
)
_SINCE = (
    "; {who} had been in the path of {other} for {value:.1f} s",
    "；此前{value:.1f}秒起，{who}处于{other}的路线上",
)
_BEFORE = ("; before that, {told}", "；此前，{told}")
_ACT = ("{did} at {t:.1f} s", "第{t:.1f}秒{did}")
_OPEN = (
    ". Whose path was entered is not decided by what was measured.",
    "。是谁进入了谁的行进路线，现有测量不能判定。",
)
_STOP = (".", "。")
_AND = (" and ", "，")
_LEFT = (
    "When {who} came into the path of {other}, {value:.1f} s were left, under two seconds:"
    " hardly time to react and stop.",
    "{who}进入{other}的路线时只剩{value:.1f}秒，不足两秒，几乎来不及反应和停下。",
)
_LEFT_OPEN = (
    "When {who} came into the path of {other}, {value:.1f} s were left: whether that was too"
    " little is not decided.",
    "{who}进入{other}的路线时还有{value:.1f}秒，是否过短不能判定。",
)

_WORTH_TELLING = 0.25  # of the speed: its uncertainty, at most; near the horizon it is more
_FASTEST_M_S = 70.0
_WENT = (
    " Just before it, {who} went at {value:.1f} m/s (±{spread:.1f} m/s).",
    "相碰之前，{who}的速度为{value:.1f} m/s（±{spread:.1f} m/s）。",
)


def went(finding: Finding, who: str, column: int) -> str:
    """How fast somebody was just before, as a sentence; empty where metres are not known."""
    evidence = finding.evidence
    if evidence.value is None or evidence.unit != "m/s":
        return ""
    spread = evidence.uncertainty or 0.0
    if spread > _WORTH_TELLING * evidence.value or evidence.value > _FASTEST_M_S:
        return ""
    return _WENT[column].format(who=who, value=evidence.value, spread=spread)


def did(finding: Finding, who: str, other: str, column: int) -> str:
    """What happened, without its time."""
    return _DID[finding.evidence.kind][column].format(
        who=who, other=other, value=finding.evidence.value or 0.0
    )


def sentence(finding: Finding, who: str, other: str, column: int) -> str:
    """One fact as a sentence of its own, with its time and uncertainty."""
    evidence = finding.evidence
    what = did(finding, who, other, column)
    return _WHEN.get(evidence.kind, _PLAIN)[column].format(
        did=what, Did=what[:1].upper() + what[1:], other=other,
        at=_AT[column].format(t=finding.t_s, spread=max(0.1, time_uncertainty_s(evidence))),
        value=evidence.value or 0.0, share=100 * (evidence.value or 0.0),
    )  # fmt: skip


def met(case: Case, both: str, column: int) -> str:
    """That they met, when, and how their courses lay; without a full stop."""
    encounter = case.facts.parties.met
    return _MET[encounter.manner][column].format(
        both=both, t=case.facts.pivot.t_s, angle=encounter.angle_deg or 0.0,
        spread=encounter.spread_deg,
    )  # fmt: skip


def root_cause(
    case: Case, both: str, entered: tuple[str, str] | None, acts: list[tuple[str, float]],
    column: int,
) -> str:  # fmt: skip
    """Why they met; ``entered``: who was in whose path; ``acts``: what else was measured, when."""
    text = met(case, both, column)
    fact = case.facts.prelude.entered
    if entered is not None and fact is not None:
        who, other = entered
        text += _SINCE[column].format(who=who, other=other, value=case.facts.pivot.t_s - fact.t_s)
    if acts:
        told = _AND[column].join(_ACT[column].format(did=d, t=t) for d, t in acts)
        text += _BEFORE[column].format(told=told)
    decided = entered is not None or case.facts.wrong_way or case.facts.swerve
    return text + (_STOP if decided else _OPEN)[column]


def weakness(finding: Finding, who: str, other: str, column: int) -> str:
    """How little time was left when one came into the other's path."""
    value, spread = finding.evidence.value or 0.0, finding.evidence.uncertainty or 0.0
    text = _LEFT if value + spread < TWO_SECONDS else _LEFT_OPEN
    return text[column].format(who=who, other=other, value=value)
