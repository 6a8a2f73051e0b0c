"""The REST API over real Redis, Mosquitto and SQLite."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest
from redis.asyncio import Redis

from dashboards.api.application import create_application
from dashboards.board import Board, open_board
from monitor import wire
from monitor.archive import Archive
from monitor.buffer.cameras import CameraStore
from monitor.buffer.heartbeat import Heartbeat
from monitor.buffer.keys import DEAD
from monitor.buffer.tally import TallyStore
from monitor.clock import SystemClock
from monitor.config.endpoints import archive_url
from monitor.domain import Alert, CameraState, CameraStatus, ViewCondition
from tests import servers
from tests.alerts import PEAK_MS, explained, provisional
from tests.dashboards import config_of, redis_client, settings


@dataclass
class Api:
    board: Board
    http: httpx.AsyncClient
    redis: Redis

    async def get(self, path: str, status: int = 200, **params: Any) -> Any:
        answer = await self.http.get(path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()


@asynccontextmanager
async def serve(values: dict[str, Any], redis_port: int) -> AsyncIterator[Api]:
    async with open_board(config_of(values), SystemClock()) as board:
        transport = httpx.ASGITransport(app=create_application(board), raise_app_exceptions=True)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://test") as http,
            redis_client(redis_port) as redis,
        ):
            yield Api(board, http, redis)


@pytest.fixture
def values(tmp_path: Path, redis_port: int, mqtt_port: int, camera_id: str) -> dict[str, Any]:
    return settings(tmp_path, [camera_id], redis_port=redis_port, mqtt_port=mqtt_port)


@pytest.fixture
async def api(values: dict[str, Any], redis_port: int) -> AsyncIterator[Api]:
    async with serve(values, redis_port) as api:
        await until(lambda: api.board.intake.archive_problem is None)
        yield api


async def until(condition: Any, timeout_s: float = 15) -> None:
    """Until the boards, which poll, have seen it."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is waited for is itself a poll
            await asyncio.sleep(0.02)


async def archive(api: Api, *alerts: Alert) -> None:
    for alert in alerts:
        await api.board.archive.upsert(alert)


async def test_alerts_newest_first_in_pages_that_neither_repeat_nor_skip(api: Api) -> None:
    alerts = [explained("north", peak_ms=PEAK_MS + 60_000 * n) for n in range(7)]
    await archive(api, *alerts)
    seen: list[str] = []
    after: dict[str, Any] = {}
    for size in (3, 3, 1):
        page = await api.get("/api/v1/alerts", limit=3, **after)
        assert len(page["items"]) == size
        seen += [item["id"] for item in page["items"]]
        after = {"cursor": page["next_cursor"]}
    assert after == {"cursor": None}
    assert seen == [alert.id for alert in reversed(alerts)]


async def test_alerts_by_camera_time_severity_stage_and_words(api: Api) -> None:
    north, south = explained("north"), provisional("south", peak_ms=PEAK_MS + 3_600_000)
    await archive(api, north, south)

    async def ids(**filters: Any) -> list[str]:
        return [one["id"] for one in (await api.get("/api/v1/alerts", **filters))["items"]]

    middle = (north.start + timedelta(minutes=5)).isoformat()
    assert await ids(camera="north") == [north.id]
    assert await ids(since=middle) == [south.id]
    assert await ids(until=middle) == [north.id]
    assert await ids(stage="explained") == [north.id]
    assert await ids(incident_type="rear_end_collision") == [north.id]
    assert await ids(text="PEDESTRIAN steps") == [north.id]
    assert await ids(min_severity="critical") == []


async def test_an_alert_and_its_revisions_read_back_as_published(api: Api) -> None:
    first, second = provisional(), explained()
    await archive(api, first, second)
    found = await api.http.get(f"/api/v1/alerts/{second.id}")
    assert wire.from_json(Alert, found.content) == second
    revisions = await api.get(f"/api/v1/alerts/{second.id}/revisions")
    assert [one["revision"] for one in revisions] == [first.revision, second.revision]


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1000"}, "limit"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"min_severity": "awful"}, "min_severity"),
        ({"text": "x" * 201}, "text"),
    ],
)
async def test_a_wrong_parameter_is_named(api: Api, params: dict[str, str], named: str) -> None:
    problem = await api.get("/api/v1/alerts", 422, **params)
    assert problem["detail"].startswith(f"{named}: ")
    assert problem["reason"] == "invalid"


async def test_a_cursor_of_somebody_else_is_refused(api: Api) -> None:
    assert "cursor" in (await api.get("/api/v1/alerts", 400, cursor="%%%"))["detail"]


async def test_what_is_not_there_is_404_in_the_same_shape(api: Api) -> None:
    for path in ("/api/v1/alerts/none", "/api/v1/alerts/none/revisions", "/api/v1/cameras/none"):
        assert (await api.get(path, 404))["reason"] == "not_found"


