"""What a free text claims, in words that can be held against measurements. English and Chinese.

Called by ``verify``. A lexicon, not understanding: what it does not recognise stays unverified,
and a word inside a negation is not taken for a claim.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from monitor.domain import EvidenceKind


class Theme(StrEnum):
    """A cause a text may name."""

    PEDESTRIAN = "pedestrian"
    BRAKING = "braking"
    SLOWING = "slowing"  # by brakes or not
    PATH = "path"  # in another's path
    APPROACH = "approach"  # closing in, coming into view
    SHORT_HEADWAY = "short_headway"
    LATE_REACTION = "late_reaction"
    NO_BRAKING = "no_braking"
    SWERVE = "swerve"
    WRONG_WAY = "wrong_way"
    STANDING = "standing"
    QUEUE = "queue"
    CONTACT = "contact"
    NEAR_MISS = "near_miss"
    HEADWAY = "headway"  # following distance spoken of, short or not
    UNMEASURED = "unmeasured"  # speed limits, lights, attention, weather: nothing here measures it


_WORDS: MappingProxyType[Theme, re.Pattern[str]] = MappingProxyType(
    {
        Theme.PEDESTRIAN: re.compile(r"pedestrian|\bperson\b|\bpeople\b|walker|行人|路人|有人"),
        Theme.BRAKING: re.compile(
            r"\bbrak(?:e|es|ed|ing)\b|brake lamp|brake light|decelerat"
            r"|制动|刹车"
        ),
        Theme.SLOWING: re.compile(r"\bslow(?:s|ed|ing)?\b(?! to )|减速"),
        Theme.PATH: re.compile(
            r"(?:in|into|enter\w*|cross\w*|across|cut\w*) (?:the |its |his |their )?"
            r"(?:other's |oncoming )?(?:path|way|lane)\b|\bcut (?:across|off)|turn\w* across"
            r"|failed to (?:yield|give way)|横穿|(?:进入|处于|驶入).{0,12}(?:路线|车道)|切入"
        ),
        Theme.APPROACH: re.compile(
            r"clos(?:es|ed|ing) in|approach|s from a collision|into view|appear"
            r"|接近|距相碰|进入画面|驶近"
        ),
        Theme.SHORT_HEADWAY: re.compile(
            r"under (?:the )?(?:two.second|2.s)|less than (?:two|2) s"
            r"|(?:too|very|so) close(?:ly)?\b|tailgat|short(?:er)? (?:headway|gap|following)"
            r"|insufficient (?:headway|gap|(?:following |safe )?distance)"
            r"|(?:headway|gap|distance) (?:is |was |being )?(?:too |very )?(?:short|small)"
            r"|跟车(?:过|太)近|车?(?:距|间距|时距)(?:过|太)(?:近|小|短)|(?:车距|间距|距离)不足"
            r"|不足(?:两|2|二)秒|(?:小于|低于)(?:两|2|二)秒|未(?:与前车)?保持.{0,6}(?:车距|距离|间距)"
        ),
        Theme.LATE_REACTION: re.compile(
            r"(?:react|respond|brak)\w* (?:too )?late\b|late (?:reaction|braking)"
            r"|slow to (?:react|brake)|delayed (?:reaction|braking)|brake only [\d.]+ s after"
            r"|did not brake in time"
            r"|反应(?:迟缓|过慢|太慢|不及|迟)|(?:制动|刹车)(?:过晚|太晚|过迟|不及时)"
            r"|未(?:能)?及时(?:制动|刹车)|晚[\d.]+秒才开始制动"
        ),
        Theme.NO_BRAKING: re.compile(
            r"(?:did not|didn't|does not|never|failed to) brak\w*\b(?! in time| early| soon| hard)"
            r"|without braking|(?:未|没有|没)(?:采取)?(?:制动|刹车|减速)(?!及时)"
        ),
        Theme.SWERVE: re.compile(
            r"swerv|\bcut(?:s|ting)? in\b|lane change|chang\w+ lanes?|急打方向|变道|并线|加塞"
        ),
        Theme.WRONG_WAY: re.compile(
            r"wrong.way|against (?:the )?(?:direction of )?traffic|逆行|逆向"
        ),
        Theme.STANDING: re.compile(
            r"stationary|standstill|came to rest|at rest|stopped (?:in|vehicle|car|truck)"
            r"|standing (?:in|vehicle|car|truck)|停在|停驶|静止|突然停"
        ),
        Theme.QUEUE: re.compile(r"\bqueue|congest|traffic jam|排队|拥堵"),
        Theme.CONTACT: re.compile(
            r"\bstruck\b|\bstrikes?\b|collid|collision|\bcrash|\bhits?\b|contact|touch"
            r"|rear.end|碰|撞|接触|追尾"
        ),
        Theme.NEAR_MISS: re.compile(r"near miss|nearly|narrowly|came close|险些|险情|逼近"),
        Theme.HEADWAY: re.compile(
            r"headway|following distance|\bs(?:econds)?(?: \([^)]*\))? behind|close(?:ly)? behind"
            r"|tailgat|too close|时距|车距|跟车|间距"
        ),
        Theme.UNMEASURED: re.compile(
            r"speeding|too fast|speed limit|excessive speed|distract|inattent|fatigue|drowsy|drunk"
            r"|phone|red light|traffic signal|traffic light|slippery|wet road|visibility|blind spot"
            r"|超速|车速过快|分心|注意力|疲劳|酒驾|手机|红灯|信号灯|湿滑|视线|盲区"
        ),
    }
)

_NEGATION = re.compile(
    r"\b(?:no|not|never|without|nor|neither|whether|cannot)\b|n't\b"
    r"|未|没有|并非|不是|无法|不能|是否|无"
)
_CLAUSE = re.compile(r"[;；。，、]|(?<!\d)[.,]|[.,](?!\d)")
_SELF_NEGATING = frozenset({Theme.NO_BRAKING, Theme.LATE_REACTION, Theme.SHORT_HEADWAY})

THEME_OF: MappingProxyType[EvidenceKind, frozenset[Theme]] = MappingProxyType(
    {
        EvidenceKind.PEDESTRIAN_IN_ROAD: frozenset({Theme.PEDESTRIAN}),
        EvidenceKind.BRAKE_LIGHT_ONSET: frozenset({Theme.BRAKING, Theme.SLOWING}),
        EvidenceKind.HARD_BRAKE: frozenset({Theme.BRAKING, Theme.LATE_REACTION, Theme.SLOWING}),
        EvidenceKind.SUDDEN_STOP: frozenset({Theme.BRAKING, Theme.STANDING, Theme.SLOWING}),
        EvidenceKind.STOPPED_IN_LANE: frozenset({Theme.STANDING}),
        EvidenceKind.CONTACT: frozenset({Theme.CONTACT}),
        EvidenceKind.NEAR_MISS: frozenset({Theme.NEAR_MISS}),
        EvidenceKind.WRONG_WAY: frozenset({Theme.WRONG_WAY}),
        EvidenceKind.SWERVE: frozenset({Theme.SWERVE}),
        EvidenceKind.IMPULSE: frozenset(
            {Theme.CONTACT, Theme.SWERVE, Theme.BRAKING, Theme.SLOWING}
        ),
        EvidenceKind.QUEUE: frozenset({Theme.QUEUE, Theme.STANDING}),
        EvidenceKind.HEADWAY: frozenset({Theme.HEADWAY, Theme.SHORT_HEADWAY}),
        EvidenceKind.COURSE: frozenset({Theme.APPROACH}),
        EvidenceKind.PATH_ENTERED: frozenset({Theme.PATH}),
        EvidenceKind.CLOSING: frozenset({Theme.APPROACH, Theme.NEAR_MISS}),
        EvidenceKind.SLOWING: frozenset({Theme.SLOWING}),
        EvidenceKind.APPEARED: frozenset({Theme.APPROACH}),
        EvidenceKind.SPEED: frozenset({Theme.APPROACH}),
    }
)
"""Which themes a text about a kind of measurement may be recognised by."""


def themes(text: str) -> frozenset[Theme]:
    """The causes a text names and does not deny."""
    found: set[Theme] = set()
    for clause in _CLAUSE.split(text.lower()):
        for theme, words in _WORDS.items():
            match = words.search(clause)
            if match is None:
                continue
            denied = _NEGATION.search(clause[: match.start()])
            if denied is None or (theme in _SELF_NEGATING and not _asks(clause)):
                found.add(theme)
    return frozenset(found)


def _asks(clause: str) -> bool:
    """Whether a clause leaves the matter open, or denies that it was measured."""
    return bool(re.search(r"whether|是否|not decided|measured|测得|keeps?\b|无法|不能", clause))


Op = Literal["is", "under", "over"]


@dataclass(frozen=True, slots=True)
class Number:
    """A quantity a text gives: its value, or a bound on it."""

    value: float
    op: Op = "is"


_UNDER = ("under", "below", "less than", "shorter than", "不足", "小于", "低于")
_OVER = ("over", "above", "more than", "at least", "超过", "大于")
_QUANTITY = (
    rf"(?P<op>{'|'.join((*_UNDER, *_OVER))})?"
    r"\s*(?:about|only|约|只有|仅)?\s*(?P<value>\d+(?:\.\d+)?)"
)
_SECONDS = r"\s*(?:s\b|sec\b|seconds?\b|秒)"
_HEADWAY_AFTER = re.compile(
    r"(?:headway|time gap|following distance|时距|车距|间距)[^\d;；。]{0,16}?"
    + _QUANTITY
    + _SECONDS
)
_HEADWAY_BEFORE = re.compile(_QUANTITY + _SECONDS + r"(?:\s*\([^)]*\))?\s*(?:behind|headway)")
_MPS2 = re.compile(r"(?P<value>\d+(?:\.\d+)?)\s*(?:m/s2|m/s²|m/s\^2|米/秒²|米每二次方秒)")
_SHARE = re.compile(r"(?P<value>\d+(?:\.\d+)?)\s*%[^;；。]{0,12}(?:speed|车速|速度)")
_SHARE_ZH = re.compile(r"每秒失去\s*(?P<value>\d+(?:\.\d+)?)\s*%")

_SPEED = re.compile(
    rf"(?P<op>{'|'.join((*_UNDER, *_OVER))})?"
    r"\s*(?:about|only|约|只有|仅)?\s*(?P<value>\d+(?:\.\d+)?)\s*"
    r"(?:(?P<ms>m/s(?!\s*[2²^])|met(?:re|er)s? (?:per|a) second|米/秒(?!²)|米每秒)"
    r"|(?P<kmh>km/h|kph|kmh|kilomet(?:re|er)s? (?:per|an) hour|公里/小时|公里每小时|千米/小时|公里)"
    r"|(?P<mph>mph|miles (?:per|an) hour))"
)
_MS_OF = MappingProxyType({"ms": 1.0, "kmh": 1 / 3.6, "mph": 0.44704})

_STOPS_IN = re.compile(
    r"(?:to stop it (?:with)?in\s*(\d*\.?\d+)\s*s|足以在\s*(\d*\.?\d+)\s*秒内停住)"
)


def _bound(word: str | None) -> Op:
    return "under" if word in _UNDER else "over" if word in _OVER else "is"


def headway_of(text: str) -> Number | None:
    """A headway in seconds that a text gives."""
    low = text.lower()
    match = _HEADWAY_BEFORE.search(low) or _HEADWAY_AFTER.search(low)
    if match is None:
        return None
    return Number(float(match["value"]), _bound(match["op"]))


def deceleration_of(text: str) -> tuple[Number, str] | None:
    """A deceleration that a text gives, with its unit: ``m/s2`` or ``1/s`` (share of speed)."""
    low = text.lower()
    if match := _MPS2.search(low):
        return Number(float(match["value"])), "m/s2"
    if match := _SHARE.search(low) or _SHARE_ZH.search(low):
        return Number(float(match["value"]) / 100), "1/s"
    if (match := _STOPS_IN.search(low)) and (stop_s := float(match[1] or match[2])) > 0.0:
        return Number(1 / stop_s), "1/s"
    return None


def speed_of(text: str) -> Number | None:
    """A speed that a text gives, in m/s."""
    match = _SPEED.search(text.lower())
    if match is None:
        return None
    unit = next(name for name in _MS_OF if match[name])
    return Number(float(match["value"]) * _MS_OF[unit], _bound(match["op"]))


class Body(StrEnum):
    """Whom a text means."""

    RIDER = "rider"
    LEADER = "leader"
    FOLLOWER = "follower"
    WALKER = "walker"
    VEHICLE = "vehicle"


_TRACK = re.compile(r"(?:track|轨迹)\s*#?\s*(\d+)")
_BODIES = (
    (Body.RIDER, re.compile(r"cyclist|\bbike|bicycle|骑行者|骑车人|自行车|电动车")),
    (Body.WALKER, re.compile(r"pedestrian|person|people|walker|行人|路人")),
    (
        Body.FOLLOWER,
        re.compile(
            r"follow|(?:rear|trailing|second|striking) (?:vehicle|car|truck|driver)|behind"
            r"|后车|后方"
        ),
    ),
    (
        Body.LEADER,
        re.compile(
            r"lead(?:ing)?\b|(?:front|first|struck) (?:vehicle|car|truck|driver)|ahead|in front"
            r"|preceding|前车|前方"
        ),
    ),
    (
        Body.VEHICLE,
        re.compile(r"vehicle|\bcar\b|truck|\bbus\b|\bvan\b|driver|motorcycl|车"),
    ),
)


def body_of(actor: str) -> tuple[Body | None, int | None]:
    """Whom an actor's name means, and the track it names."""
    low = actor.lower()
    track = _TRACK.search(low)
    body = next((b for b, words in _BODIES if words.search(low)), None)
    return body, int(track[1]) if track else None
