from __future__ import annotations

import re
from pathlib import Path

from monitor.buffer import keys

ARCHITECTURE = Path(__file__).resolve().parents[3] / "docs" / "architecture.md"

PER_CAMERA = (
    keys.ring_key,
    keys.ring_keys_key,
    keys.codec_key,
    keys.state_key,
    keys.view_key,
    keys.cursor_key,
    keys.memory_key,
    keys.evidence_key,
    keys.evidence_times_key,
    keys.incidents_key,
)


def test_the_architecture_page_lists_every_key() -> None:
    listed = set(re.findall(r"^\| `(cw:[^`]+)` \|", ARCHITECTURE.read_text(), re.MULTILINE))
    ours = {name("cam") for name in PER_CAMERA}
    ours |= {keys.JOBS, keys.OUTBOX, keys.DEAD, keys.worker_key("<name>")}
    assert ours <= listed


def test_all_keys_of_a_camera_share_one_hash_tag() -> None:
    tags = {name("north").partition("{")[2].partition("}")[0] for name in PER_CAMERA}
    assert tags == {"north"}


def test_a_substreams_ring_cannot_be_another_cameras() -> None:
    assert keys.substream_ring("north") == "north.sub"
    assert not re.fullmatch(r"^[a-z0-9][a-z0-9_-]{0,62}$", keys.substream_ring("north"))
