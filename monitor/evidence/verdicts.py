"""The sentences of verification, in both languages, by what was found out.

Called by ``hold``, ``rootcheck`` and ``verify``. A ``Check`` is one finding about one claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MappingProxyType

from monitor.domain import Evidence, EvidenceKind, Verdict
from monitor.evidence.claims import Theme

_KINDS = MappingProxyType(
    {
        EvidenceKind.BRAKE_LIGHT_ONSET: ("brake lamps coming on", "制动灯亮起"),
        EvidenceKind.HARD_BRAKE: ("hard braking", "急刹车"),
        EvidenceKind.SUDDEN_STOP: ("a sudden stop", "突然停车"),
        EvidenceKind.CONTACT: ("a contact", "接触"),
        EvidenceKind.NEAR_MISS: ("a near miss", "险情"),
        EvidenceKind.STOPPED_IN_LANE: ("a vehicle at rest in the lane", "车道内停车"),
        EvidenceKind.WRONG_WAY: ("driving against the traffic", "逆行"),
        EvidenceKind.SWERVE: ("a swerve", "急打方向"),
        EvidenceKind.IMPULSE: ("a sudden loss or turn of momentum", "运动状态骤变"),
        EvidenceKind.PEDESTRIAN_IN_ROAD: ("a pedestrian on the roadway", "行人走上车行道"),
        EvidenceKind.QUEUE: ("a queue", "排队"),
        EvidenceKind.HEADWAY: ("a headway", "车头时距"),
        EvidenceKind.COURSE: ("a direction of travel", "行进方向"),
        EvidenceKind.PATH_ENTERED: ("being in the other's path", "处于对方行进路线上"),
        EvidenceKind.CLOSING: ("closing in within two seconds", "两秒之内将相碰的接近"),
        EvidenceKind.SLOWING: ("slowing", "减速"),
        EvidenceKind.APPEARED: ("coming into view", "进入画面"),
        EvidenceKind.SPEED: ("a speed", "车速"),
    }
)

_TEXTS: MappingProxyType[str, tuple[str, str]] = MappingProxyType(
    {
        "nothing_claimed": ("Nothing is claimed here.", "此处没有提出主张。"),
        "outside": (
            "{t:.1f} s lies outside the window, which ends at {end:.1f} s.",
            "第{t:.1f}秒不在时间窗内（时间窗止于第{end:.1f}秒）。",
        ),
        "no_instrument": (
            "Events of this kind are not measured.",
            "这类事件没有测量手段。",
        ),
        "after_event": (
            "It is placed at {t:.1f} s, after the event it should have led to ({event:.1f} s).",
            "所称时间第{t:.1f}秒晚于它应当引起的事件（第{event:.1f}秒）。",
        ),
        "matched": (
            "{Kind} was measured at {at:.1f} s{track}.",
            "第{at:.1f}秒测得{kind}{track}。",
        ),
        "none_near": (
            "No {kind} was measured within {tolerance:.1f} s of {t:.1f} s.",
            "第{t:.1f}秒前后{tolerance:.1f}秒内未测得{kind}。",
        ),
        "none": (
            "No {kind} was measured in the window.",
            "时间窗内未测得{kind}。",
        ),
        "elsewhere": (
            "{Kind} was measured at {at:.1f} s{track}, not at {t:.1f} s.",
            "{kind}测得于第{at:.1f}秒{track}，而不是第{t:.1f}秒。",
        ),
        "other_body": (
            "{Kind} was measured at {at:.1f} s{track}, but not of the one named.",
            "第{at:.1f}秒测得{kind}{track}，但不是所称的一方。",
        ),
        "unsure_body": (
            "{Kind} was measured at {at:.1f} s{track}; whether that is the one named is not known.",
            "第{at:.1f}秒测得{kind}{track}，是否为所称的一方不能确定。",
        ),
        "taken": (
            "{Kind} measured at {at:.1f} s already bears out another antecedent.",
            "第{at:.1f}秒测得的{kind}已用于证实另一条前因。",
        ),
        "other_text": (
            "Its text speaks of something else than {kind}.",
            "其文字所述并非{kind}。",
        ),
        "order": (
            "It is claimed in the wrong order: {kind} was measured at {at:.1f} s, the other event"
            " at {other:.1f} s.",
            "先后次序有误：{kind}测得于第{at:.1f}秒，另一事件测得于第{other:.1f}秒。",
        ),
        "order_unsure": (
            "{Kind} was measured at {at:.1f} s, but the claimed order of events was not.",
            "第{at:.1f}秒测得{kind}，但所称的先后次序未能测得。",
        ),
        "headway_number": (
            "The headway measured was {value:.1f} s, not {claimed}.",
            "测得的车头时距为{value:.1f}秒，与所称的{claimed}不符。",
        ),
        "headway_enough": (
            "The headway measured was {value:.1f} s, which is not under two seconds.",
            "测得的车头时距为{value:.1f}秒，并非不足两秒。",
        ),
        "headway_unclear": (
            "The headway measured was {value:.1f} s; whether it was under two seconds is not"
            " decided.",
            "测得的车头时距为{value:.1f}秒，是否不足两秒不能判定。",
        ),
        "brake_number": (
            "The braking measured was {value}, not {claimed}.",
            "测得的制动强度为{value}，与所称的{claimed}不符。",
        ),
        "brake_gentle": (
            "The braking measured was {value}, which is not hard.",
            "测得的制动强度为{value}，不属急刹车。",
        ),
        "speed_number": (
            "The speed measured was {value:.1f} m/s, not {claimed:.1f} m/s.",
            "测得的车速为{value:.1f} m/s，与所称的{claimed:.1f} m/s不符。",
        ),
        "speed_unscaled": (
            "A speed was measured, but not in metres a second: the number is not decided.",
            "测得了车速，但不是以米每秒计，所称数值不能判定。",
        ),
        "speed_judged": (
            "A speed was measured; whether it was too fast there is not.",
            "测得了车速，但该处是否属于超速未测量。",
        ),
        "did_brake": (
            "Braking was measured at {at:.1f} s{track}, though none is claimed.",
            "所称未制动，但第{at:.1f}秒测得制动{track}。",
        ),
        "reacted": (
            "Its braking was measured {value:.1f} s after the front vehicle's, which is not late.",
            "测得其制动比前方车辆晚{value:.1f}秒，并不算晚。",
        ),
        "denied_contact": (
            "No incident is claimed, but a contact was measured at {at:.1f} s.",
            "所称无事故，但第{at:.1f}秒测得接触。",
        ),
        "contact_instead": (
            "A near miss is claimed, but a contact was measured at {at:.1f} s.",
            "所称仅为险情，但第{at:.1f}秒测得接触。",
        ),
        "wrong_party": (
            "The bodies measured in the contact at {at:.1f} s are not of the kind claimed.",
            "第{at:.1f}秒测得的接触，其双方与所称的类型不符。",
        ),
        "wrong_manner": (
            "The courses before the contact at {at:.1f} s lay at {angle:.0f}°, which is another"
            " kind of collision.",
            "第{at:.1f}秒接触之前双方行进方向夹角为{angle:.0f}°，与所称的碰撞类型不符。",
        ),
        "type_open": (
            "What was measured does not show this kind of event.",
            "现有测量不能表明发生了这类事件。",
        ),
        "theme_open": (
            "The cause it names ({theme}) was not measured.",
            "所称原因（{theme}）未经测得。",
        ),
        "theme_after": (
            "The cause it names ({theme}) was measured only at {at:.1f} s, after the event.",
            "所称原因（{theme}）测得于第{at:.1f}秒，晚于事件。",
        ),
        "no_theme": (
            "It names no cause that can be measured.",
            "其中没有可以测量的原因。",
        ),
        "borne_out": (
            "The event and every cause it names were measured: {causes}.",
            "事件及所称的各项原因均已测得：{causes}。",
        ),
    }
)


_THEMES: MappingProxyType[Theme, tuple[str, str]] = MappingProxyType(
    {
        Theme.PEDESTRIAN: ("a pedestrian", "行人"),
        Theme.BRAKING: ("braking", "制动"),
        Theme.SLOWING: ("slowing", "减速"),
        Theme.PATH: ("being in the other's path", "处于对方路线上"),
        Theme.SHORT_HEADWAY: ("a short headway", "跟车过近"),
        Theme.LATE_REACTION: ("a late reaction", "反应迟缓"),
        Theme.NO_BRAKING: ("no braking", "未制动"),
        Theme.SWERVE: ("a swerve", "急打方向或变道"),
        Theme.WRONG_WAY: ("driving against the traffic", "逆行"),
        Theme.STANDING: ("a vehicle at rest", "车辆停驶"),
        Theme.QUEUE: ("a queue", "排队"),
        Theme.UNMEASURED: (
            "speeding, signals, attention or weather",
            "是否超速、信号、注意力或天气",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding about a claim: its verdict, the sentence's key, what fills it, its evidence."""

    verdict: Verdict
    key: str
    kind: EvidenceKind | None = None
    theme: Theme | None = None
    evidence: tuple[Evidence, ...] = ()
    fields: dict[str, float | str] = field(default_factory=dict)


def sentence(check: Check, lang: str) -> str:
    """The finding in words."""
    column = 1 if lang == "zh" else 0
    filled: dict[str, float | str] = dict(check.fields)
    if check.kind is not None:
        kind = _KINDS[check.kind][column]
        bare = kind.removeprefix("a ") if check.key.startswith("none") else kind
        filled["kind"], filled["Kind"] = bare, kind[:1].upper() + kind[1:]
    if check.theme is not None:
        filled["theme"] = _THEMES[check.theme][column]
    track = check.evidence[0].track if check.evidence else None
    if track is None:
        filled["track"] = ""
    else:
        filled["track"] = f"（轨迹{track}）" if column else f" (track {track})"
    return _TEXTS[check.key][column].format(**filled)


def listed(themes: Iterable[Theme], lang: str) -> str:
    """Causes in words, in a fixed order."""
    column = 1 if lang == "zh" else 0
    words = [names[column] for theme, names in _THEMES.items() if theme in frozenset(themes)]
    return ("、" if column else ", ").join(words)
