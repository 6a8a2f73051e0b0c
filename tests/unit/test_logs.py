"""Logs: concise, with the camera, without passwords."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from monitor import logs
from monitor.logs import Formatter, Scrubber


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """A logger of the test's own behind the real formatter; the root is left alone."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter("ingest", Scrubber(["hunter2", "p@ss", "ab"])))
    logger = logging.getLogger("test_logs")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)


log = logging.getLogger("test_logs")


def test_a_line_has_time_level_worker_and_message(output: io.StringIO) -> None:
    log.info("online, %d fps", 25)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO     ingest: online, 25 fps\n",
        output.getvalue(),
    )


async def test_the_camera_is_there_in_every_task_started_for_it(output: io.StringIO) -> None:
    async def work() -> None:
        log.info("in a task")
        await asyncio.to_thread(log.info, "in a thread")

    with logs.camera("north-cam"):
        await asyncio.create_task(work())
    log.info("outside")
    log.info("named", extra={"camera": "south-cam"})
    lines = output.getvalue().splitlines()
    assert "ingest north-cam: in a task" in lines[0]
    assert "ingest north-cam: in a thread" in lines[1]
    assert "ingest: outside" in lines[2]
    assert "ingest south-cam: named" in lines[3]


def test_known_secrets_and_credentials_are_taken_out_of_everything(output: io.StringIO) -> None:
    try:
        raise OSError("cannot open rtsp://admin:hunter2@10.0.0.1/1")
    except OSError:
        log.exception("camera %s", "rtsp://admin:p@ss@10.0.0.1/1", stack_info=True)
    text = output.getvalue()
    assert "hunter2" not in text
    assert "p@ss" not in text
    assert "OSError: cannot open rtsp://***@10.0.0.1/1" in text
    assert "Traceback" in text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("rtsp://u:p@h/1", "rtsp://***@h/1"),
        ("rtsp://u:p@x/y@h/1", "rtsp://***@h/1"),
        ("redis://:pw@h:1", "redis://***@h:1"),
        ("rtsp://h/user=a&password=b&c=1", "rtsp://h/user=a&password=***&c=1"),
        ("{'password': 'x y'}", "{'password': ***}"),
        ("api_key=abc, next", "api_key=***, next"),
        ("Authorization: Digest username=x", "Authorization: ***"),
        ("Bearer abcdefgh12345", "Bearer ***"),
        ("http://host:8080/media/x.mp4", "http://host:8080/media/x.mp4"),
        ("mail@example.org is no address", "mail@example.org is no address"),
    ],
)
def test_what_looks_like_a_credential_goes_even_when_unknown(text: str, clean: str) -> None:
    assert Scrubber()(text) == clean


def test_longer_secrets_go_first_and_tiny_ones_are_left() -> None:
    assert Scrubber(["abc", "abcdef", "x", ""])("abcdef abc x") == "*** *** x"


def test_a_message_of_several_lines_is_one_line(output: io.StringIO) -> None:
    log.warning("first\nsecond")
    assert output.getvalue().endswith(" ingest: first second\n")


def test_a_message_that_does_not_fit_its_arguments_is_shown_all_the_same() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "two %d numbers", (1, 2), None)
    assert Formatter("w", Scrubber()).format(record).endswith("w: two %d numbers (1, 2)")


PROGRAM = """
import logging, sys, threading, warnings
from monitor import logs
logs.configure("worker", ["hunter2"])
def fail(): raise ValueError("in a thread: hunter2")
thread = threading.Thread(target=fail); thread.start(); thread.join()
class Unraisable:
    def __del__(self): raise ValueError("unraisable: hunter2")
Unraisable()
warnings.warn("a warning with hunter2")
logging.getLogger("some.library").error("library says %s", "rtsp://a:b@c/")
raise RuntimeError("uncaught: hunter2")
"""


def test_a_process_shows_no_secret_however_it_fails() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    for words in ("in a thread: ***", "unraisable: ***", "a warning with ***", "uncaught: ***"):
        assert words in done.stderr
    assert "library says rtsp://***@c/" in done.stderr
    assert "hunter2" not in done.stderr.replace('"in a thread: hunter2"', "")
