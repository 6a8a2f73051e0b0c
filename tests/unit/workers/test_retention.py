"""Old alerts go, with exactly their own files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monitor.archive import Archive
from monitor.clock import SystemClock, wall_ms_of
from monitor.domain import AlertMedia
from tests import alerts
from workers.retention import prune

DAY_MS = 86_400_000


class At(SystemClock):
    """A clock that stands still."""

    def __init__(self, wall_ms: int) -> None:
        self._now_ms = wall_ms

    def wall_ms(self) -> int:
        return self._now_ms


def _file(folder: Path, name: str) -> str:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x")
    return name


async def test_what_is_too_old_is_forgotten_with_its_files(tmp_path: Path) -> None:
    media = tmp_path / "media"
    outside = tmp_path / "precious"
    outside.write_bytes(b"x")
    old = replace(
        alerts.explained("north"),
        media=AlertMedia(
            clip=_file(media, "north/2025-10-09/old/clip.mp4"),
            snapshot="../precious",  # an archive is data
            frames=(_file(media, "north/2025-10-09/old/frame_000.jpg"),),
        ),
    )
    new = replace(
        alerts.explained("north", peak_ms=alerts.PEAK_MS + 10 * DAY_MS),
        media=AlertMedia(clip=_file(media, "north/2025-10-19/new/clip.mp4")),
    )
    async with Archive(f"sqlite:///{tmp_path / 'archive.db'}") as archive:
        await archive.upsert(old)
        await archive.upsert(new)
        now = At(wall_ms_of(old.start) + 7 * DAY_MS + 1)

        assert await prune(archive, media, 7.0, now) == 1

        assert await archive.alert(old.id) is None
        assert await archive.alert(new.id) == new
        assert await prune(archive, media, 7.0, now) == 0
    assert [path.name for path in media.rglob("*.mp4")] == ["clip.mp4"]
    assert not (media / "north/2025-10-09").exists()
    assert outside.exists()
