"""Real clips through the whole chain: skipped where they are not beside the checkout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import av
import pytest

from monitor.buffer.connection import connect
from monitor.buffer.keys import ring_key
from monitor.capture.rtsp_server import Route, VideoSource
from monitor.domain import Alert, Stage
from tests.chain import chain
from tests.servers import redis_server
from tests.watching import confirm

CLIPS = ("clip_001", "clip_003", "clip_004", "clip_008", "clip_018", "clip_019")
PLAY_S = 40.0


@pytest.mark.footage
@pytest.mark.timeout(120)
async def test_real_clips_pass_through_the_whole_chain(
    footage: Path, tmp_path: Path, mqtt_port: int
) -> None:
    """What must hold for any picture: times, media and verification; not what was detected.

    So every candidate is looked for, and believed.
    """
    routes = [Route(clip, VideoSource.from_file(footage / f"{clip}.mp4")) for clip in CLIPS]
    with redis_server(tmp_path) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        async with chain(
            routes, redis_url=url, mqtt_port=mqtt_port, folder=tmp_path / "var",
            site=f"footage-{server.port}", examine=confirm,
            cameras={clip: {"trigger": {"candidates_per_day": 5000}} for clip in CLIPS},
        ) as running:  # fmt: skip
            await running.explained(CLIPS, PLAY_S)
            alerts = running.alerts()
            redis = connect(url)
            try:
                for clip in CLIPS:
                    assert await redis.xlen(ring_key(clip)) > 50, clip
            finally:
                await redis.aclose()
    explained = [alert for alert in alerts if alert.stage is Stage.EXPLAINED]
    assert explained, "not one incident was explained in six clips, four of them with a crash"
    for alert in explained:
        _check(alert, tmp_path / "var" / "media")
    _check_order(alerts)


def _check(alert: Alert, media: Path) -> None:
    assert alert.window_start <= alert.start <= alert.window_end
    assert alert.answer is not None
    length_s = (alert.window_end - alert.window_start) / timedelta(seconds=1)
    for antecedent in alert.answer.antecedents:
        assert (antecedent.t_s is None) == (antecedent.kind == "not_seen")
        assert antecedent.t_s is None or 0 <= antecedent.t_s <= length_s
    assert len(alert.verification) == 4
    assert alert.media is not None
    assert alert.media.clip is not None
    with av.open(str(media / alert.media.clip)) as clip:
        assert clip.duration is not None
        assert clip.duration / av.time_base == pytest.approx(length_s, abs=1.5)


def _check_order(alerts: Sequence[Alert]) -> None:
    """A camera's alerts come in the order of their revisions."""
    last: dict[str, int] = {}
    for alert in alerts:
        assert alert.revision >= last.get(alert.id, 0)
        last[alert.id] = alert.revision
