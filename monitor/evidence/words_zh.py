"""The explainer's words and single facts in Chinese; nothing is added."""

from __future__ import annotations

from monitor.domain import Evidence, EvidenceKind
from monitor.evidence import meetings
from monitor.evidence.causes import Case, Weakness, headway_against_rule
from monitor.evidence.roles import Role, front, front_role, opposite, rear_role, role_of
from monitor.evidence.timeline import Finding

NOBODY = "未观测到"
COLUMN = 1

_NAMES = {
    Role.LEADER: "前车",
    Role.FOLLOWER: "后车",
    Role.ONE: "一方",
    Role.OTHER: "另一方",
    Role.SUBJECT: "该车",
    Role.WALKER: "行人",
    Role.RIDER: "骑行者",
    Role.THIRD: "另一辆车",
    Role.TRAFFIC: "车流",
}
EVENTS = {
    EvidenceKind.CONTACT: "两者接触",
    EvidenceKind.NEAR_MISS: "险情",
    EvidenceKind.HARD_BRAKE: "急刹车",
    EvidenceKind.SUDDEN_STOP: "突然停车",
    EvidenceKind.STOPPED_IN_LANE: "车道内停车",
    EvidenceKind.WRONG_WAY: "逆行",
    EvidenceKind.SWERVE: "急打方向",
    EvidenceKind.IMPULSE: "运动状态骤变",
    EvidenceKind.PEDESTRIAN_IN_ROAD: "行人在车行道上",
    EvidenceKind.QUEUE: "车辆排队",
}


def name(role: Role, track: int | None) -> str:
    """A role in words, with its track."""
    return _NAMES[role] if track is None else f"{_NAMES[role]}（轨迹{track}）"


def front_name(case: Case) -> str:
    """The one in front, or struck."""
    return name(front_role(case), front(case).track)


def rear_name(case: Case) -> str:
    """The one behind, or striking."""
    return name(rear_role(case), case.facts.parties.striker.track)


def at(finding: Finding) -> str:
    """When, with its uncertainty."""
    spread = finding.evidence.time_uncertainty_s
    return f"第{finding.t_s:.1f}秒" + ("" if not spread else f"（±{max(0.1, spread):.1f}秒）")


def measured(evidence: Evidence) -> str:
    """A quantity in seconds, with its uncertainty."""
    spread = evidence.uncertainty
    suffix = "" if not spread else f"（±{spread:.1f}秒）"
    return f"{evidence.value or 0.0:.1f}秒{suffix}"


def rate(evidence: Evidence) -> str:
    """How hard it braked."""
    if evidence.value is None:
        return ""
    if evidence.unit == "m/s2":
        return f"，减速度{abs(evidence.value):.1f} m/s²"
    if abs(evidence.value) > 1.0:
        return f"，制动强度足以在{1 / abs(evidence.value):.2g}秒内停住"
    return f"，每秒失去{100 * abs(evidence.value):.0f}%的车速"


def actor(case: Case, finding: Finding) -> str:
    """Who a fact is about."""
    return name(*role_of(case, finding))


def did(case: Case, finding: Finding) -> str:
    """What happened, without its time."""
    who, evidence = actor(case, finding), finding.evidence
    match evidence.kind:
        case EvidenceKind.PEDESTRIAN_IN_ROAD:
            return f"{who}走上车行道"
        case EvidenceKind.BRAKE_LIGHT_ONSET:
            return f"{who}的制动灯亮起"
        case EvidenceKind.HARD_BRAKE:
            return f"{who}开始急刹车"
        case EvidenceKind.SUDDEN_STOP:
            return f"{who}突然停住"
        case EvidenceKind.STOPPED_IN_LANE:
            return f"{who}停在车道内"
        case EvidenceKind.WRONG_WAY:
            return f"{who}逆向行驶"
        case EvidenceKind.SWERVE:
            return f"{who}急打方向"
        case EvidenceKind.IMPULSE:
            return f"{who}的运动状态骤变"
        case EvidenceKind.QUEUE:
            return "车道上出现排队"
        case EvidenceKind.HEADWAY:
            return f"{who}与{front_name(case)}的车头时距为{measured(evidence)}"
        case EvidenceKind.NEAR_MISS:
            return f"{who}逼近{front_name(case)}"
        case EvidenceKind.CONTACT:
            return f"{who}碰到{front_name(case)}"
        case _:
            return meetings.did(finding, *both_names(case, finding), COLUMN)


def both_names(case: Case, finding: Finding) -> tuple[str, str]:
    """Whom a fact is about, and the other party."""
    return name(*role_of(case, finding)), name(*opposite(case, finding))


def antecedent(case: Case, finding: Finding) -> str:
    """One fact as a sentence of its own, with its uncertainty."""
    evidence = finding.evidence
    if evidence.kind in meetings.KINDS:
        who, other = both_names(case, finding)
        return meetings.sentence(finding, who, other, COLUMN)
    text = f"{at(finding)}，{did(case, finding)}"
    if evidence.kind is EvidenceKind.HARD_BRAKE:
        text += rate(evidence)
        if finding == case.facts.follow_brake and case.reaction_s is not None:
            order = "晚" if case.reaction_s >= 0 else "早"
            text += f"，比前方车辆{order}{abs(case.reaction_s):.1f}秒"
    elif evidence.kind is EvidenceKind.HEADWAY:
        text += {
            Weakness.SHORT_HEADWAY: "，不足两秒",
            Weakness.UNCLEAR_HEADWAY: "，与两秒相差太小，无法判定是否不足",
            Weakness.ENOUGH_HEADWAY: "，达到两秒",
        }.get(headway_against_rule(evidence.value, evidence.uncertainty), "")
    elif evidence.kind is EvidenceKind.STOPPED_IN_LANE and evidence.value:
        text += f"，持续{evidence.value:.0f}秒"
    elif evidence.kind is EvidenceKind.SUDDEN_STOP and evidence.value:
        text += f"，从正常行驶到停住用了{evidence.value:.1f}秒"
    return text + "。"


NOT_SEEN = {
    "disturbance": "未观测到制动之前前方有何妨碍。",
    "lead_brake": "未测得前方车辆的制动。",
    "headway": "未测得后方车辆跟车的远近。",
    "follow_brake": "未测得接触之前的制动。",
    "other": "未测得此前的其他事件。",
}
"""Sentences for what would have answered a question, by the question's name in Facts."""
