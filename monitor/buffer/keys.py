"""Names of every key in Redis; docs/architecture.md lists what each holds.

The hash tag ``{camera}`` keeps one camera's keys on one cluster node.
"""

from __future__ import annotations

JOBS = "cw:jobs"
"""Redis stream of ``domain.Job`` for analyse."""

OUTBOX = "cw:outbox"
"""Redis stream of ``domain.Alert`` for publish."""

DEAD = "cw:dead"
"""Redis stream of work that failed again and again."""

WORKER_PREFIX = "cw:worker:"
"""Heartbeats: one key per process."""


def substream_ring(camera: str) -> str:
    """The name under which a camera's substream has its own ring and state."""
    return f"{camera}.sub"  # a configured camera id holds no dot, so this never collides


def ring_key(camera: str) -> str:
    """Stream of access units."""
    return f"cw:{{{camera}}}:au"


def ring_keys_key(camera: str) -> str:
    """Stream with one empty entry per key access unit of the ring, under the same id."""
    return f"cw:{{{camera}}}:keys"


def codec_key(camera: str) -> str:
    """Hash of generation to codec parameters."""
    return f"cw:{{{camera}}}:codec"


def state_key(camera: str) -> str:
    """CameraState."""
    return f"cw:{{{camera}}}:state"


def view_key(camera: str) -> str:
    """ViewCondition."""
    return f"cw:{{{camera}}}:view"


def detector_key(camera: str) -> str:
    """Why the camera's detector rests; empty while it works."""
    return f"cw:{{{camera}}}:detector"


def cursor_key(camera: str) -> str:
    """Entry id that watch has finished with."""
    return f"cw:{{{camera}}}:cursor"


def memory_key(camera: str) -> str:
    """What watch has learned of the camera's view, as bytes."""
    return f"cw:{{{camera}}}:memory"


def evidence_key(camera: str) -> str:
    """Hash of evidence id to Evidence."""
    return f"cw:{{{camera}}}:evidence"


def evidence_times_key(camera: str) -> str:
    """Sorted set of evidence ids by time."""
    return f"cw:{{{camera}}}:evidence-times"


def incidents_key(camera: str) -> str:
    """Hash of incident id to Incident."""
    return f"cw:{{{camera}}}:incidents"


def tally_key(camera: str, outcome: str) -> str:
    """Sorted set of the ids of incidents that had an outcome, by time; the last day."""
    return f"cw:{{{camera}}}:tally:{outcome}"


def scores_key(camera: str) -> str:
    """What watch has learned of the camera's usual scores."""
    return f"cw:{{{camera}}}:scores"


def explained_key(camera: str, incident: str) -> str:
    """The highest revision an incident was explained with."""
    return f"cw:{{{camera}}}:explained:{incident}"


def patrol_key(camera: str) -> str:
    """There while the patrol has looked at the camera lately enough."""
    return f"cw:{{{camera}}}:patrol"


def patrol_abnormal_key(camera: str) -> str:
    """There while the patrol's last look found the camera abnormal."""
    return f"cw:{{{camera}}}:patrol-abnormal"


def worker_key(name: str) -> str:
    """Heartbeat of one process."""
    return WORKER_PREFIX + name


def lease_key(name: str) -> str:
    """Holder of a piece of work that one process at a time may do."""
    return f"cw:lease:{name}"
