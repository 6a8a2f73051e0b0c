"""Which machines may skip the contract tests, and that they say why."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "contract-possible.sh"
DISK = "echo 'Filesystem 1048576-blocks Used Available Capacity Mounted'; echo 'x 9 9 {free} 1% /'"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """One that can run them: enough of everything, and pip finds torch."""
    (tmp_path / "bin").mkdir()
    program(tmp_path, "uname", 'case "$1" in -s) echo Linux ;; -m) echo x86_64 ;; esac')
    program(tmp_path, "df", DISK.format(free=70_000))
    program(tmp_path, "python", 'case "$*" in *"torch==2.13.0+cpu"*) exit 0 ;; esac; exit 9')
    program(tmp_path, "uv", "exit 1")
    (tmp_path / "cpuinfo").write_text("flags : fpu sse avx avx2 bmi2\n")
    (tmp_path / "meminfo").write_text("MemTotal: 1 kB\nMemAvailable:   12000000 kB\n")
    return tmp_path


def program(machine: Path, name: str, text: str) -> None:
    path = machine / "bin" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def asked(machine: Path) -> tuple[int, str]:
    done = subprocess.run(
        [SCRIPT, machine / "venv", machine / "bin" / "uv", machine / "bin" / "python"],
        env={
            "PATH": f"{machine / 'bin'}:{os.environ['PATH']}",
            "CPUINFO": str(machine / "cpuinfo"), "MEMINFO": str(machine / "meminfo"),
        },
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def test_a_machine_that_has_everything(machine: Path) -> None:
    assert asked(machine) == (0, "")


def test_torch_from_its_makers_will_do(machine: Path) -> None:
    program(machine, "python", "exit 1")
    program(
        machine, "uv", 'case "$*" in *"--torch-backend cpu torch==2.13.0"*) exit 0;; esac; exit 9'
    )
    assert asked(machine) == (0, "")


def test_an_environment_that_is_there_needs_neither_disk_nor_index(machine: Path) -> None:
    program(machine, "python", "exit 1")
    program(machine, "df", DISK.format(free=10))
    (machine / "venv").mkdir()
    (machine / "venv" / ".installed").touch()
    assert asked(machine) == (0, "")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("uname", 'case "$1" in -s) echo Darwin ;; -m) echo arm64 ;; esac', "Darwin on arm64"),
        ("df", DISK.format(free=5_000), "5000 MB are free"),
        ("python", "exit 1", "torch's CPU build is found neither"),
    ],
)
def test_what_is_missing_is_the_reason(machine: Path, name: str, text: str, told: str) -> None:
    program(machine, name, text)
    code, reason = asked(machine)
    assert code == 1
    assert told in reason


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("cpuinfo", "flags : fpu sse avx\n", "has no AVX2"),
        ("meminfo", "MemAvailable: 2000000 kB\n", "1953 MB are available"),
    ],
)
def test_a_machine_that_is_too_small(machine: Path, name: str, text: str, told: str) -> None:
    (machine / name).write_text(text)
    code, reason = asked(machine)
    assert code == 1
    assert told in reason


def test_what_pip_and_uv_said_is_told(machine: Path) -> None:
    program(machine, "python", "echo 'ERROR: Could not connect to proxy' >&2; exit 1")
    program(
        machine, "uv",
        "echo 'error: Failed to fetch: `https://me:hunter2@index.invalid/torch/`' >&2\n"
        "echo '  Caused by: dns error' >&2; exit 2",
    )  # fmt: skip
    code, reason = asked(machine)
    assert code == 1
    assert "(pip: ERROR: Could not connect to proxy; uv: error: Failed to fetch: " in reason
    assert reason.endswith("`https://index.invalid/torch/` Caused by: dns error)")
    assert "hunter2" not in reason
    assert "\n" not in reason
