"""The wall in a real browser: live pictures, states, the feed, and trouble."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from playwright.async_api import Page, expect

from monitor.buffer.cameras import CameraStore
from monitor.buffer.ring import RingReader
from monitor.domain import CameraState, CameraStatus, VideoCodec, ViewCondition
from tests import video
from tests.alerts import explained, provisional
from tests.control_room import Room
from tests.dashboards import CameraFeed, playing

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(150)]

MOVING_NUMBERS = """
async (camera) => {
  const video = document.querySelector(`[data-camera="${camera}"] video`);
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const numbers = [], brightest = [];
  const from = video.currentTime;
  for (let n = 0; n < 10; n++) {
    await new Promise(done => video.requestVideoFrameCallback(done));
    context.drawImage(video, 0, 0);
    const y = Math.floor(video.videoHeight / 4);
    let number = 0;
    for (let bit = 0; bit < 10; bit++) {
      const x = Math.floor(video.videoWidth * (bit + 0.5) / 10);
      if (context.getImageData(x, y, 1, 1).data[0] > 128) number |= 1 << bit;
    }
    numbers.push(number);
    const all = context.getImageData(0, 0, canvas.width, canvas.height).data;
    brightest.push(all.reduce((most, value, i) => i % 4 === 3 ? most : Math.max(most, value), 0));
  }
  return {numbers, brightest, width: video.videoWidth, advanced: video.currentTime - from};
}
"""

SHOWN_NOW = """
async (camera) => {
  const video = document.querySelector(`[data-camera="${camera}"] video`);
  const canvas = new OffscreenCanvas(10, 2);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  await new Promise(done => video.requestVideoFrameCallback(done));
  const at_ms = Date.now();
  context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 2, 0, 0, 10, 2);
  const row = context.getImageData(0, 1, 10, 1).data;
  let number = 0;
  for (let bit = 0; bit < 10; bit++) if (row[4 * bit] > 128) number |= 1 << bit;
  return {at_ms, number};
}
"""


def tile(camera: str, below: str = "") -> str:
    return f'[data-camera="{camera}"] {below}'.strip()


async def live(page: Page, camera: str) -> None:
    await page.wait_for_selector(tile(camera, '[data-phase="live"]'), timeout=40_000)


async def test_a_provisional_card_becomes_the_explained_one_in_place(room: Room) -> None:
    page = await room.page()
    await expect(page.locator(".cw-feed .cw-empty")).to_be_visible()
    now_ms = round(time.time() * 1000)
    first, second = provisional("north", peak_ms=now_ms), explained("north", peak_ms=now_ms)
    other = provisional("west", peak_ms=now_ms - 60_000)
    await expect(page.locator(".cw-feed__source")).to_have_attribute("data-tone", "live")
    await room.publish(other, first)
    card = page.locator(f'[data-alert="{first.id}"]')
    await expect(card).to_have_attribute("data-stage", "provisional")
    await expect(card).to_contain_text("Explaining…")
    await expect(card).to_contain_text("track 7 met track 4")
    await expect(page.locator(".cw-feed .cw-empty")).not_to_be_visible()
    await card.evaluate("card => { card.dataset.same = 'card'; }")
    await room.publish(second, first)
    await expect(card).to_have_attribute("data-stage", "explained")
    await expect(card).to_have_attribute("data-same", "card")
    await expect(card).to_contain_text("Rear-end collision")
    await expect(card).to_contain_text("kept a headway of 0.8 s")
    await expect(card).to_contain_text("3Supported")
    await expect(card).not_to_contain_text("Explaining")
    await expect(page.locator(".cw-card")).to_have_count(2)
    ids = await page.locator(".cw-card").evaluate_all("all => all.map(c => c.dataset.alert)")
    assert ids == [first.id, other.id]
    await expect(page.locator(tile("north"))).to_have_attribute("data-severity", "high")
    await expect(page.locator(tile("west"))).to_have_attribute("data-severity", "high")


async def test_an_explanation_that_never_came_is_not_waited_for(room: Room) -> None:
    lost = provisional("north")
    await room.archive(lost)
    page = await room.page()
    card = page.locator(f'[data-alert="{lost.id}"]')
    await expect(card).to_have_attribute("data-stage", "overdue", timeout=15_000)
    await expect(card).to_contain_text("No explanation came.")
    await expect(card.locator(".cw-spinner")).to_have_count(0)


async def test_history_is_there_on_load_and_the_keyboard_reaches_it(room: Room) -> None:
    old = explained("north")
    await room.archive(old)
    page = await room.page()
    card = page.locator(f'[data-alert="{old.id}"]')
    await expect(card).to_be_visible(timeout=15_000)
    await card.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/incident/{old.id}")


async def test_live_pictures_play_and_the_tile_says_how(room: Room) -> None:
    units, params = video.encode(video.even(100), gop=25, width=640, height=360)
    async with playing(CameraFeed(room.redis, "north", units, params)):
        page = await room.page()
        await live(page, "north")
        seen = await page.evaluate(MOVING_NUMBERS, "north")
        assert seen["width"] == 640
        assert seen["advanced"] > 0.2
        assert len(set(seen["numbers"])) >= 8, "each picture is another one of the camera's"
        assert min(seen["brightest"]) > 200, "and none is black"
        await expect(page.locator(tile("north", ".cw-tile__status"))).to_have_text("Live")
        await expect(page.locator(tile("north", ".cw-tile__figures"))).to_contain_text(
            "640×360 · 25 fps"
        )
        await expect(page.locator(".cw-pulse")).to_have_text(re.compile("[12] of 4 cameras live"))
        await expect(page.locator(tile("east", ".cw-tile__reason"))).to_contain_text(
            "No report from ingest yet."
        )


async def test_each_state_shows_its_reason_and_comes_back(room: Room) -> None:
    units, params = video.encode(video.even(50), gop=25)
    page = await room.page()
    await CameraStore(room.redis).put_state(
        CameraState(
            "south",
            CameraStatus.UNAUTHORIZED,
            0,
            detail="The camera refuses the user name or password.",
            reconnects=3,
        )
    )
    south = page.locator(tile("south"))
    await expect(south).to_have_attribute("data-status", "unauthorized")
    await expect(south.locator(".cw-tile__reason")).to_be_visible()
    await expect(south).to_contain_text("The camera refuses the user name or password.")
    await expect(south).to_contain_text("3 reconnects")
    feed = CameraFeed(room.redis, "south", units, params, view=ViewCondition.FROZEN)
    async with playing(feed):
        await live(page, "south")
        await expect(south.locator(".cw-tile__reason")).not_to_be_visible()
        await expect(south.locator(".cw-tile__view")).to_have_text("Picture frozen")
    await expect(south).to_have_attribute("data-status", "stalled", timeout=15_000)
    async with playing(feed):
        await live(page, "south")


async def test_h265_is_shown_as_stills_and_says_so(room: Room) -> None:
    units, params = video.encode(video.even(50), codec=VideoCodec.HEVC, gop=25)
    async with playing(CameraFeed(room.redis, "west", units, params)):
        page = await room.page()
        await page.wait_for_selector(tile("west", '[data-phase="still"]'), timeout=40_000)
        await expect(page.locator(tile("west", ".cw-live__note"))).to_contain_text("H.265")
        await page.wait_for_function(
            """() => document.querySelector('[data-camera="west"] img').naturalWidth === 320"""
        )


async def test_what_a_model_or_a_camera_says_is_shown_as_written(room: Room) -> None:
    """Markup in text stays text, on the wall and on the incident's page."""
    evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>`${pwned=1}`'
    alert = explained("south", peak_ms=round(time.time() * 1000))
    assert alert.answer is not None
    answer = replace(
        alert.answer,
        root_cause=evil,
        antecedents=tuple(
            replace(one, text=evil, actor="</script><b>x</b>") for one in alert.answer.antecedents
        ),
        chain=replace(alert.answer.chain, environment=evil),
        rules=("<b>rule</b>",),
        thinking=(evil,),
    )
    alert = replace(
        alert,
        answer=answer,
        explainer_note=evil,
        trigger=replace(alert.trigger, reason=evil),
        verification=tuple(replace(one, text=evil) for one in alert.verification),
    )
    await CameraStore(room.redis).put_state(
        CameraState("south", CameraStatus.REFUSED, 0, detail=evil)
    )
    await room.archive(alert)
    page = await room.page()
    await expect(page.locator(f'[data-alert="{alert.id}"] .cw-card__cause')).to_have_text(
        evil, timeout=15_000
    )
    await page.goto(f"{room.url}/incident/{alert.id}")
    await expect(page.locator(".cw-cause__text")).to_have_text(evil)
    await page.locator('[data-antecedent="antecedent_1"]').click()
    await page.goto(f"{room.url}/incidents?text=%3Cscript%3Ewindow.pwned%3D1")
    await expect(page.locator(".cw-row__cause")).to_have_text(evil)
    assert await page.evaluate("window.pwned") is None


async def test_a_live_picture_is_not_late(room: Room) -> None:
    """From when a picture was written to when it is shown, the GOP under way replayed first."""
    units, params = video.encode(video.even(250), gop=50)
    feed = CameraFeed(room.redis, "east", units, params)
    async with playing(feed):
        await RingReader(room.redis, "east").tail(0, block_ms=3000, count=1)
        page = await room.page()
        await live(page, "east")
        lags_s = []
        for _ in range(15):
            seen = await page.evaluate(SHOWN_NOW, "east")
            passed = (seen["at_ms"] - feed.began_ms) / 40
            lags_s.append((passed - seen["number"]) % 250 * 0.04)
        assert sorted(lags_s)[7] < 1.0, lags_s
