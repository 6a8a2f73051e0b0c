"""An incident's files: clip, snapshot at the peak, key frames; and the pictures for the model.

Everything is written beside its name first and renamed, so the dashboard never serves half a
file. A disk that is full or read-only costs the files, never the alert. Runs in a thread.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from monitor.clock import utc
from monitor.config.asking import Query
from monitor.domain import AlertMedia, Evidence, EvidenceKind, Incident
from monitor.errors import MediaError
from monitor.media.clip import remux
from monitor.media.stills import Still
from monitor.media.window import Wanted, decode_wanted
from monitor.query.close_ups import CloseUp, Wish, close_ups, wish
from monitor.query.sampling import Pair
from workers.analysis.footage import Footage

logger = logging.getLogger(__name__)

KEY_FRAMES: Final = 6
_APART_MS: Final = 400
_BEARS_ON_MS: Final = 10_000
_REACTION_MS: Final = (1500, 3000)
"""Before the peak: a driver takes 1.0 to 2.5 s from seeing to braking, and then brakes."""

_OUTCOME_MS: Final = (2_000, 3_500)
"""After somebody braked hard: braking from 50 km/h takes 2 s, and who follows sees, decides (1.5 s)
and brakes too."""
_BEFORE_WHAT: Final = frozenset({EvidenceKind.HARD_BRAKE, EvidenceKind.SUDDEN_STOP})

_AROUND_PEAK_S: Final = (-2, 2, -5, 5)  # where little was measured


@dataclass(frozen=True, slots=True)
class Pictures:
    """What was decoded of a window."""

    media: AlertMedia | None
    stills: list[Still | None]  # of the pairs: first, second, first, second, ...
    close_ups: tuple[CloseUp, ...] = ()


def frame_times_s(footage: Footage) -> list[float]:
    """The times of the window's pictures."""
    return [footage.window.t_s(unit.capture_ms) for unit in footage.units]


def important_times_ms(incident: Incident, evidence: Sequence[Evidence]) -> list[int]:
    """The peak; what was measured of those it is about, what came before it first; after hard
    braking the seconds in which it meets what it was for; the seconds in which a driver would
    have had to react; then everything else by strength.
    """
    peak_ms = incident.peak_ms
    parties = {track for one in incident.triggers if one.time_ms == peak_ms for track in one.tracks}

    def rank(item: Evidence) -> tuple[bool, bool, float, int, str]:
        near = abs(item.time_ms - peak_ms) <= _BEARS_ON_MS
        aside = not (near and parties & {item.track, item.other})
        return aside, item.time_ms > peak_ms, -item.strength, item.time_ms, item.id

    ordered = sorted(evidence, key=rank)
    first = [item.time_ms for item in ordered if not rank(item)[0]]
    reaction = [peak_ms - before_ms for before_ms in _REACTION_MS]
    braked = any(one.kind in _BEFORE_WHAT for one in incident.triggers if one.time_ms == peak_ms)
    outcome = [peak_ms + after_ms for after_ms in _OUTCOME_MS] if braked else []
    strongest = sorted(
        (item for item in ordered if rank(item)[0]),
        key=lambda item: (-item.strength, item.time_ms, item.id),
    )
    times = [
        peak_ms,
        *first[:1],
        *outcome,
        *first[1:],
        *reaction,
        *(item.time_ms for item in strongest),
    ]
    times += [trigger.time_ms for trigger in incident.triggers]
    return list(dict.fromkeys(times))


def take_pictures(
    incident: Incident,
    footage: Footage,
    evidence: Sequence[Evidence],
    pairs: Sequence[Pair],
    *,
    query: Query,
    media_dir: Path | None,
) -> Pictures:
    """Write the files and decode the pairs, each GOP once; no files without ``media_dir``.

    With pairs, the place of the incident is decoded too, enlarged.
    """
    start_ms, end_ms = footage.window.start_ms, footage.window.end_ms
    keys: list[int] = []
    around = (incident.peak_ms + 1000 * offset_s for offset_s in _AROUND_PEAK_S)
    for time_ms in (*important_times_ms(incident, evidence), *around):
        inside = start_ms <= time_ms <= end_ms
        if inside and all(abs(time_ms - other) >= _APART_MS for other in keys):
            keys.append(time_ms)
    keys = sorted(keys[:KEY_FRAMES])
    wanted = [
        Wanted(start_ms + ms, query.frame_width)
        for pair in pairs
        for ms in (pair.first_ms, pair.second_ms)
    ]
    count = len(wanted)
    closer = wished(incident, footage, query) if pairs else None
    if closer is not None:
        wanted += [Wanted(time_ms, closer.width, closer.part) for time_ms in closer.times_ms]
    closer_count = len(wanted) - count
    if media_dir is not None:
        wanted += [Wanted(time_ms, None) for time_ms in (incident.peak_ms, *keys)]
    try:
        stills = decode_wanted(footage.units, footage.params, wanted, os.cpu_count() or 1)
    except MediaError as error:
        logger.warning("no picture of %s: %s", incident.id, error)
        stills = [None] * len(wanted)
    enlarged = close_ups(closer, stills[count : count + closer_count])
    media = None
    if media_dir is not None:
        media = _write(incident, footage, stills[count + closer_count :], media_dir)
    return Pictures(media, stills[:count], enlarged)


def wished(incident: Incident | None, footage: Footage, query: Query) -> Wish | None:
    """Which part of which pictures to enlarge."""
    size = (footage.params.width, footage.params.height)
    return wish(incident, footage.window, size, query.frame_width, query.close_ups)


def _write(
    incident: Incident, footage: Footage, stills: Sequence[Still | None], media_dir: Path
) -> AlertMedia | None:
    """The files that could be written; None if none could."""
    day = utc(incident.start_ms).strftime("%Y-%m-%d")
    below = Path(incident.camera) / day / incident.id
    folder = media_dir / below
    media = AlertMedia()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remux(footage.units, footage.params, folder / "clip.mp4")
        media = replace(media, clip=f"{below}/clip.mp4")
        snapshot, *frames = stills
        if snapshot is not None:
            _put(folder / "snapshot.jpg", snapshot.jpeg)
            media = replace(media, snapshot=f"{below}/snapshot.jpg")
        for number, still in enumerate(still for still in frames if still is not None):
            name = f"frame_{number:03}.jpg"
            _put(folder / name, still.jpeg)
            media = replace(
                media,
                frames=(*media.frames, f"{below}/{name}"),
                frame_times_s=(*media.frame_times_s, footage.window.t_s(still.capture_ms)),
            )
    except (OSError, MediaError) as error:
        logger.warning("not all files of %s could be written: %s", incident.id, error)
    return None if media == AlertMedia() else media


def _put(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
