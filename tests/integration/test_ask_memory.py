"""What is bad takes neither memory nor time: the command as a process of its own."""

from __future__ import annotations

import asyncio
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.files import write_picture, write_video
from tests.vllm_fake import FakeVllm

pytestmark = pytest.mark.timeout(180)  # a Python that imports everything, on a busy machine

MOST_MB = 320
"""A good question of 64 pictures takes 150 to 180 MB; the picture alone would be 300 more."""

# ru_maxrss of children is that of the largest one, so each command gets a parent of its own.
PARENT = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(done.returncode)
"""


def good(folder: Path) -> Path:
    return write_video(folder / "a.mp4", range(0, 4000, 40))


def hours(folder: Path) -> Path:
    return write_video(folder / "a.mkv", range(0, 18_000_000, 5000), size=(64, 64))


def megapixels(folder: Path) -> Path:
    return write_picture(folder / "a.png", 10_000, 10_000)


def bitmap(folder: Path) -> Path:
    path = folder / "a.bmp"
    with path.open("wb") as file:
        size = struct.pack("<iiHH", 22_000, 22_000, 1, 24)
        file.write(b"BM" + struct.pack("<IHHII", 0, 0, 0, 54, 40) + size + bytes(24))
        file.truncate(54 + 3 * 22_000 * 22_000)
    return path


@pytest.mark.parametrize(
    ("make", "fault", "code", "says"),
    [
        (hours, "ok", 0, "Nothing was measured"),
        (megapixels, "ok", 1, "make them smaller first"),
        (bitmap, "ok", 1, "a picture of 1452 MB; at most 48 MB are read"),
        (good, "huge_json", 1, "sent over 16000000 bytes"),
        (good, "silent", 1, "no answer within 4 s"),
    ],
)
async def test_bad_input_takes_bounded_memory_and_time(
    tmp_path: Path, make: Callable[[Path], Path], fault: str, code: int, says: str
) -> None:
    path = make(tmp_path)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CAUSEWAY")}
    async with FakeVllm() as fake:
        fake.fault = fault
        causeway = Path(sys.executable).with_name("causeway")
        command: list[str | Path] = [sys.executable, "-c", PARENT, causeway, "ask", path, "Why?",
                   "--endpoint", fake.url, "--deadline-s", "4"]  # fmt: skip
        began = time.monotonic()
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=tmp_path, env=environment,
            capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert says in " ".join((done.stdout + done.stderr).split())
    assert int(done.stderr.splitlines()[-1]) < MOST_MB
    assert time.monotonic() - began < 120
