"""In which mode an incident is asked about, at which servers, with how many pictures."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.config.models import Config, Site
from monitor.domain import Severity, Window
from monitor.errors import QueryError
from monitor.media.stills import Still
from monitor.query.client import VisionClient
from monitor.query.question import Shot
from monitor.query.sampling import Pair
from workers.analysis.manner import ask_settings, endpoints_of, fewer, wanted_mode

WINDOW = Window(1_760_000_000_000, 1_760_000_028_000)


class Server(VisionClient):
    """A client that knows its server's context and asks nobody."""

    def __init__(self, context: int) -> None:
        self._context_there = context
        self._images_since = None

    async def context_length(self, otherwise: int) -> int:
        return self._context_there


def config(camera_mode: str | None = None, **query: Any) -> Config:
    camera: dict[str, Any] = {"id": "north", "url": "rtsp://127.0.0.1/x"}
    if camera_mode:
        camera["mode"] = camera_mode
    return Config.model_validate({"site": {"id": "s"}, "cameras": [camera], "query": query})


@pytest.mark.parametrize(
    ("camera", "usual", "thinking_from", "severity", "mode"),
    [
        (None, "standard", None, "critical", "standard"),
        (None, "thinking", None, "low", "thinking"),
        (None, "standard", "high", "medium", "standard"),
        (None, "standard", "high", "high", "thinking"),
        (None, "standard", "high", "critical", "thinking"),
        ("standard", "thinking", "low", "critical", "standard"),
        ("thinking", "standard", None, "low", "thinking"),
    ],
)
def test_the_camera_wins_then_the_severity_then_the_usual(
    camera: str | None, usual: str, thinking_from: str | None, severity: str, mode: str
) -> None:
    made = config(camera, mode=usual, thinking_from=thinking_from)
    assert wanted_mode(made, "north", Severity(severity)) == mode


def test_a_camera_that_is_no_more_is_asked_about_as_usual() -> None:
    assert wanted_mode(config("thinking"), "gone", Severity.LOW) == "standard"


def test_the_single_endpoint_and_the_list_are_one_set() -> None:
    made = config(
        endpoint="http://127.0.0.1:1/v1", model="small", api_key="k",
        endpoints=[
            {"url": "http://127.0.0.1:2/v1", "model": "big", "modes": ["thinking"],
             "max_running": 2},
            {"url": "http://127.0.0.1:3/v1"},
        ],
    )  # fmt: skip
    found = endpoints_of(made.query)
    assert [(one.client.endpoint, one.client.model) for one in found] == [
        ("http://127.0.0.1:1/v1", "small"), ("http://127.0.0.1:2/v1", "big"),
        ("http://127.0.0.1:3/v1", "small"),
    ]  # fmt: skip
    assert [sorted(one.modes) for one in found] == [
        ["standard", "thinking"], ["thinking"], ["standard", "thinking"]
    ]  # fmt: skip
    assert [one.max_running for one in found] == [8, 2, 8]
    assert endpoints_of(config().query) == []


async def test_budgets_follow_the_servers_context_up_to_the_configured_one() -> None:
    small = await ask_settings(config(), "thinking", Server(8192))
    assert (small.max_frames, small.max_output_tokens, small.thinking_tokens) == (16, 1024, 1024)
    usual = await ask_settings(config(), "thinking", Server(262_144))
    assert (usual.max_frames, usual.max_context_length) == (64, 32_768)
    long = await ask_settings(config(context_length=262_144), "standard", Server(262_144))
    assert (long.max_frames, long.output_tokens) == (512, 8192)
    mine = await ask_settings(config(max_frames=10), "standard", Server(262_144))
    assert mine.max_frames == 10


def shot(at_ms: int) -> Shot:
    still = Still(WINDOW.start_ms + at_ms, 640, 352, b"")
    return Shot(Pair(at_ms, at_ms + 200), still, still)


async def test_a_smaller_server_gets_fewer_of_the_pictures() -> None:
    taken = [shot(at_ms) for at_ms in range(0, 28_000, 875)]
    assert len(taken) == 32
    roomy = Server(32_768)
    settings = await ask_settings(config(), "standard", roomy)
    assert await fewer(taken, WINDOW, [20.0], roomy, settings) is taken
    small = Server(8192)
    settings = await ask_settings(config(), "standard", small)
    kept = await fewer(taken, WINDOW, [20.0], small, settings)
    assert 5 <= len(kept) <= 8
    assert list(kept) == sorted(kept, key=lambda one: one.pair.first_ms)
    assert kept[0] is taken[0]
    assert min(abs(one.pair.t_s - 20.0) for one in kept) < 0.5, "the evidence stays"
    assert await fewer([], WINDOW, [], small, settings) == []


async def test_a_context_too_short_for_a_picture() -> None:
    tiny = Server(5000)
    settings = await ask_settings(config(), "standard", tiny)
    with pytest.raises(QueryError) as caught:
        await fewer([shot(0)], WINDOW, [], tiny, settings)
    assert caught.value.reason == "no_frames"


async def test_the_model_is_told_the_side_of_the_sites_rules() -> None:
    british = config().model_copy(update={"site": Site(id="s", jurisdiction="uk")})
    assert (await ask_settings(british, "standard", Server(8192))).traffic_side == "left"
    assert (await ask_settings(config(), "standard", Server(8192))).traffic_side == "right"
