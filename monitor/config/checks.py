"""Checks of single settings that a type alone cannot make; ``monitor.config.models`` uses them.

Each raises ``PydanticCustomError`` with a sentence that says what to write instead and never
repeats the value, because addresses hold passwords.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

_MIN_SPREAD = 1e-3  # of the picture or of the ground's extent: thinner than this is a line
Points = TypeVar("Points", bound=Sequence[tuple[float, float]])


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("causeway", "{sentence}", {"sentence": message})


def address(url: SecretStr, schemes: Sequence[str], example: str) -> SecretStr:
    """An address of one of the schemes; with a host, except where the scheme has none."""
    text = url.get_secret_value()
    unescaped = _wrong(
        "not an address; in a password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F, "
        f"[ as %5B and ] as %5D, as in {example}"
    )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise unescaped from None
    if parts.fragment or (parts.username and "@" in parts.path + parts.query):
        raise unescaped
    if parts.scheme not in schemes or text != text.strip():
        allowed = " or ".join(f"{scheme}://" for scheme in schemes)
        raise _wrong(f"must start with {allowed}, as in {example}")
    if parts.scheme in ("unix", "sqlite", "sqlite+aiosqlite"):
        if not parts.path.strip("/"):
            raise _wrong(f"names no file, write for example {example}")
    elif not parts.hostname or any(c.isspace() for c in text):
        raise _wrong(f"names no host, write for example {example}")
    elif port == 0:
        raise _wrong("port 0 is no port; leave it out for the usual one")
    return url


def camera_address(url: SecretStr) -> SecretStr:
    """What a camera may be read from."""
    return address(url, ("rtsp", "rtsps"), "rtsp://user:${PASSWORD}@192.0.2.10:554/stream1")


def redis_address(url: SecretStr) -> SecretStr:
    """What Redis may be reached at."""
    return address(url, ("redis", "rediss", "unix"), "redis://127.0.0.1:6379/0")


def archive_address(url: SecretStr) -> SecretStr:
    """What the archive may be kept in."""
    return address(
        url,
        ("postgresql", "postgresql+psycopg", "sqlite", "sqlite+aiosqlite"),
        "postgresql://causeway:${PASSWORD}@127.0.0.1/causeway",
    )


def timezone(name: str) -> str:
    """A name that the machine's time zone tables know."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong("not a time zone; write an IANA name, such as Asia/Shanghai or UTC") from None
    return name


def polygon(points: Points) -> Points:
    """At least three corners that span an area."""
    if len(points) < 3:
        raise _wrong(f"a mask needs at least 3 corners, this one has {len(points)}")
    if _spread(points) < _MIN_SPREAD:
        raise _wrong("the corners of this mask lie on one line; it covers nothing")
    return points


def calibration(
    image: Sequence[tuple[float, float]], ground_m: Sequence[tuple[float, float]]
) -> None:
    """None, or four and more points of which no three of some four lie on one line.

    A homography of a plane has 8 unknowns: 4 points, no three of them collinear, determine it.
    """
    if not image:
        return
    if len(image) < 4:
        raise _wrong(f"needs at least 4 points (or none), there are {len(image)}")
    for points, where in ((image, "in the picture"), (ground_m, "on the ground")):
        if len(set(points)) < len(points):
            raise _wrong(f"two points are the same spot {where}; give different ones")
        if not _has_general_four(points):
            raise _wrong(
                f"too many points lie on one line {where}; choose four that make a quadrilateral, "
                "such as the corners of a crossing"
            )
    if not _same_side(image, ground_m):
        raise _wrong(
            "the points go round in another order on the ground than in the picture; "
            "check which of them belong together"
        )


def _same_side(
    image: Sequence[tuple[float, float]], ground_m: Sequence[tuple[float, float]]
) -> bool:
    """Whether a camera can see the points so.

    What lies before a camera keeps its orientation under a homography, or all of it is mirrored
    (Hartley, *Chirality*, 1998): three points turn left in the picture where they turn left on
    the ground, or everywhere the other way. Triples that are nearly on a line do not count.
    """
    turns = set()
    for triple in combinations(range(len(image)), 3):
        parts = [_turn([points[i] for i in triple]) for points in (image, ground_m)]
        if all(abs(part) > _MIN_SPREAD for part in parts):
            turns.add(parts[0] * parts[1] > 0)
    return len(turns) <= 1


def _turn(points: Sequence[tuple[float, float]]) -> float:
    """To the left above 0; twice the triangle's area as a part of its longest side's square."""
    (ax, ay), (bx, by), (cx, cy) = points
    longest = max(math.dist(a, b) for a, b in combinations(points, 2))
    return ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) / (longest**2 or 1.0)


def _has_general_four(points: Sequence[tuple[float, float]]) -> bool:
    """Whether the points left after taking away any one of them still span an area.

    Four points in general position exist exactly where no line holds all points but one.
    """
    return all(
        _spread([*points[:left_out], *points[left_out + 1 :]]) >= _MIN_SPREAD
        for left_out in range(len(points))
    )


def _spread(points: Sequence[tuple[float, float]]) -> float:
    """How far the points lie from a line: their distance from it as a part of its length."""
    (ax, ay), (bx, by), length = max(
        ((a, b, math.dist(a, b)) for i, a in enumerate(points) for b in points[i:]),
        key=lambda pair: pair[2],
    )
    if length == 0:
        return 0.0
    return max(abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) for x, y in points) / length**2
