"""The wall when its servers are away, and in Chinese: each test with a dashboard of its own."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests import video
from tests.control_room import Room
from tests.dashboards import CameraFeed, playing

pytestmark = pytest.mark.timeout(150)


async def live(page: Page, camera: str) -> None:
    await page.wait_for_selector(f'[data-camera="{camera}"] [data-phase="live"]', timeout=40_000)


async def test_redis_and_broker_away_are_said_and_recover(own_room: Room) -> None:
    units, params = video.encode(video.even(50), gop=25)
    page = await own_room.page()
    async with playing(CameraFeed(own_room.redis, "north", units, params)):
        await live(page, "north")
    trouble = page.locator(".cw-trouble")
    own_room.redis_server.kill()
    own_room.broker.kill()
    await expect(trouble).to_contain_text("Redis) is away", timeout=15_000)
    await expect(trouble).to_contain_text("MQTT) is away", timeout=15_000)
    await expect(page.locator('[data-camera="north"]')).to_have_attribute("data-status", "unknown")
    page_while_away = await own_room.page()
    await expect(page_while_away.locator(".cw-trouble")).to_contain_text("Redis) is away")
    own_room.redis_server.start()
    own_room.broker.start()
    async with playing(CameraFeed(own_room.redis, "north", units, params)):
        await expect(trouble).not_to_contain_text("away", timeout=40_000)
        await live(page, "north")
        await live(page_while_away, "north")


@pytest.mark.parametrize(
    "more_settings", [{"site": {"id": "demo", "name": "海港路口", "lang": "zh"}}]
)
async def test_the_wall_speaks_chinese(own_room: Room) -> None:
    page = await own_room.page()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(page.locator(".cw-feed__title")).to_have_text("告警")
    await expect(page.locator(".cw-pulse")).to_have_text("0/4 路相机在线")
    await expect(page.locator('[data-camera="east"]')).to_contain_text("尚无采集进程的报告")
