"""What Prometheus is told: read from the boards at the moment it asks, nothing kept twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboards.board import Board
from monitor.domain import CameraStatus


class BoardCollector(Collector):
    """Turns the boards' last looks into metric families."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def describe(self) -> list[Metric]:
        """Nothing is collected at registration, when no look has been taken yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """One family each; cameras by id, workers by name."""
        yield from self._cameras()
        yield from self._health()
        yield from self._alerts()
        yield GaugeMetricFamily(
            "causeway_live_viewers", "WebRTC connections open.", value=self._board.live.viewers
        )

    def _cameras(self) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            "causeway_camera_status", "1 for the status the camera is in.",
            labels=("camera", "status"),
        )  # fmt: skip
        gauges = {
            "fps": GaugeMetricFamily(
                "causeway_camera_fps", "Pictures per second.", labels=("camera",)
            ),
            "bitrate_bps": GaugeMetricFamily(
                "causeway_camera_bitrate_bps", "Bits per second.", labels=("camera",)
            ),
        }
        age = GaugeMetricFamily(
            "causeway_camera_last_frame_age_seconds", "Since the last picture.", labels=("camera",)
        )
        reconnects = CounterMetricFamily(
            "causeway_camera_reconnects", "Times the camera was connected again.",
            labels=("camera",),
        )  # fmt: skip
        statuses = [status.value for status in CameraStatus] + ["unknown"]
        for now in self._board.cameras.all():
            for status in statuses:
                state.add_metric((now.camera, status), float(status == now.status))
            if now.age_s is not None:
                age.add_metric((now.camera,), now.age_s)
            if now.state is None:
                continue
            for name, gauge in gauges.items():
                value = getattr(now.state, name)
                if value is not None:
                    gauge.add_metric((now.camera,), value)
            reconnects.add_metric((now.camera,), now.state.reconnects)
        yield from (state, *gauges.values(), age, reconnects)

    def _health(self) -> Iterator[Metric]:
        health = self._board.health.last
        if health is None:
            return
        up = GaugeMetricFamily("causeway_up", "1 where the server answers.", labels=("server",))
        for server in ("redis", "mqtt", "archive"):
            up.add_metric((server,), float(getattr(health, server) is None))
        yield up
        depth = GaugeMetricFamily(
            "causeway_queue_depth", "Pieces of work left.", labels=("queue", "state")
        )
        for queue, left in health.queues.items():
            depth.add_metric((queue, "waiting"), left.waiting)
            depth.add_metric((queue, "pending"), left.pending)
        yield depth
        yield GaugeMetricFamily(
            "causeway_dead_letters", "Work given up and kept.", value=health.dead_count
        )
        beat_age = GaugeMetricFamily(
            "causeway_worker_beat_age_seconds", "Since a process last reported.",
            labels=("worker",),
        )  # fmt: skip
        counters = GaugeMetricFamily(
            "causeway_worker_counter", "What a process reports of itself.",
            labels=("worker", "name"),
        )  # fmt: skip
        now_ms = self._board.clock.wall_ms()
        for beat in health.workers:
            beat_age.add_metric((beat.name,), max(0, now_ms - beat.at_ms) / 1000)
            for name, value in beat.counters.items():
                counters.add_metric((beat.name, _label(name)), float(value))
        yield beat_age
        yield counters

    def _alerts(self) -> Iterator[Metric]:
        known = self._board.feed.recent(limit=10_000)
        shown = GaugeMetricFamily(
            "causeway_alerts_recent", "Alerts in the feed (at most the last 200).",
            labels=("stage", "severity", "explainer"),
        )  # fmt: skip
        counted = Counter(
            (one.stage.value, one.severity.value, one.explainer.value if one.explainer else "none")
            for one in known
        )
        for labels, count in counted.items():
            shown.add_metric(labels, count)
        yield shown
        seen = CounterMetricFamily(
            "causeway_alerts", "Alerts heard of over the broker since this process started.",
            labels=("camera",),
        )  # fmt: skip
        for camera, count in self._board.intake.received.items():
            seen.add_metric((camera,), count)
        yield seen
        yield CounterMetricFamily(
            "causeway_malformed_messages",
            "Messages on the alert topics that were no alerts.",
            value=self._board.intake.malformed,
        )


def _label(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_.:-]", "_", name)[:80]
