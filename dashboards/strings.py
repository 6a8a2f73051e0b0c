"""Every word the dashboard shows, in English and Chinese.

Called by the pages; alerts bring their own sentences in ``alert.lang`` and are not translated.
Keys of enumerations are ``<group>.<value>``, so a test can prove that none is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Lang = Literal["en", "zh"]

STRINGS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    # frame
    "nav.wall": ("Wall", "监控墙"),
    "nav.incidents": ("Incidents", "事件"),
    "nav.system": ("System", "系统"),
    "nav.api": ("API", "接口"),
    "nav.skip": ("Skip to content", "跳到内容"),
    "head.cameras": ("{online} of {total} cameras live", "{online}/{total} 路相机在线"),
    # trouble sentences
    "away.redis": (
        "The picture buffer (Redis) is away: no live pictures or states until it is back.",
        "画面缓冲（Redis）不可用：恢复前没有实时画面和相机状态。",
    ),
    "away.mqtt": (
        "The alert broker (MQTT) is away: alerts are read from the archive every few seconds.",
        "告警代理（MQTT）不可用：每隔几秒从归档读取告警。",
    ),
    "away.archive": (
        "The archive is away: past incidents cannot be shown until it is back.",
        "归档不可用：恢复前无法显示历史事件。",
    ),
    "away.workers": ("Not reporting in: {workers}.", "没有报告的进程：{workers}。"),
    # wall
    "wall.title": ("Wall", "监控墙"),
    "wall.cameras": ("Cameras", "相机"),
    "feed.title": ("Alerts", "告警"),
    "feed.live": ("live", "实时"),
    "feed.catching_up": ("from the archive", "来自归档"),
    "feed.empty": ("Nothing has happened", "暂无事件"),
    "feed.empty_more": (
        "An alert appears the moment a trigger fires, and gains its reason seconds later.",
        "触发后告警会立即出现在这里，数秒后给出原因。",
    ),
    "feed.all": ("All incidents", "全部事件"),
    "card.explaining": ("Explaining…", "正在分析原因…"),
    "card.overdue": ("No explanation came.", "未得到原因说明。"),
    "card.dismissed": ("Dismissed", "已排除"),
    # tile
    "tile.connecting": ("Connecting to the picture…", "正在连接画面…"),
    "tile.waiting": ("Waiting for the camera", "等待相机"),
    "tile.snapshots": ("Still, every second", "静止画面，每秒一张"),
    "tile.fullscreen": ("Full screen", "全屏"),
    "tile.unknown": ("No report from ingest yet.", "尚无采集进程的报告。"),
    "tile.why.h265": (
        "H.265 cannot be passed to this browser: showing one still a second.",
        "浏览器无法直接播放 H.265：每秒显示一张静止画面。",
    ),
    "tile.why.b_frames": (
        "This camera sends B-frames, which WebRTC cannot carry: showing one still a second.",
        "该相机含 B 帧，WebRTC 无法传输：每秒显示一张静止画面。",
    ),
    "tile.why.viewers": (
        "Too many live viewers: showing one still a second.",
        "实时观看人数已满：每秒显示一张静止画面。",
    ),
    "tile.why.network": (
        "No WebRTC connection from this browser: showing one still a second.",
        "此浏览器无法建立 WebRTC 连接：每秒显示一张静止画面。",
    ),
    "tile.fps": ("{fps} fps", "{fps} 帧/秒"),
    "tile.mbps": ("{mbps} Mb/s", "{mbps} Mb/s"),
    "tile.age": ("last picture {age} ago", "上一画面 {age}前"),
    "tile.reconnects": ("{count} reconnects", "重连 {count} 次"),
    "tile.candidates": (
        "24 h: {opened} looked at twice, {confirmed} confirmed, {dismissed} dismissed",
        "24 小时：复核 {opened} 次，确认 {confirmed} 次，排除 {dismissed} 次",
    ),
    # incident
    "incident.back": ("Back to the wall", "返回监控墙"),
    "incident.missing": ("No such incident", "没有此事件"),
    "incident.missing_more": (
        "It is neither in the archive nor among the alerts received. It may still be on its way.",
        "归档和已收到的告警中都没有它，可能仍在途中。",
    ),
    "incident.root_cause": ("Root cause", "根本原因"),
    "incident.dismissed": ("Dismissed: no incident", "已排除：未发生事故"),
    "incident.antecedents": ("What led to it", "前因"),
    "incident.antecedents_hint": (
        "Select one to see it in the clip",
        "点击可跳转到视频相应时刻",
    ),
    "incident.no_time": ("not seen", "未观测到"),
    "incident.chain": ("Causal chain", "因果链"),
    "incident.chain.environment": ("Environment", "环境"),
    "incident.chain.direct_trigger": ("Direct trigger", "直接诱因"),
    "incident.chain.systemic_weakness": ("Systemic weakness", "系统性薄弱环节"),
    "incident.rests_on": ("Rests on {what}", "依据：{what}"),
    "incident.evidence": ("Measured evidence", "测量证据"),
    "incident.evidence_empty": ("Nothing was measured.", "没有测量结果。"),
    "incident.rules": ("Rules that apply", "适用规则"),
    "incident.frames": ("Key frames", "关键帧"),
    "incident.explainer": ("Explained by", "解释来源"),
    "incident.explainer.evidence": ("The measurements alone", "仅依据测量"),
    "incident.explainer.qwen3-vl": ("Qwen3-VL, checked", "Qwen3-VL，已核对"),
    "incident.latency": ("answered in {latency_s} s", "用时 {latency_s} 秒"),
    "incident.mode.standard": ("standard mode", "标准模式"),
    "incident.mode.thinking": ("thinking mode", "思考模式"),
    "incident.tokens": ("{prompt} tokens in, {output} out", "输入 {prompt}，输出 {output} 个词元"),
    "incident.confidence": ("confidence {percent} %", "置信度 {percent}%"),
    "incident.thinking": ("Steps of thought", "思考步骤"),
    "incident.revisions": ("Revisions", "修订记录"),
    "incident.revision": ("Revision {revision}", "修订 {revision}"),
    "incident.no_clip": ("The clip is being saved.", "正在保存视频片段。"),
    "incident.no_clip_final": ("No clip was saved.", "没有保存视频片段。"),
    "incident.explaining": (
        "The cause is being worked out. This page fills in by itself.",
        "正在分析原因，本页会自动更新。",
    ),
    "incident.json": ("Alert as JSON", "告警 JSON"),
    "incident.download": ("Download clip", "下载视频"),
    "incident.boxes": ("Boxes", "标注框"),
    "incident.slow": ("Slow", "慢放"),
    "incident.previous_frame": ("One frame back", "后退一帧"),
    "incident.next_frame": ("One frame on", "前进一帧"),
    "incident.timeline": ("Time in the clip", "片段时间"),
    "incident.play": ("Play or pause", "播放或暂停"),
    "incident.keys": (
        "Space: play · arrows: step · 1 2 3: antecedents · C: contact",
        "空格：播放 · 方向键：逐帧 · 1 2 3：前因 · C：接触",
    ),
    "incident.claim.root_cause": ("Root cause", "根本原因"),
    "incident.claim.antecedent_1": ("Antecedent 1", "前因 1"),
    "incident.claim.antecedent_2": ("Antecedent 2", "前因 2"),
    "incident.claim.antecedent_3": ("Antecedent 3", "前因 3"),
    "table.time": ("Time", "时间"),
    "table.kind": ("What", "内容"),
    "table.who": ("Who", "对象"),
    "table.value": ("Measured", "测量值"),
    "table.strength": ("Strength", "强度"),
    # incidents
    "incidents.title": ("Incidents", "事件"),
    "incidents.camera": ("Camera", "相机"),
    "incidents.all_cameras": ("All cameras", "全部相机"),
    "incidents.older": ("Older", "更早"),
    "incidents.newest": ("Newest", "最新"),
    "incidents.empty": ("No incidents here", "没有事件"),
    "incidents.empty_more": (
        "Nothing in the archive matches.", "归档中没有符合条件的事件。"
    ),
    "incidents.severity": ("Severity", "严重度"),
    "incidents.search": ("Search causes", "搜索原因"),
    "incidents.any_severity": ("Any severity", "任意严重度"),
    "incidents.or_worse": ("{severity} or worse", "{severity}及以上"),
    "incidents.apply": ("Show", "显示"),
    # system
    "system.title": ("System", "系统"),
    "system.servers": ("Servers", "服务器"),
    "system.redis": ("Redis: picture rings and queues", "Redis：画面缓冲与队列"),
    "system.mqtt": ("MQTT broker", "MQTT 代理"),
    "system.archive": ("Archive", "归档"),
    "system.up": ("working", "正常"),
    "system.down": ("away", "不可用"),
    "system.workers": ("Workers", "工作进程"),
    "system.workers_empty": ("No worker reports in.", "没有工作进程在报告。"),
    "system.beat": ("reported {age} ago", "{age}前报告"),
    "system.queues": ("Queues", "队列"),
    "system.queue.jobs": ("Waiting to be explained", "等待分析"),
    "system.queue.outbox": ("Waiting to be published", "等待发布"),
    "system.queue.depth": (
        "{waiting} waiting, {pending} in hand",
        "{waiting} 个等待，{pending} 个处理中",
    ),
    "system.dead": ("Given up", "已放弃"),
    "system.dead_empty": ("Nothing was given up.", "没有被放弃的任务。"),
    "system.viewers": ("Live viewers: {count}", "实时观看：{count}"),
    # enumerations
    "status.connecting": ("Connecting", "连接中"),
    "status.online": ("Live", "在线"),
    "status.refused": ("Refused", "拒绝连接"),
    "status.unreachable": ("Unreachable", "无法到达"),
    "status.unauthorized": ("Wrong password", "密码错误"),
    "status.not_found": ("Not found", "未找到"),
    "status.no_answer": ("No answer", "无应答"),
    "status.stalled": ("Stalled", "停滞"),
    "status.ended": ("Ended", "已结束"),
    "status.no_key_frame": ("No key frame", "无关键帧"),
    "status.unsupported_codec": ("Unknown codec", "不支持的编码"),
    "status.invalid_data": ("Broken data", "数据损坏"),
    "status.buffer_away": ("Buffer away", "缓冲不可用"),
    "status.buffer_full": ("Buffer full", "缓冲已满"),
    "status.unknown": ("Unknown", "未知"),
    "view.normal": ("View normal", "视野正常"),
    "view.warming_up": ("Learning the view", "正在学习视野"),
    "view.view_changed": ("View changed", "视野改变"),
    "view.camera_moving": ("Camera moving", "镜头移动"),
    "view.shaking": ("Camera shaking", "镜头抖动"),
    "view.picture_frozen": ("Picture frozen", "画面冻结"),
    "view.stalling": ("Picture stalls", "画面卡顿"),
    "view.no_signal": ("No signal", "无信号"),
    "view.too_dark": ("Too dark", "过暗"),
    "view.too_bright": ("Too bright", "过亮"),
    "view.exposure_step": ("Exposure adjusting", "曝光调整中"),
    "view.glare": ("Glare", "眩光"),
    "view.rain": ("Rain", "降雨"),
    "view.overlay": ("Overlay on the picture", "画面有叠加层"),
    "view.masked": ("All of it masked", "画面全部被遮罩"),
    "view.undecodable": ("Cannot be decoded", "无法解码"),
    "severity.low": ("Low", "低"),
    "severity.medium": ("Medium", "中"),
    "severity.high": ("High", "高"),
    "severity.critical": ("Critical", "严重"),
    "stage.provisional": ("Provisional", "初步"),
    "stage.explained": ("Explained", "已解释"),
    "stage.dismissed": ("Dismissed", "已排除"),
    "verdict.supported": ("Supported", "得到证实"),
    "verdict.contradicted": ("Contradicted", "与测量矛盾"),
    "verdict.unverified": ("Unverified", "未核实"),
    "actor.vehicle": ("Vehicle", "车辆"),
    "actor.pedestrian": ("Pedestrian", "行人"),
    "actor.cyclist": ("Cyclist", "骑行者"),
    "actor.unknown": ("Object", "物体"),
    "kind.brake_light_onset": ("Brake lights on", "刹车灯亮起"),
    "kind.hard_brake": ("Hard braking", "急刹车"),
    "kind.sudden_stop": ("Sudden stop", "骤停"),
    "kind.contact": ("Contact", "接触"),
    "kind.near_miss": ("Near miss", "险情"),
    "kind.stopped_in_lane": ("Stopped in lane", "车道内停车"),
    "kind.wrong_way": ("Wrong way", "逆行"),
    "kind.swerve": ("Swerve", "急转"),
    "kind.impulse": ("Sudden change of motion", "运动骤变"),
    "kind.pedestrian_in_road": ("Pedestrian on the road", "行人进入车道"),
    "kind.queue": ("Queue", "排队"),
    "kind.headway": ("Headway", "车头时距"),
    "kind.course": ("Direction of travel", "行进方向"),
    "kind.path_entered": ("In the other's path", "进入对方路线"),
    "kind.closing": ("Closing in", "迅速接近"),
    "kind.slowing": ("Slowing", "减速"),
    "kind.appeared": ("Came into view", "进入画面"),
    "kind.speed": ("Speed", "速度"),
    "kind.other": ("Other", "其他"),
    "kind.not_seen": ("Not seen", "未观测到"),
    "type.rear_end_collision": ("Rear-end collision", "追尾"),
    "type.side_collision": ("Side collision", "侧面碰撞"),
    "type.head_on_collision": ("Head-on collision", "正面碰撞"),
    "type.single_vehicle_collision": ("Single-vehicle collision", "单车事故"),
    "type.pedestrian_collision": ("Pedestrian struck", "碰撞行人"),
    "type.cyclist_collision": ("Cyclist struck", "碰撞骑行者"),
    "type.collision": ("Collision", "碰撞"),
    "type.near_miss": ("Near miss", "险情"),
    "type.hard_brake": ("Hard braking", "急刹车"),
    "type.stopped_vehicle": ("Stopped vehicle", "车辆停驶"),
    "type.wrong_way": ("Wrong-way driving", "逆行"),
    "type.pedestrian_in_road": ("Pedestrian on the road", "行人进入车道"),
    "type.congestion": ("Congestion", "拥堵"),
    "type.other": ("Other incident", "其他事件"),
    "type.none": ("No incident", "无事件"),
    # ages
    "age.ms": ("{n} ms", "{n} 毫秒"),
    "age.s": ("{n} s", "{n} 秒"),
    "age.min": ("{n} min", "{n} 分钟"),
    "age.h": ("{n} h", "{n} 小时"),
    "age.d": ("{n} d", "{n} 天"),
    "age.ago": ("{age} ago", "{age}前"),
    "age.now": ("just now", "刚刚"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """The strings of one language."""

    lang: Lang

    def __call__(self, key: str, **fields: object) -> str:
        """The string of a key with its fields filled in; ``KeyError`` for an unknown key."""
        text = STRINGS[key][0 if self.lang == "en" else 1]
        return text.format(**fields) if fields else text

    def age(self, seconds: float) -> str:
        """How long, in the largest unit that says enough."""
        seconds = max(0.0, seconds)
        if seconds < 1:
            return self("age.ms", n=round(seconds * 1000))
        if seconds < 120:
            return self("age.s", n=round(seconds))
        if seconds < 7200:
            return self("age.min", n=round(seconds / 60))
        if seconds < 172800:
            return self("age.h", n=round(seconds / 3600))
        return self("age.d", n=round(seconds / 86400))

    def ago(self, seconds: float) -> str:
        """How long ago; under five seconds that is now."""
        return self("age.now") if seconds < 5 else self("age.ago", age=self.age(seconds))
