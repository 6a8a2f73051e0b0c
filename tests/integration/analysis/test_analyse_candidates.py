"""Candidates through analyse, and alerts that a second look took back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.alert.build import provisional
from monitor.archive import Archive, Stored
from monitor.buffer.incidents import IncidentStore
from monitor.buffer.keys import OUTBOX
from monitor.buffer.tally import TallyStore
from monitor.clock import utc
from monitor.domain import (
    Alert,
    EvidenceKind,
    Explainer,
    Incident,
    IncidentStatus,
    Level,
    SecondLook,
    Stage,
    Window,
)
from tests import servers
from tests.integration.analysis.test_analyse import (
    END,
    PEAK,
    alerts,
    an_incident,
    config,
    jobs_done,
    prepare,
    put_job,
    trigger,
    worker,
)
from tests.vllm_fake import FakeVllm, good_answer

NOT_SURE = SecondLook(PEAK, None, 0.0, "it cannot tell", PEAK + 6000, followed=True)
REJECTED = SecondLook(PEAK, False, 0.3, "both drove on", PEAK + 6000, followed=True)
NO_INCIDENT = good_answer(is_incident=False, incident_type="none")


def candidate(**changes: Any) -> Incident:
    weak = trigger(kind=EvidenceKind.HARD_BRAKE, score=1.2, level=Level.CANDIDATE)
    made = an_incident("cam-1", weak, status=IncidentStatus.CANDIDATE, looks=(NOT_SURE,))
    return replace(made, **changes)


def dismissed() -> Incident:
    return an_incident(status=IncidentStatus.DISMISSED, looks=(REJECTED,))


async def test_a_candidate_that_the_model_confirms_is_published_with_its_files(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    await prepare(redis, footage, incident=candidate())
    settings = config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)
    async with worker(settings):
        (alert,) = await alerts(redis, 1)
        await jobs_done(redis)
    assert (alert.stage, alert.explainer) == (Stage.EXPLAINED, Explainer.QWEN3_VL)
    assert alert.revision == 1001
    assert (await TallyStore(redis).last_day("cam-1", END)).confirmed == 1
    assert alert.media is not None
    assert alert.media.clip is not None
    assert (settings.data_dir / "media" / alert.media.clip).is_file()


async def test_a_candidate_that_the_model_dismisses_is_nobodys_news_and_leaves_no_file(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    fake.answer = NO_INCIDENT
    await prepare(redis, footage, incident=candidate())
    settings = config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)
    async with worker(settings):
        await jobs_done(redis)
    assert fake.requests
    assert await redis.xlen(OUTBOX) == 0
    assert list(settings.data_dir.rglob("*.mp4")) == []


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9/v1"])
async def test_a_candidate_that_no_model_answers_for_stays_one(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, endpoint: str | None
) -> None:
    await prepare(redis, footage, incident=candidate())
    async with worker(config(private_redis, tmp_path, endpoint=endpoint)):
        await jobs_done(redis)
    assert await redis.xlen(OUTBOX) == 0


async def test_an_alert_that_a_model_made_of_a_candidate_is_taken_back_by_its_later_word(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    first = candidate()
    await prepare(redis, footage, incident=first)
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)):
        await alerts(redis, 1)
        await jobs_done(redis)
        fake.answer = NO_INCIDENT
        more = trigger(PEAK + 1500, score=1.1, level=Level.CANDIDATE)
        longer = replace(first, triggers=(*first.triggers, more))
        await IncidentStore(redis).put(longer)
        await put_job(redis, longer)
        found = await alerts(redis, 2)
    assert [one.stage for one in found] == [Stage.EXPLAINED, Stage.DISMISSED]
    assert [one.revision for one in found] == [1001, 1002]


async def test_what_a_second_look_rejected_is_taken_back_without_asking(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm
) -> None:
    await prepare(redis, footage, incident=dismissed())
    async with worker(config(private_redis, tmp_path, endpoint=fake.url, max_frames=8)):
        (alert,) = await alerts(redis, 1)
        await put_job(redis, dismissed())  # again, as after a crash
        await jobs_done(redis)
    assert (alert.stage, alert.revision) == (Stage.DISMISSED, 2001)
    assert alert.answer is not None
    assert "both drove on" in alert.answer.root_cause
    assert alert.media is not None
    assert fake.requests == []
    assert await redis.xlen(OUTBOX) == 1, "the repeated job found its work done"


async def test_what_was_never_an_alert_is_not_taken_back(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path
) -> None:
    gone = candidate(status=IncidentStatus.DISMISSED, looks=(REJECTED,))
    await prepare(redis, footage, incident=gone)
    async with worker(config(private_redis, tmp_path)):
        await jobs_done(redis)
    assert await redis.xlen(OUTBOX) == 0


@pytest.mark.parametrize("late", ["the rejection", "the explanation"])
async def test_whichever_comes_last_the_dismissal_stands(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, late: str
) -> None:
    """The second look races the explanation; subscribers and the archive see one end."""
    open_, gone = an_incident(), dismissed()
    order = [open_, gone] if late == "the rejection" else [gone, open_]
    await prepare(redis, footage, incident=order[0])
    async with worker(config(private_redis, tmp_path)):
        await alerts(redis, 1)
        await jobs_done(redis)
        # The other one is what a slower worker read before, or what watch wrote after.
        await IncidentStore(redis).put(order[1])
        await IncidentStore(redis).put_explained("cam-1", gone.id, 0)
        await put_job(redis, order[1])
        finished = await alerts(redis, 2)
    window = Window(PEAK - 20_000, END)
    first = provisional(open_, (), window, site="site-1", lang="en", now=utc(PEAK + 500))
    assert await _published([first, *finished], tmp_path) == (
        ["provisional", "explained", "dismissed"]
        if late == "the rejection"
        else ["provisional", "dismissed"]
    )


async def _published(alerts_in_order: list[Alert], folder: Path) -> list[str]:
    """What publish sends of them: all but what the archive calls superseded."""
    async with Archive(f"sqlite:///{folder}/archive.sqlite") as archive:
        sent = [
            alert.stage.value
            for alert in alerts_in_order
            if await archive.store(alert) is not Stored.SUPERSEDED
        ]
        latest = await archive.alert(alerts_in_order[0].id)
    assert latest is not None
    assert latest.stage is Stage.DISMISSED
    return sent
