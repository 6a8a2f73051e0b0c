"""An incident's page in a real browser, on the rendered collision."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from playwright.async_api import Page, expect

from monitor.alert.dismissal import dismissal
from monitor.domain import Explainer, ModelRun, SecondLook, Severity, Stage
from tests.alerts import provisional
from tests.control_room import Room
from tests.staged import Scene, stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(150)]

CURRENT = "document.querySelector('.cw-player video').currentTime"
SHOWN = """
async () => {
  const video = document.querySelector('.cw-player video');
  const canvas = new OffscreenCanvas(64, 36);
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 64, 36);
  const pixels = context.getImageData(0, 0, 64, 36).data;
  return {width: video.videoWidth, mean: pixels.reduce((sum, v) => sum + v, 0) / pixels.length};
}
"""


async def ready(page: Page) -> None:
    await page.wait_for_function(
        "() => document.querySelector('.cw-player video')?.readyState >= 2", timeout=40_000
    )


async def at(page: Page, t_s: float) -> None:
    """The clip has come to rest at that time."""
    await page.wait_for_function(
        """(t) => { const v = document.querySelector('.cw-player video');
                    return !v.seeking && v.paused && Math.abs(v.currentTime - t) < 0.02; }""",
        arg=t_s,
    )


async def test_the_archive_page_filters_and_turns_pages(room: Room) -> None:
    alerts = [provisional("north" if n % 2 else "east", peak_ms=1_760_000_000_000 + n * 60_000)
              for n in range(30)]  # fmt: skip
    await room.archive(*alerts)
    page = await room.page("/incidents")
    await expect(page.locator(".cw-row")).to_have_count(25)
    await page.get_by_role("link", name="Older").click()
    await expect(page.locator(".cw-row")).to_have_count(5)
    await page.get_by_role("link", name="Newest").click()
    await page.get_by_label("Camera").select_option("north")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".cw-row")).to_have_count(15)
    await page.get_by_label("Severity").select_option("critical")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".cw-empty__title")).to_have_text("No incidents here")


async def test_selecting_an_antecedent_seeks_the_clip_to_it(room: Room, scene: Scene) -> None:
    alert = stage(scene, room.media, peak_ms=round(time.time() * 1000) - 20_000).explained
    await room.archive(alert)
    page = await room.page(f"/incident/{alert.id}")
    await ready(page)
    assert alert.answer is not None
    for number, one in enumerate(alert.answer.antecedents, start=1):
        assert one.t_s is not None
        button = page.locator(f'[data-antecedent="antecedent_{number}"]')
        await button.click()
        await at(page, one.t_s)
        await expect(button).to_have_attribute("aria-pressed", "true")
        seen = await page.evaluate(SHOWN)
        assert seen["width"] == 640
        assert seen["mean"] > 40, "the picture is not black"
    contact = next(one for one in alert.evidence if one.kind == "contact")
    await page.keyboard.press("c")
    await at(page, contact.t_s)
    await expect(page.locator('.cw-box[data-kind="contact"]')).to_be_visible()
    first = alert.answer.antecedents[0].t_s
    assert first is not None
    await page.keyboard.press("1")
    await at(page, first)
    await page.keyboard.press("ArrowRight")
    await at(page, first + 0.04)
    await page.locator(".cw-mark[data-kind=contact]").click()
    await at(page, contact.t_s)
    await page.locator(".cw-table .cw-time").first.click()
    await at(page, min(one.t_s for one in alert.evidence))


async def test_a_dismissed_alert_says_so_and_tells_no_causes(room: Room, scene: Scene) -> None:
    staged = stage(scene, room.media, peak_ms=round(time.time() * 1000) - 20_000)
    look = SecondLook(0, False, 0.2, "both vehicles went on", 0)
    taken_back = replace(
        staged.explained, revision=2001, stage=Stage.DISMISSED, severity=Severity.LOW,
        answer=dismissal(look, "en"), explainer=Explainer.EVIDENCE, model=None,
    )  # fmt: skip
    await room.archive(staged.provisional, taken_back)
    page = await room.page(f"/incident/{taken_back.id}")
    await expect(page.locator(".cw-incident__line .cw-chip")).to_have_text("Dismissed")
    cause = page.locator(".cw-cause")
    await expect(cause.locator("h2")).to_have_text("Dismissed: no incident")
    await expect(cause).to_contain_text("both vehicles went on")
    await expect(page.locator(".cw-antecedents")).to_have_count(0)
    tone = "page => getComputedStyle(page).getPropertyValue('--tone')"
    muted = "page => getComputedStyle(page).getPropertyValue('--muted')"
    article = page.locator(".cw-incident")
    assert await article.evaluate(tone) == await article.evaluate(muted), "no colour of alarm"


async def test_the_clip_plays_on_by_the_keyboard(room: Room, scene: Scene) -> None:
    alert = stage(scene, room.media, peak_ms=round(time.time() * 1000) - 20_000).explained
    await room.archive(alert)
    page = await room.page(f"/incident/{alert.id}")
    await ready(page)
    began = await page.evaluate(CURRENT)
    await page.keyboard.press("Space")
    await page.wait_for_function(f"(t) => {CURRENT} > t + 0.5", arg=began)
    await page.keyboard.press("Space")
    await page.wait_for_function("() => document.querySelector('.cw-player video').paused")


async def test_boxes_lie_where_the_evidence_was_measured(room: Room, scene: Scene) -> None:
    alert = stage(scene, room.media, peak_ms=round(time.time() * 1000) - 20_000).explained
    await room.archive(alert)
    page = await room.page(f"/incident/{alert.id}")
    await ready(page)
    await page.keyboard.press("c")
    contact = next(one for one in alert.evidence if one.kind == "contact")
    await at(page, contact.t_s)
    assert contact.box is not None
    stage_area = await page.locator(".cw-player__stage").bounding_box()
    box_area = await page.locator('.cw-box[data-kind="contact"]').bounding_box()
    assert stage_area is not None
    assert box_area is not None
    x = (box_area["x"] - stage_area["x"]) / stage_area["width"]
    y = (box_area["y"] - stage_area["y"]) / stage_area["height"]
    assert abs(x - contact.box[0]) < 0.01
    assert abs(y - contact.box[1]) < 0.01


async def test_the_page_says_all_that_is_known(room: Room, scene: Scene) -> None:
    run = ModelRun("Qwen/Qwen3-VL-2B-Instruct", "standard", 3.94, 5210, 402)
    staged = stage(scene, room.media, peak_ms=round(time.time() * 1000) - 20_000, model=run)
    alert = staged.explained
    await room.archive(staged.provisional, alert)
    page = await room.page(f"/incident/{alert.id}")
    assert alert.answer is not None
    body = page.locator(".cw-main")
    said = (await body.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
    for sentence in (
        alert.answer.root_cause,
        alert.answer.chain.environment,
        alert.answer.chain.direct_trigger,
        alert.answer.chain.systemic_weakness,
        *(one.text for one in alert.answer.antecedents),
        *(one.text for one in alert.verification),
        "Qwen/Qwen3-VL-2B-Instruct",
        "answered in 3.9 s",
        "standard mode",
        "5210 tokens in, 402 out",
        "Two-second rule",
    ):
        assert sentence in said
    verdicts = page.locator(".cw-verdict")
    await expect(verdicts).to_have_count(4)
    assert await verdicts.evaluate_all("all => all.map(v => v.dataset.claim)") == [
        "root_cause", "antecedent_1", "antecedent_2", "antecedent_3",
    ]  # fmt: skip
    await expect(page.locator(".cw-table tbody tr")).to_have_count(len(alert.evidence))
    assert alert.media is not None
    await expect(page.locator(".cw-frame")).to_have_count(len(alert.media.frames))
    await expect(page.locator(".cw-revision")).to_have_count(2)
    loaded = "all => all.every(image => image.complete && image.naturalWidth > 0)"
    await page.locator(".cw-frame").last.scroll_into_view_if_needed()
    await page.wait_for_function(
        f"() => ({loaded})([...document.querySelectorAll('.cw-frame img')].slice(-1))"
    )


async def test_a_page_opened_early_fills_in_by_itself(room: Room, scene: Scene) -> None:
    staged = stage(scene, room.media, peak_ms=round(time.time() * 1000) - 2000)
    await room.archive(staged.provisional)
    page = await room.page(f"/incident/{staged.provisional.id}")
    await expect(page.locator(".cw-cause")).to_contain_text("fills in by itself")
    await expect(page.locator(".cw-player__none")).to_contain_text("clip is being saved")
    await expect(page.locator(".cw-antecedent")).to_have_count(0)
    await room.archive(staged.explained)
    await room.publish(staged.explained)
    await expect(page.locator(".cw-antecedent")).to_have_count(3)
    await expect(page.locator(".cw-by__who")).to_have_attribute(
        "data-explainer", Explainer.EVIDENCE.value
    )
    await expect(page.locator(".cw-by__note")).to_have_text("No model is configured.")
    await ready(page)


async def test_an_incident_nobody_knows_and_one_without_a_clip(room: Room) -> None:
    page = await room.page("/incident/north-1")
    await expect(page.locator("h1")).to_have_text("No such incident")
    bare = provisional("north")
    await room.publish(bare)
    await expect(page.locator("h1")).to_have_text("No such incident")
    await room.archive(bare)
    await page.goto(f"{room.url}/incident/{bare.id}")
    await expect(page.locator("h1")).to_have_text("Contact")
