"""The explainer's sentences in Chinese: root causes and the layers of the chain.

Facts and numbers come from the case; nothing is added. Single facts are in ``words_zh``.
"""

from __future__ import annotations

from monitor.domain import EvidenceKind
from monitor.evidence import meetings
from monitor.evidence.causes import Case, Pattern, Weakness
from monitor.evidence.roles import Role, role_of
from monitor.evidence.timeline import BY_TIME, Finding
from monitor.evidence.words_zh import (
    COLUMN,
    EVENTS,
    NOBODY,
    NOT_SEEN,
    actor,
    antecedent,
    at,
    both_names,
    did,
    front_name,
    measured,
    name,
    rate,
    rear_name,
)

__all__ = [
    "NOBODY",
    "NOT_SEEN",
    "actor",
    "antecedent",
    "direct_trigger",
    "environment",
    "root_cause",
    "systemic_weakness",
]


def _reason(case: Case, since_s: float) -> str:
    """'，此前1.1秒行人走上车行道', or that no reason was seen."""
    cause = case.facts.disturbance
    if cause is None:
        return "，原因未观测到"
    lead_s = since_s - cause.t_s
    if lead_s < 0.05:
        return f"，几乎同时{did(case, cause)}"
    return f"，此前{lead_s:.1f}秒{did(case, cause)}"


def _front_acted(case: Case) -> str:
    """What the vehicle in front did, as a clause."""
    facts = case.facts
    if facts.lead_brake is not None:
        at_s = facts.lead_brake.t_s
        return f"{front_name(case)}在第{at_s:.1f}秒制动{_reason(case, at_s)}"
    if facts.lead_stop is not None:
        return f"{did(case, facts.lead_stop)}（第{facts.lead_stop.t_s:.1f}秒）"
    return ""


def _behind(case: Case) -> str:
    """Root cause of one vehicle running into, or close to, the one in front."""
    facts, rear = case.facts, rear_name(case)
    near = case.pattern is Pattern.CLOSE_FOLLOWING
    end = f"在第{facts.pivot.t_s:.1f}秒{'逼近' if near else '追尾碰到'}前车"
    acted = _front_acted(case) or f"未测得{front_name(case)}制动"
    headway = measured(facts.headway.evidence) if facts.headway else ""
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
        told = "，".join(f"第{f.t_s:.1f}秒{did(case, f)}" for f in causes)
        return f"{both}{met}；此前，{told}。"
    seen = [f for f in (facts.disturbance, facts.lead_brake, facts.follow_brake) if f is not None]
    told = "，".join(f"第{f.t_s:.1f}秒{did(case, f)}" for f in seen)
    rest = f"；此前，{told}" if told else ""
    return f"{both}{met}{rest}。是谁进入了谁的行进路线，现有测量不能判定。"


def _met(case: Case) -> str:
    """Root cause of two whose courses crossed, went against one another, or one on a bicycle."""
    facts = case.facts
    entered = facts.prelude.entered
    others = (facts.wrong_way, facts.swerve, facts.lead_brake, facts.follow_brake)
    acts = [(did(case, f), f.t_s) for f in others if f is not None]
    return meetings.root_cause(
        case, _two(case), both_names(case, entered) if entered else None, acts, COLUMN
    )


def _two(case: Case) -> str:
    """Both parties as a subject."""
    facts = case.facts
    if facts.parties.cycling:
        return f"{rear_name(case)}与{front_name(case)}"
    both = "两个交通参与者"
    if facts.parties.tracks:
        both += f"（轨迹{'、'.join(str(t) for t in sorted(facts.parties.tracks))}）"
    return both


def _on_foot(case: Case) -> str:
    facts = case.facts
    walker = name(Role.WALKER, facts.parties.struck.track)
    met = "发生接触" if facts.pivot.kind is EvidenceKind.CONTACT else "险些相碰"
    first = f"{rear_name(case)}与{walker}在第{facts.pivot.t_s:.1f}秒{met}"
    if (cause := facts.disturbance) is not None:
        same = cause.evidence.track in facts.parties.struck.tracks
        what = "该行人走上车行道" if same else did(case, cause)
        first += f"，{facts.pivot.t_s - cause.t_s:.1f}秒之前{what}"
    elif (entered := facts.prelude.entered) is not None:
        first += f"，{facts.pivot.t_s - entered.t_s:.1f}秒之前起{did(case, entered)}"
    if facts.follow_brake is None:
        return f"{first}；未测得该车在此之前制动。"
    lead_s = facts.pivot.t_s - facts.follow_brake.t_s
    return f"{first}；该车在{met}前{lead_s:.1f}秒开始制动。"


def _alone(case: Case, event: Finding) -> str:
    """Root cause of an event of one body."""
    what = f"{at(event)}，{did(case, event)}"
    if event.evidence.kind is EvidenceKind.HARD_BRAKE:
        what += rate(event.evidence)
    if case.pattern in (Pattern.PEDESTRIAN, Pattern.WRONG_WAY):
        return f"{what}；起因未观测到。"
    begin = case.facts.lead_brake
    if begin is None or begin.t_s >= event.t_s or case.facts.disturbance is None:
        return f"{what}{_reason(case, event.t_s)}。"
    it = what.replace(front_name(case), "该车")
    return f"{front_name(case)}在第{begin.t_s:.1f}秒制动{_reason(case, begin.t_s)}；{it}。"


def root_cause(case: Case) -> str:
    """Why it happened, in one or two sentences."""
    measured = case.facts.itself
    match case.pattern:
        case _ if measured is None:
            event = EVENTS.get(case.facts.pivot.kind, "异常情况")
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
    return f"{at(cause)}，{did(case, cause)}。{tie}"


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
    went = facts.prelude.went
    speed = meetings.went(went, name(*role_of(case, went)), COLUMN) if went else ""
    return f"{at(act)}，{did(case, act)}{before}。{guess}{speed}"


def systemic_weakness(case: Case) -> str:
    """What made the event likely before it began."""
    headway, entered = case.facts.headway, case.facts.prelude.entered
    if entered is not None and (case.pattern in meetings.PATTERNS or case.facts.parties.on_foot):
        return meetings.weakness(entered, *both_names(case, entered), COLUMN)
    if case.weakness is Weakness.LATE_BRAKING:
        text = f"反应迟缓：从前方车辆制动到自身制动相隔{case.reaction_s:.1f}秒"
        return text + (f"，车头时距{measured(headway.evidence)}。" if headway else "。")
    if headway is None or case.weakness is Weakness.NOT_SEEN:
        return "未观测到：未测得车头时距或反应时间。"
    text = f"{actor(case, headway)}的车头时距为{measured(headway.evidence)}"
    match case.weakness:
        case Weakness.SHORT_HEADWAY:
            return f"{text}，不足两秒。"
        case Weakness.UNCLEAR_HEADWAY:
            return f"{text}，是否不足两秒不能判定。"
        case _:
            return f"未观测到：{text}，达到两秒。"