async def test_a_camera_with_its_state_and_without_its_address(api: Api, camera_id: str) -> None:
    now_ms = SystemClock().wall_ms()
    state = CameraState(
        camera_id, CameraStatus.ONLINE, now_ms - 5000, width=1280, height=720, fps=25.0,
        bitrate_bps=2_600_000, last_frame_ms=now_ms, reconnects=2, clock="rtcp",
    )  # fmt: skip
    store = CameraStore(api.redis)
    await store.put_state(state)
    await store.put_view(camera_id, ViewCondition.TOO_DARK)
    tally = TallyStore(api.redis)
    await tally.note(camera_id, "opened", "a", now_ms - 3_600_000)
    await tally.note(camera_id, "opened", "b", now_ms - 1000)
    await tally.note(camera_id, "dismissed", "b", now_ms - 1000)
    await api.board.cameras.poll()
    answer = await api.http.get(f"/api/v1/cameras/{camera_id}")
    found = answer.json()
    assert (found["status"], found["live"], found["view"]) == ("online", True, "too_dark")
    assert found["last_frame_age_s"] < 5
    assert found["last_day"] == {"opened": 2, "confirmed": 0, "dismissed": 1, "undecided": 0}
    everything = answer.text + (await api.http.get("/api/v1/cameras")).text
    assert "hunter2" not in everything
    assert "rtsp" not in everything


async def test_a_camera_of_which_nobody_speaks_is_unknown(api: Api, camera_id: str) -> None:
    found = (await api.get("/api/v1/cameras"))[0]
    assert (found["id"], found["status"], found["live"]) == (camera_id, "unknown", False)


async def test_a_picture_that_stopped_coming_is_not_live(api: Api, camera_id: str) -> None:
    now_ms = SystemClock().wall_ms()
    await CameraStore(api.redis).put_state(
        CameraState(camera_id, CameraStatus.ONLINE, 0, last_frame_ms=now_ms - 60_000)
    )
    await api.board.cameras.poll()
    assert not (await api.get(f"/api/v1/cameras/{camera_id}"))["live"]


async def test_healthz_is_well_when_everything_reports(tmp_path: Path, mqtt_port: int) -> None:
    with servers.redis_server(tmp_path) as own:
        values = settings(tmp_path, ["cam"], redis_port=own.port, mqtt_port=mqtt_port)
        async with serve(values, own.port) as api:
            await until(lambda: api.board.intake.mqtt_problem is None)
            await until(lambda: api.board.intake.archive_problem is None)
            await api.board.health.look()
            assert (await api.get("/healthz", 503))["reasons"] == [
                f"{role}: no process reports in"
                for role in ("ingest", "watch", "analyse", "publish")
            ]
            for name in ("ingest-0", "watch", "analyse", "publish"):
                await Heartbeat(api.redis, name).beat({"units_written": 7})
            await api.board.health.look()
            report = await api.get("/healthz")
            assert report["healthy"]
            assert {one["name"] for one in report["workers"]} == {
                "ingest-0", "watch", "analyse", "publish",
            }  # fmt: skip
            own.stop()
            await api.board.health.look()
            report = await api.get("/healthz", 503)
            assert report["redis"] == "down"
            assert report["reasons"][0].startswith("redis: ")
            own.start()
            await api.board.health.look()
            assert (await api.get("/healthz", 503))["redis"] == "up"


async def test_redis_and_broker_and_archive_away_are_said_and_answered_without_a_trace(
    tmp_path: Path,
) -> None:
    values = settings(
        tmp_path, ["cam"], redis_port=servers.free_port(), mqtt_port=servers.free_port()
    )
    values["archive"] = {"url": f"postgresql://nobody:s3cret@127.0.0.1:{servers.free_port()}/cw"}
    async with open_board(config_of(values), SystemClock()) as board:
        transport = httpx.ASGITransport(app=create_application(board))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            await until(lambda: "not" not in (board.intake.archive_problem or ""))
            await board.health.look()
            report = (await http.get("/healthz")).json()
            assert [report[s] for s in ("redis", "mqtt", "archive")] == ["down"] * 3
            alerts = await http.get("/api/v1/alerts")
            assert (alerts.status_code, alerts.json()["reason"]) == (503, "archive")
            assert alerts.headers["retry-after"] == "5"
            still = await http.get("/api/v1/cameras/cam/snapshot.jpg")
            assert (still.status_code, still.json()["reason"]) == (503, "redis_away")
            assert (await http.get("/api/v1/cameras")).json()[0]["status"] == "unknown"
            assert (await http.get("/livez")).status_code == 200
            everything = alerts.text + still.text + json.dumps(report)
            assert "s3cret" not in everything
            assert "Traceback" not in everything


async def test_the_feed_fills_from_the_archive_and_then_from_the_broker(
    values: dict[str, Any], redis_port: int, mqtt_port: int
) -> None:
    old, new = explained("north"), provisional("south", peak_ms=PEAK_MS + 60_000)
    config = config_of(values)
    async with Archive(archive_url(config)) as before:
        await before.upsert(old)
    async with serve(values, redis_port) as api:
        await until(lambda: api.board.feed.get(old.id) is not None)
        await until(lambda: api.board.intake.mqtt_problem is None)
        topic = f"{config.mqtt.topic_prefix}/demo/alerts/south"
        async with aiomqtt.Client("127.0.0.1", mqtt_port) as client:
            await client.publish(topic, b"{no alert", qos=1)
            await client.publish(topic, wire.to_json(new), qos=1)
            await client.publish(topic, wire.to_json(new), qos=1)
        await until(lambda: api.board.feed.get(new.id) == new)
        assert [alert.id for alert in api.board.feed.recent(5)] == [new.id, old.id]
        assert api.board.intake.malformed == 1
        assert api.board.intake.received["south"] == 1


