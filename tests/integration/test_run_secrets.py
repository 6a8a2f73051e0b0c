"""A camera with a wrong password: no log, exception, state or report ever shows it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.buffer.cameras import CameraStore
from monitor.buffer.connection import connect
from monitor.buffer.heartbeat import Heartbeat
from monitor.capture.rtsp_server import Route, RtspServer, VideoSource
from monitor.domain import CameraState, CameraStatus
from tests.servers import free_port
from workers import exits

ROOT = Path(__file__).resolve().parents[2]
ENV = {k: v for k, v in os.environ.items() if not k.startswith("CAUSEWAY")}
RIGHT, WRONG, MODEL_KEY = "right-hunter2", "wrong%40hunter2", "key-hunter2"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    import av
    import numpy as np

    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as sink:
        out = sink.add_stream("libx264", rate=25)
        out.width, out.height, out.pix_fmt = 64, 64, "yuv420p"
        for _ in range(25):
            picture = np.zeros((64, 64, 3), np.uint8)
            sink.mux(out.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        sink.mux(out.encode(None))
    return path


def causeway(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        cwd=ROOT, env={**ENV, **environ}, capture_output=True, text=True, timeout=40, check=False,
    )  # fmt: skip


async def test_a_wrong_password_is_said_and_never_shown(
    tmp_path: Path, film: Path, redis_url: str, camera_id: str
) -> None:
    route = Route("live", VideoSource.from_file(film), "viewer", RIGHT)
    async with RtspServer([route], host="127.0.0.1", port=0) as server:
        config = tmp_path / "streams.yaml"
        config.write_text(
            "site: {id: test}\n"
            f"data_dir: {tmp_path}\n"
            "cameras:\n"
            f"  - {{id: {camera_id}, "
            f"url: 'rtsp://viewer:${{PW}}@127.0.0.1:{server.port}/live'}}\n"
            f"redis: {{url: {redis_url}}}\n"
            f"mqtt: {{host: 127.0.0.1, port: {free_port()}, username: u, password: {RIGHT}}}\n"
            f"archive: {{url: 'postgresql://u:{RIGHT}@127.0.0.1:{free_port()}/x'}}\n"
            f"query: {{endpoint: 'http://127.0.0.1:{free_port()}/v1', api_key: {MODEL_KEY}}}\n"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "workers.cli", "ingest", "--config", str(config),
            "--log-level", "debug",
            cwd=ROOT, env={**ENV, "PW": WRONG}, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        redis = connect(redis_url)
        try:
            state = await _until_unauthorized(CameraStore(redis), camera_id)
            report = await asyncio.to_thread(
                causeway, "doctor", "--config", str(config), "--json", PW=WRONG
            )
            text = await asyncio.to_thread(causeway, "doctor", "--config", str(config), PW=WRONG)
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = await asyncio.wait_for(process.communicate(), 15)
            await redis.aclose()
    assert process.returncode == exits.OK
    found = json.loads(report.stdout)
    assert report.returncode == exits.FAILED
    findings = {finding["name"]: finding for finding in found["findings"]}
    assert findings[f"camera {camera_id}"]["ok"] is False
    assert findings[f"camera {camera_id}"]["detail"].startswith("unauthorized")
    assert findings["redis"]["ok"] is True
    for name in ("mqtt", "archive", "model"):
        assert findings[name]["ok"] is False, findings[name]
    assert found["config"]["cameras"][0]["url"].startswith("rtsp://***@127.0.0.1:")
    assert found["versions"]["av"]
    assert "BAD  mqtt" in text.stdout
    everything = (
        log.decode() + repr(state) + report.stdout + report.stderr + text.stdout + text.stderr
    )
    assert camera_id in log.decode()
    assert "hunter2" not in everything


async def _until_unauthorized(store: CameraStore, camera: str) -> CameraState:
    async with asyncio.timeout(30):
        while True:
            state = await store.state(camera)
            if state is not None and state.status is CameraStatus.UNAUTHORIZED:
                return state
            await asyncio.sleep(0.05)


@pytest.fixture
def config(tmp_path: Path, redis_url: str) -> Path:
    path = tmp_path / "streams.yaml"
    path.write_text(
        "site: {id: test}\n"
        "cameras: [{id: one, url: 'rtsp://127.0.0.1/x'}]\n"
        f"redis: {{url: {redis_url}}}\n"
    )
    return path


async def test_health_follows_the_sign_of_life(
    config: Path, redis_url: str, camera_id: str
) -> None:
    worker = f"worker-{camera_id}"
    done = await asyncio.to_thread(causeway, "health", worker, "--config", str(config))
    assert done.returncode == exits.FAILED
    assert "no sign of life" in done.stdout
    redis = connect(redis_url)
    await Heartbeat(redis, worker).beat({"units": 1})
    await redis.aclose()
    done = await asyncio.to_thread(causeway, "health", worker, "--config", str(config), "--json")
    assert done.returncode == exits.OK
    assert json.loads(done.stdout)["ok"] is True


def test_health_says_that_redis_is_away(config: Path) -> None:
    away = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    done = causeway("health", "ingest", "--config", str(config), CAUSEWAY__REDIS__URL=away)
    assert done.returncode == exits.FAILED
    assert "Redis is away" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_doctor_of_a_wrong_file_says_what_is_wrong(config: Path) -> None:
    config.write_text(config.read_text() + "mqtt: {hots: x}\n")
    done = causeway("doctor", "--config", str(config))
    assert done.returncode == exits.CONFIG
    assert "did you mean `host`?" in done.stdout
    assert "python" in done.stdout
