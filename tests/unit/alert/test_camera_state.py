"""What of a camera's state is news."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from monitor.alert.camera_state import StateNews
from monitor.alert.topics import Topics
from monitor.domain import CameraState, CameraStatus, ViewCondition

STATE = CameraState(
    "north", CameraStatus.ONLINE, since_ms=1000, fps=25.0, bitrate_bps=3_000_000, last_frame_ms=5000
)


def test_a_change_of_status_or_picture_is_news_at_once() -> None:
    news = StateNews()

    first = news.message("north", STATE, ViewCondition.NORMAL, 0.0)
    assert first is not None
    assert json.loads(first)["status"] == "online"
    assert json.loads(first)["view"] == "normal"
    assert news.message("north", STATE, ViewCondition.NORMAL, 0.1) is None
    assert news.message("north", STATE, ViewCondition.FROZEN, 0.2) is not None
    stalled = replace(STATE, status=CameraStatus.STALLED, since_ms=5100)
    assert news.message("north", stalled, ViewCondition.FROZEN, 0.3) is not None


def test_measured_numbers_are_news_every_ten_seconds() -> None:
    news = StateNews()
    news.message("north", STATE, None, 100.0)
    moved = replace(STATE, fps=24.9, last_frame_ms=6000)

    assert news.message("north", moved, None, 109.9) is None
    assert news.message("north", moved, None, 110.0) is not None
    assert news.message("north", moved, None, 130.0) is None


def test_a_camera_nobody_speaks_of_is_unknown_not_online() -> None:
    news = StateNews()
    news.message("north", STATE, ViewCondition.NORMAL, 0.0)

    lapsed = news.message("north", None, None, 60.0)
    assert lapsed is not None
    assert json.loads(lapsed) == {"camera": "north", "status": "unknown", "view": None}


def test_after_forgetting_everything_is_news() -> None:
    news = StateNews()
    news.message("north", STATE, None, 0.0)
    news.forget()

    assert news.message("north", STATE, None, 0.1) is not None


def test_topics_are_built_from_the_site_and_one_level_per_camera() -> None:
    topics = Topics("causeway", "demo")

    assert topics.status == "causeway/demo/status"
    assert topics.alerts("north") == "causeway/demo/alerts/north"
    assert topics.camera_state("north") == "causeway/demo/cameras/north/state"


@pytest.mark.parametrize("camera", ["", "a/b", "+", "#", "x\0"])
def test_a_name_that_is_no_level_of_a_topic_is_refused(camera: str) -> None:
    with pytest.raises(ValueError, match="one level"):
        Topics("causeway", "demo").alerts(camera)