async def test_what_was_published_while_the_broker_was_away_is_read_from_the_archive(
    tmp_path: Path, redis_port: int
) -> None:
    with servers.mosquitto(tmp_path) as broker:
        values = settings(tmp_path, ["cam"], redis_port=redis_port, mqtt_port=broker.port)
        async with serve(values, redis_port) as api:
            await until(lambda: api.board.intake.mqtt_problem is None)
            await until(lambda: api.board.intake.archive_problem is None)
            broker.stop()
            await until(lambda: api.board.intake.mqtt_problem is not None)
            missed = explained()
            await archive(api, missed)
            broker.start()
            await until(lambda: api.board.feed.get(missed.id) == missed, 20)


async def test_metrics_say_what_the_boards_know(tmp_path: Path, mqtt_port: int) -> None:
    with servers.redis_server(tmp_path) as own:
        values = settings(tmp_path, ["cam"], redis_port=own.port, mqtt_port=mqtt_port)
        async with serve(values, own.port) as api:
            await check_metrics(api, "cam")


async def check_metrics(api: Api, camera_id: str) -> None:
    now_ms = SystemClock().wall_ms()
    await CameraStore(api.redis).put_state(
        CameraState(camera_id, CameraStatus.STALLED, 0, fps=12.5, last_frame_ms=now_ms,
                    reconnects=3)
    )  # fmt: skip
    await Heartbeat(api.redis, f"ingest-{camera_id}").beat({"units written": 41})
    await api.redis.xadd(
        DEAD, {"source": "cw:jobs", "id": "1-0", "reason": "test", "attempts": 3, "p": b"{}"}
    )
    await api.board.cameras.poll()
    await api.board.health.look()
    api.board.feed.offer(explained())
    text = (await api.http.get("/metrics")).text
    for line in (
        f'causeway_camera_status{{camera="{camera_id}",status="stalled"}} 1.0',
        f'causeway_camera_status{{camera="{camera_id}",status="online"}} 0.0',
        f'causeway_camera_fps{{camera="{camera_id}"}} 12.5',
        f'causeway_camera_reconnects_total{{camera="{camera_id}"}} 3.0',
        'causeway_up{server="redis"} 1.0',
        f'causeway_worker_counter{{name="units_written",worker="ingest-{camera_id}"}} 41.0',
        'causeway_queue_depth{queue="jobs",state="waiting"}',
        "causeway_live_viewers 0.0",
        'causeway_alerts_recent{explainer="qwen3-vl",severity="high",stage="explained"} 1.0',
    ):
        assert line in text
    assert "causeway_dead_letters 1.0" in text
    assert "hunter2" not in text


async def test_media_by_range_and_nothing_but_media(
    api: Api, values: dict[str, Any], tmp_path: Path
) -> None:
    folder = Path(values["data_dir"]) / "media" / "north"
    folder.mkdir(parents=True)
    (folder / "clip.mp4").write_bytes(bytes(range(256)) * 8)
    (folder / "notes.txt").write_text("no")
    (tmp_path / "var" / "secret.mp4").write_text("secret")
    (folder / "link.mp4").symlink_to(tmp_path / "var" / "secret.mp4")
    whole = await api.http.get("/media/north/clip.mp4")
    assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
    assert whole.headers["content-type"] == "video/mp4"
    part = await api.http.get("/media/north/clip.mp4", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/2048"
    beyond = await api.http.get("/media/north/clip.mp4", headers={"Range": "bytes=9999-"})
    assert beyond.status_code == 416
    for path in (
        "/media/north/notes.txt",
        "/media/north/link.mp4",
        "/media/north/",
        "/media/../secret.mp4",
        "/media/%2e%2e/secret.mp4",
        "/media/north/..%2f..%2fsecret.mp4",
        "/media//etc/passwd",
        "/media/%00.mp4",
        "/media/" + "a" * 3000 + ".mp4",
    ):
        answer = await api.http.get(path)
        assert answer.status_code == 404, path
        assert "secret" not in answer.text


async def test_the_docs_are_one_local_page(api: Api) -> None:
    document = await api.get("/openapi.json")
    assert {"/api/v1/alerts", "/api/v1/cameras", "/healthz", "/metrics"} <= set(document["paths"])
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["description"]
    page = (await api.http.get("/docs")).text
    for path in document["paths"]:
        assert path in page
    for name in document["components"]["schemas"]:
        assert f"id='{name}'" in page
    assert "<script" not in page
    assert "//" not in page.replace("</", "").replace("/>", "").split("<body>")[1]


async def test_every_answer_forbids_other_hosts(api: Api) -> None:
    policy = (await api.http.get("/livez")).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
