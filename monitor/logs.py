"""Logging of every process: concise lines on standard error, with secrets scrubbed.

    2026-03-01T12:00:00.123Z INFO     ingest north-cam: online, 1280x720 h264 at 25 fps

A camera's id comes from :func:`camera` (a context, inherited by tasks and ``to_thread``) or
from ``extra={"camera": id}``. Scrubbing happens on the finished text, tracebacks included, so
nothing that any library logs or raises gets around it. Uncaught exceptions of threads, of the
garbage collector and of the interpreter itself come through here as well.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HIDDEN = "***"
_MIN_SECRET_CHARS = 3  # shorter ones would blank out half of every line
_camera: ContextVar[str] = ContextVar("camera", default="")
_QUIET = (
    "httpx", "httpcore", "httpx2", "httpcore2", "openai", "aiortc", "aioice", "amqtt", "asyncio",
    "transitions", "watchfiles", "uvicorn.access", "engineio", "socketio", "alembic",
)  # fmt: skip

_CREDENTIALS = (
    # user:password@ of an address; up to the last @, as passwords hold any character
    (re.compile(r"\b([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s'\"<>]*@"), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"(?i)\b((?:password|passwd|passphrase|pwd|secret|token|api[_-]?key)['\"]?\s*[=:]\s*)"
            r"(?:'[^']*'|\"[^\"]*\"|[^\s&,;'\"()]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(authorization['\"]?\s*[=:]\s*)[^\r\n]*"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9+/=_.-]{8,}"), rf"\1 {HIDDEN}"),
)


class Scrubber:
    """Takes known secrets, and whatever looks like a credential, out of a text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({s for s in secrets if len(s) >= _MIN_SECRET_CHARS}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        for pattern, replacement in _CREDENTIALS:
            text = pattern.sub(replacement, text)
        return self._known.sub(HIDDEN, text) if self._known else text


@contextmanager
def camera(camera_id: str) -> Iterator[None]:
    """Every line logged inside, also by tasks started inside, carries the camera's id."""
    token = _camera.set(camera_id)
    try:
        yield
    finally:
        _camera.reset(token)


class Formatter(logging.Formatter):
    """One line a record, scrubbed; a traceback follows on lines of its own."""

    def __init__(self, worker: str, scrub: Scrubber) -> None:
        super().__init__()
        self._worker = worker
        self._scrub = scrub

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        camera_id = getattr(record, "camera", "") or _camera.get()
        who = " ".join(part for part in (self._worker, camera_id) if part)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # a library's format string that does not fit its arguments
            message = f"{record.msg} {record.args!r}"
        # A message of several lines, such as an exception of libav, stays one line.
        message = " ".join(message.split("\n")) if record.exc_info is None else message
        about = f"{who}: " if who else ""
        text = f"{stamp}.{int(record.msecs):03d}Z {record.levelname:<8} {about}{message}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        if record.stack_info:
            text += "\n" + self.formatStack(record.stack_info)
        return self._scrub(text)


def configure(worker: str, secrets: Iterable[str] = (), level: int = logging.INFO) -> Scrubber:
    """Set up this process; called once, by the command line. Returns the scrubber in use."""
    scrub = Scrubber(secrets)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter(worker, scrub))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)
    _catch_uncaught()
    return scrub


def _catch_uncaught() -> None:
    log = logging.getLogger("causeway")

    def uncaught(
        kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            log.critical("uncaught exception", exc_info=(kind, error, trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            name = args.thread.name if args.thread else "?"
            log.error(
                "uncaught exception in thread %s",
                name,
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            log.warning(
                "ignored exception: %s",
                args.err_msg or "while cleaning up",
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )

    sys.excepthook = uncaught
    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
