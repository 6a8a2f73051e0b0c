"""Each lock names, for every direct dependency, a version that the project allows."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {
    "requirements.lock": (),
    "requirements-detector.lock": ("detector",),
    "requirements-gpu.lock": ("gpu",),
    "requirements-dev.lock": ("dev", "detector"),
}


def locked(name: str) -> dict[str, set[str]]:
    """Versions by package; several where they differ by Python."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in (ROOT / name).read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            package, version = line.split(";")[0].rstrip(" \\").split("==")
            found[canonicalize_name(package.split("[")[0].strip())].add(version.strip())
    return found


@pytest.mark.parametrize("lock", sorted(LOCKS))
def test_a_lock_keeps_to_the_project(lock: str) -> None:
    versions = locked(lock)
    wanted = list(PROJECT["dependencies"])
    for extra in LOCKS[lock]:
        wanted += PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        given = versions[canonicalize_name(requirement.name)]
        assert given, f"{lock} lacks {requirement.name}"
        assert all(requirement.specifier.contains(one) for one in given), (requirement, given)
