"""An endpoint that answers and is no server of models: a web page at every address, or its list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from monitor.buffer.keys import DEAD
from monitor.domain import Explainer
from tests import servers
from tests.integration.analysis import test_analyse_models as several
from tests.integration.analysis import test_patrol as patrol
from tests.vllm_fake import FakeVllm


@pytest.fixture
async def site() -> AsyncIterator[FakeVllm]:
    async with FakeVllm() as server:
        server.site()
        yield server


async def test_a_web_page_costs_the_models_answer_and_nothing_else(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, site: FakeVllm
) -> None:
    await several.film(redis, footage, "cam-1")
    settings = several.config(private_redis, tmp_path, ["cam-1"], [{"url": site.url}])
    async with several.worker(settings):
        for number in range(3):
            await several.fire(redis, "cam-1", after_ms=number)
        found = await several.alerts(redis, 3)

        async def left_alone() -> bool:
            return (await patrol.counters(redis)).get("endpoint_0_opened", 0) >= 1

        await patrol.until(left_alone)
    for alert in found:
        assert alert.explainer is Explainer.EVIDENCE
        assert alert.explainer_note == "The model's answer could not be read."
        assert alert.media is not None
        assert alert.media.clip is not None
    assert await redis.xlen(DEAD) == 0
    assert site.models_asked <= 3, "not for each of a query's questions"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_the_healthy_one_of_two_answers(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, site: FakeVllm,
    fake: FakeVllm, order: tuple[int, int],
) -> None:  # fmt: skip
    await several.film(redis, footage, "cam-1")
    urls = [{"url": (site, fake)[number].url} for number in order]
    async with several.worker(several.config(private_redis, tmp_path, ["cam-1"], urls)):
        await several.fire(redis, "cam-1")
        (alert,) = await several.alerts(redis, 1)
    assert alert.explainer is Explainer.QWEN3_VL
    assert len(fake.requests) == 1


@pytest.mark.parametrize("fault", ["html", "number_for_data", "null", "silent"])
async def test_an_engine_behind_a_front_without_a_list_answers_all_the_same(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, fake: FakeVllm,
    fault: str,
) -> None:  # fmt: skip
    fake.models_fault = fault
    await several.film(redis, footage, "cam-1")
    settings = several.config(private_redis, tmp_path, ["cam-1"], [{"url": fake.url}])
    async with several.worker(settings):
        await several.fire(redis, "cam-1")
        (alert,) = await several.alerts(redis, 1)
    assert alert.explainer is Explainer.QWEN3_VL


async def test_the_patrol_goes_on_beside_it(
    redis: Redis, private_redis: servers.Server, footage: Any, tmp_path: Path, site: FakeVllm
) -> None:
    await patrol.film(redis, footage, "cam-1", "cam-2")

    async def both_failed() -> bool:
        return (await patrol.counters(redis)).get("patrol_failures", 0) >= 2

    async with patrol.worker(
        patrol.config(private_redis, tmp_path, site.url, "cam-1", "cam-2")
    ):  # which ends with the error of a patrol that died
        await patrol.until(both_failed)
