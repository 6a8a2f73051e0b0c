"""The README's picture: the wall beside an incident, made from the rendered scene.

Always made and looked at; kept as docs/images/dashboard.png with CAUSEWAY_UPDATE_PICTURES=1.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.async_api import Page, expect

from monitor.buffer.heartbeat import Heartbeat
from monitor.scene import render_to
from tests.control_room import open_room
from tests.dashboards import CameraFeed, playing
from tests.staged import Scene, stage

KEPT = Path(__file__).resolve().parents[2] / "docs" / "images" / "dashboard.png"
MOST_BYTES = 600_000
SIZE = (1600, 900)
NAMES = {"north": "North approach", "east": "East approach"}


@pytest.mark.timeout(300)
async def test_the_picture_shows_the_clip_the_cause_and_the_antecedents(
    tmp_path: Path, scene: Scene
) -> None:
    update = os.environ.get("CAUSEWAY_UPDATE_PICTURES") == "1"
    if update:
        film = tmp_path / "rear_end.mp4"
        render_to(film, "rear_end", 0, (1280, 720), 25)
        scene = Scene.load(film)
    site = {"id": "demo", "name": "Harbour Road × Station Street"}
    async with open_room(tmp_path, tuple(NAMES), names=NAMES, site=site) as room:
        alert = stage(scene, room.media, peak_ms=round(time.time() * 1000) - 15_000).explained
        await room.archive(alert)
        for worker in ("ingest", "watch", "analyse", "publish"):
            await Heartbeat(room.redis, worker).beat({})
        feeds = [
            CameraFeed(room.redis, camera, scene.units, scene.params, begin=begin)
            for camera, begin in (("north", 550), ("east", 100))
        ]
        async with playing(*feeds):
            page = await room.page(f"/incident/{alert.id}")
            await page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
            # The health seen last may be from before the workers gave a sign of life.
            await expect(page.locator(".cw-trouble__line")).to_have_count(0, timeout=30_000)
            await _antecedent(page)
            await expect(page.locator(".cw-pulse")).to_contain_text("2 of 2")
            picture = await page.screenshot()
    small = _fewer_colours(picture)
    assert len(small) < MOST_BYTES
    _looks_right(small)
    if update:
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_bytes(small)


async def _antecedent(page: Page) -> None:
    await page.wait_for_function(
        "() => document.querySelector('.cw-player video')?.readyState >= 2", timeout=40_000
    )
    await page.locator('[data-antecedent="antecedent_2"]').click()
    await page.wait_for_function(
        "() => { const v = document.querySelector('.cw-player video'); return !v.seeking; }"
    )
    await expect(page.locator(".cw-box").first).to_be_visible()
    await page.wait_for_function("() => document.fonts.status === 'loaded'")


def _fewer_colours(png: bytes) -> bytes:
    """The same picture at two thirds of its size: sharp enough to read, light enough to load."""
    whole = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert whole is not None
    assert whole.shape == (SIZE[1], SIZE[0], 3)
    step = 12  # of 256 levels; unseen on photographs of this kind, and PNG packs it well
    for levels in (1, 4, 8, step):
        flat = np.clip((whole.astype(np.uint16) + levels // 2) // levels * levels, 0, 255)
        done, small = cv2.imencode(".png", flat.astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 9])
        assert done
        if len(small) < MOST_BYTES:
            break
    return small.tobytes()


def _looks_right(png: bytes) -> None:
    """The clip is bright where it must be, the page dark around it."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    clip = image[200:650, 100:900]
    assert clip.mean() > 60
    assert clip.std() > 25
    assert image[60:80, :].mean() < 40
