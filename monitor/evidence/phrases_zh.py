"""The explainer's sentences in Chinese. Facts and numbers come from the case; nothing is added."""

from __future__ import annotations

from monitor.domain import Evidence, EvidenceKind
from monitor.evidence import meetings
from monitor.evidence.causes import Case, Pattern, Weakness, headway_against_rule
from monitor.evidence.roles import Role, front, front_role, opposite, rear_role, role_of
from monitor.evidence.timeline import BY_TIME, Finding

NOBODY = "未观测到"
_COLUMN = 1

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
_EVENTS = {
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


def _name(role: Role, track: int | None) -> str:
    return _NAMES[role] if track is None else f"{_NAMES[role]}（轨迹{track}）"


def _front(case: Case) -> str:
    return _name(front_role(case), front(case).track)


def _rear(case: Case) -> str:
    return _name(rear_role(case), case.facts.parties.striker.track)


def _at(finding: Finding) -> str:
    spread = finding.evidence.time_uncertainty_s
    return f"第{finding.t_s:.1f}秒" + ("" if not spread else f"（±{max(0.1, spread):.1f}秒）")


def _measured(evidence: Evidence) -> str:
    spread = evidence.uncertainty
    suffix = "" if not spread else f"（±{spread:.1f}秒）"
    return f"{evidence.value or 0.0:.1f}秒{suffix}"


def _rate(evidence: Evidence) -> str:
    if evidence.value is None:
        return ""
    if evidence.unit == "m/s2":
        return f"，减速度{abs(evidence.value):.1f} m/s²"
    if abs(evidence.value) > 1.0:
        return f"，制动强度足以在{1 / abs(evidence.value):.2g}秒内停住"
    return f"，每秒失去{100 * abs(evidence.value):.0f}%的车速"


def actor(case: Case, finding: Finding) -> str:
    """Who a fact is about."""
    return _name(*role_of(case, finding))


def _did(case: Case, finding: Finding) -> str:
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
            return f"{who}与{_front(case)}的车头时距为{_measured(evidence)}"
        case EvidenceKind.NEAR_MISS:
            return f"{who}逼近{_front(case)}"
        case EvidenceKind.CONTACT:
            return f"{who}碰到{_front(case)}"
        case _:
            return meetings.did(finding, *_both(case, finding), _COLUMN)


def _both(case: Case, finding: Finding) -> tuple[str, str]:
    """Whom a fact is about, and the other party."""
    return _name(*role_of(case, finding)), _name(*opposite(case, finding))


def antecedent(case: Case, finding: Finding) -> str:
    """One fact as a sentence of its own, with its uncertainty."""
    evidence = finding.evidence
    if evidence.kind in meetings.KINDS:
        who, other = _both(case, finding)
        return meetings.sentence(finding, who, other, _COLUMN)
    text = f"{_at(finding)}，{_did(case, finding)}"
    if evidence.kind is EvidenceKind.HARD_BRAKE:
        text += _rate(evidence)
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


def _reason(case: Case, since_s: float) -> str:
    """'，此前1.1秒行人走上车行道', or that no reason was seen."""
    cause = case.facts.disturbance
    if cause is None:
        return "，原因未观测到"
    lead_s = since_s - cause.t_s
    if lead_s < 0.05:
        return f"，几乎同时{_did(case, cause)}"
    return f"，此前{lead_s:.1f}秒{_did(case, cause)}"


def _front_acted(case: Case) -> str:
    """What the vehicle in front did, as a clause."""
    facts = case.facts
    if facts.lead_brake is not None:
        at_s = facts.lead_brake.t_s
        return f"{_front(case)}在第{at_s:.1f}秒制动{_reason(case, at_s)}"
    if facts.lead_stop is not None:
        return f"{_did(case, facts.lead_stop)}（第{facts.lead_stop.t_s:.1f}秒）"
    return ""


def _behind(case: Case) -> str:
    """Root cause of one vehicle running into, or close to, the one in front."""
    facts, rear = case.facts, _rear(case)
    near = case.pattern is Pattern.CLOSE_FOLLOWING
    end = f"在第{facts.pivot.t_s:.1f}秒{'逼近' if near else '追尾碰到'}前车"
    acted = _front_acted(case) or f"未测得{_front(case)}制动"
    headway = _measured(facts.headway.evidence) if facts.headway else ""
    match case.weakness:
        case Weakness.SHORT_HEADWAY:
            return f"{rear}的车头时距只有{headway}，不足两秒；{acted}；后车未能及时停下，{end}。"
        case Weakness.LATE_BRAKING:
            although = f"，尽管车头时距有{headway}" if headway else ""
            return (
                f"{rear}比前方车辆晚{case.reaction_s:.1f}秒才开始制动，{end}{although}；{acted}。"
            )
        case Weakness.UNCLEAR_HEADWAY:
            first = f"{rear}的车头时距为{headway}，是否不足两秒无法判定，{end}；{acted}"
            return f"{first}。后车为何未能停下，现有测量不能判定。"
        case Weakness.ENOUGH_HEADWAY:
            first = f"{rear}的车头时距有{headway}，仍{end}；{acted}"
            return f"{first}。后车为何未能及时停下，现有测量不能判定。"
        case Weakness.NOT_SEEN:
            return f"{acted}；{rear}{end}。后车跟车的远近未测得，为何未能停下不能判定。"


def _of_two(case: Case) -> str:
    """Root cause of two whose paths met."""
    facts = case.facts
    both = _two(case)
    value = facts.itself.evidence.value if facts.itself else None
    when = f"在第{facts.pivot.t_s:.1f}秒"
    if case.pattern is Pattern.COLLISION:
        met = f"{when}发生接触"
    elif value is None:
        met = f"{when}险些相碰"
    else:
        met = f"{when}险些相碰，最小时间间隔{value:.1f}秒"
    causes = [f for f in (facts.wrong_way, facts.swerve) if f is not None]
    if causes:
        told = "，".join(f"第{f.t_s:.1f}秒{_did(case, f)}" for f in causes)
        return f"{both}{met}；此前，{told}。"
    seen = [f for f in (facts.disturbance, facts.lead_brake, facts.follow_brake) if f is not None]
    told = "，".join(f"第{f.t_s:.1f}秒{_did(case, f)}" for f in seen)
    rest = f"；此前，{told}" if told else ""
    return f"{both}{met}{rest}。是谁进入了谁的行进路线，现有测量不能判定。"


def _met(case: Case) -> str:
    """Root cause of two whose courses crossed, went against one another, or one on a bicycle."""
    facts = case.facts
    entered = facts.prelude.entered
    others = (facts.wrong_way, facts.swerve, facts.lead_brake, facts.follow_brake)
    acts = [(_did(case, f), f.t_s) for f in others if f is not None]
    return meetings.root_cause(
        case, _two(case), _both(case, entered) if entered else None, acts, _COLUMN
    )


def _two(case: Case) -> str:
    """Both parties as a subject."""
    facts = case.facts
    if facts.parties.cycling:
        return f"{_rear(case)}与{_front(case)}"
    both = "两个交通参与者"
    if facts.parties.tracks:
        both += f"（轨迹{'、'.join(str(t) for t in sorted(facts.parties.tracks))}）"
    return both


def _on_foot(case: Case) -> str:
    facts = case.facts
    walker = _name(Role.WALKER, facts.parties.struck.track)
    met = "发生接触" if facts.pivot.kind is EvidenceKind.CONTACT else "险些相碰"
    first = f"{_rear(case)}与{walker}在第{facts.pivot.t_s:.1f}秒{met}"
    if (cause := facts.disturbance) is not None:
        same = cause.evidence.track in facts.parties.struck.tracks
        what = "该行人走上车行道" if same else _did(case, cause)
        first += f"，{facts.pivot.t_s - cause.t_s:.1f}秒之前{what}"
    elif (entered := facts.prelude.entered) is not None:
        first += f"，{facts.pivot.t_s - entered.t_s:.1f}秒之前起{_did(case, entered)}"
    if facts.follow_brake is None:
        return f"{first}；未测得该车在此之前制动。"
    lead_s = facts.pivot.t_s - facts.follow_brake.t_s
    return f"{first}；该车在{met}前{lead_s:.1f}秒开始制动。"


def _alone(case: Case, event: Finding) -> str:
    """Root cause of an event of one body."""
    what = f"{_at(event)}，{_did(case, event)}"
    if event.evidence.kind is EvidenceKind.HARD_BRAKE:
        what += _rate(event.evidence)
    if case.pattern in (Pattern.PEDESTRIAN, Pattern.WRONG_WAY):
        return f"{what}；起因未观测到。"
    begin = case.facts.lead_brake
    if begin is None or begin.t_s >= event.t_s or case.facts.disturbance is None:
        return f"{what}{_reason(case, event.t_s)}。"
    it = what.replace(_front(case), "该车")
    return f"{_front(case)}在第{begin.t_s:.1f}秒制动{_reason(case, begin.t_s)}；{it}。"


def root_cause(case: Case) -> str:
    """Why it happened, in one or two sentences."""
    measured = case.facts.itself
    match case.pattern:
        case _ if measured is None:
            event = _EVENTS.get(case.facts.pivot.kind, "异常情况")
            return f"第{case.facts.pivot.t_s:.1f}秒触发器报告{event}；现有测量不能说明起因。"
        case _ if case.facts.parties.on_foot:
            return _on_foot(case)
        case Pattern.REAR_END | Pattern.CLOSE_FOLLOWING:
            return _behind(case)
        case Pattern.SIDE | Pattern.HEAD_ON | Pattern.CYCLIST_HIT:
            return _met(case)
        case Pattern.COLLISION | Pattern.NEAR_MISS:
            return _of_two(case)
        case _:
            return _alone(case, measured)


def environment(case: Case) -> str:
    """The layer around the parties."""
    cause = case.facts.disturbance
    if cause is None:
        return "未观测到：事件之前未测得前方有妨碍。"
    tie = "它与事件的联系仅凭时间推断。" if cause.link <= BY_TIME else ""
    return f"{_at(cause)}，{_did(case, cause)}。{tie}"


def direct_trigger(case: Case) -> str:
    """What set the event off."""
    facts = case.facts
    own = case.pattern is Pattern.COLLISION or case.pattern in meetings.PATTERNS
    act = facts.wrong_way or facts.swerve if own else None
    paths = case.pattern in meetings.PATTERNS or facts.parties.on_foot
    act = act or (facts.prelude.entered if paths else None)
    act = act or facts.lead_brake or facts.lead_stop or facts.follow_brake or facts.swerve
    act = act or facts.prelude.lead_slow or facts.prelude.follow_slow
    if act is None and case.facts.itself is not None and case.pattern is Pattern.WRONG_WAY:
        act = facts.itself
    if act is None:
        return "未观测到：事件之前未测得制动、急打方向或停车。"
    gap_s = facts.pivot.t_s - act.t_s
    before = "" if gap_s < 0.05 else f"，早于事件{gap_s:.1f}秒"
    guess = "从后方被撞是由其制动推断的。" if case.inferred else ""
    return f"{_at(act)}，{_did(case, act)}{before}。{guess}"


def systemic_weakness(case: Case) -> str:
    """What made the event likely before it began."""
    headway, entered = case.facts.headway, case.facts.prelude.entered
    if entered is not None and (case.pattern in meetings.PATTERNS or case.facts.parties.on_foot):
        return meetings.weakness(entered, *_both(case, entered), _COLUMN)
    if case.weakness is Weakness.LATE_BRAKING:
        text = f"反应迟缓：从前方车辆制动到自身制动相隔{case.reaction_s:.1f}秒"
        return text + (f"，车头时距{_measured(headway.evidence)}。" if headway else "。")
    if headway is None or case.weakness is Weakness.NOT_SEEN:
        return "未观测到：未测得车头时距或反应时间。"
    text = f"{actor(case, headway)}的车头时距为{_measured(headway.evidence)}"
    match case.weakness:
        case Weakness.SHORT_HEADWAY:
            return f"{text}，不足两秒。"
        case Weakness.UNCLEAR_HEADWAY:
            return f"{text}，是否不足两秒不能判定。"
        case _:
            return f"未观测到：{text}，达到两秒。"
